"""What the fold engine writes, and what it reads back: rows, sums and positions of ledgers in PostgreSQL.

Guarantees: a chunk's rows, sums and position are committed together or not at all; a generation moves only from the position that its
chunk begins at, so two engines cannot both move it; a closed version is never written twice and an open one is never left beside
its successor, or the chunk is refused. A `LedgerSession` is used by one thread at a time.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - the driver's class has a lower-case name
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from domain.errors import FoldError
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import Pool, transaction, translated
from infra.postgres.ledger_chunk import Chunk, Part
from infra.postgres.ledger_registry import advance
from infra.postgres.ledger_sums import since_mark
from infra.postgres.ledger_tables import RowTable, SumTable, array
from projections.ledger import Catalogue, Cell, Sums

_BUFFER = 1 << 20


class LedgerStore:
    """Opens sessions with the ledgers' schema, with the rights to write there."""

    def __init__(self, dsn: str, config: RecorderConfig, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        # A rebuild copies and indexes for as long as it takes.
        self._pool = Pool(dsn, replace(config, statement_timeout=0.0))

    def session(self) -> LedgerSession:
        """A session of the caller's own, which the caller closes.

        Raises:
            StoreUnreachableError: the database cannot be reached.
        """
        session = LedgerSession(self._pool.connect())
        with session.transaction("beginning a session") as cursor:
            # A process that is frozen in the middle of a transaction holds its rows no longer than this; another one then goes on.
            cursor.execute("set idle_in_transaction_session_timeout = '20s'")
        return session

    def close(self) -> None:
        """Refuse new sessions."""
        self._pool.close()


class LedgerSession:
    """One session. Reading methods see what is committed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it, and with it every advisory lock that it holds."""
        self.connection.close()

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Cursor]:
        """One transaction; errors of the driver are translated."""
        with translated(doing), transaction(self.connection) as cursor:
            yield cursor

    @contextmanager
    def reading(self, doing: str) -> Iterator[Cursor]:
        """A cursor for statements that each stand alone."""
        with translated(doing), self.connection.cursor() as cursor:
            yield cursor

    # What lanes read

    def rows(self, table: RowTable, keys: Sequence[str], as_of: int | None) -> Iterable[tuple[str, Any]]:
        """See `infra.folding.lane.Rows`."""
        wanted = array(sorted(keys))
        with self.reading("loading rows of a ledger") as cursor:
            if as_of is None:
                cursor.execute(f"select key, row::text from {table.open} where key = any(%s::text[])", (wanted,))
            else:
                cursor.execute(
                    f"select key, row::text from {table.name}"
                    " where key = any(%s::text[]) and from_position <= %s and to_position > %s",
                    (wanted, as_of, as_of),
                )
            return [(key, table.decode(row)) for key, row in cursor.fetchall()]

    def sums(self, table: SumTable, keys: Sequence[str]) -> Iterable[tuple[str, Sums]]:
        """See `infra.folding.lane.Rows`."""
        with self.reading("loading sums of a ledger") as cursor:
            cursor.execute(
                f"select key, {', '.join(table.measures)} from {table.open} where key = any(%s::text[])",
                (array(sorted(keys)),),
            )
            return [(row[0], tuple(row[1:])) for row in cursor.fetchall()]

    def since(
        self, table: SumTable, source: RowTable, position: int, shards: frozenset[int] | None
    ) -> dict[int, dict[Cell, Sums]]:
        """See `infra.folding.lane.Rows`."""
        mark = position // table.mark * table.mark
        with self.transaction("adding up what changed since a mark") as cursor:
            return since_mark(cursor, table, source, mark, position, shards)

    # What the engine writes

    def write(self, chunk: Chunk, head: int) -> None:
        """Writes a chunk, all of it or nothing.

        Raises:
            PositionMovedError: somebody else moved one of its generations, or replaced it.
            FoldError: the rows of a ledger cannot be stored, or are not those that the chunk follows.
            StoreFailedError: the database failed; the chunk can be written again.
        """
        with self.transaction("writing ledgers") as cursor:
            self.write_within(cursor, chunk, head)

    def write_within(self, cursor: Cursor, chunk: Chunk, head: int) -> None:
        """As `write`, within a transaction of the caller's."""
        advance(cursor, chunk.generations, chunk.of, chunk.after, chunk.upto, head)
        for changed in chunk.parts:
            try:
                closed = _write(cursor, changed)
            except psycopg2.Error as error:
                if (error.pgcode or "")[:2] not in _OWN_FAULT:
                    raise
                raise _unstorable(changed, chunk, error.diag.message_primary or str(error)) from error
            if closed != len(changed.closed):
                raise _unstorable(
                    changed, chunk, f"{len(changed.closed)} rows end, but {closed} of them are stored: rebuild it"
                )


_OWN_FAULT = {"0A", "22", "23", "42", "54"}
"""Classes of errors that trying again does not mend: what is written cannot stand in the table. (PostgreSQL, appendix A.)"""


def _write(cursor: Cursor, part: Part) -> int:
    """Writes a part and returns how many stored versions were closed."""
    table = part.table
    closed = 0
    if part.closed:
        keys = sorted(part.closed)
        positions = "{" + ",".join(str(part.closed[key]) for key in keys) + "}"
        cursor.execute(table.move, (array(keys), positions))
        closed = cursor.rowcount
    _copy(cursor, table.past, table.columns, part.past)
    _copy(cursor, table.open, table.columns, part.open)
    return closed


def _copy(cursor: Cursor, target: str, columns: str, lines: Sequence[bytes]) -> None:
    if lines:
        cursor.copy_expert(f"copy {target} ({columns}) from stdin", io.BytesIO(b"".join(lines)), _BUFFER)


def _unstorable(part: Part, chunk: Chunk, said: str) -> FoldError:
    return FoldError(
        f"ledger {part.table.ledger.name} cannot be stored after position {chunk.after}: {said}",
        ledger=part.table.ledger.name,
        position=chunk.after + 1,
    )
