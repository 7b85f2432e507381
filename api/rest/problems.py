"""Problem documents (RFC 9457) for everything that goes wrong under `/v1` and at the health addresses."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.errors import Answer, answer_to, answer_to_status, detail_of, is_inside, members_of, problem
from api.parameters import UNKNOWN, UNPRINTABLE
from domain.errors import InputError, NotReadyError, UnauthorisedError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)


def said_wrongly(error: RequestValidationError) -> InputError:
    """A validation error as an error of the tree: the first thing that was wrong, with its field, rule and all in one sentence."""
    faults = [_fault(fault) for fault in error.errors()]
    return InputError(
        "; ".join(sentence for _, _, sentence in faults), field=faults[0][0], rule=faults[0][1]
    )  # fmt: skip


def _fault(fault: Mapping[str, Any]) -> tuple[str, str, str]:
    """Field, rule and sentence of one fault, as pydantic tells it."""
    context = fault.get("ctx") or {}
    place: Sequence[object] = fault["loc"]
    field = str(context.get("field") or (place[-1] if place else ""))
    if fault["type"] == UNKNOWN:
        return field, "known-parameter", fault["msg"]
    if fault["type"] == UNPRINTABLE:
        return field, "printable", fault["msg"]
    return field, "value", f"{field}: {fault['msg']}"


def problem_response(request: Request, error: BaseException) -> Response:
    """The problem document for any error that reaches the door."""
    if isinstance(error, RequestValidationError):
        error = said_wrongly(error)
    if isinstance(error, HTTPException):
        answer = answer_to_status(error.status_code)
        return _document(request, answer, str(error.detail), {}, dict(error.headers or {}))
    answer = answer_to(error)
    members = {"incident": incident(request, error)} if is_inside(error) else members_of(error)
    return _document(request, answer, detail_of(error), members, headers_for(error))


def incident(request: Request, error: BaseException) -> str:
    """Logs an error that nobody expected, under a number that the reader is told instead of what happened."""
    number = uuid4().hex
    _log.error("incident %s: %s %s", number, request.method, request.url.path, exc_info=error)
    return number


def headers_for(error: BaseException) -> dict[str, str]:
    """Headers that belong to an error's status (RFC 9110, sections 11.6.1 and 10.2.3)."""
    if isinstance(error, UnauthorisedError):
        return {"WWW-Authenticate": 'Bearer realm="qingling"'}
    if isinstance(error, NotReadyError):
        return {"Retry-After": "1"}
    return {}


def _document(
    request: Request, answer: Answer, detail: str, members: Mapping[str, object], headers: Mapping[str, str]
) -> Response:
    body = problem(answer, detail, instance=request.url.path, members=members)
    return Response(
        orjson.dumps(body),
        status_code=answer.status,
        media_type=MEDIA_TYPE,
        headers={**headers, "Cache-Control": "no-store"},
    )
