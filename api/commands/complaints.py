"""Commands about complaints (投诉举报接待, clauses N20 and N21)."""

from __future__ import annotations

from typing import Annotated

from api.commands.command import Noun, by_number
from api.commands.desk import Desk
from api.commands.fields import Amount, Count, Day, Kind, Label, Line, Moment, Prose
from api.commands.forms import Fact, Files, Form, Timed, ToldForm
from api.words import Word
from domain.cases.case import HandedDown
from domain.complaints import handlers
from domain.complaints.complaint import Complaint, Particulars
from domain.complaints.numbering import complaint_id
from domain.vocabulary import ComplaintClass, MissingItem, ReceptionChannel

COMPLAINTS = Noun(
    "complaint",
    "complaints",
    Word("投诉", "Complaint"),
    Complaint,
    by_number(Complaint, complaint_id, "complaint"),
    ledger="reception",
)

Ground = Annotated[Line, Label("依据", "Ground")]
Case = Annotated[Line, Label("案件", "Case", "案件编号或案件号", "its official number or id")]


class Matter(Form):
    """What is complained of, and by whom. All of it as stated; what was not said is left blank."""

    complainant: Annotated[
        Line | None, Label("反映人", "Complainant", "匿名可不填", "blank: anonymous", sealed=True)
    ] = None
    complainant_id: Annotated[Line | None, Label("身份证号", "Id number", sealed=True)] = None
    phone: Annotated[Line | None, Label("电话", "Telephone", sealed=True)] = None
    address: Annotated[Line | None, Label("现居住地址", "Address", sealed=True)] = None
    matter: Annotated[Prose | None, Label("反映内容", "What it is about", kind=Kind.PROSE, sealed=True)] = None
    debtor: Annotated[Line | None, Label("欠薪单位", "Who owes")] = None
    debtor_code: Annotated[Line | None, Label("统一社会信用代码", "Credit code of who owes")] = None
    project: Annotated[Line | None, Label("项目名称", "Project")] = None
    contractor: Annotated[Line | None, Label("总承包单位", "General contractor")] = None
    headcount: Annotated[Count | None, Label("欠薪人数", "Workers owed")] = None
    amount: Annotated[Amount | None, Label("欠薪金额（元）", "Amount owed (yuan)", kind=Kind.MONEY)] = None
    since: Annotated[Day | None, Label("欠薪起始", "Owed since")] = None
    came: Annotated[Count | None, Label("来访人数", "People who came")] = None
    handed_down_by: Annotated[Line | None, Label("转送单位", "Handed down by")] = None
    handed_down_number: Annotated[Line | None, Label("转送文号", "Number it was handed down under")] = None
    handed_down_on: Annotated[Moment | None, Label("转送时间", "Handed down on")] = None

    def particulars(self, desk: Desk, stream: str) -> Particulars:
        """With every personal text sealed: under the person's key, the matter itself under the complaint's."""
        named = any((self.complainant, self.complainant_id, self.phone, self.address))
        person = desk.person(self.complainant_id) if named else stream
        handed = HandedDown(by=self.handed_down_by, number=self.handed_down_number, on=self.handed_down_on)
        return Particulars(
            came=self.came,
            headcount=self.headcount,
            amount=self.amount,
            since=self.since,
            project=self.project,
            debtor=self.debtor,
            debtor_code=self.debtor_code,
            contractor=self.contractor,
            handed_down=None if handed == HandedDown() else handed,
            complainant=desk.seal_given(person, "complainant", self.complainant),
            complainant_id=desk.seal_given(person, "complainant_id", self.complainant_id),
            phone=desk.seal_given(person, "phone", self.phone),
            address=desk.seal_given(person, "address", self.address),
            matter=desk.seal_given(stream, "matter", self.matter),
        )


class Register(Matter, Timed):
    """What was taken in, how, and where."""

    channel: Annotated[ReceptionChannel, Label("渠道", "Channel")]
    place: Annotated[Line | None, Label("属地", "Place", "不填即本人属地", "left blank: one's own")] = None
    first_officer: Annotated[
        Line | None, Label("首问责任人", "First officer asked", "不填即本人", "left blank: oneself")
    ] = None
    evidence: Files = ()


@COMPLAINTS.opening("register", Word("登记投诉", "Register a complaint"), clause="N20")
def register(desk: Desk, form: Register) -> None:
    """Registers a complaint under the next free number of its place and month. Nothing that comes in is refused."""
    place = desk.officer.jurisdiction if form.place is None else desk.platform.info.tree.find(form.place).code
    desk.require_place(place)
    provenance = desk.provenance(form, "N20")
    handlers.register_complaint(
        desk.streams,
        origin=desk.origin,
        place=place,
        channel=form.channel,
        first_officer=desk.officer.officer if form.first_officer is None else desk.officer_id(form.first_officer),
        zone=desk.zone,
        intake=lambda stream: handlers.Intake(form.particulars(desk, stream), desk.files(form.evidence)),
        provenance=provenance,
        late_because=None if form.late is None else form.late.value,
        **desk.sent,
    )


