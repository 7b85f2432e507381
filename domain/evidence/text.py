"""Plain text and CSV, known from the whole file. Pure."""

from __future__ import annotations

import csv
from itertools import islice
from typing import Final

from domain.errors import InputError

_ENCODINGS: Final = ("utf-8", "gb18030")
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ALLOWED_CONTROLS: Final = frozenset("\t\n\r\f")
_MARKUP: Final = ("<!", "<?", "<html", "<svg", "<script", "<head", "<body")
_LOOKED_AT: Final = 50  # rows


def may_be_text(head: bytes) -> bool:
    """Whether a file that begins so can be text at all: without a byte order mark, text holds no control characters."""
    if any(head.startswith(mark) for mark, _ in _MARKS):
        return True
    return all(byte >= 0x20 or chr(byte) in _ALLOWED_CONTROLS for byte in head)


def media_type(content: bytes) -> str:
    """`text/csv` or `text/plain`.

    Raises:
        InputError: it is no text, in none of UTF-8, UTF-16 with a byte order mark and GB 18030; or markup, which a browser might run.
    """
    text = _decoded(content)
    if text is None or any(ord(c) < 0x20 and c not in _ALLOWED_CONTROLS for c in text):
        raise InputError("this is no kind of file that is taken as evidence", field="file", rule="evidence-type")
    if text.lstrip().lower().startswith(_MARKUP):
        raise InputError("markup is not taken as evidence", field="file", rule="evidence-type")
    return "text/csv" if any(_is_table(text, delimiter) for delimiter in ",;\t") else "text/plain"


def _decoded(content: bytes) -> str | None:
    marked = [encoding for mark, encoding in _MARKS if content.startswith(mark)]
    for encoding in marked or _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _is_table(text: str, delimiter: str) -> bool:
    """At least two rows, all of the same number of columns, and of more than one."""
    try:
        rows = [row for row in islice(csv.reader(text.splitlines(), delimiter=delimiter), _LOOKED_AT) if row]
    except csv.Error:
        return False
    return len(rows) > 1 and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1
