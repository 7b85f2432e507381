"""Opening a ledger book without trusting it: what it is, how large it says it is, and its rows.

A workbook (xlsx, xlsm, xls) is looked at before it is opened: a file that is none, a zip archive without a workbook, a
locked one, one whose parts declare more than the limits allow or hold other than they declare is refused before memory
is spent on it. The workbook reader then holds the chosen sheet as a whole; what that costs stands in `docs/import.md`.
An xls is opened in a process of its own first, because a damaged one can end the process that opens it.
Cells that hold an error of the spreadsheet, or a formula whose result was never stored, come as a `Fault` in xlsx; in
xls they cannot be told from blank cells. Text files are read row by row and never held.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import python_calamine
from python_calamine import CalamineSheet, CalamineWorkbook

from domain.books.cells import Cell
from domain.books.mapping import SheetRule
from domain.books.rules import Fault
from domain.books.scanning import Cells, Rows
from domain.errors import UnreadableBookError
from infra.books.text_file import open_text
from infra.books.xlsx_package import SheetScan, XlsxPackage

_ZIP = b"PK"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PROBE_SECONDS = 300
_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Limits:
    """What a book may cost: bytes of the file, bytes of all its parts unpacked, cells of the sheet (about 32 B each)."""

    file_bytes: int = 512 * 1024 * 1024
    unpacked_bytes: int = 1024 * 1024 * 1024
    cells: int = 40_000_000


@dataclass(frozen=True)
class OpenBook:
    """A sheet whose rows can be gone through as often as needed. `digest` is SHA-256 of the file, hexadecimal."""

    digest: str
    sheet: str
    rows: Rows


@dataclass(frozen=True)
class _Tab:
    name: str
    visible: bool


def open_book(path: Path, rule: SheetRule, limits: Limits = Limits()) -> OpenBook:
    """The sheet of a book that `rule` names.

    Raises:
        UnreadableBookError: `rule` says why: exists, readable, is-a-workbook, locked, too-large, bomb, sheet, encoding.
    """
    if not path.is_file():
        raise _refuse(path, "is not there", "exists")
    try:
        with path.open("rb") as file:
            magic = file.read(len(_OLE))
        if magic.startswith(_ZIP):
            return _open_xlsx(path, rule, limits)
        if magic == _OLE:
            return _open_xls(path, rule, limits)
        if path.suffix.lower() in _TEXT_SUFFIXES and magic:
            digest, rows = open_text(path)
            return OpenBook(digest, path.stem, rows)
    except OSError as error:
        raise _refuse(path, f"cannot be read: {error.strerror}", "readable") from error
    raise _refuse(path, "is not a workbook" if magic else "is empty, not a workbook", "is-a-workbook")


def _open_xlsx(path: Path, rule: SheetRule, limits: Limits) -> OpenBook:
    content = _content(path, limits)
    package = XlsxPackage(path.name, content)
    package.check_sizes(limits.unpacked_bytes)
    parts = package.sheets()
    name = _chosen(path, rule, [_Tab(part.name, part.visible) for part in parts])
    scan = package.scan(next(part.part for part in parts if part.name == name))
    if scan.cells > limits.cells:
        raise _refuse(
            path,
            f"spreads sheet {name!r} over {scan.cells:,} cells, more than {limits.cells:,}; delete what stands far"
            " away from the table",
            "too-large",
        )
    return OpenBook(_digest(content), name, _rows(_sheet(path, content, name), scan))


def _open_xls(path: Path, rule: SheetRule, limits: Limits) -> OpenBook:
    content = _content(path, limits)
    if _ENCRYPTED in content:
        raise _refuse(path, "is locked with a password; save it without one", "locked")
    _survive(path, content)
    with _calamine(path, content) as book:
        tabs = [
            _Tab(sheet.name, sheet.visible == python_calamine.SheetVisibleEnum.Visible)
            for sheet in book.sheets_metadata
            if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
    name = _chosen(path, rule, tabs)
    return OpenBook(_digest(content), name, _rows(_sheet(path, content, name), SheetScan()))


def _survive(path: Path, content: bytes) -> None:
    """Refuse an xls that ends the process which opens it; see `xls_probe`."""
    probe = [sys.executable, "-I", str(Path(__file__).with_name("xls_probe.py"))]
    try:
        ended = subprocess.run(probe, input=content, capture_output=True, check=False, timeout=_PROBE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _refuse(path, "is damaged: opening it does not end", "is-a-workbook") from error
    if ended.returncode != 0:
        raise _refuse(path, "is damaged; open it in a spreadsheet program and save it as xlsx", "is-a-workbook")


def _content(path: Path, limits: Limits) -> bytes:
    if path.stat().st_size > limits.file_bytes:
        raise _refuse(path, f"is larger than {limits.file_bytes / 2**20:.0f} MiB; split it", "too-large")
    return path.read_bytes()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _chosen(path: Path, rule: SheetRule, tabs: Sequence[_Tab]) -> str:
    """The name of the sheet that a mapping means; without a word in it, the first that is not hidden."""
    names = [tab.name for tab in tabs]
    if rule.name is not None:
        if rule.name in names:
            return rule.name
        near = difflib.get_close_matches(rule.name, names, n=1, cutoff=0)
        raise _refuse(path, f"has no sheet {rule.name!r}; the nearest is {near[0] if near else None!r}", "sheet")
    if rule.index is not None:
        if rule.index <= len(names):
            return names[rule.index - 1]
        raise _refuse(path, f"has {len(names)} sheets, not {rule.index}", "sheet")
    for tab in tabs:
        if tab.visible:
            return tab.name
    raise _refuse(path, "has no sheet to read", "sheet")


def _calamine(path: Path, content: bytes) -> CalamineWorkbook:
    with _translated(path):
        return CalamineWorkbook.from_filelike(io.BytesIO(content))


def _sheet(path: Path, content: bytes, name: str) -> CalamineSheet:
    with _calamine(path, content) as book, _translated(path):
        return book.get_sheet_by_name(name)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except python_calamine.PasswordError as error:
        raise _refuse(path, "is locked with a password; save it without one", "locked") from error
    except python_calamine.CalamineError as error:
        raise _refuse(path, f"is not a workbook that can be read: {error}", "is-a-workbook") from error


def _rows(sheet: CalamineSheet, scan: SheetScan) -> Rows:
    """The rows of a sheet. Columns left of the first with a value are left out, unless a fault stands among them."""

    def rows() -> Iterator[tuple[int, Cells]]:
        yield from enumerate(sheet.iter_rows() if sheet.start else (), 1)

    def rows_with_faults() -> Iterator[tuple[int, Cells]]:
        left: list[Cell] = [None] * (sheet.start[1] if sheet.start else 0)
        last = 0
        for last, cells in rows():
            yield last, _with_faults([*left, *cells], scan.faults.get(last, ()))
        for at in range(last + 1, max(scan.faults) + 1):
            yield at, _with_faults([], scan.faults.get(at, ()))

    return rows_with_faults if scan.faults else rows


def _with_faults(cells: list[Cell], faults: Sequence[tuple[int, Fault]]) -> Cells:
    for column, fault in faults:
        cells.extend([None] * (column + 1 - len(cells)))
        cells[column] = fault
    return cells


def _refuse(path: Path, fault: str, rule: str) -> UnreadableBookError:
    return UnreadableBookError(f"{path.name} {fault}", field="path", rule=rule)
