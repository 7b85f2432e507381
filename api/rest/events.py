"""`/v1/events` and `/v1/streams`: the log itself, event by event."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.admission import Read
from api.parameters import MAX_POSITION, NamesParameters, NoParameters, StreamParameters
from api.rest.answers import answer, entity_tag
from api.rest.documented import bytes_answer, documented
from api.views.event import EventView, StreamView, entry_bytes, event_view, stream_view
from api.views.timeline import states_of

router = APIRouter(prefix="/v1", tags=["events"])
Position = Annotated[int, Path(ge=1, le=MAX_POSITION)]
CLOUDEVENT = "application/cloudevents+json"


@router.get("/events/{position}", **documented(EventView, "An event"))
def event(request: Request, position: Position, read: Read, asked: Annotated[NamesParameters, Query()]) -> Response:
    """The event at a position, as a person reads it, with its neighbours in the log and in its stream."""
    view = event_view(read, position, names=asked.names)
    return answer(
        request, view, depends_on=None if asked.names else ("event", view.head, view.item.state, view.sealing)
    )


@router.get("/events/{position}/entry", **bytes_answer("The recorded bytes of an event", CLOUDEVENT, "entry"))
def entry(request: Request, position: Position, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """The exact canonical bytes that were recorded: a CloudEvents 1.0 JSON object in the form of RFC 8785. They never change."""
    content = entry_bytes(read, position)
    headers = {"ETag": entity_tag(request, ("entry",)), "Cache-Control": "private, no-cache"}
    return Response(content, media_type=CLOUDEVENT, headers=headers)


@router.get("/streams/{stream:path}", **documented(StreamView, "The events of a stream"))
def stream(request: Request, stream: str, read: Read, asked: Annotated[StreamParameters, Query()]) -> Response:
    """A case, a claim line, a payment, a book, an officer, or `log`: every event of it, in order of version."""
    view = stream_view(read, stream, upto=asked.upto, names=asked.names)
    return answer(request, view, depends_on=None if asked.names else ("stream", view.position, states_of(view.events)))
