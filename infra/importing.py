"""Importing a ledger book: read, compare with what is recorded, seal, decide, record in bulk. Nothing here decides about the domain.

Guarantees: a source case is recorded whole or not at all; the same book again records nothing, not even that it was read; an import
that was killed is finished by running it again; an earlier case that a whole book no longer holds is recorded as vanished, never deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol

from domain.books.amendment import (
    BookContext,
    CaseFile,
    Difference,
    MatchedLine,
    PersonalText,
    Slot,
    book_id,
    case_id,
    decide,
    differences,
    match_lines,
    personal_texts,
)
from domain.books.ledger_book import BookTotals, LedgerBook
from domain.books.source import ControlTotals, Reading, SourceCase
from domain.cases.case import Case
from domain.recording import Batch, Draft, LogWriter, Outcome
from domain.sealing.personal import Sealed
from domain.sealing.ports import Opener, Sealer
from domain.streams import Basis, Context, Provenance, Stream
from infra.streams import StreamStore

CHUNK = 500
"""Source cases that are compared, sealed and decided together."""


class Personal(Sealer, Opener, Protocol):
    """Seals and opens; the vault."""


@dataclass(frozen=True)
class ImportProgress:
    """How far an import has come."""

    cases: int
    changed: int
    events: int


@dataclass
class Imported:
    """What an import recorded, or would record when it is dry."""

    new_cases: int = 0
    changed_cases: int = 0
    unchanged_cases: int = 0
    vanished_cases: int = 0
    events: int = 0
    position: int = 0
    seconds: float = 0.0
    differences: list[Difference] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def note(self, difference: Difference, most: int) -> None:
        """Counts a difference, and keeps the first `most` of them for the report; new cases are only counted."""
        self.kinds[difference.what] = self.kinds.get(difference.what, 0) + 1
        if difference.what != "new case" and len(self.differences) < most:
            self.differences.append(difference)


@dataclass(frozen=True)
class ImportOrder:
    """What to import, and how. `as_at` is the day the book speaks of; `now` plays the clock of a simulation."""

    book: str
    mapping_name: str
    mapping_digest: str
    place: str
    actor: str
    correlation: str
    whole: bool = True
    dry_run: bool = False
    keep_differences: int = 10_000
    now: datetime | None = None


class Importer:
    """Records one reading of a book."""

    def __init__(
        self,
        streams: StreamStore,
        log: LogWriter,
        personal: Personal,
        context: BookContext,
        order: ImportOrder,
        earlier_cases: Callable[[frozenset[str]], Iterator[str]],
    ) -> None:
        """`earlier_cases` gives the ids of the cases recorded from this book and not vanished, in the given jurisdictions."""
        self._streams = streams
        self._log = log
        self._personal: Personal = _DryPersonal(personal) if order.dry_run else personal
        self._context = context
        self._order = order
        self._earlier_cases = earlier_cases
        self._book = self._load_book()
        self._done = Imported()
        self._places: set[str] = set()
        self._started = False

    def run(self, reading: Reading, progress: Callable[[ImportProgress], None] | None = None) -> Imported:
        """Records what the reading changes.

        Raises:
            ConflictError: somebody recorded one of the cases meanwhile; what was yielded before stays, import again.
            RecordingError: the store failed; import again.
        """
        began = time.monotonic()
        for count, outcome in enumerate(self._append(self._batches(reading))):
            self._done.position = max(self._done.position, *outcome.positions)
            if progress is not None and count % 50 == 0:
                progress(self._progress())
        self._finish(reading)
        self._done.seconds = time.monotonic() - began
        if progress is not None:
            progress(self._progress())
        return self._done

    def _progress(self) -> ImportProgress:
        done = self._done
        cases = done.new_cases + done.changed_cases + done.unchanged_cases
        return ImportProgress(cases, done.new_cases + done.changed_cases + done.vanished_cases, done.events)

    def _append(self, batches: Iterator[Batch]) -> Iterator[Outcome]:
        if not self._order.dry_run:
            yield from self._log.append_bulk(batches, now=self._order.now)
            return
        for batch in batches:
            self._done.position = 0
            del batch

    def _batches(self, reading: Reading) -> Iterator[Batch]:
        cases = iter(reading.cases)
        while chunk := list(islice(cases, CHUNK)):
            yield from self._decided(reading, chunk)
        if self._order.whole:
            yield from self._vanished(reading)

    def _begun(self, reading: Reading) -> Iterator[Batch]:
        """The import's own first event, once there is something to record."""
        if not self._started:
            self._started = True
            self._book.start(reading.digest, self._order.mapping_digest, self._order.mapping_name, self._provenance())
            yield self._counted(self._drafts([self._book], None))

    def _drafts(self, streams: Sequence[Stream], causation: str | None) -> list[Draft]:
        return list(self._streams.batch(*streams, context=self._command(causation)).drafts)

    def _counted(self, drafts: Sequence[Draft]) -> Batch:
        self._done.events += len(drafts)
        return Batch(drafts)

    @property
    def _cause(self) -> str:
        return f"{self._book.id}/{self._book.version}"

    def _command(self, causation: str | None) -> Context:
        return Context(actor=self._order.actor, correlation=self._order.correlation, causation=causation)

    def _provenance(self) -> Provenance:
        return Provenance(occurred=self._context.as_at, received=self._context.as_at, basis=Basis.STATED)

    def _decided(self, reading: Reading, chunk: Sequence[SourceCase]) -> Iterator[Batch]:
        ids = [case_id(self._context.origin, self._context.book, source.number) for source in chunk]
        files = {
            key: CaseFile(events, self._streams.rebuilt(events))
            for key, events in self._streams.partitions(ids).items()
        }
        lines = self._matched(chunk, ids, files)
        sealed = self._sealed(chunk, ids, files, lines)
        for source, key in zip(chunk, ids, strict=True):
            self._done.seen.add(key)
            self._places.add(source.jurisdiction)
            yield from self._case(reading, source, files.get(key), lines[key], sealed[key])

    def _case(
        self,
        reading: Reading,
        source: SourceCase,
        file: CaseFile | None,
        lines: Sequence[MatchedLine],
        sealed: dict[Slot, Sealed],
    ) -> Iterator[Batch]:
        """The events of one source case as one batch; none when the book says nothing new."""
        drafts: list[Draft] = []
        for streams in decide(source, file, lines, sealed, self._context):
            if streams:
                yield from self._begun(reading)
            if file is not None:
                for difference in differences(source, streams, file):
                    self._done.note(difference, self._order.keep_differences)
            drafts += self._drafts(streams, self._cause)
        if not drafts:
            self._done.unchanged_cases += 1
        elif file is None:
            self._done.new_cases += 1
            self._done.note(Difference(number=source.number, row=source.rows[0], what="new case"), 0)
            yield self._counted(drafts)
        else:
            self._done.changed_cases += 1
            yield self._counted(drafts)

    def _matched(
        self, chunk: Sequence[SourceCase], ids: Sequence[str], files: dict[str, CaseFile]
    ) -> dict[str, list[MatchedLine]]:
        named = [(claim.id, claim.worker) for file in files.values() for claim in file.claims.values() if claim.worker]
        opened = self._personal.open_many([(worker, "worker") for _, worker in named])
        names = {claim: name for (claim, _), name in zip(named, opened, strict=True)}
        return {key: match_lines(source, files.get(key), names) for source, key in zip(chunk, ids, strict=True)}

    def _sealed(
        self,
        chunk: Sequence[SourceCase],
        ids: Sequence[str],
        files: dict[str, CaseFile],
        lines: dict[str, list[MatchedLine]],
    ) -> dict[str, dict[Slot, Sealed]]:
        texts: list[tuple[str, PersonalText]] = [
            (key, text)
            for source, key in zip(chunk, ids, strict=True)
            for text in personal_texts(source, files.get(key), lines[key], key)
        ]
        known = [(key, text, text.known) for key, text in texts if text.known is not None]
        same = self._personal.matches_many([(sealed, text.slot.field, text.text) for _, text, sealed in known])
        found: dict[str, dict[Slot, Sealed]] = {key: {} for key in ids}
        for (key, text, sealed), matches in zip(known, same, strict=True):
            if matches:
                found[key][text.slot] = sealed
        fresh = [(key, text) for key, text in texts if text.slot not in found[key]]
        people: dict[tuple[str, str], str] = {}
        items = [(self._subject(key, text, people), text.slot.field, text.text) for key, text in fresh]
        for (key, text), sealed in zip(fresh, self._personal.seal_many(items), strict=True):
            found[key][text.slot] = sealed
        return found

    def _subject(self, key: str, text: PersonalText, people: dict[tuple[str, str], str]) -> str:
        """One new person a claim line: name, number and telephone of a worker are sealed under the same key."""
        if text.subject is not None:
            return text.subject
        place = (key, text.slot.part)
        if place not in people:
            people[place] = self._personal.new_subject()
        return people[place]

    def _vanished(self, reading: Reading) -> Iterator[Batch]:
        unreadable = {
            case_id(self._context.origin, self._context.book, reject.number)
            for reject in reading.rejects
            if reject.number
        }
        present = self._done.seen | unreadable
        missing = (key for key in self._earlier_cases(frozenset(self._places)) if key not in present)
        while chunk := list(islice(missing, CHUNK)):
            for events in self._streams.partitions(chunk).values():
                case = next(stream for stream in self._streams.rebuilt(events).values() if isinstance(stream, Case))
                case.vanish(self._context.book, self._provenance())
                self._done.vanished_cases += 1
                self._done.note(Difference(number=case.number, row=0, what="vanished"), self._order.keep_differences)
                yield from self._begun(reading)
                yield self._counted(self._drafts([case], self._cause))

    def _finish(self, reading: Reading) -> None:
        if not self._started or self._order.dry_run:
            return
        self._book.finish(
            reading.digest,
            book_totals(reading.totals),
            new_cases=self._done.new_cases,
            changed_cases=self._done.changed_cases,
            vanished_cases=self._done.vanished_cases,
            events=self._done.events + 1,
            provenance=self._provenance(),
        )
        for outcome in self._log.append_bulk([self._counted(self._drafts([self._book], None))], now=self._order.now):
            self._done.position = max(self._done.position, *outcome.positions)

    def _load_book(self) -> LedgerBook:
        key = book_id(self._context.origin, self._context.book)
        found = self._streams.find(LedgerBook, key)
        if found is not None:
            return found
        return LedgerBook(id=key, name=self._context.book, place=self._order.place, provenance=self._provenance())


def book_totals(totals: ControlTotals) -> BookTotals:
    """The control totals of a reading as the log keeps them."""
    return BookTotals(
        rows=totals.rows_read,
        cases=totals.cases,
        doubles=totals.doubles,
        rejected_rows=totals.rejected_rows,
        claimed=totals.claimed,
        verified=totals.verified,
        paid=totals.paid,
        outstanding=totals.outstanding,
    )


class _DryPersonal:
    """Compares and opens as the vault does, and stores nothing: a dry run leaves no ciphertext behind."""

    def __init__(self, personal: Personal) -> None:
        self._personal = personal
        self.open_many = personal.open_many
        self.openings = personal.openings
        self.matches = personal.matches
        self.matches_many = personal.matches_many
        self.new_subject = personal.new_subject

    def seal(self, subject: str, field: str, plaintext: str) -> Sealed:
        return self.seal_many([(subject, field, plaintext)])[0]

    def seal_many(self, items: Sequence[tuple[str, str, str]]) -> list[Sealed]:
        return [Sealed(subject=subject, sha256="0" * 64, commit="0" * 64) for subject, _, _ in items]
