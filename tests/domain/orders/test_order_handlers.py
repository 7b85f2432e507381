"""Commands about orders on a log in memory."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import IdempotencyError, NotFoundError, RuleError
from domain.orders import handlers
from domain.orders.order import Order
from domain.orders.standing import OrderState, state
from domain.recording import CommandKey, Outcome
from domain.vocabulary import OrderKind, ServiceMethod
from tests.domain.orders.office import CASE, ORIGIN, PROOF, Office, sealed, when

DUE = when(72).occurred


@pytest.fixture
def office() -> Office:
    return Office()


def issue(office: Office, number: str = "1", **other: Any) -> str:
    fields: dict[str, Any] = {
        "origin": ORIGIN,
        "case": CASE,
        "number": number,
        "kind": OrderKind.PAY_WITHIN_LIMIT,
        "law": "劳动保障监察条例第二十六条",
        "against": "甲建筑公司",
        "amount": 500_000,
        "due": DUE,
        "provenance": when(),
    }
    return handlers.issue_order(office.streams, **office.how(**fields | other)).id


def test_an_order_lives_from_issue_to_replacement_through_its_handlers(office: Office) -> None:
    order, other, how = issue(office), issue(office, "2"), office.how
    words = sealed("not mine")
    s = office.streams
    handlers.record_receipt_refused(s, order=order, **how(provenance=when(1), words=words, proof=PROOF))
    handlers.serve_order(s, order=order, method=ServiceMethod.LEFT, **how(provenance=when(2), proof=PROOF))
    handlers.record_refusal(s, order=order, **how(provenance=when(3), words=words))
    handlers.record_part_compliance(s, order=order, **how(provenance=when(4), amount=1))
    handlers.record_compliance(s, order=order, **how(provenance=when(5), evidence=PROOF))
    handlers.refute_compliance(s, order=order, ground=words, **how(provenance=when(6)))
    handlers.replace_order(s, order=order, by=other, ground=words, **how(provenance=when(7)))
    handlers.withdraw_order(s, order=other, ground=words, **how(provenance=when(8)))
    assert [recorded.envelope.type for recorded in office.events(order)] == [
        "order.issued.v1",
        "order.receipt-refused.v1",
        "order.served.v1",
        "order.refused.v1",
        "order.partly-complied.v1",
        "order.complied.v1",
        "order.compliance-refuted.v1",
        "order.replaced.v1",
    ]
    assert {recorded.envelope.partitionkey for recorded in office.events(order)} == {CASE}
    assert {recorded.envelope.jurisdiction for recorded in office.events(order)} == {"140321"}
    assert state(s.get(Order, other).standing, when(9).occurred) is OrderState.WITHDRAWN


def test_an_official_number_is_taken_once(office: Office) -> None:
    issue(office)
    with pytest.raises(RuleError, match="there is an order '1' already"):
        issue(office)


def test_the_same_command_sent_twice_is_recorded_once(office: Office) -> None:
    command = CommandKey("clerk-1", "key-1", b"digest")
    order = issue(office, command=command)
    end = office.end
    assert issue(office, command=command) == order
    assert office.end == end


def test_an_act_sent_twice_is_answered_as_the_first_time_though_it_would_be_refused_now(office: Office) -> None:
    order = issue(office)

    def withdraw(key: str, digest: bytes = b"digest") -> Outcome:
        return handlers.withdraw_order(
            office.streams,
            order=order,
            ground=sealed("issued in error"),
            provenance=when(1),
            context=office.context,
            command=CommandKey("clerk-1", key, digest),
        )

    first = withdraw("key-2")
    assert withdraw("key-2") == Outcome(first.positions, first.recorded_at, replayed=True)
    with pytest.raises(RuleError):
        withdraw("key-3")
    with pytest.raises(IdempotencyError):
        withdraw("key-2", b"another request")


def test_orders_belong_to_a_case_that_there_is(office: Office) -> None:
    with pytest.raises(NotFoundError, match="no case case-9"):
        issue(office, case="case-9")
    with pytest.raises(NotFoundError, match="no order order-9"):
        handlers.withdraw_order(
            office.streams, order="order-9", ground=sealed("none"), provenance=when(), context=office.context
        )


def test_what_is_refused_is_not_recorded(office: Office) -> None:
    end = office.end
    with pytest.raises(RuleError):
        issue(office, law="")
    assert office.end == end
