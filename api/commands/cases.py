"""Commands about cases (clauses N22 to N27)."""

from __future__ import annotations

from typing import Annotated

from api.commands.command import Noun
from api.commands.desk import Desk, Resolving, claim_of
from api.commands.fields import Amount, Count, Day, Kind, Label, Line, Moment, Positive, Prose
from api.commands.forms import Fact, Form, Timed
from api.words import Word
from domain.cases import handlers
from domain.cases.case import Case, HandedDown, Instalment, Particulars
from domain.cases.duties import Person
from domain.complaints.complaint import Complaint
from domain.complaints.handlers import accept_into_new_case
from domain.errors import NotFoundError, RuleError
from domain.vocabulary import ArrearsCause, CaseClass, CaseDuty, Funding, Outcome, RecheckResult, ReportKind

NAME, PHONE = "duty_name", "duty_phone"
"""Labels that the names and telephones of who holds a duty are sealed under."""


def _resolve(desk: Desk | Resolving, said: str) -> str:
    return desk.platform.case_id(said)


CASES = Noun("case", "cases", Word("案件", "Case"), Case, _resolve, ledger="case")
_PEOPLE, _SENDER, _LINES, _END = (
    Word("责任人", "Who answers"),
    Word("转办督办", "Handed down"),
    Word("名册", "Roster"),
    Word("办结销账", "Closing"),
)
_ELSEWHERE = Word("移送、合并、拆分", "Transfer, merging, splitting")
Ground = Annotated[Line, Label("依据", "Ground")]


class About(Form):
    """What is known of a case as a whole. Left blank: not known."""

    funding: Annotated[Funding, Label("项目类型", "Funding")] = Funding.OTHER
    debtor: Annotated[Line | None, Label("欠薪单位", "Debtor")] = None
    debtor_code: Annotated[Line | None, Label("统一社会信用代码", "Credit code of the debtor")] = None
    project: Annotated[Line | None, Label("项目名称", "Project")] = None
    contractor: Annotated[Line | None, Label("总承包单位", "General contractor")] = None
    developer: Annotated[Line | None, Label("建设单位", "Developer")] = None
    industry: Annotated[Line | None, Label("行业", "Industry")] = None
    channel: Annotated[Line | None, Label("来源", "Channel")] = None
    cause: Annotated[Line | None, Label("欠薪原因", "Cause")] = None
    arrears_from: Annotated[Day | None, Label("欠薪起", "Arrears from")] = None
    arrears_to: Annotated[Day | None, Label("欠薪止", "Arrears to")] = None
    handed_down_by: Annotated[Line | None, Label("转办单位", "Handed down by")] = None
    handed_down_number: Annotated[Line | None, Label("转办文号", "Number it was handed down under")] = None
    handed_down_on: Annotated[Moment | None, Label("转办时间", "Handed down on")] = None
    note: Annotated[Prose | None, Label("备注", "Remarks", kind=Kind.PROSE, sealed=True)] = None

    def particulars(
        self, desk: Desk, stream: str, place: str, received: Moment, complaint: Complaint | None = None
    ) -> Particulars:
        """The particulars of a case first received then; what the form leaves blank is taken from the complaint that it comes from."""
        said = None if complaint is None else complaint.particulars
        given = HandedDown(by=self.handed_down_by, number=self.handed_down_number, on=self.handed_down_on)
        handed = given if given != HandedDown() else said.handed_down if said else None
        classes, ground = handlers.classes_by_origin(received, desk.platform.info.campaign, desk.zone, handed)
        return Particulars(
            jurisdiction=place,
            received=received,
            funding=self.funding,
            classes=classes,
            class_ground=ground,
            channel=self.channel or (None if complaint is None else complaint.channel.value),
            project=self.project or (said.project if said else None),
            industry=self.industry,
            debtor=self.debtor or (said.debtor if said else None),
            debtor_code=self.debtor_code or (said.debtor_code if said else None),
            contractor=self.contractor or (said.contractor if said else None),
            developer=self.developer,
            cause=self.cause,
            arrears_from=self.arrears_from or (said.since if said else None),
            arrears_to=self.arrears_to,
            handed_down=handed,
            note=desk.seal_given(stream, "note", self.note),
        )


