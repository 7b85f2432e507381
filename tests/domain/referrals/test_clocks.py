"""The clocks of order 310, and when a payment stands before a step of procedure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.referrals.clocks import SPANS, Clock, Step, clocks, due
from domain.referrals.milestones import PaymentMoment, payment_moment
from domain.referrals.standing import Milestones
from domain.vocabulary import ReferralKind
from tests.domain.orders.office import ZONE, sealed, when
from tests.domain.referrals.test_referral import PACKAGE, of, sent


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"2019-12-{text}").replace(tzinfo=ZONE)


def running(referral: Any) -> dict[Step, Clock]:
    return {clock.step: clock for clock in clocks(referral.standing, ZONE)}


@pytest.mark.parametrize(
    ("step", "started", "ends"),
    [
        (Step.MOVE, "02T15:30:00", "03T15:30:00"),
        (Step.FORWARD, "06T23:00:00", "07T23:00:00"),
        (Step.HEAD_DECIDES, "02T00:00:00", "05T23:59:59.999999"),
        (Step.POLICE_DECIDE, "02T23:59:00", "05T23:59:59.999999"),
        (Step.ASK_RECONSIDERATION, "05T08:00:00", "08T23:59:59.999999"),  # ends on a Sunday: the calendar may move it
        (Step.HAND_OVER, "28T08:00:00", "31T23:59:59.999999"),
    ],
)
def test_hours_are_counted_from_the_minute_and_days_from_the_next_day(step: Step, started: str, ends: str) -> None:
    assert due(step, moment(started), ZONE) == moment(ends)


def test_the_day_is_the_local_day_wherever_the_clock_was_read() -> None:
    utc = moment("03T02:00:00").astimezone(UTC)
    assert due(Step.POLICE_DECIDE, utc, ZONE) == moment("06T23:59:59.999999")


def test_every_step_has_one_span_with_its_article() -> None:
    assert set(SPANS) == set(Step)
    for span in SPANS.values():
        assert (span.hours > 0) != (span.days > 0)
        assert span.clause.startswith("order 310, art. ")


def test_clocks_begin_when_their_step_can_be_taken() -> None:
    referral = sent()
    assert set(running(referral)) == {Step.HEAD_DECIDES, Step.MOVE}
    assert running(referral)[Step.MOVE].done == when(0).occurred
    referral.acknowledge(when(1))
    assert set(running(referral)) == {Step.HEAD_DECIDES, Step.MOVE, Step.POLICE_DECIDE}
    referral.refuse(when(2))
    assert running(referral)[Step.POLICE_DECIDE].done == when(2).occurred
    assert running(referral)[Step.ASK_RECONSIDERATION].done is None
    referral.ask_reconsideration("检察院", sealed("they erred"), when(3))
    assert running(referral)[Step.ASK_RECONSIDERATION].done == when(3).occurred
    referral.accept(when(4))
    assert running(referral)[Step.HAND_OVER].done is None
    referral.hand_over(PACKAGE, when(5))
    assert running(referral)[Step.HAND_OVER].done == when(5).occurred


def test_police_of_the_wrong_place_forward_within_a_day_of_signing() -> None:
    referral = sent()
    referral.acknowledge(when(1))
    assert Step.FORWARD not in running(referral)
    referral.forward("盂县公安局", when(26))
    clock = running(referral)[Step.FORWARD]
    assert clock.late(when(26).occurred)
    assert not clock.late(when(20).occurred), "as of an instant, what comes later is not known"


def test_a_clock_is_late_when_its_end_has_passed_undone_or_it_was_done_after_its_end() -> None:
    start = moment("02T09:00:00")
    end = due(Step.MOVE, start, ZONE)
    undone = Clock(step=Step.MOVE, started=start, due=end, done=None)
    assert [undone.late(end + timedelta(hours=hours)) for hours in (-1, 0, 1)] == [False, False, True]
    in_time = Clock(step=Step.MOVE, started=start, due=end, done=end)
    assert not in_time.late(end + timedelta(days=9))
    too_late = Clock(step=Step.MOVE, started=start, due=end, done=end + timedelta(hours=1))
    assert too_late.late(end + timedelta(days=9))


def test_a_right_lapses_and_nobody_is_late() -> None:
    clock = Clock(step=Step.ASK_RECONSIDERATION, started=moment("02T09:00:00"), due=moment("05T09:00:00"), done=None)
    assert not clock.late(moment("30T09:00:00"))


def test_only_days_may_move_with_a_holiday() -> None:
    moves = {clock.step: clock.by_days for clock in clocks(sent().standing, ZONE)}
    assert moves == {Step.HEAD_DECIDES: True, Step.MOVE: False}


@pytest.mark.parametrize("kind", [ReferralKind.COURT, ReferralKind.ARBITRATION, ReferralKind.EARLY_INTERVENTION])
def test_other_referrals_have_no_clock_of_order_310(kind: ReferralKind) -> None:
    referral = of(kind, reported=when(-9).occurred, approved=when(-8).occurred)
    assert clocks(referral.standing, ZONE) == ()


# Payment versus procedure


FILED, PROSECUTED, JUDGED = moment("05T10:00:00"), moment("15T10:00:00"), moment("25T10:00:00")
ALL = Milestones(case_filed=FILED, prosecuted=PROSECUTED, first_judgment=JUDGED)


@pytest.mark.parametrize(
    ("paid", "where"),
    [
        ("05T09:59:59", PaymentMoment.BEFORE_CASE_FILED),
        ("05T10:00:00", PaymentMoment.BEFORE_PROSECUTION),
        ("15T09:00:00", PaymentMoment.BEFORE_PROSECUTION),
        ("20T00:00:00", PaymentMoment.BEFORE_FIRST_JUDGMENT),
        ("25T11:00:00", PaymentMoment.AFTER_FIRST_JUDGMENT),
    ],
)
def test_a_payment_stands_before_the_first_step_that_came_after_it(paid: str, where: PaymentMoment) -> None:
    assert payment_moment(ALL, moment(paid), ZONE) is where


@pytest.mark.parametrize(
    ("milestones", "where"),
    [
        (Milestones(), PaymentMoment.BEFORE_CASE_FILED),
        (Milestones(case_filed=FILED), PaymentMoment.BEFORE_PROSECUTION),
        (Milestones(case_filed=FILED, prosecuted=PROSECUTED), PaymentMoment.BEFORE_FIRST_JUDGMENT),
        (ALL, PaymentMoment.AFTER_FIRST_JUDGMENT),
    ],
)
def test_a_step_that_nobody_recorded_has_not_been_reached(milestones: Milestones, where: PaymentMoment) -> None:
    assert payment_moment(milestones, moment("28T12:00:00"), ZONE) is where


@pytest.mark.parametrize(
    ("milestones", "paid"),
    [
        (Milestones(case_filed=FILED, first_judgment=JUDGED), "20T12:00:00"),
        (Milestones(prosecuted=PROSECUTED), "10T12:00:00"),
        (Milestones(case_filed=JUDGED, prosecuted=FILED), "10T12:00:00"),
        (Milestones(case_filed=moment("05T00:00:00")), "05T12:00:00"),
        (Milestones(case_filed=FILED), "05T00:00:00"),
    ],
)
def test_what_the_recorded_times_do_not_say_is_left_to_be_decided(milestones: Milestones, paid: str) -> None:
    assert payment_moment(milestones, moment(paid), ZONE) is PaymentMoment.NEEDS_DECISION


TIMES = st.integers(0, 60).map(lambda hours: moment("01T01:00:00") + timedelta(hours=12 * hours))


@given(st.lists(TIMES, min_size=3, max_size=3, unique=True).map(sorted), st.lists(TIMES, min_size=1, max_size=6))
def test_with_all_steps_recorded_a_later_payment_never_stands_better(steps: Any, payments: list[datetime]) -> None:
    milestones = Milestones(case_filed=steps[0], prosecuted=steps[1], first_judgment=steps[2])
    order = list(PaymentMoment)
    places = [order.index(payment_moment(milestones, paid, ZONE)) for paid in sorted(payments)]
    assert places == sorted(places)
    assert order.index(PaymentMoment.NEEDS_DECISION) not in places
