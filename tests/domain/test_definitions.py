"""One property test a row of the table of definitions: each word beside its formula, computed plainly from the events."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from domain.cases.case import Case
from domain.cases.standing import closed, confirmed, determined, solved, written_off
from domain.claims.claim import Claim
from domain.entries import Recorded
from domain.payments.payment import Payment
from domain.streams import Basis, StreamEvent
from domain.vocabulary import Answer, Outcome, Purpose
from projections.case_ledger import CaseRow
from projections.replay import case_state
from tests.histories import History, histories

Events = list[Recorded[StreamEvent]]


def _lines(events: Events) -> dict[str, dict[str, Any]]:  # noqa: C901 - plain on purpose: one branch an event
    """Per claim line V, rejected, disputed, P by grade, answers: the slow and plain way, from the whole history each time."""
    lines: dict[str, dict[str, Any]] = {}
    for item in events:
        event = item.event
        if isinstance(event, Claim.Created):
            line = {
                "claimed": event.figures.claimed,
                "V": event.figures.verified or 0,
                "rejected": event.figures.rejected or 0,
            }
            lines[event.originator_id] = line | {"by_officer": False, "withdrawn": 0, "disputed": 0, "told": False}
            lines[event.originator_id] |= {"named": event.worker is not None, "pay": {}, "answers": []}
        elif isinstance(event, Claim.Restated):
            line = lines[event.originator_id]
            line["claimed"] = event.figures.claimed
            if not line["by_officer"]:
                line |= {"V": event.figures.verified or 0, "rejected": event.figures.rejected or 0}
        elif isinstance(event, Claim.Verified):
            lines[event.originator_id] |= {"by_officer": True, "V": event.verified, "rejected": event.rejected}
            lines[event.originator_id] |= {
                "withdrawn": event.withdrawn,
                "disputed": event.disputed,
                "told": event.told is not None,
            }
        elif isinstance(event, Claim.FollowedUp) and event.answer in (
            Answer.RECEIVED,
            Answer.LESS,
            Answer.NOT_RECEIVED,
        ):
            lines[event.originator_id]["answers"].append((event.answer, event.amount))
        elif isinstance(event, Payment.LineCredited) and event.claim and event.purpose is not Purpose.LIVING_AID:
            lines[event.claim]["pay"][event.originator_id] = [event.amount, event.provenance.basis]
        elif isinstance(event, Payment.LineReturned | Payment.LineReversed) and event.claim:
            if event.purpose is not Purpose.LIVING_AID:
                lines[event.claim]["pay"][event.originator_id][0] -= event.amount
        elif isinstance(event, Payment.LineEvidenced) and event.claim and event.purpose is not Purpose.LIVING_AID:
            lines[event.claim]["pay"][event.originator_id][1] = event.provenance.basis
    return lines


def _paid(line: dict[str, Any]) -> int:
    return sum(amount for amount, _ in line["pay"].values())


def _owing(line: dict[str, Any]) -> int:
    return max(0, line["V"] - _paid(line))


def _is_confirmed(line: dict[str, Any]) -> bool:
    if not line["answers"]:
        return False
    answer, amount = line["answers"][-1]
    return answer is Answer.RECEIVED and (amount is None or amount >= line["V"])


def _contradicted(line: dict[str, Any]) -> bool:
    return bool(line["answers"]) and not _is_confirmed(line)


def _is_determined(events: Events) -> bool:
    lines = _lines(events)
    last = None
    for item in events:
        if isinstance(item.event, Case.RosterDeclared):
            last = None
        if isinstance(item.event, Case.RosterConfirmed):
            last = item.event.lines
    return (
        last is not None
        and last == len(lines) > 0
        and all(
            line["by_officer"]
            and (
                line["claimed"] is None
                or line["claimed"] == line["V"] + line["rejected"] + line["withdrawn"] + line["disputed"]
            )
            for line in lines.values()
        )
    )


def _is_solved(events: Events) -> bool:
    lines = _lines(events).values()
    return (
        _is_determined(events)
        and all(_owing(line) == 0 and line["disputed"] == 0 and not _contradicted(line) for line in lines)
        and all(basis is not Basis.STATED for line in lines for amount, basis in line["pay"].values() if amount)
        and all(line["told"] for line in lines if line["V"] == 0)
    )


def _closed_as(events: Events) -> Outcome | None:
    outcome = None
    for item in events:
        if isinstance(item.event, Case.Closed):
            outcome = item.event.outcome
        if isinstance(item.event, Case.Reopened):
            outcome = None
    return outcome


def _row(history: History) -> CaseRow:
    row = case_state(history.recorded).case
    assert row is not None
    return row


@settings(max_examples=150)
@given(histories())
def test_paid_is_what_was_credited_less_returned_and_reversed_and_living_aid_pays_nothing(history: History) -> None:
    assert _row(history).standing.paid == sum(_paid(line) for line in _lines(history.recorded).values())


@settings(max_examples=150)
@given(histories())
def test_owing_is_summed_over_lines_and_never_netted_between_workers(history: History) -> None:
    standing, lines = _row(history).standing, _lines(history.recorded).values()
    assert standing.owing == sum(_owing(line) for line in lines)
    assert standing.overpaid == sum(max(0, _paid(line) - line["V"]) for line in lines)


@settings(max_examples=150)
@given(histories())
def test_determined_needs_a_confirmed_roster_and_nothing_pending_on_any_line(history: History) -> None:
    row = _row(history)
    assert determined(row.procedure, row.standing) == _is_determined(history.recorded)


@settings(max_examples=200)
@given(histories())
def test_solved_needs_all_determined_paid_with_documents_and_contradicted_by_nobody(history: History) -> None:
    row = _row(history)
    assert solved(row.procedure, row.standing) == _is_solved(history.recorded)


@settings(max_examples=150)
@given(histories())
def test_confirmed_is_every_workers_latest_answer(history: History) -> None:
    lines = _lines(history.recorded).values()
    expected = all(line["named"] and _is_confirmed(line) for line in lines)
    assert confirmed(_row(history).standing) == expected


@settings(max_examples=150)
@given(histories())
def test_closed_takes_two_officers_and_lasts_until_reopened(history: History) -> None:
    row = _row(history)
    assert closed(row.procedure) == (_closed_as(history.recorded) is not None)
    proposer = None
    for item in history.recorded:
        if isinstance(item.event, Case.ClosingProposed):
            proposer = item.event.provenance.decidedby
        if isinstance(item.event, Case.Closed):
            assert item.event.provenance.decidedby not in (None, proposer)


@settings(max_examples=200)
@given(histories())
def test_written_off_is_lost_by_itself_with_solved(history: History) -> None:
    row = _row(history)
    off = False
    for item in history.recorded:
        if isinstance(item.event, Case.WrittenOff):
            off = True
        if isinstance(item.event, Case.Reopened):
            off = False
    stands = off and _closed_as(history.recorded) in (Outcome.PAID, Outcome.NO_ARREARS) and _is_solved(history.recorded)
    assert written_off(row.procedure, row.standing) == stands


@settings(max_examples=150)
@given(histories())
def test_an_act_was_possible_only_while_its_conditions_held(history: History) -> None:
    for i, item in enumerate(history.recorded):
        before = history.recorded[:i]
        match item.event:
            case Case.WrittenOff():
                assert _is_solved(before)
                assert _closed_as(before) in (Outcome.PAID, Outcome.NO_ARREARS)
            case Case.Closed(outcome=Outcome.PAID | Outcome.NO_ARREARS):
                assert _is_solved(before)
            case _:
                pass
