"""What every stream and every event of Qingling is made of.

A *stream* is one aggregate's events, numbered from 1. An *event* carries its own fields and a `Provenance`: when it occurred
and was received, on what basis, under which clause, who decided and approved. Who acted, and what caused the command, is the
command's `Context`; it is handed over explicitly when the stream's events are recorded. The recorded time is nobody's to
choose: until the store fills it an event bears `UNRECORDED`.

Events hold only what canonical JSON carries: see `domain/catalogue.py`, which refuses an event class that does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

import msgspec
from eventsourcing.domain import (
    BaseAggregate,
    CanCreateTimestamp,
    CanInitAggregate,
    CanMutateAggregate,
    MetaDomainEvent,
)

UNRECORDED = datetime(1, 1, 1, tzinfo=UTC)
"""The time of an event that is not recorded yet."""


class Shape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A value inside an event. Optional fields default to None or (): an absent field is never written into an entry."""


class Basis(StrEnum):
    """Grade of basis (definitions.md): how well a fact is founded. Weakest first."""

    STATED = "stated"
    DOCUMENTED = "documented"
    BANK_CONFIRMED = "bank-confirmed"
    WORKER_CONFIRMED = "worker-confirmed"

    @property
    def rank(self) -> int:
        """0 for the weakest grade, 3 for the strongest."""
        return _RANKS[self]


_RANKS = {grade: rank for rank, grade in enumerate(Basis)}


class Visibility(StrEnum):
    """Who may ever be handed an event (design.md 4)."""

    CASE = "case"
    """Whoever may see the case: the county, its ledgers, its feeds and its packs."""
    PUBLIC = "public"
    """Everybody, the deployment's own facts: its genesis, its calendars."""
    OFFICE = "office"
    """The deployment's officers, not its feeds: tokens, access, imports."""
    REVIEW = "review"
    """Only those who conduct a review of officials; never the reviewed county, its ledgers, feeds or packs."""


class LateReason(StrEnum):
    """Why an entry is late: recorded long after it was received (definitions.md). A closed list, since it stands in clear."""

    HANDED_IN_LATE = "handed-in-late"
    """Somebody else brought it late: another office, a bank, a worker."""
    NO_CONNECTION = "no-connection"
    """Taken on paper where no connection was, or while the system was down."""
    HOLIDAY = "holiday"
    FOUND_ON_REVIEW = "found-on-review"
    """Nobody had entered it; an inspection, an audit or a reconciliation brought it up."""
    CORRECTION = "correction"
    OTHER = "other"


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fact or an act comes from: two of the four times, the grade, the clause, and who answers for it.

    `occurred`: in the world. `received`: when the office learned of it; same-day and next-day clocks run from here. Both
    carry an offset. A correction bears the `occurred` of what it corrects, so that *as it was by a day* stays true.
    """

    occurred: datetime
    received: datetime
    basis: Basis | None = None
    clause: str | None = None
    decidedby: str | None = None
    approvedby: str | None = None
    late: LateReason | None = None
    """Why it was entered long after it was received; None where it was not."""

    def graded(self, basis: Basis) -> Provenance:
        """The same with another grade."""
        return msgspec.structs.replace(self, basis=basis)


@dataclass(frozen=True)
class Context:
    """Who sent a command and why. `correlation` is one thing a person did; `causation` the entry that led to it."""

    actor: str
    correlation: str
    causation: str | None = None


class _TimeOfStore(CanCreateTimestamp):
    @staticmethod
    def create_timestamp() -> datetime:
        """The core reads no clock: the store fills the recorded time under the append lock."""
        return UNRECORDED


@dataclass(frozen=True)
class StreamEvent(_TimeOfStore, CanMutateAggregate[str], metaclass=MetaDomainEvent):
    """An event of a stream. `timestamp` is the recorded time, `UNRECORDED` until it is recorded."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    provenance: Provenance


@dataclass(frozen=True)
class StreamOpened(CanInitAggregate[str], StreamEvent):
    """The first event of a stream."""

    originator_topic: str


class Stream(BaseAggregate[str]):
    """A consistency boundary. Subclasses set `TOPIC`, and declare `Created` and every other event class in full."""

    VISIBILITY: ClassVar[Visibility] = Visibility.CASE

    class Event(StreamEvent):
        """Base of the stream's events."""

    class Created(Event, StreamOpened):
        """Base of the stream's first event."""

    @property
    def partitionkey(self) -> str:
        """The unit of order, fixed when the stream is opened: the case's id for what belongs to a case, else its own."""
        return self.id

    @property
    def jurisdiction(self) -> str:
        """Code of the place that answers for the stream now; data, and may change."""
        raise NotImplementedError(f"{type(self).__name__} does not say which jurisdiction answers for it")

    @property
    def visibility(self) -> Visibility:
        """Who may be handed the events recorded now."""
        return self.VISIBILITY


def fields_of(event: StreamEvent) -> Mapping[str, Any]:
    """The event's own fields: what stands in `data`, without identity, time and provenance."""
    return {name: value for name, value in vars(event).items() if name not in _ENVELOPE_FIELDS and value is not None}


_ENVELOPE_FIELDS = frozenset({"originator_id", "originator_version", "originator_topic", "timestamp", "provenance"})
