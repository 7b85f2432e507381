"""The desk: what a command is decided with. Who acts, the streams, the seals, the present, and what makes the command repeatable.

One desk serves one command. It hands the domain's handlers their provenance and sealed texts, and keeps the outcome of the commit, so
that every door answers from what was recorded and nothing else. An officer acts within their own place (`require_place`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo

from api.commands.forms import EvidenceForm, Fact, Timed
from domain.claims.claim import claim_id
from domain.entries import Recorded
from domain.errors import ConflictError, InputError, NotFoundError, RuleError
from domain.evidence.naming import evidence_named
from domain.recording import CommandKey, Outcome
from domain.repository import Command, Turn
from domain.sealing.personal import Sealed
from domain.streams import Basis, Context, Provenance, Stream, StreamEvent
from domain.vocabulary import Evidence
from projections.officer_ledger import OfficerRow
from projections.replay import LATE_ENTRY_AFTER

if TYPE_CHECKING:
    from infra.bootstrap import Platform

S = TypeVar("S", bound=Stream)

TOLERANCE: Final = timedelta(seconds=5)
"""How far ahead of the log's clock a stated time may be."""


@dataclass
class WatchedStreams:
    """`domain.repository.Streams` that remembers the last outcome. `unchanged_since`: If-Match, the position that the caller has read;
    a commit to a partition that has moved on since is a conflict, however often it is decided again."""

    platform: Platform
    unchanged_since: int | None = None
    outcome: Outcome | None = None

    def turn(self, register: str) -> AbstractContextManager[Turn]:
        """See `Streams.turn`."""
        return self.platform.streams.turn(register)

    def find(self, kind: type[S], stream_id: str) -> S | None:
        """See `Streams.find`."""
        return self.platform.streams.find(kind, stream_id)

    def get(self, kind: type[S], stream_id: str) -> S:
        """See `Streams.get`."""
        return self.platform.streams.get(kind, stream_id)

    def get_many(self, kind: type[S], stream_ids: Sequence[str]) -> list[S]:
        """See `Streams.get_many`."""
        return self.platform.streams.get_many(kind, stream_ids)

    def partitions(self, keys: Sequence[str]) -> dict[str, list[Recorded[StreamEvent]]]:
        """See `Streams.partitions`."""
        return self.platform.streams.partitions(keys)

    def rebuilt(self, events: Sequence[Recorded[StreamEvent]]) -> dict[str, Stream]:
        """See `Streams.rebuilt`."""
        return self.platform.streams.rebuilt(events)

    def recorded(self, command: CommandKey) -> Outcome | None:
        """See `Streams.recorded`."""
        before = self.platform.streams.recorded(command)
        if before is not None:
            self.outcome = before
        return before

    def commit(
        self, *streams: Stream, context: Context, command: CommandKey | None = None, now: datetime | None = None
    ) -> Outcome:
        """See `Streams.commit`.

        Raises:
            ConflictError: also where the caller insisted on a position and somebody has recorded since.
        """
        for key in {stream.partitionkey for stream in streams}:
            self._insist(key)
        self.outcome = self.platform.streams.commit(*streams, context=context, command=command, now=now)
        return self.outcome

    def _insist(self, partitionkey: str) -> None:
        if self.unchanged_since is None:
            return
        last = self.platform.log.last_of_partition(partitionkey)
        if last > self.unchanged_since:
            raise ConflictError(
                f"{partitionkey} was last changed at position {last}, and you have read it up to {self.unchanged_since}"
            )


def claim_of(case: str, said: str) -> str:
    """The id of a case's line that a person names by its number, or by the id itself."""
    return said if said.startswith("claim-") else claim_id(case, said)


@dataclass(frozen=True)
class Resolving:
    """What it takes to find a thing by its id or official number."""

    platform: Platform
    streams: WatchedStreams

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.platform.info.origin


def resolving(platform: Platform) -> Resolving:
    """For readers, who have no desk."""
    return Resolving(platform, WatchedStreams(platform))


