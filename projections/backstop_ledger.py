"""Backstop ledger (兜底台账) and recovery ledger (追偿台账), folded by `domain/backstops/backstop.py` (N23).

Whatever was paid opens a balance that must come back; the recovery ledger has a row for every backstop that paid, opened or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from domain.backstops.backstop import Backstop, after
from domain.backstops.standing import BackstopStanding
from domain.entries import Recorded
from domain.money import Fen
from domain.streams import StreamEvent
from projections.ledger import Column, DerivedLedger, Kind, Row, RowLedger, Title


class BackstopRow(Row, frozen=True, kw_only=True):
    """A backstop and where it stands."""

    backstop: str
    number: str
    case: str
    jurisdiction: str
    payer: str | None = None
    requested_on: datetime
    standing: BackstopStanding


def _of(name: str, zh: str, en: str, kind: Kind = Kind.MONEY) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row.standing, name))


backstop_ledger = RowLedger(
    "backstop",
    row=BackstopRow,
    version=1,
    title=Title("兜底台账", "Backstop ledger"),
    columns=(
        Column("number", "编号", "Number", Kind.TEXT, lambda row: row.number),
        Column("backstop", "兜底", "Backstop", Kind.TEXT, lambda row: row.backstop),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: row.case),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("resort", "兜底来源", "Resort", Kind.TEXT, lambda row: row.standing.resort.value),
        Column("payer", "出资方", "Payer", Kind.TEXT, lambda row: row.payer),
        Column("state", "状态", "State", Kind.TEXT, lambda row: row.standing.state.value),
        Column("requested_on", "提请时间", "Requested on", Kind.TIME, lambda row: row.requested_on),
        _of("requested", "申请金额", "Requested"),
        _of("limit", "批准限额", "Limit"),
        _of("due", "期限", "Due", Kind.TIME),
        _of("paid", "已付", "Paid"),
        _of("limit_left", "限额余额", "Left of the limit"),
        _of("over_limit", "超限额", "Beyond the limit"),
        _of("group", "上级集团", "Parent group", Kind.TEXT),
        Column(
            "shares",
            "股比",
            "Shares",
            Kind.LIST,
            lambda row: [f"{share.name} {share.share / 100:g}%" for share in row.standing.shares],
        ),
        _of("balance", "追偿余额", "To come back"),
    ),
    orders=("requested_on", "paid"),
    filters=("jurisdiction", "case", "resort", "state"),
    search="number",
)


@backstop_ledger.on(Backstop.Created)
def requested(_: BackstopRow | None, recorded: Recorded[Backstop.Created]) -> BackstopRow | None:
    """Somebody was asked to pay in the debtor's place."""
    event = recorded.event
    standing = after(None, event)
    if standing is None:
        return None
    return BackstopRow(
        backstop=recorded.envelope.subject,
        number=event.number,
        case=event.case,
        jurisdiction=event.place,
        payer=event.payer,
        requested_on=recorded.envelope.occurred,
        standing=standing,
    )


def _moved(row: BackstopRow | None, recorded: Recorded[StreamEvent]) -> BackstopRow | None:
    if row is None:
        return None
    standing = after(row.standing, recorded.event)
    return row if standing is None else msgspec.structs.replace(row, standing=standing)


backstop_ledger.on(
    Backstop.Approved,
    Backstop.Refused,
    Backstop.GroupSupervisionOpened,
    Backstop.Paid,
    Backstop.PaymentReturned,
    Backstop.Ended,
    Backstop.RecoveryOpened,
    Backstop.RecoveryReceived,
    Backstop.RecoveryReversed,
    Backstop.GivingUpProposed,
    Backstop.GivingUpRefused,
    Backstop.RecoveryGivenUp,
)(_moved)


class RecoveryRow(Row, frozen=True, kw_only=True):
    """What has to come back of a backstop. Amounts in fen."""

    backstop: str
    number: str
    case: str
    jurisdiction: str
    resort: str
    debtors: tuple[str, ...]
    due: datetime | None
    paid: Fen
    opened: Fen
    received: Fen
    given_up: Fen
    balance: Fen
    over_recovered: Fen


def _recovery(row: BackstopRow) -> Mapping[str, RecoveryRow]:
    standing = row.standing
    if not (standing.paid or standing.recoveries or standing.settled):
        return {}
    return {
        row.backstop: RecoveryRow(
            backstop=row.backstop,
            number=row.number,
            case=row.case,
            jurisdiction=row.jurisdiction,
            resort=standing.resort.value,
            debtors=tuple(dict.fromkeys(each.debtor for each in standing.recoveries)),
            due=min((each.due for each in standing.recoveries), default=None),
            paid=standing.paid,
            opened=sum(each.amount for each in standing.recoveries),
            received=max(0, standing.received),
            given_up=standing.given_up,
            balance=standing.balance,
            over_recovered=standing.over_recovered,
        )
    }


def _plain(name: str, zh: str, en: str, kind: Kind = Kind.MONEY) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row, name))


recovery_ledger = DerivedLedger(
    "recovery",
    row=RecoveryRow,
    version=1,
    title=Title("追偿台账", "Recovery ledger"),
    columns=(
        _plain("number", "编号", "Number", Kind.TEXT),
        _plain("backstop", "兜底", "Backstop", Kind.TEXT),
        _plain("case", "案件", "Case", Kind.TEXT),
        _plain("jurisdiction", "属地", "Jurisdiction", Kind.TEXT),
        _plain("resort", "兜底来源", "Resort", Kind.TEXT),
        Column("debtors", "追偿对象", "From whom", Kind.LIST, lambda row: list(row.debtors)),
        _plain("due", "期限", "Due", Kind.TIME),
        _plain("paid", "已垫付", "Paid"),
        _plain("opened", "已启动追偿", "Asked back"),
        _plain("received", "已追回", "Came back"),
        _plain("given_up", "已核销", "Given up"),
        _plain("balance", "追偿余额", "Balance"),
        _plain("over_recovered", "多追回", "Came back too much"),
    ),
    orders=("balance", "due"),
    filters=("jurisdiction", "case", "resort"),
    search="number",
    source=backstop_ledger,
    derive=_recovery,
)
