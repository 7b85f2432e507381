"""One table for all doors, and nothing in it left out."""

from __future__ import annotations

import inspect
import re

import pytest

import domain.errors
from api.errors import ANSWERS, DOCUMENTED, answer_to, detail_of, is_inside, members_of
from domain.errors import (
    ClockError,
    InputError,
    QinglingError,
    RuleError,
    SettingsError,
)

CLASSES = [kind for _, kind in inspect.getmembers(domain.errors, inspect.isclass) if issubclass(kind, QinglingError)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_of_the_tree_has_an_answer_of_its_own(kind):
    answer = ANSWERS[kind]
    assert 400 <= answer.status < 600
    assert re.search(r"[\u4e00-\u9fff]", answer.zh)
    assert answer.en
    assert 1 <= answer.exit_code <= 125


def test_problem_types_are_urns_and_none_is_given_twice():
    types = [answer.type for answer in DOCUMENTED]
    assert len(set(types)) == len(types)
    assert all(re.fullmatch(r"urn:qingling:problem:[a-z0-9-]+", name) for name in types)


def test_an_error_that_is_not_of_the_tree_is_internal_and_says_nothing_of_the_inside():
    error = ValueError("password=hunter2 in relation secret_table")
    assert answer_to(error).name == "internal"
    assert is_inside(error)
    assert "hunter2" not in detail_of(error)


def test_how_a_deployment_is_set_up_is_not_told_outside():
    assert "keys" not in detail_of(SettingsError("the keys are not at /secret/keys"))


def test_a_class_without_an_answer_takes_that_of_the_class_above_it():
    class OtherRuleError(RuleError):
        pass

    assert answer_to(OtherRuleError("no", rule="r", clause="N1")) is ANSWERS[RuleError]


def test_what_an_error_bears_becomes_members_of_the_problem():
    assert members_of(InputError("no", field="limit", row=3, rule="value")) == {
        "field": "limit",
        "row": 3,
        "rule": "value",
    }
    assert members_of(RuleError("no", rule="two-officers", clause="N27")) == {"rule": "two-officers", "clause": "N27"}
    assert members_of(ClockError("no")) == {"may_continue": False}
