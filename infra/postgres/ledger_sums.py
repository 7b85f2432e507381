"""The sums of a summary as of any position: those of the last mark before it, and what its source's rows changed since."""

from __future__ import annotations

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from infra.postgres.ledger_tables import RowTable, SumTable
from projections.folding import added
from projections.ledger import Cell, Sums


def sums_at(cursor: Cursor, table: SumTable, mark: int) -> dict[Cell, Sums]:
    """The sums of every cell as of a mark, shards added up; cells that are zero throughout are left out."""
    dimensions = ", ".join(table.dimensions)
    measures = ", ".join(f"sum({name})::bigint" for name in table.measures)
    payload = ", ".join((*table.dimensions, *table.measures))
    cursor.execute(
        f"select {dimensions}, {measures} from (select {payload} from {table.open} where from_position <= %s"
        f" union all select {payload} from {table.past} where {table.marks} @> %s::bigint) as held group by {dimensions}",
        (mark, mark),
    )
    size = len(table.dimensions)
    rows = [(tuple(row[:size]), tuple(row[size:])) for row in cursor.fetchall()]
    return {cell: sums for cell, sums in rows if any(sums)}


def since_mark(
    cursor: Cursor,
    table: SumTable,
    source: RowTable,
    mark: int,
    position: int,
    shards: frozenset[int] | None = None,
) -> dict[int, dict[Cell, Sums]]:
    """What changes of the source's rows in (mark, position] add to each cell, by shard; of some shards only, or of all (None)."""
    total: dict[int, dict[Cell, Sums]] = {}
    # No open version ends; asked for those that do, its partition would be read whole.
    for column, versions, sign in (("from_position", source.name, 1), ("to_position", source.past, -1)):
        cursor.execute(
            f"select shard, row::text from {versions} where {column} > %s and {column} <= %s"
            " and (%s::int[] is null or shard = any(%s::int[]))",
            (mark, position, *[None if shards is None else sorted(shards)] * 2),
        )
        for shard, row in cursor:
            added(total.setdefault(shard, {}), table.ledger.contribute(source.decode(row)), sign)
    kept = {shard: {cell: sums for cell, sums in cells.items() if any(sums)} for shard, cells in total.items()}
    return {shard: cells for shard, cells in kept.items() if cells}
