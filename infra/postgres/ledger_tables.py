"""How a ledger lies in PostgreSQL: which table, which columns, which indexes, and how a version of a row is written for COPY.

Every generation of a ledger has one table, partitioned into `…_open` (the current rows, one a key) and `…_past` (closed versions).
A version holds from `from_position` up to, not including, `to_position`; an open one has no end (`FOREVER`). So *as of p* is
`from_position <= p and p < to_position` on the whole table, and the current ledger is its open partition.

Pages as of a position p must not pass over all that is not valid then, which are nearly all versions of a long history. So positions are
cut into *segments* of 2^bits, and an order's index begins with the segments in which a version ends and begins: between two segments
that lie on either side of p every version is valid, and only those that begin or end in p's own segment have to be looked at. A page
merges the runs of all pairs of segments, a few rows of each (`infra/postgres/ledger_pages.py`). An index of a filter has the segments as
well: it tells how much of a run meets the filter, and finds it when that is little. The filter that leads a ledger has each order's
indexes once more, behind itself: an order that begins with all that it leaves out does not matter then.

A summary's versions are its cumulative sums per cell and shard, kept at *marks*: multiples of `MARK`. What changed since the last mark
is added up on reading, from the versions of its source's rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from projections.ledger import AnyLedger, Cell, Column, DerivedLedger, Kind, Row, RowLedger, SummaryLedger, Sums

FOREVER = 2**63 - 1
"""`to_position` of a version that is still open."""
MARK = 1024
"""Positions between two marks of a summary."""
SHARDS = 16
"""Summaries are kept apart by crc32(partition key) mod 16, the same in every feed, so that parts of a feed never share a sum."""
SEGMENT_BITS = 18
"""Segments of a ledger that begins: 2^18 positions."""
_SEGMENTS = 64
_LONGEST = 200
_TAB = "\t"
_REMEMBERED = 2_000

_TYPES = {
    Kind.TEXT: 'text collate "C"',
    Kind.MONEY: "bigint",
    Kind.INTEGER: "bigint",
    Kind.DATE: "date",
    Kind.TIME: "timestamptz",
    Kind.BOOLEAN: "boolean",
    Kind.LIST: 'text[] collate "C"',
}
_FIRST = {
    Kind.TEXT: "",
    Kind.MONEY: str(-(2**63)),
    Kind.INTEGER: str(-(2**63)),
    Kind.DATE: "-infinity",
    Kind.TIME: "-infinity",
    Kind.BOOLEAN: "f",
}
"""What stands for an absent value in a column that pages are ordered by, so that keyset paging needs no nulls; before all others."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"})
_IN_ARRAY = str.maketrans({"\\": "\\\\", '"': '\\"'})


def bounded(text: str) -> str:
    """A text as a column holds it: whole, or its beginning and a digest, since an index takes no more than 2,700 bytes."""
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST] + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def array(texts: Sequence[str]) -> str:
    """A literal of type text[]; quicker to read for the server than an ARRAY expression."""
    return '{"' + '","'.join(text.translate(_IN_ARRAY) for text in texts) + '"}' if texts else "{}"


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Stored:
    """A column that rows can be ordered, filtered or searched by."""

    column: Column
    ordered: bool

    @property
    def name(self) -> str:
        """Its identifier; the prefix keeps it apart from the table's own columns."""
        return quoted(f"c_{self.column.name}")

    @property
    def type(self) -> str:
        """Its SQL type."""
        return _TYPES[self.column.kind]

    def writer(self) -> Callable[[Any], str]:
        """The function that gives a row's value in COPY's text format. It keeps what it wrote lately: most columns have few values."""
        of, write = self.column.of, _WRITERS[self.column.kind]
        absent = _FIRST[self.column.kind] if self.ordered else "\\N"
        if self.column.kind is Kind.LIST:
            return lambda row: absent if (value := of(row)) is None else write(value)
        written: dict[object, str] = {None: absent}

        def copied(row: Any) -> str:
            value = of(row)
            text = written.get(value)
            if text is None:
                text = write(value)
                if len(written) < _REMEMBERED:
                    written[value] = text
            return text

        return copied

    def literal(self, text: str) -> str:
        """A value to compare with, as a person or a URL gives it."""
        return bounded(text) if self.column.kind is Kind.TEXT else text


def _text(value: Any) -> str:
    return bounded(str(value)).translate(_ESCAPES)


