"""Commands about claim lines: the roster and its verification, who the workers are, waivers, answers (clauses N22, N26)."""

from __future__ import annotations

from typing import Annotated

from api.commands.cases import CASES
from api.commands.command import Noun
from api.commands.desk import Desk, Resolving, claim_of
from api.commands.fields import Amount, Count, Day, Kind, Label, Line, Positive, Prose
from api.commands.follow_ups import CALL_LISTS
from api.commands.forms import Fact, Files, Form, Timed, ToldForm
from api.words import Word
from domain.claims import handlers
from domain.claims.claim import Claim, Figures, WorkerSeen, claim_id
from domain.errors import InputError, NotFoundError
from domain.money import Fen
from domain.vocabulary import Answer, ClaimKind, FollowUpMethod

_ROSTER = Word("名册", "Roster")
_ASKED = Word("回头看", "Follow-up")


def _resolve(desk: Desk | Resolving, said: str) -> str:
    """A claim line by its id, or as `CASE#LINE`: the case's number or id, and the line's number."""
    case, separator, line = said.rpartition("#")
    claim = claim_id(desk.platform.case_id(case), line) if separator else said
    if desk.streams.find(Claim, claim) is None:
        raise NotFoundError(f"there is no claim line {said!r}")
    return claim


CLAIMS = Noun("claim", "claims", Word("欠薪明细", "Claim line"), Claim, _resolve, ledger="claim")


class RosterLine(Form):
    """A line of a roster."""

    worker: Annotated[Line | None, Label("姓名", "Name", sealed=True)] = None
    worker_id: Annotated[Line | None, Label("身份证号", "Id number", sealed=True)] = None
    phone: Annotated[Line | None, Label("电话", "Telephone", sealed=True)] = None
    claimed: Annotated[Amount | None, Label("反映金额（元）", "Claimed (yuan)", kind=Kind.MONEY)] = None
    period_from: Annotated[Day | None, Label("欠薪起", "From")] = None
    period_to: Annotated[Day | None, Label("欠薪止", "To")] = None
    crew: Annotated[Line | None, Label("班组", "Crew", sealed=True)] = None
    nickname: Annotated[Line | None, Label("绰号", "Nickname", sealed=True)] = None
    gross: Annotated[Amount | None, Label("应发（元）", "Gross (yuan)", kind=Kind.MONEY)] = None
    drawn: Annotated[Amount | None, Label("已预支（元）", "Drawn (yuan)", kind=Kind.MONEY)] = None
    kind: Annotated[ClaimKind, Label("类别", "Kind")] = ClaimKind.WAGE
    headcount: Annotated[Count, Label("人数", "Workers")] = 1
    debtor: Annotated[Line | None, Label("欠薪单位", "Debtor")] = None


def sealed_lines(desk: Desk, lines: tuple[RosterLine, ...]) -> list[handlers.NewLine]:
    """The lines with every personal text sealed, each worker's under the worker's own key, in one transaction of the vault."""
    people = [desk.person(line.worker_id) for line in lines]
    items = [
        (person, field, text)
        for line, person in zip(lines, people, strict=True)
        for field in _PERSONAL
        if (text := getattr(line, field)) is not None
    ]
    sealed = iter(desk.platform.vault.seal_many(items))
    return [_sealed_line(line, {field: next(sealed) for field in _PERSONAL if getattr(line, field)}) for line in lines]


_PERSONAL = ("worker", "worker_id", "phone", "crew", "nickname")


def _sealed_line(line: RosterLine, texts: dict[str, object]) -> handlers.NewLine:
    seen = WorkerSeen(nickname=texts.get("nickname"), crew=texts.get("crew"))  # type: ignore[arg-type]
    return handlers.NewLine(
        kind=line.kind,
        headcount=line.headcount,
        figures=Figures(claimed=_claimed(line), gross=line.gross, drawn=line.drawn),
        worker=texts.get("worker"),  # type: ignore[arg-type]
        worker_id=texts.get("worker_id"),  # type: ignore[arg-type]
        phone=texts.get("phone"),  # type: ignore[arg-type]
        period_from=line.period_from,
        period_to=line.period_to,
        debtor=line.debtor,
        seen=None if seen == WorkerSeen() else seen,
    )


