"""Shares that add up to the fen, and the order of resort that is explained and never forced."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backstops.resorts import comes_first, order_of_resort, to_explain
from domain.backstops.shares import WHOLE, Holder, apportion, shares_are_whole
from domain.vocabulary import Funding, Resort

DEPOSIT, FUND, TREASURY, GROUP = Resort


def holders(*shares: int) -> tuple[Holder, ...]:
    return tuple(Holder(name=f"holder-{number}", share=share) for number, share in enumerate(shares))


@st.composite
def whole(draw: st.DrawFn) -> tuple[Holder, ...]:
    """Holders whose shares make 10,000 basis points."""
    cuts = sorted(draw(st.sets(st.integers(1, WHOLE - 1), max_size=12)))
    edges = [0, *cuts, WHOLE]
    return holders(*(after - before for before, after in itertools.pairwise(edges)))


@given(whole(), st.integers(0, 2**53 - 1))
def test_the_parts_of_a_sum_add_up_to_the_fen_and_each_is_its_exact_share_but_for_less_than_a_fen(
    of: tuple[Holder, ...], total: int
) -> None:
    parts = apportion(total, of)
    assert sum(parts) == total
    for part, holder in zip(parts, of, strict=True):
        assert abs(part - Fraction(total * holder.share, WHOLE)) < 1


@given(whole(), st.integers(0, 10**12))
def test_nobody_who_lost_less_by_rounding_is_given_a_fen_before_who_lost_more(
    of: tuple[Holder, ...], total: int
) -> None:
    given_up = [
        (total * holder.share % WHOLE, part - total * holder.share // WHOLE)
        for holder, part in zip(of, apportion(total, of), strict=True)
    ]
    most_lost_without = max((lost for lost, fen in given_up if fen == 0), default=0)
    assert all(lost >= most_lost_without for lost, fen in given_up if fen == 1)
    assert all(fen == 0 for lost, fen in given_up if lost == 0)


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        (100, (3_333, 3_333, 3_334), (33, 33, 34)),
        (1, (5_000, 5_000), (1, 0)),
        (10_001, (5_100, 4_900), (5_101, 4_900)),
        (0, (WHOLE,), (0,)),
        (7, (1, 9_999), (0, 7)),
    ],
)
def test_sums_are_apportioned_by_largest_remainder_and_ties_go_to_who_is_named_first(
    total: int, shares: tuple[int, ...], parts: tuple[int, ...]
) -> None:
    assert apportion(total, holders(*shares)) == parts


@pytest.mark.parametrize(
    "of",
    [
        (),
        holders(9_999),
        holders(5_000, 5_001),
        holders(WHOLE, 0),
        holders(WHOLE + 1, -1),
        (Holder(name="甲集团", share=5_000), Holder(name="甲集团 ", share=5_000)),
        (Holder(name=" ", share=WHOLE),),
    ],
)
def test_shares_that_do_not_make_a_whole_are_no_shares(of: tuple[Holder, ...]) -> None:
    assert not shares_are_whole(of)
    with pytest.raises(ValueError, match="10,000 basis points"):
        apportion(100, of)


def test_nothing_negative_is_apportioned() -> None:
    with pytest.raises(ValueError, match="from nothing up"):
        apportion(-1, holders(WHOLE))


def test_deposit_and_fund_come_first_and_then_finance_or_group_by_kind_of_project() -> None:
    first = frozenset({DEPOSIT, FUND})
    assert {funding: order_of_resort(funding) for funding in Funding} == {
        Funding.GOVERNMENT: (first, frozenset({TREASURY})),
        Funding.STATE_OWNED: (first, frozenset({GROUP})),
        Funding.PRIVATE: (first,),
        Funding.OTHER: (first,),
    }


@pytest.mark.parametrize(
    ("funding", "resort", "asked", "explain"),
    [
        (Funding.GOVERNMENT, DEPOSIT, (), ()),
        (Funding.GOVERNMENT, FUND, (), ()),
        (Funding.GOVERNMENT, TREASURY, (), (DEPOSIT, FUND)),
        (Funding.GOVERNMENT, TREASURY, (DEPOSIT,), (FUND,)),
        (Funding.GOVERNMENT, TREASURY, (DEPOSIT, FUND), ()),
        (Funding.GOVERNMENT, GROUP, (DEPOSIT, FUND), (TREASURY,)),
        (Funding.STATE_OWNED, GROUP, (FUND,), (DEPOSIT,)),
        (Funding.STATE_OWNED, TREASURY, (), (DEPOSIT, FUND, GROUP)),
        (Funding.PRIVATE, TREASURY, (DEPOSIT, FUND), ()),
        (Funding.OTHER, GROUP, (), (DEPOSIT, FUND)),
    ],
)
def test_what_comes_first_and_was_not_asked_is_explained(
    funding: Funding, resort: Resort, asked: tuple[Resort, ...], explain: tuple[Resort, ...]
) -> None:
    assert to_explain(funding, resort, frozenset(asked)) == explain


@given(st.sampled_from(Funding), st.sampled_from(Resort), st.sets(st.sampled_from(Resort)))
def test_no_resort_comes_before_itself_and_asking_more_never_needs_more_explaining(
    funding: Funding, resort: Resort, asked: set[Resort]
) -> None:
    assert resort not in comes_first(funding, resort)
    assert set(to_explain(funding, resort, asked)) <= set(to_explain(funding, resort, frozenset()))
    assert not asked & set(to_explain(funding, resort, asked))
