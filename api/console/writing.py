"""Who records through the console: the officer of the session, from a page of this origin and from nowhere else.

Every browser sends `Origin` with a form (Fetch, section 3.2), and the session's cookie is one that other sites cannot send
(SameSite=Strict): a form that lies elsewhere records nothing.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from api.admission import SESSION_COOKIE, platform_of, reading
from api.reading import Reader, Reading
from domain.errors import InputError, UnauthorisedError


def refuse_other_sites(request: Request) -> None:
    """Refuses a form that was not sent from a page of this origin.

    Raises:
        InputError: it was not.
    """
    origin = urlsplit(request.headers.get("Origin", ""))
    if not origin.netloc or origin.netloc != request.headers.get("Host"):
        raise InputError("this form must be sent from its own page", field="Origin", rule="same-site")


def signed_in(request: Request) -> Reading:
    """The reading of an officer who is signed in; for pages that ask for what is to be recorded, on a simulation too.

    Raises:
        UnauthorisedError: nobody is; the reader is led to sign in.
    """
    read = reading(request)
    if read.reader.officer is None:
        raise UnauthorisedError("recording needs a token that names an officer")
    return read


def writing(request: Request) -> Reading:
    """As `signed_in`, for a form that is sent.

    Raises:
        UnauthorisedError, InputError: nobody is signed in, or it comes from elsewhere.
    """
    refuse_other_sites(request)
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        raise UnauthorisedError("recording needs a token that names an officer")
    platform = platform_of(request)
    return Reading(platform, Reader(platform.authenticate(token), platform.info.kind))


SignedIn = Annotated[Reading, Depends(signed_in)]
Write = Annotated[Reading, Depends(writing)]
