"""Where an order stands, as pure functions of what was folded from its events (`order.after`). Nobody can set one of these words.

Times are the times in the world (*occurred*). Each question is asked as of an instant: what happened after it does not count.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from domain.money import Fen, yuan
from domain.streams import Basis
from domain.vocabulary import OrderKind

ORDERS_TO_PAY = frozenset({OrderKind.PAY_WITHIN_LIMIT, OrderKind.RECTIFY, OrderKind.HANDLING_DECISION})
"""Kinds by which a sum is ordered to be paid to workers (法释〔2013〕3号 art. 4). A fine is owed to no worker."""


class OrderState(StrEnum):
    """Where an order stands at an instant."""

    OPEN = "open"
    """Issued, and not served."""
    SERVED = "served"
    """Served; no due date is known."""
    DUE = "due"
    """Served, and its limit is running."""
    OVERDUE = "overdue"
    """Served, its limit has passed, and it was not complied with."""
    COMPLIED = "complied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"


class Compliance(msgspec.Struct, frozen=True, kw_only=True):
    """What was done after an order: when, how much (None: not a matter of money), whether all of it, and on what basis."""

    at: datetime
    amount: Fen | None
    whole: bool
    basis: Basis


class OrderStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an order. Amounts in fen."""

    kind: OrderKind
    against: str | None
    issued: datetime
    amount: Fen | None = None
    due: datetime | None = None
    """The end of its limit, as issued or, where the limit runs from service, as served."""
    served: datetime | None = None
    """When service first took effect. Posting without a photo or recording is no service."""
    receipt_refused: datetime | None = None
    compliances: tuple[Compliance, ...] = ()
    refused: datetime | None = None
    withdrawn: datetime | None = None
    replaced: datetime | None = None
    replaced_by: str | None = None

    @property
    def in_force(self) -> bool:
        """Neither withdrawn nor replaced by another order."""
        return self.withdrawn is None and self.replaced is None


def proved_paid(order: OrderStanding, by: datetime) -> Fen:
    """Fen that were proved to be paid after the order by an instant: documented or better, since who must pay bears the proof."""
    return sum(each.amount or 0 for each in _until(order, by) if each.basis.rank >= Basis.DOCUMENTED.rank)


def stated_paid(order: OrderStanding, by: datetime) -> Fen:
    """Fen that are merely said to be paid after the order by an instant."""
    return sum(each.amount or 0 for each in _until(order, by) if each.basis is Basis.STATED)


def complied(order: OrderStanding, at: datetime) -> bool:
    """Whether the order was complied with by an instant: all of its sum was proved, or, without a sum, that it was all done."""
    if order.amount is not None:
        return proved_paid(order, at) >= order.amount
    return any(each.whole and each.basis.rank >= Basis.DOCUMENTED.rank for each in _until(order, at))


def outstanding(order: OrderStanding, at: datetime) -> Fen:
    """Fen of the order's sum that nobody has proved to be paid by an instant; 0 where it orders no sum."""
    return max(0, (order.amount or 0) - proved_paid(order, at))


def state(order: OrderStanding, at: datetime) -> OrderState:
    """The order's state at an instant. Complying ends an order even where it was refused or its limit had passed before."""
    if order.replaced is not None and order.replaced <= at:
        return OrderState.REPLACED
    if order.withdrawn is not None and order.withdrawn <= at:
        return OrderState.WITHDRAWN
    if complied(order, at):
        return OrderState.COMPLIED
    if order.refused is not None and order.refused <= at:
        return OrderState.REFUSED
    if order.served is None or order.served > at:
        return OrderState.OPEN
    if order.due is None:
        return OrderState.SERVED
    return OrderState.OVERDUE if order.due < at else OrderState.DUE


def defied(order: OrderStanding, at: datetime, *, paid: Fen = 0) -> bool:
    """Ordered to pay, served, the limit passed, and not paid: what blacklisting and a referral for crime presuppose.

    Criminal Law art. 276-1, 法释〔2013〕3号 art. 4; 人社部令45号 § 5. `paid`: fen that payments to the workers concerned prove
    since the order, where the order's own record does not say it; the larger of the two counts, never their sum.
    """
    return not why_not_defied(order, at, paid=paid)


def why_not_defied(order: OrderStanding, at: datetime, *, paid: Fen = 0) -> tuple[str, ...]:
    """Why the order does not count as defied at an instant, one sentence a reason; empty: it does."""
    reasons = []
    if order.kind not in ORDERS_TO_PAY or not order.amount:
        reasons.append("it does not order a sum to be paid to workers")
    if order.issued > at:
        reasons.append("it was not issued yet")
    if _by(order.withdrawn, at) or _by(order.replaced, at):
        reasons.append("it is no longer in force")
    if not _by(order.served, at):
        reasons.append("it was not served")
    if order.due is None:
        reasons.append("it bears no due date")
    elif order.due >= at:
        reasons.append("its limit has not passed")
    elif order.served is not None and order.due <= order.served:
        reasons.append("it was served after its limit")
    if order.amount and max(paid, proved_paid(order, at)) >= order.amount:
        reasons.append(f"its {yuan(order.amount)} yuan were paid")
    return tuple(reasons)


def _until(order: OrderStanding, by: datetime) -> tuple[Compliance, ...]:
    return tuple(each for each in order.compliances if each.at <= by)


def _by(moment: datetime | None, at: datetime) -> bool:
    return moment is not None and moment <= at
