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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import psycopg2
from kafka import KafkaProducer
from kafka.errors import KafkaError

from domain.errors import DistributionError
from domain.recording import Head, StoredEntry
from domain.streams import Visibility
from infra.kafka.cluster import Cluster, KafkaConfig, troubles
from infra.kafka.records import Watermark, entry_headers, partition_of
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import connect
from infra.recorders import StoreFailedError

_log = logging.getLogger(__name__)
_LOCK: Final = 1363758950
"""Beside the numbers of the fold engine's locks."""
_GENERAL: Final = tuple(f'"visibility":"{each.value}"}}'.encode() for each in (Visibility.CASE, Visibility.PUBLIC))
"""How an entry ends that may stand in the general topic: in canonical JSON `visibility` is the last of an entry's attributes."""
_BATCH: Final = 5_000
_IDLE: Final = 1.0
"""Seconds that the relay waits for the log to grow before it looks whether it should stop."""
_PAUSE: Final = 1.0
"""Seconds before it tries again after trouble."""


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
    """How the relay is doing. `position`: the last entry that the topic holds; None before that is known."""

    active: bool = False
    position: int | None = None
    head: int = 0
    sent: int = 0
    errors: int = 0
    trouble: str | None = None

    @property
    def lag(self) -> int | None:
        """Entries that the topic does not hold yet."""
        return None if self.position is None else max(0, self.head - self.position)


@dataclass
class Relay:
    """See the module. `dsn` is where the lock is taken; `batch` entries go in one transaction at the most."""

    log: RelayedLog
    dsn: str
    config: KafkaConfig
    origin: str
    batch: int = _BATCH
    _status: RelayStatus = field(default_factory=RelayStatus)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def status(self) -> RelayStatus:
        """A copy of how it is doing."""
        with self._lock:
            return replace(self._status, head=max(self._status.head, self.log.head().position))

    def run(self, until: Callable[[], bool], *, once: bool = False) -> None:
        """Relays until told to stop; with `once` until the topic holds what the log held when it began. Trouble that passes is waited out.

        Raises:
            LogMismatchError: the topic is another log's, or has another number of partitions.
            DistributionError, StoreFailedError: with `once`, what would otherwise be waited out.
        """
        target = self.log.head().position if once else None
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

    def _note(self, **changed: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changed)

    def _lead(self, until: Callable[[], bool], target: int | None) -> bool:
        """Whether `target` was reached, once this is the relay; False as soon as another is, or it is to stop."""
        session = connect(self.dsn, RecorderConfig())
        try:
            while not _locked(session):
                self._note(active=False)
                if until():
                    return False
                time.sleep(_PAUSE / 2)
            cluster = Cluster(self.config, self.origin)
            cluster.prepare()
            producer = self._producer()
            try:
                return self._relay(session, cluster, producer, until, target)
            finally:
                self._note(active=False)
                with suppress(KafkaError):
                    producer.close(timeout=5)
        finally:
            with suppress(psycopg2.Error):
                session.close()

    def _producer(self) -> KafkaProducer:
        with troubles("becoming the producer"):
            producer = KafkaProducer(
                **self.config.client,
                transactional_id=f"qingling-relay-{self.config.topic}",
                acks="all",
                linger_ms=100,  # batches fill while they are made; nothing waits so long, for a flush ends every one of ours
                batch_size=1 << 20,
                max_request_size=1 << 22,
                allow_auto_create_topics=False,
            )
            producer.init_transactions()
        return producer

    def _relay(
        self, session: Any, cluster: Cluster, producer: KafkaProducer, until: Callable[[], bool], target: int | None
    ) -> bool:
        position = self._resumed(cluster, producer)
        self._note(active=True, position=position, trouble=None)
        with ThreadPoolExecutor(1, "relay-read") as ahead:
            following = ahead.submit(self.log.read, position, self.batch)
            while not until():
                if target is not None and position >= target:
                    return True
                if not _locked(session):
                    raise DistributionError("the session that holds the relay's lock was lost")
                entries = following.result()
                if not entries:
                    self._note(head=position)
                    self.log.wait_for_append(position, _IDLE)
                    following = ahead.submit(self.log.read, position, self.batch)
                    continue
                position = entries[-1].position
                following = ahead.submit(self.log.read, position, self.batch)  # while these are sent
                self._send(producer, entries, position)
                self._note(
                    position=position, head=max(self._status.head, position), sent=self._status.sent + len(entries)
                )
        return False

    def _resumed(self, cluster: Cluster, producer: KafkaProducer) -> int:
        """How far the topics are; empty ones are opened with a watermark of position 0 in every partition.

        Raises:
            DistributionError: their partitions do not agree, which no transaction leaves behind.
        """
        marks = [mark for topic in self.config.topics for mark in cluster.watermarks(topic)]
        if all(mark is None for mark in marks):
            self._send(producer, (), 0)
            return 0
        stands = {0 if mark is None else mark.upto for mark in marks}
        if len(stands) != 1:
            raise DistributionError(
                f"the partitions of {self.config.topic} say different positions ({min(stands)} to {max(stands)}): records were lost or"
                " deleted; make a new topic and fill it from the log"
            )
        return stands.pop()

    def _send(self, producer: KafkaProducer, entries: Sequence[StoredEntry], upto: int) -> None:
        """Entries and watermarks, all of them or none."""
        general, office = self.config.topics
        partitions = self.config.partitions
        mark = Watermark(self.origin, partitions, upto)
        with troubles("sending"):
            producer.begin_transaction()
            try:
                sent = [
                    producer.send(
                        general if stored.entry.endswith(_GENERAL) else office,
                        partition=partition_of(stored.partitionkey, partitions),
                        key=stored.partitionkey.encode(),
                        value=stored.entry,
                        headers=entry_headers(stored.position),
                    )
                    for stored in entries
                ]
                sent += [
                    producer.send(topic, partition=at, value=mark.value, headers=mark.headers)
                    for topic in self.config.topics
                    for at in range(partitions)
                ]
                producer.flush()
                for each in sent:
                    if each.exception is not None:
                        raise each.exception
                producer.commit_transaction()
            except BaseException:
                with suppress(Exception):  # what is not committed is nobody's; the next producer ends it
                    producer.abort_transaction()
                raise


def _locked(session: Any) -> bool:
    """Whether the session holds the relay's lock, taking it if it is free."""
    try:
        with session.cursor() as cursor:
            cursor.execute(
                "select exists (select from pg_locks where locktype = 'advisory' and objid = %s and pid = pg_backend_pid() and granted)"
                " or pg_try_advisory_lock(%s)",
                (_LOCK, _LOCK),
            )
            (held,) = cursor.fetchone()
            return bool(held)
    except psycopg2.Error as error:
        raise DistributionError(f"the relay's lock cannot be asked for: {error}") from error
