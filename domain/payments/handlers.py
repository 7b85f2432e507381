"""Commands about payments: load, ask, commit. `now` plays the clock of a simulation.

A payment with all its lines is one commit. Payments are streams of their own beside the case: two clerks who enter two payments of one
case never conflict. A fact that fits no claim is recorded as *unallocated*; what is refused is only a form that contradicts itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Unpack

from domain.backstops.backstop import Backstop
from domain.cases.case import Case
from domain.claims.claim import Claim
from domain.errors import NotFoundError, RuleError
from domain.money import Fen, yuan
from domain.payments.payment import Payment
from domain.recording import Outcome
from domain.repository import Command, Streams, act, decide_repeatably
from domain.sealing.personal import Sealed
from domain.streams import Basis, Provenance, Stream
from domain.vocabulary import Evidence, MoneySource, PaidTo, Purpose


@dataclass(frozen=True)
class Header:
    """Who paid, out of what, for what."""

    source: MoneySource
    purpose: Purpose = Purpose.WAGE
    payer: str | None = None
    instrument: str | None = None
    voucher: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Totals:
    """Control totals as somebody counted them apart from the lines."""

    lines: int
    amount: Fen


@dataclass(frozen=True)
class PaidLine:
    """A line of a list: to which claim (None: matches none), how much, and how it reached the worker."""

    claim: str | None
    amount: Fen
    headcount: int = 1
    paid_to: PaidTo | None = None
    evidence: tuple[Evidence, ...] = ()
    account: Sealed | None = None
    """Of an instructed line: the account that it goes to, and whose it is."""
    holder: Sealed | None = None


@dataclass(frozen=True)
class DrawnOn:
    """The backstop that paid, and which of its holders."""

    backstop: str
    holder: str | None = None


class BankResult(StrEnum):
    """What a bank's return file says of a line."""

    CREDITED = "credited"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(frozen=True)
class BankOutcome:
    """One row of a bank's return file, matched to a line of the payment. `amount` None: all of it."""

    line: int
    result: BankResult
    amount: Fen | None = None
    reason: str = ""


def payment_id(case: str, name: str) -> str:
    """The id of a payment of a case, from what names it there: its voucher, or what the caller made up."""
    return f"payment-{hashlib.sha256('/'.join((case, name)).encode()).hexdigest()[:32]}"


