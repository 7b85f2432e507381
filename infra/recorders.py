"""The eventsourcing library's recorder interfaces, on top of any log of `domain/recording.py`.

A store that appends and reads as the port says gets `insert_events`, `select_events`, `select_notifications`,
`max_notification_id` and `subscribe` from `LogRecorder`. Guarantees: a notification's id is the log position; errors belong to
Qingling's tree and to the library's at once; a subscription is woken by appends, and looks by itself every `poll_interval`, so
that a lost wake-up only delays it.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Event, Lock
from typing import Any, Literal, cast
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    OperationalError,
    StoredEvent,
    Subscription,
)

from domain.errors import ConflictError, RecordingError, SettingsError
from domain.recording import Batch, CommandKey, Draft, Head, Outcome, StoredEntry, time_offset

MAX_VERSION = 2**31 - 1
"""Versions are PostgreSQL's integer."""
OriginatorId = UUID | str
OriginatorIdType = Literal["uuid", "text"]


class VersionTakenError(ConflictError, IntegrityError):
    """A (stream, version) is taken or does not follow the last one."""


class StoreFailedError(RecordingError, OperationalError):
    """The store did not do what it was asked to; `may_continue` says whether the process may go on."""


class StoreUnreachableError(StoreFailedError):
    """The store cannot be reached. The message says so when it is not known whether something was recorded."""


class Wakeups:
    """Wakes those who wait for the log to grow. `known` is the highest position anybody announced."""

    def __init__(self, poll_interval: float) -> None:
        self.known = 0
        self._poll_interval = poll_interval
        self._waiting: set[Event] = set()
        self._lock = Lock()

    def announce(self, position: int) -> None:
        """Say that the log reaches `position`. Safe from any thread."""
        with self._lock:
            self.known = max(self.known, position)
            waiting = tuple(self._waiting) if self._waiting else ()
        for event in waiting:
            event.set()

    def listen(self, event: Event) -> None:
        """Set `event` at every announcement from now on."""
        with self._lock:
            self._waiting.add(event)

    def unlisten(self, event: Event) -> None:
        """No longer set `event`."""
        with self._lock:
            self._waiting.discard(event)

    def wait(self, after: int, timeout: float, position: Callable[[], int]) -> bool:
        """Wait until the log reaches beyond `after`, at most `timeout` seconds; `position` looks for itself. True: it does."""
        deadline = time.monotonic() + timeout
        woken = Event()
        self.listen(woken)
        try:
            while self.known <= after and position() <= after:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return False
                woken.wait(min(remaining, self._poll_interval))
                woken.clear()
            return True
        finally:
            self.unlisten(woken)


