"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.postgres_server"]

CHECKOUT = Path(__file__).resolve().parent.parent
SOAKING = os.environ.get("QINGLING_SOAK") == "on"
"""Whether tests that search at random look much longer, and those on real records take all of them: `scripts/soak`."""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real agencies' records; tests that need it skip, saying so, where it is absent."""
    folder = Path(os.environ.get("QINGLING_REAL_DATA", CHECKOUT.parent / "shared" / "data"))
    if not (folder / "new-jersey-wage-claims.xlsx").is_file():
        pytest.skip(f"the real records are not at {folder}; set QINGLING_REAL_DATA to their folder")
    return folder
