"""Books in text files: csv with comma, semicolon, tab or bar, in UTF-8, GB18030 or UTF-16 with its mark.

The encoding is not guessed from a sample: the whole file must decode. Rows are read one at a time; memory does not
grow with the file.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from domain.books.scanning import Cells, Rows
from domain.errors import UnreadableBookError

_CHUNK = 1024 * 1024
_SAMPLE_LINES = 60
_LONGEST_CELL = 1_000_000  # characters; beyond this a quotation mark is missing


def open_text(path: Path) -> tuple[str, Rows]:
    """SHA-256 of the file and its rows.

    Raises:
        UnreadableBookError: in no known encoding. Rows raise it where quotation marks do not match, or when the file
            was changed meanwhile.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    encoding = _encoding(path)
    delimiter = _delimiter(path, encoding)
    state = _state(path)

    def rows() -> Iterator[tuple[int, Cells]]:
        csv.field_size_limit(_LONGEST_CELL)
        with path.open(encoding=encoding, newline="") as lines:
            if _state(path) != state:
                raise UnreadableBookError(
                    f"{path.name} was changed while it was being read", field="path", rule="stable"
                )
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            at = 0
            try:
                for at, cells in enumerate(reader, 1):
                    yield at, cells
            except csv.Error as error:
                raise UnreadableBookError(
                    f"{path.name}, row {at + 1}: {error}; look for a quotation mark without its other half",
                    field="row",
                    row=at + 1,
                    rule="quotes",
                ) from error

    return digest.hexdigest(), rows


def _state(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        mark = file.read(4)
    wide = mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        if _decodes(path, encoding, nulls=wide):
            return encoding
    raise UnreadableBookError(f"{path.name} is neither UTF-8 nor GB18030 text", field="path", rule="encoding")


def _decodes(path: Path, encoding: str, *, nulls: bool) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                if b"\x00" in chunk and not nulls:
                    return False
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter that cuts the most of the first lines into the same number of cells, more cells before fewer."""
    with path.open(encoding=encoding, newline="") as lines:
        sample = [line for _, line in zip(range(_SAMPLE_LINES), lines, strict=False)]

    def score(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(cells) for cells in csv.reader(io.StringIO("".join(sample)), delimiter=delimiter))
        return max(((count, width) for width, count in widths.items() if width > 1), default=(0, 0))

    return max((",", "\t", ";", "|"), key=score)
