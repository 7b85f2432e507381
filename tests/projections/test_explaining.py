"""Why a word holds: an explanation never says anything else than the predicate, and every event that it names did what it says."""

from __future__ import annotations

from hypothesis import given, settings

from domain.cases.standing import closed, confirmed, determined, solved, written_off
from projections.case_ledger import CaseRow
from projections.explaining import WORDS, explain
from projections.replay import case_state
from tests.histories import History, histories


def words_of(row: CaseRow) -> dict[str, bool]:
    return {
        "determined": determined(row.procedure, row.standing),
        "solved": solved(row.procedure, row.standing),
        "confirmed": confirmed(row.standing),
        "closed": closed(row.procedure),
        "written_off": written_off(row.procedure, row.standing),
    }


@settings(max_examples=60, deadline=None)
@given(histories())
def test_an_explanation_says_what_the_predicates_say_after_every_event(history: History) -> None:
    held: dict[str, bool | None] = dict.fromkeys(WORDS)
    turns: dict[str, list[tuple[int, bool]]] = {word: [] for word in WORDS}
    for count, recorded in enumerate(history.recorded, start=1):
        row = case_state(history.recorded[:count]).case
        assert row is not None
        for word, holds in words_of(row).items():
            if held[word] is not holds:
                turns[word].append((recorded.position, holds))
                held[word] = holds
    explained = {why.name: why for why in explain(history.recorded)}
    assert {name: why.holds for name, why in explained.items()} == held
    assert {name: [(turn.position, turn.holds) for turn in why.turns] for name, why in explained.items()} == turns


@settings(max_examples=60, deadline=None)
@given(histories())
def test_the_lines_that_stand_against_a_condition_make_its_figure(history: History) -> None:
    positions = {recorded.position for recorded in history.recorded}
    for word in explain(history.recorded):
        assert word.holds == all(condition.holds for condition in word.conditions)
        for condition in word.conditions:
            assert condition.holds == (condition.against == 0)
            of_lines = next(each for each in WORDS[word.name] if each.name == condition.name).of_line is not None
            if of_lines:
                assert sum(line.against for line in condition.lines) == condition.against
            assert {turn.position for turn in condition.turns} <= positions
            assert all(line.position in positions for line in condition.lines)
            assert condition.turns[-1].holds == condition.holds


@settings(max_examples=40, deadline=None)
@given(histories())
def test_what_an_event_is_said_to_have_turned_was_otherwise_before_it(history: History) -> None:
    for word in explain(history.recorded):
        for condition in word.conditions:
            for turn in condition.turns[1:]:
                before = explain([item for item in history.recorded if item.position < turn.position])
                then = next(each for each in before if each.name == word.name)
                assert next(each for each in then.conditions if each.name == condition.name).holds is not turn.holds


def test_without_a_case_there_is_nothing_to_explain() -> None:
    assert explain([]) == ()
