"""Commands about payments on a log in memory: a list is one commit, the bank's file comes twice, a backstop pays in the same breath."""

from __future__ import annotations

from typing import Any

import pytest

from domain.backstops import handlers as backstops
from domain.backstops.backstop import Backstop, PassedOver
from domain.claims import handlers as claims
from domain.errors import NotFoundError, RuleError
from domain.payments import handlers
from domain.payments.handlers import BankOutcome, BankResult, DrawnOn, Header, PaidLine, Totals, payment_id
from domain.payments.payment import Payment
from domain.recording import CommandKey
from domain.streams import Basis
from domain.vocabulary import MoneySource, PaidTo, Resort
from tests.domain.claims.desk import Beaten, Desk, line, named
from tests.domain.orders.office import CASE, ORIGIN, PROOF, sealed, when


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.roster(named(1), named(2))
    desk.verified(100_000, 100_000)
    return desk


def refused(rule: str) -> Any:
    return pytest.raises(RuleError, check=lambda error: error.rule == rule)


def bank(desk: Desk, *outcomes: BankOutcome, **other: Any) -> None:
    handlers.apply_bank_return(
        desk.streams, payment="payment-1", outcomes=outcomes, provenance=when(5), context=desk.context, **other
    )


# A list


def test_a_payment_with_its_lines_is_one_commit_and_what_matches_no_claim_is_unallocated(desk: Desk) -> None:
    desk.pay(PaidLine(line(1), 60_000, paid_to=PaidTo.OWN_ACCOUNT), PaidLine(None, 5_000))
    assert desk.types("payment-1") == ["payment.recorded.v1", "payment.line-credited.v2", "payment.line-credited.v2"]
    assert (desk.standing.paid, desk.standing.owing) == (60_000, 140_000)


@pytest.mark.parametrize("totals", [Totals(1, 65_000), Totals(2, 64_999)])
def test_a_list_whose_totals_were_counted_otherwise_is_refused_naming_both_figures(desk: Desk, totals: Totals) -> None:
    end = desk.end
    with pytest.raises(RuleError, match=r"2 lines of 650\.00 yuan.*counted as") as refusal:
        desk.pay(PaidLine(line(1), 60_000), PaidLine(line(2), 5_000), totals=totals)
    assert (refusal.value.rule, desk.end) == ("control-totals", end)
    desk.pay(PaidLine(line(1), 60_000), PaidLine(line(2), 5_000), totals=Totals(2, 65_000))
    assert desk.end == end + 3


def test_a_payment_has_lines_of_its_own_case_that_still_stand(desk: Desk) -> None:
    desk.open_case("case-2")
    other = desk.roster(named(1), case="case-2")[0]
    with refused("payment-has-lines"):
        desk.pay()
    with pytest.raises(NotFoundError, match="no claim line"):
        desk.pay(PaidLine(other, 1))
    claims.merge_lines(
        desk.streams, claim=line(1), into=line(2), ground="twice", provenance=when(1), context=desk.context
    )
    with refused("line-has-left"):
        desk.pay(PaidLine(line(1), 1))


def test_a_voucher_is_recorded_once_also_when_two_clerks_enter_it_at_once(desk: Desk) -> None:
    desk.pay(PaidLine(line(1), 1))
    with refused("number-once"):
        desk.pay(PaidLine(line(1), 1))
    late = Beaten(desk, lambda: desk.pay(PaidLine(line(1), 1), id="payment-2"))
    with refused("number-once"):
        handlers.record_payment(
            late,
            case=CASE,
            id="payment-2",
            header=Header(MoneySource.EMPLOYER),
            lines=[PaidLine(line(1), 1)],
            provenance=when(2),
            context=desk.context,
        )
    assert desk.standing.paid == 2
    assert payment_id(CASE, "1") != payment_id("case-2", "1")


def test_the_same_list_sent_twice_is_recorded_once(desk: Desk) -> None:
    command = CommandKey("clerk-1", "key-1", b"digest")
    desk.pay(PaidLine(line(1), 1), command=command)
    end = desk.end
    desk.pay(PaidLine(line(1), 1), command=command)
    assert desk.end == end


# Instructed


def test_what_was_instructed_waits_until_the_bank_or_somebody_else_says_that_it_came(desk: Desk) -> None:
    desk.pay(PaidLine(line(1), 60_000), PaidLine(line(2), 70_000), instructed=True)
    assert (desk.standing.instructed, desk.standing.paid) == (130_000, 0)
    how: dict[str, Any] = {"payment": "payment-1", "evidence": PROOF, "provenance": when(3), "context": desk.context}
    handlers.carry_out_lines(desk.streams, lines=[2], paid_to=PaidTo.HANDED_OVER, **how)
    assert (desk.standing.instructed, desk.standing.paid) == (60_000, 70_000)
    handlers.carry_out_lines(desk.streams, lines=[], **how)
    assert (desk.standing.instructed, desk.standing.paid) == (0, 130_000)
    with refused("line-instructed"):
        handlers.carry_out_lines(desk.streams, lines=[1], **how)


# What the bank says


def test_a_banks_file_settles_every_line_in_one_commit_and_says_nothing_new_the_second_time(desk: Desk) -> None:
    desk.pay(PaidLine(line(1), 60_000), PaidLine(line(2), 70_000), PaidLine(line(2), 10_000), instructed=True)
    file = [
        BankOutcome(1, BankResult.CREDITED),
        BankOutcome(2, BankResult.FAILED, reason="no such account"),
        BankOutcome(3, BankResult.CREDITED, amount=9_000),
    ]
    end = desk.end
    bank(desk, *file, file=PROOF)
    assert desk.end == end + 3
    assert (desk.standing.paid, desk.standing.instructed, desk.standing.stated_paid) == (69_000, 0, 0)
    bank(desk, *file, file=PROOF)
    assert desk.end == end + 3
    bank(desk, BankOutcome(2, BankResult.CREDITED))
    assert (desk.standing.paid, desk.standing.instructed) == (139_000, 0)


