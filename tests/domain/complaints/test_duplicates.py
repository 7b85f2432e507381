"""Which complaints a program takes for one and the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cases.case import HandedDown
from domain.complaints.duplicates import Candidate, KnownComplaint, candidates
from domain.vocabulary import DuplicateRule
from tests.domain.complaints.intakes import RECEIVED, SHANGHAI, particulars, sealed

NEXT_WEEK = RECEIVED + timedelta(days=7)


def known(name: str, received: datetime = RECEIVED, **other: object) -> KnownComplaint:
    stated = {"complainant": None} | other
    return KnownComplaint(complaint=name, received=received, particulars=particulars(**stated))


def found(new: KnownComplaint, *others: KnownComplaint) -> list[tuple[str, DuplicateRule]]:
    return [(candidate.other, candidate.rule) for candidate in candidates(new, others, SHANGHAI)]


LEAD = HandedDown(by="省领导小组", number="晋转〔2019〕8号")
SAME = {
    DuplicateRule.SAME_LEAD: (
        {"handed_down": LEAD, "project": "甲", "debtor": "乙", "amount": 1},
        {"handed_down": LEAD, "project": "丙", "debtor": "丁", "amount": 2, "received": NEXT_WEEK},
    ),
    DuplicateRule.SAME_PERSON: (
        {"complainant": sealed("person-5"), "amount": 1, "debtor": None},
        {"phone": sealed("person-5"), "amount": 2, "received": NEXT_WEEK},
    ),
    DuplicateRule.SAME_PROJECT_AND_AMOUNT: ({"debtor": None}, {"received": NEXT_WEEK}),
    DuplicateRule.SAME_DEBTOR_AND_AMOUNT: ({"project": None}, {"received": NEXT_WEEK}),
    DuplicateRule.SAME_PROJECT_AND_DAY: ({"amount": None, "debtor": "乙"}, {}),
    DuplicateRule.SAME_DEBTOR_AND_DAY: ({"headcount": None, "amount": None, "project": "乙"}, {}),
}


@pytest.mark.parametrize("rule", DuplicateRule)
def test_every_rule_finds_what_it_names(rule: DuplicateRule):
    new, other = SAME[rule]
    assert found(known("b", **new), known("a", **other)) == [("a", rule)]  # type: ignore[arg-type]


def test_a_candidate_says_what_the_two_have_in_common():
    (candidate,) = candidates(known("b"), [known("a", NEXT_WEEK, project="兴隆 花园")], SHANGHAI)
    assert candidate == Candidate(
        other="a", rule=DuplicateRule.SAME_PROJECT_AND_AMOUNT, reason="兴隆 花园, 240,000.00 yuan"
    )


def test_names_are_alike_whatever_their_width_case_and_blanks():
    assert found(known("b", project="ABC 一期"), known("a", NEXT_WEEK, project="ａｂｃ一期"))


NOT_THE_SAME: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "other numbers of one sender": (
        {"handed_down": LEAD, "project": None, "debtor": None},
        {"handed_down": HandedDown(by=LEAD.by, number="晋转〔2019〕9号")},
    ),
    "leads without a number": ({"handed_down": HandedDown(by="省"), "project": None, "debtor": None}, {}),
    "one person, two debtors": (
        {"complainant": sealed(), "debtor": "乙", "project": None},
        {"complainant": sealed()},
    ),
    "one person, two projects": (
        {"complainant": sealed(), "project": "乙", "debtor": None},
        {"complainant": sealed()},
    ),
    "another amount on another day": ({"amount": 5}, {"received": NEXT_WEEK}),
    "no amount on another day": ({"amount": None}, {"received": NEXT_WEEK}),
    "nothing owed on another day": ({"amount": 0}, {"amount": 0, "received": NEXT_WEEK}),
    "the same day and another amount": ({"amount": 5}, {}),
    "the same day and another headcount": ({"amount": None, "headcount": 3}, {}),
    "blanks": ({"project": " ", "debtor": None}, {"project": "\u3000", "debtor": None}),
    "nothing stated": ({"project": None, "debtor": None}, {"project": None, "debtor": None}),
}


@pytest.mark.parametrize("name", NOT_THE_SAME)
def test_what_speaks_against_is_no_candidate(name: str):
    new, other = NOT_THE_SAME[name]
    assert found(known("b", **new), known("a", **other)) == []  # type: ignore[arg-type]


def test_a_blank_name_speaks_against_nobody():
    new, other = known("b", complainant=sealed(), project=" ", amount=1), known("a", NEXT_WEEK, complainant=sealed())
    assert found(new, other) == [("a", DuplicateRule.SAME_PERSON)]


def test_a_day_is_a_local_one():
    before_midnight = datetime(2019, 12, 2, 23, 59, tzinfo=SHANGHAI)
    after_midnight = datetime(2019, 12, 3, 0, 1, tzinfo=SHANGHAI)
    assert found(known("b", before_midnight, amount=None), known("a", after_midnight)) == []
    assert found(known("b", RECEIVED, amount=None), known("a", before_midnight)) != []


def test_the_strongest_rule_speaks_and_stands_first():
    new = known("b", complainant=sealed("person-5"), handed_down=LEAD)
    others = [
        known("z", NEXT_WEEK),
        known("y", complainant=sealed("person-5")),
        known("x", handed_down=LEAD, complainant=sealed("person-5")),
    ]
    assert found(new, *others) == [
        ("x", DuplicateRule.SAME_LEAD),
        ("y", DuplicateRule.SAME_PERSON),
        ("z", DuplicateRule.SAME_PROJECT_AND_AMOUNT),
    ]


def test_a_complaint_is_no_candidate_for_itself():
    assert found(known("a"), known("a")) == []


STATED = st.fixed_dictionaries(
    {
        "project": st.sampled_from((None, "甲", "乙")),
        "debtor": st.sampled_from((None, "丙", "丁")),
        "amount": st.sampled_from((None, 1, 2)),
        "complainant": st.sampled_from((None, sealed("person-1"), sealed("person-2"))),
        "received": st.sampled_from((RECEIVED, NEXT_WEEK)),
    }
)


@given(STATED, STATED)
def test_being_alike_goes_both_ways(one: dict[str, object], other: dict[str, object]):
    there = found(known("a", **one), known("b", **other))  # type: ignore[arg-type]
    back = found(known("b", **other), known("a", **one))  # type: ignore[arg-type]
    assert [rule for _, rule in there] == [rule for _, rule in back]
