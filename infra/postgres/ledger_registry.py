"""Which generations of ledgers there are, how far each was folded, and who stopped it. Plain functions on a cursor.

Everything here is read and written within the caller's transaction, so that a position never differs from the rows that belong to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.errors import FoldError
from infra.postgres.ledger_tables import table_name, table_of
from projections.ledger import AnyLedger

WHOLE = -1
"""The part of a feed that is not divided."""


class Existence(StrEnum):
    """What a generation is for: it is built beside the live one, read, or waits to be dropped."""

    BUILDING = "building"
    LIVE = "live"
    RETIRED = "retired"


class Condition(StrEnum):
    """Why a ledger does not fold."""

    PAUSED = "paused"
    STOPPED = "stopped"
    OUTDATED = "outdated"


@dataclass(frozen=True)
class Generation:
    """One table of rows of a ledger. `indexed`: its secondary indexes are there; `segment_bits`: see `LedgerTable`."""

    id: int
    ledger: str
    number: int
    fold_version: int
    layout: str
    state: Existence
    indexed: bool
    segment_bits: int


@dataclass(frozen=True)
class Halt:
    """A ledger does not fold: since which position, why, and which ledger is the cause (itself, or one that it follows)."""

    ledger: str
    state: Condition
    reason: str
    cause: str
    position: int


class PositionMovedError(FoldError):
    """Somebody else folded a generation, or replaced it, since its position was read. Nothing was written."""


_GENERATION = "id, ledger, number, fold_version, layout, state, indexed, segment_bits"


def generations(cursor: Cursor, state: Existence) -> dict[str, Generation]:
    """The generations in a state by ledger; of retired ones the latest."""
    cursor.execute(f"select {_GENERATION} from ledger.generation where state = %s order by id", (state.value,))
    return {row[1]: _generation(row) for row in cursor.fetchall()}


def _generation(row: Sequence[Any]) -> Generation:
    return Generation(row[0], row[1], row[2], row[3], row[4], Existence(row[5]), row[6], row[7])


def positions(cursor: Cursor, part: int = WHOLE) -> dict[int, int]:
    """By generation: up to where it was folded from one part of the feed."""
    cursor.execute("select generation, position from ledger.progress where part = %s", (part,))
    return dict(cursor.fetchall())


def halts(cursor: Cursor) -> dict[str, Halt]:
    """The ledgers that do not fold."""
    cursor.execute("select ledger, state, reason, cause, position from ledger.condition")
    return {row[0]: Halt(row[0], Condition(row[1]), *row[2:]) for row in cursor.fetchall()}


def halt(cursor: Cursor, halted: Iterable[Halt]) -> None:
    """Writes down that ledgers do not fold."""
    for one in halted:
        cursor.execute(
            "insert into ledger.condition (ledger, state, reason, cause, position) values (%s, %s, %s, %s, %s)"
            " on conflict (ledger) do update set state = excluded.state, reason = excluded.reason, cause = excluded.cause,"
            " position = excluded.position, changed_at = clock_timestamp()",
            (one.ledger, one.state.value, one.reason, one.cause, one.position),
        )


def release(cursor: Cursor, ledgers: Iterable[str]) -> None:
    """Writes down that ledgers fold again."""
    cursor.execute("delete from ledger.condition where ledger = any(%s)", (list(ledgers),))


def create(
    cursor: Cursor,
    ledger: AnyLedger,
    state: Existence,
    parts: Sequence[int],
    *,
    indexed: bool,
    bits: int,
) -> Generation:
    """Makes a generation, its tables, and its progress at position 0."""
    cursor.execute("select coalesce(max(number), 0) + 1 from ledger.generation where ledger = %s", (ledger.name,))
    (number,) = cursor.fetchone() or (1,)
    table = table_of(ledger, number, bits)
    for statement in (*table.ddl(), *(table.indexes() if indexed else ())):
        cursor.execute(statement)
    live_from = "clock_timestamp()" if state is Existence.LIVE else "null"
    cursor.execute(
        "insert into ledger.generation (ledger, number, fold_version, layout, state, indexed, segment_bits, live_from)"
        f" values (%s, %s, %s, %s, %s, %s, %s, {live_from}) returning {_GENERATION}",
        (ledger.name, number, ledger.version, table.layout, state.value, indexed, bits),
    )
    made = _generation(cursor.fetchone() or ())
    for part in parts:
        cursor.execute(
            "insert into ledger.progress (generation, part, position, head) values (%s, %s, 0, 0)", (made.id, part)
        )
    return made


def advance(cursor: Cursor, moves: Sequence[int], part: int, before: int, after: int, head: int) -> None:
    """Moves generations from one position to another, in the transaction that writes their rows.

    Raises:
        PositionMovedError: one of them does not stand at `before`.
    """
    cursor.execute(
        "update ledger.progress set position = %s, head = %s, confirmed_at = clock_timestamp()"
        " where generation = any(%s) and part = %s and position = %s",
        (after, head, list(moves), part, before),
    )
    if cursor.rowcount != len(moves):
        raise PositionMovedError(
            f"of {len(moves)} ledgers {cursor.rowcount} still stood at position {before}", position=before
        )


def retire(cursor: Cursor, generation: Generation) -> None:
    """Takes a generation out of use. Its progress goes, so that whoever still folds it is refused."""
    cursor.execute(
        "update ledger.generation set state = 'retired', retired_at = clock_timestamp() where id = %s", (generation.id,)
    )
    cursor.execute("delete from ledger.progress where generation = %s", (generation.id,))


def indexed(cursor: Cursor, generation: Generation) -> None:
    """Writes down that a generation has all its indexes."""
    cursor.execute("update ledger.generation set indexed = true where id = %s", (generation.id,))


def go_live(cursor: Cursor, generation: Generation) -> None:
    """Makes a built generation the one that is read."""
    cursor.execute(
        "update ledger.generation set state = 'live', live_from = clock_timestamp() where id = %s", (generation.id,)
    )


def drop_retired(session: SupportsTransactions, kept_for: float) -> list[str]:
    """Drops the tables of generations that were retired at least `kept_for` seconds ago, unless somebody reads them just now."""
    with session.transaction("looking for retired generations") as cursor:
        cursor.execute(
            "select id, ledger, number from ledger.generation where state = 'retired'"
            " and retired_at <= clock_timestamp() - make_interval(secs => %s) order by id",
            (kept_for,),
        )
        waiting = cursor.fetchall()
    dropped = []
    for number, ledger, generation in waiting:
        with session.transaction("dropping a retired generation") as cursor:
            cursor.execute("set local lock_timeout = '50ms'")
            if _drop(cursor, ledger, generation):
                cursor.execute("delete from ledger.generation where id = %s", (number,))
                dropped.append(f"{ledger}, generation {generation}")
    return dropped


def _drop(cursor: Cursor, ledger: str, number: int) -> bool:
    cursor.execute("savepoint dropping")
    try:
        cursor.execute(f"drop table if exists {table_name(ledger, number)}")
    except psycopg2.errors.LockNotAvailable:
        cursor.execute("rollback to savepoint dropping")
        return False
    return True


class SupportsTransactions(Protocol):
    """A session with the database."""

    def transaction(self, doing: str) -> AbstractContextManager[Cursor]:
        """One transaction."""


def outdated(ledger: AnyLedger, generation: Generation) -> str:
    """Why a generation must be rebuilt before it can be folded on; empty when it need not."""
    if generation.fold_version != ledger.version:
        return f"folded by version {generation.fold_version} of the fold, this release has version {ledger.version}: rebuild it"
    if generation.layout != table_of(ledger, generation.number, generation.segment_bits).layout:
        return "laid out in other columns than this release's: rebuild it"
    return ""


def lowest(position_by_part: Mapping[int, int]) -> int:
    """The position up to which every part of the feed was folded."""
    return min(position_by_part.values(), default=0)


def confirm(cursor: Cursor, moves: Sequence[int], part: int, position: int, head: int) -> None:
    """Says that generations stand at a position and have seen everything up to it.

    Raises:
        PositionMovedError: as `advance`.
    """
    advance(cursor, moves, part, position, position, head)