class Register(About, Timed):
    """A case, under the office's own number or the next free one; from a complaint, if one is named."""

    complaint: Annotated[
        Line | None,
        Label("由投诉立案", "From the complaint", "接待编号", "its number: it is accepted with the same commit"),
    ] = None
    number: Annotated[
        Line | None, Label("案件编号", "Case number", "不填即自动编号", "left blank: the next free one")
    ] = None
    place: Annotated[Line | None, Label("属地", "Place", "不填即本人属地", "left blank: one's own")] = None


@CASES.opening("register", Word("立案登记", "Register a case"), clause="N20")
def register(desk: Desk, form: Register) -> None:
    """Registers a case; one that comes from a complaint is registered, and the complaint accepted into it, in one commit."""
    complaint = None if form.complaint is None else _complaint(desk, form.complaint)
    place = desk.officer.jurisdiction if complaint is None else complaint.place
    if form.place is not None:
        place = desk.platform.info.tree.find(form.place).code
    desk.require_place(place)
    provenance = desk.provenance(form, "N20")
    received = provenance.received if complaint is None else complaint.reception.received

    def describe(stream: str) -> Particulars:
        return form.particulars(desk, stream, place, received, complaint)

    if complaint is None:
        handlers.register_case(
            desk.streams,
            origin=desk.origin,
            place=place,
            zone=desk.zone,
            describe=describe,
            number=form.number,
            provenance=provenance,
            **desk.sent,
        )
        return
    accept_into_new_case(
        desk.streams,
        complaint=complaint.id,
        open_case=lambda _: handlers.new_case(
            desk.streams,
            origin=desk.origin,
            place=place,
            zone=desk.zone,
            describe=describe,
            number=form.number,
            provenance=provenance,
        ),
        provenance=desk.provenance(form, "N21"),
        **desk.sent,
    )


def _complaint(desk: Desk, said: str) -> Complaint:
    from api.commands.complaints import COMPLAINTS

    return desk.streams.get(Complaint, COMPLAINTS.resolve(desk, said))


class Amend(About, Timed):
    """The particulars as they are right, all of them."""

    reason: Annotated[Line, Label("更正理由", "Reason")]


@CASES.command("amend", Word("更正案情", "Correct the particulars"), clause="N20")
def amend(desk: Desk, case: str, form: Amend) -> None:
    """Records what the particulars should have been; classes, people and the source's own columns stay as they are."""
    was = desk.streams.get(Case, case).particulars
    said = form.particulars(desk, case, was.jurisdiction, was.received)
    kept = {"classes": was.classes, "class_ground": was.class_ground, "people": was.people, "extra": was.extra}
    now = {name: getattr(said, name) for name in said.__struct_fields__ if name not in ("handed_down", "note", *kept)}
    handlers.amend_case(
        desk.streams,
        case=case,
        particulars=Particulars(
            **{**now, **kept}, handed_down=said.handed_down or was.handed_down, note=said.note or was.note
        ),
        reason=form.reason,
        provenance=desk.provenance(form, "N20"),
        **desk.sent,
    )


# Who answers


class Holder(Form):
    """An officer of the deployment by short name, or somebody outside it by name."""

    officer: Annotated[Line | None, Label("人员", "Officer", "代号", "short name")] = None
    name: Annotated[Line | None, Label("姓名（系统外）", "Name (outside)", sealed=True)] = None
    post: Annotated[Line | None, Label("职务", "Post")] = None
    phone: Annotated[Line | None, Label("电话", "Telephone", sealed=True)] = None

    def person(self, desk: Desk) -> Person:
        """The person, names sealed."""
        if self.officer is not None:
            return Person(officer=desk.officer_id(self.officer), post=self.post)
        subject = desk.platform.vault.new_subject()
        return Person(
            name=desk.seal_given(subject, NAME, self.name),
            post=self.post,
            phone=desk.seal_given(subject, PHONE, self.phone),
        )


class Assign(Holder, Timed):
    """Which duty, and whose."""

    duty: Annotated[CaseDuty, Label("职责", "Duty")]


@CASES.command("assign", Word("指定责任人", "Assign a duty"), clause="N24", group=_PEOPLE)
def assign(desk: Desk, case: str, form: Assign) -> None:
    """Gives a duty to somebody: the county supervisor, the lead official, a handler, the contact."""
    clause = "N22" if form.duty is CaseDuty.COUNTY_SUPERVISOR else "N24"
    handlers.assign_duty(
        desk.streams,
        case=case,
        duty=form.duty,
        holder=form.person(desk),
        provenance=desk.provenance(form, clause),
        **desk.sent,
    )


