"""Custody: what a foreman or an agent holds discharges nothing, until authorisation, handing over and list prove the passing on."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from domain.claims import handlers as claims
from domain.custody import handlers
from domain.custody.custody import Custody
from domain.entries import Recorded
from domain.errors import NotFoundError, RuleError
from domain.payments.handlers import PaidLine, Totals
from domain.payments.payment import Payment
from domain.streams import Basis
from domain.vocabulary import HolderKind, MoneySource, PaidTo
from projections.case_ledger import CaseRow
from projections.discrepancy_ledger import discrepancies_of
from projections.replay import case_state
from tests.domain.claims.desk import Beaten, Desk, line, named, person
from tests.domain.orders.office import CASE, ORIGIN, PROOF, when


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.roster(named(1), named(2))
    desk.verified(100_000, 100_000)
    return desk


def refused(rule: str) -> Any:
    return pytest.raises(RuleError, check=lambda error: error.rule == rule)


def taken(desk: Desk, number: str = "1", amount: int = 200_000) -> str:
    return handlers.open_custody(
        desk.streams,
        origin=ORIGIN,
        case=CASE,
        number=number,
        holder_kind=HolderKind.FOREMAN,
        holder=person(9, "holder"),
        source=MoneySource.GENERAL_CONTRACTOR,
        amount=amount,
        evidence=PROOF,
        provenance=when(),
        context=desk.context,
    ).id


def authorise(desk: Desk, custody: str, *lines: int, evidence: Any = PROOF) -> None:
    handlers.authorise(
        desk.streams,
        custody=custody,
        claims=[line(number) for number in lines],
        evidence=evidence,
        provenance=when(1),
        context=desk.context,
    )


def pass_on(desk: Desk, custody: str, *amounts: int, list_back: bool = False, **other: Any) -> None:
    fields: dict[str, Any] = {"payment": "payment-1", "evidence": PROOF, "streams": desk.streams} | other
    handlers.pass_on(
        custody=custody,
        lines=[PaidLine(line(number), amount, paid_to=PaidTo.HANDED_OVER) for number, amount in enumerate(amounts, 1)],
        list_back=list_back,
        provenance=when(2),
        context=desk.context,
        **fields,
    )


def bring_back(desk: Desk, custody: str, payment: str | None = None, evidence: Any = PROOF) -> None:
    handlers.bring_list_back(
        desk.streams,
        custody=custody,
        payment=payment,
        evidence=evidence,
        provenance=when(3),
        context=desk.context,
    )


def grades(desk: Desk, payment: str = "payment-1") -> list[Basis]:
    return [credited.basis for credited in desk.streams.get(Payment, payment).credited.values()]


def row(desk: Desk) -> CaseRow:
    events: list[Recorded[Any]] = list(desk.file().events)
    found = case_state(events).case
    assert found is not None
    return found


# It discharges nothing


def test_what_a_foreman_holds_is_owed_as_before(desk: Desk) -> None:
    custody = taken(desk)
    assert (desk.standing.paid, desk.standing.owing) == (0, 200_000)
    assert desk.streams.get(Custody, custody).held == 200_000
    assert row(desk).custody == 200_000
    with refused("number-once"):
        taken(desk)


def test_passing_on_is_a_payment_of_the_same_commit(desk: Desk) -> None:
    custody, end = taken(desk), desk.end
    pass_on(desk, custody, 100_000, 60_000)
    assert desk.end == end + 4
    assert (desk.standing.paid, desk.standing.stated_paid) == (160_000, 160_000)
    found = desk.streams.get(Custody, custody)
    assert (found.held, found.passed_on, found.overdrawn) == (40_000, 160_000, 0)


# What proves passing on


def test_a_line_is_documented_once_authorisation_signature_and_list_are_there_in_whichever_order(desk: Desk) -> None:
    for order in permutations(("authorise", "pass on", "list")):
        if order.index("list") < order.index("pass on"):
            continue
        fresh = Desk()
        fresh.roster(named(1), named(2))
        custody = taken(fresh)
        for i, step in enumerate(order):
            if step == "authorise":
                authorise(fresh, custody, 1)
            elif step == "pass on":
                pass_on(fresh, custody, 100_000, 100_000)
            else:
                bring_back(fresh, custody, "payment-1")
            if i < 2 and fresh.streams.find(Payment, "payment-1"):
                assert grades(fresh) == [Basis.STATED, Basis.STATED], order[: i + 1]
        assert grades(fresh) == [Basis.DOCUMENTED, Basis.STATED], order


def test_all_three_may_come_at_once(desk: Desk) -> None:
    custody = taken(desk)
    authorise(desk, custody, 1, 2)
    pass_on(desk, custody, 100_000, 100_000, list_back=True)
    assert grades(desk) == [Basis.DOCUMENTED, Basis.DOCUMENTED]
    assert (desk.standing.stated_paid, desk.standing.owing) == (0, 0)


def test_an_authorisation_without_its_paper_and_a_handing_over_without_a_signature_prove_nothing(desk: Desk) -> None:
    custody = taken(desk)
    authorise(desk, custody, 1, evidence=())
    authorise(desk, custody, 2)
    pass_on(desk, custody, 100_000, 100_000, evidence=())
    bring_back(desk, custody)
    assert grades(desk) == [Basis.STATED, Basis.STATED]


def test_what_was_refuted_is_not_raised_by_a_list_of_another_passing_on(desk: Desk) -> None:
    custody = taken(desk)
    authorise(desk, custody, 1, 2)
    pass_on(desk, custody, 100_000)
    pass_on(desk, custody, 50_000, payment="payment-2")
    bring_back(desk, custody, "payment-2")
    assert (grades(desk), grades(desk, "payment-2")) == ([Basis.STATED], [Basis.DOCUMENTED])
    bring_back(desk, custody)
    assert grades(desk) == [Basis.DOCUMENTED]


def test_a_list_is_attached_and_is_of_something_that_was_passed_on_from_here(desk: Desk) -> None:
    custody = taken(desk)
    with refused("list-attached"):
        bring_back(desk, custody, evidence=())
    with refused("list-attached"):
        pass_on(desk, custody, 100_000, list_back=True, evidence=())
    with refused("passed-on"):
        bring_back(desk, custody, "payment-9")
    with refused("lines-named"):
        authorise(desk, custody)


# Figures


def test_passing_on_is_held_against_the_roster_the_totals_and_the_voucher(desk: Desk) -> None:
    custody, end = taken(desk), desk.end
    with refused("control-totals"):
        pass_on(desk, custody, 100_000, totals=Totals(1, 99_999))
    with pytest.raises(NotFoundError, match="no claim line"):
        pass_on(desk, custody, 1, 1, 1)
    with pytest.raises(NotFoundError, match="no claim line"):
        authorise(desk, custody, 3)
    assert desk.end == end
    pass_on(desk, custody, 100_000, totals=Totals(1, 100_000))
    with refused("number-once"):
        pass_on(desk, custody, 100_000)


def test_more_than_was_taken_is_recorded_and_is_never_netted_against_what_another_holds(desk: Desk) -> None:
    first, second = taken(desk, "1", 100_000), taken(desk, "2", 50_000)
    pass_on(desk, first, 100_000)
    handlers.give_back(
        desk.streams,
        custody=first,
        amount=50_000,
        to="the contractor",
        reason="not needed",
        provenance=when(4),
        context=desk.context,
    )
    found = desk.streams.get(Custody, first)
    assert (found.held, found.overdrawn) == (0, 50_000)
    assert desk.streams.get(Custody, second).held == 50_000
    of = row(desk)
    assert (of.custody, of.custody_overdrawn) == (50_000, 50_000)
    assert discrepancies_of(of)[f"{CASE}/custody-overdrawn"].amount == 50_000


def test_two_clerks_who_pass_on_from_one_custody_at_once_both_count(desk: Desk) -> None:
    custody = taken(desk)
    authorise(desk, custody, 1, 2)
    late = Beaten(desk, lambda: pass_on(desk, custody, 100_000))
    pass_on(desk, custody, 20_000, payment="payment-2", streams=late)
    assert desk.streams.get(Custody, custody).passed_on == 120_000
    assert desk.standing.paid == 120_000


def test_what_was_passed_on_goes_with_a_line_that_is_merged(desk: Desk) -> None:
    custody = taken(desk)
    authorise(desk, custody, 1)
    pass_on(desk, custody, 100_000, list_back=True)
    claims.merge_lines(
        desk.streams, claim=line(1), into=line(2), ground="twice", provenance=when(4), context=desk.context
    )
    assert (desk.balance(line(2)).paid, desk.standing.stated_paid) == (100_000, 0)
