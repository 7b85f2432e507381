"""The clearance board as it is shown: cells with their words, totals by any dimension, and whether the board is complete. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import msgspec

from domain.campaigns.campaign import Campaign
from projections.clearance import CellState, CellSums, Receptions, ReceptionSums, cells_of, state_of
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
    receptions: ReceptionSums = ReceptionSums()
    """What came in at its places by the checkpoint, whatever its class and funding."""
    receptions_then: ReceptionSums | None = None


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """The board as of a position. `complete` is False, with the reason, when the ledgers it is summed over are behind or stopped."""

    position: int
    complete: bool
    reason: str | None
    cells: tuple[BoardCell, ...]
    receptions: Receptions = {}
    receptions_then: Mapping[str, Receptions] = {}
    """By checkpoint, as known at the end of its day; absent while that is not over."""


def board(
    campaign: Campaign,
    position: int,
    sums: Mapping[Cell, Sums],
    then: Mapping[str, Mapping[Cell, Sums]],
    *,
    incomplete: str | None,
    receptions: Receptions | None = None,
    receptions_then: Mapping[str, Receptions] | None = None,
) -> Board:
    """Puts a board together.

    `sums` as of `position`; `then`, by checkpoint, as of the end of that checkpoint's day (absent while it is not over); receptions
    likewise. `incomplete` says why the board cannot be relied on, or None.
    """
    came, came_then = receptions or {}, receptions_then or {}
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
        here = came.get((jurisdiction, checkpoint), ReceptionSums())
        here_then = came_then.get(checkpoint, {}).get((jurisdiction, checkpoint), ReceptionSums())
        found.append(
            BoardCell(
                jurisdiction=jurisdiction,
                case_class=case_class,
                checkpoint=checkpoint,
                day=days[checkpoint],
                funding=funding,
                now=current,
                state=state_of(current, complete=complete, hindering=here.hindering),
                then=known_then,
                state_then=None
                if known_then is None
                else state_of(known_then, complete=complete, hindering=here_then.hindering),
                receptions=here,
                receptions_then=None if known_then is None else here_then,
            )
        )
    return Board(
        position=position,
        complete=complete,
        reason=incomplete,
        cells=tuple(found),
        receptions=came,
        receptions_then=came_then,
    )


def by_dimensions(
    whole: Board, cells: Sequence[BoardCell], *names: str, places: Collection[str] | None = None
) -> list[BoardCell]:
    """Cells of a board added up over every dimension not named (of jurisdiction, case_class, checkpoint, funding); the others read `*`.

    Where places are added up, a reception of any of them counts, whether or not the place has a case: `places` are those that are meant
    (None: all).
    """
    groups: dict[tuple[str, ...], list[BoardCell]] = {}
    for cell in cells:
        key = tuple(getattr(cell, name) if name in names else "*" for name in _DIMENSIONS)
        groups.setdefault(key, []).append(cell)
    return [
        _added(whole, dict(zip(_DIMENSIONS, key, strict=True)), group, places) for key, group in sorted(groups.items())
    ]


_DIMENSIONS = ("jurisdiction", "case_class", "checkpoint", "funding")


def came_in(receptions: Receptions, checkpoint: str, places: Collection[str] | None) -> ReceptionSums:
    """What came in by a checkpoint at some places (None: all)."""
    return sum(
        (
            sums
            for (place, name), sums in receptions.items()
            if name == checkpoint and (places is None or place in places)
        ),
        ReceptionSums(),
    )


def _added(
    whole: Board, dimensions: dict[str, str], group: Sequence[BoardCell], places: Collection[str] | None
) -> BoardCell:
    place, checkpoint = dimensions["jurisdiction"], group[0].checkpoint
    meant = places if place == "*" else (place,)
    here = came_in(whole.receptions, checkpoint, meant)
    here_then = came_in(whole.receptions_then.get(checkpoint, {}), checkpoint, meant)
    now = sum((cell.now for cell in group), CellSums())
    thens = [cell.then for cell in group if cell.then is not None]
    then = sum(thens, CellSums()) if len(thens) == len(group) else None
    return BoardCell(
        **dimensions,
        day=group[0].day,
        now=now,
        state=state_of(now, complete=whole.complete, hindering=here.hindering),
        then=then,
        state_then=None if then is None else state_of(then, complete=whole.complete, hindering=here_then.hindering),
        receptions=here,
        receptions_then=None if then is None else here_then,
    )
