"""Commands about custody: load, ask, commit. `now` plays the clock of a simulation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Unpack

from domain.cases.case import Case
from domain.custody.custody import Custody
from domain.money import Fen
from domain.payments.handlers import Header, PaidLine, Totals, made
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
    """Records workers' authorisations. Raises NotFoundError; RuleError: no line is named."""
    return act(streams, Custody, custody, lambda found: found.authorise(tuple(claims), evidence, provenance), **sent)


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

    A line is *documented* where its worker authorised the holder, the list was signed and is back; else it is only *stated*.

    Raises:
        NotFoundError: there is no such custody, or it is of no registered case.
        RuleError: there is no line, or the control totals are others.
    """

    def once() -> Outcome:
        found = streams.get(Custody, custody)
        header = Header(
            source=found.source, purpose=found.purpose, payer=found.payer, voucher=voucher, evidence=evidence
        )
        paid = made(streams.get(Case, found.case), payment, header, lines, provenance.graded(Basis.STATED), totals)
        if list_back and evidence:
            proved = provenance.graded(Basis.DOCUMENTED)
            for number, line in list(paid.credited.items()):
                if line.claim in found.authorised:
                    paid.evidence_line(number, evidence, proved)
        found.pass_on(payment, sum(line.amount for line in lines), provenance, evidence)
        if list_back and evidence:
            found.bring_list_back(evidence, provenance, payment)
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
    """Records that the signed list came back. Raises NotFoundError; RuleError: the list is not attached."""
    return act(streams, Custody, custody, lambda found: found.bring_list_back(evidence, provenance, payment), **sent)


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
