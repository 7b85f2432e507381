"""Reading ledgers: pages, rows, versions, sums and states, now or as of any position.

Guarantees: every answer comes from one snapshot (REPEATABLE READ), and the position that it bears belongs to that snapshot. A generation
that is swapped in between two pages goes unnoticed, since both hold the same rows. A ledger is never read as of a position beyond
the one up to which it was folded: `NotReadyError` says where it stands. Safe to share between threads.

Where the log is folded by parts, a ledger stands where its hindmost part does, and the current rows are those as of there. Of a ledger
that is stopped in some parts the current rows go on with the other parts (its `Page.complete` is where all of them stand).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.errors import NotFoundError, NotReadyError
from infra.folding.status import LedgerState, LedgerStatus
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import Pool, translated
from infra.postgres.ledger_pages import VERSION, asked, cursor_after, page_as_of, page_now
from infra.postgres.ledger_registry import Existence, generations, halts, outdated
from infra.postgres.ledger_sums import since_mark, sums_at
from infra.postgres.ledger_tables import FOREVER, RowTable, SumTable, table_of
from projections.folding import added
from projections.ledger import Catalogue, Cell, Row, Sums

R = TypeVar("R", bound=Row)
T = TypeVar("T")

_HALTED = (LedgerState.PAUSED, LedgerState.STOPPED, LedgerState.OUTDATED)
"""States that do not end by waiting; a ledger that was never folded may be about to be."""
_POLL = 0.02
_LONGEST_POLL = 0.25


@dataclass(frozen=True, slots=True)
class VersionedRow(Generic[R]):
    """A row, and the positions from which and (None: it is the current one) until which it holds. `position` made it."""

    key: str
    row: R
    position: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Rows in order, the cursor of the next page (None: that was the last), and the position that the page is as of.

    `complete`: up to where every part of the ledger was folded; below `position` only where the ledger is stopped in a part.
    """

    rows: Sequence[VersionedRow[R]]
    next: str | None
    position: int
    complete: int


@dataclass(frozen=True, slots=True)
class _Reach:
    """Up to where a ledger was folded: in every part, in every part that is not stopped, and in the foremost one."""

    complete: int
    current: int
    foremost: int

    @property
    def even(self) -> bool:
        """Whether the open versions are the rows as of `current`."""
        return self.foremost == self.current


