"""Pages of a ledger: what may be asked for, and how it is found, now and as of any position.

Now: the open partition, in the order of an index. As of a position: the runs of all pairs of segments that hold what is valid then
(`infra/postgres/ledger_tables.py`), a few rows of each, say how far a page can reach; up to there all runs are merged. Within a run in
which a filter leaves little, that little is looked at instead of walking in order; likewise where it leaves little in the whole
history. No page skips rows by counting.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import msgspec
import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.errors import InputError
from infra.postgres.ledger_tables import RowTable, Stored, array
from projections.ledger import Kind

VERSION = "key, row::text, from_position, to_position"
"""The columns that make a `VersionedRow`."""
_FEW = 1_000
"""Versions in a whole history that a filter may leave so that they are all looked at."""
_GATHERED = 100
"""The same within one run. Walking through a run in order then passes over this part of it at the most for every row that it finds."""
_FIRST_BATCH = 6
_LONGEST_PREFIX = 200
_LAST_BEFORE_SURROGATES = 0xD7FF
_BOOLEANS = {"true": "t", "1": "t", "yes": "t", "是": "t", "false": "f", "0": "f", "no": "f", "否": "f"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a WHERE clause with its parameters.

    `indexed`: an index of its own finds what meets it. `unindexed` says the same so that no index is tempted by it, for whoever walks
    through an order.
    """

    sql: str
    parameters: tuple[object, ...]
    indexed: bool = False
    unindexed: tuple[str, tuple[object, ...]] | None = None

    def walked(self) -> Condition:
        """The condition for whoever walks through an order."""
        return self if self.unindexed is None else Condition(*self.unindexed)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for, once it is known to make sense.

    `after`: value (as text) and key of the row that it follows. `until`: the same of a row beyond which nothing is wanted.
    """

    table: RowTable
    order: Stored | None
    descending: bool
    after: tuple[str | None, str] | None
    conditions: Sequence[Condition]
    until: tuple[str | None, str] | None = None

    @property
    def ordered(self) -> str:
        """The ordered column, to be selected with the key; empty where the key is the order."""
        return "" if self.order is None else f", {self.order.name}"

    @property
    def value(self) -> str:
        """The ordered value as text; not under the column's name, which ORDER BY would take for the text."""
        return "null::text as value" if self.order is None else f"{self.order.name}::text as value"

    @property
    def order_by(self) -> str:
        """ORDER BY, without the words."""
        direction = "desc" if self.descending else "asc"
        return f"key {direction}" if self.order is None else f"{self.order.name} {direction}, key {direction}"

    @property
    def choices(self) -> list[Condition]:
        """The conditions of which an index can say how much meets them, and find it."""
        return [condition for condition in self.conditions if condition.indexed]

    def where(self, *, walked: bool = False) -> Condition:
        """All conditions and the cursor, joined by `and`."""
        parts = [part.walked() if walked else part for part in self.conditions]
        if self.after is not None:
            parts.append(self._compared("<" if self.descending else ">", self.after))
        if self.until is not None:
            parts.append(self._compared(">=" if self.descending else "<=", self.until))
        joined = " and ".join(part.sql for part in parts) or "true"
        return Condition(joined, tuple(p for part in parts for p in part.parameters))

    def _compared(self, sign: str, place: tuple[str | None, str]) -> Condition:
        value, key = place
        if self.order is None:
            return Condition(f"key {sign} %s", (key,))
        return Condition(f"({self.order.name}, key) {sign} (%s::{_cast(self.order)}, %s)", (value, key))


@dataclass(frozen=True, slots=True)
class Found:
    """A version that stands on a page."""

    key: str
    row: str
    from_position: int
    to_position: int
    value: str | None


