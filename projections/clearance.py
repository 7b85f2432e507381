"""The clearance board (三个清零): jurisdiction × class × checkpoint × funding, summed over the case ledger.

A cell's words come from definitions.md, *cleared*: its members are the cases of the class received by the checkpoint's day, less merged
and transfer-accepted ones; it is cleared when it has members, every one was written off by that day, and no reception received by it is
unclassified, or accepted without a case. "None recorded" is never cleared. Whether the board is complete is not a sum: the reader says so
from the ledgers' states; nor is a case that nobody registered, which is looked for as of a position (`acceptance` beside the case ledger).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from domain.campaigns.campaign import Campaign, end_of_day
from domain.cases.standing import closed, confirmed, determined, leaves_the_count, solved, written_off
from domain.complaints.reception import classified_late, unanswered, unclassified, undecided
from projections.case_ledger import CaseRow, case_ledger
from projections.ledger import Cell, SummaryLedger, Sums, Title
from projections.reception_ledger import AcceptanceRow, ReceptionRow, reception_ledger

DIMENSIONS = ("jurisdiction", "class", "checkpoint", "funding")
MEASURES = (
    "members",
    "stated_closed",
    "determined",
    "solved",
    "closed",
    "written_off",
    "written_off_in_time",
    "in_hand",
    "in_hand_in_time",
    "workers",
    "claimed",
    "verified",
    "paid",
    "stated_paid",
    "owing",
    "overpaid",
)


class CellState(StrEnum):
    """What a cell says. `incomplete` wins over everything: a board behind its log never says *cleared*."""

    INCOMPLETE = "incomplete"
    NONE_RECORDED = "none-recorded"
    OPEN = "open"
    HINDERED = "hindered"
    """All members were written off in time, but a reception of the place hinders clearing: unclassified, or accepted without a case."""
    CLEARED = "cleared"
    CLEARED_IN_HAND = "cleared-in-hand"


class CellSums(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of one cell, or of several added up. Counts of cases, workers, and fen."""

    members: int = 0
    stated_closed: int = 0
    determined: int = 0
    solved: int = 0
    closed: int = 0
    written_off: int = 0
    written_off_in_time: int = 0
    in_hand: int = 0
    in_hand_in_time: int = 0
    workers: int = 0
    claimed: int = 0
    verified: int = 0
    paid: int = 0
    stated_paid: int = 0
    owing: int = 0
    overpaid: int = 0

    def __add__(self, other: CellSums) -> CellSums:
        return CellSums(**{name: getattr(self, name) + getattr(other, name) for name in MEASURES})


def state_of(sums: CellSums, *, complete: bool, hindering: int = 0) -> CellState:
    """The word for a cell. `hindering`: receptions of its places that keep it from being cleared."""
    if not complete:
        return CellState.INCOMPLETE
    if sums.members == 0:
        return CellState.NONE_RECORDED
    if hindering and sums.written_off_in_time == sums.members:
        return CellState.HINDERED
    if sums.in_hand_in_time == sums.members:
        return CellState.CLEARED_IN_HAND
    if sums.written_off_in_time == sums.members:
        return CellState.CLEARED
    return CellState.OPEN


def clearance_board(campaign: Campaign, zone: ZoneInfo) -> SummaryLedger:
    """The board of a campaign; days end at 24:00 in `zone`."""
    ends = [(checkpoint.name, end_of_day(checkpoint.day, zone)) for checkpoint in campaign.checkpoints]

    def contribute(row: CaseRow) -> Iterable[tuple[Cell, Sums]]:
        if leaves_the_count(row.procedure):
            return
        particulars, standing, procedure = row.particulars, row.standing, row.procedure
        is_solved = solved(procedure, standing)
        off = is_solved and written_off(procedure, standing)
        in_hand = off and confirmed(standing)
        for name, end in ends:
            if particulars.received > end:
                continue
            in_time = off and procedure.written_off_at is not None and procedure.written_off_at <= end
            sums = (
                1,
                int(row.stated_closed),
                int(is_solved or determined(procedure, standing)),
                int(is_solved),
                int(closed(procedure)),
                int(off),
                int(in_time),
                int(in_hand),
                int(in_hand and in_time),
                standing.headcount,
                standing.claimed,
                standing.verified,
                standing.paid,
                standing.stated_paid,
                standing.owing,
                standing.overpaid,
            )
            for case_class in particulars.classes:
                yield (particulars.jurisdiction, case_class.value, name, particulars.funding.value), sums

    return SummaryLedger(
        "clearance",
        version=1,
        title=Title("清零看板", "Clearance board"),
        source=case_ledger,
        dimensions=DIMENSIONS,
        measures=MEASURES,
        contribute=contribute,
    )


RECEPTION_DIMENSIONS = ("jurisdiction", "checkpoint")
RECEPTION_MEASURES = ("received", "unclassified", "late", "accepted", "undecided", "unanswered")


def reception_board(campaign: Campaign, zone: ZoneInfo) -> SummaryLedger:
    """What came in by each checkpoint, and what of it keeps a place from being cleared (N20, N21)."""
    ends = [(checkpoint.name, end_of_day(checkpoint.day, zone)) for checkpoint in campaign.checkpoints]

    def contribute(row: ReceptionRow) -> Iterable[tuple[Cell, Sums]]:
        state = row.state
        for name, end in ends:
            if state.received > end:
                continue
            sums = (
                1,
                int(unclassified(state, end)),
                int(classified_late(state, end)),
                int(bool(state.cases)),
                int(undecided(state)),
                int(unanswered(state)),
            )
            yield (state.place, name), sums

    return SummaryLedger(
        "receptions",
        version=1,
        title=Title("接待看板", "Receptions"),
        source=reception_ledger,
        dimensions=RECEPTION_DIMENSIONS,
        measures=RECEPTION_MEASURES,
        contribute=contribute,
    )


class ReceptionSums(msgspec.Struct, frozen=True, kw_only=True):
    """What came in at some places by a checkpoint. Counts of complaints; `orphaned` are accepted into a case that nobody registered."""

    received: int = 0
    unclassified: int = 0
    late: int = 0
    accepted: int = 0
    undecided: int = 0
    unanswered: int = 0
    orphaned: int = 0

    @property
    def hindering(self) -> int:
        """How many keep the place from being cleared."""
        return self.unclassified + self.orphaned

    def __add__(self, other: ReceptionSums) -> ReceptionSums:
        return ReceptionSums(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


Receptions = Mapping[tuple[str, str], ReceptionSums]
"""By jurisdiction and checkpoint."""


def receptions_of(
    sums: Mapping[Cell, Sums], orphans: Iterable[AcceptanceRow], campaign: Campaign, zone: ZoneInfo
) -> Receptions:
    """Stored sums with their names, and the acceptances whose case is not there."""
    found = {
        (cell[0], cell[1]): ReceptionSums(**dict(zip(RECEPTION_MEASURES, values, strict=True)))
        for cell, values in sums.items()
    }
    for orphan in orphans:
        for checkpoint in campaign.checkpoints:
            if orphan.received <= end_of_day(checkpoint.day, zone):
                key = (orphan.jurisdiction, checkpoint.name)
                found[key] = found.get(key, ReceptionSums()) + ReceptionSums(orphaned=1)
    return found


def cells_of(sums: Mapping[Cell, Sums]) -> dict[Cell, CellSums]:
    """Stored sums with their names."""
    return {cell: CellSums(**dict(zip(MEASURES, values, strict=True))) for cell, values in sums.items()}
