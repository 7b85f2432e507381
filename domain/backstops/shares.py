"""Shares of a parent group's holders, in basis points (1/10,000), and what each of them covers of a sum. Pure, exact, no fractions."""

from __future__ import annotations

from collections.abc import Sequence

from domain.money import Fen
from domain.streams import Shape

WHOLE = 10_000
"""Basis points that the shares of all holders make together."""


class Holder(Shape, frozen=True, kw_only=True):
    """An organisation that holds a share; `share` in basis points."""

    name: str
    share: int


def shares_are_whole(holders: Sequence[Holder]) -> bool:
    """Whether there are holders, each is named once and holds something, and together they hold all."""
    names = [holder.name.strip() for holder in holders]
    return (
        all(names)
        and len(set(names)) == len(names)
        and all(holder.share > 0 for holder in holders)
        and sum(holder.share for holder in holders) == WHOLE
    )


def apportion(total: Fen, holders: Sequence[Holder]) -> tuple[Fen, ...]:
    """What each holder covers of `total` fen, in their order, by largest remainder: the parts always add up to the total.

    Every holder covers its share rounded down; the fen that are left go one each to those who lost most by rounding, to the one named
    first where two lost the same.

    Raises:
        ValueError: the shares are not whole, or the total is negative; a wrong call.
    """
    if total < 0 or not shares_are_whole(holders):
        raise ValueError("a sum is apportioned from nothing up, to shares that make 10,000 basis points")
    parts = [total * holder.share // WHOLE for holder in holders]
    lost = sorted(range(len(holders)), key=lambda i: -(total * holders[i].share % WHOLE))
    for i in lost[: total - sum(parts)]:
        parts[i] += 1
    return tuple(parts)
