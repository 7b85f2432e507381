"""Fixtures of the fold engine's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.migrated import log_url
from tests.projections.laws import Bench, bench
from tests.projections.toys import TYPES, toy_catalogue

__all__ = ["log_url"]


@pytest.fixture
def toys(log_url: str) -> Iterator[Bench]:
    """The toy ledgers in an empty database."""
    with bench(log_url, toy_catalogue(), TYPES) as made:
        yield made
