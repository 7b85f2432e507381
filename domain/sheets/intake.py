"""A list as rows of cells: pasted text cut into cells, and cells made safe to read. Nothing is evaluated.

Spreadsheets hand tabs over the clipboard, other programs commas, semicolons or bars. A cell may stand in quotation marks and then hold
line ends. Rows are counted as records, as a spreadsheet counts them.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from domain.books.cells import Cell, is_blank
from domain.books.rules import Fault
from domain.errors import InputError

MOST_ROWS: Final = 5_000
MOST_BYTES: Final = 2 * 1024 * 1024
MOST_COLUMNS: Final = 200
SheetRows = Sequence[tuple[int, Sequence[Cell]]]
"""Rows of a sheet with their 1-based numbers."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_GUARDED = re.compile(r"'(?=[=+\-@\t\r＝＋－＠])")
"""The apostrophe that keeps a text from being a formula; our own exports set it, and it is no part of the text."""
_DELIMITERS = ("\t", "|", ",", ";", "，", "；")


def pasted_rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows of a pasted list, blank ones included.

    Raises:
        InputError: it is larger than 2 MiB (`too-large`), or its quotation marks do not match (`quotes`).
    """
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise InputError(f"the list is larger than {MOST_BYTES >> 20} MiB", field="sheet", rule="too-large")
    text = text.removeprefix("\ufeff")
    delimiter = _delimiter(text)
    try:
        return _cut(text, delimiter, csv.QUOTE_MINIMAL)
    except csv.Error as error:
        if delimiter != "\t":
            raise InputError(
                f"{error}; look for a quotation mark without its other half", field="sheet", rule="quotes"
            ) from error
    try:
        return _cut(text, delimiter, csv.QUOTE_NONE)  # a clipboard quotes hardly ever: the mark stands for itself
    except csv.Error as error:
        raise InputError(f"the list cannot be cut into cells: {error}", field="sheet", rule="quotes") from error


def limited(rows: Iterable[tuple[int, Sequence[Cell]]]) -> SheetRows:
    """The rows that hold anything, made safe to read.

    Raises:
        InputError: there are more than 5,000 rows, or more than 200 columns.
    """
    kept: list[tuple[int, Sequence[Cell]]] = []
    for at, cells in rows:
        if all(is_blank(cell) for cell in cells):
            continue
        if len(kept) >= MOST_ROWS + 100:  # title rows, headings and totals do not count against the limit
            raise too_many()
        if len(cells) > MOST_COLUMNS:
            raise InputError(f"row {at} has more than {MOST_COLUMNS} columns", field="sheet", row=at, rule="too-large")
        kept.append((at, [cleaned(cell) for cell in cells]))
    return kept


def too_many() -> InputError:
    """Why a list is refused that is longer than any list of one case."""
    return InputError(f"the list has more than {MOST_ROWS:,} rows; split it", field="sheet", rule="too-large")


def cleaned(cell: Cell) -> Cell:
    """The cell without characters that nobody sees; a control character in it is a `Fault`."""
    if not isinstance(cell, str):
        return cell
    if _CONTROL.search(cell):
        return Fault("text-control")
    text = " ".join(_INVISIBLE.sub("", cell).split())
    return _GUARDED.sub("", text, count=1) if text.startswith("'") else text


def folded(text: str) -> str:
    """A name or word reduced to what makes two the same: width, case, blanks and the several middle dots."""
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s·•・‧∙.]", "", plain).casefold()


def _cut(text: str, delimiter: str, quoting: int) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)  # type: ignore[arg-type]
    return list(enumerate(reader, 1))


def _delimiter(text: str) -> str:
    """A tab wherever one occurs; else what cuts the first rows that hold anything."""
    if "\t" in text:
        return "\t"
    first = [line for line in text[:20_000].splitlines() if line.strip()][:20]
    return max(_DELIMITERS, key=lambda mark: sum(mark in line for line in first))
