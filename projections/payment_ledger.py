"""Payment ledger (支付台账): one row a payment, its control totals beside what its lines add up to."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.entries import Recorded
from domain.money import Fen
from domain.payments.payment import Payment
from domain.streams import Basis
from domain.vocabulary import MoneySource, Purpose
from projections.ledger import Column, Kind, Row, RowLedger, Title


class PaymentRow(Row, frozen=True, kw_only=True):
    """A payment: header, and sums of its lines in fen."""

    payment: str
    case: str
    jurisdiction: str
    paid_on: datetime
    payer: str | None = None
    source: MoneySource
    purpose: Purpose
    voucher: str | None = None
    lines: int
    headcount: int
    total: Fen
    basis: Basis
    instructed_lines: int = 0
    instructed: Fen = 0
    """Ordered and neither credited nor failed."""
    failed_lines: int = 0
    credited_lines: int = 0
    credited: Fen = 0
    unallocated: Fen = 0
    returned: Fen = 0
    reversed: Fen = 0
    moved: Fen = 0
    """Net of what was moved here from other payments and from here to others; moves within the payment cancel out."""

    @property
    def remaining(self) -> Fen:
        """What stays credited after returns, reversals, and moves to or from other payments."""
        return self.credited - self.returned - self.reversed + self.moved


payment_ledger = RowLedger(
    "payment",
    row=PaymentRow,
    version=2,
    title=Title("支付台账", "Payment ledger"),
    columns=(
        Column("payment", "支付编号", "Payment", Kind.TEXT, lambda row: row.payment),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: row.case),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("paid_on", "付款时间", "Paid on", Kind.TIME, lambda row: row.paid_on),
        Column("payer", "付款方", "Payer", Kind.TEXT, lambda row: row.payer),
        Column("source", "资金来源", "Source of money", Kind.TEXT, lambda row: row.source.value),
        Column("purpose", "用途", "Purpose", Kind.TEXT, lambda row: row.purpose.value),
        Column("voucher", "凭证", "Voucher", Kind.TEXT, lambda row: row.voucher),
        Column("basis", "依据等级", "Grade of basis", Kind.TEXT, lambda row: row.basis.value),
        Column("lines", "应有笔数", "Lines announced", Kind.INTEGER, lambda row: row.lines),
        Column("credited_lines", "实有笔数", "Lines credited", Kind.INTEGER, lambda row: row.credited_lines),
        Column("headcount", "人数", "Head-count", Kind.INTEGER, lambda row: row.headcount),
        Column("instructed", "待到账", "Instructed", Kind.MONEY, lambda row: row.instructed),
        Column("failed_lines", "失败笔数", "Lines failed", Kind.INTEGER, lambda row: row.failed_lines),
        Column("total", "应有合计", "Total announced", Kind.MONEY, lambda row: row.total),
        Column("credited", "实有合计", "Total credited", Kind.MONEY, lambda row: row.credited),
        Column("returned", "退回", "Returned", Kind.MONEY, lambda row: row.returned),
        Column("reversed", "冲销", "Reversed", Kind.MONEY, lambda row: row.reversed),
        Column("remaining", "净额", "Remaining", Kind.MONEY, lambda row: row.remaining),
        Column("moved", "移出移入", "Moved", Kind.MONEY, lambda row: row.moved),
        Column("unallocated", "未对应", "Unallocated", Kind.MONEY, lambda row: row.unallocated),
    ),
    orders=("paid_on", "remaining"),
    filters=("jurisdiction", "case", "source", "basis"),
)


@payment_ledger.on(Payment.Created)
def recorded_payment(_: PaymentRow | None, recorded: Recorded[Payment.Created]) -> PaymentRow:
    """A payment begins with its header."""
    event = recorded.event
    return PaymentRow(
        payment=recorded.envelope.subject,
        case=event.case,
        jurisdiction=event.place,
        paid_on=recorded.envelope.occurred,
        payer=event.payer,
        source=event.source,
        purpose=event.purpose,
        voucher=event.voucher,
        lines=event.lines,
        headcount=event.headcount,
        total=event.total,
        basis=recorded.envelope.basis or Basis.STATED,
    )


@payment_ledger.on(Payment.LineCredited)
def credited(row: PaymentRow | None, recorded: Recorded[Payment.LineCredited]) -> PaymentRow | None:
    """A line was credited."""
    if row is None:
        return None
    event = recorded.event
    waited = event.instructed is not None
    return msgspec.structs.replace(
        row,
        instructed_lines=row.instructed_lines - waited,
        instructed=row.instructed - (event.instructed or 0),
        credited_lines=row.credited_lines + 1,
        credited=row.credited + event.amount,
        unallocated=row.unallocated + (event.amount if event.claim is None else 0),
    )


@payment_ledger.on(Payment.LineInstructed)
def instructed(row: PaymentRow | None, recorded: Recorded[Payment.LineInstructed]) -> PaymentRow | None:
    """A line was ordered to be paid."""
    if row is None:
        return None
    return msgspec.structs.replace(
        row, instructed_lines=row.instructed_lines + 1, instructed=row.instructed + recorded.event.amount
    )


@payment_ledger.on(Payment.LineFailed)
def failed(row: PaymentRow | None, recorded: Recorded[Payment.LineFailed]) -> PaymentRow | None:
    """An instructed line was not carried out."""
    if row is None:
        return None
    return msgspec.structs.replace(
        row,
        instructed_lines=row.instructed_lines - 1,
        instructed=row.instructed - recorded.event.amount,
        failed_lines=row.failed_lines + 1,
    )


@payment_ledger.on(Payment.LineMovedAway)
def moved_away(row: PaymentRow | None, recorded: Recorded[Payment.LineMovedAway]) -> PaymentRow | None:
    """Money of a line counts elsewhere now; what the payment adds up to stays unless it went to another payment."""
    if row is None:
        return None
    event = recorded.event
    return msgspec.structs.replace(
        row,
        moved=row.moved - event.amount,
        unallocated=row.unallocated - (event.amount if event.claim is None else 0),
    )


@payment_ledger.on(Payment.LineMovedHere)
def moved_here(row: PaymentRow | None, recorded: Recorded[Payment.LineMovedHere]) -> PaymentRow | None:
    """The other half of a move."""
    if row is None:
        return None
    event = recorded.event
    return msgspec.structs.replace(
        row,
        moved=row.moved + event.amount,
        unallocated=row.unallocated + (event.amount if event.claim is None else 0),
    )


@payment_ledger.on(Payment.LineReturned)
def returned(row: PaymentRow | None, recorded: Recorded[Payment.LineReturned]) -> PaymentRow | None:
    """The bank returned a line."""
    if row is None:
        return None
    event = recorded.event
    return msgspec.structs.replace(
        row,
        returned=row.returned + event.amount,
        unallocated=row.unallocated - (event.amount if event.claim is None else 0),
    )


@payment_ledger.on(Payment.LineReversed)
def reversed_line(row: PaymentRow | None, recorded: Recorded[Payment.LineReversed]) -> PaymentRow | None:
    """A line, or a part of it, was reversed."""
    if row is None:
        return None
    event = recorded.event
    return msgspec.structs.replace(
        row,
        reversed=row.reversed + event.amount,
        unallocated=row.unallocated - (event.amount if event.claim is None else 0),
    )


@payment_ledger.on(Payment.LineEvidenced)
def evidenced(row: PaymentRow | None, recorded: Recorded[Payment.LineEvidenced]) -> PaymentRow | None:
    """The grade of a line changed; a payment of one line takes its grade, one of many keeps the weakest it had."""
    if row is None:
        return None
    basis = recorded.envelope.basis or Basis.STATED
    if row.credited_lines == 1 or basis.rank < row.basis.rank:
        return msgspec.structs.replace(row, basis=basis)
    return row
