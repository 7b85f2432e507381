"""A case: where it stands, what its source says, its money line by line, its timeline; as known at, or as it was by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api import time_axes
from api.reading import Reading
from api.views.sealing import CaseSealingView, case_sealing, progress
from api.views.timeline import TimelineItemView, timeline_views
from api.views.values import Names, Personal, Value, local, sealed_in, values_of
from api.views.view import KnownAt, LogTag, Place, Said, View, log_tag, place, said
from api.words import reason
from domain.cases.case import Particulars, SourceState
from domain.cases.standing import why_not_solved
from domain.errors import NotFoundError
from domain.sealing.personal import Sealed
from projections.case_ledger import CaseRow, case_ledger
from projections.claim_ledger import ClaimRow, claim_ledger
from projections.discrepancy_ledger import discrepancy_ledger
from projections.ledger import DerivedLedger, Row, RowLedger
from projections.payment_ledger import payment_ledger
from projections.replay import RELATED, TimelineItem


class Axis(View):
    """Which of the two time axes an answer is on; both null: as known now."""

    as_known_at: KnownAt | None = None
    """What was known then: the first events of the log, up to a position."""
    as_it_was_by: str | None = None
    """The day whose end is meant, with what is known now."""


class EntryView(View):
    """A claim line, payment or discrepancy of the case: a row of its ledger."""

    key: str
    values: dict[str, Value]


class ComputedWord(View):
    """One of the words that nobody can set (definitions.md)."""

    name: str
    title: Said
    holds: bool
    why_not: list[Said]
    """What keeps it from being so, where that is said in sentences."""


class DutyHolder(View):
    """Somebody with a duty in the case, as its book names them."""

    role: str
    name: Personal


class SourceSays(View):
    """What the source calls the state: stated, and never computed."""

    state: str | None
    means: str | None
    """What the office's mapping says that the word means."""
    closed_on: str | None
    written_off: str | None
    followed_up_on: str | None
    follow_up: Personal | None
    outstanding: int | None
    """The balance that the source states, in fen."""


class ParticularsView(View):
    """What is known of the case beyond the columns of its ledger."""

    place: Place
    class_ground: str
    debtor_code: str | None
    arrears_from: str | None
    arrears_to: str | None
    handed_down_by: str | None
    handed_down_number: str | None
    handed_down_on: str | None
    matters: list[str]
    people: list[DutyHolder]
    note: Personal | None
    extra: list[tuple[str, str]]
    """Columns of the source without a field of their own: (heading, value)."""


class LineLabel(View):
    """A claim line, as a person calls it."""

    line: str
    worker: Personal | None


@dataclass(frozen=True)
class Window:
    """How much of a case an answer holds. None: all of it."""

    lines: int | None = None
    lines_from: int = 1
    """The first claim line, counted from 1 in the order that they were entered."""
    events: int | None = None
    events_before: int | None = None
    """Only events below this position; the last of them are given."""


WHOLE = Window()


class CaseView(View):
    """A case at one moment."""

    log: LogTag
    case: str
    number: str
    """The official number; the id where the case was not known then."""
    position: int
    """The position that the answer is true at."""
    axis: Axis
    known: bool
    """Whether the case was known, or had begun, at that moment."""
    values: dict[str, Value]
    """Its row of the case ledger."""
    particulars: ParticularsView | None
    computed: list[ComputedWord]
    source: SourceSays | None
    standing: dict[str, int]
    """Sums over its claim lines; amounts in fen."""
    unallocated: int
    """Paid to the case, but to no claim line, in fen."""
    lines: int
    """Claim lines that it has; `claims` may hold a part of them."""
    claims: list[EntryView]
    payments: list[EntryView]
    related: dict[str, list[EntryView]]
    """Orders, referrals, backstops with what is to be recovered, money in custody, call lists: rows by their ledger."""
    discrepancies: list[EntryView]
    sealing: CaseSealingView | None
    """How far its events have come; null where it has none that the reader may see."""
    events: int
    """Events that the reader may see; `timeline` may hold a part of them, the last ones before where it was asked from."""
    timeline: list[TimelineItemView]
    labels: dict[str, LineLabel]
    """What to call the claim lines that the timeline speaks of, by their ids."""


class CaseTimelineView(View):
    """The history of a case."""

    log: LogTag
    case: str
    number: str
    position: int
    axis: Axis
    sealing: CaseSealingView | None
    events: int
    """Events that the reader may see; `timeline` may hold a part of them, the last ones before where it was asked from."""
    timeline: list[TimelineItemView]


