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
"""The part that a log is which is folded undivided."""


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
    """One table of rows of a ledger. `indexed`: its secondary indexes are there; `segment_bits`: see `LedgerTable`.

    `failed`: why those who build it gave up.
    """

    id: int
    ledger: str
    number: int
    fold_version: int
    layout: str
    state: Existence
    indexed: bool
    segment_bits: int
    failed: str | None = None


@dataclass(frozen=True)
class Halt:
    """A ledger does not fold: since which position, why, and which ledger is the cause (itself, or one that it follows).

    In one part of the log, or (`WHOLE`) in all of it.
    """

    ledger: str
    state: Condition
    reason: str
    cause: str
    position: int
    part: int = WHOLE


class PositionMovedError(FoldError):
    """Somebody else folded a generation, or replaced it, since its position was read. Nothing was written."""


_GENERATION = "id, ledger, number, fold_version, layout, state, indexed, segment_bits, failed"


def generations(cursor: Cursor, state: Existence) -> dict[str, Generation]:
    """The generations in a state by ledger; of retired ones the latest."""
    cursor.execute(f"select {_GENERATION} from ledger.generation where state = %s order by id", (state.value,))
    return {row[1]: _generation(row) for row in cursor.fetchall()}


def _generation(row: Sequence[Any]) -> Generation:
    return Generation(row[0], row[1], row[2], row[3], row[4], Existence(row[5]), row[6], row[7], row[8])


Positions = Mapping[int, Mapping[int, int]]
"""By generation and part: up to where it was folded."""


def positions(cursor: Cursor) -> Positions:
    """Up to where every generation was folded."""
    cursor.execute("select generation, part, position from ledger.progress")
    found: dict[int, dict[int, int]] = {}
    for generation, part, position in cursor.fetchall():
        found.setdefault(generation, {})[part] = position
    return found


def divide(cursor: Cursor, generation: Generation, parts: Sequence[int]) -> None:
    """Has a generation that was folded undivided go on by parts, from where it stands."""
    cursor.execute(
        "with whole as (delete from ledger.progress where generation = %s and part = %s returning position, head)"
        " insert into ledger.progress (generation, part, position, head)"
        " select %s, part, position, head from whole cross join unnest(%s::int[]) as p (part)",
        (generation.id, WHOLE, generation.id, list(parts)),
    )


def join(cursor: Cursor, generation: Generation) -> None:
    """Has a generation whose parts all stand at one position go on undivided."""
    cursor.execute(
        "with parts as (delete from ledger.progress where generation = %s and part <> %s returning position, head)"
        " insert into ledger.progress (generation, part, position, head)"
        " select %s, %s, min(position), max(head) from parts having count(*) > 0",
        (generation.id, WHOLE, generation.id, WHOLE),
    )


Halts = Mapping[str, Mapping[int, Halt]]
"""By ledger and part."""


def halts(cursor: Cursor) -> dict[str, dict[int, Halt]]:
    """The ledgers that do not fold, or not everywhere."""
    cursor.execute("select ledger, state, reason, cause, position, part from ledger.condition order by position desc")
    found: dict[str, dict[int, Halt]] = {}
    for ledger, state, reason, cause, position, part in cursor.fetchall():
        found.setdefault(ledger, {})[part] = Halt(ledger, Condition(state), reason, cause, position, part)
    return found


def halt(cursor: Cursor, halted: Iterable[Halt]) -> None:
    """Writes down that ledgers do not fold."""
    for one in halted:
        cursor.execute(
            "insert into ledger.condition (ledger, part, state, reason, cause, position) values (%s, %s, %s, %s, %s, %s)"
            " on conflict (ledger, part) do update set state = excluded.state, reason = excluded.reason,"
            " cause = excluded.cause, position = excluded.position, changed_at = clock_timestamp()",
            (one.ledger, one.part, one.state.value, one.reason, one.cause, one.position),
        )


def release(cursor: Cursor, ledgers: Iterable[str]) -> None:
    """Writes down that ledgers fold again, everywhere."""
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


def advance(cursor: Cursor, moves: Sequence[int], parts: Sequence[int], before: int, after: int, head: int) -> None:
    """Moves generations in some parts from one position to another, in the transaction that writes their rows.

    Raises:
        PositionMovedError: one of them does not stand at `before`.
    """
    cursor.execute(
        "update ledger.progress set position = %s, head = %s, confirmed_at = clock_timestamp()"
        " where generation = any(%s) and part = any(%s) and position = %s",
        (after, head, list(moves), list(parts), before),
    )
    if cursor.rowcount != len(moves) * len(parts):
        raise PositionMovedError(
            f"of {len(moves)} ledgers in {len(parts)} parts {cursor.rowcount} still stood at position {before}",
            position=before,
        )


def fail(cursor: Cursor, generations: Iterable[Generation], reason: str) -> None:
    """Writes down why generations cannot be built; the first reason stays."""
    cursor.execute(
        "update ledger.generation set failed = %s where id = any(%s) and failed is null",
        (reason, [generation.id for generation in generations]),
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


def confirm(cursor: Cursor, moves: Sequence[int], parts: Sequence[int], position: int, head: int) -> None:
    """Says that generations stand at a position and have seen everything up to it.

    Raises:
        PositionMovedError: as `advance`.
    """
    advance(cursor, moves, parts, position, position, head)
