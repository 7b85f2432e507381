"""Commands about backstops: load, ask, commit. `now` plays the clock of a simulation.

A command that changes one of the backstops is decided again after a conflict, from loading, and answered as the first time when its key
was recorded before.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Unpack

from domain.backstops.backstop import Backstop, PassedOver
from domain.backstops.shares import Holder
from domain.cases.case import Case
from domain.money import Fen
from domain.recording import Outcome
from domain.repository import Command, Streams, act, open_once
from domain.sealing.personal import Sealed
from domain.streams import Provenance
from domain.vocabulary import Evidence, Resort


def backstop_id(origin: str, number: str) -> str:
    """The id of the backstop with that official number in that log: a number is taken once."""
    return f"backstop-{hashlib.sha256(f'{origin} {number}'.encode()).hexdigest()[:32]}"


def request_backstop(
    streams: Streams,
    *,
    origin: str,
    case: str,
    number: str,
    resort: Resort,
    amount: Fen,
    ground: Sealed,
    provenance: Provenance,
    payer: str | None = None,
    passed: tuple[PassedOver, ...] = (),
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Backstop:
    """Asks a resort to pay in a case; the kind of project is the case's, and what was asked before is its other backstops.

    Raises:
        NotFoundError: there is no such case.
        RuleError: the number is taken, or `Backstop.request` refuses.
    """
    of = streams.get(Case, case)
    backstop = Backstop.request(
        id=backstop_id(origin, number),
        case=case,
        place=of.jurisdiction,
        number=number,
        resort=resort,
        funding=of.particulars.funding,
        payer=payer,
        amount=amount,
        ground=ground,
        asked=_asked(streams, case),
        passed=passed,
        evidence=evidence,
        provenance=provenance,
    )
    open_once(streams, backstop, "a backstop", number, **sent)
    return backstop


def approve_backstop(
    streams: Streams,
    *,
    backstop: str,
    limit: Fen,
    due: datetime,
    provenance: Provenance,
    document: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Approves a backstop up to a limit and until a day. Raises NotFoundError; RuleError: see `Backstop.approve`."""
    return act(streams, Backstop, backstop, lambda it: it.approve(limit, due, provenance, document=document), **sent)


def refuse_backstop(
    streams: Streams,
    *,
    backstop: str,
    ground: Sealed,
    provenance: Provenance,
    document: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Refuses a backstop. Raises NotFoundError; RuleError: see `Backstop.refuse`."""
    return act(streams, Backstop, backstop, lambda it: it.refuse(ground, provenance, document=document), **sent)


def open_group_supervision(
    streams: Streams,
    *,
    backstop: str,
    group: str,
    holders: tuple[Holder, ...],
    provenance: Provenance,
    due: datetime | None = None,
    document: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Puts a parent group in charge, with its holders' shares. Raises NotFoundError; RuleError: see `Backstop.open_group_supervision`."""
    return act(
        streams,
        Backstop,
        backstop,
        lambda it: it.open_group_supervision(group, holders, provenance, due=due, document=document),
        **sent,
    )


def record_backstop_paid(
    streams: Streams,
    *,
    backstop: str,
    payment: str,
    amount: Fen,
    provenance: Provenance,
    holder: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a payment was made out of a backstop. Raises NotFoundError: no such backstop."""
    return act(streams, Backstop, backstop, lambda it: it.pay(payment, amount, provenance, holder=holder), **sent)


def record_backstop_payment_returned(
    streams: Streams,
    *,
    backstop: str,
    payment: str,
    amount: Fen,
    provenance: Provenance,
    holder: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a part of such a payment went back. Raises NotFoundError: no such backstop."""
    return act(
        streams, Backstop, backstop, lambda it: it.payment_returned(payment, amount, provenance, holder=holder), **sent
    )


def end_backstop(
    streams: Streams, *, backstop: str, ground: Sealed, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Ends a backstop. Raises NotFoundError; RuleError: see `Backstop.end`."""
    return act(streams, Backstop, backstop, lambda it: it.end(ground, provenance), **sent)


def open_recovery(
    streams: Streams,
    *,
    backstop: str,
    debtor: str,
    amount: Fen,
    due: datetime,
    provenance: Provenance,
    document: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Asks somebody to give back what a backstop paid. Raises NotFoundError; RuleError: see `Backstop.open_recovery`."""
    return act(
        streams,
        Backstop,
        backstop,
        lambda it: it.open_recovery(debtor, amount, due, provenance, document=document),
        **sent,
    )


def record_recovery_received(
    streams: Streams,
    *,
    backstop: str,
    amount: Fen,
    provenance: Provenance,
    debtor: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that money came back. Raises NotFoundError: no such backstop."""
    return act(
        streams,
        Backstop,
        backstop,
        lambda it: it.receive_recovery(amount, provenance, debtor=debtor, evidence=evidence),
        **sent,
    )


def record_recovery_reversed(
    streams: Streams, *, backstop: str, amount: Fen, ground: Sealed, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Records that money which had come back went away again. Raises NotFoundError: no such backstop."""
    return act(streams, Backstop, backstop, lambda it: it.reverse_recovery(amount, ground, provenance), **sent)


def propose_giving_up(
    streams: Streams,
    *,
    backstop: str,
    amount: Fen,
    ground: Sealed,
    provenance: Provenance,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Proposes to give up a part of what has to come back. Raises NotFoundError; RuleError: see `Backstop.propose_giving_up`."""
    return act(
        streams,
        Backstop,
        backstop,
        lambda it: it.propose_giving_up(amount, ground, provenance, evidence=evidence),
        **sent,
    )


def refuse_giving_up(
    streams: Streams, *, backstop: str, ground: Sealed, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Refuses to give up what was proposed. Raises NotFoundError; RuleError: see `Backstop.refuse_giving_up`."""
    return act(streams, Backstop, backstop, lambda it: it.refuse_giving_up(ground, provenance), **sent)


def give_up_recovery(streams: Streams, *, backstop: str, provenance: Provenance, **sent: Unpack[Command]) -> Outcome:
    """Gives up what was proposed. Raises NotFoundError; RuleError: see `Backstop.give_up`."""
    return act(streams, Backstop, backstop, lambda it: it.give_up(provenance), **sent)


def _asked(streams: Streams, case: str) -> frozenset[Resort]:
    events = streams.partitions([case]).get(case, [])
    return frozenset(recorded.event.resort for recorded in events if isinstance(recorded.event, Backstop.Created))