class LogRecorder(ApplicationRecorder):
    """The library's view of a log. A subclass appends and reads; see the abstract methods."""

    originator_id_type: OriginatorIdType
    poll_interval: float

    @abstractmethod
    def append(self, batch: Batch, *, now: datetime | None = None) -> Outcome:
        """As `domain.recording.LogWriter.append`."""

    @abstractmethod
    def recorded(self, command: CommandKey) -> Outcome | None:
        """See `LogWriter.recorded`."""

    @abstractmethod
    def head(self) -> Head:
        """As `domain.recording.LogReader.head`."""

    @abstractmethod
    def read_partitions(self, partitionkeys: Sequence[str]) -> Sequence[StoredEntry]:
        """As `domain.recording.LogReader.read_partitions`."""

    @abstractmethod
    def read_streams(self, streams: Sequence[str]) -> Sequence[StoredEntry]:
        """As `domain.recording.LogReader.read_streams`."""

    @abstractmethod
    def select_versions(
        self, stream: str, *, after: int | None, upto: int | None, descending: bool, limit: int | None
    ) -> list[StoredEntry]:
        """Entries of a stream with `after` < version <= `upto`, by version, at most `limit`."""

    @abstractmethod
    def select_positions(self, first: int, last: int | None, limit: int, types: Sequence[str]) -> list[StoredEntry]:
        """Entries with `first` <= position <= `last`, of `types` unless that is empty, by position, at most `limit`."""

    @property
    @abstractmethod
    def wakeups(self) -> Wakeups:
        """Where appends are announced, of this process and, as far as the store can tell, of others."""

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandKey | None = None,
        partitionkeys: Mapping[OriginatorId, str] | None = None,
        now: datetime | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        """Record the library's events as one batch; their `state` is the entry. Returns their positions.

        `partitionkeys` says the partition key of originators that do not stand for themselves; `command` and `now` are those
        of `append`. The library itself passes `tracking`, which only a process recorder can honour.

        Raises:
            VersionTakenError: also an `IntegrityError`, as the library expects.
            StoreFailedError: also an `OperationalError`.
        """
        if any(value is not None for value in kwargs.values()):
            raise TypeError(f"insert_events() does not know what to do with {', '.join(kwargs)}")
        if not stored_events and command is None:
            return None
        outcome = self.append(batch_of(stored_events, command=command, partitionkeys=partitionkeys), now=now)
        return list(outcome.positions)

    def select_events(
        self,
        originator_id: OriginatorId,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The library's events of one originator."""
        entries = self.select_versions(str(originator_id), after=gt, upto=lte, descending=desc, limit=limit)
        return [
            StoredEvent(self.originator_id(entry.stream), entry.version, entry.type, entry.entry) for entry in entries
        ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The library's notifications; an id is a position."""
        first = 1 if start is None else start + (not inclusive_of_start)
        return [
            Notification(
                originator_id=self.originator_id(entry.stream),
                originator_version=entry.version,
                topic=entry.type,
                state=entry.entry,
                id=entry.position,
            )
            for entry in self.select_positions(first, stop, limit, topics)
        ]

    def max_notification_id(self) -> int | None:
        """The last position, or None when the log is empty."""
        return self.head().position or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """An endless iterator of the notifications after `gt`."""
        return LogSubscription(self, gt=gt, topics=topics)

    def wait_for_append(self, after: int, timeout: float) -> bool:
        """Wait until the log reaches beyond position `after`, at most `timeout` seconds. True: it does."""
        return self.wakeups.wait(after, timeout, lambda: self.head().position)

    def originator_id(self, stream: str) -> OriginatorId:
        """What the library knows a stream by."""
        return UUID(stream) if self.originator_id_type == "uuid" else stream


class LogSubscription(ListenNotifySubscription[LogRecorder]):
    """A subscription that looks for itself at intervals: the library's own waits for ever for a wake-up that was lost."""

    def __init__(self, recorder: LogRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        recorder.wakeups.listen(self._has_been_notified)

    def stop(self) -> None:
        """End the iteration, from any thread."""
        self._recorder.wakeups.unlisten(self._has_been_notified)
        super().stop()

    def _loop_on_pull(self) -> None:
        try:
            self._pull()
            while not self._has_been_stopped:
                self._has_been_notified.wait(self._recorder.poll_interval)
                self._pull()
        except BaseException as error:  # noqa: BLE001 - raised again by the iterating thread
            self._thread_error = error
            self.stop()


def originator_id_type(name: str) -> OriginatorIdType:
    """The setting `ORIGINATOR_ID_TYPE`.

    Raises:
        SettingsError: it is neither uuid nor text.
    """
    if name not in ("uuid", "text"):
        raise SettingsError(f"ORIGINATOR_ID_TYPE is {name!r}; it may be uuid or text")
    return cast(OriginatorIdType, name)


def batch_of(
    stored_events: Sequence[StoredEvent],
    *,
    command: CommandKey | None = None,
    partitionkeys: Mapping[OriginatorId, str] | None = None,
) -> Batch:
    """The batch that the library's events make; an originator without a partition key of its own is its own."""
    keys = partitionkeys or {}
    drafts = [
        Draft(
            stream=str(event.originator_id),
            version=event.originator_version,
            type=event.topic,
            partitionkey=keys.get(event.originator_id, str(event.originator_id)),
            entry=event.state,
            time_at=time_offset(event.state),
        )
        for event in stored_events
    ]
    return Batch(drafts, command)


def check_batch(batch: Batch) -> set[str]:
    """The streams of a batch.

    Raises:
        VersionTakenError: versions of one stream do not rise one by one within the batch.
        StoreFailedError: a version is beyond `MAX_VERSION`, or a text holds a NUL character, which PostgreSQL's text cannot.
    """
    last: dict[str, int] = {}
    texts = [] if batch.command is None else [batch.command.actor, batch.command.key]
    for draft in batch.drafts:
        if draft.version != last.get(draft.stream, draft.version - 1) + 1:
            raise VersionTakenError(
                f"version {draft.version} of {draft.stream} does not follow {last[draft.stream]} in the batch"
            )
        if not 0 <= draft.version <= MAX_VERSION:
            raise StoreFailedError(f"the version {draft.version} of {draft.stream} is not between 0 and {MAX_VERSION}")
        last[draft.stream] = draft.version
        texts += (draft.stream, draft.type, draft.partitionkey)
    if any("\0" in text for text in texts):
        raise StoreFailedError(f"a text of the batch holds a NUL character: {texts}")
    return set(last)
