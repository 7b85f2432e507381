"""One event of the log: its bytes, its neighbours, and the receipt of it."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from api.admission import Read
from api.commands.catalogue import noun_of
from api.console.rendering import render
from api.parameters import MAX_POSITION, NoParameters
from api.views.event import entry_bytes, event_view
from api.views.evidence import names_of
from api.views.proof import receipt_view
from domain.sealing.state import State

router = APIRouter(prefix="/events")
Position = Annotated[int, Path(ge=1, le=MAX_POSITION)]


@router.get("/{position}", response_class=Response)
def event(request: Request, position: Position, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """An event, read, and the entry that was recorded, laid out for the eye."""
    view = event_view(read, position, names=True)
    entry = orjson.loads(entry_bytes(read, position))
    laid_out = orjson.dumps(entry, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    named = names_of(read, view.item.evidence)
    noun = noun_of(view.item.stream)
    return render(request, read, "event.html", event=view, entry=laid_out, names=named, noun=noun)


@router.get("/{position}/receipt", response_class=Response)
def receipt(request: Request, position: Position, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """A sheet to print and take home; before the event is published, what it waits for."""
    view = event_view(read, position, names=False)
    if view.item.state != State.PUBLISHED:
        waiting = render(request, read, "receipt-waiting.html", status_code=503, event=view)
        waiting.headers["Retry-After"] = "1"
        return waiting
    return render(request, read, "receipt.html", receipt=receipt_view(read, position))
