"""The verification list (核定表): how each line of a case is determined (definitions.md, *determined*)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from domain.books.assembly import Row
from domain.money import Fen, yuan
from domain.sheets.intake import SheetRows
from domain.sheets.layout import WHO, Layout, ListColumn, also
from domain.sheets.table import SheetReading, Table, read_table

PARTS = ("verified", "rejected", "withdrawn", "disputed")
VERIFICATION = Layout(
    "verification",
    "核定表",
    "Verification",
    (
        *WHO,
        ListColumn(
            "claimed",
            "反映金额",
            "Claimed",
            "amount",
            aliases=also("欠薪金额、申报金额、实欠、amount claimed"),
            given=True,
            guide=("仅作核对", "A control figure only"),
        ),
        ListColumn(
            "verified",
            "核实",
            "Verified",
            "amount",
            aliases=also("核实金额、核定、核定金额、认定金额、amount verified"),
            needed=True,
            filled=True,
            guide=("核实、核减、撤回、争议之和等于反映金额", "The four parts make what is claimed"),
        ),
        ListColumn(
            "rejected", "核减", "Rejected", "amount", aliases=also("核减金额、不予认定、不予认定金额"), filled=True
        ),
        ListColumn(
            "withdrawn",
            "撤回",
            "Withdrawn",
            "amount",
            aliases=also("撤回金额"),
            filled=True,
            guide=("须附本人声明", "With the worker's own statement"),
        ),
        ListColumn(
            "disputed",
            "争议",
            "Disputed",
            "amount",
            aliases=also("争议金额、转争议、referred as disputed"),
            filled=True,
        ),
        ListColumn("ground", "依据", "Ground", aliases=also("核减依据、核减理由、理由、核定依据、reason"), filled=True),
        ListColumn("told_on", "告知时间", "Told on", "instant", aliases=also("告知日期、date told"), filled=True),
        ListColumn("told_how", "告知方式", "Told how", aliases=also("how told"), filled=True),
        ListColumn("told_remedy", "救济途径", "Remedy told", aliases=also("告知的救济途径、救济、remedy"), filled=True),
    ),
    ("line", *PARTS, "ground"),
)


@dataclass(frozen=True)
class VerificationRow:
    """How one line is determined, by whoever the row names. `claimed` is what the sheet says, a control figure."""

    row: int
    verified: Fen = 0
    rejected: Fen = 0
    withdrawn: Fen = 0
    disputed: Fen = 0
    line: str | None = None
    worker: str | None = field(default=None, repr=False)
    worker_id: str | None = field(default=None, repr=False)
    last_four: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    claimed: Fen | None = None
    ground: str | None = None
    told_on: datetime | None = None
    told_how: str | None = None
    told_remedy: str | None = None

    @property
    def determined(self) -> Fen:
        """What the four parts make."""
        return self.verified + self.rejected + self.withdrawn + self.disputed


def read_verification(rows: SheetRows, *, today: date, zone: tzinfo) -> SheetReading[VerificationRow]:
    """How the lines of a list are determined. Rows of a prepared list with nothing filled in stay pending.

    Raises:
        InputError: the list as a whole cannot be read; see `read_table`.
    """
    table = read_table(VERIFICATION, rows, today=today, zone=zone)
    for row in table.rows:
        _check(table, row)
    return table.made([VerificationRow(row.at, **row.values) for row in table.rows])


def _check(table: Table, row: Row) -> None:
    values, unread = row.values, {name for name, *_ in row.faults}
    if unread & {*PARTS, "claimed"}:
        return
    if "verified" not in values:
        if "verified" in table.columns:
            table.fault(row.at, "verified", "required")
        return
    made = sum(values.get(part, 0) for part in PARTS)
    if values.get("claimed", made) != made:
        table.fault(row.at, "verified", "parts-add-up", f"{yuan(made)} ≠ {yuan(values['claimed'])}")
    if values.get("rejected") and "ground" not in values and "ground" not in unread:
        table.fault(row.at, "ground", "ground-given")
    if ("told_on" in values) != ("told_how" in values) and not unread:
        table.fault(row.at, "told_how" if "told_on" in values else "told_on", "told-whole")
    if values["verified"] == 0 and "told_on" in values and "told_remedy" not in values:
        table.warn(row.at, "told_remedy", "remedy-told")