def record_payment(
    streams: Streams,
    *,
    case: str,
    id: str,
    header: Header,
    lines: Sequence[PaidLine],
    provenance: Provenance,
    totals: Totals | None = None,
    drawn_on: DrawnOn | None = None,
    instructed: bool = False,
    **sent: Unpack[Command],
) -> Outcome:
    """Records a payment with its lines, credited or (with `instructed`) only ordered; out of a backstop, if one is named.

    Raises:
        NotFoundError: there is no such case, backstop, or claim line of the case.
        RuleError: there is no line, the control totals are others than the lines', or a payment of that id is recorded already.
    """

    def once() -> Outcome:
        of = streams.get(Case, case)
        refuse_strangers(streams, case, lines)
        refuse_known(streams, id)
        payment = made(of, id, header, lines, provenance, totals, instructed=instructed)
        changed: list[Stream] = [payment]
        if drawn_on is not None and not instructed:
            changed.append(_drawn(streams, case, drawn_on, payment, provenance))
        return streams.commit(*changed, **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def made(
    case: Case,
    id: str,
    header: Header,
    lines: Sequence[PaidLine],
    provenance: Provenance,
    totals: Totals | None = None,
    *,
    instructed: bool = False,
) -> Payment:
    """The stream of a payment with its lines.

    Raises:
        RuleError: there is no line, or the control totals are others than the lines'.
    """
    if not lines:
        raise RuleError("a payment without a line pays nobody", rule="payment-has-lines", clause="definitions: payment")
    amount = sum(line.amount for line in lines)
    if totals is not None and (totals.lines, totals.amount) != (len(lines), amount):
        raise RuleError(
            f"the list has {len(lines)} lines of {yuan(amount)} yuan; it was counted as {totals.lines} of {yuan(totals.amount)}",
            rule="control-totals",
            clause="definitions: payment",
        )
    payment = Payment(
        id=id,
        case=case.id,
        place=case.jurisdiction,
        source=header.source,
        purpose=header.purpose,
        lines=len(lines),
        headcount=sum(line.headcount for line in lines),
        total=amount,
        payer=header.payer,
        instrument=header.instrument,
        voucher=header.voucher,
        evidence=header.evidence,
        provenance=provenance,
    )
    for line in lines:
        if instructed:
            payment.instruct(line.claim, line.amount, line.headcount, provenance, line.account, line.holder)
        else:
            payment.credit(
                line.claim,
                line.amount,
                line.headcount,
                provenance,
                paid_to=line.paid_to,
                evidence=line.evidence,
            )
    return payment


def refuse_known(streams: Streams, payment: str) -> None:
    """Refuses a payment that is recorded already.

    Raises:
        RuleError: it is.
    """
    if streams.find(Payment, payment) is not None:
        raise RuleError(
            "a payment with that voucher is recorded already", rule="number-once", clause="definitions: payment"
        )


def refuse_strangers(streams: Streams, case: str, lines: Sequence[PaidLine]) -> None:
    """Refuses to pay lines that the case does not have, or that others stand for now.

    Raises:
        NotFoundError: a line is not the case's.
        RuleError: a line was merged or split.
    """
    wanted = list(dict.fromkeys(line.claim for line in lines if line.claim is not None))
    known = {claim.id: claim for claim in streams.get_many(Claim, wanted)}
    for claim in wanted:
        if claim not in known or known[claim].case != case:
            raise NotFoundError(f"case {case} has no claim line {claim}")
        if known[claim].left:
            raise RuleError(
                f"line {known[claim].line} was merged or split: pay the lines that stand for it now",
                rule="line-has-left",
                clause="definitions: claim line",
            )


def _drawn(streams: Streams, case: str, drawn_on: DrawnOn, payment: Payment, provenance: Provenance) -> Backstop:
    backstop = streams.get(Backstop, drawn_on.backstop)
    if backstop.partitionkey != case:
        raise NotFoundError(f"case {case} has no backstop {drawn_on.backstop}")
    amount = sum(line.amount for line in payment.credited.values())
    backstop.pay(payment.id, amount, provenance, holder=drawn_on.holder)
    return backstop


def apply_bank_return(
    streams: Streams,
    *,
    payment: str,
    outcomes: Sequence[BankOutcome],
    provenance: Provenance,
    file: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records what a bank's return file says of lines of a payment; its basis is the bank's confirmation.

    A credited row carries out an instructed line, also one that had failed, and raises a line that was credited on a lower basis. A failed
    or returned row takes back what was credited. A row that says what is known already records nothing: a file may come twice.

    Raises:
        NotFoundError: there is no such payment.
        RuleError: a row is about a line that the payment does not have.
    """
    confirmed = provenance.graded(Basis.BANK_CONFIRMED)

    def ask(found: Payment) -> None:
        for outcome in outcomes:
            _apply(found, outcome, confirmed, file)

    return act(streams, Payment, payment, ask, **sent)


def carry_out_lines(
    streams: Streams,
    *,
    payment: str,
    lines: Sequence[int],
    evidence: tuple[Evidence, ...],
    provenance: Provenance,
    paid_to: PaidTo | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that instructed lines reached their workers, as somebody other than the bank knows; of all that wait where none is named.

    Raises:
        NotFoundError: there is no such payment.
        RuleError: a line of that number is not instructed.
    """

    def ask(found: Payment) -> None:
        for line in lines or list(found.instructed):
            found.carry_out(line, provenance, paid_to=paid_to, evidence=evidence)

    return act(streams, Payment, payment, ask, **sent)


def _apply(payment: Payment, outcome: BankOutcome, provenance: Provenance, file: tuple[Evidence, ...]) -> None:
    line = outcome.line
    match outcome.result:
        case BankResult.CREDITED if line in payment.instructed or line in payment.failed:
            payment.carry_out(line, provenance, amount=outcome.amount, evidence=file)
        case BankResult.CREDITED:
            _confirm(payment, line, provenance, file)
        case _ if line in payment.failed:
            pass  # known already
        case _ if line in payment.credited:
            payment.return_by_bank(line, outcome.amount, outcome.reason, provenance)
        case _:
            payment.fail(line, outcome.reason, provenance)


def _confirm(payment: Payment, line: int, provenance: Provenance, file: tuple[Evidence, ...]) -> None:
    for each in payment.lines_of(line):
        credited = payment.credited.get(each)
        if credited is None or (credited.amount and credited.basis.rank < Basis.BANK_CONFIRMED.rank):
            payment.evidence_line(each, file, provenance)


def give_back(
    streams: Streams,
    *,
    payment: str,
    line: int,
    amount: Fen,
    reason: str,
    provenance: Provenance,
    by_bank: bool = False,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a credited line, or a part of it, was returned or reversed. Raises NotFoundError; RuleError: no such line."""
    return act(
        streams,
        Payment,
        payment,
        lambda found: found.give_back(line, amount, reason, provenance, by_bank=by_bank),
        **sent,
    )


def evidence_lines(
    streams: Streams,
    *,
    payment: str,
    lines: Sequence[int],
    evidence: tuple[Evidence, ...],
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Records a better basis (the provenance's) for lines; of all that were credited where none is named.

    Raises:
        NotFoundError: there is no such payment.
        RuleError: no such line; or nothing proves it.
    """
    if (provenance.basis or Basis.STATED) is not Basis.STATED and not evidence:
        raise RuleError(
            "a better basis needs what proves it", rule="basis-proved", clause="definitions: grade of basis"
        )

    def ask(found: Payment) -> None:
        for line in lines or [number for number, credited in found.credited.items() if credited.amount]:
            found.evidence_line(line, evidence, provenance)

    return act(streams, Payment, payment, ask, **sent)


def refute_lines(
    streams: Streams,
    *,
    payment: str,
    lines: Sequence[int],
    evidence: tuple[Evidence, ...],
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that what proved lines does not: their grade falls back to *stated*. Raises NotFoundError; RuleError: no such line."""
    stated = provenance.graded(Basis.STATED)

    def ask(found: Payment) -> None:
        for line in lines:
            found.evidence_line(line, evidence, stated)

    return act(streams, Payment, payment, ask, **sent)


def allocate_line(
    streams: Streams,
    *,
    payment: str,
    line: int,
    claim: str | None,
    reason: str,
    provenance: Provenance,
    amount: Fen | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Says which claim a credited line counts for (None: none any more); `amount` None: all that is left of it.

    Raises:
        NotFoundError: there is no such payment, or no such claim line of its case.
        RuleError: see `Payment.allocate`.
    """

    def ask(found: Payment) -> None:
        if claim is not None:
            refuse_strangers(streams, found.case, [PaidLine(claim, 0)])
        left = found.credited[line].amount if line in found.credited else 0
        found.allocate(line, claim, left if amount is None else amount, reason, provenance)

    return act(streams, Payment, payment, ask, **sent)