def _day_or_instant(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


_WRITERS: Mapping[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _text,
    Kind.MONEY: str,
    Kind.INTEGER: str,
    Kind.DATE: _day_or_instant,
    Kind.TIME: _day_or_instant,
    Kind.BOOLEAN: lambda value: "t" if value else "f",
    Kind.LIST: lambda value: array([str(item) for item in value]).translate(_ESCAPES),
}


def table_name(ledger: str, number: int) -> str:
    """The table of a generation, in SQL."""
    return f"ledger.{quoted(f'{ledger}_g{number}')}"


class LedgerTable:
    """The table of one generation of a ledger. `payload` are its columns beside key, shard and the two positions."""

    payload: Sequence[tuple[str, str]]
    meaning = ""
    """What else the stored values depend on."""

    def __init__(self, ledger: AnyLedger, number: int, bits: int) -> None:
        base = f"{ledger.name}_g{number}"
        self.ledger = ledger
        self.bits = bits
        self.name = table_name(ledger.name, number)
        self.open = f"ledger.{quoted(base + '_open')}"
        self.past = f"ledger.{quoted(base + '_past')}"
        self._base = base

    @property
    def layout(self) -> str:
        """Digest of the columns and indexes: a ledger that is laid out otherwise has to be rebuilt."""
        plain = table_of(self.ledger, 0, 0)
        return hashlib.sha256("\n".join((*plain.ddl(), *plain.indexes(), self.meaning)).encode()).hexdigest()

    def ddl(self) -> list[str]:
        """Statements that make the table, without the indexes that a rebuild makes at its end."""
        columns = ", ".join(f"{name} {type_}" for name, type_ in self.payload)
        vacuum = "with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)"
        return [
            f'create table {self.name} (open boolean not null, key text collate "C" not null, shard smallint not null,'
            f" from_position bigint not null, to_position bigint not null, {columns}) partition by list (open)",
            f"create table {self.open} partition of {self.name} for values in (true) {vacuum}",
            f"create table {self.past} partition of {self.name} for values in (false)",
            f"alter table {self.open} alter open set default true",
            f"alter table {self.past} alter open set default false",
            f"alter table {self.open} add primary key (key)",
        ]

    def indexes(self) -> list[str]:
        """Statements that make the other indexes."""
        raise NotImplementedError

    def _index(self, part: str, name: str, columns: str) -> str:
        table = self.open if part == "open" else self.past
        return f"create index if not exists {quoted(f'{self._base}_{part}_{name}')} on {table} {columns}"

    @property
    def columns(self) -> str:
        """The columns as COPY takes them; `open` has its default."""
        return ", ".join(("key", "shard", "from_position", "to_position", *(name for name, _ in self.payload)))

    @property
    def move(self) -> str:
        """Closes open versions: takes arrays of keys and of the positions from which they no longer hold."""
        payload = ", ".join(f"o.{name}" for name, _ in self.payload)
        return (
            f"with closed as (delete from {self.open} as o using unnest(%s::text[], %s::bigint[]) as c (key, at)"
            f" where o.key = c.key returning o.key, o.shard, o.from_position, c.at, {payload})"
            f" insert into {self.past} ({self.columns}) select * from closed"
        )


class RowTable(LedgerTable):
    """The table of a row ledger or a derived ledger: `row` is the whole row as JSON, and some of its columns lie beside it."""

    ledger: RowLedger[Any] | DerivedLedger[Any]

    def __init__(self, ledger: RowLedger[Any] | DerivedLedger[Any], number: int, bits: int) -> None:
        super().__init__(ledger, number, bits)
        names = dict.fromkeys((*ledger.orders, *ledger.filters, *([ledger.search] if ledger.search else [])))
        self.stored = {name: Stored(ledger.column(name), name in ledger.orders) for name in names}
        self.payload = [(s.name, f"{s.type}{' not null' if s.ordered else ''}") for s in self.stored.values()]
        self.payload.append(("row", "json not null"))
        self.decode: Callable[[bytes | str], Any] = msgspec.json.Decoder(ledger.row).decode
        self._copied = [s.writer() for s in self.stored.values()]
        self._encode = msgspec.json.Encoder().encode

    def line(self, key: str, shard: int, start: int, end: int, row: Row) -> bytes:
        """A version in COPY's text format."""
        values = "".join([copied(row) + "\t" for copied in self._copied])
        head = f"{key.translate(_ESCAPES)}\t{shard}\t{start}\t{end}\t{values}".encode()
        return head + self._encode(row).replace(b"\\", b"\\\\") + b"\n"

    def indexes(self) -> list[str]:
        """The open partition has its key; besides: each order, now and as of a position; each filter and the search; keys and positions."""
        found = []
        begun, ended = self.segment("from_position"), self.segment("to_position")
        first = f", {self.stored[self.first_filter].name}" if self.first_filter else ""
        for name, columns in (("key", "key"), *((o, f"{self.stored[o].name}, key") for o in self.ledger.orders)):
            others = self._include()
            found.append(self._index("open", f"by_{name}", f"({columns}, from_position{first}){others}"))
            found.append(self._index("open", f"as_of_{name}", f"(({begun}), {columns}, from_position{first}){others}"))
            past = f"({ended}), ({begun}), {columns}, from_position, to_position{first}"
            found.append(self._index("past", f"as_of_{name}", f"({past}){others}"))
            if self.ledger.led_by:
                led, others = self.stored[self.ledger.led_by].name, self._include(self.ledger.led_by)
                found.append(self._index("open", f"led_by_{name}", f"({led}, {columns}, from_position{first}){others}"))
                still = f"({led}, ({begun}), {columns}, from_position{first}){others}"
                found.append(self._index("open", f"led_as_of_{name}", still))
                found.append(self._index("past", f"led_as_of_{name}", f"({led}, {past}){others}"))
        begun, ended = self.run("from_position"), self.run("to_position")
        search = self.ledger.search
        chosen = (name for name in self.stored if self._is_scalar(name) or name == search)
        for name in (name for name in chosen if name != self.ledger.led_by):
            column = self.stored[name].name
            found.append(self._index("open", f"of_{name}", f"({column}, ({begun}))"))
            found.append(self._index("past", f"of_{name}", f"({column}, ({ended}), ({begun}))"))
            if name == search:
                found.append(self._index("open", "search", f"(({begun}), {column})"))
                found.append(self._index("past", "search", f"(({ended}), ({begun}), {column})"))
        found.append(self._index("open", "from", "(from_position)"))
        # Finds a key's versions, but is of no use to whoever wants keys in order, for whom the planner would take it.
        found.append(self._index("past", "key", "(key text_pattern_ops, from_position)"))
        found.append(self._index("past", "from", "(from_position)"))
        found.append(self._index("past", "to", "(to_position)"))
        return found

    def segment(self, position: str) -> str:
        """The segment of a position, as the indexes have it."""
        return f"({position} >> {self.bits})::integer"

    def run(self, position: str) -> str:
        """The same as the indexes of filters have it: in words of its own, so that no index of an order is taken for one of these."""
        return f"({position} >> {self.bits})"

    @property
    def first_filter(self) -> str | None:
        """The filter that all pages of a place have (the jurisdiction): it is a key of every index of an order."""
        return next((name for name in self.ledger.filters if self._is_scalar(name)), None)

    def _is_scalar(self, name: str) -> bool:
        return not self.stored[name].ordered and self.stored[name].column.kind is not Kind.LIST

    def _include(self, *keys: str) -> str:
        """What an index of an order holds besides its keys, so that a page need not look at rows that a filter or the search leaves out."""
        names = dict.fromkeys((*self.ledger.filters, *([self.ledger.search] if self.ledger.search else [])))
        kept = [
            self.stored[name].name for name in names if self._is_scalar(name) and name not in (self.first_filter, *keys)
        ]
        return f" include ({', '.join(kept)})" if kept else ""


class SumTable(LedgerTable):
    """The table of a summary: one row a cell, shard and run of marks, with cumulative sums."""

    ledger: SummaryLedger

    def __init__(self, ledger: SummaryLedger, number: int, bits: int) -> None:
        super().__init__(ledger, number, bits)
        self.dimensions = [f"d{i}" for i in range(len(ledger.dimensions))]
        self.mark = MARK
        self.meaning = f"marks every {MARK} positions"
        self.measures = [f"m{i}" for i in range(len(ledger.measures))]
        self._texts: dict[str, tuple[str, str]] = {}
        self.payload = [(name, 'text collate "C" not null') for name in self.dimensions]
        self.payload += [(name, "bigint not null") for name in self.measures]

    @staticmethod
    def key(shard: int, cell: Cell) -> str:
        """Key of a cell within a shard."""
        return msgspec.json.encode((shard, *cell)).decode()

    @staticmethod
    def cell(key: str) -> tuple[int, Cell]:
        """Shard and cell of a key."""
        shard, *cell = msgspec.json.decode(key)
        return shard, tuple(cell)

    def line(self, key: str, shard: int, start: int, end: int, sums: Sums) -> bytes:
        """A version in COPY's text format."""
        texts = self._texts.get(key)
        if texts is None:
            _, cell = self.cell(key)
            texts = key.translate(_ESCAPES), "".join(f"{text.translate(_ESCAPES)}\t" for text in cell)
            if len(self._texts) < _REMEMBERED:
                self._texts[key] = texts
        return f"{texts[0]}\t{shard}\t{start}\t{end}\t{texts[1]}{_TAB.join(map(str, sums))}\n".encode()

    def indexes(self) -> list[str]:
        """Positions only: a board reads all its cells. Closed versions are found by the run of marks that holds a mark."""
        return [
            self._index("open", "from", "(from_position)"),
            self._index("past", "marks", f"using gist ({self.marks})"),
        ]

    @property
    def marks(self) -> str:
        """The marks at which a version holds, as a range; the expression that its index is on."""
        return "int8range(from_position, to_position)"


def table_of(ledger: AnyLedger, number: int, bits: int) -> RowTable | SumTable:
    """The table of a generation whose segments have 2^bits positions."""
    return SumTable(ledger, number, bits) if isinstance(ledger, SummaryLedger) else RowTable(ledger, number, bits)


def bits_for(head: int) -> int:
    """Segments so large that a log of that length has at most 64: what a page costs is the number of their pairs, and one segment."""
    return max(SEGMENT_BITS, (head // _SEGMENTS).bit_length())
