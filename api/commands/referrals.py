"""Commands about referrals (clauses N12, N21, N28, N29). A referral never changes a balance."""

from __future__ import annotations

from typing import Annotated

import msgspec

from api.commands.cases import CASES
from api.commands.command import Noun, by_number
from api.commands.desk import Desk, claim_of
from api.commands.fields import Amount, Kind, Label, Line, Moment, Prose
from api.commands.forms import Fact, Timed
from api.words import Word
from domain.referrals import handlers
from domain.referrals.referral import Paper, Referral
from domain.vocabulary import Conclusion, Level, Milestone, PaperKind, ReferralKind

REFERRALS = Noun(
    "referral",
    "referrals",
    Word("移送", "Referral"),
    Referral,
    by_number(Referral, handlers.referral_id, "referral"),
    ledger="referral",
)


class Send(Fact):
    """To whom, as what, on what ground. Files attached are papers of the package, in the order of the kinds named."""

    number: Annotated[Line, Label("移送书号", "Number")]
    kind: Annotated[ReferralKind, Label("种类", "Kind")]
    to: Annotated[Line, Label("移送对象", "To")]
    ground: Annotated[Prose, Label("事由", "Ground", kind=Kind.PROSE, sealed=True)]
    claims: Annotated[tuple[Line, ...], Label("涉及明细", "Lines", "每行一个明细号", "their numbers, one a line")] = ()
    amount: Annotated[Amount | None, Label("涉及金额（元）", "Amount (yuan)", kind=Kind.MONEY)] = None
    suspects: Annotated[tuple[Line, ...], Label("涉嫌人", "Suspects", "每行一人", "one a line", sealed=True)] = ()
    paper_kinds: Annotated[
        tuple[PaperKind, ...], Label("材料种类", "Kinds of papers", "与证据材料一一对应", "one for each file attached")
    ] = ()
    team: Annotated[tuple[Line, ...], Label("办理人员", "Team", "代号，每行一人", "short names, one a line")] = ()
    proposed_by: Annotated[
        Line | None,
        Label(
            "提请人员",
            "Proposed by",
            "移送公安须由行政机关负责人登记",
            "their short name; to the police it is entered by the head who approved it",
        ),
    ] = None
    reported: Annotated[Moment | None, Label("报批时间", "Reported")] = None
    approved: Annotated[Moment | None, Label("批准时间", "Approved")] = None
    from_level: Annotated[Level | None, Label("由", "From level")] = None
    to_level: Annotated[Level | None, Label("至", "To level")] = None
    to_place: Annotated[Line | None, Label("移送属地", "To place")] = None


def _papers(desk: Desk, form: Send | Material) -> tuple[Paper, ...]:
    """A paper a file; a file beyond the kinds that are named is evidence."""
    files = desk.files(form.evidence)
    kinds = (*form.paper_kinds, *[PaperKind.EVIDENCE] * len(files))[: len(files)]
    return tuple(Paper(kind=kind, file=file) for kind, file in zip(kinds, files, strict=True))


@CASES.command("refer", Word("移送", "Refer"), clause="N28", group=Word("移送", "Referrals"))
def send(desk: Desk, case: str, form: Send) -> None:
    """Refers something of the case: to the police, for early intervention, to the competent department, to arbitration or court, to a
    superior. A crime is referred whole: two officers investigated, one of them proposed it, and the head of the agency, who enters it,
    approved."""
    provenance = desk.provenance(form, _CLAUSES.get(form.kind, "N28"))
    if form.proposed_by is not None:
        provenance = msgspec.structs.replace(
            provenance, decidedby=desk.officer_id(form.proposed_by), approvedby=provenance.decidedby
        )
    stream = handlers.referral_id(desk.origin, form.number)
    handlers.send_referral(
        desk.streams,
        origin=desk.origin,
        case=case,
        number=form.number,
        kind=form.kind,
        to=form.to,
        ground=desk.seal(stream, "ground", form.ground),
        claims=tuple(claim_of(case, said) for said in form.claims),
        amount=form.amount,
        suspects=tuple(desk.seal(stream, "suspect", name) for name in form.suspects),
        papers=_papers(desk, form),
        team=tuple(desk.officer_id(handle) for handle in form.team),
        reported=form.reported,
        approved=form.approved,
        from_level=form.from_level,
        to_level=form.to_level,
        to_place=None if form.to_place is None else desk.platform.info.tree.find(form.to_place).code,
        provenance=provenance,
        **desk.sent,
    )


_CLAUSES = {
    ReferralKind.COMPETENT_DEPARTMENT: "N29",
    ReferralKind.SUPERIOR: "N12",
    ReferralKind.ARBITRATION: "N21",
    ReferralKind.COURT: "N21",
}


class Acknowledge(Fact):
    """Their receipt."""

    receipt: Annotated[Line | None, Label("回执号", "Receipt")] = None
    signer: Annotated[Line | None, Label("签收人", "Signed by", sealed=True)] = None


