"""Any list read by its layout: headings found, rows read cell by cell, total rows held against the rows.

Headings are found as in ledger books, by any of their names, on one line or two, below whatever title rows stand above. Without headings
the columns stand in the standard order, if there are no more of them. Every cell is read by the readers of ledger books.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo
from typing import Any, Final, Generic, Literal, TypeVar

from domain.books.assembly import Row
from domain.books.cells import (
    Cell,
    Read,
    amount_reader,
    code_reader,
    count_reader,
    day_reader,
    instant_reader,
    is_blank,
    period_reader,
    plain,
    shown,
    text_reader,
    word_reader,
)
from domain.books.controls import Controls
from domain.books.header import OUR_OWN, Column, Headings, label, unit_above
from domain.books.mapping import FOOTERS, SUBTOTALS, TOTALS, UNITS
from domain.books.rules import Fault
from domain.books.scanning import Why, any_of
from domain.books.source import ControlCheck
from domain.errors import InputError
from domain.money import Fen, yuan
from domain.sheets.faults import SheetFault, told
from domain.sheets.identity import plain_number
from domain.sheets.intake import MOST_ROWS, SheetRows, limited, too_many
from domain.sheets.layout import Layout, ListColumn

R = TypeVar("R")
_BLANKS: Final = frozenset({"-", "--", "—", "——", "－", "/", "无", "N/A", "n/a"})
_LONGEST: Final = 300
_LARGEST: Final = 10**12  # fen: ten thousand million yuan, beyond any list of one case
_MOST_WORKERS: Final = 100_000
_EARLIEST: Final = date(1990, 1, 1)
_SEARCH: Final = 40
_PEOPLE: Final = "people"
_REMARK = re.compile(r"[(（]([^()（）]*)[)）]\s*[*＊:：]?$")
_COUNTED = re.compile(r"共?计?(\d+)(?:人|名|笔|个|条|户)")
_FOOTER: Final = any_of((*FOOTERS, r"(合计|总计)?[(（]?(人民币)?(金额)?[(（]?大写[)）]?.*"))
_SPECIAL: Final[tuple[tuple[Why, re.Pattern[str]], ...]] = (
    ("total", any_of(TOTALS)),
    ("subtotal", any_of(SUBTOTALS)),
    ("footer", _FOOTER),
)
_WHO: Final = ("line", "worker", "worker_id", "phone", "last_four", "nickname", "account")


@dataclass(frozen=True)
class Totals:
    """What the rows that were read come to. `amounts` in fen, by column."""

    lines: int = 0
    headcount: int = 0
    amounts: Mapping[str, Fen] = field(default_factory=dict)


@dataclass(frozen=True)
class SheetReading(Generic[R]):
    """A list that was read. With faults it must not be recorded; `untouched` rows of a prepared list had nothing filled in."""

    rows: tuple[R, ...]
    faults: tuple[SheetFault, ...]
    warnings: tuple[SheetFault, ...]
    totals: Totals
    columns: Mapping[str, str]
    """Headings that were found, by column; for messages about rows."""
    untouched: int = 0

    def heading(self, name: str) -> str:
        """What a column is called on the sheet; its name where it is not there."""
        return self.columns.get(name, name)


@dataclass(frozen=True)
class _Stated:
    """A total or subtotal row: how many rows stand above it, what it states, and what it is called."""

    above: int
    figures: Row
    text: str
    why: Why


@dataclass
class Table:
    """Rows by a layout, before what the list means is looked at."""

    layout: Layout
    columns: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    faults: list[SheetFault] = field(default_factory=list)
    warnings: list[SheetFault] = field(default_factory=list)
    stated: list[_Stated] = field(default_factory=list)
    untouched: int = 0

    def heading(self, name: str) -> str:
        """What a column is called on the sheet, or should be."""
        return self.columns.get(name) or self.layout.column(name).zh

    def fault(self, row: int, name: str, rule: str, detail: str = "", detail_zh: str = "") -> None:
        """Something is wrong with a row's column."""
        self.faults.append(told(row, self.heading(name), Fault(rule, detail), detail_zh))

    def warn(self, row: int, name: str, rule: str, detail: str = "", detail_zh: str = "") -> None:
        """Something is to be looked at."""
        self.warnings.append(told(row, self.heading(name), Fault(rule, detail), detail_zh))

    def totals(self) -> Totals:
        """What the rows come to."""
        amounts = {
            name: sum(row.values.get(name, 0) for row in self.rows)
            for name in self.layout.amounts
            if name in self.columns
        }
        return Totals(len(self.rows), sum(row.values.get("headcount", 1) for row in self.rows), amounts)

    def made(self, rows: Sequence[R]) -> SheetReading[R]:
        """The reading, with the rows as the list means them, and its total rows held against them."""
        self._hold_totals()
        faults = tuple(sorted(self.faults, key=lambda fault: fault.row))
        warnings = tuple(sorted(self.warnings, key=lambda fault: fault.row))
        return SheetReading(tuple(rows), faults, warnings, self.totals(), dict(self.columns), self.untouched)

    def _hold_totals(self) -> None:
        controls = Controls({**self.columns, _PEOPLE: "人数"}, (*self.layout.amounts, _PEOPLE))
        checks: list[ControlCheck] = []
        waiting = iter([*self.stated, None])
        total = next(waiting)
        for above in range(len(self.rows) + 1):
            while total is not None and total.above == above:
                checks += controls.compare(total.figures, total.text, total.why)
                total = next(waiting)
            if above < len(self.rows):
                controls.add(_counted(self.rows[above]))
        for check in (*checks, *controls.finished()):
            if check.stated != check.summed:
                figures = [yuan(x) if check.field != _PEOPLE else str(x) for x in (check.stated, check.summed)]
                detail = Fault("control-totals", f"{figures[0]} stated, {figures[1]} summed")
                said = f"所写{figures[0]}，各行之和{figures[1]}"
                self.faults.append(told(check.row, check.heading, detail, said))


