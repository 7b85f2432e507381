"""A payment is a stream of its own: a header with control totals, and one event a line.

Whether a line discharges a claim is computed from the events (`domain/claims/balance.py`), never set. A line without a claim is
*unallocated*: recorded and listed, not refused (definitions.md, facts are recorded).
"""

from __future__ import annotations

from eventsourcing.domain import event

from domain.money import Fen
from domain.streams import Basis, Provenance, Stream
from domain.vocabulary import Evidence, MoneySource, Purpose


class Payment(Stream):
    """One payment, or one batch of them."""

    TOPIC = "payment"

    class Event(Stream.Event):
        """Base of a payment's events."""

    class Created(Event, Stream.Created):
        """The header: who paid, from what, for what, and the totals that the lines must add up to."""

        TOPIC = "payment.recorded.v1"
        case: str
        place: str
        payer: str | None
        source: MoneySource
        purpose: Purpose
        instrument: str | None
        voucher: str | None
        lines: int
        headcount: int
        total: Fen
        evidence: tuple[Evidence, ...]

    class LineCredited(Event):
        """Money reached the worker of a line, as far as the basis says."""

        TOPIC = "payment.line-credited.v1"
        line: int
        claim: str | None
        amount: Fen
        headcount: int
        purpose: Purpose

    class LineReturned(Event):
        """The bank returned a credited line."""

        TOPIC = "payment.line-returned.v1"
        line: int
        claim: str | None
        amount: Fen
        basis_was: Basis
        purpose: Purpose
        reason: str

    class LineReversed(Event):
        """A credited line, or a part of it, was reversed or is no longer stated by its source."""

        TOPIC = "payment.line-reversed.v1"
        line: int
        claim: str | None
        amount: Fen
        basis_was: Basis
        purpose: Purpose
        reason: str

    class LineEvidenced(Event):
        """A credited line has a better basis now: the event's own `basis`."""

        TOPIC = "payment.line-evidenced.v1"
        line: int
        claim: str | None
        amount: Fen
        basis_was: Basis
        purpose: Purpose
        evidence: tuple[Evidence, ...]

    @event(Created)
    def __init__(
        self,
        id: str,
        case: str,
        place: str,
        source: MoneySource,
        purpose: Purpose,
        lines: int,
        headcount: int,
        total: Fen,
        provenance: Provenance,
        payer: str | None = None,
        instrument: str | None = None,
        voucher: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        self.case = case
        self.place = place
        self.source = source
        self.purpose = purpose
        self.opened = provenance.occurred
        self.credited: dict[int, CreditedLine] = {}

    @property
    def partitionkey(self) -> str:
        return self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    def credit(self, claim: str | None, amount: Fen, headcount: int, provenance: Provenance) -> None:
        """Records that money reached the worker of a claim line."""
        self._line_credited(
            line=len(self.credited) + 1,
            claim=claim,
            amount=amount,
            headcount=headcount,
            purpose=self.purpose,
            provenance=provenance,
        )

    def give_back(self, line: int, amount: Fen, reason: str, provenance: Provenance, *, by_bank: bool = False) -> None:
        """Records that a credited line, or a part of it, was returned by the bank or reversed."""
        credited = self.credited[line]
        record = self._line_returned if by_bank else self._line_reversed
        record(
            line=line,
            claim=credited.claim,
            amount=amount,
            basis_was=credited.basis,
            purpose=self.purpose,
            reason=reason,
            provenance=provenance,
        )

    def evidence_line(self, line: int, evidence: tuple[Evidence, ...], provenance: Provenance) -> None:
        """Records a better basis for a credited line."""
        credited = self.credited[line]
        self._line_evidenced(
            line=line,
            claim=credited.claim,
            amount=credited.amount,
            basis_was=credited.basis,
            purpose=self.purpose,
            evidence=evidence,
            provenance=provenance,
        )

    @event(LineCredited)
    def _line_credited(
        self, line: int, claim: str | None, amount: Fen, headcount: int, purpose: Purpose, provenance: Provenance
    ) -> None:
        self.credited[line] = CreditedLine(claim, amount, provenance.basis or Basis.STATED)

    @event(LineReturned)
    def _line_returned(
        self,
        line: int,
        claim: str | None,
        amount: Fen,
        basis_was: Basis,
        purpose: Purpose,
        reason: str,
        provenance: Provenance,
    ) -> None:
        self.credited[line] = self.credited[line].less(amount)

    @event(LineReversed)
    def _line_reversed(
        self,
        line: int,
        claim: str | None,
        amount: Fen,
        basis_was: Basis,
        purpose: Purpose,
        reason: str,
        provenance: Provenance,
    ) -> None:
        self.credited[line] = self.credited[line].less(amount)

    @event(LineEvidenced)
    def _line_evidenced(
        self,
        line: int,
        claim: str | None,
        amount: Fen,
        basis_was: Basis,
        purpose: Purpose,
        evidence: tuple[Evidence, ...],
        provenance: Provenance,
    ) -> None:
        credited = self.credited[line]
        self.credited[line] = CreditedLine(credited.claim, credited.amount, provenance.basis or credited.basis)


class CreditedLine:
    """What is left of a credited line, and on what basis."""

    __slots__ = ("amount", "basis", "claim")

    def __init__(self, claim: str | None, amount: Fen, basis: Basis) -> None:
        self.claim = claim
        self.amount = amount
        self.basis = basis

    def less(self, amount: Fen) -> CreditedLine:
        """The line after `amount` was taken back."""
        return CreditedLine(self.claim, self.amount - amount, self.basis)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CreditedLine) and (self.claim, self.amount, self.basis) == (
            other.claim,
            other.amount,
            other.basis,
        )

    def __hash__(self) -> int:
        return hash((self.claim, self.amount, self.basis))
