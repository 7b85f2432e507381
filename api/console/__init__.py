"""The console: server-rendered pages over the view models. No script, no outside resource; Chinese first, and English.

A page is a view model (`api/views/`), a route (`pages/`) and a template (`templates/`); `docs/console.md` shows how one is added.
"""
