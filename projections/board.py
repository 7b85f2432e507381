"""The clearance board as it is shown: cells with their words, totals by any dimension, and whether the board is complete. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from domain.campaigns.campaign import Campaign
from projections.clearance import CellState, CellSums, cells_of, state_of
from projections.ledger import Cell, Sums


class BoardCell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell: the sums as known at the board's position, and as known at the end of its checkpoint's day.

    `then` is None while that day is not over, or was not over at the board's own position.
    """

    jurisdiction: str
    case_class: str
    checkpoint: str
    day: date
    funding: str
    now: CellSums
    state: CellState
    then: CellSums | None
    state_then: CellState | None


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """The board as of a position. `complete` is False, with the reason, when the ledgers it is summed over are behind or stopped."""

    position: int
    complete: bool
    reason: str | None
    cells: tuple[BoardCell, ...]


def board(
    campaign: Campaign,
    position: int,
    sums: Mapping[Cell, Sums],
    then: Mapping[str, Mapping[Cell, Sums]],
    *,
    incomplete: str | None,
) -> Board:
    """Puts a board together.

    `sums` as of `position`; `then`, by checkpoint, as of the end of that checkpoint's day (absent while it is not over). `incomplete`
    says why the board cannot be relied on, or None.
    """
    now = cells_of(sums)
    before = {name: cells_of(cells) for name, cells in then.items()}
    days = {checkpoint.name: checkpoint.day for checkpoint in campaign.checkpoints}
    complete = incomplete is None
    keys = set(now)
    for name, cells in before.items():
        keys |= {cell for cell in cells if cell[2] == name}
    found = []
    for cell in sorted(keys):
        jurisdiction, case_class, checkpoint, funding = cell
        current = now.get(cell, CellSums())
        known_then = before[checkpoint].get(cell, CellSums()) if checkpoint in before else None
        found.append(
            BoardCell(
                jurisdiction=jurisdiction,
                case_class=case_class,
                checkpoint=checkpoint,
                day=days[checkpoint],
                funding=funding,
                now=current,
                state=state_of(current, complete=complete),
                then=known_then,
                state_then=None if known_then is None else state_of(known_then, complete=complete),
            )
        )
    return Board(position=position, complete=complete, reason=incomplete, cells=tuple(found))


def by_dimensions(cells: Sequence[BoardCell], *names: str, complete: bool) -> list[BoardCell]:
    """Cells added up over every dimension not named (of jurisdiction, case_class, checkpoint, funding); the others read `*`."""
    groups: dict[tuple[str, ...], list[BoardCell]] = {}
    for cell in cells:
        key = tuple(getattr(cell, name) if name in names else "*" for name in _DIMENSIONS)
        groups.setdefault(key, []).append(cell)
    return [
        _added(dict(zip(_DIMENSIONS, key, strict=True)), group, complete=complete)
        for key, group in sorted(groups.items())
    ]


_DIMENSIONS = ("jurisdiction", "case_class", "checkpoint", "funding")


def _added(dimensions: dict[str, str], group: Sequence[BoardCell], *, complete: bool) -> BoardCell:
    now = sum((cell.now for cell in group), CellSums())
    thens = [cell.then for cell in group if cell.then is not None]
    then = sum(thens, CellSums()) if len(thens) == len(group) else None
    return BoardCell(
        **dimensions,
        day=group[0].day,
        now=now,
        state=state_of(now, complete=complete),
        then=then,
        state_then=None if then is None else state_of(then, complete=complete),
    )
