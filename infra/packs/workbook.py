"""A ledger's workbook in a pack, read beside its csv: that both say the same.

Guarantees: of a workbook nothing is taken that a person would not see: a formula, a hidden sheet, a macro or a link to elsewhere is
refused. Parts that would take more room than a workbook of this csv can need are refused before they are unpacked.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import IO, Final

import python_calamine
from python_calamine import CalamineSheet, CalamineWorkbook

from domain.errors import VerificationError
from infra.books.export import Column, Language, about_rows, csv_headings, csv_text, sheet_names

_PARTS: Final = frozenset(
    {
        *("[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/workbook.xml", "xl/styles.xml"),
        *("xl/theme/theme1.xml", "docProps/core.xml", "docProps/app.xml"),
    }
)
_SHEETS: Final = "xl/worksheets/sheet"
_ROOM: Final = 2**24
"""Bytes that a workbook's parts take besides its cells."""
_ROOM_A_CELL: Final = 200
"""Bytes of XML for a byte of csv at the most."""
_CELL_DIGITS: Final = 10**15
_NEAR: Final = timedelta(milliseconds=1)
_MIDNIGHT: Final = time()
_TEXT: Final = Column("text", "", "")
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError, LookupError)


class Workbook:
    """An open workbook, read row by row."""

    def __init__(self, data: bytes, columns: Sequence[Column], language: Language, *, text: int) -> None:
        """`text`: how many bytes the csv beside it has, so at most how many cells.

        Raises:
            VerificationError: it cannot be read, or holds what no workbook of a pack holds.
        """
        self._columns, self._language = columns, language
        self._says = [_says_of(column, language) for column in columns]
        _check_parts(data, most=_ROOM + _ROOM_A_CELL * text)
        with _read():
            self._book = CalamineWorkbook.from_filelike(io.BytesIO(data))
            visible = python_calamine.SheetVisibleEnum.Visible
            if any(sheet.visible != visible for sheet in self._book.sheets_metadata):
                raise VerificationError("it has a hidden sheet")
            self._names = self._book.sheet_names
        self._rows = self._data_rows()

    def check_next(self, row: Sequence[str]) -> None:
        """That the next row says what a row of the csv says.

        Raises:
            VerificationError: it says something else, or there is none.
        """
        cells = next(self._rows, None)
        if cells is None:
            raise VerificationError("it has fewer rows than the csv")
        for column, says, said, cell in zip(self._columns, self._says, row, cells, strict=True):
            try:
                same = cell == "" if said == "" else says(said, cell)
            except (ValueError, OverflowError):
                same = False
            if not same:
                raise VerificationError(f"column {column.name} says {cell!r}, the csv {said!r}")

    def check_end(self, meta: Mapping[str, str]) -> None:
        """That no row is left, and the last sheet says of the table what `meta` does; an empty digest there: whatever it says.

        Raises:
            VerificationError: a row is left, or the sheet says something else.
        """
        if next(self._rows, None) is not None:
            raise VerificationError("it has more rows than the csv")
        about = [tuple(row) for row in self._sheet(len(self._names) - 1)]
        wanted = about_rows(meta, self._language)
        if not meta["digest"] and about:
            about[-1] = (about[-1][0], "")
        if about != wanted:
            raise VerificationError("its last sheet says something else of the table than the pack")

    def _data_rows(self) -> Iterator[Sequence[object]]:
        headings = csv_headings(self._columns, self._language)
        data, about = sheet_names(len(self._names) - 1, self._language)
        if self._names != [*data, about]:
            raise VerificationError("its sheets are not those of a ledger")
        for number in range(len(data)):
            rows = self._sheet(number)
            if next(rows, None) != headings:
                raise VerificationError(f"sheet {number + 1} does not begin with the headings of the csv")
            for row in rows:
                yield [*row, *[""] * (len(headings) - len(row))]

    def _sheet(self, number: int) -> Iterator[list[object]]:
        with _read():
            sheet: CalamineSheet = self._book.get_sheet_by_index(number)
            if sheet.start != (0, 0):
                raise VerificationError(f"sheet {number + 1} does not begin in its first cell")
            rows = iter(sheet.iter_rows())
        while True:
            with _read():
                row = next(rows, None)
            if row is None:
                return
            yield list(row)


def _check_parts(data: bytes, *, most: int) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            if sum(part.file_size for part in parts) > most:
                raise VerificationError("its parts would take more room than a workbook of this csv can need")
            for part in parts:
                if part.filename.startswith(_SHEETS):
                    with package.open(part) as sheet:
                        _refuse_formulas(sheet)
                elif part.filename not in _PARTS:
                    raise VerificationError(f"it has a part {part.filename!r} that no workbook of a pack has")
    except _DAMAGE as error:
        raise VerificationError(f"it is no workbook: {error}") from None


def _refuse_formulas(sheet: IO[bytes]) -> None:
    """A formula shows what a spreadsheet makes of it, whatever stands beside it."""
    before = b""
    while piece := sheet.read(2**20):
        seen = before + piece
        if b"<f>" in seen or b"<f " in seen:
            raise VerificationError("it has a formula")
        before = seen[-3:]


@contextmanager
def _read() -> Iterator[None]:
    try:
        yield
    except (python_calamine.CalamineError, *_DAMAGE) as error:
        raise VerificationError(f"it cannot be read: {error}") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how the library's Rust half ends on what it did not expect
            raise
        raise VerificationError("it cannot be read") from None


Says = Callable[[str, object], bool]
"""Whether a cell of the workbook says what the text in the csv does."""


def _says_of(column: Column, language: Language) -> Says:
    """The comparison for a column."""
    match column.kind:
        case "money":
            return _money
        case "int":
            return _integer
        case "date":
            return lambda said, cell: cell == date.fromisoformat(said)
        case "datetime":
            return lambda said, cell: abs(_moment(cell) - datetime.fromisoformat(said).replace(tzinfo=None)) <= _NEAR
        case "bool":
            truth = {csv_text(column, value, language): value for value in (True, False)}
            return lambda said, cell: isinstance(cell, bool) and truth.get(said) == cell
    return lambda said, cell: isinstance(cell, str) and csv_text(_TEXT, cell, language) == said


def _money(said: str, cell: object) -> bool:
    """A workbook keeps sixteen digits of a binary float."""
    return _number(cell) == float(f"{float(said):.16G}")


def _integer(said: str, cell: object) -> bool:
    number = int(said)
    return cell == said if abs(number) >= _CELL_DIGITS else _number(cell) == number


def _number(cell: object) -> float:
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise ValueError(cell)
    return cell


def _moment(cell: object) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, _MIDNIGHT)
    raise ValueError(cell)
