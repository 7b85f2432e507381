"""Commands about backstops on a log in memory."""

from __future__ import annotations

from typing import Any

import pytest

from domain.backstops import handlers
from domain.backstops.backstop import Backstop, PassedOver
from domain.backstops.standing import BackstopState
from domain.errors import NotFoundError, RuleError
from domain.recording import CommandKey
from domain.vocabulary import Funding, Resort
from tests.domain.backstops.test_backstop import HOLDERS
from tests.domain.orders.office import CASE, ORIGIN, PROOF, Office, sealed, when

WHY = sealed("why")


@pytest.fixture
def office() -> Office:
    return Office(Funding.STATE_OWNED)


def request(office: Office, number: str, resort: Resort, **other: Any) -> str:
    fields: dict[str, Any] = {
        "origin": ORIGIN,
        "case": CASE,
        "number": number,
        "resort": resort,
        "amount": 100_000,
        "ground": WHY,
        "provenance": when(),
    }
    return handlers.request_backstop(office.streams, **office.how(**fields | other)).id


def test_a_backstop_lives_from_request_to_recovery_through_its_handlers(office: Office) -> None:
    s, due = office.streams, when(400).occurred
    for number, resort in (("1", Resort.WAGE_DEPOSIT), ("2", Resort.REVOLVING_FUND)):
        first = request(office, number, resort)
        handlers.refuse_backstop(s, backstop=first, ground=WHY, **office.how(provenance=when(1, by="officer-b")))
    backstop = request(office, "3", Resort.PARENT_GROUP)

    def do(handler: Any, hours: float, by: str = "officer-a", **fields: Any) -> None:
        handler(s, backstop=backstop, **office.how(provenance=when(hours, by=by), **fields))

    do(handlers.approve_backstop, 2, by="officer-b", limit=90_000, due=due)
    do(handlers.open_group_supervision, 3, group="母集团", holders=HOLDERS)
    do(handlers.record_backstop_paid, 4, payment="payment-1", amount=80_000, holder="甲集团")
    do(handlers.record_backstop_payment_returned, 5, payment="payment-1", amount=10_000, holder="甲集团")
    do(handlers.open_recovery, 6, debtor="甲建筑公司", amount=70_000, due=due)
    do(handlers.record_recovery_received, 7, amount=50_000, evidence=PROOF)
    do(handlers.record_recovery_reversed, 8, amount=20_000, ground=WHY)
    do(handlers.propose_giving_up, 9, amount=1_000, ground=WHY)
    do(handlers.refuse_giving_up, 10, by="officer-b", ground=WHY)
    do(handlers.propose_giving_up, 11, amount=15_000, ground=WHY)
    do(handlers.give_up_recovery, 12, by="officer-b")
    do(handlers.end_backstop, 13, ground=WHY)
    assert len(office.events(backstop)) == 13
    assert {recorded.envelope.partitionkey for recorded in office.events(backstop)} == {CASE}
    standing = s.get(Backstop, backstop).standing
    assert (standing.state, standing.paid, standing.balance) == (BackstopState.ENDED, 70_000, 25_000)


def test_what_the_case_asked_before_and_its_kind_of_project_say_what_is_explained(office: Office) -> None:
    request(office, "1", Resort.REVOLVING_FUND)
    office.open_case("case-2", Funding.STATE_OWNED)
    request(office, "2", Resort.WAGE_DEPOSIT, case="case-2")
    with pytest.raises(RuleError, match=r"asked or explained: wage-deposit$"):
        request(office, "3", Resort.PARENT_GROUP)
    with pytest.raises(RuleError, match=r"asked or explained: wage-deposit, parent-group$"):
        request(office, "3", Resort.TREASURY)
    explained = (PassedOver(resort=Resort.WAGE_DEPOSIT, explanation=WHY),)
    backstop = request(office, "3", Resort.PARENT_GROUP, passed=explained)
    [recorded] = office.events(backstop)
    assert isinstance(recorded.event, Backstop.Created)
    assert (recorded.event.funding, recorded.event.passed) == (Funding.STATE_OWNED, explained)


def test_an_official_number_is_taken_once_but_the_same_command_may_be_sent_again(office: Office) -> None:
    command = CommandKey("clerk-1", "key-1", b"digest")
    backstop = request(office, "1", Resort.WAGE_DEPOSIT, command=command)
    end = office.end
    assert request(office, "1", Resort.WAGE_DEPOSIT, command=command) == backstop
    with pytest.raises(RuleError, match="there is a backstop '1' already"):
        request(office, "1", Resort.WAGE_DEPOSIT)
    assert office.end == end


def test_a_backstop_belongs_to_a_case_that_there_is(office: Office) -> None:
    with pytest.raises(NotFoundError, match="no case case-9"):
        request(office, "1", Resort.WAGE_DEPOSIT, case="case-9")
    with pytest.raises(NotFoundError, match="no backstop backstop-9"):
        handlers.give_up_recovery(office.streams, backstop="backstop-9", **office.how(provenance=when()))


def test_what_is_refused_is_not_recorded(office: Office) -> None:
    backstop = request(office, "1", Resort.WAGE_DEPOSIT)
    end = office.end
    with pytest.raises(RuleError, match="different officer"):
        handlers.approve_backstop(
            office.streams, backstop=backstop, limit=1, due=when(9).occurred, **office.how(provenance=when(1))
        )
    assert office.end == end
