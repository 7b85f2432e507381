"""The clearance board (清零看板), and the cases behind any figure of it.

Guarantees: sums are never added over classes or checkpoints, because a case may be in several; a jurisdiction of the tree that has
nothing recorded stands on the board and says so; the cases behind a figure are found by the very function that the board is summed
with, so they always add up to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import msgspec

from api.reading import Reading
from api.time_axes import known_at
from api.views.ledger import Listed, RowView, nearest, row_views
from api.views.log import CampaignView, campaign_view
from api.views.view import KnownAt, LogTag, Place, Said, View, log_tag, place, said
from api.words import ENUMS, MEASURES, MONEY_MEASURES
from domain.errors import InputError
from domain.vocabulary import CaseClass, Funding
from projections.board import Board, BoardCell, by_dimensions, came_in
from projections.clearance import MEASURES as SUMS
from projections.clearance import CellState, CellSums, state_of
from projections.ledger import SummaryLedger

if TYPE_CHECKING:
    from infra.bootstrap import VersionedRow

ALL = "*"
"""Stands for a dimension that a cell is summed over."""


class SumsView(View):
    """The measures of a cell: counts of cases and workers, amounts in fen."""

    members: int
    """Cases of the class received by the checkpoint's day, less merged and transfer-accepted ones."""
    open: int
    """Members not written off by the checkpoint's day."""
    stated_closed: int
    """Members that their source calls closed: stated, and counted nowhere else."""
    determined: int
    solved: int
    closed: int
    written_off: int
    written_off_in_time: int
    in_hand: int
    in_hand_in_time: int
    workers: int
    claimed: int
    verified: int
    paid: int
    stated_paid: int
    """The part of `paid` whose only basis is that somebody says so."""
    owing: int
    overpaid: int


class CellView(View):
    """A cell of the board. A dimension that it is summed over reads `*`."""

    jurisdiction: str
    case_class: str
    checkpoint: str
    funding: str
    day: str
    now: SumsView
    """As known at the board's position."""
    state: CellState
    then: SumsView | None
    """As known at the end of the checkpoint's day; null while that day is not over."""
    state_then: CellState | None
    hindering: int
    """Complaints received at its places by the checkpoint that are unclassified, or accepted without a case; while there is one, nothing
    is cleared."""
    hindering_then: int | None


class ReceptionView(View):
    """What came in by a checkpoint at the places that were asked for."""

    checkpoint: str
    received: int
    unclassified: int
    """Not classified by the checkpoint's end."""
    late: int
    """Not classified on the day on which it came in."""
    accepted: int
    undecided: int
    """Wage arrears, neither accepted into a case nor refused in writing."""
    unanswered: int
    """No wage arrears, and nobody was told what N21 asks for."""
    orphaned: int
    """Accepted into a case that nobody registered."""


class ClassView(View):
    """One of the classes that are cleared to zero."""

    name: str
    title: Said


class BoardView(View):
    """The board as known at a position."""

    log: LogTag
    position: int
    as_known_at: KnownAt | None
    complete: bool
    """False while the ledgers that it is summed over are behind or stopped; it then never says *cleared*."""
    reason: str | None
    campaign: CampaignView
    classes: list[ClassView]
    jurisdiction: Place | None
    """The part of the tree that was asked for; null: all."""
    funding: str | None
    """The kind of project that was asked for; null: all."""
    places: list[Place]
    """Its rows: the jurisdictions without a further division, and every other one that has cases of its own."""
    cells: list[CellView]
    """One a place, class and checkpoint."""
    totals: list[CellView]
    """One a class and checkpoint."""
    by_funding: list[CellView]
    """One a kind of project, class and checkpoint."""
    receptions: list[ReceptionView]
    """One a checkpoint."""


@dataclass(frozen=True)
class BoardAsked:
    """Which part of the board; texts as they came."""

    as_known_at: str | None = None
    jurisdiction: str | None = None
    funding: str | None = None


def board_view(reading: Reading, asked: BoardAsked) -> BoardView:
    """The board.

    Raises:
        InputError: an unknown jurisdiction, kind of project, or time.
    """
    platform = reading.platform
    position = known_at(platform, asked.as_known_at)
    board = platform.board(as_of=position)
    funding = None if asked.funding is None else _member(Funding, "funding", asked.funding)
    codes = _codes(reading, asked.jurisdiction)
    cells = [
        cell
        for cell in board.cells
        if (codes is None or cell.jurisdiction in codes) and funding in (None, cell.funding)
    ]
    places = _places(reading, codes, cells)
    return BoardView(
        log=log_tag(reading),
        position=board.position,
        as_known_at=None if position is None else KnownAt(asked=asked.as_known_at, position=position),
        complete=board.complete,
        reason=board.reason,
        campaign=campaign_view(reading),
        classes=[ClassView(name=c.value, title=said(ENUMS[CaseClass][c.value])) for c in CaseClass],
        jurisdiction=None if asked.jurisdiction is None else place(platform.info, _code(reading, asked.jurisdiction)),
        funding=funding,
        places=places,
        cells=_filled(reading, board, cells, ["jurisdiction"], [p.code for p in places], funding or ALL, codes),
        totals=_filled(reading, board, cells, [], [ALL], funding or ALL, codes),
        by_funding=_filled(reading, board, cells, ["funding"], [f.value for f in Funding], ALL, codes),
        receptions=[
            ReceptionView(
                checkpoint=checkpoint.name,
                **msgspec.structs.asdict(came_in(board.receptions, checkpoint.name, codes)),
            )
            for checkpoint in platform.info.campaign.checkpoints
        ],
    )


