"""Rows of a form that come as a sheet: pasted from a spreadsheet, or read from a workbook or CSV file.

The first line may be headings, in Chinese or English, in any order; without them the columns stand in the form's order. A
line beginning with 合计 or Total is no row: its sums are held against the rows'. A column that the form does not have, but that
says who is meant (name, id number, telephone), finds the line where the form asks for one; where both are given they must agree.
A bank's return file comes in the bank's layout (`domain/payments/bank_layout.py`), which says instead where its columns are and what its
codes mean. Every fault is told with its row and column; nothing is guessed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.commands.fields import Entry, FormFault, Kind, read_amount, read_field
from api.words import Word
from domain.payments.bank_layout import BankLayout, plain

MOST_ROWS: Final = 5_000
Find = Callable[[Mapping[str, str]], "str | Word"]
"""The line that is meant by who is named (`worker`, `worker_id`, `phone`), or why none can be told."""

_SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "claim": ("明细", "明细号", "行", "序号", "line", "no", "no."),
    "worker": ("姓名", "农民工", "农民工姓名", "工人姓名", "工人", "name", "worker"),
    "worker_id": ("身份证号", "身份证", "身份证号码", "证件号码", "id number", "id no"),
    "phone": ("电话", "联系电话", "手机", "手机号", "telephone", "phone", "mobile"),
    "crew": ("班组", "班组名称", "crew"),
    "nickname": ("绰号", "小名", "nickname"),
    "claimed": ("反映金额", "欠薪金额", "实欠", "欠付金额", "申报金额", "claimed", "net"),
    "gross": ("应发", "应发工资", "应付工资", "gross"),
    "drawn": ("已预支", "预支", "借支", "已支", "drawn"),
    "verified": ("核实", "核实金额", "核定", "核定金额", "verified"),
    "rejected": ("核减", "核减金额", "rejected"),
    "withdrawn": ("撤回", "撤回金额", "withdrawn"),
    "disputed": ("争议", "争议金额", "disputed"),
    "ground": ("依据", "理由", "核减理由", "ground"),
    "amount": (
        "金额",
        "实发",
        "实发金额",
        "发放金额",
        "实付",
        "实付金额",
        "支付金额",
        "实领",
        "到手金额",
        "amount",
        "paid",
    ),
    "paid_to": ("领取方式", "领款方式", "发放方式", "收款方式", "how it reached the worker", "paid to"),
    "period_from": ("欠薪起", "起", "开始", "from"),
    "period_to": ("欠薪止", "止", "截止", "to"),
    "headcount": ("人数", "workers", "headcount"),
    "answer": ("答复", "回访结果", "结果", "answer"),
    "method": ("方式", "回访方式", "method"),
    "number_from": ("号码来源", "number from"),
    "result": ("结果", "处理结果", "result"),
    "line": ("笔号", "序号", "line"),
    "reason": ("原因", "失败原因", "reason"),
}
_WHO: Final = ("worker", "worker_id", "phone")
_MEANT: Final = ("claim", "line")
_TOTAL: Final = ("合计", "总计", "小计", "total", "sum")


@dataclass
class Rows:
    """What was read: rows by field, faults, and the sum of every column of amounts."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Of each row the line that it stood on, from 1."""
    faults: list[FormFault] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    """Headings of columns that the form has no field for: what stands below them is not read, and who sends them is told."""

    @property
    def used(self) -> set[str]:
        """Fields that some row gives."""
        return {name for row in self.rows for name in row}


@dataclass(frozen=True)
class _Reader:
    """What a row is read by."""

    entry: Entry
    zone: ZoneInfo
    find: Find | None
    layout: BankLayout | None

    @property
    def fields(self) -> dict[str, Entry]:
        return {inner.name: inner for inner in self.entry.inner}

    @property
    def meant(self) -> str | None:
        """The field that says which line is meant, and that who is named may stand for."""
        return next((name for name in _MEANT if name in self.fields), None) if self.find is not None else None


def rows_of(
    entry: Entry, text: str, zone: ZoneInfo, find: Find | None = None, layout: BankLayout | None = None
) -> Rows:
    """The rows of a sheet for a field that takes several. Never raises: what cannot be read is a fault."""
    reader = _Reader(entry, zone, find, layout)
    lines = [(number, cells) for number, cells in enumerate(cells_of(text), 1) if any(cell.strip() for cell in cells)]
    found = Rows()
    if not lines:
        return found
    if layout is not None:
        lines = lines[layout.skip :]
    names = _headings(reader, lines[0][1]) if lines else None
    if names is None:
        names = _places(reader)
    else:
        found.unread = [
            cell.strip() for name, cell in zip(names, lines[0][1], strict=True) if name is None and cell.strip()
        ]
        lines = lines[1:]
    if len(lines) > MOST_ROWS:
        found.faults.append(
            FormFault(entry.path, "rows", Word(f"多于 {MOST_ROWS} 行", f"more than {MOST_ROWS} rows"), MOST_ROWS + 1)
        )
        return found
    for number, cells in lines:
        if plain(next((cell for cell in cells if cell.strip()), "")) in _TOTAL:
            _hold_total(reader, names, number, cells, found)
        else:
            _row(reader, names, number, cells, found)
    return found


