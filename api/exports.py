"""A ledger as a file, for REST and console alike."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, Final, Literal, cast
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse

from api.parameters import ExportParameters
from api.reading import Reading
from api.time_axes import known_at
from api.views.ledger import Asked, listed, refuse_what_it_is_not_kept_by

MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}
_IN_MEMORY: Final = 8 * 2**20
"""Bytes of a file kept in memory; beyond them it is written to disk before it is sent."""
_PIECE: Final = 2**16


def export_response(reading: Reading, name: str, asked: ExportParameters) -> Response:
    """The ledger as a download, its position, rows and digest in headers. The digest is the same in every format.

    Raises:
        NotFoundError: no such ledger.
        InputError: a filter or time that it cannot be asked for.
    """
    ledger = listed(reading, name)
    refuse_what_it_is_not_kept_by(ledger, Asked(filters=asked.filters()))
    file: BinaryIO = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - closed when sent
    try:
        receipt = reading.platform.export(
            name,
            file,
            format=cast(Literal["csv", "xlsx", "jsonl"], asked.format),
            as_of=known_at(reading.platform, asked.as_known_at),
            filters=asked.filters(),
            language=cast(Literal["zh", "en"], asked.language),
            open_names=asked.names and reading.reader.may_see_names,
        )
        length = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    title = ledger.title.zh if asked.language == "zh" else ledger.title.en
    return StreamingResponse(
        _pieces(file),
        media_type=MEDIA_TYPES[asked.format],
        headers={
            "Content-Length": str(length),
            "Content-Disposition": _disposition(f"{title} {receipt.position}.{asked.format}", f"{name}.{asked.format}"),
            "Cache-Control": "no-store",
            "Qingling-Origin": reading.platform.info.origin,
            "Qingling-Position": str(receipt.position),
            "Qingling-Rows": str(receipt.rows),
            "Qingling-Digest": f"sha-256={receipt.digest}",
        },
    )


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def _disposition(name: str, plain: str) -> str:
    """A file name in any script, with a plain one for those who read no other (RFC 6266, section 4.3)."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", plain)
    return f"attachment; filename=\"{safe}\"; filename*=UTF-8''{quote(name)}"