def asked(
    table: RowTable,
    *,
    order: str | None = None,
    descending: bool = False,
    after: str | None = None,
    filters: Mapping[str, str] | None = None,
    prefix: str | None = None,
) -> Asked:
    """What is asked for, checked.

    Raises:
        InputError: an order, filter, value, search or cursor that the ledger does not have.
    """
    ledger = table.ledger
    if order is not None and order not in ledger.orders:
        raise InputError(
            f"ledger {ledger.name} cannot be ordered by {order!r}; it can by {', '.join(ledger.orders) or 'its key only'}",
            field="order",
            rule="known-order",
        )
    conditions = [_equal(table, name, value) for name, value in (filters or {}).items()]
    if prefix is not None:
        conditions.append(_prefix(table, prefix))
    stored = None if order is None else table.stored[order]
    return Asked(table, stored, descending, _decoded(after, order, descending), conditions)


def page_now(cursor: Cursor, wanted: Asked, limit: int) -> list[Found]:
    """The first rows of the current ledger."""
    with _refusing_values():
        cursor.execute(_WALK)
        everything = f"{wanted.table.open} where true"
        first = _Run(everything, everything, Condition("true", ())).first(wanted, limit)
        cursor.execute(first.sql, first.parameters)
        places = [(key, start, value) for key, start, value, *_ in cursor.fetchall()]
    return _with_rows(cursor, wanted, places)


def page_as_of(cursor: Cursor, wanted: Asked, position: int, own: int, limit: int) -> list[Found]:
    """The first rows as of a position of a ledger that was folded up to `own`."""
    with _refusing_values():
        if _is_little(cursor, wanted):
            return _among_little(cursor, wanted, position, limit)
        found = _merged(cursor, wanted, position, own, limit)
    return _with_rows(cursor, wanted, found)


def cursor_after(wanted: Asked, last: Found) -> str:
    """The cursor of the page that follows a row."""
    order = None if wanted.order is None else wanted.order.column.name
    return (
        base64.urlsafe_b64encode(msgspec.json.encode((order, wanted.descending, last.value, last.key)))
        .decode()
        .rstrip("=")
    )


# ---------------------------------------------------------------------------------------------------------- as of a position


def _is_little(cursor: Cursor, wanted: Asked) -> bool:
    """Whether a filter with an index of its own leaves so little of the whole history that it may all be looked at."""
    for condition in wanted.conditions:
        if condition.indexed:
            cursor.execute(
                f"select count(*) from (select from {wanted.table.name} where {condition.sql} limit %s) as few",
                (*condition.parameters, _FEW + 1),
            )
            (count,) = cursor.fetchone() or (0,)
            if count <= _FEW:
                return True
    return False


def _among_little(cursor: Cursor, wanted: Asked, position: int, limit: int) -> list[Found]:
    where = wanted.where()
    cursor.execute(
        f"with few as materialized (select key, row, from_position, to_position{wanted.ordered} from {wanted.table.name}"
        f" where {where.sql} and from_position <= %s and to_position > %s)"
        f" select {VERSION}, {wanted.value} from few order by {wanted.order_by} limit %s",
        (*where.parameters, position, position, limit),
    )
    return [Found(*row) for row in cursor.fetchall()]


_WALK = (
    "set local enable_sort = off; set local enable_incremental_sort = off; set local enable_bitmapscan = off;"
    " set local enable_seqscan = off; set local jit = off"
)
"""Every run is to be walked in the order of its index; the planner cannot know how few rows that takes, and would collect and sort."""

_Place = tuple[str, int, str | None]
"""Key, position from which it holds, and ordered value of a version on the way to a page."""


