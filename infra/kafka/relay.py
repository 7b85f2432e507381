"""The relay: one at a time, it copies the log into the topic, entry by entry in the log's order, each once.

One batch of entries and a watermark for every partition go in one transaction of the producer: readers (`read_committed`) see all of it
or nothing, and every partition's last watermark says how far the topic is, so whoever takes over goes on exactly there. Who is
the relay is settled by an advisory lock of the database; a relay that lost it without noticing is fenced off by the
transactional id, which the next one takes for itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import psycopg2

from domain.errors import DistributionError, LogMismatchError
from domain.recording import Head, StoredEntry
from domain.streams import Visibility
from infra.kafka.cluster import Cluster, KafkaConfig, troubles
from infra.kafka.producer import BoundedProducer, transactional
from infra.kafka.records import Watermark, entry_headers, partition_of
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import answered_within, connect
from infra.recorders import StoreFailedError

_log = logging.getLogger(__name__)
_LOCK: Final = 1363758950
"""Beside the numbers of the fold engine's locks."""
_GENERAL: Final = tuple(f'"visibility":"{each.value}"}}'.encode() for each in (Visibility.CASE, Visibility.PUBLIC))
"""How an entry ends that may stand in the general topic: in canonical JSON `visibility` is the last of an entry's attributes."""
_BATCH: Final = 5_000
_IDLE: Final = 1.0
"""Seconds that the relay waits for the log to grow before it looks whether it should stop."""
_APART: Final = 0.05
"""Seconds from the beginning of one transaction to that of the next while the log grows: each costs relay, brokers and readers a
watermark for every partition, however few its entries. What comes after a quiet moment is not held up, nor what fills a batch."""
_PAUSE: Final = 1.0
"""Seconds before it tries again after trouble."""
_STALLED: Final = 8.0
"""Seconds after which what has not ended is trouble, though it may yet succeed."""
_STALE: Final = 5.0
"""Seconds after which the head that was last heard of says nothing about the lag."""
_ANSWER: Final = 10.0
"""Seconds that the database may take to say whose the lock is."""
SESSIONS: Final = RecorderConfig(answer_timeout=30.0, reconnect_patience=2.0)
"""How the relay's sessions with the database behave, beside their role: it tries again by itself, so no read needs patience."""


class RelayedLog(Protocol):
    """What the relay needs of the log."""

    def head(self) -> Head:
        """The last recorded entry."""

    def read(self, after: int, limit: int) -> Sequence[StoredEntry]:
        """Entries behind a position, in order."""

    def wait_for_append(self, after: int, timeout: float) -> bool:
        """Waits until the log has grown beyond a position."""


@dataclass
class RelayStatus:
    """How the relay is doing. `position`: the last entry that the topic holds; None before that is known. `head`: the last that was heard
    of; `head_known`: a moment ago. `trouble`: what is in its way now."""

    active: bool = False
    position: int | None = None
    head: int = 0
    head_known: bool = True
    sent: int = 0
    errors: int = 0
    trouble: str | None = None

    @property
    def lag(self) -> int | None:
        """Entries that the topic does not hold yet; None while that is not known."""
        return None if self.position is None or not self.head_known else max(0, self.head - self.position)


