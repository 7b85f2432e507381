"""`/v1/cases`: one case on either time axis, its timeline, and the two axes side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.admission import Read
from api.parameters import CaseParameters, ComparisonParameters, WhyParameters
from api.rest.answers import answer
from api.rest.documented import documented
from api.views.case import (
    CaseTimelineView,
    CaseView,
    ComparisonView,
    case_timeline,
    case_view,
    comparison,
)
from api.views.timeline import states_of
from api.views.why import WhyView, why_view

router = APIRouter(prefix="/v1/cases", tags=["cases"])


@router.get("/{case:path}/timeline", **documented(CaseTimelineView, "The history of a case"))
def timeline(request: Request, case: str, read: Read, asked: Annotated[CaseParameters, Query()]) -> Response:
    """Every event of the case and of what belongs to it: who, the four times, what changed, on which basis."""
    view = case_timeline(_case(read, case, asked))
    return answer(request, view, depends_on=None if asked.names else ("timeline", *_what(view, asked)))


@router.get("/{case:path}/comparison", **documented(ComparisonView, "A case on both time axes"))
def compared(request: Request, case: str, read: Read, asked: Annotated[ComparisonParameters, Query()]) -> Response:
    """What was known at the end of a day, beside what was so as far as is known now: what differs was concealed, late or corrected."""
    view = comparison(read, case, asked.day)
    return answer(request, view, depends_on=("comparison", view.position, view.now, states_of(view.later)))


@router.get("/{case:path}/why", **documented(WhyView, "Why the computed words hold of a case, or do not"))
def why(request: Request, case: str, read: Read, asked: Annotated[WhyParameters, Query()]) -> Response:
    """Every condition of *determined*, *solved*, *confirmed*, *closed* and *written off*, the events that turned it, and the claim lines
    that stand against it; and which cells of the board the case counts in."""
    view = why_view(
        read,
        case,
        as_known_at=asked.as_known_at,
        as_it_was_by=asked.as_it_was_by,
        names=asked.names,
        only=None if asked.word is None else asked.word.replace("-", "_"),
    )
    return answer(request, view, depends_on=None)


@router.get("/{case:path}", **documented(CaseView, "A case"))
def case(request: Request, case: str, read: Read, asked: Annotated[CaseParameters, Query()]) -> Response:
    """A case by its id or official number, replayed from its own events.

    `as_known_at` is what was known then; `as_it_was_by` is what was so by the end of a day with what is known now. Never both.
    """
    view = _case(read, case, asked)
    return answer(request, view, depends_on=None if asked.names else ("case", *_what(view, asked)))


def _what(view: CaseView | CaseTimelineView, asked: CaseParameters) -> tuple[object, ...]:
    """All that an answer's bytes depend on, beside the address."""
    return view.position, asked.window(), states_of(view.timeline), view.sealing and view.sealing.not_published


def _case(read: Read, case: str, asked: CaseParameters) -> CaseView:
    return case_view(
        read,
        case,
        as_known_at=asked.as_known_at,
        as_it_was_by=asked.as_it_was_by,
        names=asked.names,
        window=asked.window(),
    )