def _counted(row: Row) -> Row:
    """The row with the workers that it stands for."""
    counted = Row(row.at)
    counted.values = row.values | {_PEOPLE: row.values.get("headcount", 1)}
    return counted


@dataclass(frozen=True)
class _Heads:
    """Where the columns stand. `row` is that of the last line of headings; 0 where there is none."""

    row: int
    columns: Mapping[str, Column]
    units: Mapping[str, int]
    width: int
    twice: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def headings(self) -> dict[str, str]:
        return {name: column.heading for name, column in self.columns.items()}


def read_table(layout: Layout, rows: SheetRows, *, today: date, zone: tzinfo, headed: bool = True) -> Table:
    """The rows of a list. What cannot be read is a fault in the table. `headed`: whether headings are looked for at all.

    Raises:
        InputError: the list is empty (`empty`), too large (`too-large`), or has no headings and more columns than the layout (`header`).
    """
    rows = limited(rows)
    if not rows:
        raise InputError("the list is empty", field="sheet", rule="empty")
    heads = (_found(layout, rows) if headed else None) or _standard(layout, rows)
    table = Table(layout, heads.headings)
    table.faults += [told(heads.row, heading, Fault("heading-twice")) for heading in heads.twice]
    table.warnings += [told(heads.row, heading, Fault("column-unknown")) for heading in heads.unknown]
    for column in layout.columns:
        if column.needed and column.name not in heads.columns:
            table.faults.append(told(heads.row, column.zh, Fault("column-missing")))
    _read_rows(table, heads, rows, _Readers(layout, heads, today, zone))
    return table


def _read_rows(table: Table, heads: _Heads, rows: SheetRows, readers: _Readers) -> None:
    for at, given in rows:
        if at <= heads.row:
            continue
        cells = [*given, *[None] * (heads.width - len(given))]
        first = next(index for index, cell in enumerate(cells) if not is_blank(cell))
        why = _why(heads, cells, first)
        if why in ("total", "subtotal"):
            stated = _total(at, heads, cells, readers)
            table.stated.append(_Stated(len(table.rows), stated, shown(cells[first]), why))
        elif why is None:
            _add_row(table, heads, at, cells, readers)
    if len(table.rows) > MOST_ROWS:
        raise too_many()


