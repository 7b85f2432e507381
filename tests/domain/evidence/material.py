"""Files to be admitted or refused, made here byte by byte."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

XLSX_TYPES = b'<Types><Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
DOCX_TYPES = XLSX_TYPES.replace(b"spreadsheetml.sheet", b"wordprocessingml.document")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200)
MP4 = (24).to_bytes(4, "big") + b"ftypisom\x00\x00\x02\x00isommp41" + bytes(100)


def archive(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as writing:
        for name, content in members.items():
            writing.writestr(name, content)
    return made.getvalue()


def xlsx(**more: bytes) -> bytes:
    """What is enough of a workbook."""
    return archive({"[Content_Types].xml": XLSX_TYPES, "xl/workbook.xml": b"<workbook/>", **more})


def ole(*streams: str, padding: int = 512) -> bytes:
    """An OLE container with these names in its directory."""
    entries = b""
    for name in streams:
        raw = (name + "\0").encode("utf-16-le")
        entries += raw.ljust(64, b"\0") + len(raw).to_bytes(2, "little") + bytes(62)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(padding, b"\0") + entries
