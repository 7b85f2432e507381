"""A backstop: who asks and who approves, what is paid, and what has to come back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.backstops.backstop import Backstop, PassedOver, after
from domain.backstops.shares import Holder
from domain.backstops.standing import BackstopStanding, BackstopState, HolderShare, overdue, recovery_overdue
from domain.errors import RuleError
from domain.streams import StreamEvent
from domain.vocabulary import Funding, Resort
from tests.domain.orders.office import CASE, PROOF, sealed, when

WHY = sealed("why")
SUM = 100_000
HOLDERS = (Holder(name="甲集团", share=6_667), Holder(name="乙集团", share=3_333))


def at(hours: float) -> Any:
    return when(hours).occurred


def requested(**other: Any) -> Backstop:
    fields: dict[str, Any] = {
        "id": "backstop-1",
        "case": CASE,
        "place": "140321",
        "number": "兜1",
        "resort": Resort.REVOLVING_FUND,
        "funding": Funding.GOVERNMENT,
        "payer": "平定县应急周转金",
        "amount": SUM,
        "ground": WHY,
        "asked": frozenset(),
        "provenance": when(by="officer-a"),
    }
    return Backstop.request(**fields | other)


def approved(limit: int = SUM, **other: Any) -> Backstop:
    backstop = requested(**other)
    backstop.approve(limit, at(240), when(1, by="officer-b"), document="批1")
    return backstop


def advanced(amount: int = 60_000) -> Backstop:
    backstop = approved()
    backstop.pay("payment-1", amount, when(2))
    return backstop


def refused_by(act: Any) -> str:
    with pytest.raises(RuleError) as refusal:
        act()
    assert refusal.value.clause
    return refusal.value.rule


# Asking and approving


def test_a_resort_that_comes_first_is_asked_or_explained() -> None:
    treasury = {"resort": Resort.TREASURY}
    explained = tuple(PassedOver(resort=each, explanation=WHY) for each in (Resort.WAGE_DEPOSIT, Resort.REVOLVING_FUND))
    with pytest.raises(RuleError, match="asked or explained: wage-deposit, revolving-fund") as refusal:
        requested(**treasury)
    assert (refusal.value.rule, refusal.value.clause) == ("resort-explained", "N23")
    with pytest.raises(RuleError, match="asked or explained: revolving-fund"):
        requested(**treasury, passed=explained[:1])
    assert requested(**treasury, passed=explained).standing.resort is Resort.TREASURY
    asked = frozenset({Resort.WAGE_DEPOSIT})
    assert requested(**treasury, passed=explained[1:], asked=asked).standing.state is BackstopState.REQUESTED


def test_a_request_is_for_a_sum_and_by_an_officer() -> None:
    assert refused_by(lambda: requested(amount=0)) == "sum-positive"
    assert refused_by(lambda: requested(provenance=when(by=None))) == "two-officers"


def test_who_asked_neither_approves_nor_refuses() -> None:
    backstop = requested()
    for by in ("officer-a", None):
        assert refused_by(lambda by=by: backstop.approve(1, at(9), when(1, by=by))) == "two-officers"
        assert refused_by(lambda by=by: backstop.refuse(WHY, when(1, by=by))) == "two-officers"
    assert len(backstop.pending_events) == 1


@pytest.mark.parametrize(
    ("limit", "due", "broken"),
    [(0, 9, "limit-within-request"), (SUM + 1, 9, "limit-within-request"), (SUM, 1, "due-ahead")],
)
def test_a_limit_is_within_what_was_asked_and_due_ahead(limit: int, due: int, broken: str) -> None:
    backstop = requested()
    assert refused_by(lambda: backstop.approve(limit, at(due), when(1, by="officer-b"))) == broken


def test_a_request_is_decided_once() -> None:
    refused = requested()
    refused.refuse(WHY, when(1, by="officer-b"), document="复1")
    states = []
    for decided in (approved(), refused):
        states.append(decided.standing.state)
        assert refused_by(lambda it=decided: it.approve(1, at(9), when(2, by="officer-c"))) == "decided-once"
        assert refused_by(lambda it=decided: it.refuse(WHY, when(2, by="officer-c"))) == "decided-once"
    assert states == [BackstopState.APPROVED, BackstopState.REFUSED]


def test_an_approved_backstop_has_its_limit_left_until_it_ends() -> None:
    backstop = approved(80_000)
    assert (backstop.standing.state, backstop.standing.limit_left) == (BackstopState.APPROVED, 80_000)
    backstop.pay("payment-1", 30_000, when(2))
    assert backstop.standing.limit_left == 50_000
    assert [overdue(backstop.standing, at(hours)) for hours in (240, 241)] == [False, True]
    backstop.end(WHY, when(3))
    assert (backstop.standing.state, backstop.standing.limit_left) == (BackstopState.ENDED, 0)
    assert not overdue(backstop.standing, at(241))
    assert backstop.standing.balance == 30_000
    assert refused_by(lambda: backstop.end(WHY, when(4))) == "backstop-alive"


def test_what_was_refused_cannot_be_ended() -> None:
    backstop = requested()
    backstop.refuse(WHY, when(1, by="officer-b"))
    assert refused_by(lambda: backstop.end(WHY, when(2))) == "backstop-alive"


# Paying: a fact


def test_money_beyond_the_limit_or_without_one_is_recorded_and_shown() -> None:
    backstop = requested()
    backstop.pay("payment-1", 700, when(1))
    assert (backstop.standing.paid, backstop.standing.over_limit, backstop.standing.limit_left) == (700, 700, 0)
    backstop.approve(500, at(9), when(2, by="officer-b"))
    assert (backstop.standing.over_limit, backstop.standing.limit_left) == (200, 0)


def test_the_same_payment_said_twice_counts_once_and_what_went_back_stays_back() -> None:
    backstop = approved()
    backstop.pay("payment-1", 700, when(2))
    backstop.payment_returned("payment-1", 200, when(3))
    backstop.pay("payment-1", 700, when(4))
    backstop.pay("payment-2", 100, when(4))
    assert backstop.standing.paid == 600
    backstop.payment_returned("payment-3", 50, when(5))
    assert backstop.standing.paid == 600, "what came back of a payment not known yet takes nothing from another one"
    backstop.pay("payment-3", 80, when(6))
    assert backstop.standing.paid == 630


# The group


def test_a_group_covers_by_shares_that_make_a_whole() -> None:
    backstop = approved(resort=Resort.PARENT_GROUP, funding=Funding.STATE_OWNED, asked=frozenset(Resort))
    for holders in ((), HOLDERS[:1], (*HOLDERS, Holder(name="丙", share=1))):
        broken = refused_by(lambda holders=holders: backstop.open_group_supervision("母集团", holders, when(2)))
        assert broken == "shares-make-whole"
    assert refused_by(lambda: backstop.open_group_supervision(" ", HOLDERS, when(2))) == "group-named"
    backstop.open_group_supervision("母集团", HOLDERS, when(2), due=at(48), document="督1")
    backstop.pay("payment-1", 60_000, when(3), holder="甲集团")
    backstop.pay("payment-1", 40_000, when(3), holder="乙集团")
    backstop.payment_returned("payment-1", 1_000, when(4), holder="甲集团")
    assert backstop.standing.shares == (
        HolderShare(name="甲集团", share=6_667, covers=66_670, paid=59_000),
        HolderShare(name="乙集团", share=3_333, covers=33_330, paid=40_000),
    )
    assert [share.left for share in backstop.standing.shares] == [7_670, 0]
    assert backstop.standing.group == "母集团"


def test_before_it_is_approved_the_shares_are_of_what_was_asked() -> None:
    backstop = requested(resort=Resort.PARENT_GROUP, asked=frozenset(Resort), amount=10_001)
    backstop.open_group_supervision("母集团", HOLDERS, when(1))
    assert [share.covers for share in backstop.standing.shares] == [6_668, 3_333]


def test_only_a_living_backstop_of_a_group_is_supervised_by_it() -> None:
    assert refused_by(lambda: approved().open_group_supervision("母集团", HOLDERS, when(2))) == "group-resort"
    ended = approved(resort=Resort.PARENT_GROUP, asked=frozenset(Resort))
    ended.end(WHY, when(2))
    assert refused_by(lambda: ended.open_group_supervision("母集团", HOLDERS, when(3))) == "backstop-alive"


# Recovering


def test_an_advance_opens_a_balance_by_itself() -> None:
    backstop = advanced()
    assert (backstop.standing.balance, backstop.standing.unopened) == (60_000, 60_000)
    backstop.open_recovery("甲建筑公司", 40_000, at(100), when(3), document="追1")
    backstop.open_recovery("乙劳务公司", 20_000, at(200), when(3))
    assert (backstop.standing.balance, backstop.standing.unopened) == (60_000, 0)
    backstop.receive_recovery(25_000, when(50), debtor="甲建筑公司", evidence=PROOF)
    assert backstop.standing.balance == 35_000
    assert [recovery_overdue(backstop.standing, at(hours)) for hours in (100, 101, 201)] == [0, 15_000, 35_000]
    backstop.reverse_recovery(5_000, WHY, when(60))
    assert backstop.standing.balance == 40_000
    backstop.payment_returned("payment-1", 60_000, when(70))
    assert (backstop.standing.balance, backstop.standing.over_recovered) == (0, 20_000)
    assert recovery_overdue(backstop.standing, at(201)) == 0


@pytest.mark.parametrize(
    ("debtor", "amount", "due", "broken"),
    [
        (" ", 1, 9, "recovery-has-debtor"),
        ("甲建筑公司", 0, 9, "recovery-within-paid"),
        ("甲建筑公司", 60_001, 9, "recovery-within-paid"),
        ("甲建筑公司", 1, 2, "due-ahead"),
    ],
)
def test_a_recovery_says_from_whom_how_much_and_by_when(debtor: str, amount: int, due: int, broken: str) -> None:
    backstop = advanced()
    assert refused_by(lambda: backstop.open_recovery(debtor, amount, at(due), when(3))) == broken


def test_a_recovery_is_given_up_by_two_officers() -> None:
    backstop = advanced()
    assert refused_by(lambda: backstop.give_up(when(3, by="officer-b"))) == "two-officers"
    assert refused_by(lambda: backstop.propose_giving_up(1, WHY, when(3, by=None))) == "two-officers"
    for amount in (0, 60_001):
        broken = refused_by(lambda amount=amount: backstop.propose_giving_up(amount, WHY, when(3)))
        assert broken == "give-up-within-balance"
    backstop.propose_giving_up(10_000, WHY, when(3, by="officer-a"), evidence=PROOF)
    assert backstop.standing.balance == 60_000
    for by in ("officer-a", None):
        assert refused_by(lambda by=by: backstop.give_up(when(4, by=by))) == "two-officers"
        assert refused_by(lambda by=by: backstop.refuse_giving_up(WHY, when(4, by=by))) == "two-officers"
    backstop.give_up(when(4, by="officer-b"))
    assert (backstop.standing.balance, backstop.standing.given_up) == (50_000, 10_000)
    assert refused_by(lambda: backstop.give_up(when(5, by="officer-b"))) == "two-officers"


def test_a_proposal_to_give_up_may_be_refused_and_is_held_against_the_balance_again() -> None:
    backstop = advanced()
    backstop.propose_giving_up(60_000, WHY, when(3))
    backstop.refuse_giving_up(WHY, when(4, by="officer-b"))
    assert backstop.standing.giving_up is None
    backstop.propose_giving_up(60_000, WHY, when(5))
    backstop.receive_recovery(1, when(6))
    assert refused_by(lambda: backstop.give_up(when(7, by="officer-b"))) == "give-up-within-balance"


def test_a_wage_deposit_is_replenished_and_other_resorts_are_recovered() -> None:
    assert [requested(resort=each, asked=frozenset(Resort)).standing.replenishes for each in Resort] == [
        True,
        False,
        False,
        False,
    ]


# The fold


AMOUNTS = st.integers(1, 150_000)
OFFICERS = st.sampled_from(("officer-a", "officer-b"))
PAYMENTS = st.sampled_from(("payment-1", "payment-2"))
NAMES = st.sampled_from((None, "甲集团", "乙集团"))


class Casework(RuleBasedStateMachine):
    """Random acts and facts by random officers; after each, every figure is what the plain formula over the events says."""

    def __init__(self) -> None:
        super().__init__()
        self.backstop = requested(resort=Resort.PARENT_GROUP, asked=frozenset(Resort))
        self.hours = 0

    def act(self, act: Any, by: str = "officer-a") -> None:
        self.hours += 1
        before, known = len(self.backstop.pending_events), self.backstop.standing
        try:
            act(when(self.hours, by=by))
        except RuleError:
            assert len(self.backstop.pending_events) == before, "what was refused left something"
            assert self.backstop.standing is known

    @rule(limit=AMOUNTS, by=OFFICERS)
    def approve(self, limit: int, by: str) -> None:
        self.act(lambda p: self.backstop.approve(limit, at(self.hours + 50), p), by)

    @rule(by=OFFICERS)
    def refuse(self, by: str) -> None:
        self.act(lambda p: self.backstop.refuse(WHY, p), by)

    @rule(share=st.integers(-1, 10_001))
    def supervise(self, share: int) -> None:
        holders = (Holder(name="甲集团", share=share), Holder(name="乙集团", share=10_000 - share))
        self.act(lambda p: self.backstop.open_group_supervision("母集团", holders, p))

    @rule(payment=PAYMENTS, amount=AMOUNTS, holder=NAMES)
    def pay(self, payment: str, amount: int, holder: str | None) -> None:
        self.act(lambda p: self.backstop.pay(payment, amount, p, holder=holder))

    @rule(payment=PAYMENTS, amount=AMOUNTS, holder=NAMES)
    def give_back(self, payment: str, amount: int, holder: str | None) -> None:
        self.act(lambda p: self.backstop.payment_returned(payment, amount, p, holder=holder))

    @rule()
    def end(self) -> None:
        self.act(lambda p: self.backstop.end(WHY, p))

    @rule(amount=AMOUNTS)
    def open_recovery(self, amount: int) -> None:
        self.act(lambda p: self.backstop.open_recovery("甲建筑公司", amount, at(self.hours + 50), p))

    @rule(amount=AMOUNTS)
    def receive(self, amount: int) -> None:
        self.act(lambda p: self.backstop.receive_recovery(amount, p))

    @rule(amount=AMOUNTS)
    def reverse(self, amount: int) -> None:
        self.act(lambda p: self.backstop.reverse_recovery(amount, WHY, p))

    @rule(amount=AMOUNTS, by=OFFICERS)
    def propose_giving_up(self, amount: int, by: str) -> None:
        self.act(lambda p: self.backstop.propose_giving_up(amount, WHY, p), by)

    @rule(by=OFFICERS)
    def give_up(self, by: str) -> None:
        self.act(self.backstop.give_up, by)

    @rule(by=OFFICERS)
    def refuse_giving_up(self, by: str) -> None:
        self.act(lambda p: self.backstop.refuse_giving_up(WHY, p), by)

    @invariant()
    def figures_are_the_plain_sums(self) -> None:
        standing, events = self.backstop.standing, list(self.backstop.pending_events)
        paid: dict[Any, int] = {}
        returned: dict[Any, int] = {}
        for event in events:
            if isinstance(event, Backstop.Paid):
                paid[event.payment, event.holder] = event.amount
            if isinstance(event, Backstop.PaymentReturned):
                key = (event.payment, event.holder)
                returned[key] = returned.get(key, 0) + event.amount
        out = sum(max(0, amount - returned.get(key, 0)) for key, amount in paid.items())
        came = sum(
            -event.amount if isinstance(event, Backstop.RecoveryReversed) else event.amount
            for event in events
            if isinstance(event, Backstop.RecoveryReceived | Backstop.RecoveryReversed)
        )
        back = max(0, came) + sum(event.amount for event in events if isinstance(event, Backstop.RecoveryGivenUp))
        limit = next((event.limit for event in events if isinstance(event, Backstop.Approved)), 0)
        ended = any(isinstance(event, Backstop.Ended) for event in events)
        assert standing.paid == out
        assert standing.balance - standing.over_recovered == out - back
        assert min(standing.balance, standing.over_recovered) == 0
        assert standing.balance <= standing.paid
        assert standing.limit_left == (0 if ended else max(0, limit - out))
        assert standing.over_limit == max(0, out - limit)

    @invariant()
    def shares_add_up(self) -> None:
        standing = self.backstop.standing
        if standing.holders:
            assert sum(share.covers for share in standing.shares) == (standing.limit or standing.requested)

    @invariant()
    def decisions_are_of_two_officers(self) -> None:
        asked = None
        for event in self.backstop.pending_events:
            if isinstance(event, Backstop.Created | Backstop.GivingUpProposed):
                asked = event.provenance.decidedby
            if isinstance(event, Backstop.GivingUpRefused | Backstop.RecoveryGivenUp):
                assert event.provenance.decidedby != asked
            if isinstance(event, Backstop.Approved | Backstop.Refused):
                assert event.provenance.decidedby != "officer-a"

    @invariant()
    def the_fold_of_the_events_is_what_the_stream_holds(self) -> None:
        assert fold(list(self.backstop.pending_events)) == self.backstop.standing  # type: ignore[arg-type]


TestCasework = Casework.TestCase
TestCasework.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def fold(events: list[StreamEvent]) -> BackstopStanding | None:
    standing = None
    for event in events:
        standing = after(standing, event)
    return standing


def a_long_history() -> list[Any]:
    backstop = approved(resort=Resort.PARENT_GROUP, asked=frozenset(Resort))
    backstop.open_group_supervision("母集团", HOLDERS, when(2))
    backstop.pay("payment-1", 60_000, when(3), holder="甲集团")
    backstop.payment_returned("payment-1", 10_000, when(4), holder="甲集团")
    backstop.open_recovery("甲建筑公司", 40_000, at(100), when(5))
    backstop.receive_recovery(30_000, when(6))
    backstop.reverse_recovery(10_000, WHY, when(7))
    backstop.propose_giving_up(10_000, WHY, when(8))
    backstop.refuse_giving_up(WHY, when(9, by="officer-b"))
    backstop.propose_giving_up(20_000, WHY, when(10))
    backstop.give_up(when(11, by="officer-b"))
    backstop.end(WHY, when(12))
    other = requested()
    other.refuse(WHY, when(1, by="officer-b"))
    return [*backstop.pending_events, other.pending_events[-1]]


HISTORY = a_long_history()


@given(st.lists(st.sampled_from(range(len(HISTORY))), unique=True).map(sorted))
def test_any_part_of_a_history_folds_and_no_figure_is_negative(kept: list[int]) -> None:
    standing = fold([HISTORY[i] for i in kept])
    assert (standing is None) == (0 not in kept)
    if standing is not None:
        figures = (standing.paid, standing.limit_left, standing.over_limit, standing.balance, standing.unopened)
        assert min(*figures, standing.over_recovered, recovery_overdue(standing, at(200))) >= 0
        assert sum(share.covers for share in standing.shares) in (0, SUM)


def test_the_long_history_holds_every_event_of_a_backstop() -> None:
    declared = {kind for kind in vars(Backstop).values() if isinstance(kind, type) and hasattr(kind, "TOPIC")}
    assert {type(event) for event in HISTORY} == declared