def case_view(
    reading: Reading,
    case: str,
    *,
    as_known_at: str | None = None,
    as_it_was_by: str | None = None,
    names: bool = False,
    window: Window = WHOLE,
) -> CaseView:
    """A case by its id or official number.

    Raises:
        NotFoundError: there is no such case.
        InputError: both axes are asked for, or one cannot be read.
    """
    time_axes.one_axis(as_known_at, as_it_was_by)
    platform = reading.platform
    position = time_axes.known_at(platform, as_known_at)
    by = time_axes.day(time_axes.WAS_BY, as_it_was_by) if as_it_was_by else None
    found = platform.case(case, as_of=position, by=by)
    if found.state.case is None and position is None and by is None:
        raise NotFoundError(f"there is no case {case!r}")
    axis = Axis(
        as_known_at=None if position is None else KnownAt(asked=as_known_at, position=position),
        as_it_was_by=None if by is None else by.isoformat(),
    )
    seen = [item for item in found.timeline if reading.reader.may_see(item.visibility)]
    claims = _lines_in(found.state.claims, window)
    items = _events_in(seen, window)
    spoken = _spoken_of(found.state.claims, items)
    opened = Names(reading, asked=names)
    opened.gather(_personal_of(found.state.case, claims))
    for ledger in RELATED:
        opened.gather(sealed_in(ledger.columns, found.state.related.get(ledger.name, ())))
    opened.gather((claim.worker, "worker") for claim in spoken if claim.worker is not None)
    row = found.state.case
    zone = platform.info.zone
    reached = progress(reading)
    return CaseView(
        log=log_tag(reading),
        case=found.case,
        number=found.number,
        position=found.position,
        axis=axis,
        known=row is not None,
        values=values_of(case_ledger.columns, row, opened, zone) if row else {},
        particulars=_particulars(reading, row.particulars, opened) if row else None,
        computed=_computed(row) if row else [],
        source=_source(row.source, opened, zone) if row and row.source else None,
        standing={name: getattr(row.standing, name) for name in row.standing.__struct_fields__} if row else {},
        unallocated=row.unallocated if row else 0,
        lines=len(found.state.claims),
        claims=_entries(claim_ledger, claims, opened, zone, lambda claim: claim.claim),
        payments=_entries(payment_ledger, found.state.payments, opened, zone, lambda payment: payment.payment),
        related={
            ledger.name: _entries(ledger, found.state.related[ledger.name], opened, zone, _key_of(ledger))
            for ledger in RELATED
            if ledger.name in found.state.related
        },
        discrepancies=_entries(
            discrepancy_ledger, found.state.discrepancies, opened, zone, lambda found: f"{found.case}/{found.kind}"
        ),
        sealing=case_sealing(reading, {item.position: reached.state(item.position) for item in seen}),
        events=len(seen),
        timeline=timeline_views(reading, items, names=names),
        labels={claim.claim: _label(claim, opened) for claim in spoken},
    )


def _key_of(ledger: RowLedger[Any] | DerivedLedger[Any]) -> Callable[[Any], str]:
    """How a row of a related ledger is called: what is to be recovered by its backstop."""
    name = "backstop" if ledger.name == "recovery" else ledger.name.replace("-", "_")
    return lambda row: str(getattr(row, name))


def _lines_in(claims: Sequence[ClaimRow], window: Window) -> Sequence[ClaimRow]:
    first = window.lines_from - 1
    return claims[first:] if window.lines is None else claims[first : first + window.lines]


def _events_in(items: Sequence[TimelineItem], window: Window) -> Sequence[TimelineItem]:
    before = window.events_before
    end = len(items) if before is None else bisect_left(items, before, key=lambda item: item.position)
    return items[:end] if window.events is None else items[max(0, end - window.events) : end]


def _spoken_of(claims: Sequence[ClaimRow], items: Sequence[TimelineItem]) -> list[ClaimRow]:
    """The claim lines that some events are about."""
    named = {named for item in items for named in (item.stream, item.data.get("claim"))}
    named.update(change.key for item in items for change in item.changes if change.ledger == claim_ledger.name)
    return [claim for claim in claims if claim.claim in named]


def _label(claim: ClaimRow, names: Names) -> LineLabel:
    return LineLabel(line=claim.line, worker=None if claim.worker is None else names.view(claim.worker, "worker"))


def case_timeline(view: CaseView) -> CaseTimelineView:
    """Only the history of it."""
    return CaseTimelineView(
        log=view.log,
        case=view.case,
        number=view.number,
        position=view.position,
        axis=view.axis,
        sealing=view.sealing,
        events=view.events,
        timeline=view.timeline,
    )


def _entries(
    ledger: Any, rows: Sequence[Row], names: Names, zone: ZoneInfo, key: Callable[[Any], str]
) -> list[EntryView]:
    return [EntryView(key=key(row), values=values_of(ledger.columns, row, names, zone)) for row in rows]