def _add_row(table: Table, heads: _Heads, at: int, cells: Sequence[Cell], readers: _Readers) -> None:
    """Puts a data row into the table, unless it is one of a prepared list in which nothing was filled in."""
    filled = [heads.columns[c.name].index for c in table.layout.columns if c.filled and c.name in heads.columns]
    if filled and all(is_blank(cells[index]) or shown(cells[index]) in _BLANKS for index in filled):
        table.untouched += 1
        return
    row = Row(at)
    for name, column in heads.columns.items():
        value = readers.read(name, cells[column.index])
        if isinstance(value, Fault):
            table.faults.append(told(at, column.heading, value))
            row.fault(name, column.heading, cells[column.index], value)
        elif value is not None:
            row.values[name] = value
    beyond = next((cell for cell in cells[heads.width :] if not is_blank(cell)), None)
    if beyond is not None:
        table.faults.append(told(at, str(heads.width + 1), Fault("row-shape")))
    table.rows.append(row)


def _total(at: int, heads: _Heads, cells: Sequence[Cell], readers: _Readers) -> Row:
    """What a total row states; a cell of it that is no figure (a sum in words) states nothing."""
    row = Row(at)
    for name, column in heads.columns.items():
        shape = readers.shape(name)
        if shape in ("amount", "count"):
            value = readers.read(name, cells[column.index])
            if isinstance(value, int):
                row.values[_PEOPLE if shape == "count" else name] = value
        elif counted := _COUNTED.fullmatch(plain(shown(cells[column.index])).replace(" ", "")):
            row.values.setdefault(_PEOPLE, int(counted[1]))
    return row


def _why(heads: _Heads, cells: Sequence[Cell], first: int) -> Why | None:
    """Why a row is no data; None where it is. A total has nobody's name behind it."""
    if not isinstance(cells[first], str):
        return None
    text = "".join(plain(shown(cells[first])).split())
    who = (column.index for name in _WHO if (column := heads.columns.get(name)) and column.index != first)
    behind = [said for index in who if (said := "".join(plain(shown(cells[index])).split()))]
    if all(_COUNTED.fullmatch(said) or _FOOTER.fullmatch(said) for said in behind):
        for why, pattern in _SPECIAL:
            if pattern.fullmatch(text):
                return why
    again = [
        label(shown(cells[column.index])) == label(column.heading.rsplit("/", 1)[-1])
        for column in heads.columns.values()
    ]
    return "header" if heads.row and sum(again) >= min(2, len(again)) else None


def _found(layout: Layout, rows: SheetRows) -> _Heads | None:
    """The headings: of the first rows those that name the most columns; a single one only where nothing stands beside it."""
    best: tuple[int, int, int, Headings] | None = None
    for start in range(min(_SEARCH, len(rows))):
        for height in (1, 2):
            lines = [[_heading(cell) for cell in cells] for _, cells in rows[start : start + height]]
            if len(lines) < height:
                continue
            headings = Headings(lines)
            count = sum(bool(headings.columns(column.headings)) for column in layout.columns)
            enough = count >= 2 or (count == 1 and len(headings.indexes()) == 1)
            if enough and (best is None or count > best[0]):
                best = count, start, height, headings
    if best is None:
        return None
    _, start, height, headings = best
    return _heads(layout, rows[start + height - 1][0], headings, [cells for _, cells in rows[:start]])


def _heads(layout: Layout, row: int, headings: Headings, above: Sequence[Sequence[Cell]]) -> _Heads:
    columns: dict[str, Column] = {}
    twice: list[str] = []
    taken: set[int] = set()
    for column in layout.columns:
        at = [index for index in headings.columns(column.headings) if index not in taken]
        taken |= set(at)
        if len(at) == 1:
            columns[column.name] = headings.column(at[0])
        elif at:
            twice.append(headings.column(at[0]).heading)
    ignored = {label(heading) for heading in layout.ignored}
    free = [headings.column(index).heading for index in headings.indexes() if index not in taken]
    unknown = tuple(heading for heading in free if label(heading.rsplit("/", 1)[-1]) not in ignored)
    unknown = unknown if layout.others == "told" else ()
    money = unit_above(above)
    units = {
        name: UNITS[said] if (said := headings.unit(column.index) or money) else layout.unit
        for name, column in columns.items()
        if layout.column(name).shape == "amount"
    }
    return _Heads(row, columns, units, len(headings.texts), tuple(twice), unknown)


