"""`MemoryLog`: the port of `domain/recording.py` and the library's recorder interfaces, in memory.

Guarantees: the laws and errors of `PostgresLog`, thread safety, an injected clock. Nothing survives the process.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, Self

import orjson
from eventsourcing.persistence import IntegrityError, ProcessRecorder, StoredEvent, Tracking, TrackingRecorder

from domain.errors import IdempotencyError
from domain.recording import Batch, CommandKey, Draft, Head, History, LogReader, LogWriter, Outcome, StoredEntry, filled
from domain.sealing.sorted_map import Kind
from infra.recorders import (
    LogRecorder,
    OriginatorIdType,
    StoreFailedError,
    VersionTakenError,
    Wakeups,
    check_batch,
)

_MICROSECOND = timedelta(microseconds=1)


def system_clock() -> datetime:
    """The host's clock."""
    return datetime.now(UTC)


class MemoryLog(LogRecorder, LogReader, LogWriter):
    """A log in memory. `clock` says the recorded times; `contiguous` and `originator_id_type` are those of `RecorderConfig`."""

    def __init__(
        self,
        clock: Callable[[], datetime] = system_clock,
        *,
        contiguous: bool = True,
        originator_id_type: OriginatorIdType = "text",
        poll_interval: float = 0.5,
    ) -> None:
        self.originator_id_type = originator_id_type
        self.poll_interval = poll_interval
        self._clock = clock
        self._contiguous = contiguous
        self._lock = RLock()
        self._entries: list[StoredEntry] = []
        self._versions: dict[str, dict[int, int]] = defaultdict(dict)
        self._partitions: dict[str, list[int]] = defaultdict(list)
        self._commands: dict[tuple[str, str], tuple[CommandKey, Outcome]] = {}
        self._wakeups = Wakeups(poll_interval)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open; here so that both logs are used alike."""

    @property
    def wakeups(self) -> Wakeups:
        """Announces every append at once."""
        return self._wakeups

    def append(self, batch: Batch, *, now: datetime | None = None) -> Outcome:
        """See `LogWriter.append`."""
        check_batch(batch)
        with self._lock:
            self._check_played(now, batch)
            before = self._recorded_before(batch.command)
            if before is not None:
                return before
            self._check_follows(batch.drafts)
            outcome = self._record(batch, now)
            head = len(self._entries)
        self._wakeups.announce(head)
        return outcome

    def append_bulk(self, batches: Iterable[Batch], *, now: datetime | None = None) -> Iterator[Outcome]:
        """See `LogWriter.append_bulk`; here every batch is a transaction of its own."""
        for batch in batches:
            yield self.append(batch, now=now)

    def head(self) -> Head:
        """See `LogReader.head`."""
        with self._lock:
            return Head(len(self._entries), self._entries[-1].recorded_at) if self._entries else Head(0, None)

    def read(self, after: int, limit: int) -> Sequence[StoredEntry]:
        """See `LogReader.read`."""
        return self.select_positions(after + 1, None, limit, ())

    def entries(self, after: int, limit: int) -> Sequence[bytes]:
        """See `LogReader.entries`."""
        with self._lock:
            return [stored.entry for stored in self._entries[after : after + limit]]

    def read_partition(self, partitionkey: str, *, after: int = 0, upto: int | None = None) -> Sequence[StoredEntry]:
        """See `LogReader.read_partition`."""
        with self._lock:
            positions = self._partitions.get(partitionkey, [])
            counted = [position for position in positions if after < position and (upto is None or position <= upto)]
            return [self._entries[position - 1] for position in counted]

    def read_partitions(self, partitionkeys: Sequence[str]) -> Sequence[StoredEntry]:
        """See `LogReader.read_partitions`."""
        with self._lock:
            positions = sorted(p for key in set(partitionkeys) for p in self._partitions.get(key, []))
            return [self._entries[position - 1] for position in positions]

    def read_streams(self, streams: Sequence[str]) -> Sequence[StoredEntry]:
        """See `LogReader.read_streams`."""
        with self._lock:
            positions = sorted(p for name in set(streams) for p in self._versions.get(name, {}).values())
            return [self._entries[position - 1] for position in positions]

    def last_of_partition(self, partitionkey: str) -> int:
        """See `LogReader.last_of_partition`."""
        with self._lock:
            return max(self._partitions.get(partitionkey, ()), default=0)

    def read_stream(self, stream: str, *, upto: int | None = None) -> Sequence[StoredEntry]:
        """See `LogReader.read_stream`."""
        entries = self.select_versions(stream, after=None, upto=None, descending=False, limit=None)
        return [entry for entry in entries if upto is None or entry.position <= upto]

    def stream(self, after: int, upto: int, chunk: int = 10_000) -> Iterator[Sequence[StoredEntry]]:
        """The entries with `after` < position <= `upto`, in order, `chunk` at a time."""
        while entries := self.select_positions(after + 1, min(upto, after + chunk), chunk, ()):
            after = entries[-1].position
            yield entries

    def histories(self, kind: Kind, upto: int) -> Iterator[History]:
        """Every stream or partition key that has entries up to a position, in no order."""
        with self._lock:
            if kind is Kind.STREAM:
                versions = {name: sorted(known.items()) for name, known in self._versions.items()}
            else:
                versions = {name: list(enumerate(known, 1)) for name, known in self._partitions.items()}
        for name, known in versions.items():
            had = [(version, position) for version, position in known if position <= upto]
            if had:
                contiguous = all(version == place for place, (version, _) in enumerate(had, 1))
                yield History(name, [position for _, position in had], contiguous)

    def position_at(self, instant: datetime) -> int:
        """See `LogReader.position_at`."""
        with self._lock:
            return bisect_right(self._entries, instant, key=lambda entry: entry.recorded_at)

    def select_versions(
        self, stream: str, *, after: int | None, upto: int | None, descending: bool, limit: int | None
    ) -> list[StoredEntry]:
        """See `LogRecorder.select_versions`."""
        with self._lock:
            known = sorted(self._versions.get(stream, {}).items(), reverse=descending)
            chosen = [
                self._entries[position - 1]
                for version, position in known
                if (after is None or version > after) and (upto is None or version <= upto)
            ]
        return chosen[:limit]

    def select_positions(self, first: int, last: int | None, limit: int, types: Sequence[str]) -> list[StoredEntry]:
        """See `LogRecorder.select_positions`."""
        with self._lock:
            entries = self._entries[max(first, 1) - 1 : last]
        return [entry for entry in entries if not types or entry.type in types][:limit]

    def _check_played(self, now: datetime | None, batch: Batch) -> None:
        first = self._entries[0].entry if self._entries else batch.drafts[0].entry if batch.drafts else b""
        if now is not None and not _is_simulation(first):
            raise StoreFailedError("only a simulation plays its times")

    def recorded(self, command: CommandKey) -> Outcome | None:
        """See `LogWriter.recorded`."""
        with self._lock:
            return self._recorded_before(command)

    def _recorded_before(self, command: CommandKey | None) -> Outcome | None:
        known = None if command is None else self._commands.get((command.actor, command.key))
        if command is None or known is None:
            return None
        if known[0].digest != command.digest:
            raise IdempotencyError(f"the key {command.key!r} was used before for another request")
        return Outcome(known[1].positions, known[1].recorded_at, replayed=True)

    def _check_follows(self, drafts: Sequence[Draft]) -> None:
        last: dict[str, int] = {}
        for draft in drafts:
            versions = self._versions.get(draft.stream, {})
            before = last.get(draft.stream, max(versions, default=0))
            if draft.version in versions or (self._contiguous and draft.version != before + 1):
                raise VersionTakenError(
                    f"{draft.stream}/{draft.version} is taken or does not follow the stream's last version"
                )
            last[draft.stream] = draft.version

    def _record(self, batch: Batch, now: datetime | None) -> Outcome:
        moment = now or self._clock()
        if self._entries:
            moment = max(moment, self._entries[-1].recorded_at + _MICROSECOND)
        first = len(self._entries) + 1
        times = tuple(moment + i * _MICROSECOND for i in range(len(batch.drafts)))
        for position, (draft, recorded_at) in enumerate(zip(batch.drafts, times, strict=True), start=first):
            self._keep(draft, position, recorded_at)
        outcome = Outcome(tuple(range(first, first + len(times))), times)
        if batch.command is not None:
            self._commands[batch.command.actor, batch.command.key] = batch.command, outcome
        return outcome

    def _keep(self, draft: Draft, position: int, recorded_at: datetime) -> None:
        entry = filled(draft.entry, draft.time_at, recorded_at)
        self._entries.append(
            StoredEntry(position, draft.stream, draft.version, draft.type, recorded_at, draft.partitionkey, entry)
        )
        self._versions[draft.stream][draft.version] = position
        self._partitions[draft.partitionkey].append(position)


class MemoryTrackingRecorder(TrackingRecorder):
    """How far each upstream application's notifications were processed, in memory."""

    def __init__(self) -> None:
        self._tracked: dict[str, int] = {}
        self._tracking = RLock()

    def insert_tracking(self, tracking: Tracking) -> None:
        """Move on to a notification.

        Raises:
            IntegrityError: it is not after the last one.
        """
        with self._tracking:
            self.check_tracking(tracking)
            self._tracked[tracking.application_name] = tracking.notification_id

    def max_tracking_id(self, application_name: str) -> int | None:
        """The last notification processed, or None."""
        with self._tracking:
            return self._tracked.get(application_name)

    def check_tracking(self, tracking: Tracking) -> None:
        """Raise `IntegrityError` when a notification is not after the last one."""
        last = self._tracked.get(tracking.application_name)
        if last is not None and tracking.notification_id <= last:
            raise IntegrityError(
                f"notification {tracking.notification_id} of {tracking.application_name} is not after {last}"
            )


class MemoryProcessRecorder(MemoryLog, MemoryTrackingRecorder, ProcessRecorder):
    """A log in memory that tracks upstream notifications together with events."""

    def __init__(self, clock: Callable[[], datetime] = system_clock, **options: Any) -> None:
        MemoryLog.__init__(self, clock, **options)
        MemoryTrackingRecorder.__init__(self)

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, tracking: Tracking | None = None, **kwargs: Any
    ) -> Sequence[int] | None:
        """See `LogRecorder.insert_events`; with `tracking`, both or neither."""
        if tracking is None:
            return super().insert_events(stored_events, **kwargs)
        with self._lock, self._tracking:
            self.check_tracking(tracking)
            positions = super().insert_events(stored_events, **kwargs)
            self.insert_tracking(tracking)
            return positions


def _is_simulation(genesis: bytes) -> bool:
    """Whether a genesis entry says that times are played; anything but a genesis entry does not."""
    try:
        entry = orjson.loads(genesis)
    except orjson.JSONDecodeError:
        return False
    return isinstance(entry, dict) and isinstance(entry.get("data"), dict) and entry["data"].get("kind") == "simulation"