@dataclass
class Desk:
    """See the module. `key`: the caller's idempotency key; `request`: canonical bytes of what is asked, of which only a keyed digest
    is recorded."""

    platform: Platform
    officer: OfficerRow
    correlation: str
    key: str | None = None
    request: bytes = b""
    unchanged_since: int | None = None
    streams: WatchedStreams = field(init=False)

    def __post_init__(self) -> None:
        self.streams = WatchedStreams(self.platform, self.unchanged_since)
        self.now = self.platform.now()

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.platform.info.origin

    @property
    def zone(self) -> ZoneInfo:
        """The log's time zone."""
        return self.platform.info.zone

    @property
    def sent(self) -> Command:
        """What every command is recorded with."""
        command = None
        if self.key is not None:
            digest = self.platform.vault.request_digest(self.request)
            command = CommandKey(self.officer.officer, self.key, digest)
        return Command(
            context=Context(actor=self.officer.officer, correlation=self.correlation),
            command=command,
            now=self.platform.played_now(),
        )

    def was_recorded(self) -> bool:
        """Whether the same command was recorded before: it is then answered as it was, without deciding anything (DECISIONS.md, 38).

        Raises:
            IdempotencyError: the key was used for another request.
        """
        command = self.sent.get("command")
        return command is not None and self.streams.recorded(command) is not None

    # What is decided with

    def provenance(self, form: Timed, clause: str | None = None, basis: Basis | None = None) -> Provenance:
        """The provenance of what a form says: decided by the officer at this desk, who cannot name another one.

        Raises:
            InputError: a time in the future, received before it occurred, or entered late without a reason.
        """
        occurred = self._past("occurred", form.occurred)
        received = self._past("received", form.received)
        if received < occurred:
            raise InputError("it was received before it occurred", field="received", rule="received-after-occurred")
        if form.late is None and (self.now - received).total_seconds() > LATE_ENTRY_AFTER:
            raise InputError(
                "it was received more than a day ago; say why it is entered only now",
                field="late",
                rule="late-has-reason",
            )
        return Provenance(
            occurred=occurred.astimezone(self.zone),
            received=received.astimezone(self.zone),
            basis=basis or (self._grade(form) if isinstance(form, Fact) else None),
            clause=clause,
            decidedby=self.officer.officer,
            late=form.late,
        )

    def _past(self, name: str, moment: datetime | None) -> datetime:
        if moment is None:
            return self.now
        if moment > self.now + TOLERANCE:
            raise InputError(f"{name} lies in the future", field=name, rule="not-in-the-future")
        return min(moment, self.now)

    @staticmethod
    def _grade(form: Fact) -> Basis:
        if form.basis is not None:
            return form.basis
        return Basis.DOCUMENTED if form.evidence else Basis.STATED

    # Personal texts and files

    def seal(self, subject: str, label: str, text: str) -> Sealed:
        """Seals one text under the key of a stream or a person; durable when this returns."""
        return self.platform.vault.seal(subject, label, text)

    def seal_given(self, subject: str, label: str, text: str | None) -> Sealed | None:
        """As `seal`; nothing of nothing."""
        return None if text is None else self.seal(subject, label, text)

    def person(self, id_number: str | None) -> str:
        """The random subject of a person: the same for the same id number, a new one where none is known."""
        if id_number is None:
            return self.platform.vault.new_subject()
        return self.platform.vault.subject_of("id-number", id_number)

    def files(self, given: Iterable[EvidenceForm]) -> tuple[Evidence, ...]:
        """The evidence that a form names, each a file that is there.

        Raises:
            InputError: one of them is not, or is another one than it says.
        """
        return tuple(evidence_named(self.platform.files, each.given(), self.platform.vault) for each in given)

    # Places

    def require_place(self, place: str) -> None:
        """An officer acts where their own place is, or below it.

        Raises:
            RuleError: they do not.
        """
        own = self.officer.jurisdiction
        if place != own and place not in self.platform.info.tree.within(own) and own != self.platform.info.root:
            raise RuleError(
                f"{self.officer.handle} works for {own} and does not act in {place}",
                rule="within-own-place",
                clause="design: doors",
            )

    @property
    def is_leading_group(self) -> bool:
        """Whether the officer belongs to the leading-group office: their place is the deployment's own."""
        return self.officer.jurisdiction == self.platform.info.root

    def officer_id(self, said: str) -> str:
        """The id of an officer, from it or their handle.

        Raises:
            NotFoundError: there is none.
        """
        for versioned in self.platform.rows("officer"):
            if said in (versioned.key, versioned.row.handle):
                return str(versioned.key)
        raise NotFoundError(f"there is no officer {said!r}")
