"""Commands about orders: load, ask, commit. `now` plays the clock of a simulation."""

from __future__ import annotations

import hashlib
from datetime import datetime

from domain.cases.case import Case
from domain.errors import ConflictError, RuleError
from domain.money import Fen
from domain.orders.order import Order
from domain.recording import CommandKey, Outcome
from domain.repository import Streams, act, decide_repeatably
from domain.sealing.personal import Sealed
from domain.streams import Context, Provenance
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
    context: Context,
    against: str | None = None,
    against_code: str | None = None,
    person: Sealed | None = None,
    amount: Fen | None = None,
    due: datetime | None = None,
    heard: datetime | None = None,
    claims: tuple[str, ...] = (),
    evidence: tuple[Evidence, ...] = (),
    command: CommandKey | None = None,
    now: datetime | None = None,
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
    try:
        streams.commit(order, context=context, command=command, now=now)
    except ConflictError:
        raise RuleError(
            f"there is an order {number!r} already", rule="number-once", clause="definitions: official numbers"
        ) from None
    return order


def serve_order(
    streams: Streams,
    *,
    order: str,
    method: ServiceMethod,
    provenance: Provenance,
    context: Context,
    effective: datetime | None = None,
    due: datetime | None = None,
    receiver: Sealed | None = None,
    proof: tuple[Evidence, ...] = (),
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Records how an order was served.

    Raises:
        NotFoundError: there is no such order.
    """
    return act(
        streams,
        Order,
        order,
        lambda it: it.serve(method, provenance, effective=effective, due=due, receiver=receiver, proof=proof),
        context=context,
        command=command,
        now=now,
    )


def record_receipt_refused(
    streams: Streams,
    *,
    order: str,
    provenance: Provenance,
    context: Context,
    words: Sealed | None = None,
    proof: tuple[Evidence, ...] = (),
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Records that the addressee would not take an order.

    Raises:
        NotFoundError: there is no such order.
    """
    return act(
        streams,
        Order,
        order,
        lambda it: it.receipt_refused(provenance, words=words, proof=proof),
        context=context,
        command=command,
        now=now,
    )


def record_compliance(
    streams: Streams,
    *,
    order: str,
    provenance: Provenance,
    context: Context,
    amount: Fen | None = None,
    evidence: tuple[Evidence, ...] = (),
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Records that all that an order says was done.

    Raises:
        NotFoundError: there is no such order.
    """
    return act(
        streams,
        Order,
        order,
        lambda it: it.comply(provenance, amount=amount, evidence=evidence),
        context=context,
        command=command,
        now=now,
    )


def record_part_compliance(
    streams: Streams,
    *,
    order: str,
    provenance: Provenance,
    context: Context,
    amount: Fen | None = None,
    evidence: tuple[Evidence, ...] = (),
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Records that a part of what an order says was done.

    Raises:
        NotFoundError: there is no such order.
    """
    return act(
        streams,
        Order,
        order,
        lambda it: it.comply_partly(provenance, amount=amount, evidence=evidence),
        context=context,
        command=command,
        now=now,
    )


def refute_compliance(
    streams: Streams,
    *,
    order: str,
    ground: Sealed,
    provenance: Provenance,
    context: Context,
    evidence: tuple[Evidence, ...] = (),
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Records that what was recorded as done was not.

    Raises:
        NotFoundError: there is no such order.
    """
    return act(
        streams,
        Order,
        order,
        lambda it: it.refute_compliance(ground, provenance, evidence=evidence),
        context=context,
        command=command,
        now=now,
    )


def record_refusal(
    streams: Streams,
    *,
    order: str,
    provenance: Provenance,
    context: Context,
    words: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Records that the addressee refuses to do what an order says (clause N30).

    Raises:
        NotFoundError: there is no such order.
    """
    return act(
        streams,
        Order,
        order,
        lambda it: it.refuse(provenance, words=words, evidence=evidence),
        context=context,
        command=command,
        now=now,
    )


def withdraw_order(
    streams: Streams,
    *,
    order: str,
    ground: Sealed,
    provenance: Provenance,
    context: Context,
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Takes an order back.

    Raises:
        NotFoundError: there is no such order.
        RuleError: `Order.withdraw` refuses.
    """
    return act(
        streams,
        Order,
        order,
        lambda it: it.withdraw(ground, provenance),
        context=context,
        command=command,
        now=now,
    )


def replace_order(
    streams: Streams,
    *,
    order: str,
    by: str,
    ground: Sealed,
    provenance: Provenance,
    context: Context,
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Puts another order, issued before, in the place of one.

    Raises:
        NotFoundError: there is no such order.
        RuleError: `Order.replace` refuses.
    """

    def once() -> Outcome:
        replaced = streams.get(Order, order)
        replaced.replace(streams.get(Order, by), ground, provenance)
        return streams.commit(replaced, context=context, command=command, now=now)

    return decide_repeatably(streams, command, once)
