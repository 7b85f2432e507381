"""Puts the console together: its pages under `/zh` and `/en`, its one style sheet, its error pages."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api.admission import SESSION_COOKIE, platform_of
from api.console.pages import (
    board,
    cases,
    commands,
    completeness,
    events,
    evidence,
    ledgers,
    log,
    reference,
    session,
    status,
    things,
)
from api.console.rendering import HERE, LANGUAGE_COOKIE, language_of, path, render
from api.errors import answer_to, answer_to_status, detail_of, is_inside, members_of
from api.rest.problems import incident, said_wrongly
from api.words import INPUT_RULES, LANGUAGES, Word
from domain.errors import UnauthorisedError

PAGES = (board, completeness, ledgers, cases, events, evidence, log, status, reference, session, commands, things)
"""The parts of the console; each has a router, and its templates bear its name."""
_ELSEWHERE = ("/v1", "/log/", "/healthz", "/readyz", "/metrics", "/openapi.json")


def add_console(app: FastAPI) -> None:
    """Adds every page, once a language, so that the language stands in the address."""
    for language in LANGUAGES:
        for pages in PAGES:
            app.include_router(pages.router, prefix=f"/{language}", include_in_schema=False)
    app.add_api_route("/", _front_door, include_in_schema=False, response_class=Response)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")


def _front_door(request: Request) -> Response:
    """To the board, in the language that the reader chose last, else the deployment's."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    language = chosen if chosen in LANGUAGES else platform_of(request).settings.language
    return RedirectResponse(path(language) if language in LANGUAGES else "/zh/", status_code=307)


def is_console(request: Request) -> bool:
    """Whether an address belongs to the console, where a person reads what went wrong."""
    return not request.url.path.startswith(_ELSEWHERE)


def problem_page(request: Request, error: BaseException) -> Response:
    """The page for any error; who is not signed in is led to where they can be."""
    if isinstance(error, UnauthorisedError):
        return _to_sign_in(request)
    if isinstance(error, RequestValidationError):
        error = said_wrongly(error)
    members: dict[str, object] = {}
    if isinstance(error, HTTPException):
        answer, detail = answer_to_status(error.status_code), str(error.detail)
    else:
        answer, detail = answer_to(error), detail_of(error)
        members = {"incident": incident(request, error)} if is_inside(error) else members_of(error)
    rule = INPUT_RULES.get(str(members.get("rule", "")))
    return render(
        request,
        None,
        "problem.html",
        status_code=answer.status,
        problem=answer,
        title=Word(answer.zh, answer.en),
        detail=detail,
        members=members,
        rule=rule,
    )


def _to_sign_in(request: Request) -> Response:
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    response = RedirectResponse(path(language_of(request), "sign-in", next=asked), status_code=303)
    if SESSION_COOKIE in request.cookies:
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response
