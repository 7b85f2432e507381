"""Signing in and out. The session is the officer's token in a cookie that no script and no other site can use.

A form of another site can neither sign somebody in nor out: what changes the session is taken only from a page of this origin.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from api.admission import SESSION_COOKIE, platform_of
from api.console.rendering import language_of, path, render
from api.console.writing import refuse_other_sites
from api.parameters import Parameters
from api.words import LANGUAGES
from domain.errors import UnauthorisedError

router = APIRouter()


class SignInParameters(Parameters):
    """Where to go on after signing in."""

    next: Annotated[str | None, Field(max_length=2_000)] = None


@router.get("/sign-in", response_class=Response)
def sign_in_page(request: Request, asked: Annotated[SignInParameters, Query()]) -> Response:
    """The form that takes a token."""
    return render(request, None, "sign-in.html", refused=False, next=asked.next or "")


@router.post("/sign-in", response_class=Response)
def sign_in(
    request: Request,
    token: Annotated[str, Form(max_length=400)] = "",
    next: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Keeps the token in the cookie if it names an officer; else the form again, saying so.

    Raises:
        InputError: the form was not sent from a page of this origin.
    """
    refuse_other_sites(request)
    try:
        platform_of(request).authenticate(token.strip())
    except UnauthorisedError:
        return render(request, None, "sign-in.html", status_code=401, refused=True, next=next)
    response = RedirectResponse(_own_page(request, next), status_code=303)
    response.set_cookie(
        SESSION_COOKIE, token.strip(), httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return response


@router.post("/sign-out", response_class=Response)
def sign_out(request: Request) -> Response:
    """Forgets the token here; it stays in force elsewhere until it is revoked.

    Raises:
        InputError: the form was not sent from a page of this origin.
    """
    refuse_other_sites(request)
    response = RedirectResponse(path(language_of(request), "sign-in"), status_code=303)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response


def _own_page(request: Request, asked: str) -> str:
    """Where to go on: a page of the console, whatever the form says."""
    fine = (
        any(asked.startswith(f"/{language}/") for language in LANGUAGES) and asked.isprintable() and "\\" not in asked
    )
    return asked if fine else path(language_of(request))
