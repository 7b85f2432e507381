"""Proofs over REST: of one event, between two checkpoints, and the commitment to all histories."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.admission import Read
from api.parameters import (
    MAX_POSITION,
    CheckpointParameters,
    ConsistencyParameters,
    NoParameters,
    PublishedParameters,
)
from api.rest.answers import JSON, answer
from api.rest.documented import created, documented, proof_answer
from api.views.event import recorded_event
from api.views.proof import (
    CommittedView,
    ConsistencyView,
    checkpoint_view,
    committed_view,
    consistency_view,
    proof_file,
    proof_name,
)
from api.views.sealing import CheckpointNote, WholenessView, sealing_view
from domain.errors import NotFoundError, UnauthorisedError

router = APIRouter(prefix="/v1", tags=["proofs"])
TEXT = "text/plain; charset=utf-8"


@router.get("/events/{position}/proof", **proof_answer("The proof of an event"))
def proof(
    position: Annotated[int, Path(ge=1, le=MAX_POSITION)],
    read: Read,
    asked: Annotated[PublishedParameters, Query()],
) -> Response:
    """A `.tlog-proof` file (C2SP tlog-proof): with it, the event's bytes and the log's public key the event is proved offline, for ever.

    Its `extra` line is the receipt. The file holds no personal data. 503 until the event is published.
    """
    recorded_event(read, position)
    asked.wait_on(read, position)
    content = proof_file(read, position)
    headers = {
        "Content-Disposition": f'attachment; filename="{proof_name(read.platform.info.origin, position)}"',
        "Cache-Control": "private, no-cache",
    }
    return Response(content, media_type=TEXT, headers=headers)


@router.get("/log/checkpoint", **documented(CheckpointNote, "A published checkpoint, the latest or an earlier one"))
def checkpoint(request: Request, read: Read, asked: Annotated[CheckpointParameters, Query()]) -> Response:
    """Every checkpoint that was ever published is kept. `/log/checkpoint` hands out the latest one as the bytes that were signed."""
    view = checkpoint_view(read, asked.size)
    return answer(request, view, depends_on=("checkpoint", view.note))


@router.get("/log/consistency", **documented(ConsistencyView, "That the log only grew between two checkpoints"))
def consistency(request: Request, read: Read, asked: Annotated[ConsistencyParameters, Query()]) -> Response:
    """The consistency proof between two published trees, the earlier one first."""
    view = consistency_view(read, asked.old, asked.new)
    return answer(request, view, depends_on=("consistency", view.old, view.new))


@router.get("/log/wholeness", **documented(WholenessView, "The latest commitment to all histories"))
def wholeness(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """The event that binds the log to every case and stream as of a position; made after each day, and on demand. 404: none yet."""
    view = sealing_view(read).wholeness
    if view is None:
        raise NotFoundError("the log has not committed to its histories yet")
    return answer(request, view, depends_on=("wholeness", view.position))


@router.post("/log/wholeness", **created(CommittedView, "Commits to all histories as of now"))
def commit(read: Read, asked: Annotated[PublishedParameters, Query()]) -> Response:
    """Records a fresh wholeness map as an event. Takes a bearer token that names an officer, on a simulation too.

    The answer is 201 once the event is recorded, whatever becomes of it later: `state` says how far it has come. With `wait=published` it
    is given time to be published.
    """
    if read.reader.officer is None:
        raise UnauthorisedError("recording needs a token that names an officer")
    position = read.platform.sealing.commit_wholeness(read.reader.officer.officer)
    asked.waited(read, position)
    return Response(
        committed_view(read, position).model_dump_json(),
        status_code=201,
        media_type=JSON,
        headers={"Location": f"/v1/events/{position}", "Cache-Control": "no-store"},
    )
