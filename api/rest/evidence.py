"""`/v1/evidence`: files are handed in before the command that names them, and handed out to who may read them.

A file is served as what it was found to be, never sniffed, and as an attachment unless it is a photograph; a sandboxing policy keeps
whatever it holds from doing anything (docs/evidence.md).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Path, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from api.parameters import NoParameters, Parameters
from api.reading import Read
from api.rest.answers import JSON, answer
from api.rest.documented import PROBLEMS, documented, recording
from api.views.evidence import EvidenceView, StoredEvidenceView, opened_file, put_upload, stored_view
from domain.evidence.media import EvidenceKind

router = APIRouter(prefix="/v1/evidence", tags=["evidence"])
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the sealed file, as an event names it.")]
SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
    "Cache-Control": "private, no-store",
}


class HandingIn(Parameters):
    """Whose a file is."""

    subject: str | None = None
    """The id of the stream that it belongs to: a case, a complaint, a project. Left out: a key of its own."""


@router.post("", **recording(EvidenceView, "Hands in an evidence file"))
def hand_in(
    read: Read,
    asked: Annotated[HandingIn, Query()],
    file: Annotated[UploadFile, File(description="The file; what it is, is found from its content.")],
) -> Response:
    """Looks at a file, seals it, keeps it, and answers with what a command's `evidence` takes. Nothing is recorded until one names it.

    Takes a bearer token that names an officer, on a simulation too.
    """
    if asked.subject is not None:
        read.platform.stream(asked.subject)
    made = EvidenceView.model_validate(put_upload(read, asked.subject, file))
    return Response(
        made.model_dump_json(exclude_none=True),
        status_code=201,
        media_type=JSON,
        headers={"Location": f"/v1/evidence/{made.sha256}", "Cache-Control": "no-store"},
    )


@router.get("/{sha256}/about", **documented(StoredEvidenceView, "What an evidence file is"))
def about(request: Request, sha256: Digest, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """Kind, size and whose key opens it, without opening it."""
    view = stored_view(read, sha256)
    return answer(request, view, depends_on=("evidence", view.sha256))


_FILE: dict[str, Any] = {
    "summary": "An evidence file",
    "response_class": Response,
    "response_model": None,
    "responses": {200: {"description": "The file.", "content": {"application/octet-stream": {}}}, **PROBLEMS},
}


@router.get("/{sha256}", **_FILE)
def hand_out(sha256: Digest, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """The file itself, opened for who may see what is personal. 410: its subject was erased."""
    view = stored_view(read, sha256)
    disposition = "inline" if view.kind == EvidenceKind.PHOTO.value else "attachment"
    headers = {**SAFE, "Content-Disposition": f'{disposition}; filename="{sha256[:12]}"'}
    return StreamingResponse(opened_file(read, sha256), media_type=view.type, headers=headers)
