"""How REST answers: JSON of a view model with an entity tag, not sent again while it is the same.

The tag is made of what the answer depends on (ledger and its version, position, query), never of the clock, so the same question
at the same position has the same tag on every server. Answers with names in clear bear none and are stored nowhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from fastapi import Request, Response

from api.views.view import View

JSON = "application/json"


def answer(
    request: Request,
    view: View,
    *,
    depends_on: tuple[object, ...] | None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The view as JSON, or 304 where the reader has it (RFC 9110, sections 8.8.3 and 13.1.2). `depends_on` None: not to be stored."""
    if depends_on is None:
        return Response(
            view.model_dump_json(), media_type=JSON, headers={**(headers or {}), "Cache-Control": "no-store"}
        )
    tag = entity_tag(request, depends_on)
    fixed = {**(headers or {}), "ETag": tag, "Cache-Control": "private, no-cache"}
    if has(request, tag):
        return Response(status_code=304, headers=fixed)
    return Response(view.model_dump_json(), media_type=JSON, headers=fixed)


def entity_tag(request: Request, depends_on: tuple[object, ...]) -> str:
    """A strong entity tag for an answer to this request that depends on nothing else."""
    question = f"{request.url.path}?{request.url.query}"
    parts = (request.app.version, question, *map(str, depends_on))
    return '"' + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32] + '"'


def has(request: Request, tag: str) -> bool:
    """Whether the reader says that they have what bears this tag (`If-None-Match`; RFC 9110, section 13.1.2)."""
    tags = {each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")}
    return tag in tags or "*" in tags