class HandOver(Holder, Timed):
    """From whom, to whom, and why."""

    duty: Annotated[CaseDuty, Label("职责", "Duty")]
    previous: Annotated[Line, Label("原责任人", "From", "代号或姓名", "short name or name")]
    reason: Annotated[Line, Label("理由", "Reason")]


@CASES.command("hand-over", Word("责任人交接", "Hand a duty over"), clause="N24", group=_PEOPLE)
def hand_over(desk: Desk, case: str, form: HandOver) -> None:
    """Gives a duty from one person to another."""
    handlers.hand_duty_over(
        desk.streams,
        case=case,
        duty=form.duty,
        previous=_holder(desk, case, form.duty, form.previous),
        holder=form.person(desk),
        reason=form.reason,
        provenance=desk.provenance(form, "N24"),
        **desk.sent,
    )


class Relieve(Timed):
    """Of whom, and why."""

    duty: Annotated[CaseDuty, Label("职责", "Duty")]
    holder: Annotated[Line, Label("责任人", "Whom", "代号或姓名", "short name or name")]
    reason: Annotated[Line, Label("理由", "Reason")]


@CASES.command("relieve", Word("解除责任", "Relieve of a duty"), clause="N24", group=_PEOPLE)
def relieve(desk: Desk, case: str, form: Relieve) -> None:
    """Takes a duty from somebody."""
    handlers.relieve_duty(
        desk.streams,
        case=case,
        duty=form.duty,
        holder=_holder(desk, case, form.duty, form.holder),
        reason=form.reason,
        provenance=desk.provenance(form, "N24"),
        **desk.sent,
    )


def _holder(desk: Desk, case: str, duty: CaseDuty, said: str) -> Person:
    """Who holds the duty under that short name or name.

    Raises:
        RuleError: nobody does.
    """
    held = [each.holder for each in desk.streams.get(Case, case).procedure.duties if each.duty is duty]
    names = [(person.name, NAME) for person in held if person.name is not None]
    opened = dict(zip([sealed.sha256 for sealed, _ in names], desk.platform.opened(names), strict=True))
    try:
        officer: str | None = desk.officer_id(said)
    except NotFoundError:
        officer = None
    for person in held:
        if person.officer is not None and person.officer == officer:
            return person
        if person.name is not None and opened.get(person.name.sha256) == said:
            return person
    raise RuleError(f"{said} does not hold the duty {duty}", rule="duty-held", clause="N24")


# Classes and senders


class InClass(Timed):
    """Which class, and on what ground."""

    case_class: Annotated[CaseClass, Label("清零类别", "Class")]
    ground: Ground


@CASES.command("enter-class", Word("归入清零类别", "Enter a class"), clause="N11")
def enter_class(desk: Desk, case: str, form: InClass) -> None:
    """Puts the case into a class of the three clear-to-zero."""
    handlers.enter_class(
        desk.streams,
        case=case,
        case_class=form.case_class,
        ground=form.ground,
        provenance=desk.provenance(form, "N11"),
        **desk.sent,
    )


@CASES.command("leave-class", Word("移出清零类别", "Leave a class"), clause="N11")
def leave_class(desk: Desk, case: str, form: InClass) -> None:
    """Takes the case out of a class; it stays in one at least."""
    handlers.leave_class(
        desk.streams,
        case=case,
        case_class=form.case_class,
        ground=form.ground,
        provenance=desk.provenance(form, "N11"),
        **desk.sent,
    )


class HandDown(Timed):
    """Who handed the case down, under which number, and until when it is to be finished."""

    by: Annotated[Line, Label("转办单位", "Handed down by")]
    number: Annotated[Line | None, Label("转办文号", "Number")] = None
    on: Annotated[Moment | None, Label("转办时间", "On")] = None
    deadline: Annotated[Moment | None, Label("办结时限", "To be finished by")] = None


@CASES.command("hand-down", Word("登记上级转办", "Record that it was handed down"), clause="N24", group=_SENDER)
def hand_down(desk: Desk, case: str, form: HandDown) -> None:
    """Records that an office above handed the case down; it belongs to that class from then on."""
    handlers.record_handed_down(
        desk.streams,
        case=case,
        handed_down=HandedDown(by=form.by, number=form.number, on=form.on),
        deadline=form.deadline,
        provenance=desk.provenance(form, "N24"),
        **desk.sent,
    )


class Deadline(Timed):
    """By when, who says so, and why."""

    due: Annotated[Moment, Label("办结时限", "To be finished by")]
    by: Annotated[Line, Label("设定单位", "Set by")]
    ground: Ground


