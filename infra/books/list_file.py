"""A list of one case that somebody uploads: a workbook or a text file, opened as ledger books are, and held, for it is small."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from domain.books.mapping import SheetRule
from domain.errors import InputError
from domain.sheets.intake import SheetRows, limited
from infra.books.opening import Limits, open_book

_SUFFIXES: Final = frozenset((".xlsx", ".xlsm", ".xls", ".tsv", ".txt"))
LIMITS: Final = Limits(file_bytes=8 << 20, unpacked_bytes=64 << 20, cells=400_000)


def list_rows(name: str, content: bytes) -> SheetRows:
    """The rows of the first sheet, blank ones left out; `name` is the file's, for its kind and for messages.

    Raises:
        InputError: it is larger than a list of one case may be (`too-large`).
        UnreadableBookError: it is no workbook, and no text with cells.
    """
    if len(content) > LIMITS.file_bytes:
        raise InputError(f"{name} is larger than {LIMITS.file_bytes >> 20} MiB", field="sheet", rule="too-large")
    with tempfile.TemporaryDirectory(prefix="qingling-list-") as folder:
        suffix = Path(name).suffix.lower()  # whatever else a bank calls its files is text
        path = Path(folder) / f"list{suffix if suffix in _SUFFIXES else '.csv'}"
        path.write_bytes(content)
        return limited(open_book(path, SheetRule(), LIMITS).rows())
