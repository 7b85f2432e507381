"""The feed of some partitions of the topic: what a worker folds from.

Both topics of the log are read (what only the office sees is folded like the rest), merged by position, up to where every partition
says that nothing is missing. Records at or before the last position are dropped, so that it does not matter from where a
partition is read again. Memory is bounded: a partition of which much is waiting to be folded *rests*, while those that are behind it
are read on; it is unassigned meanwhile. (It is not paused: the client, as of 3.0.12, never again gives the records of a partition that
was paused while some of them were waiting.)
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from zlib import crc32

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from domain.errors import DistributionError, LogMismatchError, SettingsError
from infra.folding.feed import EVERY_PART, UNDIVIDED, FeedEntry, Parts, Stretch, WatchedLog
from infra.kafka.cluster import Cluster, KafkaConfig, troubles
from infra.kafka.records import position_in, watermark_in
from infra.postgres.ledger_tables import SHARDS

_PATIENCE: Final = 15.0
"""Seconds without a record that was promised, after which the brokers are said to be away."""
_WAITING: Final = 60_000
"""Entries that are kept in memory before nothing more is read. Each partition has its share."""
_UNREAD: Final = 10.0
"""Seconds after which nobody is thought to fold a partition that rests: what is kept of it is forgotten, and read again if needed."""
_POLLED: Final = 4_000
"""Records that the client hands over at once."""
_LINGERING: Final = 100
"""Milliseconds that a broker waits for records before it answers that there are none; what else it is asked waits behind that."""


class _Typed(msgspec.Struct):
    type: str


_typed = msgspec.json.Decoder(_Typed).decode


@dataclass
class _Run:
    """What was read of a partition of one topic: entries behind `after`, and that there are no others up to `upto`."""

    after: int = 0
    upto: int = 0
    entries: deque[FeedEntry] = field(default_factory=deque)
    rests_at: int | None = None
    """The offset from which it is read on; None: it is read now."""
    read: float = field(default_factory=time.monotonic)
    """When it was last asked for."""
    unread: bool = False
    """Whether nobody asks for it, so that nothing is kept."""

    def forget(self) -> None:
        """Keeps nothing, and goes on where it is."""
        self.entries.clear()
        self.after = self.upto


def require_foldable(config: KafkaConfig) -> None:
    """Every part of the log must lie in one partition.

    Raises:
        SettingsError: ledgers cannot be folded from so many partitions.
    """
    if config.partitions > SHARDS or SHARDS % config.partitions:
        raise SettingsError(
            f"ledgers are folded from 1, 2, 4, 8 or 16 partitions, and kafka_partitions is {config.partitions}: a part of a ledger must"
            " lie in one partition"
        )


class TopicFeed:
    """See the module, and `infra.folding.feed.Feed`."""

    def __init__(
        self, log: WatchedLog, config: KafkaConfig, origin: str, partitions: Collection[int] | None = None
    ) -> None:
        """The feed of some partitions; None: of all. `log` is what the topic holds copies of.

        Raises:
            SettingsError: ledgers cannot be folded from so many partitions.
            DistributionError: the cluster cannot be reached, or no relay has filled the topic yet.
            LogMismatchError: the topic is another log's, or has another number of partitions.
        """
        require_foldable(config)
        self._log = log
        self._log_head = 0
        self._config = config
        self._cluster = Cluster(config, origin)
        self._cluster.require()
        self._own = sorted(range(config.partitions) if partitions is None else partitions)
        self.parts: Parts = tuple(part for part in EVERY_PART if part % config.partitions in self._own)
        self._runs = {TopicPartition(topic, partition): _Run() for partition in self._own for topic in config.topics}
        self._head = 0
        self._ids: list[Any] | None = None
        self._consumer = self._connected(max_poll_records=_POLLED, fetch_max_wait_ms=_LINGERING)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _connected(self, **more: Any) -> KafkaConsumer:
        with troubles("connecting"):
            return KafkaConsumer(
                **self._config.client,
                enable_auto_commit=False,
                isolation_level="read_committed",
                auto_offset_reset="none",  # records that are gone are an error: nothing may be passed over
                **more,
            )

    def close(self) -> None:
        """See `Feed.close`."""
        with suppress(KafkaError):
            self._consumer.close()

    # Reading

    def head(self) -> int:
        """The last position that was seen in every partition."""
        self._fill(0)
        self._require_in_log()
        return self._head

    def _require_in_log(self) -> None:
        """What is not in the log is no record, wherever else it stands.

        Raises:
            LogMismatchError: the topic holds more than the log, which was restored from a backup.
        """
        if self._head > self._log_head:
            self._log_head = self._log.head().position
        if self._head > self._log_head:
            raise LogMismatchError(
                f"topic {self._config.topic} holds entries up to position {self._head}, and the log ends at {self._log_head}: it was"
                " restored from a backup; have a new topic filled from the log"
            )

    def read(self, after: int, upto: int, skip: Collection[str] = (), parts: Parts = UNDIVIDED) -> Stretch:
        """See `Feed.read`.

        Raises:
            DistributionError: what was there cannot be read any more.
            LogMismatchError: the topic was filled by another log meanwhile.
        """
        wanted = self.parts if parts == UNDIVIDED else parts
        of = {part % self._config.partitions for part in wanted}
        runs = {at: run for at, run in self._runs.items() if at.partition in of}
        self._place({at: run for at, run in runs.items() if not run.after <= after <= run.upto}, after)
        for run in runs.values():
            run.read, run.unread = time.monotonic(), False
            while run.entries and run.entries[0].position <= after:
                run.entries.popleft()
            run.after = after
        deadline, before = time.monotonic() + _PATIENCE, -1
        while (reached := min(run.upto for run in runs.values())) <= after:
            if reached != before:
                deadline, before = time.monotonic() + _PATIENCE, reached
            elif time.monotonic() > deadline:
                raise DistributionError(
                    f"Kafka has not given what stands behind position {after} for {_PATIENCE:.0f} s"
                )
            self._fill(200)
        upto = min(upto, reached)
        found: list[FeedEntry] = []
        for run in runs.values():
            for entry in run.entries:
                if entry.position > upto:
                    break
                if entry.position > after and entry.shard in wanted and entry.type not in skip:
                    found.append(entry)
        return Stretch(sorted(found), upto)

    def wait(self, after: int, timeout: float) -> bool:
        """See `Feed.wait`."""
        deadline = time.monotonic() + timeout
        while self._head <= after:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._fill(left * 1_000)
        self._require_in_log()
        return True

    def is_current(self) -> bool:
        """Asks the brokers whether anything stands behind what was read.

        Raises:
            DistributionError: they cannot be reached.
            LogMismatchError: the number of partitions was changed.
        """
        with troubles("asking for the end of the topic"):
            for topic in self._config.topics:
                found = self._consumer.partitions_for_topic(topic)
                if not found:
                    raise DistributionError(f"topic {topic} is not there")  # a relay makes it anew, or refuses
                self._cluster.require_count(topic, len(found))
            ends = self._consumer.end_offsets(list(self._runs))
            if any(run.rests_at is not None for run in self._runs.values()):
                return False
            return all((self._consumer.position(at, timeout_ms=1_000) or 0) >= ends[at] for at in self._runs)

    def _fill(self, milliseconds: float) -> None:
        with troubles("reading the topic"):
            if not self._balance():
                time.sleep(min(milliseconds / 1_000, _PAUSE))
                return
            polled: Mapping[TopicPartition, Sequence[Any]] = self._consumer.poll(timeout_ms=max(0, milliseconds))
        if not polled:
            return
        self._require_same_topics()
        for at, records in polled.items():
            run = self._runs[at]
            for record in records:
                self._take(at, run, record)
        self._head = max(self._head, min(run.upto for run in self._runs.values()))

    def _balance(self) -> bool:
        """Lets partitions rest of which much is waiting, and goes on with those that have rested; says whether any is read."""
        share = max(1, _WAITING // len(self._runs))
        now, woken, changed = time.monotonic(), [], False
        for at, run in self._runs.items():
            if run.rests_at is not None and now - run.read > _UNREAD:
                run.unread = True
                run.forget()
            if run.rests_at is not None and len(run.entries) <= share // 2:
                woken.append((at, run.rests_at))
                run.rests_at, changed = None, True
            elif run.rests_at is None and len(run.entries) >= share:
                run.rests_at = self._consumer.position(at, timeout_ms=1_000)
                changed = changed or run.rests_at is not None
        reading = [at for at, run in self._runs.items() if run.rests_at is None]
        if changed:
            self._consumer.assign(reading)
            for at, offset in woken:
                self._consumer.seek(at, offset)
        return bool(reading)

    def _topic_ids(self) -> list[Any]:
        known = self._consumer._client.cluster
        return [known.topic_id(topic) for topic in self._config.topics]

    def _require_same_topics(self) -> None:
        """What was made anew and filled again while this reads begins anew, too: an offset says something else there."""
        known = self._topic_ids()
        if any(known) and self._ids is None:
            self._ids = known
        if self._ids is not None and any(
            now not in (None, before) for now, before in zip(known, self._ids, strict=True)
        ):
            raise DistributionError("the topic was made anew; it is read from its beginning")

    def _take(self, at: TopicPartition, run: _Run, record: Any) -> None:
        position = position_in(record.headers)
        if position is None:
            mark = watermark_in(record.headers, record.value)
            if mark is None:
                raise LogMismatchError(
                    f"partition {at.partition} of topic {at.topic} holds a record at offset {record.offset} that no relay wrote"
                )
            self._cluster.checked(at.topic, at.partition, mark)
            run.upto = max(run.upto, mark.upto)
            if run.unread:
                run.forget()
            return
        if position <= run.upto:
            return
        run.upto = position
        if run.unread:
            run.forget()
            return
        shard = crc32(record.key or b"") % SHARDS
        run.entries.append(FeedEntry(position, _type_of(record.value), record.value, shard))

    # Where partitions are read from

    def _begin(self) -> None:
        """Looks at the first record of every partition, which must be this log's watermark of position 0, and begins near the last one:
        ledgers mostly stand there, and whoever stands behind it is looked for."""
        with troubles("reading the beginning of the topic"), self._probing() as probing:
            begin = probing.beginning_offsets(list(self._runs))
            ends = probing.end_offsets(list(self._runs))
            first = self._first_from(probing, begin, ends)
            last = self._first_from(probing, {at: max(begin[at], ends[at] - _NEAR) for at in begin}, ends)
        for at, record in first.items():
            if record is None:
                raise DistributionError(f"no relay has filled partition {at.partition} of topic {at.topic} yet")
            mark = watermark_in(record.headers, record.value)
            if mark is None:
                raise LogMismatchError(
                    f"partition {at.partition} of topic {at.topic} does not begin with a watermark: records were deleted, or no relay wrote"
                    " it; make a new topic and fill it from the log"
                )
            self._cluster.checked(at.topic, at.partition, mark)
        with troubles("reading the end of the topic"):
            self._consumer.assign(list(self._runs))
            for at, run in self._runs.items():
                record = last[at]
                if record is not None:  # one that no relay wrote stands nowhere, and is refused as soon as it is read
                    run.after = run.upto = _stands(record)
                self._consumer.seek(at, begin[at] if record is None else record.offset)
        self._head = min(run.upto for run in self._runs.values())

    def _place(self, runs: Mapping[TopicPartition, _Run], after: int) -> None:
        """Has partitions read again from somewhere at or before a position: the last record that is not beyond it, found by halving."""
        if not runs:
            return
        with troubles("looking for a position in the topic"):
            low = self._consumer.beginning_offsets(list(runs))
            high = self._consumer.end_offsets(list(runs)) if after else dict(low)
            if after:
                self._halve(low, high, after)
            for at, run in runs.items():
                run.after, run.upto = 0, 0
                run.entries.clear()
                if run.rests_at is None:
                    self._consumer.seek(at, low[at])
                else:
                    run.rests_at = low[at]

    def _halve(self, low: dict[TopicPartition, int], high: dict[TopicPartition, int], after: int) -> None:
        """Moves `low` up, in every partition at once, as far as what stands before it is not beyond a position."""
        with self._probing() as probing:
            while open_ := {at: (low[at] + high[at]) // 2 for at in low if high[at] - low[at] > _NEAR}:
                for at, record in self._first_from(probing, open_, {at: high[at] for at in open_}).items():
                    if record is not None and _stands(record) <= after:
                        low[at] = record.offset
                    else:
                        high[at] = open_[at]

    @contextmanager
    def _probing(self) -> Iterator[KafkaConsumer]:
        """A consumer that reads little at a time."""
        probing = self._connected(max_partition_fetch_bytes=1 << 12, max_poll_records=1_000)
        try:
            yield probing
        finally:
            with suppress(KafkaError):
                probing.close()

    def _first_from(
        self, consumer: KafkaConsumer, offsets: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, Any]:
        """The first record at or behind an offset of each partition; None where there is none before an end."""
        found: dict[TopicPartition, Any] = {at: None for at in offsets if offsets[at] >= ends[at]}
        waiting = set(offsets) - found.keys()
        if waiting:
            consumer.assign(list(waiting))  # these alone: one that is nowhere yet would be an error
        for at in waiting:
            consumer.seek(at, offsets[at])
        deadline = time.monotonic() + _PATIENCE
        while waiting:
            for at, records in consumer.poll(200).items():
                if at in waiting:
                    found[at] = records[0] if records[0].offset < ends[at] else None
            # What is left may be the marks that end transactions, which are no records.
            for at in waiting - found.keys():
                if (consumer.position(at, timeout_ms=1_000) or 0) >= ends[at]:
                    found[at] = None
            waiting -= found.keys()
            if waiting and time.monotonic() > deadline:
                raise DistributionError(
                    f"Kafka has not given a record of {len(waiting)} partitions for {_PATIENCE:.0f} s"
                )
        return found


_PAUSE: Final = 0.05
"""Seconds between two looks while nothing is read."""
_NEAR: Final = 64
"""Records that are rather read than looked between."""


def _stands(record: Any) -> int:
    """The position up to which a partition is known to be read with this record."""
    position = position_in(record.headers)
    if position is not None:
        return position
    mark = watermark_in(record.headers, record.value)
    return 0 if mark is None else mark.upto


def _type_of(entry: bytes | None) -> str:
    """The event's type; empty where the record is no entry, which stops what is folded there like any unknown type."""
    try:
        return _typed(entry or b"").type
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
