"""The list of answers (回访表): what workers said when they were asked whether the money arrived (clause N26)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from domain.books.assembly import Row
from domain.money import Fen
from domain.sheets.intake import SheetRows
from domain.sheets.layout import WHO, Layout, ListColumn, also
from domain.sheets.table import SheetReading, Table, read_table
from domain.vocabulary import Answer, FollowUpMethod

ANSWER_WORDS = {
    "received": also("全额收到、足额收到、已收到、收到、已到手、到手、已领取、全部收到、是、received in full、yes"),
    "less": also("少收、部分收到、少于、未足额、不足额、收到部分、received less、partly"),
    "not-received": also("未收到、没收到、没有收到、未到手、否、not received、no"),
    "unreachable": also("联系不上、无法接通、无人接听、未接通、未接、关机、停机、空号、no answer"),
    "wrong-person": also("不是本人、非本人、号码错误、打错、wrong number"),
    "refused-to-say": also("拒绝回答、拒答、不愿回答、不愿说、refused"),
}
METHOD_WORDS = {
    "phone": also("电话、电话回访、打电话、telephone、call"),
    "in-person": also("当面、上门、面访、走访、in person"),
    "video": also("视频、视频通话、微信视频"),
    "message": also("短信、微信、信息、text、sms"),
    "through-others": also("他人转述、他人转告、班组长转述、亲属转述、through others"),
    "bank-confirmation": also("银行确认、银行回单、银行查询、bank confirmation"),
    "other": also("其他"),
}
ANSWERS = Layout(
    "answers",
    "回访表",
    "Answers",
    (
        *WHO,
        ListColumn(
            "verified",
            "核实金额",
            "Verified",
            "amount",
            aliases=also("核实、应到手、应发"),
            given=True,
            guide=("仅供回访时核对", "For whoever asks"),
        ),
        ListColumn(
            "answer",
            "答复",
            "Answer",
            "word",
            aliases=also("回访结果、回访情况、结果、是否到手、是否收到"),
            words=ANSWER_WORDS,
            enum=Answer,
            needed=True,
            filled=True,
        ),
        ListColumn(
            "amount",
            "到手金额",
            "Amount",
            "amount",
            aliases=also("实收金额、收到金额、实收、amount received"),
            filled=True,
            guide=("本人所说的到手金额", "What the worker says arrived"),
        ),
        ListColumn(
            "method",
            "方式",
            "Method",
            "word",
            aliases=also("回访方式、how asked"),
            words=METHOD_WORDS,
            enum=FollowUpMethod,
            guide=("不填即电话", "Left blank: by telephone"),
        ),
        ListColumn(
            "number_from",
            "号码来源",
            "Number from",
            aliases=also("电话来源、source of the number"),
            guide=("所拨号码从何而来", "Where the number came from"),
        ),
        ListColumn("note", "备注", "Note", aliases=also("说明、remark、remarks"), filled=True),
        ListColumn(
            "asked_on", "回访时间", "Asked on", "instant", aliases=also("回访日期、日期、时间、date、date asked")
        ),
    ),
    ("line", "answer", "amount", "method", "number_from", "note"),
)


@dataclass(frozen=True)
class AnswerRow:
    """What one worker said, or that nobody could be reached. `answer` is absent only beside a fault."""

    row: int
    answer: Answer | None = None
    line: str | None = None
    worker: str | None = field(default=None, repr=False)
    worker_id: str | None = field(default=None, repr=False)
    last_four: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    verified: Fen | None = None
    amount: Fen | None = None
    method: FollowUpMethod = FollowUpMethod.PHONE
    number_from: str | None = None
    note: str | None = field(default=None, repr=False)
    asked_on: datetime | None = None


def read_answers(rows: SheetRows, *, today: date, zone: tzinfo) -> SheetReading[AnswerRow]:
    """What workers said. Rows of a prepared list with nothing filled in were not asked yet.

    Raises:
        InputError: the list as a whole cannot be read; see `read_table`.
    """
    table = read_table(ANSWERS, rows, today=today, zone=zone)
    for row in table.rows:
        _check(table, row)
    return table.made([AnswerRow(row.at, **row.values) for row in table.rows])


def _check(table: Table, row: Row) -> None:
    unread = {name for name, *_ in row.faults}
    if "answer" not in row.values and "answer" in table.columns and "answer" not in unread:
        table.fault(row.at, "answer", "required")
    if row.values.get("answer") is Answer.LESS and "amount" not in row.values and "amount" not in unread:
        table.warn(row.at, "amount", "how-much")