def _merged(cursor: Cursor, wanted: Asked, position: int, own: int, limit: int) -> list[_Place]:
    """The first versions in order: a few from every run of which most is valid say how far to look, and then all runs are, so far.

    The run that begins and ends in the position's own segment is the one of which hardly anything is valid: looked through without
    a bound, it would cost more than all others.
    """
    cursor.execute(_WALK)
    batch = max(_FIRST_BATCH, limit // ((position >> wanted.table.bits) + 1))
    while batch < limit:
        found = _round(cursor, wanted, position, own, batch, near=False)
        if len(found) >= limit:
            key, _, value = found[limit - 1]
            wanted = replace(wanted, until=(value, key))
            break
        if len(found) < batch:
            break
        batch *= 4
    return _round(cursor, wanted, position, own, limit)[:limit]


def _round(cursor: Cursor, wanted: Asked, position: int, own: int, batch: int, *, near: bool = True) -> list[_Place]:
    """The first few versions of every run, in order; `near`: of that within the position's own segment, too."""
    table = wanted.table
    here, last = position >> table.bits, own >> table.bits
    past = _Run(
        f"{table.past} where {table.segment('to_position')} = e.ended and {table.segment('from_position')} = b.begun",
        f"{table.past} where {table.run('to_position')} = e.ended and {table.run('from_position')} = b.begun",
        Condition("from_position <= %s and to_position > %s", (position, position)),
    ).first(wanted, batch)
    still = _Run(
        f"{table.open} where {table.segment('from_position')} = b.begun",
        f"{table.open} where {table.run('from_position')} = b.begun",
        Condition("from_position <= %s", (position,)),
    ).first(wanted, batch)
    pairs = "true" if near else f"(begun, ended) <> ({here:d}, {here:d})"
    cursor.execute(
        f"select key, from_position, value from ("
        f"select v.* from generate_series(0, {here:d}) as b (begun) join generate_series({here:d}, {last:d}) as e (ended) on {pairs}"
        f" cross join lateral ({past.sql}) as v"
        f" union all select v.* from generate_series(0, {here:d}) as b (begun) cross join lateral ({still.sql}) as v"
        f") as runs order by {wanted.order_by}",
        (*past.parameters, *still.parameters),
    )
    return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class _Run:
    """The versions between two segments, or those that have not ended; in the words of indexes of orders, and of those of filters."""

    walked: str
    gathered: str
    valid: Condition

    def first(self, wanted: Asked, batch: int) -> Condition:
        """A query for its first rows: gathered by the first condition that leaves little of it, else walked in order.

        Which it is, is looked up in the run itself: what is rare in a whole ledger may be all of one run, and the other way round.
        """
        select = f"select key, from_position, {wanted.value}{wanted.ordered}"
        order = f"order by {wanted.order_by} limit {batch:d}"
        where = wanted.where(walked=True)
        walk = f"{select} from {self.walked} and {self.valid.sql} and {where.sql}"
        walking = (*self.valid.parameters, *where.parameters)
        if not wanted.choices:
            return Condition(f"{walk} {order}", walking)
        counts, ways = [], [f"({walk} and chosen.way = 0 {order})"]
        counting: list[object] = []
        gathering: list[object] = []
        for way, choice in enumerate(wanted.choices, start=1):
            # The shard is in no index of an order, which could be read without the rows, but all of it: so none is taken for this.
            few = f"select * from {self.gathered} and {choice.sql} limit {_GATHERED + 1:d}"
            counts.append(f"when (select count(shard) from ({few}) as few) <= {_GATHERED:d} then {way}")
            counting += choice.parameters
            ways.append(
                f"({select} from ({few}) as few where chosen.way = {way} and shard >= 0 and {self.valid.sql} and {where.sql} {order})"
            )
            gathering += (*choice.parameters, *self.valid.parameters, *where.parameters)
        return Condition(
            f"select found.* from (select case {' '.join(counts)} else 0 end as way offset 0) as chosen"
            f" cross join lateral ({' union all '.join(ways)}) as found",
            (*counting, *walking, *gathering),
        )


def _with_rows(cursor: Cursor, wanted: Asked, places: Sequence[_Place]) -> list[Found]:
    values = {(key, start): value for key, start, value in places}
    cursor.execute(
        "select v.key, v.row::text, v.from_position, v.to_position"
        f" from unnest(%s::text[], %s::bigint[]) as p (key, start) cross join lateral (select * from {wanted.table.name} as t"
        " where t.key = p.key and t.from_position = p.start) as v",
        (array([key for key, _, _ in places]), [start for _, start, _ in places]),
    )
    found = {
        (key, start): Found(key, row, start, end, values[key, start]) for key, row, start, end in cursor.fetchall()
    }
    return [found[key, start] for key, start, _ in places]


# ------------------------------------------------------------------------------------------------------ what is asked for


def _equal(table: RowTable, name: str, value: str) -> Condition:
    ledger = table.ledger
    if name not in ledger.filters:
        known = ", ".join(ledger.filters) or "nothing"
        raise InputError(
            f"ledger {ledger.name} cannot be filtered by {name!r}; it can by {known}", field=name, rule="known-filter"
        )
    stored = table.stored[name]
    if stored.column.kind is Kind.LIST:
        return Condition(f"%s = any({stored.name})", (_value(stored, value),))
    parameters = (_value(stored, value),)
    equal = f"{stored.name} = %s::{_cast(stored)}"
    if stored.ordered:
        return Condition(equal, parameters)
    same = equal if name == table.first_filter else f"{stored.name} is not distinct from %s::{_cast(stored)}"
    return Condition(equal, parameters, indexed=True, unindexed=(same, parameters))


def _cast(stored: Stored) -> str:
    return stored.type.split(" ")[0]


def _value(stored: Stored, value: str) -> str:
    """A filter's value, refused where the column cannot have it."""
    name, kind = stored.column.name, stored.column.kind
    if "\0" in value:
        raise InputError(f"no {name} holds the character NUL", field=name, rule="filter-value")
    if kind in (Kind.MONEY, Kind.INTEGER):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            raise InputError(f"{value!r} is no whole number", field=name, rule="filter-value")
    if kind is Kind.BOOLEAN:
        word = value.strip().lower()
        if word not in _BOOLEANS:
            raise InputError(f"{value!r} is neither true nor false", field=name, rule="filter-value")
        return _BOOLEANS[word]
    return stored.literal(value)


def _prefix(table: RowTable, prefix: str) -> Condition:
    search = table.ledger.search
    if search is None:
        raise InputError(f"ledger {table.ledger.name} has no column to search in", field="prefix", rule="known-search")
    column = table.stored[search].name
    text = prefix[:_LONGEST_PREFIX].replace("\0", "\ufffd")
    if not text:
        return Condition("true", ())
    unindexed: tuple[str, tuple[object, ...]] = (f"left({column}, %s) = %s", (len(text), text))
    sql = f"{column} >= %s and {unindexed[0]}"
    parameters: tuple[object, ...] = (text, *unindexed[1])
    if ord(text[-1]) < _LAST_BEFORE_SURROGATES:
        sql, parameters = f"{sql} and {column} < %s", (*parameters, text[:-1] + chr(ord(text[-1]) + 1))
    return Condition(sql, parameters, indexed=True, unindexed=unindexed)


def _decoded(after: str | None, order: str | None, descending: bool) -> tuple[str | None, str] | None:
    if after is None:
        return None
    try:
        text = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True)
        its_order, its_direction, value, key = msgspec.json.decode(text, type=tuple[str | None, bool, str | None, str])
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise InputError("the cursor is not one of this ledger's pages", field="after", rule="known-cursor") from error
    if (
        (its_order, its_direction) != (order, descending)
        or (value is None) != (order is None)
        or "\0" in f"{value}{key}"
    ):
        raise InputError("the cursor belongs to pages in another order", field="after", rule="known-cursor")
    return value, key


@contextmanager
def _refusing_values() -> Iterator[None]:
    """What the database cannot read as a value of a column was never one of a row."""
    try:
        yield
    except psycopg2.DataError as error:
        said = error.diag.message_primary
        raise InputError(f"a filter or cursor has a value that no row can have: {said}", rule="filter-value") from error
