"""The rules of a payment: what its lines discharge, what comes back, and what moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.claims.balance import Balance, after, line_of
from domain.errors import RuleError
from domain.payments.moving import credited_to, reallocate
from domain.payments.payment import Payment
from domain.streams import Basis
from domain.vocabulary import ClaimKind, MoneySource, PaidTo, Purpose
from tests.domain.orders.office import CASE, PROOF, when

LINES = ("claim-1", "claim-2", "claim-3")


def payment(purpose: Purpose = Purpose.WAGE, id: str = "payment-1") -> Payment:
    return Payment(
        id=id,
        case=CASE,
        place="140321",
        source=MoneySource.EMPLOYER,
        purpose=purpose,
        lines=1,
        headcount=1,
        total=1_000,
        provenance=when(),
    )


def balances(*payments: Payment) -> dict[str, Balance]:
    """The balances of three lines that are owed 1,000 fen each."""
    owed = Balance(headcount=1, named=True, kind=ClaimKind.WAGE, verified=1_000, verifications=1)
    found: dict[str, Balance] = dict.fromkeys(LINES, owed)
    for each in payments:
        for event in each.pending_events:
            line = line_of(event)  # type: ignore[arg-type]
            if line is not None:
                balance = after(found[line], event)  # type: ignore[arg-type]
                assert balance is not None
                found[line] = balance
    return found


def refused(rule: str) -> Any:
    return pytest.raises(RuleError, check=lambda error: error.rule == rule)


def stated(hours: float = 1) -> Any:
    return when(hours, basis=Basis.STATED)


# Instructed, credited, failed


def test_what_was_instructed_or_failed_discharges_nothing_and_is_credited_under_its_number() -> None:
    paid = payment()
    paid.instruct("claim-1", 400, 1, when(1))
    paid.instruct("claim-2", 500, 1, when(1))
    assert [(b.instructed, b.paid) for b in balances(paid).values()] == [(400, 0), (500, 0), (0, 0)]
    paid.carry_out(1, when(2))
    paid.fail(2, "wrong number", when(2))
    assert [(b.instructed, b.paid) for b in balances(paid).values()] == [(0, 400), (0, 0), (0, 0)]
    assert list(paid.credited) == [1]


def test_a_line_that_failed_may_be_tried_again() -> None:
    paid = payment()
    paid.instruct("claim-1", 400, 1, when(1))
    paid.fail(1, "wrong number", when(2))
    paid.carry_out(1, when(3), amount=300, paid_to=PaidTo.HEIR)
    found = balances(paid)["claim-1"]
    assert (found.instructed, found.paid, found.owing) == (0, 300, 700)


def test_a_number_that_is_not_there_is_a_clear_refusal() -> None:
    paid = payment()
    paid.credit("claim-1", 400, 1, when(1))
    for rule, act in (
        ("line-instructed", lambda: paid.carry_out(1, when(2))),
        ("line-instructed", lambda: paid.fail(1, "wrong number", when(2))),
        ("line-credited", lambda: paid.give_back(2, 1, "closed", when(2))),
        ("line-credited", lambda: paid.return_by_bank(2, 1, "closed", when(2))),
        ("line-credited", lambda: paid.evidence_line(2, PROOF, when(2))),
        ("line-credited", lambda: paid.allocate(2, "claim-2", 1, "wrong", when(2))),
    ):
        with refused(rule):
            act()


def test_living_aid_discharges_nothing_whatever_becomes_of_it() -> None:
    aid = payment(Purpose.LIVING_AID)
    aid.credit("claim-1", 400, 1, stated())
    aid.evidence_line(1, PROOF, when(2))
    aid.give_back(1, 100, "too much", when(3))
    aid.allocate(1, "claim-2", 200, "wrong line", when(4))
    found = balances(aid)
    assert [found[line].living_aid for line in LINES] == [100, 200, 0]
    assert all((found[line].paid, found[line].stated_paid, found[line].owing) == (0, 0, 1_000) for line in LINES)


# What comes back


def test_returns_and_reversals_are_owed_again_and_take_their_grade_with_them() -> None:
    paid = payment()
    paid.credit("claim-1", 1_000, 1, stated())
    paid.give_back(1, 300, "wrong account", when(2))
    found = balances(paid)["claim-1"]
    assert (found.paid, found.stated_paid, found.owing) == (700, 700, 300)
    paid.evidence_line(1, PROOF, when(3))
    paid.give_back(1, 200, "wrong account", when(4), by_bank=True)
    found = balances(paid)["claim-1"]
    assert (found.paid, found.stated_paid, found.owing) == (500, 0, 500)


def test_a_fact_beyond_what_is_left_is_recorded_as_it_comes_and_shows_as_owing() -> None:
    paid = payment()
    paid.credit("claim-1", 100, 1, when(1))
    paid.give_back(1, 150, "the bank says so", when(2))
    assert balances(paid)["claim-1"].owing == 1_050


def test_a_voucher_that_is_refuted_leaves_what_was_paid_and_lowers_its_grade() -> None:
    paid = payment()
    paid.credit("claim-1", 1_000, 1, when(1))
    assert balances(paid)["claim-1"].stated_paid == 0
    paid.evidence_line(1, PROOF, stated(2))
    found = balances(paid)["claim-1"]
    assert (found.paid, found.stated_paid) == (1_000, 1_000)


# What moves


def test_an_unallocated_line_counts_for_its_claim_once_it_is_allocated() -> None:
    paid = payment()
    paid.credit(None, 500, 1, when(1, basis=Basis.BANK_CONFIRMED))
    assert balances(paid)["claim-1"].paid == 0
    paid.allocate(1, "claim-1", 500, "found on the list", when(30, basis=None))
    found = balances(paid)["claim-1"]
    assert (found.paid, found.stated_paid) == (500, 0)
    assert found.last_paid == when(1).occurred, "a correction bears the date of what it corrects"
    assert paid.credited[2].basis is Basis.BANK_CONFIRMED


@pytest.mark.parametrize("amount", [0, -1, 501])
def test_no_more_is_moved_than_is_left(amount: int) -> None:
    paid = payment()
    paid.credit("claim-1", 500, 1, when(1))
    with refused("moved-within-left"):
        paid.allocate(1, "claim-2", amount, "wrong line", when(2))
    with refused("moved-to-another"):
        paid.allocate(1, "claim-1", 500, "wrong line", when(2))


def test_what_the_bank_returns_is_taken_from_the_claims_for_which_it_counts_now() -> None:
    paid = payment()
    paid.credit("claim-1", 600, 1, when(1))
    paid.allocate(1, "claim-2", 400, "wrong line", when(2))
    paid.allocate(2, "claim-3", 100, "wrong line", when(2))
    paid.return_by_bank(1, None, "account closed", when(3))
    assert [balances(paid)[line].paid for line in LINES] == [0, 0, 0]
    assert [balances(paid)[line].owing for line in LINES] == [1_000, 1_000, 1_000]


def test_what_the_bank_returned_once_is_not_returned_again() -> None:
    for amount in (None, 400):
        paid = payment()
        paid.credit("claim-1", 600, 1, when(1))
        paid.allocate(1, "claim-2", 300, "wrong line", when(2))
        paid.return_by_bank(1, amount, "account closed", when(3))
        before = len(paid.pending_events)
        paid.return_by_bank(1, amount, "account closed", when(4))
        assert len(paid.pending_events) == before


def test_what_was_carried_into_another_payment_and_returned_is_taken_from_the_line_itself() -> None:
    paid = payment()
    paid.credit("claim-1", 600, 1, when(1))
    paid.move_away(1, "claim-elsewhere", 600, "the cases were merged", when(2))
    paid.return_by_bank(1, None, "account closed", when(3))
    assert paid.credited[1].amount == -600
    before = len(paid.pending_events)
    paid.return_by_bank(1, None, "account closed", when(4))
    assert len(paid.pending_events) == before


def test_money_is_dealt_out_in_the_order_of_paying_up_to_each_share() -> None:
    first, second = payment(), payment(id="payment-2")
    first.credit("claim-1", 300, 1, when(1))
    second.credit("claim-1", 400, 1, stated(2))
    shares = [("claim-2", 500), ("claim-3", 200)]
    assert reallocate([first, second], "claim-1", shares, "split", when(3)) == [first, second]
    found = balances(first, second)
    assert [found[line].paid for line in LINES] == [0, 500, 200]
    assert [found[line].stated_paid for line in LINES] == [0, 200, 200]
    assert credited_to([first, second], "claim-1") == 0


MOVES: st.SearchStrategy[Callable[[Payment], None]] = st.one_of(
    st.tuples(st.sampled_from((*LINES, None)), st.integers(0, 900)).map(
        lambda t: lambda p: p.credit(t[0], t[1], 1, stated())
    ),
    st.tuples(st.integers(1, 4), st.sampled_from((*LINES, None)), st.integers(0, 900)).map(
        lambda t: lambda p: p.allocate(t[0], t[1], t[2], "wrong line", when(2))
    ),
    st.tuples(st.integers(1, 4), st.integers(0, 900)).map(
        lambda t: lambda p: p.give_back(t[0], t[1], "wrong account", when(2))
    ),
    st.tuples(st.integers(1, 4), st.none() | st.integers(0, 900)).map(
        lambda t: lambda p: p.return_by_bank(t[0], t[1], "closed", when(2))
    ),
    st.tuples(st.integers(1, 4), st.sampled_from(Basis)).map(
        lambda t: lambda p: p.evidence_line(t[0], PROOF, when(2, basis=t[1]))
    ),
)


def played(moves: list[Callable[[Payment], None]]) -> Payment:
    paid = payment()
    for move in moves:
        before = len(paid.pending_events)
        try:
            move(paid)
        except RuleError:
            assert len(paid.pending_events) == before, "what was refused left something"
    return paid


@given(st.lists(MOVES, max_size=12))
def test_what_the_lines_hold_is_what_the_claims_were_paid_and_moving_neither_makes_nor_loses_money(moves: Any) -> None:
    paid = played(moves)
    found = balances(paid)
    for line in LINES:
        assert found[line].paid == sum(each.amount for each in paid.credited.values() if each.claim == line)
        stated_left = [e.amount for e in paid.credited.values() if e.claim == line and e.basis is Basis.STATED]
        assert found[line].stated_paid == sum(stated_left)
    came = sum(e.amount for e in paid.pending_events if isinstance(e, Payment.LineCredited))
    went = sum(e.amount for e in paid.pending_events if isinstance(e, Payment.LineReturned | Payment.LineReversed))
    assert sum(each.amount for each in paid.credited.values()) == came - went
    assert all(amount == 0 for amount in paid.carried.values())
