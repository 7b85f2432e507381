"""The log in memory: for tests, and for trying out folds without a database."""
