"""Databases that hold an empty log: copies of one that was migrated once in the run."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg2
import pytest

from infra.postgres.migrations import migrate
from tests.postgres_server import fresh_database, server


@functools.cache
def _template() -> str:
    url = fresh_database(server())
    migrate(url)
    return url.split("/")[-1].split("?")[0]


@contextmanager
def log_database() -> Iterator[str]:
    """The URL of a database with an empty log, dropped afterwards whoever is still connected."""
    name = f"test_{uuid4().hex}"
    execute(server().url(), f'create database "{name}" template "{_template()}"')
    try:
        yield server().url(database=name)
    finally:
        execute(server().url(), f'drop database if exists "{name}" with (force)')


@pytest.fixture
def log_url() -> Iterator[str]:
    """The URL of a database with an empty log, for this test alone."""
    with log_database() as url:
        yield url


def execute(url: str, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple]:
    """Run one statement as whoever the URL says, outside of a transaction; its rows, if it has any."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []
