"""Commands about custody: load, ask, commit. `now` plays the clock of a simulation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Unpack

from domain.cases.case import Case
from domain.custody.custody import Custody
from domain.money import Fen
from domain.payments.handlers import Header, PaidLine, Totals, made, refuse_known, refuse_strangers
from domain.payments.payment import Payment
from domain.recording import Outcome
from domain.repository import Command, Streams, act, decide_repeatably, open_once
from domain.sealing.personal import Sealed
from domain.streams import Basis, Provenance
from domain.vocabulary import Evidence, HolderKind, MoneySource, Purpose


def custody_id(origin: str, number: str) -> str:
    """The id of the custody with that number in that log: a number is taken once."""
    return f"custody-{hashlib.sha256(f'{origin} {number}'.encode()).hexdigest()[:32]}"


def open_custody(
    streams: Streams,
    *,
    origin: str,
    case: str,
    number: str,
    holder_kind: HolderKind,
    source: MoneySource,
    amount: Fen,
    provenance: Provenance,
    purpose: Purpose = Purpose.WAGE,
    holder: Sealed | None = None,
    account: str | None = None,
    payer: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Custody:
    """Records that somebody took money for workers of a case.

    Raises:
        NotFoundError: there is no such case.
        RuleError: the number is taken.
    """
    custody = Custody(
        id=custody_id(origin, number),
        case=case,
        place=streams.get(Case, case).jurisdiction,
        number=number,
        holder_kind=holder_kind,
        holder=holder,
        account=account,
        payer=payer,
        source=source,
        purpose=purpose,
        amount=amount,
        evidence=evidence,
        provenance=provenance,
    )
    open_once(streams, custody, "a custody", number, **sent)
    return custody


def authorise(
    streams: Streams,
    *,
    custody: str,
    claims: Sequence[str],
    evidence: tuple[Evidence, ...],
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Records workers' authorisations; what was passed on to them and is proved but for these is *documented* from now on.

    Raises:
        NotFoundError: there is no such custody, or a line is not its case's.
        RuleError: no line is named.
    """

    def once() -> Outcome:
        found = streams.get(Custody, custody)
        refuse_strangers(streams, found.case, [PaidLine(claim, 0) for claim in claims])
        found.authorise(tuple(claims), evidence, provenance)
        return streams.commit(found, *_proved(streams, found, provenance), **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def pass_on(
    streams: Streams,
    *,
    custody: str,
    payment: str,
    lines: Sequence[PaidLine],
    evidence: tuple[Evidence, ...],
    provenance: Provenance,
    list_back: bool,
    voucher: str | None = None,
    totals: Totals | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that money in custody was handed on to workers: a payment with a line each. `list_back`: the signed list is in `evidence`.

    A line is *documented* where its worker authorised the holder, the handing over was signed for, and the list is back; else *stated*.

    Raises:
        NotFoundError: there is no such custody, or a line is not its case's.
        RuleError: there is no line, the control totals are others, or a payment of that id is recorded already.
    """

    def once() -> Outcome:
        found = streams.get(Custody, custody)
        refuse_strangers(streams, found.case, lines)
        refuse_known(streams, payment)
        header = Header(
            source=found.source, purpose=found.purpose, payer=found.payer, voucher=voucher, evidence=evidence
        )
        paid = made(streams.get(Case, found.case), payment, header, lines, provenance.graded(Basis.STATED), totals)
        found.pass_on(payment, sum(line.amount for line in lines), provenance, evidence)
        if list_back:
            found.bring_list_back(evidence, provenance, payment)
        _raise_proved(found, paid, provenance)
        return streams.commit(found, paid, **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def bring_list_back(
    streams: Streams,
    *,
    custody: str,
    evidence: tuple[Evidence, ...],
    provenance: Provenance,
    payment: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that the signed list came back, of one passing on or (`payment` None) of all; the lines of workers who authorised the
    holder are *documented* from now on.

    Raises:
        NotFoundError: there is no such custody.
        RuleError: the list is not attached, or the payment was not passed on from it.
    """

    def once() -> Outcome:
        found = streams.get(Custody, custody)
        found.bring_list_back(evidence, provenance, payment)
        return streams.commit(found, *_proved(streams, found, provenance), **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def _proved(streams: Streams, custody: Custody, provenance: Provenance) -> list[Payment]:
    """What was passed on and is signed for, with the list back: the payments, with their lines' grade raised where it is to be."""
    proved = [payment for payment, passing in custody.passings.items() if passing.proved]
    payments = streams.get_many(Payment, proved)
    for payment in payments:
        _raise_proved(custody, payment, provenance)
    return payments


def _raise_proved(custody: Custody, payment: Payment, provenance: Provenance) -> None:
    passing = custody.passings[payment.id]
    for number, line in list(payment.credited.items()):
        if passing.proved and line.amount > 0 and line.basis is Basis.STATED and line.claim in custody.authorised:
            payment.evidence_line(number, passing.list_back, provenance.graded(Basis.DOCUMENTED))


def give_back(
    streams: Streams,
    *,
    custody: str,
    amount: Fen,
    to: str,
    reason: str,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that money in custody went back. Raises NotFoundError: no such custody."""
    return act(streams, Custody, custody, lambda found: found.give_back(amount, to, reason, provenance), **sent)
