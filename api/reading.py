"""Who reads, what they may see, and the platform they read from: what every view is made of.

Reading right: a *real* log is read only by an officer who is named by a bearer token (REST) or a session cookie (console, and for reading
also REST, so that a page may link to its own data). A *simulation* is open, since all that it holds is invented. Events that concern
a review of officials are handed out by no door of this release, because nobody can have the right yet.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, cast

from fastapi import Depends, Request

from domain.campaigns.genesis import LogKind
from domain.errors import InputError, UnauthorisedError
from domain.streams import Visibility
from projections.officer_ledger import OfficerRow

if TYPE_CHECKING:
    from infra.bootstrap import Platform

SESSION_COOKIE: Final = "qingling_session"
_READS: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Reader:
    """Somebody at a door; `officer` is None where a simulation is read without a token."""

    officer: OfficerRow | None
    kind: LogKind

    @property
    def may_see_names(self) -> bool:
        """Whether personal plain text may be shown: to officers, and to everybody where it is invented."""
        return self.officer is not None or self.kind is LogKind.SIMULATION

    def may_see(self, visibility: Visibility) -> bool:
        """Whether an event of that visibility may be handed out; closed by default."""
        return visibility in (Visibility.PUBLIC, Visibility.CASE, Visibility.OFFICE)


@dataclass(frozen=True)
class Reading:
    """One reader's use of a platform. Views take nothing else from the door."""

    platform: Platform
    reader: Reader


def is_text(said: str) -> bool:
    """Whether a text is free of control characters and halves of surrogate pairs: neither a database nor a person can take them."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in said)


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
