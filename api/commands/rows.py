"""Rows of a form that come as a sheet: pasted from a spreadsheet, or read from a workbook or CSV file.

The first line may be headings, in Chinese or English, in any order; without them the columns stand in the form's order. A
line beginning with 合计 or Total is no row: its sums are held against the rows'. A column that the form does not have, but that
says who is meant (name, id number, telephone), finds the claim line where the form asks for one. Every fault is told with its
row and column; nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.commands.fields import Entry, FormFault, Kind, read_field
from api.words import Word

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


def rows_of(entry: Entry, text: str, zone: ZoneInfo, find: Find | None = None) -> Rows:
    """The rows of a sheet for a field that takes several. Never raises: what cannot be read is a fault."""
    lines = [(number, cells) for number, cells in enumerate(cells_of(text), 1) if any(cell.strip() for cell in cells)]
    found = Rows()
    if not lines:
        return found
    names = _headings(entry, lines[0][1])
    if names is None:
        names = [inner.name for inner in entry.inner]
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
        if _plain(next((cell for cell in cells if cell.strip()), "")) in _TOTAL:
            _hold_total(entry, names, number, cells, found, zone)
        else:
            _row(entry, names, number, cells, found, zone, find)
    return found


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


def _headings(entry: Entry, cells: Sequence[str]) -> list[str | None] | None:
    """The field of each column, if the line is headings: it holds a known name, and no digit, which every row of figures does."""
    known = _known(entry)
    names = [known.get(_plain(cell)) for cell in cells]
    figures = any(character.isdigit() for cell in cells for character in _plain(cell))
    return names if any(names) and not figures else None


def _known(entry: Entry) -> dict[str, str]:
    known: dict[str, str] = {}
    fields = {inner.name: inner for inner in entry.inner}
    for name in (*fields, *(who for who in _WHO if "claim" in fields)):
        for said in _SYNONYMS.get(name, ()):
            known.setdefault(_plain(said), name)
    for name, inner in fields.items():
        for said in (name, inner.label.zh, inner.label.en):
            known.setdefault(_plain(said), name)
    return known


def _plain(text: str) -> str:
    """A heading without width, case, blanks, and the unit in brackets behind it."""
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    return folded.split("(", 1)[0].strip(" :*")


def _row(
    entry: Entry,
    names: Sequence[str | None],
    number: int,
    cells: Sequence[str],
    found: Rows,
    zone: ZoneInfo,
    find: Find | None,
) -> None:
    fields = {inner.name: inner for inner in entry.inner}
    row: dict[str, Any] = {}
    who: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        if name is None or not cell.strip():
            continue
        if name not in fields:
            who[name] = cell.strip()
            continue
        value, fault = _cell(fields[name], cell.strip(), zone, number)
        if fault is not None:
            found.faults.append(fault)
        else:
            row[name] = value
            if fields[name].kind is Kind.MONEY and isinstance(value, int):
                found.sums[name] = found.sums.get(name, 0) + value
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        message = Word(f"多于 {len(names)} 列", f"more than {len(names)} columns")
        found.faults.append(FormFault(entry.path, "row-shape", message, number))
    if "claim" in fields and "claim" not in row and who and find is not None:
        meant = find(who)
        if isinstance(meant, Word):
            found.faults.append(FormFault(f"{entry.path}.claim", "line-found", meant, number))
        else:
            row["claim"] = meant
    found.rows.append(row)
    found.numbers.append(number)


def _cell(inner: Entry, cell: str, zone: ZoneInfo, number: int) -> tuple[Any, FormFault | None]:
    if inner.choices:
        value = _choice(inner, cell)
        if value is None:
            known = "、".join(word.zh for word in inner.choices.values())
            message = Word(f"不是 {known} 之一", f"is none of {', '.join(inner.choices)}")
            return None, FormFault(inner.path, "known-word", message, number)
        return value, None
    value, faults = read_field(inner, cell, zone, number)
    return value, faults[0] if faults else None


def _choice(inner: Entry, cell: str) -> str | None:
    said = _plain(cell)
    for value, word in inner.choices.items():
        if said in (_plain(value), _plain(word.zh), _plain(word.en)):
            return value
    return None


def _hold_total(
    entry: Entry, names: Sequence[str | None], number: int, cells: Sequence[str], found: Rows, zone: ZoneInfo
) -> None:
    """Sums that somebody wrote below the rows are held against what the rows make."""
    fields = {inner.name: inner for inner in entry.inner}
    for name, cell in zip(names, cells, strict=False):
        if name in fields and fields[name].kind is Kind.MONEY and cell.strip():
            value, faults = read_field(fields[name], cell.strip(), zone, number)
            if not faults and value != found.sums.get(name, 0):
                message = Word("合计与各行之和不符", "the total is not what the rows make")
                found.faults.append(FormFault(fields[name].path, "control-totals", message, number))
