"""Permit lists (许可审批名单): one row an authority's list with its newest edition, and one a listed row of it (N39).

The base of projects is known once every listed permit and approval has a registered project, and the reverse: the reconciliation of
`domain/projects/reconciliation.py`, made when asked from these rows and the project ledger's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from domain.entries import Recorded
from domain.money import Fen
from domain.projects.permit_list import Edition, PermitList, read
from domain.streams import StreamEvent
from projections.ledger import Column, DerivedLedger, Kind, Row, RowLedger, Title


class PermitListRow(Row, frozen=True, kw_only=True):
    """A list, and its newest edition as far as it has been read."""

    permit_list: str
    newest: Edition


permit_list_ledger = RowLedger(
    "permit-list",
    row=PermitListRow,
    version=1,
    title=Title("许可审批名单", "Permit lists"),
    columns=(
        Column("permit_list", "名单", "List", Kind.TEXT, lambda row: row.permit_list),
        Column("kind", "种类", "Kind", Kind.TEXT, lambda row: row.newest.kind.value),
        Column("authority", "审批机关", "Authority", Kind.TEXT, lambda row: row.newest.authority),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.newest.place),
        Column("edition", "期次", "Edition", Kind.INTEGER, lambda row: row.newest.edition),
        Column("asof", "截至", "As of", Kind.DATE, lambda row: row.newest.asof),
        Column("rows", "条数", "Rows", Kind.INTEGER, lambda row: row.newest.expected),
        Column("whole", "完整", "Whole", Kind.BOOLEAN, lambda row: row.newest.whole),
    ),
    orders=("asof",),
    filters=("jurisdiction", "kind"),
    search="authority",
)


def _read(row: PermitListRow | None, recorded: Recorded[StreamEvent]) -> PermitListRow | None:
    edition = read(None if row is None else row.newest, recorded.event)
    return None if edition is None else PermitListRow(permit_list=recorded.envelope.subject, newest=edition)


permit_list_ledger.on(PermitList.Created, PermitList.EditionHandedIn, PermitList.RowsListed)(_read)


class PermitRow(Row, frozen=True, kw_only=True):
    """A permit or approval of the newest edition."""

    permit_list: str
    place_in_list: int
    kind: str
    authority: str
    jurisdiction: str
    number: str | None = None
    name: str
    developer: str | None = None
    amount: Fen | None = None
    on: date | None = None


def _listed(row: PermitListRow) -> Mapping[str, PermitRow]:
    newest = row.newest
    if not newest.whole:
        return {}
    return {
        f"{row.permit_list}/{place:05d}": PermitRow(
            permit_list=row.permit_list,
            place_in_list=place,
            kind=newest.kind.value,
            authority=newest.authority,
            jurisdiction=each.place or newest.place,
            number=each.number,
            name=each.name,
            developer=each.developer,
            amount=each.amount,
            on=each.on,
        )
        for place, each in enumerate(newest.rows, 1)
    }


def _plain(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row, name))


permit_ledger = DerivedLedger(
    "permit",
    row=PermitRow,
    version=1,
    title=Title("许可审批台账", "Permits and approvals"),
    columns=(
        _plain("number", "文号", "Number"),
        _plain("name", "项目名称", "Project"),
        _plain("kind", "种类", "Kind"),
        _plain("authority", "审批机关", "Authority"),
        _plain("jurisdiction", "属地", "Jurisdiction"),
        _plain("developer", "建设单位", "Developer"),
        _plain("amount", "金额", "Amount", Kind.MONEY),
        _plain("on", "日期", "On", Kind.DATE),
        _plain("permit_list", "名单", "List"),
        _plain("place_in_list", "序号", "Row", Kind.INTEGER),
    ),
    orders=("name", "on"),
    filters=("jurisdiction", "kind", "permit_list"),
    search="number",
    source=permit_list_ledger,
    derive=_listed,
)
