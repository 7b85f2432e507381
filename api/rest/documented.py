"""What OpenAPI says of a route: its answer with an example, and the problems it can end in.

Examples are real answers, made from a small campaign and kept in `examples.json`; a test holds that they are still what is answered.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import orjson
from fastapi import Response

from api.errors import ANSWERS, problem
from api.exports import MEDIA_TYPES
from api.rest.problems import MEDIA_TYPE
from api.views.view import View
from domain.errors import (
    ConflictError,
    ErasedError,
    InputError,
    NotFoundError,
    NotReadyError,
    QinglingError,
    RuleError,
    UnauthorisedError,
)

EXAMPLES = Path(__file__).with_name("examples.json")


class Problem(View):
    """A problem document (RFC 9457)."""

    type: str
    """`urn:qingling:problem:<name>`; compare it, do not open it."""
    title: str
    title_zh: str
    status: int
    detail: str
    instance: str
    field: str | None = None
    """The parameter that was wrong."""
    row: int | None = None
    rule: str | None = None
    clause: str | None = None
    position: int | None = None
    """Where a ledger stands that has not reached what was asked for."""
    ledger: str | None = None
    may_continue: bool | None = None
    incident: str | None = None
    """What to look for in the server's log."""


@functools.cache
def examples() -> dict[str, Any]:
    """The stored examples, by the name of their view model."""
    found: dict[str, Any] = orjson.loads(EXAMPLES.read_bytes())
    return found


def documented(model: type[View], summary: str) -> dict[str, Any]:
    """Arguments of a route that answers with `model`. The example stands as its name until the document is made (`openapi.py`)."""
    return {
        "summary": summary,
        "response_class": Response,
        "response_model": None,
        "responses": {
            200: {"model": model, "content": {"application/json": {"example": model.__name__}}},
            304: {"description": "The reader has it already (`If-None-Match`)."},
            **PROBLEMS,
        },
    }


def file_answer(summary: str) -> dict[str, Any]:
    """Arguments of a route that answers with a file."""
    headers = {
        "Qingling-Position": "The position that the file is true at.",
        "Qingling-Rows": "Rows in it.",
        "Qingling-Digest": "`sha-256=` and the digest of its content, the same in every format.",
    }
    return {
        "summary": summary,
        "response_class": Response,
        "response_model": None,
        "responses": {
            200: {
                "description": "The file.",
                "content": {name.split(";")[0]: {"schema": {"type": "string"}} for name in MEDIA_TYPES.values()},
                "headers": {
                    name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
                },
            },
            **PROBLEMS,
        },
    }


def bytes_answer(summary: str, media_type: str, example: str) -> dict[str, Any]:
    """Arguments of a route that answers with exact bytes."""
    content = {media_type: {"schema": {"type": "object"}, "example": example}}
    return {
        "summary": summary,
        "response_class": Response,
        "response_model": None,
        "responses": {
            200: {"description": "The bytes.", "content": content},
            304: {"description": "The reader has it already (`If-None-Match`)."},
            **PROBLEMS,
        },
    }


def proof_answer(summary: str) -> dict[str, Any]:
    """Arguments of the route that answers with a proof's file."""
    return {
        "summary": summary,
        "response_class": Response,
        "response_model": None,
        "responses": {
            200: {
                "description": "The file.",
                "content": {"text/plain": {"schema": {"type": "string"}, "example": "proof"}},
                "headers": {
                    "Content-Disposition": {
                        "description": "The name of the file: `<origin>-<position>.tlog-proof`.",
                        "schema": {"type": "string"},
                    }
                },
            },
            **PROBLEMS,
        },
    }


def static_answer(summary: str, media_type: str) -> dict[str, Any]:
    """Arguments of a route that answers with a static file of the provable log."""
    return {
        "summary": summary,
        "response_class": Response,
        "response_model": None,
        "responses": {
            200: {
                "description": "The bytes.",
                "content": {media_type.split(";", maxsplit=1)[0]: {"schema": {"type": "string"}}},
            },
            304: {"description": "The reader has it already (`If-None-Match`)."},
            **PROBLEMS,
        },
    }


def created(model: type[View], summary: str) -> dict[str, Any]:
    """Arguments of a route that records something and answers with what `model` says of it."""
    location = {"description": "The event.", "schema": {"type": "string"}}
    return {
        "summary": summary,
        "status_code": 201,
        "response_class": Response,
        "response_model": None,
        "responses": {
            201: {
                "model": model,
                "content": {"application/json": {"example": model.__name__}},
                "headers": {"Location": location},
            },
            **PROBLEMS,
        },
    }


def recording(model: type[View], summary: str) -> dict[str, Any]:
    """As `created`, of a command: it may be refused by a rule, or because somebody else was first."""
    arguments = created(model, summary)
    return {**arguments, "responses": {**arguments["responses"], **REFUSALS}}


def _problem(kind: type[QinglingError], detail: str, **members: object) -> dict[str, Any]:
    answer = ANSWERS[kind]
    example = problem(answer, detail, instance="/v1/ledgers/case", members=members)
    return {"description": answer.en, "content": {MEDIA_TYPE: {"schema": _PROBLEM_REF, "example": example}}}


_PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem(
        InputError,
        "ledger case cannot be filtered by 'jurisdicton'; did you mean 'jurisdiction'?",
        field="jurisdicton",
        rule="known-parameter",
    ),
    401: _problem(UnauthorisedError, "this log is real: reading it needs a token that names an officer"),
    404: _problem(NotFoundError, "there is no ledger 'cases'; did you mean 'case'?"),
    503: _problem(NotReadyError, "ledger case stands at position 1200", position=1200),
}
"""The problems that any reading route can end in."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    409: _problem(ConflictError, "somebody else recorded something about the same case first"),
    410: _problem(ErasedError, "the personal data was erased"),
    422: _problem(
        RuleError,
        "complaint 140321-201912-0001LF is not classified as wage arrears",
        rule="arrears-are-accepted",
        clause="N21",
    ),
}
"""The problems that a command can end in besides; nothing was recorded."""
