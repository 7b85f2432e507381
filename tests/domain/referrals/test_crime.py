"""Whether arrears are a suspected crime: met, not met, or for a person to decide."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.referrals.crime import (
    Arrears,
    CrimeThresholds,
    Finding,
    Verdict,
    large_amount,
    suspected,
    thresholds_in_force,
)

HENAN = CrimeThresholds(
    place="410000", one_worker=800_000, workers_together=4_000_000, source="domain.md 1.4", since=date(2013, 1, 23)
)
MET, NOT_MET, OPEN = Verdict.MET, Verdict.NOT_MET, Verdict.NEEDS_DECISION


def owed(owing: int, months: int | None = 4, heads: int = 1) -> Arrears:
    return Arrears(owing=owing, months=months, heads=heads)


@pytest.mark.parametrize(
    ("arrears", "verdict"),
    [
        ([], NOT_MET),
        ([owed(0)], NOT_MET),
        ([owed(800_000, 3)], MET),
        ([owed(799_999, 12)], NOT_MET),
        ([owed(800_000, 2)], NOT_MET),
        ([owed(800_000, None)], OPEN),
        ([owed(799_999, None)], NOT_MET),
        ([owed(400_000, 1)] * 10, MET),
        ([owed(399_999, 1)] * 10, NOT_MET),
        ([owed(700_000, 1)] * 9, NOT_MET),
        ([owed(700_000, 1)] * 9 + [owed(0)], NOT_MET),
        ([owed(4_000_000, 1, heads=12)], MET),
        ([owed(4_000_000, 1, heads=9)], NOT_MET),
        ([owed(4_000_000, 1, heads=0)], OPEN),
        ([owed(3_999_999, 4, heads=9)], OPEN),
        ([owed(3_999_999, 3, heads=9)], OPEN),
        ([owed(3_999_999, 2, heads=9)], NOT_MET),
        ([owed(4_000_000, 1, heads=0), owed(900_000, 5)], MET),
    ],
)
def test_a_large_amount_is_three_months_and_a_sum_or_ten_workers_and_a_sum(arrears: Any, verdict: Verdict) -> None:
    finding = large_amount(arrears, HENAN)
    assert finding.verdict is verdict
    assert finding.reasons


@pytest.mark.parametrize(
    ("arrears", "reasons"),
    [
        ([owed(800_000, 3)], ["one worker is owed 3 months' pay and 8,000.00 yuan or more"]),
        ([owed(400_000, 1)] * 10, ["10 workers together are owed 40,000.00 yuan or more"]),
        ([owed(800_000, None)], ["who is owed 8,000.00 yuan or more, or for how many months, is not known"]),
        ([owed(4_000_000, 1, heads=0)], ["how many workers are owed 40,000.00 yuan or more together is not known"]),
        (
            [owed(4_000_000, 1)],
            ["no worker is owed 3 months' pay and 8,000.00 yuan", "fewer than 10 workers are owed"],
        ),
        (
            [owed(1)],
            [
                "no worker is owed 3 months' pay and 8,000.00 yuan",
                "all workers together are owed less than 40,000.00 yuan",
            ],
        ),
    ],
)
def test_the_answer_on_the_amount_says_what_it_rests_on(arrears: Any, reasons: list[str]) -> None:
    assert list(large_amount(arrears, HENAN).reasons) == reasons


@given(st.lists(st.builds(Arrears, owing=st.integers(1, 10**9), months=st.none() | st.integers(0, 24)), min_size=1))
def test_without_a_threshold_on_record_nothing_is_guessed(arrears: list[Arrears]) -> None:
    assert large_amount(arrears, None) == Finding(OPEN, ("no threshold is on record for this province",))
    assert large_amount([], None).verdict is NOT_MET


@given(
    st.lists(
        st.builds(
            Arrears,
            owing=st.integers(0, 2_000_000),
            months=st.none() | st.integers(0, 6),
            heads=st.sampled_from((0, 1, 1, 1, 5, 12)),
        ),
        max_size=14,
    ),
    st.builds(Arrears, owing=st.integers(0, 2_000_000), months=st.integers(0, 6)),
)
def test_more_arrears_never_lower_the_answer(arrears: list[Arrears], more: Arrears) -> None:
    rank = (NOT_MET, OPEN, MET).index
    before, now = (large_amount(each, HENAN).verdict for each in (arrears, [*arrears, more]))
    assert rank(now) >= rank(before)


def test_a_place_has_the_newest_figures_that_are_in_force_on_a_day() -> None:
    newer = CrimeThresholds(
        place="410000", one_worker=1, workers_together=2, source="s", since=date(2019, 12, 1), until=date(2019, 12, 31)
    )
    table = (HENAN, newer)
    assert thresholds_in_force(table, "410000", date(2019, 11, 30)) is HENAN
    assert thresholds_in_force(table, "410000", date(2019, 12, 1)) is newer
    assert thresholds_in_force(table, "410000", date(2019, 12, 31)) is newer
    assert thresholds_in_force(table, "410000", date(2020, 1, 1)) is HENAN
    assert thresholds_in_force(table, "410000", date(2012, 1, 1)) is None
    assert thresholds_in_force(table, "140000", date(2019, 12, 2)) is None


@pytest.mark.parametrize(
    ("ordered", "amount", "conduct", "verdict"),
    [
        (True, MET, True, MET),
        (True, MET, None, OPEN),
        (True, OPEN, True, OPEN),
        (True, MET, False, NOT_MET),
        (False, MET, True, NOT_MET),
        (False, OPEN, None, NOT_MET),
        (True, NOT_MET, None, NOT_MET),
    ],
)
def test_a_crime_is_suspected_when_every_element_is_met(
    ordered: bool, amount: Verdict, conduct: bool | None, verdict: Verdict
) -> None:
    finding = suspected(ordered, Finding(amount, ("the amount",)), conduct)
    assert finding.verdict is verdict
    assert all(reason.strip() for reason in finding.reasons)


def test_a_finding_names_what_it_rests_on() -> None:
    assert suspected(True, Finding(MET, ("the amount",)), True).reasons == (
        "an order to pay was served and its limit passed unpaid",
        "the amount",
        "the debtor hid property, fled, or could pay and would not",
    )
    finding = suspected(False, Finding(OPEN, ("the amount",)), False)
    assert finding.reasons == (
        "no order to pay was defied",
        "the debtor neither hid property nor fled, and could not pay",
    )
