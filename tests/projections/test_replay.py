"""Replaying one case: as known at a position, and as it was by a day. Folds are total on every subset that an axis makes."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.cases.case import Case
from domain.claims.claim import Claim
from domain.payments.payment import Payment
from domain.streams import Basis
from domain.vocabulary import Answer, Outcome, Purpose
from projections.case_ledger import Stage
from projections.replay import as_it_was_by, case_state, timeline
from tests.histories import START, History, histories


@settings(max_examples=100)
@given(histories(), st.integers(-12, 40))
def test_every_fold_is_total_on_what_had_occurred_by_a_day(history: History, days: int) -> None:
    end = START + timedelta(days=days)
    kept = as_it_was_by(history.recorded, end)
    state = case_state(kept)
    assert all(item.envelope.occurred <= end for item in kept)
    assert (state.case is None) == (not any(isinstance(item.event, Case.Created) for item in kept))


@settings(max_examples=100)
@given(histories(), st.data())
def test_every_fold_is_total_on_any_subset_of_a_history(history: History, data: st.DataObject) -> None:
    kept = [item for item in history.recorded if data.draw(st.booleans())]
    case_state(kept)


@settings(max_examples=100)
@given(histories(), st.integers(-12, 40))
def test_moving_money_between_lines_neither_makes_nor_loses_any_as_it_was_by_a_day(history: History, days: int) -> None:
    kept = as_it_was_by(history.recorded, START + timedelta(days=days))
    state = case_state(kept)
    if state.case is None:
        return
    came = sum(item.event.amount for item in kept if isinstance(item.event, Payment.LineCredited))
    went = sum(
        item.event.amount for item in kept if isinstance(item.event, Payment.LineReturned | Payment.LineReversed)
    )
    standing = state.case.standing
    assert standing.paid + standing.living_aid + state.case.unallocated == came - went


@settings(max_examples=60)
@given(histories())
def test_what_a_timeline_says_changed_leads_from_nothing_to_the_ledgers_row(history: History) -> None:
    row = case_state(history.recorded).case
    assert row is not None
    shown: dict[str, object] = {}
    for item in timeline(history.recorded):
        for change in item.changes:
            if change.ledger == "case":
                assert shown.get(change.column) == change.before
                shown[change.column] = change.after
    assert shown["owing"] == row.standing.owing
    assert shown["paid"] == row.standing.paid
    assert shown["stage"] == row.stage.value


def test_a_payment_is_not_seen_before_it_was_known_nor_by_a_day_before_it_occurred() -> None:
    history = History()
    history.state_line(1_000, None, named=True)
    history.verify(0, 100, told=True)
    before = len(history.recorded)
    history.pay(0, 1_000, Basis.DOCUMENTED, Purpose.WAGE, unallocated=False)
    paid_on = history.recorded[-1].envelope.occurred

    known = case_state(history.recorded[:before]).case
    by = case_state(as_it_was_by(history.recorded, paid_on - timedelta(seconds=1))).case
    now = case_state(history.recorded).case

    assert known is not None
    assert by is not None
    assert now is not None
    assert (known.standing.owing, by.standing.owing, now.standing.owing) == (1_000, 1_000, 0)


def test_a_case_is_written_off_and_comes_back_by_itself_when_a_worker_got_less() -> None:
    history = History()
    history.state_line(1_000, None, named=True)
    history.verify(0, 100, told=True)
    history.pay(0, 1_000, Basis.DOCUMENTED, Purpose.WAGE, unallocated=False)
    for step, officer in (
        ("declare", "officer-a"),
        ("confirm", "officer-b"),
        ("propose", "officer-a"),
        ("approve", "officer-b"),
    ):
        history.procedure(step, officer, Outcome.PAID)
    history.procedure("write off", "officer-c", Outcome.PAID)
    row = case_state(history.recorded).case
    assert row is not None
    assert row.stage is Stage.WRITTEN_OFF

    history.follow_up(0, Answer.LESS, 400)
    state = case_state(history.recorded)
    assert state.case is not None
    assert state.case.stage is Stage.CLOSED
    assert {row.kind for row in state.discrepancies} >= {"solved-no-longer", "worker-says-less"}


def test_a_case_that_owes_one_worker_cannot_be_closed_as_paid() -> None:
    history = History()
    history.state_line(1_000, None, named=True)
    history.state_line(10, None, named=True)
    history.verify(0, 100, told=True)
    history.verify(1, 100, told=True)
    history.pay(0, 5_000, Basis.BANK_CONFIRMED, Purpose.WAGE, unallocated=False)
    history.procedure("declare", "officer-a", Outcome.PAID)
    history.procedure("confirm", "officer-b", Outcome.PAID)
    history.procedure("propose", "officer-a", Outcome.PAID)
    assert "1 lines are owed 0.10 yuan" in str(history.refused[-1])
    assert not any(isinstance(item.event, Case.ClosingProposed) for item in history.recorded)
    assert any(isinstance(item.event, Payment.LineCredited) for item in history.recorded)
    assert any(isinstance(item.event, Claim.Verified) for item in history.recorded)
