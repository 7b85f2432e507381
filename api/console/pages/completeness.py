"""Who is missing: receptions without a case, permits and approvals beside the registered projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.console.rendering import render
from api.parameters import CompletenessParameters
from api.views.completeness import completeness_view

router = APIRouter()


@router.get("/completeness", response_class=Response)
def completeness(request: Request, read: Read, asked: Annotated[CompletenessParameters, Query()]) -> Response:
    """What is in one register and not in the other."""
    view = completeness_view(read, as_known_at=asked.as_known_at, jurisdiction=asked.jurisdiction)
    return render(request, read, "completeness.html", found=view)
