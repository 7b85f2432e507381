"""What a ledger book says, read and validated, before anything is recorded: the contract of importing.

A book is read into *source cases*. A source case is whole or not at all: when one of its rows cannot be read, the
whole case is rejected with all its rows and none of it is handed on. Rows that stand twice are named as doubles and
count once. Everything is kept as the source states it: a balance below zero, a case called closed that still owes and
a word nobody knows are facts, not mistakes, and nothing here judges them.

Shapes: money is whole fen; a `datetime` is aware, in the zone given to the reader, and a fact that the book dates by
the day alone stands at local midnight; a `date` is a calendar day. `None` means that the book does not say.
Fields marked *personal* hold the data of persons in clear: they must be sealed before they reach an event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, Protocol

import msgspec

from domain.jurisdictions import JurisdictionTree
from domain.money import Fen

Kind = Literal["wage", "compensation"]
Funding = Literal["government", "state-owned", "private", "other"]
CaseClass = Literal["in-year", "historical", "handed-down"]
StateMeaning = Literal["open", "closed", "transferred", "judicial"]


class SourceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One claim line of a book: a named worker, or an unnamed head-count when `worker` is None.

    `headcount` is 1 for a named worker; 0 means that the book does not state it.
    Amounts stand as the book states them: `paid` may exceed `verified` (overpaid) and is never cut down to it.
    `worker`, `worker_id` and `phone` are *personal*.
    """

    worker: str | None = None
    worker_id: str | None = None
    phone: str | None = None
    headcount: int = 0
    kind: Kind = "wage"
    period_from: date | None = None
    period_to: date | None = None
    claimed: Fen | None = None
    verified: Fen | None = None
    rejected: Fen | None = None
    paid: Fen | None = None


class SourceCase(msgspec.Struct, frozen=True, kw_only=True):
    """One case of a book, made of one or several sheet rows.

    `rows` are 1-based, as a person counts them in the sheet. `jurisdiction` is a code of the reading's tree.
    `classes` is None when the book does not classify: it is then derived from `received`.
    `outstanding` is the balance that the book states, a control figure and never a computed balance; it may be
    negative. `state` and `written_off` are the source's own words; `state_means` is only what the mapping says about
    that word, and maps to nothing computed. `people` (role to name or number), `note`, `follow_up` and `debtor` where
    the debtor is a natural person are *personal*. `extra` holds, by heading, columns kept verbatim that have no field.
    """

    number: str
    rows: tuple[int, ...]
    jurisdiction: str
    received: datetime
    lines: tuple[SourceLine, ...]
    channel: str | None = None
    project: str | None = None
    funding: Funding | None = None
    industry: str | None = None
    debtor: str | None = None
    debtor_code: str | None = None
    contractor: str | None = None
    developer: str | None = None
    cause: str | None = None
    classes: tuple[CaseClass, ...] | None = None
    handed_down_by: str | None = None
    handed_down_number: str | None = None
    handed_down_on: datetime | None = None
    matters: tuple[str, ...] = ()
    payment_source: str | None = None
    paid_on: datetime | None = None
    voucher: str | None = None
    outstanding: Fen | None = None
    state: str | None = None
    state_means: StateMeaning | None = None
    closed_on: datetime | None = None
    written_off: str | None = None
    followed_up_on: datetime | None = None
    follow_up: str | None = None
    people: dict[str, str] = {}
    note: str | None = None
    extra: dict[str, str] = {}


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why a source case was not read. A case with three faults gives three rejects.

    `row` is where the fault stands; `rows` are all rows of the rejected case. `field` is the mapping's field, `heading`
    the column as the sheet calls it. `value` is what stands in the cell and may be *personal*: show it to whoever
    brought the book, never log it. `rule` is a stable name for machines; `message` and `message_zh` are for people.
    """

    row: int
    rows: tuple[int, ...]
    number: str | None
    field: str
    heading: str
    value: str
    rule: str
    message: str
    message_zh: str


class Double(msgspec.Struct, frozen=True, kw_only=True):
    """Identical rows that stand more than once: the first is kept, the others count for nothing."""

    number: str
    kept_row: int
    dropped_rows: tuple[int, ...]


class ControlTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the accepted source cases, in fen, to be laid beside the ledger after the import.

    `rows_read` counts all data rows, accepted or not; `rejected_rows` those of rejected cases; `doubles` the rows
    dropped as doubles. `outstanding` is the signed sum of the balances that the book states; `overpaid` is the sum, per
    line, of what was paid beyond what was verified, and is not netted against what others are owed.
    """

    rows_read: int = 0
    cases: int = 0
    lines: int = 0
    headcount: int = 0
    claimed: Fen = 0
    verified: Fen = 0
    rejected: Fen = 0
    paid: Fen = 0
    outstanding: Fen = 0
    overpaid: Fen = 0
    rejected_rows: int = 0
    rejected_cases: int = 0
    doubles: int = 0


class ControlCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A total or subtotal row of the book beside the sum of the rows above it, as a spreadsheet would sum them.

    `stated` and `summed` are fen, or persons where `field` is the head-count. `summed` covers the rows that could be
    read, doubles included.
    """

    row: int
    label: str
    field: str
    heading: str
    stated: int
    summed: int

    @property
    def agrees(self) -> bool:
        return self.stated == self.summed


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """A row below the header that holds no case: a total, a subtotal, a footer, or the header printed again."""

    row: int
    text: str
    why: Literal["total", "subtotal", "footer", "header"]


class Reading(Protocol):
    """A book being read.

    `cases` is consumed once, in sheet order (a case whose rows lie apart comes when its last row was read).
    `rejects`, `doubles`, `skipped` and `checks` grow while it is consumed; the totals exist only after its end, and
    asking before is a `RuntimeError`. Nothing here is safe for use from several threads.
    """

    @property
    def digest(self) -> str:
        """SHA-256 of the book's file, hexadecimal."""
        ...

    @property
    def mapping(self) -> str:
        """Name of the mapping it is read with."""
        ...

    @property
    def sheet(self) -> str: ...

    @property
    def header_row(self) -> int:
        """1-based row of the (last) header line."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """Field to heading, for every field that the sheet has a column for."""
        ...

    @property
    def unmapped(self) -> Sequence[str]:
        """Headings that nothing is read from."""
        ...

    @property
    def tree(self) -> JurisdictionTree:
        """The tree that the codes of the cases belong to: the mapping's own, else the one given."""
        ...

    @property
    def rejects(self) -> Sequence[Reject]: ...

    @property
    def doubles(self) -> Sequence[Double]: ...

    @property
    def skipped(self) -> Sequence[Skipped]: ...

    @property
    def checks(self) -> Sequence[ControlCheck]: ...

    @property
    def cases(self) -> Iterator[SourceCase]: ...

    @property
    def totals(self) -> ControlTotals:
        """After doubles: every case once."""
        ...

    @property
    def totals_with_doubles(self) -> ControlTotals:
        """Before doubles: what the column sums of the accepted rows in the book come to."""
        ...
