"""Checks a log against its own laws, entry by entry: what a restore, a replica or a hand may have brought in past the guards.

One pass in order of position, one in order of stream and version, one over the commands, all of one snapshot and streamed, so
that memory does not grow with the log. It tells whether the log agrees with itself; whether it is the log that was signed is the
tree's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from psycopg2.extensions import connection as Connection  # noqa: N812

from domain.canonical import canonical_bytes
from domain.recording import time_text
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import connect, translated

_FETCH = 2_000  # rows that a pass holds at a time
_PATIENT = RecorderConfig(statement_timeout=0, lock_timeout=0, idle_in_transaction_timeout=0)


@dataclass(frozen=True, slots=True)
class Finding:
    """A law that is broken, where, and how. `position` is 0 where no entry of the log is at fault."""

    position: int
    law: str
    message: str


def fsck(dsn: str, *, limit: int = 1_000) -> list[Finding]:
    """The first `limit` findings; an empty list says that the log keeps its laws. The session must be able to read all tables.

    Raises:
        StoreUnreachableError, StoreFailedError: it could not be read.
    """
    with translated("checking the log"), closing(connect(dsn, _PATIENT)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        return list(islice(_findings(connection), limit))


def _findings(connection: Connection) -> Iterator[Finding]:
    yield from _check_entries(connection)
    yield from _check_versions(connection)
    yield from _check_commands(connection)


def _check_entries(connection: Connection) -> Iterator[Finding]:
    position, recorded_at = 0, None
    columns = "position, recorded_at, stream, version, type, partitionkey, entry"
    for row in _rows(connection, f"select {columns} from qingling.event order by position"):
        if row[0] != position + 1:
            yield Finding(row[0], "dense positions", f"follows position {position}")
        if recorded_at is not None and row[1] <= recorded_at:
            yield Finding(row[0], "rising times", f"{row[1].isoformat()} is not after {recorded_at.isoformat()}")
        position, recorded_at = row[:2]
        yield from _check_entry(*row)


def _check_entry(
    position: int, recorded_at: datetime, stream: str, version: int, type_: str, partitionkey: str, entry: memoryview
) -> Iterator[Finding]:
    stored = bytes(entry)
    try:
        content = orjson.loads(stored)
        canonical = canonical_bytes(content)
    except ValueError as error:
        yield Finding(position, "canonical bytes", f"the entry is no canonical JSON: {error}")
        return
    if canonical != stored:
        yield Finding(position, "canonical bytes", "the entry is not what its content serialises to")
    expected = {
        "id": f"{stream}/{version}",
        "subject": stream,
        "version": version,
        "type": type_,
        "partitionkey": partitionkey,
        "time": time_text(recorded_at),
    }
    for name, value in expected.items():
        found = content.get(name) if isinstance(content, dict) else None
        if found != value:
            yield Finding(
                position, "entry and columns agree", f"{name} is {found!r} in the entry and {value!r} beside it"
            )


def _check_versions(connection: Connection) -> Iterator[Finding]:
    stream, version = None, 0
    query = "select stream, version, position from qingling.event order by stream, version"
    for row in _rows(connection, query):
        expected = version + 1 if row[0] == stream else 1
        if row[1] != expected:
            yield Finding(row[2], "contiguous versions", f"{row[0]}/{row[1]} stands where version {expected} belongs")
        stream, version = row[:2]


def _check_commands(connection: Connection) -> Iterator[Finding]:
    query = """
        with head as (select coalesce(max(position), 0) as last from qingling.event)
        select actor, key, positions, last from qingling.command, head
        where exists (select from unnest(positions) as p where p not between 1 and last) order by actor, key
    """
    for actor, key, positions, last in _rows(connection, query):
        yield Finding(
            0, "commands point into the log", f"the command {actor}/{key} names the positions {positions} of {last}"
        )


def _rows(connection: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name="qingling_fsck") as cursor:
        cursor.itersize = _FETCH
        cursor.execute(query)
        yield from cursor
