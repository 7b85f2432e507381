"""A small sheet as text, as if it had been pasted: for lists of one case that are looked at before they are recorded."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from domain.books.cells import shown
from domain.books.mapping import SheetRule
from domain.errors import InputError
from infra.books.opening import Limits, open_book

SHEET_BYTES: Final = 8 << 20
LIMITS: Final = Limits(file_bytes=SHEET_BYTES, unpacked_bytes=64 << 20, cells=400_000)
MOST_TEXT: Final = 2 << 20


def sheet_text(name: str, content: bytes) -> str:
    """The first sheet of a workbook, or a text file, with tabs between its cells.

    Raises:
        InputError: it is too large.
        UnreadableBookError: it is no workbook, and no text with cells.
    """
    if len(content) > LIMITS.file_bytes:
        raise InputError(f"{name} is larger than {LIMITS.file_bytes >> 20} MiB", field="sheet", rule="too-large")
    with tempfile.TemporaryDirectory(prefix="qingling-sheet-") as folder:
        path = Path(folder) / f"list{Path(name).suffix.lower() or '.csv'}"
        path.write_bytes(content)
        book = open_book(path, SheetRule(), LIMITS)
        text = "\n".join("\t".join(_cell(shown(cell)) for cell in cells) for _, cells in book.rows())
    if len(text) > MOST_TEXT:
        raise InputError(f"{name} holds more than {MOST_TEXT >> 20} MiB of text", field="sheet", rule="too-large")
    return text


def _cell(text: str) -> str:
    return text.replace("\t", " ").replace("\n", " ").replace("\r", " ")
