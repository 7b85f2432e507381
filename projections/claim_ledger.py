"""Claim ledger (欠薪明细): one row a claim line, with its balance."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from domain.claims.balance import LINE_EVENTS, PAYMENT_EVENTS, Balance, after
from domain.claims.claim import Claim
from domain.entries import Recorded
from domain.payments.payment import Payment
from domain.sealing.personal import Sealed
from projections.ledger import Column, Kind, Row, RowLedger, Title


class ClaimRow(Row, frozen=True, kw_only=True):
    """A claim line and where it stands."""

    claim: str
    case: str
    line: str
    jurisdiction: str
    worker: Sealed | None = None
    worker_id: Sealed | None = None
    phone: Sealed | None = None
    nickname: Sealed | None = None
    crew: Sealed | None = None
    debtor: str | None = None
    period_from: date | None = None
    period_to: date | None = None
    stated_at: datetime
    balance: Balance


def _money(name: str, zh: str, en: str) -> Column:
    return Column(name, zh, en, Kind.MONEY, lambda row: getattr(row.balance, name))


claim_ledger = RowLedger(
    "claim",
    row=ClaimRow,
    version=3,
    title=Title("欠薪明细台账", "Claim ledger"),
    columns=(
        Column("claim", "明细编号", "Claim line", Kind.TEXT, lambda row: row.claim),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: row.case),
        Column("line", "行", "Line", Kind.TEXT, lambda row: row.line),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("worker", "农民工", "Worker", Kind.SEALED, lambda row: row.worker, sealed_field="worker"),
        Column("worker_id", "身份证号", "Id number", Kind.SEALED, lambda row: row.worker_id, sealed_field="worker_id"),
        Column("phone", "电话", "Telephone", Kind.SEALED, lambda row: row.phone, sealed_field="phone"),
        Column("nickname", "绰号", "Nickname", Kind.SEALED, lambda row: row.nickname, sealed_field="nickname"),
        Column("crew", "班组", "Crew", Kind.SEALED, lambda row: row.crew, sealed_field="crew"),
        Column("headcount", "人数", "Head-count", Kind.INTEGER, lambda row: row.balance.headcount),
        Column("kind", "类别", "Kind", Kind.TEXT, lambda row: row.balance.kind.value),
        Column("debtor", "欠薪单位", "Debtor", Kind.TEXT, lambda row: row.debtor),
        Column("period_from", "欠薪起", "Period from", Kind.DATE, lambda row: row.period_from),
        Column("period_to", "欠薪止", "Period to", Kind.DATE, lambda row: row.period_to),
        _money("claimed", "反映金额", "Claimed"),
        _money("verified", "核实金额", "Verified"),
        _money("rejected", "核减金额", "Rejected"),
        _money("waived", "放弃金额", "Waived"),
        _money("paid", "已付金额", "Paid"),
        _money("stated_paid", "其中仅据称已付", "Of it only stated"),
        _money("owing", "余额", "Owing"),
        _money("overpaid", "多付", "Overpaid"),
        _money("pending", "待核金额", "Pending"),
        _money("withdrawn", "撤回金额", "Withdrawn"),
        _money("disputed", "争议金额", "Disputed"),
        _money("instructed", "待到账", "Instructed"),
        _money("living_aid", "生活救助", "Living aid"),
        Column("verifications", "核定次数", "Times determined", Kind.INTEGER, lambda row: row.balance.verifications),
        Column("told", "已告知", "Told", Kind.BOOLEAN, lambda row: row.balance.told),
        Column(
            "answer",
            "回访答复",
            "Latest answer",
            Kind.TEXT,
            lambda row: row.balance.answer and row.balance.answer.value,
        ),
        Column("attempts", "回访次数", "Times asked", Kind.INTEGER, lambda row: row.balance.attempts),
        Column("left", "已并入或拆分", "Merged or split", Kind.BOOLEAN, lambda row: row.balance.left),
        Column("confirmed", "到手", "Confirmed", Kind.BOOLEAN, lambda row: row.balance.confirmed),
        Column("last_paid", "最近付款", "Last paid", Kind.TIME, lambda row: row.balance.last_paid),
    ),
    orders=("owing", "case"),
    filters=("jurisdiction", "case", "kind"),
)


def _claim_named(recorded: Recorded[Payment.LineCredited]) -> str | None:
    return recorded.event.claim


@claim_ledger.on(Claim.Created)
def stated(_: ClaimRow | None, recorded: Recorded[Claim.Created]) -> ClaimRow | None:
    """A line begins."""
    event = recorded.event
    balance = after(None, event)
    if balance is None:
        return None
    return ClaimRow(
        claim=recorded.envelope.subject,
        case=event.case,
        line=event.line,
        jurisdiction=event.place,
        worker=event.worker,
        worker_id=event.worker_id,
        phone=event.phone,
        debtor=event.debtor,
        period_from=event.period_from,
        period_to=event.period_to,
        stated_at=recorded.envelope.occurred,
        balance=balance,
    )


def _rebalance(row: ClaimRow | None, recorded: Recorded[Any]) -> ClaimRow | None:
    if row is None:
        return None
    balance = after(row.balance, recorded.event)
    return row if balance is None else msgspec.structs.replace(row, balance=balance)


@claim_ledger.on(Claim.WorkerDescribed)
def described(row: ClaimRow | None, recorded: Recorded[Claim.WorkerDescribed]) -> ClaimRow | None:
    """What is known of a worker who is not identified yet."""
    if row is None:
        return None
    seen = recorded.event.seen
    return msgspec.structs.replace(row, nickname=seen.nickname, crew=seen.crew, phone=row.phone or seen.phone)


@claim_ledger.on(Claim.Identified)
def identified(row: ClaimRow | None, recorded: Recorded[Claim.Identified]) -> ClaimRow | None:
    """Who the worker is."""
    if row is None:
        return None
    event = recorded.event
    another = row.balance.person not in (None, event.worker.subject)
    named = msgspec.structs.replace(
        row,
        worker=event.worker,
        worker_id=event.worker_id if another else event.worker_id or row.worker_id,
        phone=event.phone if another else event.phone or row.phone,
    )
    return _rebalance(named, recorded)


claim_ledger.on(*(kind for kind in LINE_EVENTS if kind is not Claim.Identified))(_rebalance)
claim_ledger.on(*PAYMENT_EVENTS, key=_claim_named)(_rebalance)
