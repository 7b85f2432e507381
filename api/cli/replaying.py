"""`replay`: the history of a case or stream as a readable timeline, and the case's state on either time axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from api import time_axes
from api.cli.ledgers import KINDS, table_column
from api.cli.options import FORMAT, KNOWN_AT, NAMES, OUTPUT, WAS_BY, output
from api.cli.session import session_of
from api.cli.tables import Column, Format, Table, said
from api.reading import Reading
from api.views.case import CaseView, EntryView, case_view
from api.views.ledger import column_views
from api.views.timeline import ChangeView, TimelineItemView, timeline_views
from api.words import COLUMN_WORDS, DISCREPANCIES, ENUMS, Language, Word
from domain.errors import InputError
from domain.streams import Basis
from domain.vocabulary import Answer, Outcome
from projections.case_ledger import case_ledger
from projections.claim_ledger import claim_ledger
from projections.payment_ledger import payment_ledger


class Part(StrEnum):
    """What of a case is shown."""

    STATE = "state"
    TIMELINE = "timeline"


def add_to(app: typer.Typer) -> None:
    """Adds the verb of this module."""
    app.command("replay", epilog="Example: qingling replay 阳平人社监〔2019〕012号 --as-known-at 2019-12-31")(replay)


def replay(
    context: typer.Context,
    case: Annotated[
        str,
        typer.Argument(metavar="CASE", help="案件编号、案件或任一事件流 · a case's number or id, or any stream's id"),
    ],
    as_known_at: KNOWN_AT = None,
    as_it_was_by: WAS_BY = None,
    only: Annotated[
        Part | None,
        typer.Option("--only", help="只看状态或经过 · only the state, or only the timeline", show_default=False),
    ] = None,
    names: NAMES = False,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """回放案件 · Replay a case or stream.

    状态与逐条经过 · Where it stood, and event by event how it came to that.
    """
    session = session_of(context)
    to = output(session, format, file)
    with session.reading() as reading:
        if _is_other_stream(reading, case):
            items = _stream_items(reading, case, as_known_at, as_it_was_by, names=names)
            to.table(_timeline_table(items, case, to.language), data=[item.model_dump(mode="json") for item in items])
            return
        view = case_view(reading, case, as_known_at=as_known_at, as_it_was_by=as_it_was_by, names=names)
    timeline = _timeline_table(view.timeline, view.number, to.language)
    tables = [] if only is Part.TIMELINE else list(_state_tables(view, to.language))
    to.tables([*tables, *([] if only is Part.STATE else [timeline])], data=view, flat=timeline)


def _is_other_stream(reading: Reading, said_stream: str) -> bool:
    """Whether an id is that of a stream which is no case: `claim-…`, `payment-…`, `log`."""
    kind = said_stream.partition("-")[0]
    return kind != "case" and kind in reading.platform.types.streams


def _stream_items(
    reading: Reading, stream: str, as_known_at: str | None, as_it_was_by: str | None, *, names: bool
) -> list[TimelineItemView]:
    if as_it_was_by:
        raise InputError("only a case can be asked for as it was by a day", field=time_axes.WAS_BY, rule="time-axis")
    position = time_axes.known_at(reading.platform, as_known_at)
    return timeline_views(reading, reading.platform.stream(stream, upto=position), names=names)


# State


def _state_tables(view: CaseView, language: Language) -> Iterator[Table]:
    yield _case_table(view, language)
    entries = (
        (Word("欠薪明细", "Claim lines"), "claim", claim_ledger, view.claims, _CLAIM_COLUMNS),
        (Word("支付", "Payments"), "payment", payment_ledger, view.payments, _PAYMENT_COLUMNS),
    )
    for title, name, ledger, rows, chosen in entries:
        if rows:
            columns = [table_column(name, each, {}) for each in column_views(ledger.column(c) for c in chosen)]
            yield Table(title.to(language), columns, [row.values for row in rows])
    if view.discrepancies:
        yield _discrepancy_table(view.discrepancies, language)


_CLAIM_COLUMNS = (
    "line",
    "worker",
    "headcount",
    "claimed",
    "verified",
    "rejected",
    "paid",
    "stated_paid",
    "owing",
    "overpaid",
)
_PAYMENT_COLUMNS = (
    "paid_on",
    "payer",
    "source",
    "purpose",
    "voucher",
    "basis",
    "total",
    "returned",
    "reversed",
    "remaining",
)


def _case_table(view: CaseView, language: Language) -> Table:
    """The case's row of the ledger, one column a line, and what keeps it from being solved."""
    rows: list[dict[str, object]] = [
        {
            "what": Word(column.zh, column.en).to(language),
            "value": said(table_column("case", shown, {}), view.values.get(column.name), language),
        }
        for column, shown in zip(case_ledger.columns, column_views(case_ledger.columns), strict=True)
        if view.values.get(column.name) not in (None, [], "")
    ]
    return Table(
        f"{view.number} · {_axis(view, language)}",
        (Column("what", Word("项目", "What")), Column("value", Word("内容", "Value"))),
        rows,
        list(_remarks(view, language)),
    )


