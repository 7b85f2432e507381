"""The roster (花名册): the workers of a case, and what each claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any

from domain.books.assembly import Row
from domain.money import Fen, yuan
from domain.sheets.faults import other_row
from domain.sheets.identity import is_identity
from domain.sheets.intake import SheetRows, folded
from domain.sheets.layout import PHONE, WORKER, WORKER_ID, Layout, ListColumn, also
from domain.sheets.table import SheetReading, Table, read_table
from domain.vocabulary import ClaimKind

KIND_WORDS = {
    "wage": also("工资、劳动报酬、工钱、拖欠工资、wages"),
    "compensation": also("赔偿金、经济补偿、补偿金、经济补偿金、赔偿、工伤赔偿"),
}
ROSTER = Layout(
    "roster",
    "花名册",
    "Roster",
    (
        WORKER,
        WORKER_ID,
        PHONE,
        ListColumn(
            "claimed",
            "实欠",
            "Claimed",
            "amount",
            aliases=also(
                "反映金额、欠薪金额、拖欠金额、欠付金额、实欠金额、实欠工资、拖欠工资、"
                "申报金额、欠款金额、欠薪、拖欠工资金额、net、amount claimed、owed"
            ),
            guide=("应发减已预支；有应发时可不填", "Gross less drawn; may be left blank beside the gross"),
        ),
        ListColumn(
            "period_from",
            "欠薪起",
            "From",
            "day-from",
            aliases=also("欠薪开始、起始时间、开始时间、起、欠薪起始日、period from"),
        ),
        ListColumn(
            "period_to",
            "欠薪止",
            "To",
            "day-to",
            aliases=also("欠薪截止、截止时间、结束时间、止、欠薪截止日、period to"),
        ),
        ListColumn("crew", "班组", "Crew", aliases=also("班组名称、所在班组、班组长、team、gang")),
        ListColumn(
            "nickname",
            "绰号",
            "Nickname",
            aliases=also("小名、外号、别名"),
            guide=("姓名不详时填写", "Where the name is not known"),
        ),
        ListColumn(
            "gross",
            "应发",
            "Gross",
            "amount",
            aliases=also("应发工资、应付工资、应发金额、应付金额、工资总额、gross wage"),
        ),
        ListColumn(
            "drawn",
            "已预支",
            "Drawn",
            "amount",
            aliases=also("预支、借支、已支、已借支、生活费、已发、已付、already drawn、advance"),
        ),
        ListColumn(
            "kind", "类别", "Kind", "word", aliases=also("款项类别、款项性质、类型"), words=KIND_WORDS, enum=ClaimKind
        ),
        ListColumn(
            "headcount",
            "人数",
            "Workers",
            "count",
            aliases=also("欠薪人数、headcount、number of workers"),
            guide=("未具名的一行所代表的人数", "How many an unnamed row stands for"),
        ),
        ListColumn("debtor", "欠薪单位", "Debtor", aliases=also("用工单位、用人单位、欠薪主体、employer")),
        ListColumn("trade", "工种", "Trade", aliases=also("岗位、职务、job")),
        ListColumn(
            "period",
            "欠薪期间",
            "Period",
            "period",
            aliases=also("欠薪时段、欠薪时间、工资所属期、起止时间、欠薪起止、欠薪起止时间"),
            guide=("如 2019.3-2019.10；与起、止二列任选其一", "Such as 2019.3-2019.10; instead of the two columns"),
        ),
    ),
    (
        *("worker", "worker_id", "phone", "claimed", "period_from", "period_to", "crew", "nickname", "gross", "drawn"),
        *("kind", "headcount", "debtor"),
    ),
)


@dataclass(frozen=True)
class RosterRow:
    """A line of the roster, in clear: it is sealed before it reaches an event. `claimed` is what gross and drawn leave, where only they
    are stated; None where the list says nothing."""

    row: int
    worker: str | None = field(default=None, repr=False)
    worker_id: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    claimed: Fen | None = None
    period_from: date | None = None
    period_to: date | None = None
    crew: str | None = field(default=None, repr=False)
    nickname: str | None = field(default=None, repr=False)
    gross: Fen | None = None
    drawn: Fen | None = None
    kind: ClaimKind = ClaimKind.WAGE
    headcount: int = 1
    debtor: str | None = None
    trade: str | None = None

    @property
    def provisional(self) -> bool:
        """Whether the worker still has to be identified."""
        return self.worker is None or self.worker_id is None


def read_roster(rows: SheetRows, *, today: date, zone: tzinfo) -> SheetReading[RosterRow]:
    """The workers of a list.

    Raises:
        InputError: the list as a whole cannot be read; see `read_table`.
    """
    table = read_table(ROSTER, rows, today=today, zone=zone)
    for row in table.rows:
        _complete(table, row)
    made = [RosterRow(row.at, **{k: v for k, v in row.values.items() if k != "period"}) for row in table.rows]
    _look_for_doubles(table, made)
    return table.made(made)


def _complete(table: Table, row: Row) -> None:
    """What follows from a row's own cells, and what contradicts itself in them."""
    values, unread = row.values, {name for name, *_ in row.faults}
    if "period" in values:
        first, last = values["period"]
        values.setdefault("period_from", first)
        if last is not None:
            values.setdefault("period_to", last)
    if "period_from" in values and "period_to" in values and values["period_from"] > values["period_to"]:
        table.fault(row.at, "period_to", "period-order")
    _check_amounts(table, row, unread)
    if not values.keys() & {"worker", "nickname", "worker_id", "phone", "headcount", "crew"} and not unread:
        table.fault(row.at, "worker", "somebody")
    if values.get("headcount", 1) != 1 and values.keys() & {"worker", "worker_id"}:
        table.fault(row.at, "headcount", "one-worker")
    if "worker_id" in values and not is_identity(values["worker_id"]):
        table.warn(row.at, "worker_id", "id-check")


def _check_amounts(table: Table, row: Row, unread: set[str]) -> None:
    values = row.values
    if unread & {"gross", "drawn", "claimed"}:
        return
    gross, drawn, claimed = (values.get(name) for name in ("gross", "drawn", "claimed"))
    if gross is not None:
        net = gross - (drawn or 0)
        if net < 0:
            table.fault(row.at, "drawn", "drawn-more")
        elif claimed is None:
            values["claimed"] = net
        elif claimed != net and drawn is not None:
            table.fault(row.at, "claimed", "gross-less-drawn", f"{yuan(net)} ≠ {yuan(claimed)}")
    elif claimed is None:
        table.warn(row.at, "claimed", "no-claim")


def _look_for_doubles(table: Table, rows: list[RosterRow]) -> None:
    """The same worker, period, kind and debtor make one line (definitions.md, claim line); a name alone only hints at it."""
    by_number: dict[Any, int] = {}
    by_name: dict[Any, int] = {}
    for row in rows:
        where = (row.period_from, row.period_to, row.kind, folded(row.debtor or ""))
        if row.worker_id is not None:
            other = by_number.setdefault((row.worker_id, *where), row.row)
            if other != row.row:
                table.faults.append(other_row(row.row, table.heading("worker_id"), "same-line", other))
        elif row.worker is not None:
            other = by_name.setdefault((folded(row.worker), *where), row.row)
            if other != row.row:
                table.warnings.append(other_row(row.row, table.heading("worker"), "same-name", other))
