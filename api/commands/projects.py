"""Commands about projects, and about the permit lists that their register is held against (clauses N02, N33, N39, N40)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from api.commands.command import Noun, by_id, by_number
from api.commands.desk import Desk
from api.commands.fields import Amount, Count, Day, Kind, Label, Line, Positive, Prose
from api.commands.forms import EvidenceForm, Fact, Form, Timed
from api.words import Word
from domain.errors import InputError
from domain.projects import handlers
from domain.projects.particulars import (
    Contact,
    Deposit,
    DepositForm,
    Duty,
    Industry,
    PartyRole,
    ProjectParticulars,
    ProjectState,
    Safeguard,
    Shareholder,
    WageAccount,
)
from domain.projects.permit_list import ListedRow, ListKind, PermitList
from domain.projects.project import Project
from domain.streams import Provenance
from domain.vocabulary import Funding

PROJECTS = Noun(
    "project",
    "projects",
    Word("项目", "Project"),
    Project,
    by_number(Project, handlers.project_id, "project"),
    ledger="project",
)
PERMIT_LISTS = Noun(
    "permit-list",
    "permit-lists",
    Word("许可审批名单", "Permit list"),
    PermitList,
    by_id(PermitList, "permit list"),
    ledger="permit-list",
)
_CHAIN, _MONEY, _SAFE = Word("参建单位", "Parties"), Word("资金", "Money"), Word("五项保障", "Safeguards")


class About(Form):
    """What is known of a project as a whole."""

    name: Annotated[Line, Label("项目名称", "Name")]
    funding: Annotated[Funding, Label("项目类型", "Funding")]
    industry: Annotated[Industry, Label("行业主管", "Regulator")]
    place: Annotated[Line | None, Label("属地", "Place", "不填即本人属地", "left blank: one's own")] = None
    address: Annotated[Line | None, Label("地址", "Address")] = None
    kind: Annotated[Line | None, Label("类型", "Kind")] = None
    permits: Annotated[tuple[Line, ...], Label("施工许可证", "Permits", "每行一个", "one a line")] = ()
    approvals: Annotated[tuple[Line, ...], Label("立项审批文号", "Approvals", "每行一个", "one a line")] = ()
    contracts: Annotated[tuple[Line, ...], Label("合同备案号", "Contracts", "每行一个", "one a line")] = ()
    contract_amount: Annotated[Amount | None, Label("合同价（元）", "Contract amount (yuan)", kind=Kind.MONEY)] = None
    budget: Annotated[Amount | None, Label("预算（元）", "Budget (yuan)", kind=Kind.MONEY)] = None
    area: Annotated[Count | None, Label("面积（平方米）", "Area (square metres)")] = None
    begins: Annotated[Day | None, Label("开工", "Begins")] = None
    ends: Annotated[Day | None, Label("竣工", "Ends")] = None
    note: Annotated[Prose | None, Label("备注", "Remarks", kind=Kind.PROSE, sealed=True)] = None

    def particulars(self, desk: Desk, stream: str, place: str) -> ProjectParticulars:
        """The particulars, remarks sealed under the project's key."""
        said = self.model_dump(include=set(_PLAIN))
        return ProjectParticulars(**said, jurisdiction=place, note=desk.seal_given(stream, "note", self.note))


_PLAIN = frozenset(ProjectParticulars.__struct_fields__) - {"jurisdiction", "note"}


def _place(desk: Desk, said: str | None, otherwise: str) -> str:
    place = otherwise if said is None else desk.platform.info.tree.find(said).code
    desk.require_place(place)
    return place


class Register(About, Timed):
    """A project under its official number."""

    number: Annotated[Line, Label("项目编号", "Number")]


@PROJECTS.opening("register", Word("登记项目", "Register a project"), clause="N39")
def register(desk: Desk, form: Register) -> None:
    """Enters a project in the register."""
    place = _place(desk, form.place, desk.officer.jurisdiction)
    handlers.register_project(
        desk.streams,
        origin=desk.origin,
        number=form.number,
        particulars=form.particulars(desk, handlers.project_id(desk.origin, form.number), place),
        provenance=desk.provenance(form, "N39"),
        **desk.sent,
    )


def _change(
    desk: Desk, project: str, change: Callable[[Project, Provenance], object], form: Timed, clause: str
) -> None:
    provenance = desk.provenance(form, clause)
    handlers.change_project(desk.streams, project=project, change=lambda found: change(found, provenance), **desk.sent)


