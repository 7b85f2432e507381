"""An order: what may be issued, how it is served, and when it counts as defied."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import RuleError
from domain.orders.order import Order, after
from domain.orders.standing import (
    OrderStanding,
    OrderState,
    complied,
    defied,
    outstanding,
    proved_paid,
    state,
    stated_paid,
    why_not_defied,
)
from domain.streams import Basis, StreamEvent
from domain.vocabulary import OrderKind, ServiceMethod
from tests.domain.orders.office import CASE, PROOF, START, sealed, when

DUE = when(72).occurred
SUM = 500_000


def issued(**other: Any) -> Order:
    fields: dict[str, Any] = {
        "id": "order-1",
        "case": CASE,
        "place": "140321",
        "number": "阳人社监令〔2019〕1号",
        "kind": OrderKind.PAY_WITHIN_LIMIT,
        "law": "劳动保障监察条例第二十六条",
        "against": "甲建筑公司",
        "amount": SUM,
        "due": DUE,
        "provenance": when(),
    }
    return Order.issue(**fields | other)


def served(hours: float = 1) -> Order:
    order = issued()
    order.serve(ServiceMethod.IN_PERSON, when(hours), proof=PROOF)
    return order


def at(hours: float) -> Any:
    return when(hours).occurred


# What may be issued


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ({"against": None}, "order-has-addressee"),
        ({"against": ""}, "order-has-addressee"),
        ({"law": " "}, "order-cites-law"),
        ({"amount": None}, "payment-order-has-sum"),
        ({"amount": 0}, "sum-positive"),
        ({"kind": OrderKind.RECTIFY, "amount": -1}, "sum-positive"),
        ({"due": START}, "limit-ahead"),
        ({"kind": OrderKind.HANDLING_DECISION}, "heard-first"),
        ({"kind": OrderKind.PENALTY_DECISION, "heard": at(1)}, "heard-first"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_with_rule_and_clause(other: dict[str, Any], rule: str) -> None:
    with pytest.raises(RuleError) as refusal:
        issued(**other)
    assert refusal.value.rule == rule
    assert refusal.value.clause


@pytest.mark.parametrize(
    "other",
    [
        {"against": None, "person": sealed("王某")},
        {"kind": OrderKind.STOP_WORK, "amount": None, "due": None},
        {"kind": OrderKind.HANDLING_DECISION, "heard": at(-24)},
        {"kind": OrderKind.PENALTY_DECISION, "heard": at(0)},
        {"due": None},
    ],
)
def test_an_order_that_keeps_the_rules_is_issued(other: dict[str, Any]) -> None:
    order = issued(**other)
    assert (order.partitionkey, order.jurisdiction, len(order.pending_events)) == (CASE, "140321", 1)
    assert state(order.standing, at(0)) is OrderState.OPEN


def test_an_order_is_withdrawn_or_replaced_once() -> None:
    order = issued()
    order.withdraw(sealed("issued to the wrong firm"), when(2))
    assert state(order.standing, at(1)) is OrderState.OPEN
    assert state(order.standing, at(2)) is OrderState.WITHDRAWN
    for again in (
        lambda: order.withdraw(sealed("again"), when(3)),
        lambda: order.replace(issued(id="order-2"), sealed("again"), when(3)),
    ):
        with pytest.raises(RuleError, match="no longer in force"):
            again()
    assert len(order.pending_events) == 2


def test_an_order_is_replaced_by_another_of_its_case_only() -> None:
    order = issued()
    for other in (order, issued(id="order-2", case="case-2")):
        with pytest.raises(RuleError, match="another order of the same case"):
            order.replace(other, sealed("another sum"), when(2))
    order.replace(issued(id="order-2"), sealed("another sum"), when(2))
    assert state(order.standing, at(2)) is OrderState.REPLACED
    assert order.standing.replaced_by == "order-2"


# Service


def test_an_order_runs_from_open_over_served_to_overdue() -> None:
    order = served(hours=1)
    assert [state(order.standing, at(hours)) for hours in (0, 1, 72, 72.1)] == [
        OrderState.OPEN,
        OrderState.DUE,
        OrderState.DUE,
        OrderState.OVERDUE,
    ]


def test_a_limit_that_runs_from_service_is_known_when_it_was_served() -> None:
    order = issued(due=None)
    order.serve(ServiceMethod.POST, when(1))
    assert state(order.standing, at(2)) is OrderState.SERVED
    order = issued(due=None)
    order.serve(ServiceMethod.POST, when(1), due=at(49))
    assert state(order.standing, at(50)) is OrderState.OVERDUE


def test_posting_for_who_fled_serves_only_with_a_photo_or_recording() -> None:
    order = issued()
    order.serve(ServiceMethod.POSTED_WITH_RECORDING, when(1))
    assert order.standing.served is None
    order.serve(ServiceMethod.POSTED_WITH_RECORDING, when(2), proof=PROOF)
    assert order.standing.served == at(2)


def test_refusing_receipt_is_no_service_but_leaving_it_is() -> None:
    order = issued()
    order.receipt_refused(when(1), words=sealed("not mine"), proof=PROOF)
    assert (order.standing.receipt_refused, order.standing.served) == (at(1), None)
    order.serve(ServiceMethod.LEFT, when(2), proof=PROOF)
    assert order.standing.served == at(2)


def test_service_by_announcement_takes_effect_later() -> None:
    order = issued(due=None)
    order.serve(ServiceMethod.ANNOUNCEMENT, when(1), effective=at(1441), due=at(1600))
    assert state(order.standing, at(1440)) is OrderState.OPEN
    assert state(order.standing, at(1442)) is OrderState.DUE


def test_the_first_service_that_counts_stands() -> None:
    order = issued()
    order.serve(ServiceMethod.ANNOUNCEMENT, when(1), effective=at(1441))
    order.serve(ServiceMethod.IN_PERSON, when(5))
    order.serve(ServiceMethod.IN_PERSON, when(9))
    assert order.standing.served == at(5)


# Compliance


def test_only_what_is_proved_complies_with_an_order() -> None:
    order = served()
    order.comply(when(10, basis=Basis.STATED))
    assert not complied(order.standing, at(11))
    assert (stated_paid(order.standing, at(11)), proved_paid(order.standing, at(11))) == (SUM, 0)
    order.comply(when(20, basis=Basis.BANK_CONFIRMED))
    assert state(order.standing, at(19)) is OrderState.DUE
    assert state(order.standing, at(20)) is OrderState.COMPLIED


def test_parts_add_up_to_compliance() -> None:
    order = served()
    order.comply_partly(when(10), amount=SUM - 1, evidence=PROOF)
    assert outstanding(order.standing, at(10)) == 1
    order.comply_partly(when(80), amount=1, evidence=PROOF)
    assert [state(order.standing, at(hours)) for hours in (73, 80)] == [OrderState.OVERDUE, OrderState.COMPLIED]


def test_an_order_without_a_sum_is_complied_with_when_all_was_done() -> None:
    order = issued(kind=OrderKind.STOP_WORK, amount=None)
    order.comply_partly(when(2))
    assert not complied(order.standing, at(3))
    order.comply(when(4))
    assert complied(order.standing, at(4))
    assert outstanding(order.standing, at(4)) == 0


def test_a_compliance_that_was_refuted_is_undone() -> None:
    order = served()
    order.comply(when(10), evidence=PROOF)
    order.refute_compliance(sealed("the voucher was forged"), when(90))
    assert state(order.standing, at(91)) is OrderState.OVERDUE
    order.comply(when(95), evidence=PROOF)
    assert state(order.standing, at(95)) is OrderState.COMPLIED


def test_who_refused_and_paid_afterwards_has_complied() -> None:
    order = served()
    order.refuse(when(5), words=sealed("sue me"))
    order.refuse(when(6))
    assert order.standing.refused == at(5)
    assert [state(order.standing, at(hours)) for hours in (4, 5, 80)] == [
        OrderState.DUE,
        OrderState.REFUSED,
        OrderState.REFUSED,
    ]
    order.comply(when(81))
    assert state(order.standing, at(81)) is OrderState.COMPLIED


# Ordered, served, the limit passed, not paid


def test_an_order_is_defied_when_it_was_served_its_limit_has_passed_and_it_was_not_paid() -> None:
    standing = served().standing
    assert not defied(standing, at(72))
    assert defied(standing, at(73))
    assert defied(standing, at(73), paid=SUM - 1)
    assert not defied(standing, at(73), paid=SUM)


def _unserved() -> Order:
    return issued()


def _served_too_late() -> Order:
    return served(hours=72)


def _paid() -> Order:
    order = served()
    order.comply(when(10))
    return order


def _withdrawn() -> Order:
    order = served()
    order.withdraw(sealed("in error"), when(10))
    return order


def _replaced() -> Order:
    order = served()
    order.replace(issued(id="order-2"), sealed("another sum"), when(10))
    return order


def _a_fine() -> Order:
    order = issued(kind=OrderKind.PENALTY_DECISION, heard=at(-1))
    order.serve(ServiceMethod.IN_PERSON, when(1))
    return order


def _without_limit() -> Order:
    order = issued(due=None)
    order.serve(ServiceMethod.IN_PERSON, when(1))
    return order


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_unserved, "it was not served"),
        (_served_too_late, "it was served after its limit"),
        (_paid, "its 5,000.00 yuan were paid"),
        (_withdrawn, "it is no longer in force"),
        (_replaced, "it is no longer in force"),
        (_a_fine, "it does not order a sum to be paid to workers"),
        (_without_limit, "it bears no due date"),
    ],
)
def test_every_reason_why_an_order_is_not_defied_is_named(make: Any, reason: str) -> None:
    assert why_not_defied(make().standing, at(100)) == (reason,)


def test_what_happens_at_an_instant_counts_at_that_instant() -> None:
    assert why_not_defied(served(hours=0).standing, at(0)) == ("its limit has not passed",)


def test_an_order_of_tomorrow_is_not_defied_today() -> None:
    assert "it was not issued yet" in why_not_defied(served().standing, at(-1))


# The fold


MOVES = st.sampled_from(
    (
        lambda o, p: o.serve(ServiceMethod.IN_PERSON, p),
        lambda o, p: o.serve(ServiceMethod.POSTED_WITH_RECORDING, p),
        lambda o, p: o.serve(ServiceMethod.ANNOUNCEMENT, p, effective=at(100), due=at(120)),
        lambda o, p: o.receipt_refused(p),
        lambda o, p: o.comply(p),
        lambda o, p: o.comply_partly(p, amount=SUM // 3),
        lambda o, p: o.comply_partly(p),
        lambda o, p: o.refute_compliance(sealed("forged"), p),
        lambda o, p: o.refuse(p),
        lambda o, p: o.withdraw(sealed("in error"), p),
        lambda o, p: o.replace(issued(id="order-2"), sealed("another"), p),
    )
)
STEPS = st.lists(st.tuples(MOVES, st.integers(-5, 100), st.sampled_from(Basis)), max_size=10)


def played(steps: list[tuple[Any, int, Basis]]) -> Order:
    order = issued()
    for move, hours, basis in steps:
        before = len(order.pending_events)
        try:
            move(order, when(hours, basis=basis))
        except RuleError:
            assert len(order.pending_events) == before, "what was refused left something"
    return order


def fold(events: list[StreamEvent]) -> OrderStanding | None:
    standing = None
    for event in events:
        standing = after(standing, event)
    return standing


@given(STEPS, st.data())
def test_any_part_of_a_history_folds_and_the_whole_folds_to_what_the_stream_holds(steps: Any, data: Any) -> None:
    order = played(steps)
    events: list[Any] = list(order.pending_events)
    assert fold(events) == order.standing
    kept = data.draw(st.lists(st.sampled_from(range(len(events))), unique=True).map(sorted))
    standing = fold([events[i] for i in kept])
    assert (standing is None) == (0 not in kept)
    for hours in (0, 50, 130):
        if standing is not None:
            assert state(standing, at(hours)) in OrderState


@given(STEPS, st.integers(-10, 130))
def test_an_order_is_defied_exactly_when_the_plain_formula_says_so(steps: Any, hours: int) -> None:
    order = played(steps)
    instant = at(hours)
    paid, served_at, due, ended = 0, None, DUE, None
    for event in order.pending_events:
        happened = event.provenance.occurred  # type: ignore[attr-defined]
        if isinstance(event, Order.Complied | Order.PartlyComplied) and happened <= instant:
            amount = SUM if isinstance(event, Order.Complied) else event.amount or 0
            paid += 0 if event.provenance.basis is Basis.STATED else amount
        if isinstance(event, Order.ComplianceRefuted):
            paid = 0
        if isinstance(event, Order.Withdrawn | Order.Replaced):
            ended = happened
        if isinstance(event, Order.Served) and (event.proof or event.method is not ServiceMethod.POSTED_WITH_RECORDING):
            effective = event.effective or happened
            if served_at is None or effective < served_at:
                served_at, due = effective, event.due or due
    plain = (
        instant >= START
        and served_at is not None
        and served_at <= instant
        and served_at < due < instant
        and not (ended is not None and ended <= instant)
        and paid < SUM
    )
    assert defied(order.standing, instant) == plain


@given(STEPS)
def test_what_was_proved_never_falls_with_time_and_outstanding_never_rises(steps: Any) -> None:
    standing = played(steps).standing
    proved = [proved_paid(standing, at(hours)) for hours in range(-5, 101, 15)]
    assert proved == sorted(proved)
    assert [outstanding(standing, at(hours)) for hours in range(-5, 101, 15)] == [max(0, SUM - p) for p in proved]