def _places(reader: _Reader) -> list[str | None]:
    """The field of each column of a sheet without headings."""
    if reader.layout is None or not reader.layout.places:
        return [inner.name for inner in reader.entry.inner]
    at = {place: name for name, place in reader.layout.places.items()}
    return [at.get(place) for place in range(max(at) + 1)]


def cells_of(text: str) -> list[list[str]]:
    """Cells of pasted text: parted by tabs, by `|`, or as CSV."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    sample = next((line for line in lines if line.strip()), "")
    for mark in ("\t", "|"):
        if mark in sample:
            return [line.split(mark) for line in lines]
    if "，" in sample and "," not in sample:
        return [line.split("，") for line in lines]
    return [row or [""] for row in csv.reader(io.StringIO("\n".join(lines)))]


def _headings(reader: _Reader, cells: Sequence[str]) -> list[str | None] | None:
    """The field of each column, if the line is headings: it holds a known name, and no digit, which every row of figures does."""
    known = _known(reader)
    names = [known.get(plain(cell)) for cell in cells]
    figures = any(character.isdigit() for cell in cells for character in plain(cell))
    return names if any(names) and not figures else None


def _known(reader: _Reader) -> dict[str, str]:
    """Fields by heading: those of the layout alone, else every name that a field is known by."""
    if reader.layout is not None:
        return {plain(said): name for name, headings in reader.layout.headings.items() for said in headings}
    known: dict[str, str] = {}
    for name in (*reader.fields, *(_WHO if reader.meant or "claim" in reader.fields else ())):
        for said in _SYNONYMS.get(name, ()):
            known.setdefault(plain(said), name)
    for name, inner in reader.fields.items():
        for said in (name, inner.label.zh, inner.label.en):
            known.setdefault(plain(said), name)
    return known


def _row(reader: _Reader, names: Sequence[str | None], number: int, cells: Sequence[str], found: Rows) -> None:
    fields = reader.fields
    row: dict[str, Any] = {}
    who: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        if name is None or not cell.strip():
            continue
        if name not in fields:
            who[name] = cell.strip()
            continue
        value, fault = _cell(reader, fields[name], cell.strip(), number)
        if fault is not None:
            found.faults.append(fault)
        else:
            row[name] = value
            if fields[name].kind is Kind.MONEY and isinstance(value, int):
                found.sums[name] = found.sums.get(name, 0) + value
    beyond = reader.layout is None or not reader.layout.places  # a layout by places names those that it needs
    if beyond and any(cell.strip() for cell in cells[len(names) :]):
        message = Word(f"多于 {len(names)} 列", f"more than {len(names)} columns")
        found.faults.append(FormFault(reader.entry.path, "row-shape", message, number))
    if who:
        _find(reader, row, who, number, found)
    found.rows.append(row)
    found.numbers.append(number)


def _find(reader: _Reader, row: dict[str, Any], who: Mapping[str, str], number: int, found: Rows) -> None:
    """The line that is meant by who is named; it must be the one that is given, if one is."""
    if reader.meant is None or reader.find is None:
        return
    meant = reader.find(who)
    given = row.get(reader.meant)
    if isinstance(meant, Word):
        if given is None:
            found.faults.append(FormFault(f"{reader.entry.path}.{reader.meant}", "line-found", meant, number))
        return
    if given is not None and str(given) != meant:
        message = Word(f"所称的人在第 {meant} 号", f"who is named is of number {meant}")
        found.faults.append(FormFault(f"{reader.entry.path}.{reader.meant}", "line-agrees", message, number))
    row.setdefault(reader.meant, meant)


def _cell(reader: _Reader, inner: Entry, cell: str, number: int) -> tuple[Any, FormFault | None]:
    layout = reader.layout
    if inner.choices:
        value = _choice(inner, cell) if layout is None else layout.codes.get(plain(cell))
        if value is None:
            known = "、".join(word.zh for word in inner.choices.values()) if layout is None else layout.title
            rule = "known-word" if layout is None else "bank-code"
            english = ", ".join(inner.choices) if layout is None else layout.name
            return None, FormFault(inner.path, rule, Word(f"不是 {known} 之一", f"is none of {english}"), number)
        return str(value), None
    if layout is not None and inner.kind is Kind.MONEY:
        value, faults = read_amount(inner, cell, layout.unit, number)
    else:
        value, faults = read_field(inner, cell, reader.zone, number)
    return value, faults[0] if faults else None


def _choice(inner: Entry, cell: str) -> str | None:
    said = plain(cell)
    for value, word in inner.choices.items():
        if said in (plain(value), plain(word.zh), plain(word.en)):
            return value
    return None


def _hold_total(reader: _Reader, names: Sequence[str | None], number: int, cells: Sequence[str], found: Rows) -> None:
    """Sums that somebody wrote below the rows are held against what the rows make."""
    fields = reader.fields
    for name, cell in zip(names, cells, strict=False):
        if name in fields and fields[name].kind is Kind.MONEY and cell.strip():
            value, fault = _cell(reader, fields[name], cell.strip(), number)
            if fault is None and value != found.sums.get(name, 0):
                message = Word("合计与各行之和不符", "the total is not what the rows make")
                found.faults.append(FormFault(fields[name].path, "control-totals", message, number))
