"""A referral: what may be sent, what comes back, and that no balance ever moves for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cases.case import proceed
from domain.cases.standing import NOT_BEGUN
from domain.claims.balance import Balance
from domain.claims.balance import after as balance_after
from domain.errors import RuleError
from domain.referrals.clocks import Step, clocks
from domain.referrals.referral import Paper, Referral, after
from domain.referrals.standing import Milestones, ReferralStanding, ReferralState
from domain.streams import StreamEvent, Visibility
from domain.vocabulary import ClaimKind, Conclusion, Level, Milestone, PaperKind, ReferralKind
from tests.domain.orders.office import CASE, PROOF, ZONE, sealed, when

LINES = frozenset({"claim-1", "claim-2"})
PACKAGE = tuple(Paper(kind=kind, file=PROOF[0]) for kind in (PaperKind.TRANSFER_LETTER, PaperKind.INVESTIGATION_REPORT))
APPROVED = when(0, approved="officer-head")


def at(hours: float) -> Any:
    return when(hours).occurred


def sent(**other: Any) -> Referral:
    fields: dict[str, Any] = {
        "id": "referral-1",
        "case": CASE,
        "place": "140321",
        "number": "阳人社移〔2019〕1号",
        "kind": ReferralKind.POLICE,
        "to": "平定县公安局",
        "ground": sealed("the debtor fled"),
        "lines": LINES,
        "claims": ("claim-1",),
        "papers": PACKAGE,
        "team": ("officer-a", "officer-b"),
        "reported": at(-30),
        "approved": at(-20),
        "provenance": APPROVED,
    }
    return Referral.send(**fields | other)


def of(kind: ReferralKind, **other: Any) -> Referral:
    """A referral of a kind that needs nothing but what all of them need."""
    bare: dict[str, Any] = {"claims": (), "papers": (), "team": (), "reported": None, "approved": None}
    return sent(kind=kind, **bare | {"provenance": when()} | other)


# What may be sent


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ({"to": " "}, "referral-has-addressee"),
        ({"provenance": when(approved="officer-head", clause=None)}, "referral-cites-clause"),
        ({"claims": ("claim-1", "claim-9")}, "lines-of-the-case"),
        ({"team": ("officer-a", "officer-a")}, "team-of-two"),
        ({"provenance": when()}, "two-officers"),
        ({"provenance": when(approved="officer-a")}, "two-officers"),
        ({"provenance": when(by=None, approved="officer-a")}, "two-officers"),
        ({"approved": None}, "two-officers"),
        ({"approved": at(1)}, "two-officers"),
        ({"papers": PACKAGE[:1]}, "package-complete"),
        ({"papers": ()}, "package-complete"),
        ({"claims": ()}, "transfer-names-lines"),
    ],
)
def test_a_transfer_to_the_police_that_breaks_a_rule_is_refused(other: dict[str, Any], rule: str) -> None:
    with pytest.raises(RuleError) as refusal:
        sent(**other)
    assert refusal.value.rule == rule
    assert refusal.value.clause


@pytest.mark.parametrize(
    ("kind", "other", "rule"),
    [
        (ReferralKind.SUPERIOR, {}, "escalation-upwards"),
        (ReferralKind.SUPERIOR, {"from_level": Level.COUNTY}, "escalation-upwards"),
        (ReferralKind.SUPERIOR, {"to_level": Level.STATE}, "escalation-upwards"),
        (ReferralKind.SUPERIOR, {"from_level": Level.CITY, "to_level": Level.CITY}, "escalation-upwards"),
        (ReferralKind.SUPERIOR, {"from_level": Level.CITY, "to_level": Level.COUNTY}, "escalation-upwards"),
        (ReferralKind.ANOTHER_PLACE, {}, "another-place"),
        (ReferralKind.ANOTHER_PLACE, {"to_place": "140321"}, "another-place"),
    ],
)
def test_an_escalation_goes_upwards_and_a_transfer_elsewhere(kind: Any, other: Any, rule: str) -> None:
    with pytest.raises(RuleError) as refusal:
        of(kind, **other)
    assert refusal.value.rule == rule


@pytest.mark.parametrize(
    ("kind", "other"),
    [
        (ReferralKind.EARLY_INTERVENTION, {}),
        (ReferralKind.COMPETENT_DEPARTMENT, {}),
        (ReferralKind.ARBITRATION, {"claims": ("claim-1", "claim-2")}),
        (ReferralKind.COURT, {}),
        (ReferralKind.ANOTHER_PLACE, {"to_place": "140322"}),
        (ReferralKind.SUPERIOR, {"from_level": Level.COUNTY, "to_level": Level.PROVINCE}),
    ],
)
def test_other_referrals_need_a_clause_and_an_addressee_and_no_package(kind: ReferralKind, other: Any) -> None:
    referral = of(kind, **other)
    assert referral.standing.state is ReferralState.SENT
    assert (referral.partitionkey, referral.jurisdiction, referral.visibility) == (CASE, "140321", Visibility.CASE)


def test_a_referral_to_discipline_leaves_no_trace_in_the_case() -> None:
    referral = of(ReferralKind.DISCIPLINE)
    assert (referral.partitionkey, referral.visibility) == (referral.id, Visibility.REVIEW)


def test_a_transfer_may_leave_at_the_moment_it_was_approved() -> None:
    assert sent(approved=at(0)).standing.approved == sent().standing.sent


# What comes back


def test_a_referral_is_signed_for_accepted_and_concluded() -> None:
    referral = sent()
    waits = [referral.standing.waits]
    referral.acknowledge(when(1), receipt="回执1", signer=sealed("李某"), evidence=PROOF)
    assert (referral.standing.state, referral.standing.receipt) == (ReferralState.ACKNOWLEDGED, "回执1")
    waits.append(referral.standing.waits)
    referral.accept(when(20), number="平公立〔2019〕3号", evidence=PROOF)
    assert (referral.standing.state, referral.standing.their_number) == (ReferralState.ACCEPTED, "平公立〔2019〕3号")
    assert [*waits, referral.standing.waits] == [True, True, False]
    referral.hand_over(PACKAGE, when(30))
    referral.set_supervision(Level.CITY, "阳泉市公安局", when(31), document="督1")
    referral.progress(when(40), milestone=Milestone.PROSECUTED, note=sealed("charged"), document="诉1", evidence=PROOF)
    referral.conclude(Conclusion.ESTABLISHED, when(50), note=sealed("sentenced"), document="判1", evidence=PROOF)
    standing = referral.standing
    assert (standing.state, standing.conclusion) == (ReferralState.CONCLUDED, Conclusion.ESTABLISHED)
    assert (standing.supervision, standing.last_answer) == (Level.CITY, at(50))
    assert standing.milestones == Milestones(case_filed=at(20), prosecuted=at(40))
    referral.accept(when(51))
    assert referral.standing.state is ReferralState.CONCLUDED


def test_a_refusal_may_be_decided_again() -> None:
    referral = sent()
    with pytest.raises(RuleError, match="was not refused"):
        referral.ask_reconsideration("平定县公安局", sealed("they erred"), when(1))
    referral.refuse(when(2), ground=sealed("no crime"), document="不立1", evidence=PROOF)
    referral.ask_reconsideration("平定县公安局", sealed("they erred"), when(3), document="复1")
    assert referral.standing.reconsideration_asked == at(3)
    referral.accept(when(5))
    assert referral.standing.state is ReferralState.ACCEPTED
    with pytest.raises(RuleError, match="was not refused"):
        referral.ask_reconsideration("平定县检察院", sealed("again"), when(6))


def test_a_second_refusal_opens_the_right_to_ask_anew() -> None:
    referral = sent()
    referral.refuse(when(2))
    referral.ask_reconsideration("平定县公安局", sealed("they erred"), when(3))
    referral.refuse(when(5))
    assert referral.standing.reconsideration_asked is None
    referral.ask_reconsideration("平定县检察院", sealed("still"), when(6))
    assert referral.standing.reconsideration_asked == at(6)


def test_a_referral_may_be_forwarded_or_come_back() -> None:
    referral = sent()
    referral.acknowledge(when(1))
    referral.forward("盂县公安局", when(9), evidence=PROOF)
    assert (referral.standing.state, referral.standing.forwarded_to) == (ReferralState.ACKNOWLEDGED, "盂县公安局")
    referral.send_back(when(10), ground=sealed("papers missing"), evidence=PROOF)
    assert (referral.standing.state, referral.standing.returned) == (ReferralState.RETURNED, at(10))


def test_only_the_police_file_a_criminal_case_by_accepting() -> None:
    for kind in (ReferralKind.EARLY_INTERVENTION, ReferralKind.COURT, ReferralKind.COMPETENT_DEPARTMENT):
        referral = of(kind)
        referral.accept(when(3))
        assert referral.standing.milestones == Milestones()
    referral = of(ReferralKind.EARLY_INTERVENTION)
    referral.progress(when(4), milestone=Milestone.CASE_FILED)
    assert referral.standing.milestones.case_filed == at(4)


def test_the_last_record_of_a_milestone_counts() -> None:
    referral = sent()
    referral.accept(when(20))
    referral.progress(when(18), milestone=Milestone.CASE_FILED)
    assert referral.standing.milestones.case_filed == at(18)


def test_an_answer_without_a_milestone_moves_nothing_but_the_last_answer() -> None:
    referral = sent()
    referral.progress(when(9), note=sealed("we are looking"))
    referral.progress(when(7))
    assert (referral.standing.state, referral.standing.last_answer) == (ReferralState.SENT, at(9))
    assert referral.standing.milestones == Milestones()


# The fold


MOVES: st.SearchStrategy[Callable[[Referral, Any], None]] = st.sampled_from(
    (
        lambda r, p: r.acknowledge(p, receipt="1"),
        lambda r, p: r.accept(p, number="2"),
        lambda r, p: r.refuse(p),
        lambda r, p: r.ask_reconsideration("检察院", sealed("they erred"), p),
        lambda r, p: r.send_back(p),
        lambda r, p: r.forward("盂县公安局", p),
        lambda r, p: r.hand_over(PACKAGE, p),
        lambda r, p: r.progress(p, milestone=Milestone.PROSECUTED),
        lambda r, p: r.progress(p, milestone=Milestone.FIRST_JUDGMENT),
        lambda r, p: r.progress(p),
        lambda r, p: r.set_supervision(Level.CITY, "阳泉市公安局", p),
        lambda r, p: r.conclude(Conclusion.SETTLED, p),
    )
)
STEPS = st.lists(st.tuples(MOVES, st.integers(-10, 300)), max_size=12)


def played(steps: list[tuple[Any, int]]) -> Referral:
    referral = sent()
    for move, hours in steps:
        before = len(referral.pending_events)
        try:
            move(referral, when(hours))
        except RuleError:
            assert len(referral.pending_events) == before, "what was refused left something"
    return referral


def fold(events: list[StreamEvent]) -> ReferralStanding | None:
    standing = None
    for event in events:
        standing = after(standing, event)
    return standing


@given(STEPS, st.data())
def test_any_part_of_a_history_folds_and_the_whole_folds_to_what_the_stream_holds(steps: Any, data: Any) -> None:
    referral = played(steps)
    events: list[Any] = list(referral.pending_events)
    assert fold(events) == referral.standing
    kept = data.draw(st.lists(st.sampled_from(range(len(events))), unique=True).map(sorted))
    standing = fold([events[i] for i in kept])
    assert (standing is None) == (0 not in kept)
    if standing is not None:
        assert {clock.step for clock in clocks(standing, ZONE)} <= set(Step)


@given(STEPS)
def test_the_state_is_what_was_last_said_until_it_was_concluded(steps: Any) -> None:
    referral = played(steps)
    said = {
        Referral.Accepted: ReferralState.ACCEPTED,
        Referral.Refused: ReferralState.REFUSED,
        Referral.Returned: ReferralState.RETURNED,
    }
    plain = ReferralState.SENT
    for event in referral.pending_events:
        if plain is ReferralState.SENT and isinstance(event, Referral.Acknowledged):
            plain = ReferralState.ACKNOWLEDGED
        plain = said.get(type(event), plain)  # type: ignore[arg-type]
    if any(isinstance(event, Referral.Concluded) for event in referral.pending_events):
        plain = ReferralState.CONCLUDED
    assert referral.standing.state is plain


@given(STEPS)
def test_a_referral_never_changes_a_balance_or_a_procedure(steps: Any) -> None:
    balance = Balance(headcount=1, named=True, kind=ClaimKind.WAGE, claimed=100, verified=90, verifications=1, paid=5)
    for event in played(steps).pending_events:
        assert balance_after(balance, event) is balance  # type: ignore[arg-type]
        assert proceed(NOT_BEGUN, event) is NOT_BEGUN  # type: ignore[arg-type]
