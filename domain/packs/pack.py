"""An evidence pack as a stream: which cases it shows as of which position, and the digests of the ledgers in it.

The event is recorded before the pack is written, so that nobody can hand out two packs of one name with different figures.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from eventsourcing.domain import event

from domain.streams import Provenance, Shape, Stream, Visibility


class SelectionKind(StrEnum):
    """How the cases of a pack were chosen."""

    CASE = "case"
    PROJECT = "project"
    JURISDICTION = "jurisdiction"
    RECEIVED = "received"
    """First received in a span of local days."""
    ALL = "all"


class Selection(Shape, frozen=True, kw_only=True):
    """Which cases: `value` is a case's id, a project's name or a jurisdiction's code; `first` and `last` are days, inclusive."""

    kind: SelectionKind
    value: str | None = None
    first: date | None = None
    last: date | None = None


class PackedLedger(Shape, frozen=True, kw_only=True):
    """A ledger in a pack: its rows, how many of them rest on events outside it, and SHA-256 (hex) of both files."""

    name: str
    rows: int
    uncovered: int
    csv: str
    xlsx: str


class Pack(Stream):
    """One evidence pack."""

    TOPIC = "pack"
    VISIBILITY = Visibility.OFFICE

    class Event(Stream.Event):
        """Base of a pack's events."""

    class Created(Event, Stream.Created):
        """A pack was made as of position `upto`; `wholeness` is the position of the commitment that it is proved whole by.

        `withheld`: SHA-256 (hex) of the pack's list of entries whose bytes its reader may not have, so that nobody who passes
        the pack on can hide a further one.
        """

        TOPIC = "pack.made.v1"
        place: str
        selection: Selection
        upto: int
        wholeness: int
        cases: int
        withoffice: bool
        withheld: str
        ledgers: tuple[PackedLedger, ...]

    @event(Created)
    def __init__(
        self,
        id: str,
        place: str,
        selection: Selection,
        upto: int,
        wholeness: int,
        cases: int,
        withoffice: bool,
        withheld: str,
        ledgers: tuple[PackedLedger, ...],
        provenance: Provenance,
    ) -> None:
        self.place = place
        self.selection = selection
        self.upto = upto

    @property
    def jurisdiction(self) -> str:
        return self.place
