"""Whatever the domain can say, the doors can say in Chinese and in English."""

from __future__ import annotations

import inspect
import re
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

import domain.backstops.standing
import domain.campaigns.genesis
import domain.complaints.reception
import domain.evidence.media
import domain.orders.standing
import domain.projects.particulars
import domain.projects.permit_list
import domain.projects.reconciliation
import domain.projects.standing
import domain.referrals.clocks
import domain.referrals.crime
import domain.referrals.milestones
import domain.referrals.standing
import domain.sealing.state
import domain.streams
import domain.vocabulary
import projections.case_ledger
import projections.clearance
import projections.ledger
from api import words
from domain.cases.standing import Hindrance, Procedure, Reason, Standing, why_not_solved
from domain.catalogue import EVENT_TYPES
from projections.clearance import MEASURES
from projections.discrepancy_ledger import RULES
from projections.explaining import WORDS
from projections.ledger import DerivedLedger, RowLedger
from tests.api.fake_platform import FakePlatform

CHINESE = re.compile(r"[\u4e00-\u9fff]")
MODULES = (
    domain.backstops.standing,
    domain.campaigns.genesis,
    domain.complaints.reception,
    domain.evidence.media,
    domain.orders.standing,
    domain.projects.particulars,
    domain.projects.permit_list,
    domain.projects.reconciliation,
    domain.projects.standing,
    domain.referrals.clocks,
    domain.referrals.crime,
    domain.referrals.milestones,
    domain.referrals.standing,
    domain.sealing.state,
    domain.streams,
    domain.vocabulary,
    projections.case_ledger,
    projections.clearance,
    projections.ledger,
)
ENUMS = sorted(
    {
        kind
        for module in MODULES
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, StrEnum) and kind is not StrEnum
    },
    key=lambda kind: kind.__name__,
)


def is_said(word: words.Word) -> bool:
    return bool(CHINESE.search(word.zh)) and not CHINESE.search(word.en) and bool(word.en.strip())


@pytest.mark.parametrize("kind", ENUMS)
def test_every_value_of_every_closed_list_has_a_word_in_both_languages(kind):
    assert {member.value for member in kind} == set(words.ENUMS[kind])
    assert all(is_said(word) for word in words.ENUMS[kind].values())


def test_every_event_type_has_a_word_in_both_languages():
    assert set(EVENT_TYPES) == set(words.EVENT_TYPES)
    assert all(is_said(word) for word in words.EVENT_TYPES.values())


def test_every_rule_of_the_discrepancy_ledger_has_a_word():
    assert {rule.name for rule in RULES} == set(words.DISCREPANCIES)


def test_every_measure_of_the_board_has_a_word():
    assert {*MEASURES, "open"} == set(words.MEASURES)
    assert set(MEASURES) >= words.MONEY_MEASURES


def test_every_state_clause_and_refusal_is_said_in_both_languages():
    for table in (words.LEDGER_STATES, words.CLAUSES, words.INPUT_RULES, words.MEASURES, words.WAITS_FOR):
        assert all(is_said(word) for word in table.values())


def test_columns_with_a_closed_list_hold_nothing_but_its_words(platform: FakePlatform):
    for ledger in platform.catalogue:
        if not isinstance(ledger, RowLedger | DerivedLedger):
            continue
        for column in ledger.columns:
            vocabulary = words.COLUMN_WORDS.get((ledger.name, column.name))
            for versioned in platform.rows(ledger.name):
                value = column.of(versioned.row)
                for text in value if isinstance(value, list) else [value]:
                    assert vocabulary is None or text is None or text in vocabulary


def test_every_column_that_shows_an_enum_is_known_as_one(platform: FakePlatform):
    """A column whose values all stand in one closed list, and are not what a source says, is shown in words."""
    texts = {frozenset(table) for table in (*words.ENUMS.values(), words.DISCREPANCIES)}
    for ledger in platform.catalogue:
        if not isinstance(ledger, RowLedger | DerivedLedger):
            continue
        for column in ledger.columns:
            shown = {
                column.of(versioned.row) for versioned in platform.rows(ledger.name) if column.kind.value == "text"
            }
            found = shown - {None}
            if found and any(found <= table for table in texts):
                assert (ledger.name, column.name) in words.COLUMN_WORDS


@given(
    st.builds(
        Standing,
        **{name: st.integers(0, 3) for name in Standing.__struct_fields__},
    ),
    st.booleans(),
    st.integers(0, 3),
)
def test_every_reason_why_a_case_is_not_solved_is_said_in_chinese(standing, confirmed, lines):
    for why in why_not_solved(Procedure(roster_confirmed=confirmed, roster_lines=lines), standing):
        assert is_said(words.reason(why)), why
        assert words.reason(why).en == str(why)


def test_every_condition_of_a_computed_word_has_its_words():
    assert set(words.CONDITIONS) == {condition.name for conditions in WORDS.values() for condition in conditions}
    assert all(is_said(word) for word in words.CONDITIONS.values())


def test_every_hindrance_has_its_words():
    assert set(words.HINDRANCES) == {hindrance.value for hindrance in Hindrance}


def test_amounts_in_a_reason_are_said_in_yuan():
    said = words.reason(Reason(Hindrance.OWING, number=2, amount=123456))
    assert said == ("2 条明细尚欠 1,234.56 元", "2 lines are owed 1,234.56 yuan")