def test_a_credited_row_raises_a_lower_grade_also_of_what_was_moved(desk: Desk) -> None:
    desk.pay(PaidLine(line(1), 60_000), basis=Basis.STATED)
    handlers.allocate_line(
        desk.streams,
        payment="payment-1",
        line=1,
        claim=line(2),
        amount=20_000,
        reason="wrong line",
        provenance=when(4),
        context=desk.context,
    )
    assert desk.standing.stated_paid == 60_000
    bank(desk, BankOutcome(1, BankResult.CREDITED), file=PROOF)
    assert desk.standing.stated_paid == 0
    end = desk.end
    bank(desk, BankOutcome(1, BankResult.CREDITED), file=PROOF)
    assert desk.end == end


@pytest.mark.parametrize("result", [BankResult.FAILED, BankResult.RETURNED])
def test_what_the_bank_gives_back_is_owed_again(desk: Desk, result: BankResult) -> None:
    desk.pay(PaidLine(line(1), 100_000))
    assert desk.balance(line(1)).owing == 0
    bank(desk, BankOutcome(1, result, reason="account closed"))
    bank(desk, BankOutcome(1, result, reason="account closed"))
    assert desk.balance(line(1)).owing == 100_000


def test_a_row_about_a_line_that_is_not_there_records_nothing_of_the_file(desk: Desk) -> None:
    desk.pay(PaidLine(line(1), 100_000), basis=Basis.STATED)
    end = desk.end
    for result in BankResult:
        with pytest.raises(RuleError):
            bank(desk, BankOutcome(1, BankResult.CREDITED), BankOutcome(9, result))
    assert desk.end == end


# Grade, allocation, return


def test_a_better_grade_is_proved_and_a_refuted_one_falls_back(desk: Desk) -> None:
    desk.pay(PaidLine(line(1), 60_000), PaidLine(line(2), 40_000), basis=Basis.STATED)
    how: dict[str, Any] = {"payment": "payment-1", "context": desk.context}
    with refused("basis-proved"):
        handlers.evidence_lines(desk.streams, lines=[], evidence=(), provenance=when(3), **how)
    handlers.evidence_lines(desk.streams, lines=[], evidence=PROOF, provenance=when(3), **how)
    assert desk.standing.stated_paid == 0
    handlers.refute_lines(desk.streams, lines=[2], evidence=PROOF, provenance=when(4), **how)
    assert (desk.standing.stated_paid, desk.standing.paid) == (40_000, 100_000)


def test_an_unallocated_line_is_allocated_to_a_line_of_the_case(desk: Desk) -> None:
    desk.pay(PaidLine(None, 60_000))
    how: dict[str, Any] = {"payment": "payment-1", "line": 1, "reason": "found", "provenance": when(3)}
    with pytest.raises(NotFoundError):
        handlers.allocate_line(desk.streams, claim="claim-none", **how, context=desk.context)
    with refused("line-credited"):
        handlers.allocate_line(desk.streams, claim=line(1), **how | {"line": 7}, context=desk.context)
    handlers.allocate_line(desk.streams, claim=line(1), **how, context=desk.context)
    assert desk.balance(line(1)).paid == 60_000
    handlers.allocate_line(desk.streams, claim=None, **how | {"line": 2}, context=desk.context)
    assert desk.balance(line(1)).paid == 0


def test_a_line_is_given_back_in_part(desk: Desk) -> None:
    desk.pay(PaidLine(line(1), 60_000))
    handlers.give_back(
        desk.streams,
        payment="payment-1",
        line=1,
        amount=10_000,
        reason="too much",
        provenance=when(4),
        context=desk.context,
    )
    assert desk.types("payment-1")[-1] == "payment.line-reversed.v1"
    assert desk.balance(line(1)).paid == 50_000


# Out of a backstop


def approved(desk: Desk) -> str:
    backstop = backstops.request_backstop(
        desk.streams,
        origin=ORIGIN,
        case=CASE,
        number="1",
        resort=Resort.REVOLVING_FUND,
        amount=100_000,
        ground=sealed("the debtor cannot pay"),
        passed=(PassedOver(resort=Resort.WAGE_DEPOSIT, explanation=sealed("there is none")),),
        provenance=when(),
        context=desk.context,
    ).id
    backstops.approve_backstop(
        desk.streams,
        backstop=backstop,
        limit=80_000,
        due=when(500).occurred,
        provenance=when(1, "officer-b"),
        context=desk.context,
    )
    return backstop


def test_a_backstop_is_paid_in_the_same_commit_as_its_lines_or_not_at_all(desk: Desk) -> None:
    backstop, end = approved(desk), desk.end
    desk.pay(PaidLine(line(1), 60_000), drawn_on=DrawnOn(backstop))
    assert desk.end == end + 3
    assert desk.streams.get(Backstop, backstop).standing.paid == 60_000
    end = desk.end
    with pytest.raises(NotFoundError):
        desk.pay(PaidLine(line(1), 1), id="payment-2", drawn_on=DrawnOn("backstop-none"))
    assert desk.end == end
    assert desk.streams.find(Payment, "payment-2") is None
