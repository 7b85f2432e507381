"""`/v1/completeness`: who is missing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.parameters import CompletenessParameters
from api.rest.answers import answer
from api.rest.documented import documented
from api.views.completeness import CompletenessView, completeness_view

router = APIRouter(prefix="/v1/completeness", tags=["clearance"])


@router.get("", **documented(CompletenessView, "Who is missing"))
def completeness(request: Request, read: Read, asked: Annotated[CompletenessParameters, Query()]) -> Response:
    """Complaints that were taken into cases which nobody registered, and the permits and approvals of the authorities beside the
    registered projects: what is in one and not in the other, what fits several, what differs, what is listed twice."""
    view = completeness_view(read, as_known_at=asked.as_known_at, jurisdiction=asked.jurisdiction)
    return answer(request, view, depends_on=("completeness", view.position))
