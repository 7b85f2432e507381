"""`/v1/log`, `/v1/status`, `/v1/schemas`: what the log is, how its ledgers are, and how its events are built."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.parameters import NoParameters
from api.rest.answers import answer
from api.rest.documented import bytes_answer, documented
from api.views.ledger import nearest
from api.views.log import LogView, log_view
from api.views.schemas import SchemasView, schemas_view
from api.views.status import StatusView, status_view
from domain.errors import NotFoundError

router = APIRouter(prefix="/v1", tags=["log"])


@router.get("/log", **documented(LogView, "What the log is"))
def log(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """The first event of the log says what it is, for ever: real or simulation, origin, campaign, time zone, jurisdictions."""
    view = log_view(read)
    return answer(request, view, depends_on=("log", view.head, view.sealing.model_dump_json()))


@router.get("/status", **documented(StatusView, "How the ledgers are"))
def status(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """Position, lag and state of every ledger, with the reason where one is stopped. `/readyz` says it in one word."""
    return answer(request, status_view(read), depends_on=None)


@router.get("/schemas", **documented(SchemasView, "Every event type"))
def schemas(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """The event types that this release writes, each with the address of its JSON Schema."""
    return answer(request, schemas_view(read), depends_on=("schemas",))


@router.get(
    "/schemas/{event_type}", **bytes_answer("The JSON Schema of an event type", "application/schema+json", "schema")
)
def schema(event_type: str, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """JSON Schema (2020-12) of the `data` of an event."""
    types: Any = read.platform.types
    if event_type not in set(types):
        raise NotFoundError(f"there is no event type {event_type!r}{nearest(event_type, types)}")
    return Response(orjson.dumps(types.schema(event_type)), media_type="application/schema+json")
