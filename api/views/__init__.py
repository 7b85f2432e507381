"""View models: what a page shows and what REST answers, made once from the platform. A page and its JSON cannot differ."""
