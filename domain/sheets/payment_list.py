"""The payment list (发放表): what each worker was paid, and how it reached them (definitions.md, *paid*)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Final

from domain.books.assembly import Row
from domain.books.rules import Fault
from domain.money import Fen, yuan
from domain.sheets.faults import told
from domain.sheets.intake import SheetRows, folded
from domain.sheets.layout import WHO, Layout, ListColumn, also
from domain.sheets.table import SheetReading, Table, read_table
from domain.vocabulary import PaidTo

_HELD: Final = "held"
"""What a list says where somebody else holds the money: no way of reaching the worker, and told as such."""
PAID_TO_WORDS = {
    "own-account": also(
        "本人账户、本人银行卡、银行卡、银行转账、转账、打卡、工资卡、本人卡、own account、bank transfer"
    ),
    "handed-over": also("现金签收、现金、签收、本人签字、签字、按手印、本人领取、cash"),
    "proxy": also("委托代领、书面委托、受托人、亲属代领（有委托书）、documented proxy"),
    "heir": also("继承人、继承人领取、法定继承人"),
    _HELD: also("他人代领、代领、班组长代领、包工头代领、包工头、班组长、托管、托管账户、foreman、custody、agent"),
}
_SIGNED: Final = frozenset(
    ("是", "有", "已签", "已签收", "已签字", "签字", "签收", "手印", "已按手印", "√", "✓", "y", "yes", "signed")
)

PAYMENTS = Layout(
    "payments",
    "发放表",
    "Payments",
    (
        *WHO,
        ListColumn(
            "owing",
            "欠付余额",
            "Owing",
            "amount",
            aliases=also("余额、尚欠、应发余额、balance"),
            given=True,
            guide=("仅作核对", "A control figure only"),
        ),
        ListColumn(
            "amount",
            "金额",
            "Amount",
            "amount",
            aliases=also(
                "实发、实发金额、发放金额、支付金额、实发工资、实领金额、实领、本次发放、到手金额、paid、amount paid"
            ),
            needed=True,
            filled=True,
            guide=("本次支付金额", "What is paid now"),
        ),
        ListColumn(
            "paid_to",
            "领取方式",
            "Paid to",
            "word",
            aliases=also("发放方式、支付方式、how it reached the worker"),
            words=PAID_TO_WORDS,
            filled=True,
            guide=("他人代领代管的另行登记托管", "Money that somebody else holds is custody"),
        ),
        ListColumn(
            "signed",
            "签收",
            "Signed",
            aliases=also("签字、签名、领取人签字、本人签字、领款人签字、signature、signed by"),
            filled=True,
        ),
        ListColumn(
            "account",
            "账号",
            "Account",
            "number",
            aliases=also("银行账号、银行卡号、卡号、账户、account number、card number"),
            guide=("按文本填写，封存保管", "As text; kept sealed"),
        ),
        ListColumn("headcount", "人数", "Workers", "count", aliases=also("headcount")),
        ListColumn(
            "paid_on",
            "发放日期",
            "Paid on",
            "instant",
            aliases=also("支付日期、发放时间、支付时间、领取日期、date paid、date"),
        ),
        ListColumn("note", "备注", "Note", aliases=also("说明、remark、remarks")),
    ),
    ("line", "amount", "paid_to", "headcount"),
)


@dataclass(frozen=True)
class ControlTotals:
    """What was counted apart from the list; None where it was not."""

    lines: int | None = None
    amount: Fen | None = None


@dataclass(frozen=True)
class PaymentRow:
    """What one worker was paid. Personal texts in clear: they are sealed before they reach an event."""

    row: int
    amount: Fen = 0
    line: str | None = None
    worker: str | None = field(default=None, repr=False)
    worker_id: str | None = field(default=None, repr=False)
    last_four: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    owing: Fen | None = None
    paid_to: PaidTo | None = None
    signed: str | None = field(default=None, repr=False)
    account: str | None = field(default=None, repr=False)
    headcount: int = 1
    paid_on: datetime | None = None
    note: str | None = field(default=None, repr=False)


def read_payments(
    rows: SheetRows, *, today: date, zone: tzinfo, control: ControlTotals = ControlTotals()
) -> SheetReading[PaymentRow]:
    """The lines of a payment. `control`: what was counted apart from the list.

    Raises:
        InputError: the list as a whole cannot be read; see `read_table`.
    """
    table = read_table(PAYMENTS, rows, today=today, zone=zone)
    for row in table.rows:
        _check(table, row)
    _hold(table, control)
    return table.made([PaymentRow(row.at, **row.values) for row in table.rows])


def _check(table: Table, row: Row) -> None:
    values, unread = row.values, {name for name, *_ in row.faults}
    if "amount" not in values:
        if "amount" in table.columns and "amount" not in unread:
            table.fault(row.at, "amount", "required")
    elif values["amount"] == 0:
        table.fault(row.at, "amount", "positive")
    elif values["amount"] > values.get("owing", values["amount"]):
        table.warn(row.at, "amount", "more-than-owing", f"{yuan(values['amount'])} > {yuan(values['owing'])}")
    if values.get("paid_to") == _HELD:
        del values["paid_to"]
        table.fault(row.at, "paid_to", "own-hands")
    elif "paid_to" in values:
        values["paid_to"] = PaidTo(values["paid_to"])
    if "signed" in values:
        _signed(table, row)


def _signed(table: Table, row: Row) -> None:
    """A signature says that the money was handed over, where the list says no other way; one of another person's is looked at."""
    values = row.values
    signed = folded(values["signed"])
    own = signed in _SIGNED or signed == folded(values.get("worker", ""))
    if own:
        values.setdefault("paid_to", PaidTo.HANDED_OVER)
    elif "worker" in values and values.get("paid_to") not in (PaidTo.PROXY, PaidTo.HEIR):
        table.warn(row.at, "signed", "signed-by-another")


def _hold(table: Table, control: ControlTotals) -> None:
    totals = table.totals()
    amount = totals.amounts.get("amount", 0)
    for name, stated, summed in (
        ("笔数 lines", control.lines, totals.lines),
        ("合计 total", None if control.amount is None else yuan(control.amount), yuan(amount)),
    ):
        if stated is not None and stated != summed:
            detail = Fault("control-totals", f"{stated} counted, {summed} in the list")
            table.faults.append(told(0, name, detail, f"另计{stated}，表内{summed}"))
