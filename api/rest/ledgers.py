"""`/v1/ledgers`: the catalogue, pages, rows, versions, exports."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.exports import export_response
from api.parameters import (
    ExportParameters,
    LedgerParameters,
    NamesParameters,
    NoParameters,
    RowParameters,
)
from api.rest.answers import answer
from api.rest.documented import documented, file_answer
from api.views.ledger import (
    CatalogueView,
    LedgerPageView,
    LedgerRowView,
    VersionsView,
    catalogue_view,
    ledger_page,
    ledger_row,
    ledger_versions,
    listed,
)

router = APIRouter(prefix="/v1/ledgers", tags=["ledgers"])


@router.get("", **documented(CatalogueView, "Every ledger: its columns, orders, filters"))
def catalogue(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """The ledgers are folded from the log; each says how its pages can be ordered, filtered and searched."""
    view = catalogue_view(read)
    return answer(request, view, depends_on=("catalogue", *(ledger.version for ledger in view.ledgers)))


@router.get("/{name}", **documented(LedgerPageView, "A page of a ledger"))
def page(request: Request, name: str, read: Read, asked: Annotated[LedgerParameters, Query()]) -> Response:
    """A page as known now or at an earlier time, in the order of the key or of a kept order. Go on with `next`."""
    ledger = listed(read, name)
    asked.wait_on(read, name)
    view = ledger_page(read, name, asked.asked(), lambda cursor: _next(request, cursor))
    headers = {"Link": f'<{view.next}>; rel="next"'} if view.next else {}
    depends_on = None if asked.names else (name, ledger.version, view.position, view.complete)
    return answer(request, view, depends_on=depends_on, headers=headers)


def _next(request: Request, cursor: str) -> str:
    url = request.url.include_query_params(after=cursor)
    return f"{url.path}?{url.query}"


@router.get("/{name}/export", **file_answer("A ledger as a file"))
def export(name: str, read: Read, asked: Annotated[ExportParameters, Query()]) -> Response:
    """The whole ledger as known at a position, as csv, xlsx or JSON lines; position, rows and digest stand in headers."""
    return export_response(read, name, asked)


@router.get("/{name}/{key:path}/versions", **documented(VersionsView, "Every version of a row"))
def versions(request: Request, name: str, key: str, read: Read, asked: Annotated[NamesParameters, Query()]) -> Response:
    """Each version bears the position of the event that made it, and of the one that replaced it."""
    view = ledger_versions(read, name, key, names=asked.names)
    last = view.versions[-1]
    depends_on = None if asked.names else (name, len(view.versions), last.position, last.until)
    return answer(request, view, depends_on=depends_on)


@router.get("/{name}/{key:path}", **documented(LedgerRowView, "One row of a ledger"))
def row(request: Request, name: str, key: str, read: Read, asked: Annotated[RowParameters, Query()]) -> Response:
    """A row as known now or at an earlier time, with the position that last changed it."""
    ledger = listed(read, name)
    asked.wait_on(read, name)
    view = ledger_row(read, name, key, asked.as_known_at, names=asked.names)
    depends_on = None if asked.names else (name, ledger.version, view.row.position)
    return answer(request, view, depends_on=depends_on)
