"""Order ledger (文书台账): one row an order or notice, folded by `domain/orders/order.py`.

*Overdue* and *defied* depend on the day of the reader and are computed when shown (`domain/orders/standing.py`); the row keeps what they
need.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.entries import Recorded
from domain.orders.order import Order, after
from domain.orders.standing import OrderStanding
from domain.sealing.personal import Sealed
from domain.streams import StreamEvent
from projections.ledger import Column, Kind, Row, RowLedger, Title


class OrderRow(Row, frozen=True, kw_only=True):
    """An order and where it stands."""

    order: str
    number: str
    case: str
    jurisdiction: str
    law: str
    person: Sealed | None = None
    standing: OrderStanding

    @property
    def complied_last(self) -> datetime | None:
        """When something was last done after it."""
        return max((each.at for each in self.standing.compliances), default=None)


def _of(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row.standing, name))


order_ledger = RowLedger(
    "order",
    row=OrderRow,
    version=1,
    title=Title("文书台账", "Order ledger"),
    columns=(
        Column("number", "文书号", "Number", Kind.TEXT, lambda row: row.number),
        Column("order", "文书", "Order", Kind.TEXT, lambda row: row.order),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: row.case),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("kind", "种类", "Kind", Kind.TEXT, lambda row: row.standing.kind.value),
        Column("law", "法律依据", "Law", Kind.TEXT, lambda row: row.law),
        _of("against", "对象", "Against"),
        Column("person", "自然人对象", "Person", Kind.SEALED, lambda row: row.person, sealed_field="person"),
        _of("amount", "金额", "Amount", Kind.MONEY),
        _of("issued", "签发时间", "Issued", Kind.TIME),
        _of("served", "送达时间", "Served", Kind.TIME),
        _of("due", "期限", "Due", Kind.TIME),
        Column("complied", "最近履行", "Last complied", Kind.TIME, lambda row: row.complied_last),
        Column(
            "done",
            "已履行金额",
            "Amount done",
            Kind.MONEY,
            lambda row: sum(c.amount or 0 for c in row.standing.compliances),
        ),
        _of("receipt_refused", "拒收时间", "Receipt refused", Kind.TIME),
        _of("refused", "拒不履行时间", "Refused to comply", Kind.TIME),
        _of("withdrawn", "撤销时间", "Withdrawn", Kind.TIME),
        _of("replaced_by", "被替代为", "Replaced by"),
        Column("in_force", "有效", "In force", Kind.BOOLEAN, lambda row: row.standing.in_force),
    ),
    orders=("issued", "due"),
    filters=("jurisdiction", "case", "kind", "in_force"),
    search="number",
)


@order_ledger.on(Order.Created)
def issued(_: OrderRow | None, recorded: Recorded[Order.Created]) -> OrderRow | None:
    """An order was issued."""
    event = recorded.event
    standing = after(None, event)
    if standing is None:
        return None
    return OrderRow(
        order=recorded.envelope.subject,
        number=event.number,
        case=event.case,
        jurisdiction=event.place,
        law=event.law,
        person=event.person,
        standing=standing,
    )


def _moved(row: OrderRow | None, recorded: Recorded[StreamEvent]) -> OrderRow | None:
    if row is None:
        return None
    standing = after(row.standing, recorded.event)
    return row if standing is None else msgspec.structs.replace(row, standing=standing)


order_ledger.on(
    Order.Served,
    Order.ReceiptRefused,
    Order.Complied,
    Order.PartlyComplied,
    Order.ComplianceRefuted,
    Order.Refused,
    Order.Withdrawn,
    Order.Replaced,
)(_moved)