def _filled(
    reading: Reading,
    board: Board,
    cells: Sequence[BoardCell],
    by: Sequence[str],
    rows: Iterable[str],
    funding: str,
    places: Collection[str] | None,
) -> list[CellView]:
    """Cells summed to `by` × class × checkpoint; where nothing is recorded an empty one, so that the absence is seen."""
    over = {cell.checkpoint for cell in board.cells if cell.then is not None}
    summed = {
        (getattr(cell, by[0]) if by else ALL, cell.case_class, cell.checkpoint): cell
        for cell in by_dimensions(board, cells, *by, "case_class", "checkpoint", places=places)
    }
    found = []
    for row in rows:
        for case_class in CaseClass:
            for checkpoint in reading.platform.info.campaign.checkpoints:
                cell = summed.get((row, case_class.value, checkpoint.name)) or BoardCell(
                    jurisdiction=row if by == ["jurisdiction"] else ALL,
                    case_class=case_class.value,
                    checkpoint=checkpoint.name,
                    day=checkpoint.day,
                    funding=row if by == ["funding"] else ALL,
                    now=CellSums(),
                    state=state_of(CellSums(), complete=board.complete),
                    then=CellSums() if checkpoint.name in over else None,
                    state_then=state_of(CellSums(), complete=board.complete) if checkpoint.name in over else None,
                )
                found.append(_cell(cell, funding))
    return found


def _cell(cell: BoardCell, funding: str) -> CellView:
    return CellView(
        jurisdiction=cell.jurisdiction,
        case_class=cell.case_class,
        checkpoint=cell.checkpoint,
        funding=cell.funding if cell.funding != ALL else funding,
        day=cell.day.isoformat(),
        now=_sums(cell.now),
        state=cell.state,
        then=None if cell.then is None else _sums(cell.then),
        state_then=cell.state_then,
        hindering=cell.receptions.hindering,
        hindering_then=None if cell.receptions_then is None else cell.receptions_then.hindering,
    )


def _sums(sums: CellSums) -> SumsView:
    return SumsView(open=sums.members - sums.written_off_in_time, **{name: getattr(sums, name) for name in SUMS})


def _member(enum: type[Funding] | type[CaseClass], field: str, said_value: str) -> str:
    values = [member.value for member in enum]
    if said_value not in values:
        raise InputError(f"there is no {field} {said_value!r}{nearest(said_value, values)}", field=field, rule="value")
    return said_value


def _code(reading: Reading, said_place: str) -> str:
    return reading.platform.info.tree.find(said_place).code


def _codes(reading: Reading, said_place: str | None) -> frozenset[str] | None:
    """The codes at and below what somebody named; None: no limit."""
    return None if said_place is None else reading.platform.info.tree.within(_code(reading, said_place))


def _places(reading: Reading, codes: frozenset[str] | None, cells: Iterable[BoardCell]) -> list[Place]:
    info = reading.platform.info
    with_cases = {cell.jurisdiction for cell in cells}
    in_tree = [
        node.code
        for node in info.tree
        if (codes is None or node.code in codes) and (node.code in with_cases or not info.tree.children(node.code))
    ]
    return [place(info, code) for code in (*in_tree, *sorted(with_cases - set(in_tree)))]


# ------------------------------------------------------------------------------------------- the cases behind a figure


@dataclass(frozen=True)
class BehindAsked:
    """Which figure: a cell (None: summed over that dimension), a measure, and where to go on."""

    case_class: str
    checkpoint: str
    measure: str = "members"
    jurisdiction: str | None = None
    funding: str | None = None
    as_known_at: str | None = None
    after: str | None = None
    names: bool = False


class BehindRow(RowView):
    """A case, and what it adds to the figure."""

    adds: int


class BehindView(View):
    """The cases that a figure of the board is made of: a stretch of the case ledger, those that add something to it."""

    log: LogTag
    position: int
    case_class: str
    checkpoint: str
    jurisdiction: Place | None
    funding: str | None
    measure: str
    title: Said
    is_money: bool
    figure: int
    """What the board says, in fen where it is money; the rows of all stretches add up to it."""
    rows: list[BehindRow]
    after: str | None
    """The cursor of the next stretch; null on the last."""
    next: str | None
    """The address of the next stretch; null on the last."""


ENOUGH = 50
"""Cases found from which a stretch ends."""
STRETCH = 5_000
"""Rows of the case ledger that one stretch may look through."""