class Amend(About, Timed):
    """The particulars as they are right, all of them."""

    reason: Annotated[Prose, Label("更正理由", "Reason", kind=Kind.PROSE, sealed=True)]


@PROJECTS.command("amend", Word("更正项目情况", "Correct the particulars"), clause="N39")
def amend(desk: Desk, project: str, form: Amend) -> None:
    """Records what the particulars should have been."""
    place = _place(desk, form.place, desk.streams.get(Project, project).jurisdiction)
    said, reason = form.particulars(desk, project, place), desk.seal(project, "reason", form.reason)
    _change(desk, project, lambda found, provenance: found.amend(said, reason, provenance), form, "N39")


class Person(Form):
    """A person of a party."""

    duty: Annotated[Duty, Label("职责", "Duty")]
    name: Annotated[Line, Label("姓名", "Name", sealed=True)]
    phone: Annotated[Line | None, Label("电话", "Telephone", sealed=True)] = None
    id_number: Annotated[Line | None, Label("身份证号", "Id number", sealed=True)] = None


class Enter(Fact):
    """Who is it, what is it in the project, with whom does it contract."""

    role: Annotated[PartyRole, Label("身份", "Role")]
    since: Annotated[Day, Label("自", "Since")]
    organisation: Annotated[Line | None, Label("单位名称", "Organisation")] = None
    code: Annotated[Line | None, Label("统一社会信用代码", "Credit code")] = None
    contract: Annotated[Line | None, Label("合同", "Contract")] = None
    under: Annotated[
        Count | None, Label("上家序号", "Under party", "其合同相对方", "the number of whom it contracts with")
    ] = None
    people: Annotated[tuple[Person, ...], Label("人员", "People")] = ()


@PROJECTS.command("enter-party", Word("登记参建单位", "Enter a party"), clause="N39", group=_CHAIN)
def enter_party(desk: Desk, project: str, form: Enter) -> None:
    """Enters a party: the developer, the general contractor, subcontractors, crews; and with whom it contracts."""
    people = tuple(_contact(desk, each) for each in form.people)
    evidence = desk.files(form.evidence)
    _change(
        desk,
        project,
        lambda found, provenance: found.enter_party(
            form.role,
            form.since,
            provenance,
            under=form.under,
            organisation=form.organisation,
            code=form.code,
            contract=form.contract,
            people=people,
            evidence=evidence,
        ),
        form,
        "N39",
    )


def _contact(desk: Desk, person: Person) -> Contact:
    subject = desk.person(person.id_number)
    return Contact(
        duty=person.duty,
        name=desk.seal(subject, "name", person.name),
        id_number=desk.seal_given(subject, "id_number", person.id_number),
        phone=desk.seal_given(subject, "phone", person.phone),
    )


class PlaceParty(Timed):
    """Which party, under which other, and why."""

    party: Annotated[Count, Label("参建单位序号", "Party")]
    under: Annotated[Count | None, Label("上家序号", "Under party")] = None
    reason: Annotated[Prose, Label("理由", "Reason", kind=Kind.PROSE, sealed=True)]


@PROJECTS.command("place-party", Word("更正承包关系", "Put the chain right"), clause="N29", group=_CHAIN)
def place_party(desk: Desk, project: str, form: PlaceParty) -> None:
    """Puts right with whom a party contracts."""
    reason = desk.seal(project, "reason", form.reason)
    _change(
        desk,
        project,
        lambda found, provenance: found.place_party(form.party, form.under, reason, provenance),
        form,
        "N29",
    )


class Leave(Timed):
    """Which party, and its last day."""

    party: Annotated[Count, Label("参建单位序号", "Party")]
    until: Annotated[Day, Label("至", "Until")]
    reason: Annotated[Prose | None, Label("理由", "Reason", kind=Kind.PROSE, sealed=True)] = None


@PROJECTS.command("party-left", Word("登记退场", "Record that a party left"), clause="N39", group=_CHAIN)
def party_left(desk: Desk, project: str, form: Leave) -> None:
    """Records that a party has left."""
    reason = desk.seal_given(project, "reason", form.reason)
    _change(
        desk, project, lambda found, provenance: found.leave(form.party, form.until, provenance, reason), form, "N39"
    )


class Share(Form):
    """A holder and its share."""

    holder: Annotated[Line, Label("股东", "Holder")]
    basis_points: Annotated[Count, Label("股比（万分之一）", "Share (basis points)")]
    code: Annotated[Line | None, Label("统一社会信用代码", "Credit code")] = None


