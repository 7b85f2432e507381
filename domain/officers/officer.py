"""An officer and the tokens that name them. Only a digest of a token is recorded; roles and rights come with a later release."""

from __future__ import annotations

from eventsourcing.domain import event

from domain.errors import RuleError
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Stream, Visibility


class Officer(Stream):
    """One officer, or a program that acts in an office's name."""

    TOPIC = "officer"
    VISIBILITY = Visibility.OFFICE

    class Event(Stream.Event):
        """Base of an officer's events."""

    class Created(Event, Stream.Created):
        """An officer was entered under a short name (`handle`) that is used in place of the sealed name."""

        TOPIC = "officer.registered.v1"
        handle: str
        place: str
        name: Sealed | None

    class TokenIssued(Event):
        """A bearer token was given out; `digest` is the SHA-256 (hex) of its 256 random bits."""

        TOPIC = "officer.token-issued.v1"
        digest: str
        label: str

    class TokenRevoked(Event):
        """A token names nobody any more."""

        TOPIC = "officer.token-revoked.v1"
        digest: str
        reason: str

    @event(Created)
    def __init__(self, id: str, handle: str, place: str, provenance: Provenance, name: Sealed | None = None) -> None:
        self.handle = handle
        self.place = place
        self.name = name
        self.tokens: set[str] = set()

    @property
    def jurisdiction(self) -> str:
        return self.place

    def issue_token(self, digest: str, label: str, provenance: Provenance) -> None:
        """Gives out a token; only its digest ever comes here."""
        self._token_issued(digest=digest, label=label, provenance=provenance)

    def revoke_token(self, digest: str, reason: str, provenance: Provenance) -> None:
        """Takes a token back.

        Raises:
            RuleError: the officer has no such token.
        """
        if digest not in self.tokens:
            raise RuleError(f"{self.handle} has no such token", rule="token-is-issued", clause="design: doors")
        self._token_revoked(digest=digest, reason=reason, provenance=provenance)

    @event(TokenIssued)
    def _token_issued(self, digest: str, label: str, provenance: Provenance) -> None:
        self.tokens.add(digest)

    @event(TokenRevoked)
    def _token_revoked(self, digest: str, reason: str, provenance: Provenance) -> None:
        self.tokens.discard(digest)
