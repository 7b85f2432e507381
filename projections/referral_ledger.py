"""Referral ledger (移送台账): one row a referral, folded by `domain/referrals/referral.py`. It never touches a balance (N28, N29).

The clocks of order 310 depend on the calendar and on the day of the reader: `domain/referrals/clocks.py` computes them when shown.
"""

from __future__ import annotations

import msgspec

from domain.entries import Recorded
from domain.referrals.referral import Referral, after
from domain.referrals.standing import ReferralStanding
from domain.streams import StreamEvent
from projections.ledger import Column, Kind, Row, RowLedger, Title


class ReferralRow(Row, frozen=True, kw_only=True):
    """A referral and where it stands."""

    referral: str
    number: str
    case: str
    jurisdiction: str
    standing: ReferralStanding


def _of(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row.standing, name))


def _milestone(name: str, zh: str, en: str) -> Column:
    return Column(name, zh, en, Kind.TIME, lambda row: getattr(row.standing.milestones, name))


referral_ledger = RowLedger(
    "referral",
    row=ReferralRow,
    version=1,
    title=Title("移送台账", "Referral ledger"),
    columns=(
        Column("number", "移送书号", "Number", Kind.TEXT, lambda row: row.number),
        Column("referral", "移送", "Referral", Kind.TEXT, lambda row: row.referral),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: row.case),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("kind", "种类", "Kind", Kind.TEXT, lambda row: row.standing.kind.value),
        _of("to", "移送对象", "To"),
        Column("state", "状态", "State", Kind.TEXT, lambda row: row.standing.state.value),
        _of("amount", "涉及金额", "Amount", Kind.MONEY),
        _of("sent", "移送时间", "Sent", Kind.TIME),
        _of("acknowledged", "签收时间", "Acknowledged", Kind.TIME),
        _of("receipt", "回执", "Receipt"),
        _of("accepted", "受理时间", "Accepted", Kind.TIME),
        _of("their_number", "对方编号", "Their number"),
        _of("refused", "不予受理时间", "Refused", Kind.TIME),
        _of("reconsideration_asked", "提请复议", "Reconsideration asked", Kind.TIME),
        _of("returned", "退回时间", "Returned", Kind.TIME),
        _of("forwarded_to", "转往", "Forwarded to"),
        _of("material_handed_over", "材料移交", "Material handed over", Kind.TIME),
        _milestone("case_filed", "立案", "Case filed"),
        _milestone("prosecuted", "提起公诉", "Prosecuted"),
        _milestone("first_judgment", "一审宣判", "First judgment"),
        Column(
            "supervision",
            "督办级别",
            "Supervised by",
            Kind.TEXT,
            lambda row: None if row.standing.supervision is None else row.standing.supervision.value,
        ),
        Column(
            "conclusion",
            "结论",
            "Conclusion",
            Kind.TEXT,
            lambda row: None if row.standing.conclusion is None else row.standing.conclusion.value,
        ),
        _of("concluded", "办结时间", "Concluded", Kind.TIME),
        _of("last_answer", "最近答复", "Last answer", Kind.TIME),
    ),
    orders=("sent", "last_answer"),
    filters=("jurisdiction", "case", "kind", "state"),
    search="number",
)


@referral_ledger.on(Referral.Created)
def sent(_: ReferralRow | None, recorded: Recorded[Referral.Created]) -> ReferralRow | None:
    """Something was referred."""
    event = recorded.event
    standing = after(None, event)
    if standing is None:
        return None
    return ReferralRow(
        referral=recorded.envelope.subject,
        number=event.number,
        case=event.case,
        jurisdiction=event.place,
        standing=standing,
    )


def _moved(row: ReferralRow | None, recorded: Recorded[StreamEvent]) -> ReferralRow | None:
    if row is None:
        return None
    standing = after(row.standing, recorded.event)
    return row if standing is None else msgspec.structs.replace(row, standing=standing)


referral_ledger.on(
    Referral.Acknowledged,
    Referral.Accepted,
    Referral.Refused,
    Referral.ReconsiderationAsked,
    Referral.Returned,
    Referral.Forwarded,
    Referral.MaterialHandedOver,
    Referral.Progressed,
    Referral.SupervisionSet,
    Referral.Concluded,
)(_moved)
