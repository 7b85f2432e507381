"""Lists to fill in: an empty workbook for each kind, and one with the lines of a case in it, which is read again as it was meant.

Texts are written as texts, so that nothing that somebody once typed becomes a formula; a csv goes through the exports' writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from domain.sheets.answers import ANSWERS
from domain.sheets.layout import Layout, ListColumn
from domain.sheets.matching import CaseLine
from domain.sheets.payment_list import PAYMENTS
from domain.sheets.roster import ROSTER
from domain.sheets.verification import VERIFICATION
from infra.books.export import Column, Kind, write_table

Language = Literal["zh", "en"]
LAYOUTS: Final[Mapping[str, Layout]] = {layout.name: layout for layout in (ROSTER, VERIFICATION, PAYMENTS, ANSWERS)}
"""The lists that people fill in, by name. A bank's return file is the bank's."""

_FORMATS: Final = {
    "number": "@",
    "code": "@",
    "amount": "#,##0.00",
    "count": "0",
    "day-from": "yyyy-mm-dd",
    "day-to": "yyyy-mm-dd",
    "instant": "yyyy-mm-dd",
}
_KINDS: Final[Mapping[str, Kind]] = {
    "amount": "money",
    "count": "int",
    "day-from": "date",
    "day-to": "date",
    "instant": "datetime",
}
_ROWS: Final = 1_000
"""Rows that are prepared for entries."""
_LONGEST_LIST: Final = 255  # characters of a list that a workbook keeps in a cell check


def write_list(
    target: Path | BinaryIO, layout: Layout, rows: Iterable[Mapping[str, Any]] = (), *, language: Language = "zh"
) -> None:
    """A workbook in the columns of `layout`, with `rows` by column name; without any, an empty template."""
    columns = _columns(layout)
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as workbook:
        sheet = workbook.add_worksheet(layout.zh if language == "zh" else layout.en)
        formats = {shape: workbook.add_format({"num_format": number}) for shape, number in _FORMATS.items()}
        _head(workbook, sheet, columns, language, formats)
        for at, row in enumerate(rows, 1):
            for index, column in enumerate(columns):
                _write(sheet, at, index, column, row.get(column.name), formats)
        _explanation(workbook, columns, language)


def write_list_csv(
    target: BinaryIO, layout: Layout, rows: Iterable[Mapping[str, Any]], *, language: Language = "zh"
) -> None:
    """The same as a csv in UTF-8 with its mark. Moments must bear a zone."""
    columns = [
        Column(column.name, column.zh, column.en, _KINDS.get(column.shape, "text")) for column in _columns(layout)
    ]
    words = {column.name: column for column in layout.columns if column.words}
    said = ({name: _said(words[name], v) if name in words else v for name, v in row.items()} for row in rows)
    write_table(target, "csv", columns, said, language=language, meta={})


def lines_to_fill_in(layout: Layout, lines: Iterable[CaseLine]) -> list[dict[str, Any]]:
    """Rows of `layout` for the lines of a case: who they are, and what is known of them; the rest is for a person to fill in."""
    known = ("line", "worker", "worker_id", "phone", *(column.name for column in layout.columns if column.given))
    names = [name for name in known if name in layout.names]
    return [{name: getattr(line, name) for name in names} for line in lines]


def _columns(layout: Layout) -> list[ListColumn]:
    """The columns of a template. What only stands in for others (a period in one cell, four digits) is read, but not asked for."""
    return [column for column in layout.columns if column.name not in ("period", "last_four")]


def _head(
    workbook: xlsxwriter.Workbook,
    sheet: Worksheet,
    columns: Sequence[ListColumn],
    language: Language,
    formats: Mapping[str, Format],
) -> None:
    base = {"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter"}
    plain, needed, given = (workbook.add_format({**base, "bg_color": c}) for c in ("#E7EEF7", "#F8CBAD", "#E5E5E5"))
    for index, column in enumerate(columns):
        heading = _heading(column, language)
        sheet.write_string(0, index, heading, needed if column.needed else given if column.given else plain)
        sheet.set_column(index, index, max(12, 2 * len(heading) + 3), formats.get(column.shape))
        choices = [sayings[0] for sayings in column.words.values()]
        if choices and len(",".join(choices)) <= _LONGEST_LIST:
            check = {"validate": "list", "source": choices, "error_type": "information"}
            sheet.data_validation(1, index, _ROWS, index, check)
    sheet.freeze_panes(1, 1)


def _heading(column: ListColumn, language: Language) -> str:
    unit = {"zh": "（元）", "en": " (yuan)"}[language] if column.shape == "amount" else ""
    return (column.zh if language == "zh" else column.en) + unit


def _write(
    sheet: Worksheet, at: int, index: int, column: ListColumn, value: Any, formats: Mapping[str, Format]
) -> None:
    if value is None:
        return
    style = formats.get(column.shape)
    match column.shape:
        case "amount":
            sheet.write_number(at, index, value / 100, style)
        case "count":
            sheet.write_number(at, index, value, style)
        case "day-from" | "day-to":
            sheet.write_datetime(at, index, value, style)
        case "instant":
            sheet.write_datetime(at, index, value.replace(tzinfo=None), style)
        case _:
            sheet.write_string(at, index, _said(column, value), style)


def _said(column: ListColumn, value: Any) -> str:
    """A value of a closed list as people write it; any other text as it stands."""
    return column.words[value][0] if value in column.words else str(value)


def _explanation(workbook: xlsxwriter.Workbook, columns: Sequence[ListColumn], language: Language) -> None:
    place = 0 if language == "zh" else 1
    sheet: Worksheet = workbook.add_worksheet(("填写说明", "Instructions")[place])
    head = workbook.add_format({"bold": True, "bottom": 1})
    wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
    for at, line in enumerate(_EXPLAINED[language]):
        sheet.write_string(at, 0, line)
    first = len(_EXPLAINED[language]) + 1
    for index, text in enumerate((("列", "填写内容", "可选值"), ("Column", "What to write", "Choices"))[place]):
        sheet.write_string(first, index, text, head)
    for at, column in enumerate(columns, first + 1):
        sheet.write_string(at, 0, _heading(column, language) + ("*" if column.needed else ""))
        sheet.write_string(at, 1, column.guide[place], wrap)
        sheet.write_string(at, 2, "、".join(sayings[0] for sayings in column.words.values()), wrap)
    for index, width in enumerate((24, 48, 60)):
        sheet.set_column(index, index, width)


_EXPLAINED: Final[Mapping[Language, tuple[str, ...]]] = {
    "zh": (
        "一人一行；带*的列必须填写。列的顺序可变，多余的列不读取。",
        "金额以元计；日期写作 2019-11-25；身份证号、电话、账号按文本填写。",
        "合计行可保留，录入时与各行之和核对；灰色各列仅作核对。全部无误才记录，否则一行也不记。",
    ),
    "en": (
        "One worker a row; columns marked * are needed. Columns may stand in any order, others are not read.",
        "Amounts are in yuan; days are written 2019-11-25; numbers of identities, telephones and accounts are texts.",
        "A total row may stay: it is held against the rows. Grey columns are control figures. All rows are recorded, or none.",
    ),
}
