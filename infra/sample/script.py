"""The script of a played campaign: who, which cases, and what an office does with each and when. Data only; `desk.py` performs it.

Amounts are fen. `Step.at` is when an act is recorded; `occurred` and `received` are given where they differ from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from domain.money import Fen
from domain.streams import Basis
from domain.vocabulary import (
    Answer,
    CaseClass,
    ClaimKind,
    FollowUpMethod,
    Funding,
    MoneySource,
    Outcome,
    Purpose,
    StatedMeaning,
)
from infra.sample.words import Person


@dataclass(frozen=True, slots=True)
class Line:
    """A claim line as the worker or the book states it, and what the office finds when it verifies."""

    worker: Person | None
    headcount: int
    kind: ClaimKind
    claimed: Fen
    verified: Fen
    period_from: date
    period_to: date
    gross: Fen | None = None
    drawn: Fen | None = None
    withdrawn: Fen = 0
    disputed: Fen = 0
    ground: str | None = None

    @property
    def rejected(self) -> Fen:
        """What is left of the claim."""
        return self.claimed - self.verified - self.withdrawn - self.disputed


@dataclass(frozen=True, slots=True)
class Register:
    """A complaint becomes a case with the lines that are known (N20)."""

    lines: int


@dataclass(frozen=True, slots=True)
class AddLines:
    """Workers who were missing on the roster turn up; indices of the case's lines."""

    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Verify:
    """Lines are determined (核清); indices of the case's lines."""

    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeclareRoster:
    """The handler declares the roster complete."""


@dataclass(frozen=True, slots=True)
class ConfirmRoster:
    """Another officer confirms it."""


@dataclass(frozen=True, slots=True)
class Pay:
    """A payment with its lines: (index of a claim line or None, amount)."""

    source: MoneySource
    payer: str
    voucher: str
    basis: Basis
    items: tuple[tuple[int | None, Fen], ...]
    purpose: Purpose = Purpose.WAGE


@dataclass(frozen=True, slots=True)
class Evidence:
    """A better basis for every line of a payment; payments are counted from 0 in order of recording."""

    payment: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class GiveBack:
    """A credited line comes back, wholly or in part; `item` counts the payment's lines from 0."""

    payment: int
    item: int
    amount: Fen
    reason: str
    by_bank: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One worker's answer (N26)."""

    line: int
    answer: Answer
    amount: Fen | None
    method: FollowUpMethod
    number_from: str | None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Some workers are asked one after the other."""

    answers: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class ProposeClosing:
    """The handler proposes to close; `into` is the number of the case that it is merged into."""

    outcome: Outcome
    ground: str
    into: str | None = None


@dataclass(frozen=True, slots=True)
class SendTransfer:
    """The case is to be taken over by an office outside the deployment."""

    to: str
    ground: str


@dataclass(frozen=True, slots=True)
class AcceptTransfer:
    """That office takes it over, in writing."""

    by: str
    number: str


@dataclass(frozen=True, slots=True)
class SenderAccepts:
    """Who handed the case down accepts how it was dealt with (N24)."""

    by: str


@dataclass(frozen=True, slots=True)
class RefuseClosing:
    """The approver sends the proposal back."""

    ground: str


@dataclass(frozen=True, slots=True)
class ApproveClosing:
    """The approver closes."""


@dataclass(frozen=True, slots=True)
class WriteOff:
    """The leading-group office writes the case off (N27)."""


@dataclass(frozen=True, slots=True)
class Reopen:
    """The procedure goes on."""

    ground: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A heading of the county's ledger that has no field of its own is filled: a publication batch, a referral to the police."""

    heading: str
    value: str
    reason: str


Act = (
    Register
    | AddLines
    | Verify
    | DeclareRoster
    | ConfirmRoster
    | Pay
    | Evidence
    | GiveBack
    | FollowUp
    | ProposeClosing
    | SendTransfer
    | AcceptTransfer
    | SenderAccepts
    | RefuseClosing
    | ApproveClosing
    | WriteOff
    | Reopen
    | Mark
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command of one officer, recorded at `at`."""

    at: datetime
    act: Act
    by: str
    """Handle of the officer who decides and types."""
    occurred: datetime | None = None
    received: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatedInBook:
    """What the county's book says of a case beside its lines: the part already paid, and its own word for the state."""

    book: str
    verified: bool
    """Whether it gives verified amounts."""
    paid: tuple[Fen, ...]
    """By line; zero where nothing was paid."""
    paid_on: datetime | None
    payment_source: str | None
    voucher: str | None
    state: str
    means: StatedMeaning
    closed_on: datetime | None
    written_off: str | None


@dataclass(frozen=True, slots=True)
class CaseScript:
    """One case: what it is, and everything that is done with it, in order of time."""

    number: str
    place: str
    funding: Funding
    classes: tuple[CaseClass, ...]
    class_ground: str
    received: datetime
    channel: str
    debtor: str
    industry: str
    cause: str
    lines: tuple[Line, ...]
    steps: tuple[Step, ...]
    stated: StatedInBook | None = None
    """None: registered by hand during the campaign."""
    project: str | None = None
    contractor: str | None = None
    developer: str | None = None
    handed_down_by: str | None = None
    handed_down_number: str | None = None
    handed_down_on: datetime | None = None
    people: tuple[tuple[str, str], ...] = ()
    """(role, name) of those who answer for a case that was handed down (N24); names are sealed."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class OfficerScript:
    """An officer of the simulation."""

    handle: str
    place: str
    name: str


@dataclass(frozen=True, slots=True)
class BookEntry:
    """A case as one issue of a book states it: the lines that stand there, and what was paid of each so far."""

    case: int
    lines: tuple[Line, ...]
    paid: tuple[Fen, ...]
    state: str
    means: StatedMeaning
    closed_on: datetime | None
    extra: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BookIssue:
    """A county hands in its book: the first issue, or an amended one."""

    at: datetime
    book: str
    place: str
    by: str
    entries: tuple[BookEntry, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A whole campaign."""

    officers: tuple[OfficerScript, ...]
    cases: tuple[CaseScript, ...]
    issues: tuple[BookIssue, ...]
