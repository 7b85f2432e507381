"""A payment is a stream of its own: a header with control totals, and one event a line.

Whether a line discharges a claim is computed from the events (`domain/claims/balance.py`), never set. A line without a claim is
*unallocated*: recorded and listed, not refused (definitions.md, facts are recorded); allocating it, or correcting a wrong allocation,
moves it. What was instructed, promised or has failed discharges nothing. Money to a foreman, an agent or a custody account is no line of
a payment: it is `domain/custody`.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
from eventsourcing.domain import event

from domain.errors import RuleError
from domain.money import Fen, yuan
from domain.sealing.personal import Sealed
from domain.streams import Basis, Provenance, Stream
from domain.vocabulary import Evidence, MoneySource, PaidTo, Purpose

PAID = "definitions: paid"


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

    class LineInstructed(Event):
        """A line was ordered to be paid; it discharges nothing until it is credited."""

        TOPIC = "payment.line-instructed.v1"
        line: int
        claim: str | None
        amount: Fen
        headcount: int
        purpose: Purpose
        account: Sealed | None
        holder: Sealed | None

    class LineFailed(Event):
        """An instructed line was not carried out."""

        TOPIC = "payment.line-failed.v1"
        line: int
        claim: str | None
        amount: Fen
        reason: str

    class LineCredited(Event):
        """Money reached the worker of a line, as far as the basis says."""

        TOPIC = "payment.line-credited.v2"
        line: int
        claim: str | None
        amount: Fen
        headcount: int
        purpose: Purpose
        instructed: Fen | None
        """What had been instructed under this number; absent where nothing was."""
        paid_to: PaidTo | None
        evidence: tuple[Evidence, ...]

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
        """A credited line has a better basis now, or a refuted and so a lower one: the event's own `basis`."""

        TOPIC = "payment.line-evidenced.v1"
        line: int
        claim: str | None
        amount: Fen
        basis_was: Basis
        purpose: Purpose
        evidence: tuple[Evidence, ...]

    class LineMovedAway(Event):
        """What a line had credited counts for another claim from now on (or, with `to` absent, for none)."""

        TOPIC = "payment.line-moved-away.v1"
        line: int
        claim: str | None
        to: str | None
        amount: Fen
        basis_was: Basis
        purpose: Purpose
        reason: str

    class LineMovedHere(Event):
        """The other half of a move: the claim for which the money counts from now on. It bears the grade of the payment."""

        TOPIC = "payment.line-moved-here.v1"
        line: int
        claim: str | None
        amount: Fen
        headcount: int
        purpose: Purpose
        from_payment: str | None
        """The payment that it was moved from; absent: this one."""
        from_line: int
        credited_on: datetime
        """When the worker was paid, whatever the date of the move."""

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
        self.payer = payer
        self.source = source
        self.purpose = purpose
        self.instrument = instrument
        self.voucher = voucher
        self.evidence = evidence
        self.opened = provenance.occurred
        self.credited: dict[int, CreditedLine] = {}
        self.instructed: dict[int, InstructedLine] = {}
        self.failed: dict[int, InstructedLine] = {}
        self.bank_returned: dict[int, Fen] = {}
        self.parts: dict[int, list[int]] = {}
        self.carried: dict[int, Fen] = {}
        self.last_line = 0

    @property
    def partitionkey(self) -> str:
        return self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    # Facts

    def instruct(
        self,
        claim: str | None,
        amount: Fen,
        headcount: int,
        provenance: Provenance,
        account: Sealed | None = None,
        holder: Sealed | None = None,
    ) -> None:
        """Records that a line was ordered to be paid."""
        self._line_instructed(
            line=self.last_line + 1,
            claim=claim,
            amount=amount,
            headcount=headcount,
            purpose=self.purpose,
            account=account,
            holder=holder,
            provenance=provenance,
        )

    def fail(self, line: int, reason: str, provenance: Provenance) -> None:
        """Records that an instructed line was not carried out.

        Raises:
            RuleError: no line of that number is instructed.
        """
        waiting = self.instructed.get(line)
        if waiting is None:
            raise RuleError(f"line {line} of the payment is not instructed", rule="line-instructed", clause=PAID)
        self._line_failed(line=line, claim=waiting.claim, amount=waiting.amount, reason=reason, provenance=provenance)

    def credit(
        self,
        claim: str | None,
        amount: Fen,
        headcount: int,
        provenance: Provenance,
        *,
        paid_to: PaidTo | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that money reached the worker of a claim line."""
        self._line_credited(
            line=self.last_line + 1,
            claim=claim,
            amount=amount,
            headcount=headcount,
            purpose=self.purpose,
            instructed=None,
            paid_to=paid_to,
            evidence=evidence,
            provenance=provenance,
        )

    def carry_out(
        self,
        line: int,
        provenance: Provenance,
        *,
        amount: Fen | None = None,
        paid_to: PaidTo | None = PaidTo.OWN_ACCOUNT,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that an instructed line was credited, under its number; one that had failed, when it was tried again. `amount` where it
        was another than instructed.

        Raises:
            RuleError: no line of that number was instructed, or it was credited already.
        """
        waiting = self.instructed.get(line)
        tried = waiting or self.failed.get(line)
        if tried is None:
            raise RuleError(f"line {line} of the payment is not instructed", rule="line-instructed", clause=PAID)
        self._line_credited(
            line=line,
            claim=tried.claim,
            amount=tried.amount if amount is None else amount,
            headcount=tried.headcount,
            purpose=self.purpose,
            instructed=None if waiting is None else waiting.amount,
            paid_to=paid_to,
            evidence=evidence,
            provenance=provenance,
        )

    def give_back(self, line: int, amount: Fen, reason: str, provenance: Provenance, *, by_bank: bool = False) -> None:
        """Records that a credited line, or a part of it, was returned by the bank or reversed.

        Raises:
            RuleError: no line of that number was credited.
        """
        credited = self._credited(line)
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

    def return_by_bank(self, line: int, amount: Fen | None, reason: str, provenance: Provenance) -> None:
        """Records that the bank returned what a line had credited, from the claims for which it counts now; what was carried over into
        another payment, or is more than is left, from the line itself. `amount` None: all of it. What the bank returned before is not
        returned again.

        Raises:
            RuleError: no line of that number was credited.
        """
        self._credited(line)
        lines = self.lines_of(line)
        if amount is None:
            rest = sum(self.credited[each].amount for each in lines) + self.carried.get(line, 0)
        else:
            rest = amount - sum(self.bank_returned.get(each, 0) for each in lines)
        for each in lines:
            part = min(rest, self.credited[each].amount)
            if part > 0:
                self.give_back(each, part, reason, provenance, by_bank=True)
                rest -= part
        if rest > 0:
            self.give_back(line, rest, reason, provenance, by_bank=True)

    def lines_of(self, line: int) -> list[int]:
        """The line, and the lines of this payment to which parts of it were moved."""
        return [line, *(each for part in self.parts.get(line, ()) for each in self.lines_of(part))]

    def evidence_line(self, line: int, evidence: tuple[Evidence, ...], provenance: Provenance) -> None:
        """Records another basis for a credited line: a better one, or the lower one that is left once its voucher is refuted.

        Raises:
            RuleError: no line of that number was credited.
        """
        credited = self._credited(line)
        self._line_evidenced(
            line=line,
            claim=credited.claim,
            amount=credited.amount,
            basis_was=credited.basis,
            purpose=self.purpose,
            evidence=evidence,
            provenance=provenance,
        )

    # Acts

    def allocate(
        self,
        line: int,
        claim: str | None,
        amount: Fen,
        reason: str,
        provenance: Provenance,
        *,
        corrects: bool = True,
    ) -> None:
        """Moves what is left of a credited line, or a part of it, to another claim of the same case (None: to none).

        What `corrects` a wrong allocation bears the date of the payment (design.md 6); what follows from an act, as lines that merge, that
        of the act: until then the money was where it was.

        Raises:
            RuleError: no line of that number was credited; it counts for that claim already; or less is left of it.
        """
        credited = self._credited(line)
        if credited.claim == claim:
            raise RuleError(
                f"line {line} counts for that claim already",
                rule="moved-to-another",
                clause="definitions: facts are recorded",
            )
        if corrects:
            provenance = msgspec.structs.replace(provenance, occurred=credited.occurred)
        self.move_away(line, claim, amount, reason, provenance)
        self.move_here(claim, credited._replace(amount=amount), provenance, line)

    def move_away(self, line: int, to: str | None, amount: Fen, reason: str, provenance: Provenance) -> None:
        """The first half of a move, for carrying money over into another payment.

        Raises:
            RuleError: no line of that number was credited, or less is left of it.
        """
        credited = self._credited(line)
        if not 0 < amount <= credited.amount:
            raise RuleError(
                f"{yuan(credited.amount)} yuan are left of line {line}; {yuan(amount)} cannot be moved",
                rule="moved-within-left",
                clause="definitions: facts are recorded",
            )
        self._line_moved_away(
            line=line,
            claim=credited.claim,
            to=to,
            amount=amount,
            basis_was=credited.basis,
            purpose=self.purpose,
            reason=reason,
            provenance=provenance,
        )

    def move_here(
        self,
        claim: str | None,
        credited: CreditedLine,
        provenance: Provenance,
        from_line: int,
        from_payment: str | None = None,
    ) -> None:
        """The second half of a move; it takes the grade of what was credited."""
        self._line_moved_here(
            line=self.last_line + 1,
            claim=claim,
            amount=credited.amount,
            headcount=credited.headcount,
            purpose=self.purpose,
            from_payment=from_payment,
            from_line=from_line,
            credited_on=credited.occurred,
            provenance=provenance.graded(credited.basis),
        )

    def _credited(self, line: int) -> CreditedLine:
        found = self.credited.get(line)
        if found is None:
            raise RuleError(f"line {line} of the payment was not credited", rule="line-credited", clause=PAID)
        return found

    # Applying: runs again on every replay, and never refuses

    @event(LineInstructed)
    def _line_instructed(
        self,
        line: int,
        claim: str | None,
        amount: Fen,
        headcount: int,
        purpose: Purpose,
        account: Sealed | None,
        holder: Sealed | None,
        provenance: Provenance,
    ) -> None:
        self.last_line = max(self.last_line, line)
        self.instructed[line] = InstructedLine(claim, amount, headcount)

    @event(LineFailed)
    def _line_failed(self, line: int, claim: str | None, amount: Fen, reason: str, provenance: Provenance) -> None:
        waited = self.instructed.pop(line, None)
        if waited is not None:
            self.failed[line] = waited

    @event(LineCredited)
    def _line_credited(
        self,
        line: int,
        claim: str | None,
        amount: Fen,
        headcount: int,
        purpose: Purpose,
        instructed: Fen | None,
        paid_to: PaidTo | None,
        evidence: tuple[Evidence, ...],
        provenance: Provenance,
    ) -> None:
        self.last_line = max(self.last_line, line)
        self.instructed.pop(line, None)
        self.failed.pop(line, None)
        self.credited[line] = CreditedLine(
            claim, amount, provenance.basis or Basis.STATED, provenance.occurred, headcount
        )

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
        self._less(line, amount)
        self.bank_returned[line] = self.bank_returned.get(line, 0) + amount

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
        self._less(line, amount)

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
        if line in self.credited:
            self.credited[line] = self.credited[line]._replace(basis=provenance.basis or self.credited[line].basis)

    @event(LineMovedAway)
    def _line_moved_away(
        self,
        line: int,
        claim: str | None,
        to: str | None,
        amount: Fen,
        basis_was: Basis,
        purpose: Purpose,
        reason: str,
        provenance: Provenance,
    ) -> None:
        self._less(line, amount)
        self.carried[line] = self.carried.get(line, 0) + amount

    @event(LineMovedHere)
    def _line_moved_here(
        self,
        line: int,
        claim: str | None,
        amount: Fen,
        headcount: int,
        purpose: Purpose,
        from_payment: str | None,
        from_line: int,
        credited_on: datetime,
        provenance: Provenance,
    ) -> None:
        self.last_line = max(self.last_line, line)
        self.credited[line] = CreditedLine(claim, amount, provenance.basis or Basis.STATED, credited_on, headcount)
        if from_payment is None:
            self.parts.setdefault(from_line, []).append(line)
            self.carried[from_line] = self.carried.get(from_line, 0) - amount

    def _less(self, line: int, amount: Fen) -> None:
        if line in self.credited:
            self.credited[line] = self.credited[line]._replace(amount=self.credited[line].amount - amount)


class CreditedLine(NamedTuple):
    """What is left of a credited line: for which claim, on what basis, and when it was paid."""

    claim: str | None
    amount: Fen
    basis: Basis
    occurred: datetime
    headcount: int = 1


class InstructedLine(NamedTuple):
    """A line that waits to be credited."""

    claim: str | None
    amount: Fen
    headcount: int
