"""Commands about orders: load, ask, commit. `now` plays the clock of a simulation.

A command that changes one of the orders is decided again after a conflict, from loading, and answered as the first time when its key
was recorded before.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Unpack

from domain.cases.case import Case
from domain.money import Fen
from domain.orders.order import Order
from domain.recording import Outcome
from domain.repository import Command, Streams, act, open_once
from domain.sealing.personal import Sealed
from domain.streams import Provenance
from domain.vocabulary import Evidence, OrderKind, ServiceMethod


def order_id(origin: str, number: str) -> str:
    """The id of the order with that official number in that log: a number is taken once."""
    return f"order-{hashlib.sha256(f'{origin} {number}'.encode()).hexdigest()[:32]}"


def issue_order(
    streams: Streams,
    *,
    origin: str,
    case: str,
    number: str,
    kind: OrderKind,
    law: str,
    provenance: Provenance,
    against: str | None = None,
    against_code: str | None = None,
    person: Sealed | None = None,
    amount: Fen | None = None,
    due: datetime | None = None,
    heard: datetime | None = None,
    claims: tuple[str, ...] = (),
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Order:
    """Issues an order in a case.

    Raises:
        NotFoundError: there is no such case.
        RuleError: the number is taken, or `Order.issue` refuses.
    """
    order = Order.issue(
        id=order_id(origin, number),
        case=case,
        place=streams.get(Case, case).jurisdiction,
        number=number,
        kind=kind,
        law=law,
        against=against,
        against_code=against_code,
        person=person,
        amount=amount,
        due=due,
        heard=heard,
        claims=claims,
        evidence=evidence,
        provenance=provenance,
    )
    open_once(streams, order, "an order", number, **sent)
    return order


def serve_order(
    streams: Streams,
    *,
    order: str,
    method: ServiceMethod,
    provenance: Provenance,
    effective: datetime | None = None,
    due: datetime | None = None,
    receiver: Sealed | None = None,
    proof: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records how an order was served. Raises NotFoundError: no such order."""
    return act(
        streams,
        Order,
        order,
        lambda it: it.serve(method, provenance, effective=effective, due=due, receiver=receiver, proof=proof),
        **sent,
    )


def record_receipt_refused(
    streams: Streams,
    *,
    order: str,
    provenance: Provenance,
    words: Sealed | None = None,
    proof: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that the addressee would not take an order. Raises NotFoundError: no such order."""
    return act(streams, Order, order, lambda it: it.receipt_refused(provenance, words=words, proof=proof), **sent)


def record_compliance(
    streams: Streams,
    *,
    order: str,
    provenance: Provenance,
    amount: Fen | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that all that an order says was done. Raises NotFoundError: no such order."""
    return act(streams, Order, order, lambda it: it.comply(provenance, amount=amount, evidence=evidence), **sent)


def record_part_compliance(
    streams: Streams,
    *,
    order: str,
    provenance: Provenance,
    amount: Fen | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a part of what an order says was done. Raises NotFoundError: no such order."""
    return act(streams, Order, order, lambda it: it.comply_partly(provenance, amount=amount, evidence=evidence), **sent)


def refute_compliance(
    streams: Streams,
    *,
    order: str,
    ground: Sealed,
    provenance: Provenance,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that what was recorded as done was not. Raises NotFoundError: no such order."""
    return act(streams, Order, order, lambda it: it.refute_compliance(ground, provenance, evidence=evidence), **sent)


def record_refusal(
    streams: Streams,
    *,
    order: str,
    provenance: Provenance,
    words: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that the addressee refuses to do what an order says (clause N30). Raises NotFoundError: no such order."""
    return act(streams, Order, order, lambda it: it.refuse(provenance, words=words, evidence=evidence), **sent)


def withdraw_order(
    streams: Streams, *, order: str, ground: Sealed, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Takes an order back. Raises NotFoundError; RuleError: see `Order.withdraw`."""
    return act(streams, Order, order, lambda it: it.withdraw(ground, provenance), **sent)


def replace_order(
    streams: Streams, *, order: str, by: str, ground: Sealed, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Puts another order, issued before, in the place of one. Raises NotFoundError; RuleError: see `Order.replace`."""
    return act(streams, Order, order, lambda it: it.replace(streams.get(Order, by), ground, provenance), **sent)
