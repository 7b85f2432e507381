"""Case ledger (案件台账): one row a case. Its sums follow the claim ledger's rows; its words are computed in `domain/cases/standing.py`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from domain.cases.case import PROCEDURE_EVENTS, Case, Particulars, SourceState, particulars_after, proceed
from domain.cases.standing import (
    EMPTY,
    NOT_BEGUN,
    Procedure,
    Standing,
    closed,
    confirmed,
    determined,
    plus,
    solved,
    written_off,
)
from domain.entries import Recorded
from domain.money import Fen
from domain.payments.payment import Payment
from domain.referrals.referral import Referral
from domain.streams import StreamEvent
from domain.vocabulary import CaseDuty, ReferralKind, StatedMeaning
from projections.backstop_ledger import BackstopRow, backstop_ledger
from projections.claim_ledger import ClaimRow, claim_ledger
from projections.custody_ledger import CustodyRow, custody_ledger
from projections.ledger import Column, Kind, Row, RowLedger, Title

EMPTY_BACKSTOP = (0, 0)
DECIDE_DISPUTES = frozenset({ReferralKind.ARBITRATION, ReferralKind.COURT, ReferralKind.COMPETENT_DEPARTMENT})


class Stage(StrEnum):
    """The furthest computed word that holds for a case; what the source says has columns of its own."""

    OPEN = "open"
    DETERMINED = "determined"
    SOLVED = "solved"
    CLOSED = "closed"
    WRITTEN_OFF = "written-off"


class CaseRow(Row, frozen=True, kw_only=True):
    """A case and where it stands. `unallocated`: paid to the case, but to no claim line (fen)."""

    case: str
    number: str
    book: str | None = None
    registered_at: datetime
    particulars: Particulars
    source: SourceState | None = None
    vanished: bool = False
    standing: Standing = EMPTY
    procedure: Procedure = NOT_BEGUN
    unallocated: Fen = 0
    custody: Fen = 0
    """Held by foremen, agents and custody accounts; never netted between them."""
    custody_overdrawn: Fen = 0
    backstop_paid: Fen = 0
    to_recover: Fen = 0
    to_police: int = 0
    """Referrals to the police as a crime."""
    disputes_referred: int = 0
    """Referrals to those who decide disputes: arbitration, courts, departments."""
    cause_recorded: str | None = None

    @property
    def stage(self) -> Stage:
        """The furthest computed word that holds now."""
        if written_off(self.procedure, self.standing):
            return Stage.WRITTEN_OFF
        if closed(self.procedure):
            return Stage.CLOSED
        if solved(self.procedure, self.standing):
            return Stage.SOLVED
        if determined(self.procedure, self.standing):
            return Stage.DETERMINED
        return Stage.OPEN

    @property
    def stated_closed(self) -> bool:
        """The source calls it closed; stated, never computed."""
        return self.source is not None and self.source.means is StatedMeaning.CLOSED


def _of_standing(name: str, zh: str, en: str, kind: Kind = Kind.MONEY) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row.standing, name))


def _particular(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row.particulars, name))


def _of_duty(name: str, zh: str, en: str, duty: CaseDuty) -> Column:
    """Officers by id; persons outside the deployment by the subject that their name is sealed under (see the duty roster)."""

    def holders(row: CaseRow) -> list[str]:
        held = [each.holder for each in row.procedure.duties if each.duty is duty]
        return [each.officer or (each.name.subject if each.name else "") for each in held]

    return Column(name, zh, en, Kind.LIST, holders)


def _value(word: StrEnum | None) -> str | None:
    return None if word is None else word.value


def _of_source(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(f"stated_{name}", zh, en, kind, lambda row: None if row.source is None else getattr(row.source, name))


case_ledger = RowLedger(
    "case",
    row=CaseRow,
    version=3,
    title=Title("欠薪案件台账", "Case ledger"),
    columns=(
        Column("number", "案件编号", "Case number", Kind.TEXT, lambda row: row.number),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: row.case),
        _particular("jurisdiction", "属地", "Jurisdiction"),
        _particular("received", "接报时间", "Received", Kind.TIME),
        Column("classes", "清零类别", "Classes", Kind.LIST, lambda row: [c.value for c in row.particulars.classes]),
        Column("funding", "项目类型", "Funding", Kind.TEXT, lambda row: row.particulars.funding.value),
        _particular("project", "项目名称", "Project"),
        _particular("debtor", "欠薪单位", "Debtor"),
        _particular("contractor", "总承包单位", "General contractor"),
        _particular("developer", "建设单位", "Developer"),
        _particular("industry", "行业", "Industry"),
        _particular("channel", "来源", "Channel"),
        _particular("cause", "欠薪原因", "Cause"),
        Column("stage", "办理阶段", "Stage", Kind.TEXT, lambda row: row.stage.value),
        _of_standing("lines", "明细数", "Claim lines", Kind.INTEGER),
        _of_standing("headcount", "人数", "Workers", Kind.INTEGER),
        _of_standing("claimed", "反映金额", "Claimed"),
        _of_standing("verified", "核实金额", "Verified"),
        _of_standing("paid", "已付金额", "Paid"),
        _of_standing("stated_paid", "其中仅据称已付", "Of it only stated"),
        _of_standing("owing", "余额", "Owing"),
        _of_standing("overpaid", "多付", "Overpaid"),
        _of_standing("waived", "放弃金额", "Waived"),
        _of_standing("disputed", "争议金额", "Disputed"),
        _of_standing("instructed", "待到账", "Instructed"),
        _of_standing("living_aid", "生活救助", "Living aid"),
        Column("unallocated", "未对应支付", "Unallocated", Kind.MONEY, lambda row: row.unallocated),
        Column("custody", "托管代领余存", "In custody", Kind.MONEY, lambda row: row.custody),
        Column("backstop_paid", "兜底垫付", "Paid by backstops", Kind.MONEY, lambda row: row.backstop_paid),
        Column("to_recover", "追偿余额", "To be recovered", Kind.MONEY, lambda row: row.to_recover),
        Column("to_police", "移送公安", "Referred to police", Kind.INTEGER, lambda row: row.to_police),
        _of_duty("handlers", "办案责任人", "Handlers", CaseDuty.HANDLER),
        _of_duty("supervisors", "县级监管责任人", "County supervisors", CaseDuty.COUNTY_SUPERVISOR),
        _of_duty("leads", "包案领导", "Lead officials", CaseDuty.LEAD_OFFICIAL),
        Column("deadline", "办结时限", "To be finished by", Kind.TIME, lambda row: row.procedure.deadline),
        Column(
            "facts_verified_at",
            "核清案情时间",
            "Facts verified on",
            Kind.TIME,
            lambda row: row.procedure.facts_verified_at,
        ),
        Column("reported_at", "最近报告", "Last reported", Kind.TIME, lambda row: row.procedure.reported_at),
        Column("proposed", "提请办结", "Proposed outcome", Kind.TEXT, lambda row: _value(row.procedure.proposed)),
        Column("outcome", "办结方式", "Closed as", Kind.TEXT, lambda row: _value(row.procedure.closed_as)),
        Column("closed_at", "办结时间", "Closed on", Kind.TIME, lambda row: row.procedure.closed_at),
        Column("written_off_at", "销账时间", "Written off on", Kind.TIME, lambda row: row.procedure.written_off_at),
        Column(
            "transfer",
            "移送状态",
            "Transfer",
            Kind.TEXT,
            lambda row: None if row.procedure.transfer is None else row.procedure.transfer.state.value,
        ),
        Column("into", "并入案件", "Merged into", Kind.TEXT, lambda row: row.procedure.into),
        Column("determined", "核清", "Determined", Kind.BOOLEAN, lambda row: determined(row.procedure, row.standing)),
        Column("solved", "解决", "Solved", Kind.BOOLEAN, lambda row: solved(row.procedure, row.standing)),
        Column("confirmed", "到手", "Confirmed", Kind.BOOLEAN, lambda row: confirmed(row.standing)),
        Column("closed", "办结", "Closed", Kind.BOOLEAN, lambda row: closed(row.procedure)),
        Column(
            "written_off", "销账", "Written off", Kind.BOOLEAN, lambda row: written_off(row.procedure, row.standing)
        ),
        _of_source("state", "来源称状态", "State as stated"),
        Column("stated_closed", "来源称办结", "Stated closed", Kind.BOOLEAN, lambda row: row.stated_closed),
        _of_source("closed_on", "来源称办结时间", "Closed on, as stated", Kind.TIME),
        _of_source("outstanding", "来源称余额", "Outstanding, as stated", Kind.MONEY),
        _of_source("written_off", "来源称销账", "Written off, as stated"),
        Column("book", "来源账册", "Book", Kind.TEXT, lambda row: row.book),
        Column("vanished", "已从账册消失", "Vanished from its book", Kind.BOOLEAN, lambda row: row.vanished),
    ),
    orders=("received", "owing"),
    filters=("jurisdiction", "funding", "stage", "stated_closed", "book"),
    search="number",
    led_by="stage",
)


def _case_of(recorded: Recorded[StreamEvent]) -> str:
    return recorded.envelope.partitionkey


@case_ledger.on(Case.Created)
def registered(_: CaseRow | None, recorded: Recorded[Case.Created]) -> CaseRow:
    """A case begins."""
    event = recorded.event
    return CaseRow(
        case=recorded.envelope.subject,
        number=event.number,
        book=event.book,
        registered_at=recorded.envelope.occurred,
        particulars=event.particulars,
    )


@case_ledger.on(Case.ParticularsAmended)
def amended(row: CaseRow | None, recorded: Recorded[Case.ParticularsAmended]) -> CaseRow | None:
    """Its particulars are others now."""
    return None if row is None else msgspec.structs.replace(row, particulars=recorded.event.particulars)


@case_ledger.on(Case.SourceStated)
def source_stated(row: CaseRow | None, recorded: Recorded[Case.SourceStated]) -> CaseRow | None:
    """What its source calls the state."""
    return None if row is None else msgspec.structs.replace(row, source=recorded.event.source_state)


@case_ledger.on(Case.VanishedFromBook, Case.ReturnedToBook)
def in_book(row: CaseRow | None, recorded: Recorded[StreamEvent]) -> CaseRow | None:
    """It vanished from its book, or came back."""
    if row is None:
        return None
    return msgspec.structs.replace(row, vanished=isinstance(recorded.event, Case.VanishedFromBook))


@case_ledger.on(*PROCEDURE_EVENTS, Case.ClassEntered, Case.ClassLeft)
def proceeded(row: CaseRow | None, recorded: Recorded[StreamEvent]) -> CaseRow | None:
    """An act of the office, or what changes classes and senders."""
    if row is None:
        return None
    return msgspec.structs.replace(
        row,
        procedure=proceed(row.procedure, recorded.event),
        particulars=particulars_after(row.particulars, recorded.event),
    )


@case_ledger.on(Case.CauseRecorded)
def cause_recorded(row: CaseRow | None, recorded: Recorded[Case.CauseRecorded]) -> CaseRow | None:
    """Why wages were not paid."""
    return None if row is None else msgspec.structs.replace(row, cause_recorded=recorded.event.cause.value)


@case_ledger.follows(custody_ledger, key=_case_of)
def custody_changed(
    row: CaseRow | None, old: CustodyRow | None, new: CustodyRow | None, _: Recorded[StreamEvent]
) -> CaseRow | None:
    """What somebody holds for its workers."""
    if row is None:
        return None
    before, now = ((0, 0) if each is None else (each.held, each.overdrawn) for each in (old, new))
    return msgspec.structs.replace(
        row,
        custody=row.custody + now[0] - before[0],
        custody_overdrawn=row.custody_overdrawn + now[1] - before[1],
    )


@case_ledger.follows(backstop_ledger, key=_case_of)
def backstop_changed(
    row: CaseRow | None, old: BackstopRow | None, new: BackstopRow | None, _: Recorded[StreamEvent]
) -> CaseRow | None:
    """What others paid in the debtor's place, and what has to come back."""
    if row is None:
        return None
    before, now = (
        EMPTY_BACKSTOP if each is None else (each.standing.paid, each.standing.balance) for each in (old, new)
    )
    return msgspec.structs.replace(
        row,
        backstop_paid=row.backstop_paid + now[0] - before[0],
        to_recover=row.to_recover + now[1] - before[1],
    )


