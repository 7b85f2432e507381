"""The clearance board (三个清零): jurisdiction × class × checkpoint × funding, summed over the case ledger.

A cell's words come from definitions.md, *cleared*: its members are the cases of the class received by the checkpoint's day, less merged
and transfer-accepted ones; it is cleared when it has members and every one was written off by that day. "None recorded" is never
cleared. Whether the board is complete is not a sum: the reader says so from the ledgers' states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from domain.campaigns.campaign import Campaign, end_of_day
from domain.cases.standing import closed, confirmed, determined, leaves_the_count, solved, written_off
from projections.case_ledger import CaseRow, case_ledger
from projections.ledger import Cell, SummaryLedger, Sums, Title

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


def state_of(sums: CellSums, *, complete: bool) -> CellState:
    """The word for a cell."""
    if not complete:
        return CellState.INCOMPLETE
    if sums.members == 0:
        return CellState.NONE_RECORDED
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


def cells_of(sums: Mapping[Cell, Sums]) -> dict[Cell, CellSums]:
    """Stored sums with their names."""
    return {cell: CellSums(**dict(zip(MEASURES, values, strict=True))) for cell, values in sums.items()}