class LedgerReader:
    """See the module."""

    def __init__(self, dsn: str, config: RecorderConfig, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._pool = Pool(dsn, config)
        self._tables: dict[tuple[str, int], RowTable | SumTable] = {}

    def close(self) -> None:
        """Close every session."""
        self._pool.close()

    # Rows

    def page(
        self,
        ledger: str,
        *,
        as_of: int | None = None,
        order: str | None = None,
        descending: bool = False,
        after: str | None = None,
        limit: int = 50,
        filters: Mapping[str, str] | None = None,
        prefix: str | None = None,
        allow_behind: bool = False,
    ) -> Page[Any]:
        """Rows of a ledger in an order that it declares (None: by key), ties by key.

        `after` is the `next` of an earlier page with the same order. `filters`: column to value, for equality; a column that holds a
        list must contain it. `prefix`: how the searched column begins. With `allow_behind`, a ledger that has not reached
        `as_of` answers as of its own position, which the page bears.

        Raises:
            NotFoundError: no such ledger, or none with rows.
            InputError: an order, filter, value or cursor that the ledger does not have.
            NotReadyError: the ledger has not reached `as_of`.
        """

        def read(cursor: Cursor) -> Page[Any]:
            table, reach = self._row_table(cursor, ledger)
            position = _position(ledger, reach, as_of, allow_behind=allow_behind)
            wanted = asked(table, order=order, descending=descending, after=after, filters=filters, prefix=prefix)
            found = (
                page_now(cursor, wanted, limit + 1)
                if as_of is None and reach.even
                else page_as_of(cursor, wanted, position, reach.foremost, limit + 1)
            )
            more = cursor_after(wanted, found[limit - 1]) if len(found) > limit else None
            rows = [_versioned(table, (one.key, one.row, one.from_position, one.to_position)) for one in found[:limit]]
            return Page(rows, more, position, min(position, reach.complete))

        return self._read("reading a page of a ledger", read)

    def row(self, ledger: str, key: str, *, as_of: int | None = None) -> VersionedRow[Any] | None:
        """One row; None when there was none then.

        Raises:
            NotFoundError, NotReadyError: as `page`.
        """

        def read(cursor: Cursor) -> VersionedRow[Any] | None:
            table, reach = self._row_table(cursor, ledger)
            position = _position(ledger, reach, as_of)
            if as_of is None and reach.even:
                cursor.execute(f"select {VERSION} from {table.open} where key = %s", (key,))
            else:
                cursor.execute(
                    f"select {VERSION} from {table.name} where key = %s and from_position <= %s and to_position > %s",
                    (key, position, position),
                )
            found = cursor.fetchone()
            return None if found is None else _versioned(table, found)

        return self._read("reading a row of a ledger", read)

    def versions(self, ledger: str, key: str) -> list[VersionedRow[Any]]:
        """Every version of a row, in order.

        Raises:
            NotFoundError: as `page`.
        """

        def read(cursor: Cursor) -> list[VersionedRow[Any]]:
            table, _ = self._row_table(cursor, ledger)
            cursor.execute(f"select {VERSION} from {table.name} where key = %s order by from_position", (key,))
            return [_versioned(table, row) for row in cursor.fetchall()]

        return self._read("reading the versions of a row", read)

    def stream_rows(
        self, ledger: str, *, as_of: int | None = None, filters: Mapping[str, str] | None = None
    ) -> Iterator[VersionedRow[Any]]:
        """Every row in order of key, from one snapshot, in flat memory.

        Raises:
            NotFoundError, InputError, NotReadyError: as `page`, when the first row is taken.
        """
        doing = "reading a ledger"
        with translated(doing), self._pool.session() as connection, connection.cursor() as cursor, _snapshot(cursor):
            table, reach = self._row_table(cursor, ledger)
            position = _position(ledger, reach, as_of)
            where = asked(table, filters=filters).where()
            current = as_of is None and reach.even
            query = f"select {VERSION} from {table.open if current else table.name} where {where.sql}"
            parameters = where.parameters
            if not current:
                query += " and from_position <= %s and to_position > %s"
                parameters += (position, position)
            for row in _stream(cursor, f"{query} order by key", parameters):
                yield _versioned(table, row)

    def missing(self, ledger: str, column: str, other: str, *, as_of: int | None = None) -> list[VersionedRow[Any]]:
        """The rows of a ledger whose `column` is the key of no row of the other one, both as of one position: an absence (design.md 6).

        Raises:
            NotFoundError, NotReadyError: as `page`.
            KeyError: the column is none that the ledger can be filtered by; a bug of the caller.
        """

        def read(cursor: Cursor) -> list[VersionedRow[Any]]:
            table, reach = self._row_table(cursor, ledger)
            others, theirs = self._row_table(cursor, other)
            position = min(_position(ledger, reach, as_of), _position(other, theirs, as_of))
            valid = "{0}.from_position <= %s and {0}.to_position > %s"
            cursor.execute(
                f"select here.key, here.row, here.from_position, here.to_position from {table.name} as here"
                f" where {valid.format('here')} and not exists (select from {others.name} as there"
                f" where there.key = here.{table.stored[column].name} and {valid.format('there')}) order by here.key",
                (position, position, position, position),
            )
            return [_versioned(table, row) for row in cursor.fetchall()]

        return self._read("looking for what is missing", read)

    # Sums

    def cells(self, summary: str, *, as_of: int | None = None) -> dict[Cell, Sums]:
        """The sums of every cell that is not zero throughout, as of where every part was folded.

        Raises:
            NotFoundError: there is no such summary.
            NotReadyError: it, or the ledger that it sums, has not reached `as_of`.
        """

        def read(cursor: Cursor) -> dict[Cell, Sums]:
            table, reach = self._sum_table(cursor, summary)
            source, _ = self._row_table(cursor, table.ledger.source.name)
            position = _position(summary, reach, as_of)
            mark = position // table.mark * table.mark
            total = sums_at(cursor, table, mark)
            for cells in since_mark(cursor, table, source, mark, position).values():
                added(total, cells.items())
            return {cell: sums for cell, sums in total.items() if any(sums)}

        return self._read("reading sums of a ledger", read)

    # States

    def position(self, ledger: str) -> int:
        """Up to where a ledger was folded: the lowest of the positions of its feed's parts.

        Raises:
            NotFoundError: there is no such ledger.
        """
        self._known(ledger)
        return self._read("reading a ledger's position", lambda cursor: self._positions(cursor).get(ledger, 0))

    def status(self) -> list[LedgerStatus]:
        """Every ledger of the catalogue, from one snapshot."""
        return self._read("reading the state of the ledgers", self._status)

    def watermark_age(self) -> float | None:
        """Seconds since the ledgers that fold were all known to have seen the head of the log; None where none does.

        It rises when the engine or its feed hangs, though the lag may read 0.
        """

        def read(cursor: Cursor) -> float | None:
            cursor.execute(
                "select extract(epoch from clock_timestamp() - min(p.confirmed_at))::float8 from ledger.progress as p"
                " join ledger.generation as g on g.id = p.generation and g.state = 'live'"
                " where not exists (select from ledger.condition as c where c.ledger = g.ledger and c.part in (-1, p.part))"
            )
            found = cursor.fetchone()
            return None if found is None or found[0] is None else max(0.0, float(found[0]))

        return self._read("reading the age of the ledgers", read)

    def server_version(self) -> str:
        """What the database calls itself."""

        def read(cursor: Cursor) -> str:
            cursor.execute("show server_version")
            return f"PostgreSQL {(cursor.fetchone() or ('',))[0]}"

        return self._read("reading the server's version", read)

    def wait_for(self, ledgers: Sequence[str], position: int, timeout: float) -> None:
        """Waits until ledgers have been folded up to a position, at most `timeout` seconds.

        Raises:
            NotFoundError: there is no such ledger.
            NotReadyError: one of them has not reached it in time, or does not fold; `position` is where the hindmost stands.
        """
        for name in ledgers:
            self._known(name)
        deadline = time.monotonic() + timeout
        pause = _POLL
        while True:
            behind = [s for s in self.status() if s.name in ledgers and s.position < position]
            if not behind:
                return
            hindmost = min(behind, key=lambda s: s.position)
            halted = next((s for s in behind if s.state in _HALTED), None)
            if halted is not None or time.monotonic() >= deadline:
                raise NotReadyError(_why(halted or hindmost, position), position=hindmost.position)
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_POLL)

    # Inside

    def _known(self, ledger: str) -> None:
        if ledger not in self.catalogue:
            raise NotFoundError(f"there is no ledger {ledger!r}; there are {', '.join(self.catalogue.names())}")

    def _table(self, cursor: Cursor, ledger: str) -> tuple[RowTable | SumTable, _Reach]:
        self._known(ledger)
        cursor.execute(
            "select g.number, g.segment_bits, min(p.position), min(p.position) filter (where c.ledger is null), max(p.position)"
            " from ledger.generation as g join ledger.progress as p on p.generation = g.id"
            " left join ledger.condition as c on c.ledger = g.ledger and c.part = p.part and c.part <> -1"
            " where g.ledger = %s and g.state = 'live' group by g.number, g.segment_bits",
            (ledger,),
        )
        found = cursor.fetchone()
        if found is None:
            raise NotReadyError(f"ledger {ledger} was never folded", position=0)
        number, bits, complete, current, foremost = found
        table = self._tables.get((ledger, number))
        if table is None:
            table = self._tables[ledger, number] = table_of(self.catalogue[ledger], number, bits)
        return table, _Reach(complete, complete if current is None else current, foremost)

    def _row_table(self, cursor: Cursor, ledger: str) -> tuple[RowTable, _Reach]:
        table, reach = self._table(cursor, ledger)
        if not isinstance(table, RowTable):
            raise NotFoundError(f"ledger {ledger} has sums, not rows")
        return table, reach

    def _sum_table(self, cursor: Cursor, ledger: str) -> tuple[SumTable, _Reach]:
        table, reach = self._table(cursor, ledger)
        if not isinstance(table, SumTable):
            raise NotFoundError(f"ledger {ledger} has rows, not sums")
        return table, _Reach(reach.complete, reach.complete, reach.foremost)

    @staticmethod
    def _positions(cursor: Cursor) -> dict[str, int]:
        cursor.execute(
            "select g.ledger, min(p.position) from ledger.generation as g join ledger.progress as p on p.generation = g.id"
            " where g.state = 'live' group by g.ledger"
        )
        return dict(cursor.fetchall())

    def _status(self, cursor: Cursor) -> list[LedgerStatus]:
        cursor.execute("select coalesce(max(position), 0) from qingling.event")
        (head,) = cursor.fetchone() or (0,)
        cursor.execute(
            "select g.ledger, max(p.confirmed_at) from ledger.generation as g join ledger.progress as p on p.generation = g.id"
            " where g.state = 'live' group by g.ledger"
        )
        confirmed = dict(cursor.fetchall())
        live, building = generations(cursor, Existence.LIVE), generations(cursor, Existence.BUILDING)
        positions, halted = self._positions(cursor), halts(cursor)
        found = []
        for ledger in self.catalogue:
            name = ledger.name
            generation = live.get(name)
            state, reason = LedgerState.RUNNING, None
            if generation is None:
                state, reason = LedgerState.MISSING, "it was never folded"
            elif name in halted:
                why_halted = list(halted[name].values())[-1]
                state, reason = LedgerState(why_halted.state.value), why_halted.reason
            elif why := outdated(ledger, generation):
                state, reason = LedgerState.OUTDATED, why
            if name in building and state is not LedgerState.RUNNING:
                state = LedgerState.REBUILDING
            position = positions.get(name, 0)
            found.append(
                LedgerStatus(
                    name=name,
                    title=ledger.title,
                    generation=0 if generation is None else generation.number,
                    fold_version=ledger.version if generation is None else generation.fold_version,
                    state=state,
                    reason=reason,
                    position=position,
                    head=head,
                    lag=max(0, head - position),
                    updated_at=confirmed.get(name),
                )
            )
        return found

    def _read(self, doing: str, query: Callable[[Cursor], T]) -> T:
        """Runs a query in a snapshot; once more when a table that had just been replaced was dropped under it."""

        def run(cursor: Cursor) -> T:
            try:
                with _snapshot(cursor):
                    return query(cursor)
            except psycopg2.errors.UndefinedTable:
                with _snapshot(cursor):
                    return query(cursor)

        return self._pool.read(doing, run)


