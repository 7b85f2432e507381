"""The doors: REST, console and command line, all to the same platform."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
"""Of the package, as `pyproject.toml` has it."""
