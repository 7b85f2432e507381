"""Reception ledger (投诉举报接待台账): one row a complaint; its words are computed in `domain/complaints/reception.py` (N20, N21).

`acceptance`: one row a complaint and case that it was accepted into or joined to. With it *accepted without a case* is a query: the rows
whose case the case ledger does not hold. Nothing here is keyed by the case, so that one partition alone ever changes a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from domain.complaints.complaint import Complaint, Particulars, after
from domain.complaints.reception import ReceptionState, classified_on_the_day, unanswered, undecided
from domain.entries import Recorded
from domain.sealing.personal import Sealed
from domain.vocabulary import ReceptionChannel
from projections.ledger import Column, DerivedLedger, Kind, Row, RowLedger, Title


class ReceptionRow(Row, frozen=True, kw_only=True):
    """A complaint and where it stands. `closed_cases` is nobody's to say here: it belongs to other partitions."""

    complaint: str
    number: str
    channel: ReceptionChannel
    particulars: Particulars
    state: ReceptionState
    late_because: str | None = None


def _state(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row.state, name))


def _particular(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row.particulars, name))


def _sealed(name: str, zh: str, en: str) -> Column:
    return Column(name, zh, en, Kind.SEALED, lambda row: getattr(row.particulars, name), sealed_field=name)


def _on_time(row: ReceptionRow) -> bool | None:
    return None if row.state.classified_at is None else classified_on_the_day(row.state)


reception_ledger = RowLedger(
    "reception",
    row=ReceptionRow,
    version=1,
    title=Title("投诉举报接待台账", "Reception ledger"),
    columns=(
        Column("number", "接待编号", "Number", Kind.TEXT, lambda row: row.number),
        Column("complaint", "投诉", "Complaint", Kind.TEXT, lambda row: row.complaint),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.state.place),
        Column("channel", "渠道", "Channel", Kind.TEXT, lambda row: row.channel.value),
        _state("received", "接报时间", "Received", Kind.TIME),
        Column("stage", "办理阶段", "Stage", Kind.TEXT, lambda row: row.state.stage.value),
        _state("first_officer", "首问责任人", "First officer asked"),
        _state("officer", "现责任人", "Officer now"),
        _sealed("complainant", "反映人", "Complainant"),
        _sealed("phone", "电话", "Telephone"),
        _sealed("complainant_id", "身份证号", "Id number"),
        _sealed("address", "现居住地址", "Address"),
        _sealed("matter", "反映内容", "Matter"),
        _particular("came", "来访人数", "People who came", Kind.INTEGER),
        Column("group", "集体访", "Group visit", Kind.BOOLEAN, lambda row: row.particulars.group_visit),
        _particular("debtor", "欠薪单位", "Debtor"),
        _particular("project", "项目名称", "Project"),
        _particular("contractor", "总承包单位", "General contractor"),
        _particular("headcount", "欠薪人数", "Workers owed", Kind.INTEGER),
        _particular("amount", "欠薪金额", "Amount owed", Kind.MONEY),
        _particular("since", "欠薪起始", "Owed since", Kind.DATE),
        Column(
            "class",
            "分类",
            "Class",
            Kind.TEXT,
            lambda row: None if row.state.classification is None else row.state.classification.value,
        ),
        _state("due", "分类期限", "To be classified by", Kind.TIME),
        _state("classified_at", "分类时间", "Classified on", Kind.TIME),
        _state("classified_by", "分类人", "Classified by"),
        _state("classification_entered_at", "分类录入时间", "Classification entered on", Kind.TIME),
        Column("on_time", "当日分类", "Classified on the day", Kind.BOOLEAN, _on_time),
        _state("returned_until", "补正期限", "To be completed by", Kind.TIME),
        Column("missing", "尚缺", "Still missing", Kind.LIST, lambda row: [each.value for each in row.state.missing]),
        Column("cases", "去向（案件）", "Cases", Kind.LIST, lambda row: list(row.state.cases)),
        Column("undecided", "属欠薪未受理", "Arrears, not decided", Kind.BOOLEAN, lambda row: undecided(row.state)),
        Column("unanswered", "未告知", "Not answered", Kind.BOOLEAN, lambda row: unanswered(row.state)),
        _state("refused_at", "不予受理时间", "Refused on", Kind.TIME),
        _state("advised_at", "告知时间", "Advised on", Kind.TIME),
        Column("departments", "责成部门", "Departments", Kind.LIST, lambda row: list(row.state.departments)),
        Column("awaited", "待答复部门", "Awaited from", Kind.LIST, lambda row: list(row.state.awaited)),
        _state("handed_to", "交属地", "Handed to"),
        _state("withdrawn_at", "本人撤回时间", "Withdrawn on", Kind.TIME),
        Column("hinted", "疑似重复", "Duplicate hinted", Kind.LIST, lambda row: list(row.state.hinted)),
        Column("duplicates", "重复件", "Duplicates", Kind.LIST, lambda row: list(row.state.duplicates)),
        Column("late_because", "补录原因", "Why entered late", Kind.TEXT, lambda row: row.late_because),
    ),
    orders=("received", "due"),
    filters=("jurisdiction", "stage", "class", "channel", "officer", "undecided", "unanswered"),
    search="number",
)


