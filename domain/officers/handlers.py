"""Commands about officers: load, ask, commit. `now` plays the clock of a simulation."""

from __future__ import annotations

import hashlib
from datetime import datetime

from domain.errors import ConflictError, NotFoundError, RuleError
from domain.officers.officer import Officer
from domain.repository import Streams, decide
from domain.sealing.personal import Sealed
from domain.streams import Context, Provenance

TOKEN_PREFIX = "ql_"
"""What a bearer token begins with, so that a leaked one can be recognised."""


def officer_id(origin: str, handle: str) -> str:
    """The id of the officer with that handle in that log: a handle is taken once."""
    return f"officer-{hashlib.sha256(f'{origin} {handle}'.encode()).hexdigest()[:32]}"


def token_digest(token: str) -> str:
    """What is recorded of a token: the SHA-256 (hex) of its text, whose 256 random bits no one can guess back."""
    return hashlib.sha256(token.encode()).hexdigest()


def register_officer(
    streams: Streams,
    *,
    origin: str,
    handle: str,
    place: str,
    name: Sealed | None,
    token: str,
    provenance: Provenance,
    context: Context,
    now: datetime | None = None,
) -> Officer:
    """Enters an officer and issues a first token.

    Raises:
        RuleError: the handle is taken.
    """
    officer = Officer(id=officer_id(origin, handle), handle=handle, place=place, name=name, provenance=provenance)
    officer.issue_token(token_digest(token), "first", provenance)
    try:
        streams.commit(officer, context=context, now=now)
    except ConflictError:
        raise RuleError(f"there is an officer {handle!r} already", rule="handle-once", clause="design: doors") from None
    return officer


def issue_token(
    streams: Streams,
    *,
    origin: str,
    handle: str,
    token: str,
    label: str,
    provenance: Provenance,
    context: Context,
    now: datetime | None = None,
) -> None:
    """Gives an officer another token.

    Raises:
        NotFoundError: there is no such officer.
    """

    def command() -> None:
        officer = _officer(streams, origin, handle)
        officer.issue_token(token_digest(token), label, provenance)
        streams.commit(officer, context=context, now=now)

    decide(command)


def revoke_tokens(
    streams: Streams,
    *,
    origin: str,
    handle: str,
    reason: str,
    provenance: Provenance,
    context: Context,
    now: datetime | None = None,
) -> int:
    """Takes all tokens of an officer back; returns how many there were.

    Raises:
        NotFoundError: there is no such officer.
    """

    def command() -> int:
        officer = _officer(streams, origin, handle)
        digests = sorted(officer.tokens)
        for digest in digests:
            officer.revoke_token(digest, reason, provenance)
        if digests:
            streams.commit(officer, context=context, now=now)
        return len(digests)

    return decide(command)


def _officer(streams: Streams, origin: str, handle: str) -> Officer:
    officer = streams.find(Officer, officer_id(origin, handle))
    if officer is None:
        raise NotFoundError(f"there is no officer {handle!r}")
    return officer
