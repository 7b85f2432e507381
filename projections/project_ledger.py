"""Project ledger (工程项目台账) and safeguard ledger (五项保障): folded by `domain/projects/project.py` (N33, N39).

Whether a lamp is lit depends on the day of the reader: `domain/projects/standing.py` computes it when shown (`lamps`); rows keep what it
needs. The safeguard ledger has one row a showing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from domain.entries import Recorded
from domain.money import Fen
from domain.projects.particulars import PartyRole
from domain.projects.project import Project, follow
from domain.projects.standing import Standing
from domain.streams import StreamEvent
from projections.ledger import Column, DerivedLedger, Kind, Row, RowLedger, Title


class ProjectRow(Row, frozen=True, kw_only=True):
    """A project and what is known of it."""

    project: str
    registered_at: datetime
    standing: Standing

    def organisations(self, role: PartyRole) -> list[str]:
        """Who has that role and has not left, in the order of entering."""
        found = [p for p in self.standing.parties.values() if p.role is role and p.until is None and p.organisation]
        return [party.organisation for party in sorted(found, key=lambda p: p.number) if party.organisation]


def _particular(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row.standing.particulars, name))


def _numbers(name: str, zh: str, en: str) -> Column:
    return Column(name, zh, en, Kind.LIST, lambda row: list(getattr(row.standing.particulars, name)))


def _sum(name: str, zh: str, en: str) -> Column:
    return Column(name, zh, en, Kind.MONEY, lambda row: getattr(row.standing, name))


def _parties(name: str, zh: str, en: str, role: PartyRole) -> Column:
    return Column(name, zh, en, Kind.LIST, lambda row: row.organisations(role))


project_ledger = RowLedger(
    "project",
    row=ProjectRow,
    version=1,
    title=Title("工程项目台账", "Project ledger"),
    columns=(
        Column("number", "项目编号", "Number", Kind.TEXT, lambda row: row.standing.number),
        _particular("name", "项目名称", "Name"),
        Column("project", "项目", "Project", Kind.TEXT, lambda row: row.project),
        _particular("jurisdiction", "属地", "Jurisdiction"),
        Column("funding", "项目类型", "Funding", Kind.TEXT, lambda row: row.standing.particulars.funding.value),
        Column("industry", "行业主管", "Regulator", Kind.TEXT, lambda row: row.standing.particulars.industry.value),
        _particular("address", "地址", "Address"),
        _particular("kind", "类型", "Kind"),
        _numbers("permits", "施工许可证", "Permits"),
        _numbers("approvals", "立项审批文号", "Approvals"),
        _numbers("contracts", "合同备案号", "Contracts"),
        _particular("contract_amount", "合同价", "Contract amount", Kind.MONEY),
        _particular("begins", "开工", "Begins", Kind.DATE),
        _particular("ends", "竣工", "Ends", Kind.DATE),
        _parties("developers", "建设单位", "Developers", PartyRole.DEVELOPER),
        _parties("general_contractors", "总承包单位", "General contractors", PartyRole.GENERAL_CONTRACTOR),
        _parties("subcontractors", "分包单位", "Subcontractors", PartyRole.SUBCONTRACTOR),
        Column("parties", "参建单位数", "Parties", Kind.INTEGER, lambda row: len(row.standing.parties)),
        Column(
            "shareholders",
            "股权结构",
            "Shareholders",
            Kind.LIST,
            lambda row: [f"{each.holder} {each.basis_points / 100:g}%" for each in row.standing.shareholders],
        ),
        _sum("arranged", "到位资金", "Money arranged"),
        _sum("disbursed", "已拨付", "Paid out"),
        _sum("disbursed_wages", "其中人工费", "Of it for wages"),
        Column(
            "state",
            "形象进度",
            "State",
            Kind.TEXT,
            lambda row: row.standing.states[-1].state.value if row.standing.states else None,
        ),
        Column(
            "platform_since",
            "实名制平台录入",
            "In the real-name platform since",
            Kind.DATE,
            lambda row: row.standing.platform_since,
        ),
        Column(
            "showings", "保障证明数", "Showings of safeguards", Kind.INTEGER, lambda row: len(row.standing.showings)
        ),
    ),
    orders=("name", "contract_amount"),
    filters=("jurisdiction", "funding", "industry", "state"),
    search="number",
)


def _moved(row: ProjectRow | None, recorded: Recorded[StreamEvent]) -> ProjectRow | None:
    standing = follow(None if row is None else row.standing, recorded.event)
    if standing is None:
        return None
    if row is None:
        return ProjectRow(
            project=recorded.envelope.subject, registered_at=recorded.envelope.occurred, standing=standing
        )
    return msgspec.structs.replace(row, standing=standing)


project_ledger.on(
    Project.Created,
    Project.Amended,
    Project.PartyEntered,
    Project.PartyPlaced,
    Project.PartyLeft,
    Project.SharesHeld,
    Project.FundsArranged,
    Project.FundsDisbursed,
    Project.StateEntered,
    Project.EnteredRealNamePlatform,
    Project.SafeguardEvidenced,
    Project.SafeguardRefuted,
)(_moved)


class SafeguardRow(Row, frozen=True, kw_only=True):
    """One time that a safeguard of a project was shown."""

    project: str
    number: str
    name: str
    jurisdiction: str
    safeguard: str
    showing: int
    valid_from: date
    valid_to: date | None = None
    refuted_since: date | None = None
    deposit: Fen | None = None
    bank: str | None = None


def _showings(row: ProjectRow) -> Mapping[str, SafeguardRow]:
    standing = row.standing
    return {
        f"{row.project}/{showing.number:05d}": SafeguardRow(
            project=row.project,
            number=standing.number,
            name=standing.particulars.name,
            jurisdiction=standing.particulars.jurisdiction,
            safeguard=showing.safeguard.value,
            showing=showing.number,
            valid_from=showing.valid_from,
            valid_to=showing.valid_to,
            refuted_since=showing.refuted_since,
            deposit=None if showing.deposit is None else showing.deposit.amount,
            bank=showing.account.bank if showing.account else showing.deposit.bank if showing.deposit else None,
        )
        for showing in standing.showings.values()
    }


def _plain(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row, name))


safeguard_ledger = DerivedLedger(
    "safeguard",
    row=SafeguardRow,
    version=1,
    title=Title("五项保障台账", "Safeguard ledger"),
    columns=(
        _plain("number", "项目编号", "Project number"),
        _plain("name", "项目名称", "Project"),
        _plain("project", "项目", "Project id"),
        _plain("jurisdiction", "属地", "Jurisdiction"),
        _plain("safeguard", "保障", "Safeguard"),
        _plain("showing", "序号", "Showing", Kind.INTEGER),
        _plain("valid_from", "有效起", "Valid from", Kind.DATE),
        _plain("valid_to", "有效止", "Valid to", Kind.DATE),
        _plain("refuted_since", "被否定自", "Refuted since", Kind.DATE),
        _plain("deposit", "保证金", "Deposit", Kind.MONEY),
        _plain("bank", "银行", "Bank"),
    ),
    orders=("valid_from", "valid_to"),
    filters=("jurisdiction", "safeguard", "project"),
    search="number",
    source=project_ledger,
    derive=_showings,
)
