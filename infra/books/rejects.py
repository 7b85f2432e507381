"""The reject workbook: the rows that were not recorded, as they stand in the book, each with its reasons.

It keeps title rows, header and sheet name, and fills merged cells, so that a clerk mends the rows and imports the
reject workbook itself with the same mapping; the columns that were added bear the mark `※` and are not read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from domain.books.cells import Cell, shown
from domain.books.header import OUR_OWN, find_header
from domain.books.mapping import Mapping as BookMapping
from domain.books.rules import Fault
from domain.books.scanning import RowScan
from domain.books.source import Reading, Reject
from domain.errors import UnreadableBookError
from infra.books.opening import open_book

_HEADINGS = {
    "zh": (f"{OUR_OWN}原行号", f"{OUR_OWN}退回原因", f"{OUR_OWN}规则"),
    "en": (f"{OUR_OWN}row", f"{OUR_OWN}reason", f"{OUR_OWN}rule"),
}
_TOGETHER = {"zh": "同一案件的第{rows}行有误，整案退回", "en": "rejected with row {rows} of the same case"}
_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")
_CELL_TEXT = 32_767


def write_rejects(
    target: Path, book: Path, mapping: BookMapping, reading: Reading, *, language: Literal["zh", "en"] = "zh"
) -> int:
    """Write the rejected rows of `book` as it was read into `reading`, and return how many they are.

    Nothing is written when nothing was rejected.

    Raises:
        UnreadableBookError: the book is not the one that was read any more.
    """
    reasons = _reasons(reading.rejects)
    if not reasons:
        return 0
    again = open_book(book, mapping.sheet)
    if again.digest != reading.digest:
        raise UnreadableBookError(f"{book.name} was changed since it was read", field="path", rule="stable")
    top = list(itertools.takewhile(lambda row: row[0] <= reading.header_row, again.rows()))
    scan = RowScan(again.rows, mapping, find_header(mapping, top))
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        for _ in range((mapping.sheet.index or 1) - 1):
            workbook.add_worksheet()
        sheet = workbook.add_worksheet(_sheet_name(mapping, again.sheet))
        sheet.activate()
        writer = _Writer(workbook, sheet, len(top[-1][1]))
        for at, cells in top:
            writer.row(at - 1, cells)
        writer.head(reading.header_row - 1, _HEADINGS[language])
        for line, (at, cells) in enumerate(
            ((at, cells) for at, cells, _ in scan.rows() if at in reasons), reading.header_row
        ):
            writer.row(line, cells)
            writer.reason(line, at, reasons[at], language)
        sheet.freeze_panes(reading.header_row, 0)
    return len(reasons)


def _sheet_name(mapping: BookMapping, name: str) -> str:
    """A name that the mapping finds again; a text file's name may hold what a sheet's must not."""
    return mapping.sheet.name or re.sub(r"[\[\]:*?/\\']", "_", name)[:31]


def _reasons(rejects: Iterable[Reject]) -> dict[int, list[Reject]]:
    """The rejects of the case that a row belongs to, by row."""
    reasons: dict[int, list[Reject]] = {}
    for reject in rejects:
        for row in reject.rows:
            reasons.setdefault(row, []).append(reject)
    return reasons


class _Writer:
    """Writes rows as they stood, and what was added at their right."""

    def __init__(self, workbook: xlsxwriter.Workbook, sheet: Worksheet, width: int) -> None:
        self._sheet = sheet
        self._right = width
        self._day: Format = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self._moment: Format = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._mark: Format = workbook.add_format({"bold": True, "bg_color": "#FCE4D6"})
        self._wrap: Format = workbook.add_format({"text_wrap": True, "bg_color": "#FCE4D6"})
        sheet.set_column(0, width - 1, 14)
        sheet.set_column(width, width, 10)
        sheet.set_column(width + 1, width + 1, 60)
        sheet.set_column(width + 2, width + 2, 20)

    def row(self, line: int, cells: Sequence[Cell]) -> None:
        for index, cell in enumerate(cells[: self._right]):
            if isinstance(cell, bool):
                self._sheet.write_boolean(line, index, cell)
            elif isinstance(cell, float | int):
                self._sheet.write_number(line, index, cell)
            elif isinstance(cell, Fault):  # stays an error: as a text it would pass for an entry
                error = cell.detail if cell.detail in _ERRORS else "#N/A"
                self._sheet.write_formula(line, index, f"={error}", None, error)
            elif isinstance(cell, datetime):
                self._sheet.write_datetime(line, index, cell, self._moment)
            elif isinstance(cell, date):
                self._sheet.write_datetime(line, index, cell, self._day)
            elif text := shown(cell):
                self._sheet.write_string(line, index, text[:_CELL_TEXT])

    def head(self, line: int, headings: Sequence[str]) -> None:
        for index, heading in enumerate(headings):
            self._sheet.write_string(line, self._right + index, heading, self._mark)

    def reason(self, line: int, at: int, rejects: Sequence[Reject], language: Literal["zh", "en"]) -> None:
        """Reasons of the row itself; a row without any is told which rows of its case have them."""
        own = [reject for reject in rejects if reject.row == at]
        told = [reject.message_zh if language == "zh" else reject.message for reject in own]
        if not own:
            others = ", ".join(str(row) for row in sorted({reject.row for reject in rejects}))
            told = [_TOGETHER[language].format(rows=others)]
        rules: Mapping[str, None] = dict.fromkeys(reject.rule for reject in own)
        self._sheet.write_number(line, self._right, at, self._wrap)
        self._sheet.write_string(line, self._right + 1, "\n".join(told), self._wrap)
        self._sheet.write_string(line, self._right + 2, ", ".join(rules), self._wrap)
