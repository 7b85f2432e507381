"""`/v1/evidence`: files are handed in before the command that names them, and handed out to who may read them.

A file is served as what it was found to be, never sniffed, and as an attachment unless it is a photograph; a sandboxing policy keeps
whatever it holds from doing anything (docs/evidence.md).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Final
from urllib.parse import unquote

from anyio import from_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.admission import Read
from api.parameters import NoParameters, Parameters
from api.reading import Reading, is_text
from api.rest.answers import JSON, answer
from api.rest.documented import PROBLEMS, REFUSALS, documented, recording
from api.views.evidence import (
    EvidenceView,
    StoredEvidenceView,
    opened_file,
    put,
    put_upload,
    require_officer,
    stored_view,
    thumbnail_of,
)
from domain.errors import InputError
from domain.evidence.media import LIMITS, MIB, EvidenceKind

router = APIRouter(prefix="/v1/evidence", tags=["evidence"])
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the sealed file, as an event names it.")]
SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
    "Cache-Control": "private, no-store",
}
FILE_NAME: Final = "Qingling-File-Name"
_MOST: Final = max(LIMITS.values()) + MIB  # with what a form puts around a file
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class HandingIn(Parameters):
    """Whose a file is."""

    subject: str | None = None
    """The id of the stream that it belongs to: a case, a complaint, a project. Left out: a key of its own."""


_BINARY: Final = {"type": "string", "format": "binary"}
_HANDED_IN: Final = {
    "parameters": [
        {
            "name": FILE_NAME,
            "in": "header",
            "required": False,
            "description": "With a body that is the file itself: its name, percent-encoded UTF-8.",
            "schema": {"type": "string"},
        }
    ],
    "requestBody": {
        "required": True,
        "description": "The file, as `file` of a form, or as the body itself; what it is, is found from its content.",
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": _BINARY}, "required": ["file"]},
            },
            "application/octet-stream": {"schema": _BINARY},
        },
    },
}


@router.post("", **recording(EvidenceView, "Hands in an evidence file"), openapi_extra=_HANDED_IN)
async def hand_in(request: Request, read: Read, asked: Annotated[HandingIn, Query()]) -> Response:
    """Looks at a file, seals it, keeps it, and answers with what a command's `evidence` takes. Nothing is recorded until one names it.

    Takes a bearer token that names an officer, on a simulation too. A body that is the file itself is sealed while it comes.
    """
    require_officer(read)
    _refuse_what_is_too_large(request)
    if asked.subject is not None:
        await run_in_threadpool(read.platform.stream, asked.subject)
    made = await _taken(request, read, asked.subject)
    return Response(
        made.model_dump_json(exclude_none=True),
        status_code=201,
        media_type=JSON,
        headers={"Location": f"/v1/evidence/{made.sha256}", "Cache-Control": "no-store"},
    )


def _refuse_what_is_too_large(request: Request) -> None:
    """Before a byte of it is read, where the request says its length; else the kind's limit is found while it comes."""
    said = request.headers.get("Content-Length", "0")
    if said.isdigit() and int(said) > _MOST:
        raise InputError(f"no file may have more than {_MOST // MIB - 1} MiB", field="file", rule="evidence-size")


async def _taken(request: Request, read: Reading, subject: str | None) -> EvidenceView:
    if not request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        name, body = _file_name(request), request.stream()
        return await run_in_threadpool(put, read, subject, _pieces(body), name)
    if "Content-Length" not in request.headers:
        raise InputError("a form says its length (Content-Length)", field="file", rule="evidence-size")
    async with request.form(max_files=1, max_fields=0) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InputError("the form has no file of the name `file`", field="file", rule="value")
        return await run_in_threadpool(put_upload, read, subject, file)


def _file_name(request: Request) -> str | None:
    given = request.headers.get(FILE_NAME)
    if given is None:
        return None
    name = unquote(given, errors="replace")
    if not is_text(name):
        raise InputError(f"{FILE_NAME} holds a character that cannot be printed", field=FILE_NAME, rule="printable")
    return name


def _pieces(body: AsyncIterator[bytes]) -> Iterator[bytes]:
    """The body, for whoever takes it in a thread: no more of it is read than is taken."""

    async def following() -> bytes | None:
        return await anext(body, None)

    while (piece := from_thread.run(following)) is not None:
        yield piece


@router.get("/{sha256}/about", **documented(StoredEvidenceView, "What an evidence file is"))
def about(request: Request, sha256: Digest, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """Kind and size, whose key opens it, its name by right, and the events that name it, which the reader may see."""
    view = stored_view(read, sha256)
    return answer(request, view, depends_on=None)


def _file_route(summary: str, media: str, *further: int) -> dict[str, Any]:
    responses: dict[int | str, Any] = {
        200: {"description": "The file.", "content": {media: {}}},
        **PROBLEMS,
        **{status: REFUSALS[status] for status in further},
    }
    return {"summary": summary, "response_class": Response, "response_model": None, "responses": responses}


@router.get("/{sha256}/thumbnail", **_file_route("A photograph, small", "image/jpeg", 410, 422))
def thumbnail(sha256: Digest, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """A JPEG of 320 pixels at the most, without any of the photograph's own metadata. 404: no photograph; 422: none can be made."""
    return Response(thumbnail_of(read, sha256), media_type="image/jpeg", headers=SAFE)


_FILE = _file_route("An evidence file", "application/octet-stream", 410)
_FILE["responses"] |= {
    206: {"description": "The part that `Range` asks for.", "content": {"application/octet-stream": {}}},
    416: {"description": "The file has no such part.", "content": {"application/octet-stream": {}}},
}


@router.get("/{sha256}", **_FILE)
def hand_out(request: Request, sha256: Digest, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """The file itself, opened for who may see what is personal. One range of bytes may be asked for. 410: its subject was erased."""
    view = stored_view(read, sha256)
    disposition = "inline" if view.kind == EvidenceKind.PHOTO.value else "attachment"
    headers = {
        **SAFE,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'{disposition}; filename="{sha256[:12]}"',
        "ETag": f'"{sha256}"',
    }
    whole = range(view.size)
    part = _asked_part(request, view.size, headers["ETag"])
    if not part:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{view.size}"})
    headers["Content-Length"] = str(len(part))
    if part != whole:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{view.size}"
    return StreamingResponse(
        opened_file(read, sha256, part),
        status_code=200 if part == whole else 206,
        media_type=view.type,
        headers=headers,
    )


def _asked_part(request: Request, size: int, tag: str) -> range:
    """The bytes that are asked for: all, unless one range is (RFC 9110, section 14.2); empty where the file has none of them."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or request.headers.get("If-Range", tag) != tag or not any(match.groups()):
        return range(size)
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    end = size if not last else min(size, int(last) + 1)
    if last and int(last) < int(first):
        return range(size)  # says nothing, so it is not counted (section 14.1.1)
    return range(int(first), end)
