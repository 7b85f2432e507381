"""The web application: REST under `/v1`, the provable log under `/log`, the console at `/`, health beside them, all over one platform.

There is no application at module level: whoever serves opens a platform and makes one with `create_app`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import VERSION, tlog
from api.console.application import add_console, is_console, problem_page
from api.rest import (
    cases,
    clearance,
    commands,
    completeness,
    events,
    evidence,
    health,
    ledgers,
    log,
    proofs,
    sheets,
    things,
)
from api.rest.openapi import described
from api.rest.problems import problem_response
from domain.errors import QinglingError

if TYPE_CHECKING:
    from infra.bootstrap import Platform

_TITLE: Final = "Qingling 清零"
_DESCRIPTION: Final = """\
Reads of the audit trail: ledgers, clearance board, cases, events, as known at any position or day; and proofs of what it holds.

Amounts are whole **fen** (1 yuan = 100 fen). Times are RFC 3339. Errors are problem documents (RFC 9457).
A *real* log is read with a bearer token that names an officer; a *simulation* is open. See `docs/api.md`.
"""


def create_app(platform: Platform) -> FastAPI:
    """The application over an open platform. It starts nothing and closes nothing: the platform's opener does."""
    app = FastAPI(
        title=_TITLE,
        version=VERSION,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.platform = platform
    app.state.metrics, durations = health.metrics_registry(platform)
    for part in (
        health,
        log,
        ledgers,
        clearance,
        completeness,
        evidence,
        sheets,
        commands,
        cases,
        things,
        proofs,
        events,
        tlog,
    ):
        app.include_router(part.router)
    add_console(app)
    app.add_middleware(health.Timing, durations=durations)
    app.add_middleware(Headers)
    app.add_middleware(HeadAsGet)
    for kind in (QinglingError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _answer_error)
    described(app, platform)
    return app


def _answer_error(request: Request, error: Exception) -> Response:
    """Every error is told in the form of the door that it came through."""
    response = problem_page(request, error) if is_console(request) else problem_response(request, error)
    # The answer to an unexpected error is made outside the middleware that adds these to all others.
    response.headers.update(_HEADERS)
    return response


class Headers:
    """Security headers on every answer that does not say stricter ones. No page needs a script, an outside resource, or to be framed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Adds them to the beginning of the answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class HeadAsGet:
    """HEAD is answered as GET without its body, for every address that can be read (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the answer's beginning through, and of its body nothing."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with that a browser sends "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