@CASES.command("set-deadline", Word("设定办结时限", "Set the deadline"), clause="N24", group=_SENDER)
def set_deadline(desk: Desk, case: str, form: Deadline) -> None:
    """Records by when somebody above wants it finished."""
    handlers.set_deadline(
        desk.streams,
        case=case,
        due=form.due,
        by=form.by,
        ground=form.ground,
        provenance=desk.provenance(form, "N24"),
        **desk.sent,
    )


class Facts(Fact):
    """What was established."""

    findings: Annotated[Prose | None, Label("案情", "Findings", kind=Kind.PROSE, sealed=True)] = None
    headcount: Annotated[Count | None, Label("人数", "Workers")] = None
    amount: Annotated[Amount | None, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)] = None


@CASES.command("verify-facts", Word("核清案情", "Record that the facts are verified"), clause="N22")
def verify_facts(desk: Desk, case: str, form: Facts) -> None:
    """Records that the facts of the case are established; of a handed-down case on the same day."""
    handlers.record_facts_verified(
        desk.streams,
        case=case,
        findings=desk.seal_given(case, "findings", form.findings),
        headcount=form.headcount,
        amount=form.amount,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N22"),
        **desk.sent,
    )


class Response(Fact):
    """What the employer did or promised."""

    employer: Annotated[Line, Label("企业", "Employer")]
    promised: Annotated[Amount | None, Label("承诺支付（元）", "Promised (yuan)", kind=Kind.MONEY)] = None
    by_when: Annotated[Moment | None, Label("承诺期限", "By when")] = None
    words: Annotated[Prose | None, Label("答复内容", "Words", kind=Kind.PROSE, sealed=True)] = None


@CASES.command("employer-response", Word("登记企业答复", "Record the employer's response"), clause="N22")
def employer_response(desk: Desk, case: str, form: Response) -> None:
    """Records what the employer did or promised on being asked; a promise pays nothing."""
    handlers.record_employer_response(
        desk.streams,
        case=case,
        employer=form.employer,
        promised=form.promised,
        by_when=form.by_when,
        words=desk.seal_given(case, "words", form.words),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N22"),
        **desk.sent,
    )


class Report(Fact):
    """To whom, what kind, under which document."""

    to: Annotated[Line, Label("报送单位", "To")]
    kind: Annotated[ReportKind, Label("种类", "Kind")] = ReportKind.PROGRESS
    document: Annotated[Line | None, Label("文号", "Document")] = None
    note: Annotated[Prose | None, Label("内容", "Content", kind=Kind.PROSE, sealed=True)] = None


@CASES.command("report", Word("报告进展", "Report"), clause="N24", group=_SENDER)
def report(desk: Desk, case: str, form: Report) -> None:
    """Records what was reported upwards: progress the next day, the sweep of the project, the written report."""
    handlers.record_progress(
        desk.streams,
        case=case,
        to=form.to,
        kind=form.kind,
        document=form.document,
        note=desk.seal_given(case, "note", form.note),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N24" if form.kind is ReportKind.PROGRESS else "N25"),
        **desk.sent,
    )


class SenderAnswer(Fact):
    """Whether the sender accepts how the case was dealt with."""

    by: Annotated[Line, Label("转办单位", "Sender")]
    accepted: Annotated[bool, Label("同意", "Accepts")] = False
    document: Annotated[Line | None, Label("文号", "Document")] = None
    ground: Annotated[Line | None, Label("理由", "Ground")] = None


@CASES.command("sender-answer", Word("登记转办机关意见", "Record the sender's answer"), clause="N24", group=_SENDER)
def sender_answer(desk: Desk, case: str, form: SenderAnswer) -> None:
    """Records whether the sender accepts; a handed-down case is closed only after that."""
    handlers.record_sender_answer(
        desk.streams,
        case=case,
        by=form.by,
        accepted=form.accepted,
        document=form.document,
        ground=form.ground,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N24"),
        **desk.sent,
    )


class Recheck(Fact):
    """What looking again came to."""

    result: Annotated[RecheckResult, Label("结果", "Result")]
    findings: Annotated[Prose | None, Label("情况", "Findings", kind=Kind.PROSE, sealed=True)] = None


@CASES.command("recheck", Word("复核", "Recheck"), clause="N25", group=_SENDER)
def recheck(desk: Desk, case: str, form: Recheck) -> None:
    """Records that a case that was called solved was looked at again."""
    handlers.record_recheck(
        desk.streams,
        case=case,
        result=form.result,
        findings=desk.seal_given(case, "findings", form.findings),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N25"),
        **desk.sent,
    )