@contextmanager
def _snapshot(cursor: Cursor) -> Iterator[None]:
    cursor.execute("begin isolation level repeatable read read only")
    try:
        yield
    finally:
        if cursor.connection.closed == 0:
            cursor.execute("rollback")


def _stream(cursor: Cursor, query: str, parameters: Sequence[object]) -> Iterator[tuple[Any, ...]]:
    """Rows of a query in flat memory."""
    cursor.execute(f"declare ledger_rows no scroll cursor for {query}", parameters)
    while True:
        cursor.execute(f"fetch forward {_FETCHED} from ledger_rows")
        rows = cursor.fetchall()
        if not rows:
            return
        yield from rows


_FETCHED = 2_000


def _versioned(table: RowTable, found: Sequence[Any]) -> VersionedRow[Any]:
    key, row, start, end = found
    return VersionedRow(key, table.decode(row), start, None if end == FOREVER else end)


def _position(ledger: str, reach: _Reach, as_of: int | None, *, allow_behind: bool = False) -> int:
    if as_of is None:
        return reach.current
    if as_of > reach.complete and not allow_behind:
        raise NotReadyError(
            f"ledger {ledger} was folded up to position {reach.complete}, not yet to {as_of}", position=reach.complete
        )
    return min(as_of, reach.complete)


def _why(status: LedgerStatus, position: int) -> str:
    reason = f": {status.reason}" if status.reason else ""
    return f"ledger {status.name} is {status.state} at position {status.position}, not yet at {position}{reason}"