@case_ledger.on(Referral.Created, key=_case_of)
def referred(row: CaseRow | None, recorded: Recorded[Referral.Created]) -> CaseRow | None:
    """Something of it was referred."""
    if row is None:
        return None
    kind = recorded.event.kind
    return msgspec.structs.replace(
        row,
        to_police=row.to_police + (kind is ReferralKind.POLICE),
        disputes_referred=row.disputes_referred + (kind in DECIDE_DISPUTES),
    )


@case_ledger.follows(claim_ledger, key=_case_of)
def line_changed(
    row: CaseRow | None, old: ClaimRow | None, new: ClaimRow | None, _: Recorded[StreamEvent]
) -> CaseRow | None:
    """One of its claim lines went from `old` to `new`."""
    if row is None:
        return None
    before = None if old is None else old.balance
    now = None if new is None else new.balance
    return msgspec.structs.replace(row, standing=plus(row.standing, before, now))


@case_ledger.on(Payment.LineCredited, key=_case_of)
def unallocated(row: CaseRow | None, recorded: Recorded[Payment.LineCredited]) -> CaseRow | None:
    """Money that matches no claim line is kept apart, and listed."""
    return _unallocate(row, recorded.event.claim, recorded.event.amount)


@case_ledger.on(Payment.LineMovedHere, key=_case_of)
def moved_here(row: CaseRow | None, recorded: Recorded[Payment.LineMovedHere]) -> CaseRow | None:
    """Money was moved to a claim line, or to none."""
    return _unallocate(row, recorded.event.claim, recorded.event.amount)


@case_ledger.on(Payment.LineReturned, Payment.LineReversed, Payment.LineMovedAway, key=_case_of)
def taken_back(row: CaseRow | None, recorded: Recorded[Payment.LineReversed]) -> CaseRow | None:
    """Such money was returned, reversed, or allocated."""
    return _unallocate(row, recorded.event.claim, -recorded.event.amount)


def _unallocate(row: CaseRow | None, claim: str | None, amount: Fen) -> CaseRow | None:
    if row is None or claim is not None:
        return row
    return msgspec.structs.replace(row, unallocated=row.unallocated + amount)