@dataclass
class Relay:
    """See the module. `dsn` is where the lock is taken; `batch` entries go in one transaction at the most; what has not ended for
    `stalled` seconds is said to be trouble."""

    log: RelayedLog
    dsn: str
    config: KafkaConfig
    origin: str
    batch: int = _BATCH
    stalled: float = _STALLED
    _status: RelayStatus = field(default_factory=RelayStatus)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _head: int = 0
    _head_at: float | None = None
    _doing: tuple[str, float] = ("", 0.0)

    def status(self) -> RelayStatus:
        """A copy of how it is doing; returns at once. While the log's head cannot be asked for, the lag is not known."""
        with self._lock:
            return self._status_at(time.monotonic())

    def _status_at(self, now: float) -> RelayStatus:
        head = max(self._status.head, self._head)
        fresh = self._head_at is None or now - self._head_at < _STALE
        status = replace(self._status, head=head, head_known=fresh)
        doing, since = self._doing
        if doing and status.trouble is None and now - since > self.stalled:
            return replace(status, trouble=f"{doing} has not ended for {now - since:.0f} s")
        return status

    def run(self, until: Callable[[], bool], *, once: bool = False) -> None:
        """Relays until told to stop; with `once` until the topic holds what the log held when it began. Trouble that passes is waited out.

        Raises:
            LogMismatchError: the topic is another log's, has another number of partitions, or lost records.
            DistributionError, StoreFailedError: with `once`, what would otherwise be waited out.
        """
        target = self.log.head().position if once else None
        with self._watching_head():
            while not until():
                try:
                    if self._lead(until, target):
                        return
                except (DistributionError, StoreFailedError) as error:
                    if once:
                        raise
                    self._note(trouble=str(error), errors=self._status.errors + 1, active=False)
                    _log.warning("the relay tries again: %s", error)
                    time.sleep(_PAUSE)

    @contextmanager
    def _watching_head(self) -> Iterator[None]:
        """Asks for the log's head all the while: whoever looks at the status must not wait for a database that is not there."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.is_set():
                with suppress(StoreFailedError):
                    head = self.log.head().position
                    with self._lock:
                        self._head, self._head_at = head, time.monotonic()
                ended.wait(_IDLE)

        thread = threading.Thread(target=watch, name="relay-head", daemon=True)
        self._head_at = time.monotonic()
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(_PAUSE)
            self._head_at = None

    def _note(self, **changed: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changed)

    @contextmanager
    def _step(self, doing: str) -> Iterator[None]:
        """What is done now, so that the status can say it when it does not end."""
        self._doing = doing, time.monotonic()
        try:
            yield
        finally:
            self._doing = "", 0.0

    def _lead(self, until: Callable[[], bool], target: int | None) -> bool:
        """Whether `target` was reached, once this is the relay; False as soon as another is, or it is to stop."""
        with self._step("connecting to the database"):
            session = connect(self.dsn, SESSIONS)
        try:
            while not self._holds(session):
                self._note(active=False, trouble=None)
                if until():
                    return False
                time.sleep(_PAUSE / 2)
            cluster = Cluster(self.config, self.origin)
            with self._step("looking at the topics"):
                cluster.prepare()
            with self._step("becoming the producer"):
                producer = transactional(self.config, f"qingling-relay-{self.config.topic}")
            try:
                reached = self._relay(session, cluster, producer, until, target)
            except BaseException:
                producer.close(timeout=0)  # nobody waits for what is not committed
                raise
            finally:
                self._note(active=False)
            producer.close()
            return reached
        finally:
            with suppress(psycopg2.Error):
                session.close()

    def _holds(self, session: Any) -> bool:
        with self._step("asking the database for the relay's lock"):
            return _locked(session)

    def _relay(
        self, session: Any, cluster: Cluster, producer: BoundedProducer, until: Callable[[], bool], target: int | None
    ) -> bool:
        with self._step("reading how far the topics are"):
            position = self._resumed(cluster, producer)
        self._note(active=True, position=position, trouble=None)
        ahead = ThreadPoolExecutor(1, "relay-read")
        following: Future[Sequence[StoredEntry]] | None = None
        begun = 0.0
        try:
            while not until():
                if target is not None and position >= target:
                    return True
                if not self._holds(session):
                    raise DistributionError("the session that holds the relay's lock was lost")
                self._require_partitions(cluster, producer)
                if following is None:
                    time.sleep(max(0.0, begun + _APART - time.monotonic()))
                    following = ahead.submit(self.log.read, position, self.batch)
                with self._step("reading the log"):
                    entries = following.result()
                following = None
                if not entries:
                    self._note(head=position)
                    with self._step("waiting for the log to grow"):
                        self.log.wait_for_append(position, _IDLE)
                    continue
                begun = time.monotonic()
                if len(entries) == self.batch:  # the next ones are there already; near the head most are yet to come
                    following = ahead.submit(self.log.read, entries[-1].position, self.batch)
                with self._step(f"sending what follows position {position}"):
                    position = self._send(producer, entries, entries[-1].position)
                self._note(
                    position=position, head=max(self._status.head, position), sent=self._status.sent + len(entries)
                )
        finally:
            ahead.shutdown(
                wait=False, cancel_futures=True
            )  # what it still reads may take as long as the database is gone
        return False

    def _require_partitions(self, cluster: Cluster, producer: BoundedProducer) -> None:
        """Holds the topics, as the producer knows them, against what they must be; it asks for them anew every few seconds.

        Raises:
            LogMismatchError: their partitions were changed.
            DistributionError: one was deleted.
        """
        for topic in self.config.topics:
            with self._step(f"looking for topic {topic}"), troubles(f"looking for topic {topic}"):
                found = producer.partitions_for(topic)
            cluster.require_count(topic, len(found))

    def _resumed(self, cluster: Cluster, producer: BoundedProducer) -> int:
        """How far the topics are; empty ones are opened with a watermark of position 0 in every partition.

        Raises:
            LogMismatchError: their partitions do not agree, which no transaction leaves behind.
        """
        marks = [mark for topic in self.config.topics for mark in cluster.watermarks(topic)]
        if all(mark is None for mark in marks):
            return self._send(producer, (), 0)
        stands = {0 if mark is None else mark.upto for mark in marks}
        if len(stands) != 1:
            raise LogMismatchError(
                f"the partitions of {self.config.topic} say different positions ({min(stands)} to {max(stands)}): records were lost or"
                " deleted; make a new topic and fill it from the log"
            )
        position = stands.pop()
        self._require_same_history(cluster, position)
        return position

    def _require_same_history(self, cluster: Cluster, position: int) -> None:
        """A log that was restored from a backup ends before what its topic holds, or has gone on otherwise by now.

        Raises:
            LogMismatchError: the topic holds what the log does not.
        """
        if position == 0:
            return
        last = next(iter(self.log.read(position - 1, 1)), None)
        if last is None:
            raise LogMismatchError(
                f"topic {self.config.topic} holds entries up to position {position}, and the log ends before: it was restored from a"
                " backup. Keep the topic, for it holds what the log lost, and fill a new one from the log"
            )
        topic, partition = self._place(last)
        if not cluster.holds(topic, partition, position, last.entry):
            raise LogMismatchError(
                f"topic {topic} does not hold the entry that the log has at position {position}: the log was restored from a backup and"
                " went on otherwise. Keep the topic, for it holds what the log lost, and fill a new one from the log"
            )

    def _place(self, stored: StoredEntry) -> tuple[str, int]:
        """Topic and partition of an entry."""
        general, office = self.config.topics
        topic = general if stored.entry.endswith(_GENERAL) else office
        return topic, partition_of(stored.partitionkey, self.config.partitions)

    def _send(self, producer: BoundedProducer, entries: Sequence[StoredEntry], upto: int) -> int:
        """Entries and watermarks, all of them or none; returns `upto`. What fails is not aborted: the next producer ends it."""
        mark = Watermark(self.origin, self.config.partitions, upto)
        with troubles("sending"):
            producer.begin_transaction()
            sent = []
            for stored in entries:
                topic, partition = self._place(stored)
                key, headers = stored.partitionkey.encode(), entry_headers(stored.position)
                sent.append(producer.send(topic, partition=partition, key=key, value=stored.entry, headers=headers))
            sent += [
                producer.send(topic, partition=at, value=mark.value, headers=mark.headers)
                for topic in self.config.topics
                for at in range(self.config.partitions)
            ]
            producer.flush()
            for each in sent:
                if each.exception is not None:
                    raise each.exception
            producer.commit_transaction()
        return upto


def _locked(session: Any) -> bool:
    """Whether the session holds the relay's lock, taking it if it is free."""
    try:
        with answered_within(session, _ANSWER), session.cursor() as cursor:
            cursor.execute(
                "select exists (select from pg_locks where locktype = 'advisory' and objid = %s and pid = pg_backend_pid() and granted)"
                " or pg_try_advisory_lock(%s)",
                (_LOCK, _LOCK),
            )
            (held,) = cursor.fetchone()
            return bool(held)
    except psycopg2.Error as error:
        raise DistributionError(f"the relay's lock cannot be asked for: {error}") from error