class Amend(Matter, Timed):
    """The particulars as they are right, all of them: what is left blank is not known."""

    reason: Annotated[Line, Label("更正理由", "Reason")]


@COMPLAINTS.command("amend", Word("更正要素", "Correct the particulars"), clause="N20")
def amend(desk: Desk, complaint: str, form: Amend) -> None:
    """Records what the particulars should have been; both stay visible."""
    handlers.amend_complaint(
        desk.streams,
        complaint=complaint,
        particulars=form.particulars(desk, complaint),
        reason=form.reason,
        provenance=desk.provenance(form, "N20"),
        **desk.sent,
    )


class Return(Timed):
    """What is missing, and until when it is to be brought."""

    missing: Annotated[tuple[MissingItem, ...], Label("缺少", "Missing")]
    until: Annotated[Day, Label("补正期限", "To be brought until")]
    told: Annotated[ToldForm, Label("告知", "Told")]
    note: Annotated[Prose | None, Label("说明", "Note", kind=Kind.PROSE, sealed=True)] = None


@COMPLAINTS.command("return", Word("退回补正", "Return for completion"), clause="Order 25, §18")
def return_for_completion(desk: Desk, complaint: str, form: Return) -> None:
    """Asks for what is missing. The day of N20 goes on: it is classified all the same."""
    handlers.return_complaint(
        desk.streams,
        complaint=complaint,
        missing=form.missing,
        until=form.until,
        zone=desk.zone,
        told=form.told.said(),
        provenance=desk.provenance(form, "25号令 §18"),
        note=desk.seal_given(complaint, "note", form.note),
        **desk.sent,
    )


class Complete(Matter, Fact):
    """What was brought, and the particulars as they are with it."""

    brought: Annotated[tuple[MissingItem, ...], Label("已补", "Brought")]


@COMPLAINTS.command("complete", Word("登记补正", "Record what was brought"), clause="Order 25, §18")
def complete(desk: Desk, complaint: str, form: Complete) -> None:
    """Records what was brought."""
    handlers.complete_complaint(
        desk.streams,
        complaint=complaint,
        brought=form.brought,
        particulars=form.particulars(desk, complaint),
        provenance=desk.provenance(form, "25号令 §18"),
        evidence=desk.files(form.evidence),
        **desk.sent,
    )


class Classify(Timed):
    """What the complaint is."""

    classification: Annotated[ComplaintClass, Label("分类", "Class")]
    ground: Ground


@COMPLAINTS.command("classify", Word("核查分类", "Classify"), clause="N20")
def classify(desk: Desk, complaint: str, form: Classify) -> None:
    """Says what the complaint is, on the day on which it came in."""
    handlers.classify_complaint(
        desk.streams,
        complaint=complaint,
        classification=form.classification,
        ground=form.ground,
        provenance=desk.provenance(form, "N20"),
        **desk.sent,
    )


class Accept(Timed):
    """Into which case."""

    case: Case
    told: Annotated[ToldForm | None, Label("告知", "Told")] = None


@COMPLAINTS.command("accept", Word("受理入案", "Accept into a case"), clause="N21")
def accept(desk: Desk, complaint: str, form: Accept) -> None:
    """Accepts it into a case that is registered; several are allowed, one command each."""
    handlers.accept_complaint(
        desk.streams,
        complaint=complaint,
        case=desk.platform.case_id(form.case),
        provenance=desk.provenance(form, "N21"),
        told=None if form.told is None else form.told.said(),
        **desk.sent,
    )


class Join(Timed):
    """Which further case it concerns, and why."""

    case: Case
    ground: Ground


@COMPLAINTS.command("join", Word("并入另案", "Join to a further case"), clause="N21")
def join(desk: Desk, complaint: str, form: Join) -> None:
    """Joins an accepted complaint to a further case."""
    handlers.join_complaint(
        desk.streams,
        complaint=complaint,
        case=desk.platform.case_id(form.case),
        ground=form.ground,
        provenance=desk.provenance(form, "N21"),
        **desk.sent,
    )


class Refuse(Fact):
    """Ground and document of the refusal, and how whoever complained was told."""

    ground: Ground
    document: Annotated[Line, Label("文书号", "Number of the document")]
    told: Annotated[ToldForm, Label("告知", "Told")]


@COMPLAINTS.command("refuse", Word("书面不予受理", "Refuse in writing"), clause="N21")
def refuse(desk: Desk, complaint: str, form: Refuse) -> None:
    """Refuses to accept it: in writing, with ground, and told."""
    handlers.refuse_complaint(
        desk.streams,
        complaint=complaint,
        ground=form.ground,
        document=form.document,
        told=form.told.said(),
        provenance=desk.provenance(form, "N21"),
        evidence=desk.files(form.evidence),
        **desk.sent,
    )


class Advise(Timed):
    """The right channel and remedy."""

    channel: Annotated[Line, Label("告知渠道", "The right channel")]
    remedy: Annotated[Line, Label("救济途径", "The remedy")]
    told: Annotated[ToldForm, Label("告知", "Told")]