class Shares(Fact):
    """All holders at once; their shares make 10,000 basis points."""

    holders: Annotated[tuple[Share, ...], Label("股权结构", "Shareholders")]


@PROJECTS.command("hold-shares", Word("登记股权结构", "Record shareholders"), clause="N23", group=_MONEY)
def hold_shares(desk: Desk, project: str, form: Shares) -> None:
    """Records who holds the project: by these shares a parent group covers what it owes."""
    held = tuple(Shareholder(holder=h.holder, code=h.code, basis_points=h.basis_points) for h in form.holders)
    evidence = desk.files(form.evidence)
    _change(desk, project, lambda found, provenance: found.hold_shares(held, provenance, evidence), form, "N23")


class Arrange(Fact):
    """How much, from where."""

    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
    source: Annotated[Line, Label("资金来源", "Source")]
    document: Annotated[Line | None, Label("文号", "Document")] = None


@PROJECTS.command("arrange-funds", Word("登记资金到位", "Record money arranged"), clause="N40", group=_MONEY)
def arrange_funds(desk: Desk, project: str, form: Arrange) -> None:
    """Records that money was set aside for the project."""
    evidence = desk.files(form.evidence)
    _change(
        desk,
        project,
        lambda found, provenance: found.arrange_funds(form.amount, form.source, provenance, form.document, evidence),
        form,
        "N40",
    )


class Disburse(Fact):
    """How much, how much of it for wages, to which party."""

    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
    wages: Annotated[Amount | None, Label("其中人工费（元）", "Of it for wages (yuan)", kind=Kind.MONEY)] = None
    party: Annotated[Count | None, Label("参建单位序号", "Party")] = None
    voucher: Annotated[Line | None, Label("凭证号", "Voucher")] = None


@PROJECTS.command("disburse-funds", Word("登记资金拨付", "Record money paid out"), clause="N40", group=_MONEY)
def disburse_funds(desk: Desk, project: str, form: Disburse) -> None:
    """Records that money of the project was paid out."""
    evidence = desk.files(form.evidence)
    _change(
        desk,
        project,
        lambda found, provenance: found.disburse_funds(
            form.amount, provenance, form.wages, form.party, form.voucher, evidence
        ),
        form,
        "N40",
    )


class State(Timed):
    """Which state, since when."""

    state: Annotated[ProjectState, Label("形象进度", "State")]
    since: Annotated[Day, Label("自", "Since")]
    reason: Annotated[Prose | None, Label("理由", "Reason", kind=Kind.PROSE, sealed=True)] = None


@PROJECTS.command("enter-state", Word("登记形象进度", "Record the state"), clause="N39")
def enter_state(desk: Desk, project: str, form: State) -> None:
    """Records that the building came into a state on a day."""
    reason = desk.seal_given(project, "reason", form.reason)
    _change(
        desk,
        project,
        lambda found, provenance: found.enter_state(form.state, form.since, provenance, reason),
        form,
        "N39",
    )


class Platform(Fact):
    """Since when it stands in the real-name platform."""

    since: Annotated[Day, Label("录入日", "Since")]
    platform: Annotated[Line | None, Label("平台", "Platform")] = None
    platform_number: Annotated[Line | None, Label("平台编号", "Number there")] = None


@PROJECTS.command(
    "enter-platform", Word("录入实名制平台", "Entered in the real-name platform"), clause="N02", group=_SAFE
)
def enter_platform(desk: Desk, project: str, form: Platform) -> None:
    """Records since when the project stands in the real-name platform."""
    evidence = desk.files(form.evidence)
    _change(
        desk,
        project,
        lambda found, provenance: found.enter_real_name_platform(
            form.since, provenance, form.platform, form.platform_number, evidence
        ),
        form,
        "N02",
    )


class Show(Fact):
    """Which safeguard, from when until when; a deposit with its amount, an account with its bank."""

    safeguard: Annotated[Safeguard, Label("保障", "Safeguard")]
    valid_from: Annotated[Day, Label("有效起", "Valid from")]
    valid_to: Annotated[Day | None, Label("有效止", "Valid to")] = None
    deposit: Annotated[Positive | None, Label("保证金（元）", "Deposit (yuan)", kind=Kind.MONEY)] = None
    deposit_form: Annotated[DepositForm, Label("保证金形式", "Form of the deposit")] = DepositForm.CASH
    bank: Annotated[Line | None, Label("银行", "Bank")] = None
    number: Annotated[Line | None, Label("保函或收据号", "Number of receipt or guarantee")] = None
    account_name: Annotated[Line | None, Label("专户名称", "Name of the account")] = None
    account: Annotated[Line | None, Label("专户账号", "Number of the account", sealed=True)] = None


