"""A list of permits or approvals as a stream: which office handed in which edition of it, and every row of that (clause N39).

A row is no act and no stream of its own: nobody decides about it, and an edition of five thousand rows would be five thousand envelopes.
Rows are therefore recorded in chunks, as many as an entry can hold, in one commit with the edition's header. A row is still cited
exactly, as the event that holds it and its place there, and proved by the proof of that one event.

Of an edition of which not all rows are there nothing can be said, so `rows` gives none; an edition is recorded whole or not at all, but
*as it was by a day* may ask in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum

import msgspec
from eventsourcing.domain import event

from domain.canonical import canonical_bytes
from domain.errors import InputError
from domain.money import Fen
from domain.streams import Provenance, Shape, Stream, StreamEvent
from domain.vocabulary import Evidence

CHUNK_BYTES = 48_000
"""Bytes of rows in one event: the limit of an entry (65,535) less its envelope, with room to spare."""
ROW_BYTES = 8_000
"""Bytes that one row may have; a longer one is a column gone astray."""


class ListKind(StrEnum):
    """What the list enumerates."""

    PERMIT = "permit"
    """Building permits (施工许可)."""
    APPROVAL = "approval"
    """Approvals of the project itself (立项审批)."""


class ListedRow(Shape, frozen=True, kw_only=True):
    """One row. `place` is a jurisdiction's code, `developer` an organisation; what the list does not give is absent."""

    name: str
    number: str | None = None
    place: str | None = None
    developer: str | None = None
    amount: Fen | None = None
    on: date | None = None
    """The day of the permit or approval."""


class PermitList(Stream):
    """One series of editions: what one authority permits, or approves, in one place."""

    TOPIC = "permit-list"

    class Event(Stream.Event):
        """Base of a list's events."""

    class Created(Event, Stream.Created):
        """An authority's list was handed in for the first time."""

        TOPIC = "permit-list.opened.v1"
        kind: ListKind
        authority: str
        place: str

    class EditionHandedIn(Event):
        """An edition was handed in: the file, as of which day, how many rows, and the SHA-256 (hex) of all rows in canonical form."""

        TOPIC = "permit-list.edition-handed-in.v1"
        edition: int
        asof: date
        file: Evidence
        rows: int
        digest: str

    class RowsListed(Event):
        """Rows of an edition in the file's order; `first` is the number of the first of them, counted from 1."""

        TOPIC = "permit-list.rows-listed.v1"
        edition: int
        first: int
        rows: tuple[ListedRow, ...]

    @event(Created)
    def __init__(self, id: str, kind: ListKind, authority: str, place: str, provenance: Provenance) -> None:
        self.kind = kind
        self.authority = authority
        self.place = place
        self.editions = 0

    @property
    def jurisdiction(self) -> str:
        return self.place

    def hand_in(self, file: Evidence, asof: date, rows: Sequence[ListedRow], provenance: Provenance) -> int:
        """Records an edition with all its rows; returns its number. An edition without a row is an edition too.

        Raises:
            InputError: a row is too long; `row` says which.
        """
        chunks = list(_chunks(rows))
        edition = self.editions + 1
        self._edition_handed_in(
            edition=edition, asof=asof, file=file, rows=len(rows), digest=rows_digest(rows), provenance=provenance
        )
        first = 1
        for chunk in chunks:
            self._rows_listed(edition=edition, first=first, rows=chunk, provenance=provenance)
            first += len(chunk)
        return edition

    @event(EditionHandedIn)
    def _edition_handed_in(
        self, edition: int, asof: date, file: Evidence, rows: int, digest: str, provenance: Provenance
    ) -> None:
        self.editions = edition

    @event(RowsListed)
    def _rows_listed(self, edition: int, first: int, rows: tuple[ListedRow, ...], provenance: Provenance) -> None:
        """Rows are folded by `read`; the stream itself needs none of them to decide."""


def rows_digest(rows: Sequence[ListedRow]) -> str:
    """SHA-256 (hex) of the rows: each in canonical JSON, each ended by a line feed."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(_canonical(row) + b"\n")
    return digest.hexdigest()


def _canonical(row: ListedRow) -> bytes:
    return canonical_bytes(msgspec.to_builtins(row))


def _chunks(rows: Sequence[ListedRow]) -> Iterator[tuple[ListedRow, ...]]:
    chunk: list[ListedRow] = []
    held = 0
    for place, row in enumerate(rows, start=1):
        size = len(_canonical(row)) + 1
        if size > ROW_BYTES:
            raise InputError(f"row {place} is longer than {ROW_BYTES} bytes", row=place, rule="row-length")
        if held + size > CHUNK_BYTES:
            yield tuple(chunk)
            chunk, held = [], 0
        chunk.append(row)
        held += size
    if chunk:
        yield tuple(chunk)


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """The newest edition of a list, as far as it has been read: its header, and its rows by number."""

    kind: ListKind
    authority: str
    place: str
    edition: int = 0
    asof: date | None = None
    expected: int = 0
    digest: str = ""
    held: tuple[tuple[int, ListedRow], ...] = ()

    @property
    def rows(self) -> tuple[ListedRow, ...]:
        """All rows in the file's order; empty unless every one of them is there and they are what the header says."""
        rows = tuple(row for _, row in sorted(self.held, key=lambda pair: pair[0]))
        return rows if len(rows) == self.expected and rows_digest(rows) == self.digest else ()

    @property
    def whole(self) -> bool:
        """Whether every row is there."""
        return self.edition > 0 and len(self.rows) == self.expected


def read(edition: Edition | None, event: StreamEvent) -> Edition | None:
    """The newest edition after an event of its stream; an event of another changes nothing. Pure and total."""
    if isinstance(event, PermitList.Created):
        return Edition(kind=event.kind, authority=event.authority, place=event.place)
    if edition is None:
        return None
    match event:
        case PermitList.EditionHandedIn():
            return msgspec.structs.replace(
                edition, edition=event.edition, asof=event.asof, expected=event.rows, digest=event.digest, held=()
            )
        case PermitList.RowsListed() if event.edition == edition.edition:
            return msgspec.structs.replace(edition, held=(*edition.held, *enumerate(event.rows, start=event.first)))
        case _:
            return edition
