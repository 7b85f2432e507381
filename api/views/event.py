"""One event of the log, and its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.reading import Reading
from api.views.sealing import EventSealingView, event_sealing
from api.views.timeline import TimelineItemView, timeline_views
from api.views.view import LogTag, View, log_tag
from domain.errors import NotFoundError
from domain.sealing.state import State

if TYPE_CHECKING:
    from infra.bootstrap import EventView as PlatformEvent
    from projections.replay import TimelineItem


class Neighbours(View):
    """Positions before and after an event; null at the ends."""

    previous: int | None
    next: int | None
    previous_in_stream: int | None
    next_in_stream: int | None


class EventView(View):
    """An event, read. Its bytes are at `/v1/events/{position}/entry`."""

    log: LogTag
    head: int
    item: TimelineItemView
    sealing: EventSealingView
    partitionkey: str
    """The unit of order that it belongs to: for a case and all that belongs to it, the case's id."""
    neighbours: Neighbours
    bytes: int
    """Length of the entry."""


class StreamView(View):
    """A stream's events, in order of version."""

    log: LogTag
    stream: str
    position: int
    events: list[TimelineItemView]


def recorded_event(reading: Reading, position: int) -> PlatformEvent:
    """The event at a position, for a reader who may see it.

    Raises:
        NotFoundError: nothing is recorded there, or nothing that the reader may see.
    """
    if not 1 <= position <= reading.platform.head().position:
        raise NotFoundError(f"nothing is recorded at position {position}")
    found = reading.platform.event(position)
    if not reading.reader.may_see(found.item.visibility):
        raise NotFoundError(f"nothing that you may see is recorded at position {position}")
    return found


def event_view(reading: Reading, position: int, *, names: bool) -> EventView:
    """The event at a position.

    Raises:
        NotFoundError: nothing is recorded there, or nothing that the reader may see.
    """
    found = recorded_event(reading, position)
    item = timeline_views(reading, [found.item], names=names)[0]
    return EventView(
        log=log_tag(reading),
        head=reading.platform.head().position,
        item=item,
        sealing=event_sealing(reading, position, State(item.state)),
        partitionkey=found.partitionkey,
        neighbours=_neighbours(reading, found.item),
        bytes=len(found.entry),
    )


def entry_bytes(reading: Reading, position: int) -> bytes:
    """The exact canonical bytes that were recorded, and that proofs are about.

    Raises:
        NotFoundError: as `event_view`.
    """
    return recorded_event(reading, position).entry


def stream_view(reading: Reading, stream: str, *, upto: int | None, names: bool) -> StreamView:
    """A stream's events.

    Raises:
        NotFoundError: there is no such stream, or none that the reader may see.
    """
    items = reading.platform.stream(stream, upto=upto)
    views = timeline_views(reading, items, names=names)
    if not views:
        raise NotFoundError(f"there is no stream {stream!r}")
    return StreamView(
        log=log_tag(reading),
        stream=stream,
        position=reading.platform.head().position if upto is None else upto,
        events=views,
    )


def _neighbours(reading: Reading, item: TimelineItem) -> Neighbours:
    in_stream = {other.version: other.position for other in reading.platform.stream(item.stream)}
    head = reading.platform.head().position
    return Neighbours(
        previous=item.position - 1 if item.position > 1 else None,
        next=item.position + 1 if item.position < head else None,
        previous_in_stream=in_stream.get(item.version - 1),
        next_in_stream=in_stream.get(item.version + 1),
    )