def behind_view(reading: Reading, asked: BehindAsked, link: Callable[[str, int], str]) -> BehindView:
    """The cases behind a figure. `link` gives the address of the next stretch from its cursor and the position.

    Raises:
        InputError: an unknown class, checkpoint, measure, kind of project, jurisdiction, or time.
    """
    figure = _Figure(reading, asked)
    found, after = figure.stretch(asked.after)
    ledger = cast(Listed, reading.platform.catalogue["case"])
    views = row_views(reading, ledger, [row for row, _ in found], names=asked.names)
    return BehindView(
        log=log_tag(reading),
        position=figure.position,
        case_class=asked.case_class,
        checkpoint=asked.checkpoint,
        jurisdiction=None if figure.code is None else place(reading.platform.info, figure.code),
        funding=asked.funding,
        measure=asked.measure,
        title=said(MEASURES[asked.measure]),
        is_money=asked.measure in MONEY_MEASURES,
        figure=figure.total(),
        rows=[
            BehindRow(key=view.key, position=view.position, values=view.values, adds=adds)
            for view, (_, adds) in zip(views, found, strict=True)
        ],
        after=after,
        next=None if after is None else link(after, figure.position),
    )


BEHIND_COLUMNS = ("number", "jurisdiction", "debtor", "received", "stage", "verified", "paid", "owing")
"""Columns of the case ledger that a page of cases behind a figure shows."""


class _Figure:
    """A figure of the board as of one position, and how much each case adds to it."""

    def __init__(self, reading: Reading, asked: BehindAsked) -> None:
        self._platform = reading.platform
        checkpoints = [checkpoint.name for checkpoint in reading.platform.info.campaign.checkpoints]
        if asked.checkpoint not in checkpoints:
            raise _unknown("checkpoint", asked.checkpoint, checkpoints)
        if asked.measure not in MEASURES:
            raise _unknown("measure", asked.measure, MEASURES)
        _member(CaseClass, "case_class", asked.case_class)
        if asked.funding is not None:
            _member(Funding, "funding", asked.funding)
        self._asked = asked
        self.code = None if asked.jurisdiction is None else _code(reading, asked.jurisdiction)
        self._codes = _codes(reading, asked.jurisdiction)
        self._board = self._platform.board(as_of=known_at(self._platform, asked.as_known_at))
        self.position = self._board.position

    def total(self) -> int:
        """The figure, from the board."""
        cells = [cell for cell in self._board.cells if self._is_asked(_dimensions(cell))]
        return _measured(sum((cell.now for cell in cells), CellSums()), self._asked.measure)

    def stretch(self, after: str | None) -> tuple[list[tuple[VersionedRow[Any], int]], str | None]:
        """The cases of the next stretch with what each adds, and the cursor to go on from."""
        found: list[tuple[VersionedRow[Any], int]] = []
        looked_through = 0
        while True:
            page = self._platform.page(
                "case",
                as_of=self.position,
                after=after,
                limit=self._platform.settings.page_limit,
                filters=self._filters(),
            )
            found += [(row, adds) for row in page.rows if (adds := self._adds(row))]
            looked_through += len(page.rows)
            after = page.next
            if after is None or len(found) >= ENOUGH or looked_through >= STRETCH:
                return found, after

    def _filters(self) -> dict[str, str]:
        """What the ledger itself can leave out; a place with others below it must be looked for among all."""
        filters = {} if self._asked.funding is None else {"funding": self._asked.funding}
        if self._codes is not None and len(self._codes) == 1:
            filters["jurisdiction"] = next(iter(self._codes))
        return filters

    def _adds(self, versioned: VersionedRow[Any]) -> int:
        board = cast(SummaryLedger, self._platform.catalogue["clearance"])
        return sum(
            _measured(CellSums(**dict(zip(SUMS, sums, strict=True))), self._asked.measure)
            for cell, sums in board.contribute(versioned.row)
            if self._is_asked(cell)
        )

    def _is_asked(self, cell: tuple[str, ...]) -> bool:
        jurisdiction, case_class, checkpoint, funding = cell
        return (
            (case_class, checkpoint) == (self._asked.case_class, self._asked.checkpoint)
            and (self._codes is None or jurisdiction in self._codes)
            and self._asked.funding in (None, funding)
        )


def _dimensions(cell: BoardCell) -> tuple[str, ...]:
    return cell.jurisdiction, cell.case_class, cell.checkpoint, cell.funding


def _measured(sums: CellSums, measure: str) -> int:
    if measure == "open":
        return sums.members - sums.written_off_in_time
    return cast(int, getattr(sums, measure))


def _unknown(field: str, said_value: str, known: Iterable[str]) -> InputError:
    return InputError(f"there is no {field} {said_value!r}{nearest(said_value, known)}", field=field, rule="value")


def cells_by_row(cells: Iterable[CellView], row: str) -> dict[tuple[str, str, str], CellView]:
    """Cells by (row, class, checkpoint), for a table whose rows are `jurisdiction` or `funding`."""
    return {(getattr(cell, row), cell.case_class, cell.checkpoint): cell for cell in cells}