@REFERRALS.command("acknowledge", Word("登记签收", "Record that it was signed for"), clause="Order 310")
def acknowledge(desk: Desk, referral: str, form: Acknowledge) -> None:
    """Records that it was signed for."""
    handlers.acknowledge_referral(
        desk.streams,
        referral=referral,
        receipt=form.receipt,
        signer=desk.seal_given(referral, "signer", form.signer),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class AcceptForm(Fact):
    """Under which number of theirs."""

    number: Annotated[Line | None, Label("对方编号", "Their number")] = None


@REFERRALS.command("accept", Word("登记受理", "Record that it was taken on"), clause="Order 310")
def accept(desk: Desk, referral: str, form: AcceptForm) -> None:
    """Records that it was taken on; of a crime: that the police filed a case."""
    handlers.accept_referral(
        desk.streams,
        referral=referral,
        number=form.number,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class Refusal(Fact):
    """On what ground, under which document."""

    ground: Annotated[Prose | None, Label("理由", "Ground", kind=Kind.PROSE, sealed=True)] = None
    document: Annotated[Line | None, Label("文书号", "Document")] = None


@REFERRALS.command("refused", Word("登记不予受理", "Record that it was refused"), clause="Order 310")
def refused(desk: Desk, referral: str, form: Refusal) -> None:
    """Records that it was not taken on."""
    handlers.record_referral_refused(
        desk.streams,
        referral=referral,
        ground=desk.seal_given(referral, "ground", form.ground),
        document=form.document,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class Reconsider(Timed):
    """Of whom, on what ground."""

    of: Annotated[Line, Label("复议机关", "Asked of")]
    ground: Annotated[Prose, Label("理由", "Ground", kind=Kind.PROSE, sealed=True)]
    document: Annotated[Line | None, Label("文书号", "Document")] = None


@REFERRALS.command("ask-reconsideration", Word("提请复议或监督", "Ask for reconsideration"), clause="Order 310")
def ask_reconsideration(desk: Desk, referral: str, form: Reconsider) -> None:
    """Asks that a refusal be decided again, or supervised by the procuratorate."""
    handlers.ask_reconsideration(
        desk.streams,
        referral=referral,
        of=form.of,
        ground=desk.seal(referral, "ground", form.ground),
        document=form.document,
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


@REFERRALS.command("returned", Word("登记退回", "Record that it came back"), clause="Order 310")
def returned(desk: Desk, referral: str, form: Refusal) -> None:
    """Records that it came back undecided."""
    handlers.record_referral_returned(
        desk.streams,
        referral=referral,
        ground=desk.seal_given(referral, "ground", form.ground),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class Forward(Fact):
    """To whom."""

    to: Annotated[Line, Label("转往", "To")]


@REFERRALS.command("forwarded", Word("登记转往", "Record that it was sent on"), clause="Order 310")
def forwarded(desk: Desk, referral: str, form: Forward) -> None:
    """Records that it was sent on to whoever is competent."""
    handlers.record_referral_forwarded(
        desk.streams,
        referral=referral,
        to=form.to,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class Material(Fact):
    """What followed: a kind for each file attached."""

    paper_kinds: Annotated[
        tuple[PaperKind, ...], Label("材料种类", "Kinds of papers", "与证据材料一一对应", "one for each file attached")
    ] = ()


@REFERRALS.command("hand-over-material", Word("登记材料移交", "Record material handed over"), clause="Order 310")
def hand_over_material(desk: Desk, referral: str, form: Material) -> None:
    """Records that further things and papers followed."""
    handlers.record_material_handed_over(
        desk.streams,
        referral=referral,
        papers=_papers(desk, form),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class Progress(Fact):
    """What was answered, and the step of procedure that was reached."""

    milestone: Annotated[Milestone | None, Label("程序节点", "Step reached")] = None
    note: Annotated[Prose | None, Label("内容", "Note", kind=Kind.PROSE, sealed=True)] = None
    document: Annotated[Line | None, Label("文书号", "Document")] = None


@REFERRALS.command("progress", Word("登记进展", "Record progress"), clause="N28")
def progress(desk: Desk, referral: str, form: Progress) -> None:
    """Records an answer, and the step of procedure that was reached."""
    handlers.record_referral_progress(
        desk.streams,
        referral=referral,
        milestone=form.milestone,
        note=desk.seal_given(referral, "note", form.note),
        document=form.document,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class Supervision(Timed):
    """Who supervises."""

    level: Annotated[Level, Label("督办级别", "Level")]
    by: Annotated[Line, Label("督办单位", "By")]
    document: Annotated[Line | None, Label("文书号", "Document")] = None


@REFERRALS.command("set-supervision", Word("登记督办", "Record who supervises"), clause="N28")
def set_supervision(desk: Desk, referral: str, form: Supervision) -> None:
    """Records who supervises how it is dealt with."""
    handlers.record_supervision(
        desk.streams,
        referral=referral,
        level=form.level,
        by=form.by,
        document=form.document,
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )


class Conclude(Fact):
    """What it ended with."""

    conclusion: Annotated[Conclusion, Label("结论", "Conclusion")]
    note: Annotated[Prose | None, Label("内容", "Note", kind=Kind.PROSE, sealed=True)] = None
    document: Annotated[Line | None, Label("文书号", "Document")] = None


@REFERRALS.command("conclude", Word("登记结论", "Record the conclusion"), clause="N28")
def conclude(desk: Desk, referral: str, form: Conclude) -> None:
    """Records what it ended with."""
    handlers.conclude_referral(
        desk.streams,
        referral=referral,
        conclusion=form.conclusion,
        note=desk.seal_given(referral, "note", form.note),
        document=form.document,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N28"),
        **desk.sent,
    )
