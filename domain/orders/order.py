"""An order (责令/文书) is a stream of its own that belongs to a case: issued, served, complied with or refused, withdrawn or replaced.

Issuing, withdrawing and replacing are acts of the office and may be refused. How it was served and what its addressee did are facts;
whether a service counts, whether the limit has passed and whether it was defied is computed in `standing.py`, never set.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import msgspec
from eventsourcing.domain import event

from domain.errors import RuleError
from domain.money import Fen
from domain.orders.standing import Compliance, OrderStanding
from domain.sealing.personal import Sealed
from domain.streams import Basis, Provenance, Stream, StreamEvent
from domain.vocabulary import Evidence, OrderKind, ServiceMethod

DECISIONS = frozenset({OrderKind.HANDLING_DECISION, OrderKind.PENALTY_DECISION})
"""Kinds before which the addressee must have been heard (Labour Inspection Regulations, order 423, art. 19)."""


class Order(Stream):
    """One order."""

    TOPIC = "order"

    class Event(Stream.Event):
        """Base of an order's events."""

        def apply(self, aggregate: Order) -> None:
            """Never refuses."""
            aggregate.folded = after(aggregate.folded, self)

    class Created(Event, Stream.Created):
        """An order was issued under its official number, against an organisation (in clear) or a person (sealed), or both."""

        TOPIC = "order.issued.v1"
        case: str
        place: str
        number: str
        kind: OrderKind
        against: str | None
        against_code: str | None
        """The organisation's unified social credit code."""
        person: Sealed | None
        amount: Fen | None
        due: datetime | None
        """The end of its limit; absent where the limit runs from service."""
        law: str
        """The legal basis that it cites."""
        heard: datetime | None
        """When the addressee had been heard, or the time to be heard had passed."""
        claims: tuple[str, ...]
        """The claim lines that it orders to be paid; empty: it does not say which."""
        evidence: tuple[Evidence, ...]

    class Served(Event):
        """It reached its addressee, or counts as having; `due` is the end of a limit that runs from service."""

        TOPIC = "order.served.v1"
        method: ServiceMethod
        effective: datetime | None
        """When service takes effect, where that is later than it occurred (by announcement)."""
        due: datetime | None
        receiver: Sealed | None
        proof: tuple[Evidence, ...]

    class ReceiptRefused(Event):
        """The addressee would not take it. That alone is no service: it is left in place, or posted, next."""

        TOPIC = "order.receipt-refused.v1"
        words: Sealed | None
        proof: tuple[Evidence, ...]

    class Complied(Event):
        """All that it orders was done, as far as the basis says."""

        TOPIC = "order.complied.v1"
        amount: Fen | None
        evidence: tuple[Evidence, ...]

    class PartlyComplied(Event):
        """A part of what it orders was done, as far as the basis says."""

        TOPIC = "order.partly-complied.v1"
        amount: Fen | None
        evidence: tuple[Evidence, ...]

    class ComplianceRefuted(Event):
        """What was recorded as done by now turned out not to have been: all of it. What did happen is recorded anew."""

        TOPIC = "order.compliance-refuted.v1"
        ground: Sealed
        evidence: tuple[Evidence, ...]

    class Refused(Event):
        """The addressee refuses, after the order, to do what it says (clause N30)."""

        TOPIC = "order.refused.v1"
        words: Sealed | None
        evidence: tuple[Evidence, ...]

    class Withdrawn(Event):
        """The office takes it back."""

        TOPIC = "order.withdrawn.v1"
        ground: Sealed

    class Replaced(Event):
        """Another order, named by its stream, stands in its place."""

        TOPIC = "order.replaced.v1"
        by: str
        ground: Sealed

    @event(Created)
    def __init__(
        self,
        id: str,
        case: str,
        place: str,
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
    ) -> None:
        self.case = case
        self.place = place
        self.number = number
        self.folded: OrderStanding | None = None

    @property
    def partitionkey(self) -> str:
        return self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    @property
    def standing(self) -> OrderStanding:
        """What is known of it; there from its first event on."""
        return cast(OrderStanding, self.folded)

    # Acts

    @classmethod
    def issue(
        cls,
        *,
        id: str,
        case: str,
        place: str,
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
    ) -> Order:
        """Issues an order. Amounts in fen.

        Raises:
            RuleError: nobody is addressed, no legal basis is cited, an order to pay bears no sum, the limit ends before it begins, or
                a decision was taken without hearing its addressee.
        """
        _refuse_unaddressed(against, person)
        _refuse_without_law(number, law)
        _refuse_sum(number, kind, amount)
        _refuse_limit(number, due, provenance.occurred)
        _refuse_unheard(number, kind, heard, provenance.occurred)
        return cls(
            id=id,
            case=case,
            place=place,
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

    def withdraw(self, ground: Sealed, provenance: Provenance) -> None:
        """Takes the order back.

        Raises:
            RuleError: it is withdrawn or replaced already.
        """
        self._refuse_unless_in_force("withdrawn")
        self.trigger_event(Order.Withdrawn, ground=ground, provenance=provenance)

    def replace(self, by: Order, ground: Sealed, provenance: Provenance) -> None:
        """Puts another order in its place.

        Raises:
            RuleError: it is withdrawn or replaced already, or the other one is itself or of another case.
        """
        self._refuse_unless_in_force("replaced")
        if by.id == self.id or by.case != self.case:
            raise RuleError(
                f"order {self.number} is replaced by another order of the same case",
                rule="replaced-within-case",
                clause="definitions: order",
            )
        self.trigger_event(Order.Replaced, by=by.id, ground=ground, provenance=provenance)

    def _refuse_unless_in_force(self, what: str) -> None:
        if not self.standing.in_force:
            raise RuleError(
                f"order {self.number} is no longer in force and cannot be {what}",
                rule="order-in-force",
                clause="definitions: order",
            )

    # Facts

    def serve(
        self,
        method: ServiceMethod,
        provenance: Provenance,
        *,
        effective: datetime | None = None,
        due: datetime | None = None,
        receiver: Sealed | None = None,
        proof: tuple[Evidence, ...] = (),
    ) -> None:
        """Records how it was served, and until when its limit runs where that depends on service."""
        self.trigger_event(
            Order.Served,
            method=method,
            effective=effective,
            due=due,
            receiver=receiver,
            proof=proof,
            provenance=provenance,
        )

    def receipt_refused(
        self, provenance: Provenance, *, words: Sealed | None = None, proof: tuple[Evidence, ...] = ()
    ) -> None:
        """Records that the addressee would not take it."""
        self.trigger_event(Order.ReceiptRefused, words=words, proof=proof, provenance=provenance)

    def comply(self, provenance: Provenance, *, amount: Fen | None = None, evidence: tuple[Evidence, ...] = ()) -> None:
        """Records that all was done; `amount` in fen, absent: the whole sum, or nothing to do with money."""
        self.trigger_event(Order.Complied, amount=amount, evidence=evidence, provenance=provenance)

    def comply_partly(
        self, provenance: Provenance, *, amount: Fen | None = None, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """Records that a part was done; `amount` in fen."""
        self.trigger_event(Order.PartlyComplied, amount=amount, evidence=evidence, provenance=provenance)

    def refute_compliance(self, ground: Sealed, provenance: Provenance, *, evidence: tuple[Evidence, ...] = ()) -> None:
        """Records that what was recorded as done was not."""
        self.trigger_event(Order.ComplianceRefuted, ground=ground, evidence=evidence, provenance=provenance)

    def refuse(
        self, provenance: Provenance, *, words: Sealed | None = None, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """Records that the addressee refuses to do it."""
        self.trigger_event(Order.Refused, words=words, evidence=evidence, provenance=provenance)


def after(standing: OrderStanding | None, event: StreamEvent) -> OrderStanding | None:
    """What is known of an order after an event; one that it knows nothing of changes nothing. Pure, and total on any subset."""
    if isinstance(event, Order.Created):
        return OrderStanding(
            kind=event.kind,
            against=event.against,
            issued=event.provenance.occurred,
            amount=event.amount,
            due=event.due,
        )
    step = _STEPS.get(type(event))
    return standing if standing is None or step is None else step(standing, event)


def _served(standing: OrderStanding, event: Order.Served) -> OrderStanding:
    """The first service that counts stands. Posting counts with photo or recording only (法释〔2013〕3号 art. 4)."""
    if event.method is ServiceMethod.POSTED_WITH_RECORDING and not event.proof:
        return standing
    effective = event.effective or event.provenance.occurred
    if standing.served is not None and standing.served <= effective:
        return standing
    return msgspec.structs.replace(standing, served=effective, due=event.due or standing.due)


def _receipt_refused(standing: OrderStanding, event: Order.ReceiptRefused) -> OrderStanding:
    return msgspec.structs.replace(standing, receipt_refused=event.provenance.occurred)


def _complied(standing: OrderStanding, event: Order.Complied) -> OrderStanding:
    amount = standing.amount if event.amount is None else event.amount
    return _with_compliance(standing, event, amount, whole=True)


def _partly_complied(standing: OrderStanding, event: Order.PartlyComplied) -> OrderStanding:
    return _with_compliance(standing, event, event.amount, whole=False)


def _with_compliance(standing: OrderStanding, event: StreamEvent, amount: Fen | None, *, whole: bool) -> OrderStanding:
    done = Compliance(
        at=event.provenance.occurred, amount=amount, whole=whole, basis=event.provenance.basis or Basis.STATED
    )
    return msgspec.structs.replace(standing, compliances=(*standing.compliances, done))


def _refuted(standing: OrderStanding, _: Order.ComplianceRefuted) -> OrderStanding:
    return msgspec.structs.replace(standing, compliances=())


def _refused(standing: OrderStanding, event: Order.Refused) -> OrderStanding:
    return msgspec.structs.replace(standing, refused=standing.refused or event.provenance.occurred)


def _withdrawn(standing: OrderStanding, event: Order.Withdrawn) -> OrderStanding:
    return msgspec.structs.replace(standing, withdrawn=event.provenance.occurred)


def _replaced(standing: OrderStanding, event: Order.Replaced) -> OrderStanding:
    return msgspec.structs.replace(standing, replaced=event.provenance.occurred, replaced_by=event.by)


_STEPS: dict[type[StreamEvent], Callable[[OrderStanding, Any], OrderStanding]] = {
    Order.Served: _served,
    Order.ReceiptRefused: _receipt_refused,
    Order.Complied: _complied,
    Order.PartlyComplied: _partly_complied,
    Order.ComplianceRefuted: _refuted,
    Order.Refused: _refused,
    Order.Withdrawn: _withdrawn,
    Order.Replaced: _replaced,
}


def _refuse_unaddressed(against: str | None, person: Sealed | None) -> None:
    if not against and person is None:
        raise RuleError("an order says whom it is against", rule="order-has-addressee", clause="order 423, art. 18")


def _refuse_without_law(number: str, law: str) -> None:
    if not law.strip():
        raise RuleError(f"order {number} cites no legal basis", rule="order-cites-law", clause="order 423, art. 18")


def _refuse_sum(number: str, kind: OrderKind, amount: Fen | None) -> None:
    if kind is OrderKind.PAY_WITHIN_LIMIT and amount is None:
        raise RuleError(
            f"order {number} is to pay and says no sum", rule="payment-order-has-sum", clause="order 423, art. 26"
        )
    if amount is not None and amount <= 0:
        raise RuleError(f"the sum of order {number} is more than nothing", rule="sum-positive", clause="N28")


def _refuse_limit(number: str, due: datetime | None, issued: datetime) -> None:
    if due is not None and due <= issued:
        raise RuleError(
            f"the limit of order {number} ends before the order was issued", rule="limit-ahead", clause="N30"
        )


def _refuse_unheard(number: str, kind: OrderKind, heard: datetime | None, issued: datetime) -> None:
    if kind in DECISIONS and (heard is None or heard > issued):
        raise RuleError(
            f"order {number} decides; its addressee is heard first", rule="heard-first", clause="order 423, art. 19"
        )
