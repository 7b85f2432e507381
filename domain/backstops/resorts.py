"""The order of resort (clause N23): whose money comes first, and what must be explained. Explained, never forced. Pure.

The wage deposit and the revolving fund come first, and neither before the other. After them stands, by kind of project and in parallel,
the treasury of the same level (government) or the parent group (state-owned). A resort that the clause does not name for a kind of project
may be used as well, once those it does name were asked or their passing over is explained.
"""

from __future__ import annotations

from collections.abc import Set

from domain.vocabulary import Funding, Resort

_FIRST = frozenset({Resort.WAGE_DEPOSIT, Resort.REVOLVING_FUND})
_THEN = {
    Funding.GOVERNMENT: frozenset({Resort.TREASURY}),
    Funding.STATE_OWNED: frozenset({Resort.PARENT_GROUP}),
}


def order_of_resort(funding: Funding) -> tuple[frozenset[Resort], ...]:
    """The resorts that the clause names for a kind of project, in ranks; within a rank none comes before the other."""
    then = _THEN.get(funding)
    return (_FIRST,) if then is None else (_FIRST, then)


def comes_first(funding: Funding, resort: Resort) -> frozenset[Resort]:
    """The resorts that come before one in a kind of project; for one that the clause does not name there, all that it names."""
    before: frozenset[Resort] = frozenset()
    for rank in order_of_resort(funding):
        if resort in rank:
            return before
        before |= rank
    return before


def to_explain(funding: Funding, resort: Resort, asked: Set[Resort]) -> tuple[Resort, ...]:
    """The resorts whose passing over needs an explanation: they come first and were not asked in the case. In the clause's order."""
    missing = comes_first(funding, resort) - asked
    return tuple(each for each in Resort if each in missing)
