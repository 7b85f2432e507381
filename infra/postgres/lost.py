"""What became of an append whose session was lost before the answer came.

Asked under the append lock, which the lost transaction held to its end, the log knows: either the very bytes stand in it or
nothing does. Without the lock the answer means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from domain.recording import TIME_PLACEHOLDER, TIME_WIDTH, Draft, Outcome

_LOOK = """
    select n.place, e.position, e.recorded_at, e.type, e.partitionkey, e.entry
    from unnest(%s::text[], %s::integer[]) with ordinality as n (stream, version, place)
    cross join lateral (select * from qingling.event where stream = n.stream and version = n.version offset 0) as e
    order by n.place
"""


def find_recorded(cursor: Cursor, drafts: Sequence[Draft]) -> Outcome | None:
    """Where these very drafts stand in the log; None when they do not, or when others took their versions."""
    if not drafts:
        return None
    cursor.execute(_LOOK, ([draft.stream for draft in drafts], [draft.version for draft in drafts]))
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    if len(rows) != len(drafts) or not all(_is_same(draft, *row[3:]) for draft, row in zip(drafts, rows, strict=True)):
        return None
    return Outcome(tuple(row[1] for row in rows), tuple(row[2] for row in rows))


def _is_same(draft: Draft, type_: str, partitionkey: str, entry: memoryview) -> bool:
    recorded = bytes(entry)
    if draft.time_at >= 0:
        recorded = recorded[: draft.time_at] + TIME_PLACEHOLDER.encode() + recorded[draft.time_at + TIME_WIDTH :]
    return (type_, partitionkey, recorded) == (draft.type, draft.partitionkey, draft.entry)
