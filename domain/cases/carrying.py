"""Carrying lines over into another case: when cases merge, when one is split, when a transfer is accepted here. Pure.

Entries never move: an event stays in the partition of its case for ever. So a line that is carried over is stated anew in the other case,
as it was and with the date that it had, determined as it was, and what was paid to it is moved there, half in a payment of the old case,
half in one of the new. The old line leaves every sum and names the new one. All of it is one commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from domain.cases.case import Case
from domain.cases.file import CaseFile
from domain.claims.claim import Claim, claim_id
from domain.payments.payment import CreditedLine, Payment
from domain.streams import Provenance, Stream


@dataclass(frozen=True)
class Carried:
    """What carrying over comes to: the streams that changed or came to be, and the new lines' ids."""

    streams: list[Stream]
    claims: tuple[str, ...]


def carry_over(
    file: CaseFile, claims: Sequence[str], into: Case, first: int, ground: str, provenance: Provenance
) -> Carried:
    """Carries lines of a case over into another one, numbered there from `first`. Lines that have left stay where they are.

    Raises:
        NotFoundError: the case has no such line.
    """
    old = [file.claim(claim) for claim in claims]
    old = [claim for claim in old if not claim.left]
    new = [_restated(claim, into, number, provenance) for number, claim in enumerate(old, first)]
    for was, now in zip(old, new, strict=True):
        was.merge(now.id, ground, provenance)
    stands_for = {was.id: now.id for was, now in zip(old, new, strict=True)}
    payments = _moved(file, stands_for, into, ground, provenance)
    return Carried([*old, *new, *payments], tuple(claim.id for claim in new))


def _restated(claim: Claim, into: Case, number: int, provenance: Provenance) -> Claim:
    """The line as it was, in the other case. What is carried bears the date that it had."""
    as_it_was = msgspec.structs.replace(provenance, occurred=claim.opened)
    new = Claim(
        id=claim_id(into.id, str(number)),
        case=into.id,
        place=into.jurisdiction,
        line=str(number),
        kind=claim.kind,
        headcount=claim.headcount,
        figures=claim.figures,
        worker=claim.worker,
        worker_id=claim.worker_id,
        phone=claim.phone,
        period_from=claim.period[0],
        period_to=claim.period[1],
        debtor=claim.debtor,
        provenance=as_it_was,
    )
    if claim.seen is not None:
        new.describe(claim.seen, as_it_was)
    verdict = claim.verdict
    if verdict is not None:
        new.trigger_event(Claim.Verified, provenance=provenance, **verdict._asdict())
    if claim.waived > 0 and claim.last_waiver is not None:
        waiver = claim.last_waiver
        new.trigger_event(
            Claim.Waived,
            amount=claim.waived,
            ground=waiver.ground,
            told=waiver.told,
            evidence=waiver.evidence,
            provenance=provenance,
        )
    return new


def _moved(
    file: CaseFile, stands_for: dict[str, str], into: Case, ground: str, provenance: Provenance
) -> list[Payment]:
    """The old payments with what moved away, and a new one beside each for what came."""
    changed = []
    for payment in file.payments.values():
        lines = [
            (number, line) for number, line in payment.credited.items() if line.claim in stands_for and line.amount > 0
        ]
        if not lines:
            continue
        beside = _beside(payment, into, [line for _, line in lines], provenance)
        as_it_was = msgspec.structs.replace(provenance, occurred=payment.opened)
        for number, line in lines:
            to = stands_for[str(line.claim)]
            payment.move_away(number, to, line.amount, ground, provenance)
            beside.move_here(to, line, as_it_was, number, payment.id)
        changed += [payment, beside]
    return changed


def _beside(payment: Payment, into: Case, lines: Sequence[CreditedLine], provenance: Provenance) -> Payment:
    name = "/".join((payment.id, into.id))
    return Payment(
        id=f"payment-{hashlib.sha256(name.encode()).hexdigest()[:32]}",
        case=into.id,
        place=into.jurisdiction,
        source=payment.source,
        purpose=payment.purpose,
        lines=len(lines),
        headcount=sum(line.headcount for line in lines),
        total=sum(line.amount for line in lines),
        payer=payment.payer,
        instrument=payment.instrument,
        voucher=payment.voucher,
        evidence=payment.evidence,
        provenance=msgspec.structs.replace(provenance, occurred=payment.opened),
    )
