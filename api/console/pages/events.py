"""One event of the log: its bytes, its neighbours."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from api.console.rendering import render
from api.parameters import MAX_POSITION, NoParameters
from api.reading import Read
from api.views.event import entry_bytes, event_view

router = APIRouter(prefix="/events")


@router.get("/{position}", response_class=Response)
def event(
    request: Request,
    position: Annotated[int, Path(ge=1, le=MAX_POSITION)],
    read: Read,
    _: Annotated[NoParameters, Query()],
) -> Response:
    """An event, read, and the entry that was recorded, laid out for the eye."""
    view = event_view(read, position, names=True)
    entry = orjson.loads(entry_bytes(read, position))
    laid_out = orjson.dumps(entry, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    return render(request, read, "event.html", event=view, entry=laid_out)