def _claimed(line: RosterLine) -> Fen | None:
    """What is claimed, or what the gross leaves after what was drawn.

    Raises:
        InputError: the three contradict each other.
    """
    if line.gross is None:
        return line.claimed
    net = line.gross - (line.drawn or 0)
    if line.claimed is not None and line.claimed != net:
        raise InputError(
            f"gross less drawn makes {net} fen, and {line.claimed} are claimed",
            field="claimed",
            rule="gross-less-drawn",
        )
    return net


class AddLines(Fact):
    """The workers, and what each claims."""

    lines: Annotated[tuple[RosterLine, ...], Label("名册", "Roster")]


@CASES.command("add-lines", Word("录入名册", "Enter the roster"), clause="N22", group=_ROSTER)
def add_lines(desk: Desk, case: str, form: AddLines) -> None:
    """States the lines of a roster, all of them or none. A late worker of a closed case is entered, too."""
    handlers.add_lines(
        desk.streams,
        case=case,
        lines=sealed_lines(desk, form.lines),
        provenance=desk.provenance(form, "N22"),
        **desk.sent,
    )


class Verdict(Form):
    """How a line is determined."""

    claim: Annotated[Line, Label("明细", "Line", "明细号", "its number")]
    verified: Annotated[Amount, Label("核实（元）", "Verified (yuan)", kind=Kind.MONEY)]
    rejected: Annotated[Amount, Label("核减（元）", "Rejected (yuan)", kind=Kind.MONEY)] = 0
    withdrawn: Annotated[Amount, Label("撤回（元）", "Withdrawn (yuan)", kind=Kind.MONEY)] = 0
    disputed: Annotated[Amount, Label("争议（元）", "Disputed (yuan)", kind=Kind.MONEY)] = 0
    ground: Annotated[Line | None, Label("依据", "Ground")] = None


class VerifyLines(Timed):
    """How each line is determined; how and when workers were told is said once for all of them."""

    lines: Annotated[tuple[Verdict, ...], Label("核定", "Determined")]
    told: Annotated[ToldForm | None, Label("告知", "Told")] = None
    evidence: Files = ()


@CASES.command("verify-lines", Word("逐人核定", "Determine the lines"), clause="N22", group=_ROSTER)
def verify_lines(desk: Desk, case: str, form: VerifyLines) -> None:
    """Determines lines, all of them or none: claimed = verified + rejected + withdrawn + referred as disputed."""
    told = None if form.told is None else form.told.said()
    evidence = desk.files(form.evidence)
    handlers.verify_lines(
        desk.streams,
        case=case,
        decisions=[
            handlers.Decision(
                claim=claim_of(case, line.claim),
                verified=line.verified,
                rejected=line.rejected,
                withdrawn=line.withdrawn,
                disputed=line.disputed,
                ground=line.ground,
                told=told if line.rejected or line.ground or not line.verified else None,
                evidence=evidence,
            )
            for line in form.lines
        ],
        provenance=desk.provenance(form, "N22"),
        **desk.sent,
    )


class TellWorkers(Fact):
    """Who was told, when and how."""

    claims: Annotated[tuple[Line, ...], Label("明细", "Lines", "每行一个明细号", "their numbers, one a line")]
    told: Annotated[ToldForm, Label("告知", "Told")]


@CASES.command("tell-workers", Word("告知工人", "Record that workers were told"), clause="N21", group=_ROSTER)
def tell_workers(desk: Desk, case: str, form: TellWorkers) -> None:
    """Records that workers were told ground and remedy of a rejection."""
    handlers.tell_workers(
        desk.streams,
        case=case,
        claims=[claim_of(case, said) for said in form.claims],
        told=form.told.said(),
        provenance=desk.provenance(form, "N21"),
        **desk.sent,
    )


