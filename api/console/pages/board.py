"""The front page: the clearance board, and the cases behind any figure of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.console.rendering import language_of, path, render
from api.parameters import BehindParameters, BoardParameters
from api.views.board import BEHIND_COLUMNS, behind_view, board_view, cells_by_row
from api.views.ledger import column_views
from domain.vocabulary import Funding
from projections.case_ledger import case_ledger

router = APIRouter()


@router.get("/", response_class=Response)
def board(request: Request, read: Read, asked: Annotated[BoardParameters, Query()]) -> Response:
    """The three classes by jurisdiction, checkpoint and funding; as known then beside as known now."""
    asked.wait_on(read, "clearance")
    view = board_view(read, asked.asked())
    return render(
        request,
        read,
        "board.html",
        board=view,
        cells=cells_by_row(view.cells, "jurisdiction"),
        totals=cells_by_row(view.totals, "jurisdiction"),
        by_funding=cells_by_row(view.by_funding, "funding"),
        fundings=[funding.value for funding in Funding],
    )


@router.get("/board/cases", response_class=Response)
def behind(request: Request, read: Read, asked: Annotated[BehindParameters, Query()]) -> Response:
    """The cases that one figure is made of."""
    asked.wait_on(read, "clearance")
    language = language_of(request)

    def link(cursor: str, position: int) -> str:
        return path(
            language, "board", "cases", **dict(request.query_params) | {"after": cursor, "as_known_at": position}
        )

    view = behind_view(read, asked.behind(), link)
    columns = column_views(case_ledger.column(name) for name in BEHIND_COLUMNS)
    return render(request, read, "behind.html", behind=view, columns=columns)
