"""Checks of what a rebuild made, before anybody reads it. Each finding is a sentence; none means that all is well."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from infra.postgres.ledger_sums import sums_at
from infra.postgres.ledger_tables import LedgerTable, RowTable, SumTable
from projections.folding import added
from projections.ledger import Cell, Sums


def differences(cursor: Cursor, built: LedgerTable, live: LedgerTable, position: int) -> list[str]:
    """Compares whole histories up to a position: every version, by a digest that does not depend on the order of rows."""
    of_built, of_live = (_digest(cursor, table, position) for table in (built, live))
    if of_built == of_live:
        return []
    return [
        f"{built.name} has {of_built[0]} versions up to position {position} with digest {of_built[1]},"
        f" {live.name}, folded by the same version of the fold, has {of_live[0]} with {of_live[1]}"
    ]


def _digest(cursor: Cursor, table: LedgerTable, position: int) -> tuple[int, int]:
    payload = ", ".join(f"{name}::text" for name, _ in table.payload)
    cursor.execute(
        f"select count(*), coalesce(sum(hashtextextended(concat_ws('|', key, shard, from_position,"
        f" case when to_position <= %s then to_position end, {payload}), 0)), 0) from {table.name} where from_position <= %s",
        (position, position),
    )
    count, digest = cursor.fetchone() or (0, 0)
    return int(count), int(digest)


def inconsistencies(cursor: Cursor, table: LedgerTable, sources: Mapping[str, LedgerTable], position: int) -> list[str]:
    """Looks whether a table can be a history at all: versions of a key follow each other; sums are those of the source's rows."""
    found = _overlaps(cursor, table)
    if isinstance(table, SumTable):
        source = sources[table.ledger.source.name]
        if isinstance(source, RowTable):
            found += _wrong_sums(cursor, table, source, position)
    return found


def _overlaps(cursor: Cursor, table: LedgerTable) -> list[str]:
    cursor.execute(
        "select count(*) from (select from_position, to_position, lag(to_position) over (partition by key order by from_position)"
        f" as before from {table.name}) as version where from_position >= to_position or before > from_position"
    )
    (count,) = cursor.fetchone() or (0,)
    return [f"{table.name} has {count} versions that overlap the one before, or last no time"] if count else []


def _wrong_sums(cursor: Cursor, table: SumTable, source: RowTable, position: int) -> list[str]:
    mark = position // table.mark * table.mark
    expected: dict[Cell, Sums] = {}
    cursor.execute(
        f"declare source_rows no scroll cursor for select row::text from {source.name}"
        " where from_position <= %s and to_position > %s",
        (mark, mark),
    )
    while True:
        cursor.execute("fetch forward 5000 from source_rows")
        rows = cursor.fetchall()
        if not rows:
            break
        for (row,) in rows:
            added(expected, table.ledger.contribute(source.decode(row)))
    cursor.execute("close source_rows")
    stored = sums_at(cursor, table, mark)
    if stored == {cell: sums for cell, sums in expected.items() if any(sums)}:
        return []
    return [f"{table.name} does not sum what the rows of {source.name} contribute as of mark {mark}"]
