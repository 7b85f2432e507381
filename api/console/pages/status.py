"""How the ledgers are: positions, lag, states, reasons; and what the log is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.console.rendering import render
from api.parameters import NoParameters
from api.views.log import log_view
from api.views.status import status_view

router = APIRouter(prefix="/status")


@router.get("", response_class=Response)
def status(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """Whether what the other pages show can be relied on as current."""
    return render(request, read, "status.html", status=status_view(read), about=log_view(read))
