"""Duty roster of cases (责任人名册): who answers for what in which case now; its versions say who did before (N22, N24)."""

from __future__ import annotations

from collections.abc import Mapping

from domain.sealing.personal import Sealed
from projections.case_ledger import CaseRow, case_ledger
from projections.ledger import Column, DerivedLedger, Kind, Row, Title


class DutyRow(Row, frozen=True, kw_only=True):
    """A duty that somebody holds."""

    case: str
    number: str
    jurisdiction: str
    duty: str
    officer: str | None = None
    name: Sealed | None = None
    post: str | None = None
    phone: Sealed | None = None


def _duties(row: CaseRow) -> Mapping[str, DutyRow]:
    found = {}
    for held in row.procedure.duties:
        holder = held.holder
        who = holder.officer or (holder.name.subject if holder.name else "nobody")
        found[f"{row.case}/{held.duty.value}/{who}"] = DutyRow(
            case=row.case,
            number=row.number,
            jurisdiction=row.particulars.jurisdiction,
            duty=held.duty.value,
            officer=holder.officer,
            name=holder.name,
            post=holder.post,
            phone=holder.phone,
        )
    return found


def _plain(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row, name))


duty_ledger = DerivedLedger(
    "duty",
    row=DutyRow,
    version=1,
    title=Title("责任人名册", "Duty roster"),
    columns=(
        _plain("number", "案件编号", "Case number"),
        _plain("case", "案件", "Case"),
        _plain("jurisdiction", "属地", "Jurisdiction"),
        _plain("duty", "职责", "Duty"),
        _plain("officer", "人员", "Officer"),
        Column("name", "姓名", "Name", Kind.SEALED, lambda row: row.name, sealed_field="duty_name"),
        _plain("post", "职务", "Post"),
        Column("phone", "电话", "Telephone", Kind.SEALED, lambda row: row.phone, sealed_field="duty_phone"),
    ),
    orders=("number", "duty"),
    filters=("jurisdiction", "duty", "officer", "case"),
    search="number",
    source=case_ledger,
    derive=_duties,
)
