"""Geometry of the inline charts: whole numbers in, segments with x and width out. Templates draw, nothing here knows of markup.

Every chart also stands as text beside it, so none is needed to read a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.views.board import BoardView, CellView
from api.views.case import EntryView
from api.views.view import Place

WIDTH = 1_000
"""Units that the longest bar is wide."""


@dataclass(frozen=True)
class Segment:
    """A part of a bar: what it shows, from where, how wide."""

    what: str
    x: int
    width: int


@dataclass(frozen=True)
class Bar:
    """One bar: its parts from left to right, and the figures that it shows in fen."""

    segments: tuple[Segment, ...]
    figures: Mapping[str, int]


@dataclass(frozen=True)
class PlaceBar:
    """The bar of one jurisdiction."""

    place: Place
    bar: Bar


def bar(figures: Sequence[tuple[str, int]], scale: int) -> Bar:
    """A stacked bar of amounts, where `scale` is as wide as can be. What is not zero is at least one unit wide."""
    segments, x = [], 0
    for what, amount in figures:
        if amount > 0:
            width = max(1, amount * WIDTH // max(scale, 1))
            segments.append(Segment(what, x, width))
            x += width
    return Bar(tuple(segments), dict(figures))


def board_chart(board: BoardView, case_class: str, checkpoint: str) -> list[PlaceBar]:
    """Paid and owing of each jurisdiction that has cases, for one class and checkpoint; the bars of one chart share a scale."""
    cells = {
        cell.jurisdiction: cell
        for cell in board.cells
        if (cell.case_class, cell.checkpoint) == (case_class, checkpoint) and cell.now.members
    }
    scale = max((_paid_and_owing(cell) for cell in cells.values()), default=0)
    return [
        PlaceBar(place, bar((("paid", cells[place.code].now.paid), ("owing", cells[place.code].now.owing)), scale))
        for place in board.places
        if place.code in cells
    ]


def _paid_and_owing(cell: CellView) -> int:
    return cell.now.paid + cell.now.owing


def claim_bars(claims: Iterable[EntryView]) -> dict[str, Bar]:
    """By claim line: documented and only stated payments, what is owing, what is pending; the bars share a scale."""
    figures = {claim.key: _figures(claim) for claim in claims}
    scale = max((sum(amount for _, amount in parts) for parts in figures.values()), default=0)
    return {key: bar(parts, scale) for key, parts in figures.items()}


def _figures(claim: EntryView) -> tuple[tuple[str, int], ...]:
    amounts = {
        name: int(str(claim.values.get(name) or 0)) for name in ("paid", "stated_paid", "owing", "overpaid", "pending")
    }
    discharging = amounts["paid"] - amounts["overpaid"]
    stated = min(amounts["stated_paid"], discharging)
    return (
        ("paid", discharging - stated),
        ("stated", stated),
        ("overpaid", amounts["overpaid"]),
        ("owing", amounts["owing"]),
        ("pending", amounts["pending"]),
    )
