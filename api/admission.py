"""Whom a request is from, and whether they may read.

A *real* log is read only by an officer who is named by a bearer token (REST) or a session cookie (console, and for reading also REST, so
that a page may link to its own data). A *simulation* is open, since all that it holds is invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, cast

from fastapi import Depends, Request

from api.reading import Reader, Reading, is_text
from domain.campaigns.genesis import LogKind
from domain.errors import InputError, UnauthorisedError

if TYPE_CHECKING:
    from infra.bootstrap import Platform

SESSION_COOKIE: Final = "qingling_session"
_READS: Final = frozenset({"GET", "HEAD"})


def platform_of(request: Request) -> Platform:
    """The platform that the application was made for."""
    return cast("Platform", request.app.state.platform)


def _token(request: Request) -> str | None:
    """The bearer token (RFC 6750, section 2.1), else the session cookie where nothing can be changed with it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    if scheme:
        raise UnauthorisedError("the Authorization header holds no bearer token")
    return request.cookies.get(SESSION_COOKIE) if request.method in _READS else None


def _refuse_what_nobody_can_mean(request: Request) -> None:
    for name, value in request.path_params.items():
        if not is_text(str(value)):
            raise InputError(f"{name} holds a character that cannot be printed", field=name, rule="printable")
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if given.count(name) > 1:
            raise InputError(f"{name} is given more than once", field=name, rule="given-once")


def reading(request: Request) -> Reading:
    """Authenticates the request.

    Raises:
        UnauthorisedError: the log is real and no token was given, or the token names nobody.
        InputError: the address holds a control character, or a parameter twice.
    """
    _refuse_what_nobody_can_mean(request)
    platform = platform_of(request)
    kind = platform.info.kind
    token = _token(request)
    if token is not None:
        return Reading(platform, Reader(platform.authenticate(token), kind))
    if kind is LogKind.SIMULATION:
        return Reading(platform, Reader(None, kind))
    raise UnauthorisedError("this log is real: reading it needs a token that names an officer")


Read = Annotated[Reading, Depends(reading)]
"""For routes: the authenticated reading."""
