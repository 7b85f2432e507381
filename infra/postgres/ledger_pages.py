"""Pages of a ledger: what may be asked for, and how it is found, now and as of any position.

Now: the open partition, in the order of an index. As of a position: the runs of all pairs of segments that hold what is valid then
(`infra/postgres/ledger_tables.py`), a few rows of each, say how far a page can reach; up to there all runs are merged. Within a run in
which a filter leaves little, that little is looked at instead of walking in order; likewise where it leaves little in the whole
history. By the filter that leads a ledger, what it leaves is walked in the order of indexes of its own. No page skips rows by counting.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_GATHERED = 30
"""The same within one run. Walking through a run in order then passes over this part of it at the most for every row that it finds."""
_PASSED = 10_000
"""Current rows that are passed over in order before it is looked in which runs a filter finds them."""
_FIRST_BATCH = 6
_LONGEST_PREFIX = 200
_LAST_BEFORE_SURROGATES = 0xD7FF
_BOOLEANS = {"true": "t", "1": "t", "yes": "t", "是": "t", "false": "f", "0": "f", "no": "f", "否": "f"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of a WHERE clause with its parameters.

    `indexed`: an index of its own finds what meets it. `unindexed` says the same so that no index is tempted by it, for whoever walks
    through an order. `leads`: each order has an index of what meets it.
    """

    sql: str
    parameters: tuple[object, ...]
    indexed: bool = False
    unindexed: tuple[str, tuple[object, ...]] | None = None
    leads: bool = False

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
        """The conditions of which an index can say how much meets them, and find it; not the one whose indexes are walked."""
        return [condition for condition in self.conditions if condition.indexed and not condition.leads]

    @property
    def led(self) -> list[Condition]:
        """The condition by which the order is walked, if there is one."""
        return [condition for condition in self.conditions if condition.leads]

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
        places = _walked_now(cursor, wanted, limit)
        if len(places) < limit and wanted.choices:
            cursor.execute(f"select coalesce(max(from_position), 0) from {wanted.table.open}")
            (last,) = cursor.fetchone() or (0,)
            places = _merged(cursor, wanted, last, None, limit)
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


def _walked_now(cursor: Cursor, wanted: Asked, limit: int) -> list[_Place]:
    """The first current rows in order; if an index could find them otherwise, only what is found before so many others are passed."""
    where, order = wanted.where(walked=True), f"order by {wanted.order_by} limit"
    source, parameters = wanted.table.open, where.parameters
    if wanted.choices:
        begun = replace(wanted, conditions=wanted.led).where()
        source = f"(select * from {source} where {begun.sql} {order} {_PASSED:d}) as passed"
        parameters = (*begun.parameters, *parameters)
    cursor.execute(
        f"select key, from_position, {wanted.value} from {source} where {where.sql} {order} %s", (*parameters, limit)
    )
    return cursor.fetchall()