@PROJECTS.command("show-safeguard", Word("登记保障证明", "Show a safeguard"), clause="N33", group=_SAFE)
def show_safeguard(desk: Desk, project: str, form: Show) -> None:
    """Records that one of the five safeguards was shown, with its evidence and validity."""
    deposit = account = None
    if form.safeguard is Safeguard.DEPOSIT and form.deposit is not None:
        deposit = Deposit(amount=form.deposit, form=form.deposit_form, bank=form.bank, number=form.number)
    if form.safeguard is Safeguard.DEDICATED_ACCOUNT:
        if form.bank is None:
            raise InputError("a dedicated account is named with its bank", field="bank", rule="required")
        sealed = desk.seal_given(project, "account", form.account)
        account = WageAccount(bank=form.bank, name=form.account_name, number=sealed)
    evidence = desk.files(form.evidence)
    _change(
        desk,
        project,
        lambda found, provenance: found.evidence_safeguard(
            form.safeguard, form.valid_from, provenance, form.valid_to, deposit, account, evidence
        ),
        form,
        "N33",
    )


class RefuteSafeguard(Fact):
    """Which safeguard, since when, and why; which showings, or all so far."""

    safeguard: Annotated[Safeguard, Label("保障", "Safeguard")]
    since: Annotated[Day, Label("自", "Since")]
    ground: Annotated[Prose, Label("依据", "Ground", kind=Kind.PROSE, sealed=True)]
    showings: Annotated[
        tuple[Count, ...], Label("证明序号", "Showings", "不填即全部", "blank: all", kind=Kind.LINES)
    ] = ()


@PROJECTS.command("refute-safeguard", Word("否定保障", "Refute a safeguard"), clause="N33", group=_SAFE)
def refute_safeguard(desk: Desk, project: str, form: RefuteSafeguard) -> None:
    """Records that a safeguard does not hold since a day."""
    ground, evidence = desk.seal(project, "ground", form.ground), desk.files(form.evidence)
    _change(
        desk,
        project,
        lambda found, provenance: found.refute_safeguard(
            form.safeguard, form.since, ground, provenance, form.showings or None, evidence
        ),
        form,
        "N33",
    )


class Listed(Form):
    """A row of the list."""

    name: Annotated[Line, Label("项目名称", "Project")]
    number: Annotated[Line | None, Label("文号", "Number")] = None
    developer: Annotated[Line | None, Label("建设单位", "Developer")] = None
    amount: Annotated[Amount | None, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)] = None
    on: Annotated[Day | None, Label("日期", "On")] = None
    place: Annotated[Line | None, Label("属地", "Place")] = None


class HandIn(Timed):
    """An authority's list as of a day, with the file that it came as."""

    kind: Annotated[ListKind, Label("种类", "Kind")]
    authority: Annotated[Line, Label("审批机关", "Authority")]
    place: Annotated[Line | None, Label("属地", "Place", "不填即本人属地", "left blank: one's own")] = None
    asof: Annotated[Day, Label("截至", "As of")]
    rows: Annotated[tuple[Listed, ...], Label("名单", "Rows")]
    evidence: Annotated[tuple[EvidenceForm, ...], Label("原文件", "The file", kind=Kind.FILES)]


@PERMIT_LISTS.opening("hand-in", Word("导入许可审批名单", "Hand in a permit list"), clause="N39")
def hand_in(desk: Desk, form: HandIn) -> None:
    """Records an edition of an authority's list of permits or approvals: what the register of projects is held against."""
    if not form.evidence:
        raise InputError("the list is handed in with the file that it came as", field="evidence", rule="required")
    place = _place(desk, form.place, desk.officer.jurisdiction)
    tree = desk.platform.info.tree
    handlers.hand_in_list(
        desk.streams,
        origin=desk.origin,
        kind=form.kind,
        authority=form.authority,
        place=place,
        file=desk.files(form.evidence)[0],
        asof=form.asof,
        rows=[
            ListedRow(
                name=row.name,
                number=row.number,
                developer=row.developer,
                amount=row.amount,
                on=row.on,
                place=None if row.place is None else tree.find(row.place).code,
            )
            for row in form.rows
        ],
        provenance=desk.provenance(form, "N39"),
        **desk.sent,
    )
