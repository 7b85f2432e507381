"""Fixtures of the tests of the log in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.postgres.recorder import PostgresLog
from tests.migrated import log_url

__all__ = ["log_url"]


@pytest.fixture
def log(log_url: str) -> Iterator[PostgresLog]:
    """An empty log, opened with the rights of the server's superuser."""
    with PostgresLog(log_url) as log:
        yield log