@reception_ledger.on(Complaint.Created)
def registered(_: ReceptionRow | None, recorded: Recorded[Complaint.Created]) -> ReceptionRow | None:
    """A complaint came in."""
    event = recorded.event
    state = after(None, event)
    if state is None:
        return None
    return ReceptionRow(
        complaint=recorded.envelope.subject,
        number=event.number,
        channel=event.channel,
        particulars=event.particulars,
        state=state,
        late_because=event.late_because,
    )


@reception_ledger.on(Complaint.ParticularsAmended, Complaint.Completed)
def amended(row: ReceptionRow | None, recorded: Recorded[Complaint.Completed]) -> ReceptionRow | None:
    """Its particulars are others now."""
    moved = _moved(row, recorded)
    return None if moved is None else msgspec.structs.replace(moved, particulars=recorded.event.particulars)


def _moved(row: ReceptionRow | None, recorded: Recorded[Any]) -> ReceptionRow | None:
    if row is None:
        return None
    state = after(row.state, recorded.event)
    return row if state is None else msgspec.structs.replace(row, state=state)


reception_ledger.on(
    Complaint.ReturnedForCompletion,
    Complaint.Classified,
    Complaint.Accepted,
    Complaint.Joined,
    Complaint.Refused,
    Complaint.Advised,
    Complaint.DepartmentOrdered,
    Complaint.DepartmentAnswered,
    Complaint.HandedToLocalGovernment,
    Complaint.DuplicateHinted,
    Complaint.DuplicateSettled,
    Complaint.Withdrawn,
    Complaint.FirstOfficerHandedOver,
)(_moved)


class AcceptanceRow(Row, frozen=True, kw_only=True):
    """A complaint is handled in a case."""

    complaint: str
    number: str
    case: str
    jurisdiction: str
    received: datetime
    complainant: Sealed | None = None


def _acceptances(row: ReceptionRow) -> Mapping[str, AcceptanceRow]:
    return {
        f"{row.complaint}/{case}": AcceptanceRow(
            complaint=row.complaint,
            number=row.number,
            case=case,
            jurisdiction=row.state.place,
            received=row.state.received,
            complainant=row.particulars.complainant,
        )
        for case in row.state.cases
    }


acceptance_ledger = DerivedLedger(
    "acceptance",
    row=AcceptanceRow,
    version=1,
    title=Title("投诉与案件对应", "Complaints and their cases"),
    columns=(
        Column("number", "接待编号", "Complaint", Kind.TEXT, lambda row: row.number),
        Column("complaint", "投诉", "Complaint id", Kind.TEXT, lambda row: row.complaint),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: row.case),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("received", "接报时间", "Received", Kind.TIME, lambda row: row.received),
        Column(
            "complainant", "反映人", "Complainant", Kind.SEALED, lambda row: row.complainant, sealed_field="complainant"
        ),
    ),
    orders=("number",),
    filters=("jurisdiction", "case", "complaint"),
    search="number",
    source=reception_ledger,
    derive=_acceptances,
)
