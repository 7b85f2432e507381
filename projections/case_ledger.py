"""Case ledger (案件台账): one row a case. Its sums follow the claim ledger's rows; its words are computed in `domain/cases/standing.py`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from domain.cases.case import Case, Particulars, SourceState, proceed
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
from domain.streams import StreamEvent
from domain.vocabulary import StatedMeaning
from projections.claim_ledger import ClaimRow, claim_ledger
from projections.ledger import Column, Kind, Row, RowLedger, Title


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


def _of_source(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(f"stated_{name}", zh, en, kind, lambda row: None if row.source is None else getattr(row.source, name))


case_ledger = RowLedger(
    "case",
    row=CaseRow,
    version=1,
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


@case_ledger.on(
    Case.RosterDeclared,
    Case.RosterConfirmed,
    Case.ClosingProposed,
    Case.ClosingRefused,
    Case.Closed,
    Case.Reopened,
    Case.WrittenOff,
)
def proceeded(row: CaseRow | None, recorded: Recorded[StreamEvent]) -> CaseRow | None:
    """An act of the office."""
    return None if row is None else msgspec.structs.replace(row, procedure=proceed(row.procedure, recorded.event))


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


@case_ledger.on(Payment.LineReturned, Payment.LineReversed, key=_case_of)
def taken_back(row: CaseRow | None, recorded: Recorded[Payment.LineReversed]) -> CaseRow | None:
    """Such money was returned or reversed."""
    return _unallocate(row, recorded.event.claim, -recorded.event.amount)


def _unallocate(row: CaseRow | None, claim: str | None, amount: Fen) -> CaseRow | None:
    if row is None or claim is not None:
        return row
    return msgspec.structs.replace(row, unallocated=row.unallocated + amount)
