"""The eventsourcing library's application over our log: it loads aggregates, collects their events, and records them.

What differs from the library is the bytes. `EntryMapper` reads an entry back into an event; an entry is made where the command's
context is at hand (`RecordedEvents.put`), so no context variable is needed and nothing is recorded without an actor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any, cast

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    EventStore,
    InfrastructureFactory,
    JSONTranscoder,
    Mapper,
    Notification,
    Recording,
    StoredEvent,
    Transcoder,
)
from eventsourcing.popo import POPOFactory

from domain.entries import EventTypes, Recorded, draft
from domain.errors import NotFoundError
from domain.recording import Batch, CommandKey, Outcome
from domain.repository import S, Turn
from domain.streams import Context, Stream, StreamEvent
from infra.recorders import LogRecorder


class EntryMapper(Mapper[str]):
    """Entries to events. The other way needs a context, and is `RecordedEvents.put`."""

    def __init__(self, types: EventTypes) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self._types = types

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """The event that an entry is.

        Raises:
            UnknownEventError: this release does not know its type or shape.
        """
        position = stored_event.id if isinstance(stored_event, Notification) else 0
        return cast(DomainEventProtocol[str], self._types.decode_entry(position, stored_event.state).event)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Refused: without the command's context no entry can be made.

        Raises:
            RuntimeError: always; a wrong call.
        """
        raise RuntimeError(f"{domain_event} has no command context; save it with context=…")


class RecordedEvents(EventStore[str]):
    """The library's event store, recording entries with their context."""

    def __init__(self, mapper: EntryMapper, recorder: LogRecorder, source: str) -> None:
        super().__init__(mapper, recorder)
        self._log = recorder
        self._source = source

    def put(self, domain_events: Sequence[DomainEventProtocol[str]], **kwargs: Any) -> list[Recording[str]]:
        """Records events as one batch. Takes `streams` (by id), `context`, and optionally `command`, `now` and `outcome`."""
        context: Context = kwargs["context"]
        streams: dict[str, Stream] = kwargs["streams"]
        drafts = [
            draft(streams[event.originator_id], cast(StreamEvent, event), context, self._source)
            for event in domain_events
        ]
        outcome = self._log.append(Batch(drafts, kwargs.get("command")), now=kwargs.get("now"))
        kwargs["outcomes"].append(outcome)
        if outcome.replayed:
            return []
        return [
            Recording(event, Notification(d.stream, d.version, d.type, d.entry, position))
            for event, d, position in zip(domain_events, drafts, outcome.positions, strict=True)
        ]


class StreamStore(Application[str]):
    """`domain.repository.Streams` on any log that is a `LogRecorder`."""

    name = "qingling"

    def __init__(self, log: LogRecorder, types: EventTypes, source: str) -> None:
        self._log = log
        self._types = types
        self._source = source
        self._registers: dict[str, tuple[Lock, Turn]] = {}
        self._registers_lock = Lock()
        super().__init__(env={"AGGREGATE_CACHE_MAXSIZE": "", "IS_SNAPSHOTTING_ENABLED": "n"})

    def construct_factory(self, env: Any) -> InfrastructureFactory[Any]:
        """The log is handed in, so the library's factory makes nothing that is kept."""
        return cast(InfrastructureFactory[Any], POPOFactory(env))

    def construct_mapper(self) -> Mapper[str]:
        return EntryMapper(self._types)

    def construct_transcoder(self) -> Transcoder:
        return JSONTranscoder()

    def construct_recorder(self) -> ApplicationRecorder:
        return self._log

    def construct_event_store(self) -> EventStore[str]:
        return RecordedEvents(cast(EntryMapper, self.mapper), self._log, self._source)

    @contextmanager
    def turn(self, register: str) -> Iterator[Turn]:
        """See `Streams.turn`."""
        with self._registers_lock:
            lock, turn = self._registers.setdefault(register, (Lock(), Turn()))
        with lock:
            yield turn

    def find(self, kind: type[S], stream_id: str) -> S | None:
        """See `Streams.find`."""
        try:
            found: Any = self.repository.get(stream_id)
        except AggregateNotFoundError:
            return None
        if not isinstance(found, kind):
            return None
        return found

    def get(self, kind: type[S], stream_id: str) -> S:
        """See `Streams.get`."""
        found = self.find(kind, stream_id)
        if found is None:
            raise NotFoundError(f"there is no {kind.__name__.lower()} {stream_id}")
        return found

    def get_many(self, kind: type[S], stream_ids: Sequence[str]) -> list[S]:
        """See `Streams.get_many`."""
        found = self.rebuilt([self._types.decode(stored) for stored in self._log.read_streams(stream_ids)])
        return [stream for each in stream_ids if isinstance(stream := found.get(each), kind)]

    def partitions(self, keys: Sequence[str]) -> dict[str, list[Recorded[StreamEvent]]]:
        """See `Streams.partitions`."""
        found: dict[str, list[Recorded[StreamEvent]]] = {}
        for stored in self._log.read_partitions(keys):
            found.setdefault(stored.partitionkey, []).append(self._types.decode(stored))
        return found

    def rebuilt(self, events: Sequence[Recorded[StreamEvent]]) -> dict[str, Stream]:
        """See `Streams.rebuilt`."""
        streams: dict[str, Any] = {}
        for recorded in events:
            stream_id = recorded.envelope.subject
            streams[stream_id] = recorded.event.mutate(streams.get(stream_id))
        return streams

    def recorded(self, command: CommandKey) -> Outcome | None:
        """See `Streams.recorded`."""
        return self._log.recorded(command)

    def commit(
        self, *streams: Stream, context: Context, command: CommandKey | None = None, now: datetime | None = None
    ) -> Outcome:
        """See `Streams.commit`."""
        outcomes: list[Outcome] = []
        self.save(
            *streams,
            context=context,
            streams={stream.id: stream for stream in streams},
            command=command,
            now=now,
            outcomes=outcomes,
        )
        return outcomes[0]

    def batch(self, *streams: Stream, context: Context) -> Batch:
        """The batch that `commit` would record, for a bulk path that records many of them."""
        drafts = [
            draft(stream, cast(StreamEvent, event), context, self._source)
            for stream in streams
            for event in stream.collect_events()
        ]
        return Batch(drafts)