def _merged(cursor: Cursor, wanted: Asked, position: int, own: int | None, limit: int) -> list[_Place]:
    """The first versions in order: a few from every run of which most is valid say how far to look, and then all runs are, so far.

    The run that begins and ends in the position's own segment is the one of which hardly anything is valid: looked through without
    a bound, it would cost more than all others. `own`: up to where the ledger was folded; None: only what has not ended is looked at.
    """
    cursor.execute(_WALK)
    runs = _runs(cursor, wanted, position, own)
    here = position >> wanted.table.bits
    near = (here, here)
    dense = [run for run in runs if (run.begun, run.ended) != near]
    batch = max(_FIRST_BATCH, limit // (len(dense) + 1))
    while batch < limit:
        found = _first(cursor, wanted, dense, position, batch)
        if len(found) >= limit:
            key, _, value = found[limit - 1]
            wanted = replace(wanted, until=(value, key))
            break
        if len(found) < batch:
            break
        batch *= 4
    return _first(cursor, wanted, runs, position, limit)[:limit]


@dataclass(frozen=True, slots=True)
class _Run:
    """Versions that begin in one segment and end in another, or (None) have not ended.

    `way`: 0: they are walked through in order; else the number of the choice that leaves little of them, by which it is gathered.
    """

    begun: int
    ended: int | None
    way: int


def _runs(cursor: Cursor, wanted: Asked, position: int, own: int | None) -> list[_Run]:
    """The runs in which something may be found, and how.

    How is looked up in each run itself: what is rare in a whole ledger may be all of one run, and the other way round.
    """
    table = wanted.table
    here, last = position >> table.bits, (-1 if own is None else own >> table.bits)
    past, past_parameters = _counted(wanted, *_between(table, ended=True))
    still, still_parameters = _counted(wanted, *_between(table, ended=False))
    cursor.execute(
        f"select run.begun, run.ended, way from (select begun, ended from generate_series(0, {here:d}) as b (begun),"
        f" generate_series({here:d}, {last:d}) as e (ended)) as run {past} where way >= 0"
        f" union all select run.begun, null, way from generate_series(0, {here:d}) as run (begun) {still} where way >= 0",
        (*past_parameters, *still_parameters),
    )
    return [_Run(*row) for row in cursor.fetchall()]


def _between(table: RowTable, *, ended: bool) -> tuple[str, str]:
    """The versions of a run, for FROM and WHERE: in the words of the indexes of orders, and in those of the indexes of filters."""

    def words(segment: Callable[[str], str]) -> str:
        begun = f"{segment('from_position')} = run.begun"
        if not ended:
            return f"{table.open} where {begun}"
        return f"{table.past} where {segment('to_position')} = run.ended and {begun}"

    return words(table.segment), words(table.run)


def _counted(wanted: Asked, walked: str, gathered: str) -> tuple[str, list[object]]:
    """Joins `way` to a run: -1 where there is nothing, else as `_Run` has it."""
    if not wanted.choices:
        led = replace(wanted, conditions=wanted.led, after=None, until=None).where()
        there = f"select case when exists (select from {walked} and {led.sql}) then 0 else -1 end as way"
        return f"cross join lateral ({there} offset 0) as chosen", [*led.parameters]
    joined, nothing, ways, before = [], [], [], "true"
    parameters: list[object] = []
    for way, choice in enumerate(wanted.choices, start=1):
        # The shard is in no index of an order, which could be read without the rows, but all of it: so none is taken for this.
        few = (
            f"(select count(shard) from (select shard from {gathered} and {choice.sql} limit {_GATHERED + 1:d}) as few)"
        )
        joined.append(
            f"cross join lateral (select case when {before} then {few} end as count offset 0) as counted_{way}"
        )
        before = f"counted_{way}.count > {_GATHERED:d}"
        nothing.append(f"counted_{way}.count = 0")
        ways.append(f"when counted_{way}.count <= {_GATHERED:d} then {way}")
        parameters += choice.parameters
    chosen = f"select case when {' or '.join(nothing)} then -1 {' '.join(ways)} else 0 end as way"
    return f"{' '.join(joined)} cross join lateral ({chosen} offset 0) as chosen", parameters


def _first(cursor: Cursor, wanted: Asked, runs: Sequence[_Run], position: int, batch: int) -> list[_Place]:
    """The first few versions of every run, in order."""
    parts: list[str] = []
    parameters: list[object] = []
    for ended, valid in ((True, "from_position <= %s and to_position > %s"), (False, "from_position <= %s")):
        some = [run for run in runs if (run.ended is not None) is ended]
        validity = Condition(valid, (position,) * valid.count("%s"))
        for way in sorted({run.way for run in some}):
            query = _of_run(wanted, *_between(wanted.table, ended=ended), validity, way, batch)
            these = [run for run in some if run.way == way]
            parts.append(
                f"select v.* from unnest(%s::integer[], %s::integer[]) as run (begun, ended) cross join lateral ({query.sql}) as v"
            )
            parameters += ([run.begun for run in these], [run.ended for run in these], *query.parameters)
    if not parts:
        return []
    cursor.execute(
        f"select key, from_position, value from ({' union all '.join(parts)}) as runs order by {wanted.order_by}",
        parameters,
    )
    return cursor.fetchall()


def _of_run(wanted: Asked, walked: str, gathered: str, valid: Condition, way: int, batch: int) -> Condition:
    """A query for the first versions of a run."""
    select, order = (
        f"select key, from_position, {wanted.value}{wanted.ordered}",
        f"order by {wanted.order_by} limit {batch:d}",
    )
    where = wanted.where(walked=True)
    rest = (*valid.parameters, *where.parameters)
    if way == 0:
        return Condition(f"{select} from {walked} and {valid.sql} and {where.sql} {order}", rest)
    choice = wanted.choices[way - 1]
    # LIMIT keeps the order and all else out of what is gathered: the planner would take other indexes for those. The shard: as above.
    few = f"select * from {gathered} and {choice.sql} limit {_GATHERED:d}"
    return Condition(
        f"{select} from ({few}) as few where shard >= 0 and {valid.sql} and {where.sql} {order}",
        (*choice.parameters, *rest),
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
    if name == ledger.led_by:
        return Condition(equal, parameters, indexed=True, leads=True)
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
