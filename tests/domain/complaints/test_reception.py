"""Where a complaint stands: the clock of N20, the questions of the audit, and the fold beside the plain formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.complaints.complaint import Complaint, after
from domain.complaints.reception import (
    ReceptionStage,
    ReceptionState,
    classification_due,
    classified_late,
    classified_on_the_day,
    hinders_clearing,
    unanswered,
    unclassified,
    undecided,
    unregistered_cases,
)
from domain.errors import Refused
from domain.streams import Provenance, StreamEvent
from domain.vocabulary import ComplaintClass, DuplicateRule, MissingItem
from tests.domain.complaints.intakes import (
    NEW_YEAR,
    RECEIVED,
    SHANGHAI,
    STATEMENT,
    TOLD,
    a_complaint,
    particulars,
    sealed,
    when,
)

ARREARS, OTHER, REPEAT = ComplaintClass.WAGE_ARREARS, ComplaintClass.OTHER_MATTER, ComplaintClass.REPEAT_PETITION
CASES = ("case-1", "case-2", "case-3")
OTHERS = ("complaint-2", "complaint-3")
DEPARTMENTS = ("住建局", "水利局")


def everywhere(case: str) -> bool:
    return True


def nowhere(case: str) -> bool:
    return False


# The day of N20


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2019-12-02T00:00:00+08:00", "2019-12-02T23:59:59.999999+08:00"),
        ("2019-12-02T23:59:59+08:00", "2019-12-02T23:59:59.999999+08:00"),
        ("2019-12-02T16:00:00+00:00", "2019-12-03T23:59:59.999999+08:00"),
        ("2019-12-31T15:59:59+00:00", "2019-12-31T23:59:59.999999+08:00"),
    ],
)
def test_a_complaint_is_due_at_the_end_of_the_local_day_it_was_received(received: str, due: str):
    assert classification_due(datetime.fromisoformat(received), SHANGHAI) == datetime.fromisoformat(due)


def test_an_instant_without_an_offset_has_no_day():
    with pytest.raises(ValueError, match="no offset"):
        classification_due(datetime(2019, 12, 2), SHANGHAI)  # noqa: DTZ001


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(("Asia/Shanghai", "America/New_York", "Pacific/Apia", "Asia/Kathmandu")),
)
def test_the_due_instant_is_the_last_of_its_local_day_wherever_that_is(received: datetime, name: str):
    zone = ZoneInfo(name)
    due = classification_due(received, zone).astimezone(UTC)
    assert received <= due
    assert due.astimezone(zone).date() == received.astimezone(zone).date()
    assert (due + timedelta(microseconds=1)).astimezone(zone).date() == received.astimezone(zone).date() + timedelta(
        days=1
    )


@pytest.mark.parametrize(
    ("hours", "in_time"),
    [(0, True), (14.49, True), (14.5, False), (40, False)],
)
def test_classified_on_the_day_means_before_midnight(hours: float, in_time: bool):
    complaint = a_complaint()
    complaint.classify(ARREARS, "核实", when(hours))
    state = complaint.reception
    assert classified_on_the_day(state) is in_time
    assert classified_late(state, NEW_YEAR) is not in_time
    assert not classified_late(state, state.due), "its day has not ended"


def test_the_last_instant_of_the_day_is_on_the_day():
    complaint = a_complaint()
    last = complaint.reception.due
    complaint.classify(ARREARS, "核实", Provenance(occurred=last, received=last))
    assert classified_on_the_day(complaint.reception)


def test_a_complaint_that_nobody_classified_is_late_once_its_day_has_ended():
    state = a_complaint().reception
    assert not classified_late(state, state.due)
    assert classified_late(state, state.due + timedelta(microseconds=1))
    assert not classified_on_the_day(state)


# The audit


def test_a_complaint_is_unclassified_from_its_reception_until_it_was_classified():
    complaint = a_complaint()
    complaint.classify(OTHER, "核实", when(5))
    complaint.classify(ARREARS, "补充核实", when(50))
    state = complaint.reception
    assert not unclassified(state, RECEIVED - timedelta(seconds=1)), "nobody had it yet"
    assert unclassified(state, RECEIVED)
    assert unclassified(state, RECEIVED + timedelta(hours=4))
    assert not unclassified(state, RECEIVED + timedelta(hours=5))


@pytest.mark.parametrize("end", ["accept", "refuse"])
def test_wage_arrears_are_undecided_until_accepted_or_refused(end: str):
    complaint = a_complaint()
    assert not undecided(complaint.reception)
    complaint.classify(ARREARS, "核实", when())
    complaint.withdraw(STATEMENT, when())
    complaint.settle_duplicate("complaint-2", "同一件", when(), same=True)
    assert undecided(complaint.reception), "neither withdrawing it nor a duplicate excuses the office"
    if end == "accept":
        complaint.accept("case-1", when())
    else:
        complaint.refuse("超过两年", "1号", TOLD, when())
    assert not undecided(complaint.reception)


@pytest.mark.parametrize(
    ("as_what", "act", "answers"),
    [
        (OTHER, lambda c: c.advise("仲裁", "申请仲裁", TOLD, when()), True),
        (OTHER, lambda c: c.order_department("住建局", when()), True),
        (OTHER, lambda c: c.hand_to_local_government("140300", sealed(), when()), True),
        (OTHER, lambda c: c.refuse("不属管辖", "1号", TOLD, when()), True),
        (OTHER, lambda c: c.withdraw(STATEMENT, when()), False),
        (REPEAT, lambda c: c.hand_to_local_government("140300", sealed(), when()), True),
        (REPEAT, lambda c: c.advise("仲裁", "申请仲裁", TOLD, when()), False),
    ],
)
def test_what_is_no_arrears_is_unanswered_until_what_n21_asks_for_was_done(
    as_what: ComplaintClass, act: Callable[[Complaint], None], answers: bool
):
    complaint = a_complaint()
    complaint.classify(as_what, "核实", when())
    assert unanswered(complaint.reception)
    act(complaint)
    assert unanswered(complaint.reception) is not answers


def test_arrears_and_what_is_unclassified_are_none_of_the_unanswered():
    complaint = a_complaint()
    assert not unanswered(complaint.reception)
    complaint.classify(ARREARS, "核实", when())
    assert not unanswered(complaint.reception)


def test_accepted_into_a_case_that_nobody_registered_is_accepted_without_a_case():
    complaint = a_complaint()
    complaint.classify(ARREARS, "核实", when())
    complaint.accept("case-1", when())
    complaint.accept("case-2", when())
    assert unregistered_cases(complaint.reception, everywhere) == ()
    assert unregistered_cases(complaint.reception, {"case-1"}.__contains__) == ("case-2",)


def test_a_reception_by_the_day_hinders_clearing_while_unclassified_or_accepted_without_a_case():
    complaint = a_complaint()
    assert hinders_clearing(complaint.reception, NEW_YEAR, everywhere)
    assert hinders_clearing(complaint.reception, RECEIVED, everywhere), "received at that very instant"
    assert not hinders_clearing(complaint.reception, RECEIVED - timedelta(days=1), everywhere), "received later"
    complaint.classify(ARREARS, "核实", when(3))
    assert not hinders_clearing(complaint.reception, NEW_YEAR, everywhere)
    assert hinders_clearing(complaint.reception, RECEIVED + timedelta(hours=2), everywhere), "not classified by then"
    complaint.accept("case-1", when(4))
    assert hinders_clearing(complaint.reception, NEW_YEAR, nowhere)
    assert not hinders_clearing(complaint.reception, NEW_YEAR, everywhere)


# The fold beside the plain formula

MOVES: dict[str, Callable[[Complaint, int, Provenance], None]] = {
    "arrears": lambda c, i, p: c.classify(ARREARS, "核实", p),
    "other": lambda c, i, p: c.classify(OTHER, "核实", p),
    "repeat": lambda c, i, p: c.classify(REPEAT, "核实", p),
    "accept": lambda c, i, p: c.accept(CASES[i], p),
    "join": lambda c, i, p: c.join(CASES[i], "同一项目", p),
    "refuse": lambda c, i, p: c.refuse("超过两年", "1号", TOLD, p),
    "advise": lambda c, i, p: c.advise("仲裁", "申请仲裁", TOLD, p),
    "order": lambda c, i, p: c.order_department(DEPARTMENTS[i % 2], p),
    "answer": lambda c, i, p: c.record_answer(DEPARTMENTS[i % 2], p),
    "hand on": lambda c, i, p: c.hand_to_local_government("140300", sealed("person-9"), p),
    "return": lambda c, i, p: c.return_for_completion(
        tuple(MissingItem)[: i + 1], p.occurred + timedelta(days=5), TOLD, p
    ),
    "complete": lambda c, i, p: c.complete(tuple(MissingItem)[: i + 1], particulars(came=i), p),
    "amend": lambda c, i, p: c.amend(particulars(amount=i), "核对", p),
    "hint": lambda c, i, p: c.hint_duplicate(OTHERS[i % 2], DuplicateRule.SAME_PERSON, "the same", "test", p),
    "same": lambda c, i, p: c.settle_duplicate(OTHERS[i % 2], "同一件", p, same=True),
    "not same": lambda c, i, p: c.settle_duplicate(OTHERS[i % 2], "两件事", p, same=False),
    "withdraw": lambda c, i, p: c.withdraw(STATEMENT, p),
    "hand over": lambda c, i, p: c.hand_over(f"officer-{i}", "调岗", p),
}


def latest(events: Sequence[StreamEvent], *kinds: type[StreamEvent]) -> StreamEvent | None:
    return next((event for event in reversed(events) if isinstance(event, kinds)), None)


def plainly_undecided(events: Sequence[StreamEvent]) -> bool:
    last = latest(events, Complaint.Classified)
    decided = latest(events, Complaint.Accepted, Complaint.Joined, Complaint.Refused)
    return isinstance(last, Complaint.Classified) and last.classification is ARREARS and decided is None


def plainly_unanswered(events: Sequence[StreamEvent]) -> bool:
    last = latest(events, Complaint.Classified)
    named = latest(events, Complaint.HandedToLocalGovernment)
    told = latest(events, Complaint.Advised, Complaint.DepartmentOrdered, Complaint.Refused)
    match getattr(last, "classification", None):
        case ComplaintClass.OTHER_MATTER:
            return named is None and told is None
        case ComplaintClass.REPEAT_PETITION:
            return named is None
        case _:
            return False


def plainly_settled(events: Sequence[StreamEvent]) -> dict[str, bool]:
    return {event.other: event.same for event in events if isinstance(event, Complaint.DuplicateSettled)}


def plainly_hinted(events: Sequence[StreamEvent]) -> set[str]:
    hinted = {event.other for event in events if isinstance(event, Complaint.DuplicateHinted)}
    return hinted - plainly_settled(events).keys()


def plainly_missing(events: Sequence[StreamEvent]) -> set[MissingItem]:
    missing: set[MissingItem] = set()
    for event in events:
        if isinstance(event, Complaint.ReturnedForCompletion):
            missing = set(event.missing)
        if isinstance(event, Complaint.Completed):
            missing -= set(event.brought)
    return missing


def plainly_awaited(events: Sequence[StreamEvent]) -> set[str]:
    awaited: set[str] = set()
    for event in events:
        if isinstance(event, Complaint.DepartmentOrdered):
            awaited.add(event.department)
        if isinstance(event, Complaint.DepartmentAnswered):
            awaited.discard(event.department)
    return awaited


def check(state: ReceptionState, events: Sequence[StreamEvent]) -> None:
    """Every word beside its formula, computed from the whole history each time."""
    first = next((event for event in events if isinstance(event, Complaint.Classified)), None)
    assert state.classified_at == (None if first is None else first.provenance.occurred)
    assert undecided(state) == plainly_undecided(events)
    assert unanswered(state) == plainly_unanswered(events)
    cases = [event.case for event in events if isinstance(event, Complaint.Accepted | Complaint.Joined)]
    assert state.cases == tuple(dict.fromkeys(cases))
    assert set(state.hinted) == plainly_hinted(events)
    settled = plainly_settled(events)
    assert set(state.duplicates) == {other for other, same in settled.items() if same}
    assert set(state.distinct) == {other for other, same in settled.items() if not same}
    assert set(state.missing) == plainly_missing(events)
    assert (state.returned_at is None) == (state.returned_until is None) == (not state.missing)
    assert set(state.awaited) == plainly_awaited(events)
    assert (state.withdrawn_at is not None) == (latest(events, Complaint.Withdrawn) is not None)
    handed = latest(events, Complaint.FirstOfficerHandedOver)
    assert state.officer == getattr(handed, "officer", "officer-a")
    assert (state.stage is ReceptionStage.ACCEPTED) == bool(state.cases)
    if state.stage in (ReceptionStage.ADVISED, ReceptionStage.HANDED_ON):
        assert not undecided(state)


def folded(events: Sequence[StreamEvent]) -> ReceptionState | None:
    state: ReceptionState | None = None
    for event in events:
        state = after(state, event)
    return state


STEPS = st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 2)), max_size=25)


def played(steps: list[tuple[str, int]]) -> tuple[Complaint, list[StreamEvent]]:
    """A complaint after random moves; what was refused is left out."""
    complaint = a_complaint()
    events: list[StreamEvent] = list(complaint.collect_events())  # type: ignore[arg-type]
    for hours, (move, i) in enumerate(steps):
        try:
            MOVES[move](complaint, i, when(hours))
        except Refused:
            assert not complaint.pending_events
        events += complaint.collect_events()  # type: ignore[arg-type]
    return complaint, events


@settings(max_examples=200)
@given(STEPS)
def test_the_fold_says_what_the_stream_says_and_what_the_formulas_say(steps: list[tuple[str, int]]):
    complaint, events = played(steps)
    state = folded(events)
    assert state == complaint.reception
    assert state is not None
    check(state, events)


@settings(max_examples=150)
@given(STEPS, st.data())
def test_any_subset_of_a_history_folds_and_keeps_to_the_formulas_of_what_is_left(
    steps: list[tuple[str, int]], data: st.DataObject
):
    opened, *rest = played(steps)[1]
    kept = [event for event in rest if data.draw(st.booleans())]
    state = folded([opened, *kept])
    assert state is not None
    assert undecided(state) == plainly_undecided(kept)
    assert unanswered(state) == plainly_unanswered(kept)
    assert set(state.hinted) == plainly_hinted(kept)
    assert set(state.awaited) == plainly_awaited(kept)
    assert folded(kept) is None, "without its registration there is no complaint"


def test_the_fold_knows_nothing_of_other_streams():
    complaint = a_complaint()
    opened = complaint.pending_events[0]
    state = after(None, opened)  # type: ignore[arg-type]
    stranger = Complaint.Event(originator_id="case-1", originator_version=2, timestamp=RECEIVED, provenance=when())
    assert after(state, stranger) == state
    assert after(None, stranger) is None


class ComplaintOfficers(RuleBasedStateMachine):
    """Officers who try anything, in any order, on one complaint."""

    def __init__(self) -> None:
        super().__init__()
        self.complaint = a_complaint()
        self.events: list[StreamEvent] = list(self.complaint.collect_events())  # type: ignore[arg-type]
        self.hours = 0

    @rule(move=st.sampled_from(sorted(MOVES)), i=st.integers(0, 2))
    def attempt(self, move: str, i: int) -> None:
        self.hours += 1
        before = self.complaint.reception
        try:
            MOVES[move](self.complaint, i, when(self.hours))
        except Refused:
            assert not self.complaint.pending_events, "what was refused left something"
            assert self.complaint.reception == before
        self.events += self.complaint.collect_events()  # type: ignore[arg-type]

    @invariant()
    def every_word_is_its_formula(self) -> None:
        check(self.complaint.reception, self.events)

    @invariant()
    def an_accepted_complaint_is_arrears(self) -> None:
        state = self.complaint.reception
        assert not state.cases or state.classification is ARREARS

    @invariant()
    def every_act_stood_on_a_classification(self) -> None:
        seen: ComplaintClass | None = None
        for event in self.events:
            match event:
                case Complaint.Classified():
                    seen = event.classification
                case Complaint.Accepted() | Complaint.Joined():
                    assert seen is ARREARS
                case Complaint.Advised() | Complaint.DepartmentOrdered() | Complaint.HandedToLocalGovernment():
                    assert seen in (OTHER, REPEAT)
                case Complaint.Refused():
                    assert seen is not None
                case _:
                    pass


TestComplaintOfficers = ComplaintOfficers.TestCase
TestComplaintOfficers.settings = settings(max_examples=40, stateful_step_count=25)