class CauseForm(Fact):
    """Why wages were not paid."""

    cause: Annotated[ArrearsCause, Label("原因", "Cause")]
    by: Annotated[Line | None, Label("责任单位", "By whom")] = None
    amount: Annotated[Amount | None, Label("涉及金额（元）", "Amount (yuan)", kind=Kind.MONEY)] = None


@CASES.command("record-cause", Word("登记欠薪原因", "Record the cause"), clause="N35")
def record_cause(desk: Desk, case: str, form: CauseForm) -> None:
    """Records why wages were not paid, and by whom."""
    handlers.record_cause(
        desk.streams,
        case=case,
        cause=form.cause,
        by=form.by,
        amount=form.amount,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N35"),
        **desk.sent,
    )


class Part(Form):
    """A part, and by when."""

    due: Annotated[Day, Label("期限", "Due")]
    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]


class Instalments(Fact):
    """Who pays which part by when."""

    debtor: Annotated[Line, Label("付款方", "Debtor")]
    parts: Annotated[tuple[Part, ...], Label("分期", "Parts")]


@CASES.command("agree-instalments", Word("登记分期协议", "Record instalments"), clause="N23")
def agree_instalments(desk: Desk, case: str, form: Instalments) -> None:
    """Records an agreement to pay in parts: it moves due dates, never a balance."""
    handlers.agree_instalments(
        desk.streams,
        case=case,
        debtor=form.debtor,
        parts=[Instalment(due=part.due, amount=part.amount) for part in form.parts],
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


# Roster and closing


@CASES.command(
    "declare-roster", Word("申报名册齐全", "Declare the roster complete"), clause="N22", insists=True, group=_LINES
)
def declare_roster(desk: Desk, case: str, form: Timed) -> None:
    """The handler declares that every worker of the case is on its roster."""
    handlers.declare_roster(desk.streams, case=case, provenance=desk.provenance(form, "N22"), **desk.sent)


@CASES.command("confirm-roster", Word("复核名册", "Confirm the roster"), clause="N22", insists=True, group=_LINES)
def confirm_roster(desk: Desk, case: str, form: Timed) -> None:
    """Another officer confirms the declared roster."""
    handlers.confirm_roster(desk.streams, case=case, provenance=desk.provenance(form, "N22"), **desk.sent)


class Propose(Timed):
    """How the procedure is to end, and on what ground."""

    outcome: Annotated[Outcome, Label("办结方式", "Outcome")]
    ground: Ground
    into: Annotated[Line | None, Label("并入案件", "Merged into", "仅合并时填", "with that outcome alone")] = None


@CASES.command("propose-closing", Word("提请办结", "Propose to close"), clause="N27", insists=True, group=_END)
def propose_closing(desk: Desk, case: str, form: Propose) -> None:
    """Proposes to close. As paid, or without arrears, only a solved case can be."""
    handlers.propose_closing(
        desk.streams,
        case=case,
        outcome=form.outcome,
        ground=form.ground,
        into=None if form.into is None else desk.platform.case_id(form.into),
        provenance=desk.provenance(form, "N21" if form.outcome is Outcome.NO_ARREARS else "N27"),
        **desk.sent,
    )


class Why(Timed):
    """Why."""

    ground: Ground


@CASES.command("withdraw-closing", Word("撤回办结提请", "Withdraw the proposal"), clause="N27", group=_END)
def withdraw_closing(desk: Desk, case: str, form: Why) -> None:
    """Who proposed to close takes the proposal back."""
    handlers.withdraw_closing(
        desk.streams, case=case, reason=form.ground, provenance=desk.provenance(form, "N27"), **desk.sent
    )


@CASES.command("refuse-closing", Word("退回办结", "Refuse to close"), clause="N27", insists=True, group=_END)
def refuse_closing(desk: Desk, case: str, form: Why) -> None:
    """A different officer sends the proposal back."""
    handlers.refuse_closing(
        desk.streams, case=case, ground=form.ground, provenance=desk.provenance(form, "N27"), **desk.sent
    )


@CASES.command("approve-closing", Word("批准办结", "Approve the closing"), clause="N27", insists=True, group=_END)
def approve_closing(desk: Desk, case: str, form: Timed) -> None:
    """A different officer closes the case; one that is merged carries its lines over into the other with the same commit."""
    handlers.approve_closing(desk.streams, case=case, provenance=desk.provenance(form, "N27"), **desk.sent)


@CASES.command("reopen", Word("重新办理", "Reopen"), clause="N26", group=_END)
def reopen(desk: Desk, case: str, form: Why) -> None:
    """Reopens a closed case."""
    handlers.reopen_case(
        desk.streams, case=case, ground=form.ground, provenance=desk.provenance(form, "N26"), **desk.sent
    )


@CASES.command("write-off", Word("销账", "Write off"), clause="N27", insists=True, group=_END)
def write_off(desk: Desk, case: str, form: Why) -> None:
    """The leading-group office takes a solved and closed case off its books."""
    handlers.write_off(
        desk.streams,
        case=case,
        ground=form.ground,
        leading_group=desk.is_leading_group,
        provenance=desk.provenance(form, "N27"),
        **desk.sent,
    )


# Transfer and splitting


class SendTransfer(Timed):
    """To whom, and why."""

    to: Annotated[Line, Label("接收单位", "Receiver")]
    to_place: Annotated[
        Line | None, Label("接收属地", "Its place", "本系统内的属地", "where it lies within this deployment")
    ] = None
    ground: Ground
    document: Annotated[Line | None, Label("文号", "Document")] = None


@CASES.command("send-transfer", Word("移送他地", "Send to another place"), clause="N28", group=_ELSEWHERE)
def send_transfer(desk: Desk, case: str, form: SendTransfer) -> None:
    """Asks somebody else to take the case over; until they do it stays."""
    place = None if form.to_place is None else desk.platform.info.tree.find(form.to_place).code
    handlers.send_transfer(
        desk.streams,
        case=case,
        to=form.to,
        to_place=place,
        ground=form.ground,
        document=form.document,
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class AcceptTransfer(Fact):
    """Who takes it over, under which number."""

    by: Annotated[Line, Label("接收单位", "Receiver")]
    number: Annotated[
        Line | None, Label("对方编号", "Their number", "不填即自动编号", "left blank: the next free one")
    ] = None


@CASES.command(
    "accept-transfer", Word("接收移送", "Accept the transfer"), clause="N28", anywhere=True, group=_ELSEWHERE
)
def accept_transfer(desk: Desk, case: str, form: AcceptTransfer) -> None:
    """The receiver takes the case over; within this deployment that registers their case, with every line carried over."""
    _require_receiver(desk, case)
    handlers.accept_transfer(
        desk.streams,
        origin=desk.origin,
        zone=desk.zone,
        case=case,
        by=form.by,
        number=form.number,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class ReturnTransfer(Fact):
    """Who sends it back, and why."""

    by: Annotated[Line, Label("退回单位", "By")]
    ground: Ground


@CASES.command(
    "return-transfer", Word("退回移送", "Return the transfer"), clause="N28", anywhere=True, group=_ELSEWHERE
)
def return_transfer(desk: Desk, case: str, form: ReturnTransfer) -> None:
    """The receiver does not take the case over: it stays."""
    _require_receiver(desk, case)
    handlers.return_transfer(
        desk.streams,
        case=case,
        by=form.by,
        ground=form.ground,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


def _require_receiver(desk: Desk, case: str) -> None:
    """A transfer within this deployment is answered by its receiver, one to outside by who sent it, with their document."""
    found = desk.streams.get(Case, case)
    transfer = found.procedure.transfer
    desk.require_place(found.jurisdiction if transfer is None or transfer.place is None else transfer.place)


class SplitCase(Timed):
    """Which lines become a case of their own."""

    claims: Annotated[tuple[Line, ...], Label("明细", "Lines", "每行一个明细号", "their numbers, one a line")]
    ground: Ground
    number: Annotated[Line | None, Label("新案编号", "Number of the new case")] = None
    debtor: Annotated[Line | None, Label("新案欠薪单位", "Debtor of the new case")] = None


@CASES.command("split", Word("拆分案件", "Split the case"), clause="N22", group=_ELSEWHERE)
def split(desk: Desk, case: str, form: SplitCase) -> None:
    """Makes lines of the case a case of their own, with all that was determined and paid, in one commit."""
    handlers.split_case(
        desk.streams,
        origin=desk.origin,
        zone=desk.zone,
        case=case,
        claims=[claim_of(case, said) for said in form.claims],
        ground=form.ground,
        number=form.number,
        debtor=form.debtor,
        provenance=desk.provenance(form, "N22"),
        **desk.sent,
    )
