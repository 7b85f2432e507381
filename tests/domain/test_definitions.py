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


def _lines(events: Events) -> dict[str, dict[str, Any]]:  # noqa: C901, PLR0912 - plain on purpose: one branch an event
    """Per claim line V, rejected, disputed, W, P by grade, answers: the slow and plain way, from the whole history each time."""
    lines: dict[str, dict[str, Any]] = {}
    for item in events:
        event = item.event
        own = lines.get(event.originator_id, {})
        if isinstance(event, Claim.Created):
            person = None if event.worker is None else event.worker.subject
            lines[event.originator_id] = {
                "claimed": event.figures.claimed,
                "V": event.figures.verified or 0,
                "rejected": event.figures.rejected or 0,
                "W": 0,
                "withdrawn": 0,
                "disputed": 0,
                "times": 0,
                "told": False,
                "person": person,
                "left": False,
                "pay": [],
                "answers": [],
            }
        elif isinstance(event, Claim.Restated):
            own["claimed"] = event.figures.claimed
            if not own["times"]:
                own |= {"V": event.figures.verified or 0, "rejected": event.figures.rejected or 0}
        elif isinstance(event, Claim.Verified):
            own |= {"times": own["times"] + 1, "V": event.verified, "rejected": event.rejected}
            own |= {"withdrawn": event.withdrawn, "disputed": event.disputed, "told": event.told is not None}
        elif isinstance(event, Claim.ToldWorker):
            own["told"] = True
        elif isinstance(event, Claim.Waived):
            own["W"] += event.amount
        elif isinstance(event, Claim.WaiverRefuted):
            own["W"] = max(0, own["W"] - event.amount)
        elif isinstance(event, Claim.Identified):
            if own["person"] not in (None, event.worker.subject):
                own["answers"] = []
            own["person"] = event.worker.subject
        elif isinstance(event, Claim.Merged | Claim.Split):
            own["left"] = True
        elif isinstance(event, Claim.FollowedUp):
            counts = event.independent and event.method in ("phone", "in-person", "video")
            falls_short = event.answer in (Answer.LESS, Answer.NOT_RECEIVED) or (
                event.answer is Answer.RECEIVED and event.amount is not None and event.amount < _due(own)
            )
            if event.answer in (Answer.RECEIVED, Answer.LESS, Answer.NOT_RECEIVED) and (counts or falls_short):
                own["answers"].append((event.answer, event.amount))
        elif isinstance(event, Payment.Event) and getattr(event, "claim", None) and _discharges(event):
            line, basis = lines[event.claim], event.provenance.basis  # type: ignore[attr-defined]
            if isinstance(event, Payment.LineCredited | Payment.LineMovedHere):
                line["pay"].append([(event.originator_id, event.line), event.amount, basis])
            for each in line["pay"]:
                if each[0] == (event.originator_id, getattr(event, "line", None)):
                    if isinstance(event, Payment.LineReturned | Payment.LineReversed | Payment.LineMovedAway):
                        each[1] -= event.amount
                    if isinstance(event, Payment.LineEvidenced):
                        each[2] = basis
    return lines


def _discharges(event: Any) -> bool:
    return getattr(event, "purpose", None) not in (None, Purpose.LIVING_AID)


def _due(line: dict[str, Any]) -> int:
    return 0 if line["left"] else line["V"] - line["W"]


def _paid(line: dict[str, Any]) -> int:
    return sum(amount for _, amount, _ in line["pay"])


def _owing(line: dict[str, Any]) -> int:
    return max(0, _due(line) - _paid(line))


def _is_confirmed(line: dict[str, Any]) -> bool:
    if not line["answers"]:
        return False
    answer, amount = line["answers"][-1]
    return answer is Answer.RECEIVED and (amount is None or amount >= _due(line))


def _contradicted(line: dict[str, Any]) -> bool:
    return bool(line["answers"]) and not _is_confirmed(line)


def _live(events: Events) -> list[dict[str, Any]]:
    return [line for line in _lines(events).values() if not line["left"]]


def _is_determined(events: Events) -> bool:
    last = again = None
    for item in events:
        if isinstance(item.event, Case.RosterDeclared):
            last = None
        if isinstance(item.event, Case.RosterConfirmed):
            last, again = item.event.lines, item.event.reverified
    every, lines = _lines(events).values(), _live(events)
    return (
        last is not None
        and last == len(lines) > 0
        and again == sum(max(1, line["times"]) if line["left"] else max(0, line["times"] - 1) for line in every)
        and all(
            line["times"]
            and (
                line["claimed"] is None
                or line["claimed"] == line["V"] + line["rejected"] + line["withdrawn"] + line["disputed"]
            )
            for line in lines
        )
    )


def _is_solved(events: Events) -> bool:
    lines = _lines(events).values()
    live = [line for line in lines if not line["left"]]
    return (
        _is_determined(events)
        and all(_owing(line) == 0 for line in lines)
        and all(line["disputed"] == 0 and not _contradicted(line) for line in live)
        and sum(amount for line in lines for _, amount, basis in line["pay"] if basis is Basis.STATED) == 0
        and all(line["told"] for line in live if line["V"] == 0)
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
    assert standing.overpaid == sum(max(0, _paid(line) - _due(line)) for line in lines)


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
    lines = _live(history.recorded)
    expected = bool(lines) and all(line["person"] and _is_confirmed(line) for line in lines)
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
