"""The provable log: checkpoint, keys, witnesses, wholeness, and how to check any of it without trusting this page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.console.rendering import render
from api.parameters import NoParameters
from api.views.sealing import sealing_view

router = APIRouter(prefix="/log")


@router.get("", response_class=Response)
def provable_log(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """Who stands behind the log, and how far."""
    return render(request, read, "log.html", sealing=sealing_view(read))
