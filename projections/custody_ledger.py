"""Custody ledger (托管代领台账): one row a sum that somebody holds for workers. It discharges nothing (definitions.md, *payment*)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.custody.custody import Custody
from domain.entries import Recorded
from domain.money import Fen
from domain.sealing.personal import Sealed
from domain.vocabulary import HolderKind, MoneySource
from projections.ledger import Column, Kind, Row, RowLedger, Title


class CustodyRow(Row, frozen=True, kw_only=True):
    """A sum in custody, and what became of it."""

    custody: str
    number: str
    case: str
    jurisdiction: str
    holder_kind: HolderKind
    holder: Sealed | None = None
    account: str | None = None
    payer: str | None = None
    source: MoneySource
    taken_on: datetime
    amount: Fen
    authorised: tuple[str, ...] = ()
    passed_on: Fen = 0
    returned: Fen = 0
    lists_back: int = 0

    @property
    def held(self) -> Fen:
        """What is left with the holder."""
        return max(0, self.amount - self.passed_on - self.returned)

    @property
    def overdrawn(self) -> Fen:
        """What was passed on or returned beyond what was taken."""
        return max(0, self.passed_on + self.returned - self.amount)


def _plain(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row, name))


custody_ledger = RowLedger(
    "custody",
    row=CustodyRow,
    version=2,
    title=Title("托管代领台账", "Custody ledger"),
    columns=(
        _plain("number", "编号", "Number"),
        _plain("custody", "托管", "Custody"),
        _plain("case", "案件", "Case"),
        _plain("jurisdiction", "属地", "Jurisdiction"),
        Column("holder_kind", "持有方", "Held by", Kind.TEXT, lambda row: row.holder_kind.value),
        Column("holder", "持有人", "Holder", Kind.SEALED, lambda row: row.holder, sealed_field="holder"),
        _plain("account", "托管账户单位", "Keeper of the account"),
        _plain("payer", "付款方", "Payer"),
        Column("source", "资金来源", "Source of money", Kind.TEXT, lambda row: row.source.value),
        _plain("taken_on", "收款时间", "Taken on", Kind.TIME),
        _plain("amount", "金额", "Amount", Kind.MONEY),
        Column("authorised", "已授权人数", "Authorised", Kind.INTEGER, lambda row: len(row.authorised)),
        _plain("passed_on", "已发放", "Passed on", Kind.MONEY),
        _plain("returned", "已退回", "Given back", Kind.MONEY),
        _plain("held", "余存", "Still held", Kind.MONEY),
        _plain("overdrawn", "超付", "Overdrawn", Kind.MONEY),
        _plain("lists_back", "收回签字表", "Lists brought back", Kind.INTEGER),
    ),
    orders=("taken_on", "held"),
    filters=("jurisdiction", "case", "holder_kind"),
    search="number",
)


@custody_ledger.on(Custody.Created)
def opened(_: CustodyRow | None, recorded: Recorded[Custody.Created]) -> CustodyRow:
    """Somebody took money for workers."""
    event = recorded.event
    return CustodyRow(
        custody=recorded.envelope.subject,
        number=event.number,
        case=event.case,
        jurisdiction=event.place,
        holder_kind=event.holder_kind,
        holder=event.holder,
        account=event.account,
        payer=event.payer,
        source=event.source,
        taken_on=recorded.envelope.occurred,
        amount=event.amount,
    )


@custody_ledger.on(Custody.Authorised)
def authorised(row: CustodyRow | None, recorded: Recorded[Custody.Authorised]) -> CustodyRow | None:
    """Workers authorised the holder; what counts is on paper."""
    if row is None or not recorded.event.evidence:
        return row
    more = tuple(dict.fromkeys((*row.authorised, *recorded.event.claims)))
    return msgspec.structs.replace(row, authorised=more)


@custody_ledger.on(Custody.PassedOn)
def passed_on(row: CustodyRow | None, recorded: Recorded[Custody.PassedOn]) -> CustodyRow | None:
    """Money was passed on."""
    return None if row is None else msgspec.structs.replace(row, passed_on=row.passed_on + recorded.event.amount)


@custody_ledger.on(Custody.ListBroughtBack)
def list_brought_back(row: CustodyRow | None, _: Recorded[Custody.ListBroughtBack]) -> CustodyRow | None:
    """A signed list came back."""
    return None if row is None else msgspec.structs.replace(row, lists_back=row.lists_back + 1)


@custody_ledger.on(Custody.Returned)
def given_back(row: CustodyRow | None, recorded: Recorded[Custody.Returned]) -> CustodyRow | None:
    """Money went back."""
    return None if row is None else msgspec.structs.replace(row, returned=row.returned + recorded.event.amount)
