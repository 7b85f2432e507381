"""The ledgers of a pack as files: which there are, their columns, and the values in them.

Guarantees: maker and verifier write a row by the same function, so that equal rows are equal cells. No personal text comes in:
sealed columns hold the subject's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from domain.errors import VerificationError
from domain.packs.pack import SelectionKind
from domain.sealing.personal import Sealed
from infra.books.export import Column, Language
from infra.books.export import Kind as FileKind
from infra.books.ledger_columns import POSITION, POSITION_COLUMN, ledger_columns
from projections.clearance import DIMENSIONS, MEASURES
from projections.ledger import Catalogue, Cell, DerivedLedger, Row, RowLedger, SummaryLedger, Sums

_FIRST: Final = ("claim", "payment", "case", "discrepancy")
OF_CASES: Final = (*_FIRST, "custody", "order", "referral", "backstop", "recovery", "call-list")
"""Ledgers whose rows each belong to one case, named in their column `case`."""
EDITIONS: Final = (OF_CASES, _FIRST)
"""Ledgers of cases that packs were made with, those of this release first: a pack stays verifiable in every later release."""
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "discrepancy": ("case", "kind"),
    "recovery": ("backstop",),
    "call-list": ("call_list",),
}
"""The columns that tell a ledger's rows apart, where they are others than the one of its name."""
OF_OFFICE: Final = ("book", "officer")
"""Ledgers that rest on events which only the office sees."""
BOARD: Final = "clearance"

COVERED: Final = "covered"
_COVERED: Final = Column(COVERED, "包内可复算", "Covered by the pack", "bool")
_BOARD_HEADINGS: Final[Mapping[str, tuple[str, str, FileKind]]] = {
    "jurisdiction": ("属地", "Jurisdiction", "text"),
    "class": ("清零类别", "Class", "text"),
    "checkpoint": ("清零节点", "Checkpoint", "text"),
    "funding": ("项目类型", "Funding", "text"),
    "members": ("案件", "Cases", "int"),
    "stated_closed": ("来源称办结", "Stated closed", "int"),
    "determined": ("核清", "Determined", "int"),
    "solved": ("解决", "Solved", "int"),
    "closed": ("办结", "Closed", "int"),
    "written_off": ("销账", "Written off", "int"),
    "written_off_in_time": ("按期销账", "Written off in time", "int"),
    "in_hand": ("到手", "In hand", "int"),
    "in_hand_in_time": ("按期到手", "In hand, in time", "int"),
    "workers": ("人数", "Workers", "int"),
    "claimed": ("反映金额", "Claimed", "money"),
    "verified": ("核实金额", "Verified", "money"),
    "paid": ("已付金额", "Paid", "money"),
    "stated_paid": ("其中仅据称已付", "Of it only stated", "money"),
    "owing": ("余额", "Owing", "money"),
    "overpaid": ("多付", "Overpaid", "money"),
}


@dataclass(frozen=True)
class Table:
    """A ledger as a file. `keys`: the columns that tell its rows apart."""

    name: str
    title_zh: str
    title_en: str
    columns: Sequence[Column]
    keys: Sequence[str]

    def meta(self, *, language: Language, origin: str, kind: str, upto: int) -> dict[str, str]:
        """What the second sheet of its workbook says of it."""
        return {
            "ledger": self.name,
            "title": self.title_zh if language == "zh" else self.title_en,
            "position": str(upto),
            "origin": origin,
            "kind": kind,
        }


def names_of(kind: SelectionKind, *, office: bool, of_cases: tuple[str, ...] = OF_CASES) -> tuple[str, ...]:
    """The ledgers of a pack."""
    further = OF_OFFICE if office and kind is SelectionKind.ALL else ()
    return (*of_cases, BOARD, *further)


def table_of(catalogue: Catalogue, name: str) -> Table:
    """A ledger of a pack as a file."""
    ledger = catalogue[name]
    if isinstance(ledger, SummaryLedger):
        columns = [Column(each, *_BOARD_HEADINGS[each]) for each in (*DIMENSIONS, *MEASURES)]
        return Table(name, ledger.title.zh, ledger.title.en, (*columns, POSITION_COLUMN, _COVERED), DIMENSIONS)
    return Table(name, ledger.title.zh, ledger.title.en, (*ledger_columns(ledger), _COVERED), _KEYS.get(name, (name,)))


def partition_of(name: str, key: str, row: Row) -> str:
    """The partition that a row of a ledger comes from: its case, or the stream that it is of."""
    case: str = getattr(row, "case") if name in OF_CASES else key  # noqa: B009 - rows differ in class
    return case


def values_of(
    ledger: RowLedger[Row] | DerivedLedger[Row], row: Row, position: int, zone: ZoneInfo, *, covered: bool
) -> dict[str, object]:
    """A row as its file holds it; moments in `zone`."""
    values = {column.name: _plain(column.of(row), zone) for column in ledger.columns}
    return {**values, POSITION: position, COVERED: covered}


def cell_values(cell: Cell, sums: Sums, *, covered: bool) -> dict[str, object]:
    """A cell of the board as its file holds it. Sums bear no position."""
    return {
        **dict(zip(DIMENSIONS, cell, strict=True)),
        **dict(zip(MEASURES, sums, strict=True)),
        POSITION: None,
        COVERED: covered,
    }


def row_ledger(catalogue: Catalogue, name: str) -> RowLedger[Row] | DerivedLedger[Row]:
    """The ledger of that name, which has rows."""
    ledger = catalogue[name]
    if isinstance(ledger, SummaryLedger):
        raise VerificationError(f"ledger {name} has no rows of its own")
    return ledger


def _plain(value: object, zone: ZoneInfo) -> object:
    if isinstance(value, Sealed):
        return value.subject
    return value.astimezone(zone) if isinstance(value, datetime) else value