def _standard(layout: Layout, rows: SheetRows) -> _Heads:
    """The columns in their standard order, where no headings stand over them."""
    width = max((index + 1 for _, cells in rows for index, cell in enumerate(cells) if not is_blank(cell)), default=0)
    if width > len(layout.standard):
        wanted = "、".join(layout.column(name).zh for name in layout.standard)
        raise InputError(
            f"the list has no headings that are known, and {width} columns; without headings they stand as: {wanted}",
            field="sheet",
            row=rows[0][0],
            rule="header",
        )
    columns = {name: Column(index, layout.column(name).zh) for index, name in enumerate(layout.standard[:width])}
    units = {name: layout.unit for name in columns if layout.column(name).shape == "amount"}
    return _Heads(0, columns, units, width)


def _heading(cell: Cell) -> Cell:
    """A heading without the remark in brackets behind it, unless that is a unit of money."""
    if not isinstance(cell, str) or cell.startswith(OUR_OWN):
        return cell
    found = _REMARK.search(cell)
    if not found or "单位" in found[1] or plain(found[1]) in UNITS or not cell[: found.start()].strip():
        return cell
    return cell[: found.start()]


class _Readers:
    """The functions that read the cells of each column."""

    def __init__(self, layout: Layout, heads: _Heads, today: date, zone: tzinfo) -> None:
        self._units = heads.units
        self._latest = today + timedelta(days=366)
        self._zone = zone
        self._columns = {name: layout.column(name) for name in heads.columns}
        self._made = {name: self._reader(column) for name, column in self._columns.items()}

    def read(self, name: str, cell: Cell) -> Any:
        """The value of a cell, None, or a fault."""
        return self._made[name](cell)

    def shape(self, name: str) -> str:
        """What a column is read as."""
        return self._columns[name].shape

    def _reader(self, column: ListColumn) -> Read[Any]:
        match column.shape:
            case "text":
                return text_reader(_BLANKS, _LONGEST)
            case "code":
                return code_reader(_BLANKS, _LONGEST)
            case "number":
                return _number_reader()
            case "amount":
                return amount_reader(_BLANKS, self._units.get(column.name, 100), _LARGEST, negative=False)
            case "count":
                return count_reader(_BLANKS, _MOST_WORKERS)
            case "word":
                return _said(column)
            case shape:
                return self._dated(shape)

    def _dated(self, shape: Literal["day-from", "day-to", "period", "instant"]) -> Read[Any]:
        if shape == "period":
            return period_reader(_BLANKS, _EARLIEST, self._latest)
        if shape == "instant":
            return instant_reader(_BLANKS, "ymd", _EARLIEST, self._latest, self._zone)
        return day_reader(_BLANKS, "ymd", _EARLIEST, self._latest, end="first" if shape == "day-from" else "last")


def _number_reader() -> Read[str]:
    read = code_reader(_BLANKS, _LONGEST)

    def number(cell: Cell) -> str | Fault | None:
        text = read(cell)
        return plain_number(text) or None if isinstance(text, str) else text

    return number


def _said(column: ListColumn) -> Callable[[Cell], Any]:
    """A word of a closed list, whatever its width and case."""
    values = {label(said): value for value, sayings in column.words.items() for said in (value, *sayings)}
    read = word_reader(_BLANKS, values, (), None)
    known = "、".join(next(iter(sayings), value) for value, sayings in column.words.items())

    def word(cell: Cell) -> Any:
        value = read(label(shown(cell)) if not isinstance(cell, Fault) else cell)
        if isinstance(value, Fault):
            return Fault("known-word", known) if value.rule == "known-word" else value
        return column.enum(value) if value is not None and column.enum is not None else value

    return word