class AnswerForm(Form):
    """An attempt to ask a worker, and the answer."""

    claim: Annotated[Line, Label("明细", "Line", "明细号", "its number")]
    answer: Annotated[Answer, Label("答复", "Answer")]
    amount: Annotated[Amount | None, Label("到手金额（元）", "Received (yuan)", kind=Kind.MONEY)] = None
    method: Annotated[FollowUpMethod, Label("方式", "Method")] = FollowUpMethod.PHONE
    number_from: Annotated[Line | None, Label("号码来源", "Number from")] = None
    note: Annotated[Line | None, Label("备注", "Note", sealed=True)] = None


class FollowUp(Timed):
    """Answers of workers, had by the officer who records them."""

    answers: Annotated[tuple[AnswerForm, ...], Label("答复", "Answers")]
    call_list: Annotated[Line | None, Label("回访名单", "Call list")] = None


@CASES.command("follow-up", Word("登记回访", "Record answers"), clause="N26", group=_ASKED)
def follow_up(desk: Desk, case: str, form: FollowUp) -> None:
    """Records whom the officer asked whether the money arrived, and what they said. Facts, whoever asks; they confirm only where the asker
    neither handles the case nor paid in it."""
    handlers.follow_up(
        desk.streams,
        case=case,
        said=[
            handlers.Said(
                claim=(claim := claim_of(case, each.claim)),
                answer=each.answer,
                method=each.method,
                amount=each.amount,
                number_from=each.number_from,
                note=desk.seal_given(claim, "note", each.note),
            )
            for each in form.answers
        ],
        asker=desk.officer.officer,
        call_list=None if form.call_list is None else CALL_LISTS.resolve(desk, form.call_list),
        provenance=desk.provenance(form, "N26"),
        **desk.sent,
    )


# One line


class Describe(Timed):
    """What is known of a worker who is not identified yet."""

    nickname: Annotated[Line | None, Label("绰号", "Nickname", sealed=True)] = None
    crew: Annotated[Line | None, Label("班组", "Crew", sealed=True)] = None
    phone: Annotated[Line | None, Label("电话", "Telephone", sealed=True)] = None
    hometown: Annotated[Line | None, Label("籍贯", "Home town", sealed=True)] = None
    note: Annotated[Prose | None, Label("备注", "Note", kind=Kind.PROSE, sealed=True)] = None


@CLAIMS.command("describe", Word("补充工人情况", "Describe the worker"), clause="definitions: claim line")
def describe(desk: Desk, claim: str, form: Describe) -> None:
    """Records nickname, crew and telephone of a worker who is not identified yet."""
    line = desk.streams.get(Claim, claim)
    person = _person_of(desk, line)
    seen = WorkerSeen(
        nickname=desk.seal_given(person, "nickname", form.nickname),
        crew=desk.seal_given(person, "crew", form.crew),
        phone=desk.seal_given(person, "phone", form.phone),
        hometown=desk.seal_given(person, "hometown", form.hometown),
        note=desk.seal_given(person, "note", form.note),
    )
    handlers.describe_worker(desk.streams, claim=claim, seen=seen, provenance=desk.provenance(form, "N22"), **desk.sent)


def _person_of(desk: Desk, line: Claim) -> str:
    """The subject that the line's worker is sealed under; a new one where nobody is known yet."""
    seen = line.seen or WorkerSeen()
    known = line.worker or seen.nickname or seen.crew or seen.phone
    return desk.platform.vault.new_subject() if known is None else known.subject


class Identify(Fact):
    """Who the worker is, and how that was found."""

    worker: Annotated[Line, Label("姓名", "Name", sealed=True)]
    worker_id: Annotated[Line | None, Label("身份证号", "Id number", sealed=True)] = None
    phone: Annotated[Line | None, Label("电话", "Telephone", sealed=True)] = None
    how: Annotated[Line, Label("核实方式", "How it was found")]
    another_person: Annotated[
        bool,
        Label("并非原登记之人", "Another person than entered", "此前答复作废", "what the former one answered is void"),
    ] = False


