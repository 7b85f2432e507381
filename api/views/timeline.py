"""A history as a person reads it: one item an event, with who, the four times, what changed, on what basis."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from api.reading import Reading
from api.views.sealing import Progress, progress
from api.views.values import Names, Value, local, value_of
from api.views.view import Said, View, said
from api.words import EVENT_TYPES, Word
from domain.sealing.personal import Sealed
from projections.replay import CASE_LEDGERS, FieldChange, TimelineItem

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class ChangeView(View):
    """A column of a ledger's row that an event changed."""

    ledger: str
    key: str
    column: str
    title: Said
    kind: str
    before: Value
    after: Value


class TimelineItemView(View):
    """One event of a history."""

    position: int
    state: str
    """recorded, sealed, or published."""
    state_title: Said
    id: str
    type: str
    title: Said
    stream: str
    version: int
    """Within its stream, from 1."""
    actor: str
    actor_handle: str | None
    """The short name of the officer that `actor` is; null: a program, or an officer of another log."""
    occurred: str
    """When it happened in the world."""
    received: str
    """When the office learned of it."""
    recorded: str
    """When it came into the log."""
    late_entry: bool
    """Recorded more than a day after it was received."""
    late_by_days: int
    """Whole days between received and recorded."""
    basis: str | None
    clause: str | None
    decided_by: str | None
    approved_by: str | None
    causation: str | None
    correlation: str
    visibility: str
    changes: list[ChangeView]
    evidence: list[dict[str, Any]]
    data: dict[str, Any]
    """The event's own fields as recorded; personal ones sealed."""


def timeline_views(reading: Reading, items: Iterable[TimelineItem], *, names: bool) -> list[TimelineItemView]:
    """The items that the reader may see."""
    seen = [item for item in items if reading.reader.may_see(item.visibility)]
    opened = Names(reading, asked=names)
    opened.gather(pair for item in seen for change in item.changes for pair in _personal_in(change))
    handles = officer_handles(reading, seen)
    reached = progress(reading)
    return [_item(reading, item, opened, handles, reached) for item in seen]


def states_of(items: Iterable[TimelineItemView]) -> str:
    """How far the items have come, as a text that changes when one of them has come further, or is witnessed now."""
    return ",".join(item.state_title.en for item in items)


def officer_handles(reading: Reading, items: Sequence[TimelineItem]) -> dict[str, str]:
    """The short names of the officers who acted, decided or approved, by their ids."""
    return handles_of(reading, {who for item in items for who in (item.actor, item.decidedby, item.approvedby) if who})


def handles_of(reading: Reading, people: Collection[str]) -> dict[str, str]:
    """The short names of those of some people that are officers of this log, by their ids."""
    return {v.key: v.row.handle for v in reading.platform.rows("officer") if v.key in people} if people else {}


def _sealed_field(change: FieldChange) -> str:
    return _LEDGERS[change.ledger].column(change.column).sealed_field


_LEDGERS = {ledger.name: ledger for ledger in CASE_LEDGERS}
"""The ledgers that a history tells the changes of."""


def _personal_in(change: FieldChange) -> Iterable[tuple[Sealed, str]]:
    for value in (change.before, change.after):
        if isinstance(value, Sealed):
            yield value, _sealed_field(change)


def _item(
    reading: Reading, item: TimelineItem, names: Names, handles: dict[str, str], reached: Progress
) -> TimelineItemView:
    zone = reading.platform.info.zone
    state = reached.state(item.position)
    return TimelineItemView(
        position=item.position,
        state=state.value,
        state_title=reached.title(state),
        id=item.id,
        type=item.type,
        title=said(EVENT_TYPES.get(item.type, Word(item.type, item.type))),
        stream=item.stream,
        version=item.version,
        actor=item.actor,
        actor_handle=handles.get(item.actor),
        occurred=local(item.occurred, zone),
        received=local(item.received, zone),
        recorded=local(item.recorded, zone),
        late_entry=item.late_entry,
        late_by_days=_whole_days(item.received, item.recorded),
        basis=None if item.basis is None else item.basis.value,
        clause=item.clause,
        decided_by=_named(item.decidedby, handles),
        approved_by=_named(item.approvedby, handles),
        causation=item.causation,
        correlation=item.correlation,
        visibility=item.visibility.value,
        changes=[_change(change, names, zone) for change in item.changes],
        evidence=[dict(evidence) for evidence in item.evidence],
        data=item.data,
    )


def _named(person: str | None, handles: dict[str, str]) -> str | None:
    return None if person is None else handles.get(person, person)


def _whole_days(received: datetime, recorded: datetime) -> int:
    return max(0, (recorded - received).days)


def _change(change: FieldChange, names: Names, zone: ZoneInfo) -> ChangeView:
    label = _sealed_field(change)
    return ChangeView(
        ledger=change.ledger,
        key=change.key,
        column=change.column,
        title=Said(zh=change.zh, en=change.en),
        kind=change.kind.value,
        before=value_of(change.before, names, label, zone),
        after=value_of(change.after, names, label, zone),
    )
