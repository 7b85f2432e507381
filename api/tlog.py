"""`/log`: the provable log as static files, by C2SP tlog-tiles: checkpoint, tiles of hashes, bundles of entries.

Who may read: the checkpoint and the tiles hold nothing but hashes and signatures and are open to everybody, on a real log too; who
could only see them with a token could not find out that others are shown something else. A bundle holds the entries themselves: it asks
for the same right as reading an event, and is refused whole where it holds an event that the reader may not see.

What is open to everybody is so for pages of other origins too (`Access-Control-Allow-Origin: *`): an auditor's or a witness's page can
check the log in a browser, and since that header never lets credentials through, nothing reaches it that a stranger could not get.
Bundles of a real log bear no such header.

Guarantees: one spelling of a path is answered, every other is not found. A tile or bundle never changes, so it may be kept for ever.
"""

from __future__ import annotations

import gzip
import hashlib
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from api.admission import platform_of, reading
from api.parameters import NoParameters
from api.reading import Reading
from api.rest.answers import has
from api.rest.documented import static_answer
from domain.campaigns.genesis import LogKind
from domain.errors import NotFoundError
from domain.sealing.bundles import decode_bundle
from domain.sealing.tiles import Bundle
from domain.streams import Visibility

router = APIRouter(prefix="/log", tags=["provable log"])

TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
_FOR_EVER: Final = "max-age=31536000, immutable"
_A_SECOND: Final = "max-age=1"
"""The specification says a few seconds at most; a new checkpoint comes four times a second at most."""


@router.get("/checkpoint", **static_answer("The published checkpoint", TEXT))
def checkpoint(request: Request, _: Annotated[NoParameters, Query()]) -> Response:
    """The signed note with the cosignatures that make it published. 503 as long as there is none."""
    note = platform_of(request).sealing.checkpoint()
    return _file(request, note, TEXT, f"public, {_A_SECOND}", open_to_all=True)


@router.get("/tile/entries/{path:path}", **static_answer("A bundle of entries", BYTES))
def entries(request: Request, path: str, _: Annotated[NoParameters, Query()]) -> Response:
    """Up to 256 entries, each after its length in two bytes. On a real log with the right to read it. Compressed for who takes gzip."""
    read = reading(request)
    served = read.platform.sealing.served(f"tile/entries/{path}")
    _require_visible(read, served.bundle, served.data)
    open_to_all = read.platform.info.kind is LogKind.SIMULATION
    cache = f"{'public' if open_to_all else 'private'}, {_FOR_EVER}"
    return _file(request, served.data, BYTES, cache, open_to_all=open_to_all, compressed=True)


@router.get("/tile/{path:path}", **static_answer("A tile of hashes", BYTES))
def tile(request: Request, path: str, _: Annotated[NoParameters, Query()]) -> Response:
    """Up to 256 neighbouring hashes of a level, 32 bytes each; `.p/W` names a partial tile."""
    served = platform_of(request).sealing.served(f"tile/{path}")
    return _file(request, served.data, BYTES, f"public, {_FOR_EVER}", open_to_all=True)


def _require_visible(read: Reading, bundle: Bundle | None, data: bytes) -> None:
    """Every entry of a bundle, or none of it: a bundle with a gap would have another hash.

    Raises:
        NotFoundError: it holds an event that the reader may not see.
    """
    if bundle is None:
        raise NotFoundError("the path names no bundle of entries")
    entries = decode_bundle(data, bundle.width)
    if not all(read.reader.may_see(Visibility(orjson.loads(entry)["visibility"])) for entry in entries):
        raise NotFoundError(f"{bundle.path} holds an event that you may not see; the others can be read one by one")


def _file(
    request: Request, data: bytes, media_type: str, cache: str, *, open_to_all: bool, compressed: bool = False
) -> Response:
    """A static file, or 304 where the reader has it. Compressed and plain are two representations with a tag each."""
    zipped = compressed and _takes_gzip(request)
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}{"-gzip" if zipped else ""}"'
    headers = {"ETag": tag, "Cache-Control": cache}
    if open_to_all:
        headers["Access-Control-Allow-Origin"] = "*"
    vary = [*(["Accept-Encoding"] if compressed else []), *([] if open_to_all else ["Authorization", "Cookie"])]
    if vary:
        headers["Vary"] = ", ".join(vary)
    if has(request, tag):
        return Response(status_code=304, headers=headers)
    if zipped:
        headers["Content-Encoding"] = "gzip"
        data = gzip.compress(data, mtime=0)
    return Response(data, media_type=media_type, headers=headers)


def _takes_gzip(request: Request) -> bool:
    """Whether `Accept-Encoding` names gzip and does not rule it out (RFC 9110, section 12.5.3)."""
    for each in request.headers.get("Accept-Encoding", "").split(","):
        coding, _, weight = each.partition(";")
        if coding.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