@CLAIMS.command("identify", Word("核实身份", "Identify the worker"), clause="definitions: confirmed")
def identify(desk: Desk, claim: str, form: Identify) -> None:
    """Says who the worker is; another person than before voids what the former one answered."""
    line = desk.streams.get(Claim, claim)
    person = desk.person(form.worker_id) if form.another_person else _person_of(desk, line)
    handlers.identify_worker(
        desk.streams,
        claim=claim,
        worker=desk.seal(person, "worker", form.worker),
        worker_id=desk.seal_given(person, "worker_id", form.worker_id),
        phone=desk.seal_given(person, "phone", form.phone),
        how=form.how,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N22"),
        **desk.sent,
    )


class Waive(Timed):
    """What the worker gave up, signed by themselves."""

    amount: Annotated[Positive, Label("放弃金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
    ground: Annotated[Line, Label("缘由", "Ground")]
    told: Annotated[ToldForm, Label("告知", "Told")]
    evidence: Files = ()


@CLAIMS.command("waive", Word("本人放弃", "Record a waiver"), clause="definitions: owing")
def waive(desk: Desk, claim: str, form: Waive) -> None:
    """Records that the worker gave up a part, by a statement that they signed themselves and that is attached."""
    handlers.waive(
        desk.streams,
        claim=claim,
        amount=form.amount,
        ground=form.ground,
        told=form.told.said(),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "definitions: owing"),
        **desk.sent,
    )


class RefuteWaiver(Fact):
    """How much of a waiver was not the worker's own, and why."""

    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
    ground: Annotated[Line, Label("依据", "Ground")]


@CLAIMS.command("refute-waiver", Word("否定放弃", "Refute a waiver"), clause="definitions: owing")
def refute_waiver(desk: Desk, claim: str, form: RefuteWaiver) -> None:
    """Records that a waiver, or a part of it, was not the worker's own."""
    handlers.refute_waiver(
        desk.streams,
        claim=claim,
        amount=form.amount,
        ground=form.ground,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "definitions: owing"),
        **desk.sent,
    )


class Merge(Timed):
    """Into which line, and why."""

    into: Annotated[Line, Label("并入明细", "Into", "明细号", "its number")]
    ground: Annotated[Line, Label("依据", "Ground")]


@CLAIMS.command("merge", Word("合并明细", "Merge into another line"), clause="definitions: claim line")
def merge(desk: Desk, claim: str, form: Merge) -> None:
    """The same worker stands twice: the line leaves every sum, and its money counts for the other."""
    case = desk.streams.get(Claim, claim).case
    handlers.merge_lines(
        desk.streams,
        claim=claim,
        into=claim_of(case, form.into),
        ground=form.ground,
        provenance=desk.provenance(form, "N22"),
        **desk.sent,
    )


class SplitPart(RosterLine):
    """A part of a line, and how much of what was paid counts for it."""

    paid: Annotated[Amount, Label("已付归入（元）", "Of the paid (yuan)", kind=Kind.MONEY)] = 0


class Split(Timed):
    """The parts; their claimed figures and head-counts make the line's."""

    parts: Annotated[tuple[SplitPart, ...], Label("拆分为", "Parts")]
    ground: Annotated[Line, Label("依据", "Ground")]


@CLAIMS.command("split", Word("拆分明细", "Split the line"), clause="definitions: claim line")
def split(desk: Desk, claim: str, form: Split) -> None:
    """Replaces an unnamed head-count, or two workers entered as one, by its parts."""
    lines = sealed_lines(desk, form.parts)
    handlers.split_line(
        desk.streams,
        claim=claim,
        parts=[handlers.Part(line, part.paid) for line, part in zip(lines, form.parts, strict=True)],
        ground=form.ground,
        provenance=desk.provenance(form, "N22"),
        **desk.sent,
    )
