"""`/v1/clearance`: the clearance board, and the cases behind its figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.parameters import BehindParameters, BoardParameters
from api.rest.answers import answer
from api.rest.documented import documented
from api.views.board import BehindView, BoardView, behind_view, board_view

router = APIRouter(prefix="/v1/clearance", tags=["clearance"])


@router.get("", **documented(BoardView, "The clearance board"))
def board(request: Request, read: Read, asked: Annotated[BoardParameters, Query()]) -> Response:
    """Jurisdiction × class × checkpoint, as known at the board's position beside what was known at the end of the checkpoint's day.

    A board whose ledgers are behind or stopped says `incomplete`, never `cleared`; an empty cell says `none-recorded`.
    """
    asked.wait_on(read, "clearance")
    view = board_view(read, asked.asked())
    return answer(request, view, depends_on=("clearance", view.position, view.complete, view.reason))


@router.get("/cases", **documented(BehindView, "The cases behind a figure of the board"))
def behind(request: Request, read: Read, asked: Annotated[BehindParameters, Query()]) -> Response:
    """The cases that a figure is made of, with what each adds to it, a stretch of the case ledger at a time; go on with `next`."""
    asked.wait_on(read, "clearance")

    def link(cursor: str, position: int) -> str:
        url = request.url.include_query_params(after=cursor, as_known_at=position)
        return f"{url.path}?{url.query}"

    view = behind_view(read, asked.behind(), link)
    headers = {"Link": f'<{view.next}>; rel="next"'} if view.next else {}
    depends_on = None if asked.names else ("behind", view.position)
    return answer(request, view, depends_on=depends_on, headers=headers)
