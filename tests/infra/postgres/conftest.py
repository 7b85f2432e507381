"""Fixtures of the tests of the log in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest

from infra.postgres.recorder import PostgresLog
from tests.migrated import log_url

__all__ = ["eventually", "hold_append_lock", "log_url"]


@pytest.fixture
def log(log_url: str) -> Iterator[PostgresLog]:
    """An empty log, opened with the rights of the server's superuser."""
    with PostgresLog(log_url) as log:
        yield log


@contextmanager
def hold_append_lock(url: str) -> Iterator[None]:
    """Nobody appends within the block."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("select qingling.lock_log()")
        yield


def eventually(condition: Callable[[], object]) -> None:
    """Wait until something is so; ten seconds are more than it ever takes."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)