def _axis(view: CaseView, language: Language) -> str:
    if view.axis.as_it_was_by is not None:
        return f"{Word('截至该日的实情', 'As it was by').to(language)} {view.axis.as_it_was_by}"
    if view.axis.as_known_at is not None:
        known = view.axis.as_known_at
        return f"{Word('当时所知', 'As known at').to(language)} {known.asked} ({Word('位置', 'position').to(language)} {known.position})"
    return f"{Word('现在所知', 'As known now').to(language)} ({Word('位置', 'position').to(language)} {view.position})"


def _remarks(view: CaseView, language: Language) -> Iterator[str]:
    if not view.known:
        yield Word("当时尚无此案", "The case was not known, or had not begun").to(language)
    for computed in view.computed:
        if computed.why_not and not computed.holds:
            reasons = [reason.to(language) for reason in computed.why_not]
            yield f"{Word('未', 'Not ').to(language)}{computed.title.to(language)}: " + "; ".join(reasons)
    yield ("【模拟】" if language == "zh" else "[simulation] ") * (view.log.kind == "simulation") + view.log.origin


def _discrepancy_table(found: Sequence[EntryView], language: Language) -> Table:
    columns = (
        Column("kind", Word("疑点", "Discrepancy"), words=DISCREPANCIES),
        Column("amount", Word("涉及金额", "Amount in question"), "money"),
        Column("clause", Word("条款", "Clause")),
    )
    return Table(Word("疑点", "Discrepancies").to(language), columns, [each.values for each in found])


# Timeline


def _timeline_table(items: Sequence[TimelineItemView], title: str, language: Language) -> Table:
    return Table(
        f"{Word('经过', 'Timeline').to(language)} · {title}",
        (
            Column("position", Word("位置", "Position"), "integer"),
            Column("recorded", Word("记录", "Recorded"), "time"),
            Column("occurred", Word("发生", "Occurred"), "time"),
            Column("received", Word("获知", "Received"), "time"),
            Column("late_entry", Word("迟录", "Late entry"), "truth"),
            Column("title", Word("事件", "Event")),
            Column("decided_by", Word("决定人", "Decided by")),
            Column("actor", Word("录入人", "Entered by")),
            Column("basis", Word("依据", "Basis"), words=ENUMS[Basis]),
            Column("clause", Word("条款", "Clause")),
            Column("evidence", Word("证据", "Evidence"), "integer"),
            Column("told", Word("内容", "What happened"), "list"),
        ),
        [_timeline_row(item, language) for item in items],
    )


def _timeline_row(item: TimelineItemView, language: Language) -> dict[str, object]:
    return {
        "position": item.position,
        "recorded": item.recorded,
        "occurred": item.occurred,
        "received": item.received,
        "late_entry": item.late_entry or None,
        "title": item.title.to(language),
        "decided_by": item.decided_by,
        "actor": item.actor_handle or item.actor,
        "basis": item.basis,
        "clause": item.clause,
        "evidence": len(item.evidence) or None,
        "told": list(_told(item, language)),
    }


_TOLD: Sequence[tuple[str, Mapping[str, Word]]] = (
    ("outcome", ENUMS[Outcome]),
    ("answer", ENUMS[Answer]),
    ("ground", {}),
    ("reason", {}),
)
"""Fields of events that say in words what happened, and the words of those that are closed lists."""
_OF_THE_CASE = ("stage", "owing", "determined", "solved", "confirmed", "closed", "written_off")
"""What is told of the case when one of its lines or payments changes; the rest of its row is sums."""
_IDS = ("case", "claim", "payment", "line", "credited_lines")


def _told(item: TimelineItemView, language: Language) -> Iterator[str]:
    """What happened, for the timeline: the event's own words, then the figures and words that it changed."""
    for name, words in _TOLD:
        value = item.data.get(name)
        if isinstance(value, str):
            yield said(Column(name, Word("", ""), words=words), value, language)
    own = item.stream.partition("-")[0]
    for change in item.changes:
        if _is_worth_telling(change, own):
            yield _changed(change, own, language)


def _is_worth_telling(change: ChangeView, own: str) -> bool:
    """Of a row that begins, the figures that are not zero: its texts stand in the state. Of one that changes, everything but ids."""
    if change.ledger == "discrepancy" or change.column in _IDS:
        return False
    if change.ledger == "case" != own and change.column not in _OF_THE_CASE:
        return False
    return change.before is not None or (change.kind in ("money", "int") and bool(change.after))


def _changed(change: ChangeView, own: str, language: Language) -> str:
    """A change; one that an event of a line or payment makes to its case says so."""
    words = COLUMN_WORDS.get((change.ledger, change.column), {})
    column = Column(change.column, Word("", ""), KINDS.get(change.kind, "text"), words)
    before, after = said(column, change.before, language), said(column, change.after, language)
    title = change.title.to(language)
    if change.ledger == "case" != own:
        title = Word("案件·", "case: ").to(language) + title
    return f"{title} {before} → {after}" if before else f"{title} {after}"