PERSON_FIELD = "person"
NOTE_FIELD = "note"
FOLLOW_UP_FIELD = "follow_up"
"""Labels that the personal texts of a case are sealed under."""


def _personal_of(row: CaseRow | None, claims: Sequence[ClaimRow]) -> Iterable[tuple[Sealed, str]]:
    yield from sealed_in(claim_ledger.columns, claims)
    if row is None:
        return
    for person in row.particulars.people:
        yield person.name, PERSON_FIELD
    if row.particulars.note is not None:
        yield row.particulars.note, NOTE_FIELD
    if row.source is not None and row.source.follow_up is not None:
        yield row.source.follow_up, FOLLOW_UP_FIELD


def _computed(row: CaseRow) -> list[ComputedWord]:
    reasons = [said(reason(why)) for why in why_not_solved(row.procedure, row.standing)]
    found = []
    for name in ("determined", "solved", "confirmed", "closed", "written_off"):
        column = case_ledger.column(name)
        found.append(
            ComputedWord(
                name=name,
                title=Said(zh=column.zh, en=column.en),
                holds=bool(column.of(row)),
                why_not=reasons if name == "solved" else [],
            )
        )
    return found


def _source(source: SourceState, names: Names, zone: ZoneInfo) -> SourceSays:
    return SourceSays(
        state=source.state,
        means=None if source.means is None else source.means.value,
        closed_on=_moment(source.closed_on, zone),
        written_off=source.written_off,
        followed_up_on=_moment(source.followed_up_on, zone),
        follow_up=None if source.follow_up is None else names.view(source.follow_up, FOLLOW_UP_FIELD),
        outstanding=source.outstanding,
    )


def _particulars(reading: Reading, particulars: Particulars, names: Names) -> ParticularsView:
    zone = reading.platform.info.zone
    handed_down = particulars.handed_down
    return ParticularsView(
        place=place(reading.platform.info, particulars.jurisdiction),
        class_ground=particulars.class_ground,
        debtor_code=particulars.debtor_code,
        arrears_from=particulars.arrears_from.isoformat() if particulars.arrears_from else None,
        arrears_to=particulars.arrears_to.isoformat() if particulars.arrears_to else None,
        handed_down_by=handed_down.by if handed_down else None,
        handed_down_number=handed_down.number if handed_down else None,
        handed_down_on=_moment(handed_down.on, zone) if handed_down else None,
        matters=list(particulars.matters),
        people=[DutyHolder(role=p.role, name=names.view(p.name, PERSON_FIELD)) for p in particulars.people],
        note=None if particulars.note is None else names.view(particulars.note, NOTE_FIELD),
        extra=list(particulars.extra),
    )


def _moment(moment: datetime | None, zone: ZoneInfo) -> str | None:
    return None if moment is None else local(moment, zone)


class ComparedFigure(View):
    """One figure of a case on the two axes at the end of the same day."""

    name: str
    title: Said
    kind: str
    known_then: Value
    was_so: Value
    """As it was then with what is known now."""


class ComparisonView(View):
    """A case at the end of one day: what was known then, beside what was so as far as is known now."""

    log: LogTag
    case: str
    number: str
    day: str
    position: int
    """The last position of that day: what was known then."""
    now: int
    """The position that "known now" means."""
    known_then: bool
    """Whether anything of the case was known at the end of that day."""
    figures: list[ComparedFigure]
    later: list[TimelineItemView]
    """What had occurred by that day and was recorded only later."""


_COMPARED = ("stage", "lines", "headcount", "claimed", "verified", "paid", "owing", "overpaid", "stated_closed")


def comparison(reading: Reading, case: str, day: str) -> ComparisonView:
    """Lays what was known at the end of a day beside what was so; the difference was concealed, late, or corrected.

    Raises:
        NotFoundError: there is no such case.
        InputError: it is no day.
    """
    time_axes.day("day", day)
    then = case_view(reading, case, as_known_at=day)
    was = case_view(reading, case, as_it_was_by=day)
    columns = [case_ledger.column(name) for name in _COMPARED]
    return ComparisonView(
        log=then.log,
        case=was.case,
        number=was.number if was.known else then.number,
        day=day,
        position=then.position,
        now=was.position,
        known_then=then.known,
        figures=[
            ComparedFigure(
                name=column.name,
                title=Said(zh=column.zh, en=column.en),
                kind=column.kind.value,
                known_then=then.values.get(column.name),
                was_so=was.values.get(column.name),
            )
            for column in columns
        ],
        later=[item for item in was.timeline if item.position > then.position],
    )