@COMPLAINTS.command("advise", Word("告知途径", "Advise"), clause="N21")
def advise(desk: Desk, complaint: str, form: Advise) -> None:
    """Not wage arrears: tells channel and remedy."""
    handlers.advise_complainant(
        desk.streams,
        complaint=complaint,
        channel=form.channel,
        remedy=form.remedy,
        told=form.told.said(),
        provenance=desk.provenance(form, "N21"),
        **desk.sent,
    )


class OrderDepartment(Timed):
    """Which department, under which document."""

    department: Annotated[Line, Label("主管部门", "Department")]
    document: Annotated[Line | None, Label("文书号", "Number of the document")] = None
    answer_due: Annotated[Moment | None, Label("答复期限", "Answer due")] = None


@COMPLAINTS.command("order-department", Word("责成主管部门", "Order a department"), clause="N21")
def order_department(desk: Desk, complaint: str, form: OrderDepartment) -> None:
    """Not wage arrears: orders the competent department to deal with it by law."""
    handlers.order_department(
        desk.streams,
        complaint=complaint,
        department=form.department,
        provenance=desk.provenance(form, "N21"),
        document=form.document,
        answer_due=form.answer_due,
        **desk.sent,
    )


class DepartmentAnswer(Fact):
    """What a department answered."""

    department: Annotated[Line, Label("主管部门", "Department")]
    document: Annotated[Line | None, Label("文书号", "Number of the document")] = None
    answer: Annotated[Prose | None, Label("答复内容", "Answer", kind=Kind.PROSE, sealed=True)] = None


@COMPLAINTS.command("department-answer", Word("登记部门答复", "Record a department's answer"), clause="N21")
def department_answer(desk: Desk, complaint: str, form: DepartmentAnswer) -> None:
    """Records what a department answered, whether or not it was asked."""
    handlers.record_department_answer(
        desk.streams,
        complaint=complaint,
        department=form.department,
        provenance=desk.provenance(form, "N21"),
        document=form.document,
        answer=desk.seal_given(complaint, "answer", form.answer),
        evidence=desk.files(form.evidence),
        **desk.sent,
    )


class HandOn(Timed):
    """To which place, and whom its government named."""

    to: Annotated[Line, Label("属地", "Place")]
    person: Annotated[Line, Label("责任人", "Person named", sealed=True)]
    document: Annotated[Line | None, Label("文书号", "Number of the document")] = None


@COMPLAINTS.command("hand-on", Word("交属地专人办理", "Hand to the local government"), clause="N21")
def hand_on(desk: Desk, complaint: str, form: HandOn) -> None:
    """Hands it to the local government of a place, which names a person who answers for it."""
    handlers.hand_to_local_government(
        desk.streams,
        complaint=complaint,
        to=desk.platform.info.tree.find(form.to).code,
        person=desk.seal(complaint, "person", form.person),
        provenance=desk.provenance(form, "N21"),
        document=form.document,
        **desk.sent,
    )


class SettleDuplicate(Timed):
    """Which other complaint, and whether it is the same."""

    other: Annotated[Line, Label("另一投诉", "The other complaint")]
    same: Annotated[bool, Label("是同一件", "It is the same")] = False
    ground: Ground


@COMPLAINTS.command("settle-duplicate", Word("认定重复件", "Settle a duplicate"), clause="N20")
def settle_duplicate(desk: Desk, complaint: str, form: SettleDuplicate) -> None:
    """Settles whether another complaint is the same; it excuses from no duty."""
    handlers.settle_duplicate(
        desk.streams,
        complaint=complaint,
        other=COMPLAINTS.resolve(desk, form.other),
        same=form.same,
        ground=form.ground,
        provenance=desk.provenance(form, "N20"),
        **desk.sent,
    )


class Withdraw(Fact):
    """The complainant's own statement."""

    statement: Annotated[Prose | None, Label("本人陈述", "Statement", kind=Kind.PROSE, sealed=True)] = None


@COMPLAINTS.command("withdraw", Word("本人撤回", "Withdraw"), clause="N21")
def withdraw(desk: Desk, complaint: str, form: Withdraw) -> None:
    """Withdraws it on the complainant's own statement, which is to be attached. It settles no claim."""
    handlers.withdraw_complaint(
        desk.streams,
        complaint=complaint,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N21"),
        statement=desk.seal_given(complaint, "statement", form.statement),
        **desk.sent,
    )


class HandOver(Timed):
    """To whom, and why."""

    officer: Annotated[Line, Label("接手人员", "Officer", "代号", "short name")]
    reason: Annotated[Line, Label("理由", "Reason")]


@COMPLAINTS.command("hand-over", Word("首问责任交接", "Hand over"), clause="N20")
def hand_over(desk: Desk, complaint: str, form: HandOver) -> None:
    """Another officer answers for it from now on; who was asked first stays recorded."""
    handlers.hand_over_complaint(
        desk.streams,
        complaint=complaint,
        officer=desk.officer_id(form.officer),
        reason=form.reason,
        provenance=desk.provenance(form, "N20"),
        **desk.sent,
    )
