"""What the script of the played campaign promises, whatever the seed."""

from __future__ import annotations

import itertools
from zoneinfo import ZoneInfo

import pytest

from domain.vocabulary import CaseClass, Outcome
from infra.sample import words
from infra.sample.campaign import CASES, write_script
from infra.sample.hours import OfficeHours
from infra.sample.playing import SEED
from infra.sample.population import KUANGQU, NONE_RECORDED, PLACES
from infra.sample.script import Mark, ProposeClosing, Script

ZONE = ZoneInfo("Asia/Shanghai")
SEEDS = (SEED, "another", "a third")
CHECK = "10X98765432"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@pytest.fixture(scope="module", params=SEEDS)
def script(request: pytest.FixtureRequest) -> Script:
    return write_script(request.param, ZONE)


def test_the_same_seed_writes_the_same_script_and_another_seed_another_one():
    assert write_script("one", ZONE, 50) == write_script("one", ZONE, 50)
    assert write_script("one", ZONE, 50) != write_script("two", ZONE, 50)


def test_cases_workers_and_arrears_have_the_proportions_of_the_field(script: Script):
    with_arrears = [case for case in script.cases if sum(line.verified for line in case.lines)]
    workers = sum(line.headcount for case in script.cases for line in case.lines)
    owed_to = sum(line.headcount for case in with_arrears for line in case.lines)
    verified = sum(line.verified for case in with_arrears for line in case.lines)
    assert len(script.cases) == CASES
    assert workers / CASES == pytest.approx(11.5, abs=0.4)
    assert verified / 100 / owed_to == pytest.approx(15_050, rel=0.03)
    assert verified / 100 / len(with_arrears) == pytest.approx(173_600, rel=0.08)


def test_as_many_cases_are_published_and_referred_as_in_the_field(script: Script):
    def cases_with(heading: str) -> int:
        return sum(
            any(isinstance(step.act, Mark) and step.act.heading == heading for step in case.steps)
            for case in script.cases
        )

    assert cases_with("公布批次") / CASES == pytest.approx(0.29, abs=0.02)
    assert cases_with("黑名单") / CASES == pytest.approx(0.042, abs=0.012)
    assert 0.01 <= cases_with("移送公安") / CASES <= 0.022


def test_every_outcome_of_a_closing_occurs(script: Script):
    proposed = {
        step.act.outcome for case in script.cases for step in case.steps if isinstance(step.act, ProposeClosing)
    }
    assert proposed == set(Outcome)


def test_steps_of_a_case_follow_each_other_and_never_share_a_moment(script: Script):
    for case in script.cases:
        for before, after in itertools.pairwise(step.at for step in case.steps):
            assert before < after


def test_nothing_is_entered_before_it_was_received_or_happens_before_the_complaint(script: Script):
    for case in script.cases:
        for step in case.steps:
            assert case.received <= (step.occurred or step.at) <= (step.received or step.at) <= step.at


def test_the_cell_that_is_to_stay_empty_stays_empty(script: Script):
    cells = {(case.place, each, case.funding) for case in script.cases for each in case.classes}
    assert NONE_RECORDED not in cells
    assert not any(place == KUANGQU and each is CaseClass.HANDED_DOWN for place, each, _ in cells)
    assert {place for place, _, _ in cells} == set(PLACES)


def test_official_numbers_are_unique(script: Script):
    assert len({case.number for case in script.cases}) == CASES


@pytest.mark.parametrize("cases", [20, 75, 700])
def test_a_smaller_or_larger_campaign_keeps_the_proportions(cases: int):
    small = write_script(SEED, ZONE, cases)
    workers = sum(line.headcount for case in small.cases for line in case.lines)
    assert len(small.cases) == cases
    assert workers / cases == pytest.approx(11.5, rel=0.1)


def test_invented_persons_have_different_names_and_numbers_that_nobody_can_have():
    people = [words.person(number) for number in range(6_000)]
    assert len({person.name for person in people}) == 6_000
    assert len({person.phone for person in people}) == 6_000
    for person in people:
        digits, check = person.identity[:17], person.identity[17]
        right = CHECK[sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True)) % 11]
        assert check != right


def test_the_axis_of_office_minutes_goes_there_and_back():
    hours = OfficeHours(ZONE)
    assert [hours.minute(hours.moment(minute)) for minute in range(len(hours))] == list(range(len(hours)))
    assert hours.moment(0).isoformat() == "2019-11-15T08:30:00+08:00"
    assert hours.moment(len(hours) - 1).isoformat() == "2020-01-31T11:29:00+08:00"
