"""A ledger book as a stream: which file was imported when, by which mapping, and what it added up to."""

from __future__ import annotations

from eventsourcing.domain import event

from domain.money import Fen
from domain.streams import Provenance, Shape, Stream, Visibility


class BookTotals(Shape, frozen=True, kw_only=True):
    """Control totals of one reading of a book, in fen; what the source says, and what was recorded from it."""

    rows: int
    cases: int
    doubles: int
    rejected_rows: int
    claimed: Fen
    verified: Fen
    paid: Fen
    outstanding: Fen


class LedgerBook(Stream):
    """One series of books: the same ledger, handed in again and again as it is amended."""

    TOPIC = "book"
    VISIBILITY = Visibility.OFFICE

    class Event(Stream.Event):
        """Base of a book's events."""

    class Created(Event, Stream.Created):
        """The first book of a series came in."""

        TOPIC = "book.opened.v1"
        name: str
        place: str

    class ImportStarted(Event):
        """An import found something to record; `file` and `mapping` are SHA-256 digests (hex)."""

        TOPIC = "book.import-started.v1"
        file: str
        mapping: str
        mapping_name: str

    class ImportFinished(Event):
        """The import has come to its end; an import that only started was interrupted and is finished by importing again."""

        TOPIC = "book.import-finished.v1"
        file: str
        totals: BookTotals
        new_cases: int
        changed_cases: int
        vanished_cases: int
        events: int

    @event(Created)
    def __init__(self, id: str, name: str, place: str, provenance: Provenance) -> None:
        self.name = name
        self.place = place
        self.running: str | None = None

    @property
    def jurisdiction(self) -> str:
        return self.place

    def start(self, file: str, mapping: str, mapping_name: str, provenance: Provenance) -> None:
        """Records that an import begins to record."""
        self._import_started(file=file, mapping=mapping, mapping_name=mapping_name, provenance=provenance)

    def finish(
        self,
        file: str,
        totals: BookTotals,
        *,
        new_cases: int,
        changed_cases: int,
        vanished_cases: int,
        events: int,
        provenance: Provenance,
    ) -> None:
        """Records the control totals at the end."""
        self._import_finished(
            file=file,
            totals=totals,
            new_cases=new_cases,
            changed_cases=changed_cases,
            vanished_cases=vanished_cases,
            events=events,
            provenance=provenance,
        )

    @event(ImportStarted)
    def _import_started(self, file: str, mapping: str, mapping_name: str, provenance: Provenance) -> None:
        self.running = file

    @event(ImportFinished)
    def _import_finished(
        self,
        file: str,
        totals: BookTotals,
        new_cases: int,
        changed_cases: int,
        vanished_cases: int,
        events: int,
        provenance: Provenance,
    ) -> None:
        self.running = None
