"""Toy events and ledgers that use everything a ledger can: things in boxes, what is in a box, what is odd about it, sums over boxes.

A thing's box is the partition key, as a case is. A thing may end and begin again; a box without things has no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from eventsourcing.domain import event
from hypothesis import strategies as st

from domain.entries import Envelope, EventTypes, Recorded
from domain.streams import Provenance, Stream, StreamEvent, Visibility
from infra.folding.feed import FeedEntry
from projections.ledger import Catalogue, Cell, Column, DerivedLedger, Kind, Row, RowLedger, SummaryLedger, Sums, Title

BEGUN = datetime(2019, 11, 15, 9, tzinfo=UTC)


class Thing(Stream):
    """Something that is put into a box."""

    TOPIC = "thing"

    class Event(Stream.Event):
        """Base."""

    class Created(Event, Stream.Created):
        """It is there, or there again."""

        TOPIC = "thing.placed.v1"
        amount: int | None
        label: str
        tags: tuple[str, ...]

    class Added(Event):
        """There is more of it."""

        TOPIC = "thing.added.v1"
        amount: int

    class Ended(Event):
        """It is gone."""

        TOPIC = "thing.ended.v1"

    class Poisoned(Event):
        """The fragile ledger cannot fold this."""

        TOPIC = "thing.poisoned.v1"

    @event(Created)
    def __init__(self, amount: int | None, label: str, tags: tuple[str, ...], provenance: Provenance) -> None:
        self.amount = amount


TYPES = EventTypes((Thing,))


class ThingRow(Row, frozen=True, kw_only=True):
    """A thing."""

    box: str
    label: str
    amount: int | None = None
    tags: tuple[str, ...] = ()
    placed_at: datetime


class BoxRow(Row, frozen=True, kw_only=True):
    """What is in a box."""

    box: str
    things: int = 0
    amount: int = 0
    additions: int = 0


class OddRow(Row, frozen=True, kw_only=True):
    """Something about a box."""

    box: str
    kind: str
    by: int


class CountRow(Row, frozen=True, kw_only=True):
    """A counter."""

    count: int = 0


def _text(name: str) -> Column:
    return Column(name, name, name, Kind.TEXT, lambda row: getattr(row, name))


def _number(name: str) -> Column:
    return Column(name, name, name, Kind.INTEGER, lambda row: getattr(row, name))


def _box_of(recorded: Recorded[Any]) -> str:
    return recorded.envelope.partitionkey


def toy_catalogue(*, broken: bool = True, version: int = 1) -> Catalogue:
    """Things, boxes, odd boxes, totals; and fragile ones, which a poisoned thing stops while `broken`. `version` of all folds."""
    things = RowLedger(
        "things",
        row=ThingRow,
        version=version,
        title=Title("物品", "Things"),
        columns=(
            _text("box"),
            _text("label"),
            _number("amount"),
            Column("tags", "tags", "tags", Kind.LIST, lambda row: row.tags),
            Column("placed_at", "placed", "placed", Kind.TIME, lambda row: row.placed_at),
            Column("empty", "empty", "empty", Kind.BOOLEAN, lambda row: not row.amount),
        ),
        orders=("amount", "label"),
        filters=("box", "tags", "empty", "amount"),
        search="label",
        led_by="empty",
    )

    @things.on(Thing.Created)
    def placed(_: ThingRow | None, recorded: Recorded[Thing.Created]) -> ThingRow:
        made = recorded.event
        return ThingRow(
            box=recorded.envelope.partitionkey,
            label=made.label,
            amount=made.amount,
            tags=made.tags,
            placed_at=recorded.envelope.occurred,
        )

    @things.on(Thing.Added)
    def more(row: ThingRow | None, recorded: Recorded[Thing.Added]) -> ThingRow | None:
        return None if row is None else msgspec.structs.replace(row, amount=(row.amount or 0) + recorded.event.amount)

    @things.on(Thing.Ended)
    def gone(_: ThingRow | None, __: Recorded[Thing.Ended]) -> None:
        return None

    boxes = RowLedger(
        "boxes",
        row=BoxRow,
        version=version,
        title=Title("箱", "Boxes"),
        columns=(_text("box"), _number("things"), _number("amount")),
        orders=("amount",),
        filters=("things",),
        search="box",
    )

    @boxes.on(Thing.Added, key=_box_of)
    def counted(row: BoxRow | None, _: Recorded[Thing.Added]) -> BoxRow | None:
        return None if row is None else msgspec.structs.replace(row, additions=row.additions + 1)

    @boxes.follows(things, key=_box_of)
    def thing_changed(
        row: BoxRow | None, old: ThingRow | None, new: ThingRow | None, recorded: Recorded[StreamEvent]
    ) -> BoxRow | None:
        row = row or BoxRow(box=recorded.envelope.partitionkey)
        count = row.things + (new is not None) - (old is not None)
        amount = row.amount + ((new.amount or 0) if new else 0) - ((old.amount or 0) if old else 0)
        return msgspec.structs.replace(row, things=count, amount=amount) if count else None

    return Catalogue(
        (things, boxes, _odd(boxes, version), _totals(boxes, version), *_fragile(boxes, version, broken=broken))
    )


def _odd(boxes: RowLedger[BoxRow], version: int) -> DerivedLedger[OddRow]:
    def odd(row: BoxRow) -> Mapping[str, OddRow]:
        found = {}
        if row.amount > 10:
            found[f"{row.box}/heavy"] = OddRow(box=row.box, kind="heavy", by=row.amount - 10)
        if row.things > 1:
            found[f"{row.box}/full"] = OddRow(box=row.box, kind="full", by=row.things)
        return found

    return DerivedLedger(
        "odd",
        row=OddRow,
        version=version,
        title=Title("异常", "Odd boxes"),
        columns=(_text("box"), _text("kind"), _number("by")),
        orders=("by",),
        filters=("kind",),
        source=boxes,
        derive=odd,
    )


def _totals(boxes: RowLedger[BoxRow], version: int) -> SummaryLedger:
    def contribute(row: BoxRow) -> Iterable[tuple[Cell, Sums]]:
        yield ("all", row.box[:1]), (1, row.things, row.amount)
        if row.additions:
            yield ("touched", row.box[:1]), (1, row.things, row.amount)

    return SummaryLedger(
        "totals",
        version=version,
        title=Title("合计", "Totals"),
        source=boxes,
        dimensions=("kind", "letter"),
        measures=("boxes", "things", "amount"),
        contribute=contribute,
    )


def _fragile(
    boxes: RowLedger[BoxRow], version: int, *, broken: bool
) -> tuple[RowLedger[CountRow], RowLedger[CountRow]]:
    fragile = RowLedger("fragile", row=CountRow, version=version, title=Title("易碎", "Fragile"))
    followers = RowLedger("followers", row=CountRow, version=version, title=Title("随从", "Followers of the fragile"))

    @fragile.on(Thing.Poisoned, Thing.Added, key=_box_of)
    def count(row: CountRow | None, recorded: Recorded[StreamEvent]) -> CountRow:
        if broken and isinstance(recorded.event, Thing.Poisoned):
            raise ArithmeticError("this is poison")
        return CountRow(count=(row.count if row else 0) + 1)

    @followers.follows(fragile, key=_box_of)
    def follow(row: CountRow | None, _: CountRow | None, new: CountRow | None, __: Recorded[StreamEvent]) -> CountRow:
        return CountRow(count=(row.count if row else 0) + (new.count if new else 0))

    return fragile, followers


def entry_of(position: int, event_type: str, thing: str, box: str, **data: object) -> FeedEntry:
    """An entry as a feed hands it out."""
    at = BEGUN + timedelta(seconds=position)
    envelope = Envelope(
        specversion="1.0",
        id=f"{thing}/{position}",
        source="urn:qingling:toys",
        type=event_type,
        subject=thing,
        time=at,
        datacontenttype="application/json",
        actor="somebody",
        correlation="toys",
        jurisdiction="140321",
        occurred=at,
        received=at,
        partitionkey=box,
        version=position,
        visibility=Visibility.CASE,
        data=msgspec.Raw(msgspec.json.encode(data)),
    )
    return FeedEntry(position, event_type, msgspec.json.encode(envelope))


def decoded(entries: Sequence[FeedEntry], types: EventTypes = TYPES) -> list[Recorded[Any]]:
    """The events of some entries."""
    return [types.decode_entry(entry.position, entry.entry) for entry in entries]


_THINGS = st.integers(0, 5)
_LABELS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["\t\\N\n", '{"\\"}', "", "e\u0301", "x" * 400]
)
_EVENTS: st.SearchStrategy[Any] = st.one_of(
    st.tuples(
        st.just("thing.placed.v1"),
        _THINGS,
        st.fixed_dictionaries(
            {
                "amount": st.none() | st.integers(-5, 20),
                "label": _LABELS,
                "tags": st.lists(st.sampled_from('ab"\\,{'), max_size=2),
            }
        ),
    ),
    st.tuples(st.just("thing.added.v1"), _THINGS, st.fixed_dictionaries({"amount": st.integers(-3, 9)})),
    st.tuples(st.just("thing.ended.v1"), _THINGS, st.just({})),
)


@st.composite
def toy_entries(draw: st.DrawFn, most: int = 24) -> list[FeedEntry]:
    """A log of toy events: six things in three boxes."""
    events = draw(st.lists(_EVENTS, min_size=1, max_size=most))
    return [
        entry_of(position, event_type, f"thing-{thing}", f"{'ab'[thing % 2]}-{thing % 3}", **data)
        for position, (event_type, thing, data) in enumerate(events, start=1)
    ]
