"""Commands about referrals: load, ask, commit. `now` plays the clock of a simulation.

A command that changes one of the referrals is decided again after a conflict, from loading, and answered as the first time when its key
was recorded before.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Unpack

from domain.cases.case import Case
from domain.claims.claim import Claim
from domain.money import Fen
from domain.recording import Outcome
from domain.referrals.referral import Paper, Referral
from domain.repository import Command, Streams, act, open_once
from domain.sealing.personal import Sealed
from domain.streams import Provenance
from domain.vocabulary import Conclusion, Evidence, Level, Milestone, ReferralKind


def referral_id(origin: str, number: str) -> str:
    """The id of the referral with that document number in that log: a number is taken once."""
    return f"referral-{hashlib.sha256(f'{origin} {number}'.encode()).hexdigest()[:32]}"


def send_referral(
    streams: Streams,
    *,
    origin: str,
    case: str,
    number: str,
    kind: ReferralKind,
    to: str,
    ground: Sealed,
    provenance: Provenance,
    claims: tuple[str, ...] = (),
    amount: Fen | None = None,
    suspects: tuple[Sealed, ...] = (),
    papers: tuple[Paper, ...] = (),
    team: tuple[str, ...] = (),
    reported: datetime | None = None,
    approved: datetime | None = None,
    from_level: Level | None = None,
    to_level: Level | None = None,
    to_place: str | None = None,
    **sent: Unpack[Command],
) -> Referral:
    """Sends something of a case to somebody who decides it.

    Raises:
        NotFoundError: there is no such case.
        RuleError: the number is taken, or `Referral.send` refuses.
    """
    referral = Referral.send(
        id=referral_id(origin, number),
        case=case,
        place=streams.get(Case, case).jurisdiction,
        number=number,
        kind=kind,
        to=to,
        ground=ground,
        lines=_lines(streams, case),
        claims=claims,
        amount=amount,
        suspects=suspects,
        papers=papers,
        team=team,
        reported=reported,
        approved=approved,
        from_level=from_level,
        to_level=to_level,
        to_place=to_place,
        provenance=provenance,
    )
    open_once(streams, referral, "a referral", number, **sent)
    return referral


def acknowledge_referral(
    streams: Streams,
    *,
    referral: str,
    provenance: Provenance,
    receipt: str | None = None,
    signer: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a referral was signed for. Raises NotFoundError: no such referral."""
    return act(
        streams,
        Referral,
        referral,
        lambda it: it.acknowledge(provenance, receipt=receipt, signer=signer, evidence=evidence),
        **sent,
    )


def accept_referral(
    streams: Streams,
    *,
    referral: str,
    provenance: Provenance,
    number: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a referral was taken on; of a crime: that the police filed a case. Raises NotFoundError: no such referral."""
    return act(streams, Referral, referral, lambda it: it.accept(provenance, number=number, evidence=evidence), **sent)


def record_referral_refused(
    streams: Streams,
    *,
    referral: str,
    provenance: Provenance,
    ground: Sealed | None = None,
    document: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a referral was not taken on. Raises NotFoundError: no such referral."""
    return act(
        streams,
        Referral,
        referral,
        lambda it: it.refuse(provenance, ground=ground, document=document, evidence=evidence),
        **sent,
    )


def ask_reconsideration(
    streams: Streams,
    *,
    referral: str,
    of: str,
    ground: Sealed,
    provenance: Provenance,
    document: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Asks that a refusal be decided again, or supervised. Raises NotFoundError; RuleError: see `Referral.ask_reconsideration`."""
    return act(
        streams,
        Referral,
        referral,
        lambda it: it.ask_reconsideration(of, ground, provenance, document=document),
        **sent,
    )


def record_referral_returned(
    streams: Streams,
    *,
    referral: str,
    provenance: Provenance,
    ground: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a referral came back undecided. Raises NotFoundError: no such referral."""
    return act(
        streams, Referral, referral, lambda it: it.send_back(provenance, ground=ground, evidence=evidence), **sent
    )


def record_referral_forwarded(
    streams: Streams,
    *,
    referral: str,
    to: str,
    provenance: Provenance,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a referral was sent on to whoever is competent. Raises NotFoundError: no such referral."""
    return act(streams, Referral, referral, lambda it: it.forward(to, provenance, evidence=evidence), **sent)


def record_material_handed_over(
    streams: Streams, *, referral: str, papers: tuple[Paper, ...], provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Records that further things and papers followed a referral. Raises NotFoundError: no such referral."""
    return act(streams, Referral, referral, lambda it: it.hand_over(papers, provenance), **sent)


def record_referral_progress(
    streams: Streams,
    *,
    referral: str,
    provenance: Provenance,
    milestone: Milestone | None = None,
    note: Sealed | None = None,
    document: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records an answer to a referral, and the step of procedure that was reached. Raises NotFoundError: no such referral."""
    return act(
        streams,
        Referral,
        referral,
        lambda it: it.progress(provenance, milestone=milestone, note=note, document=document, evidence=evidence),
        **sent,
    )


def record_supervision(
    streams: Streams,
    *,
    referral: str,
    level: Level,
    by: str,
    provenance: Provenance,
    document: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Records who supervises how a referral is dealt with. Raises NotFoundError: no such referral."""
    return act(
        streams, Referral, referral, lambda it: it.set_supervision(level, by, provenance, document=document), **sent
    )


def conclude_referral(
    streams: Streams,
    *,
    referral: str,
    conclusion: Conclusion,
    provenance: Provenance,
    note: Sealed | None = None,
    document: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records what a referral ended with. Raises NotFoundError: no such referral."""
    return act(
        streams,
        Referral,
        referral,
        lambda it: it.conclude(conclusion, provenance, note=note, document=document, evidence=evidence),
        **sent,
    )


def _lines(streams: Streams, case: str) -> frozenset[str]:
    events = streams.partitions([case]).get(case, [])
    return frozenset(recorded.event.originator_id for recorded in events if isinstance(recorded.event, Claim.Created))
