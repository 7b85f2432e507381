"""What is asked of a Kafka cluster beside sending and reading: how it is reached, its topics, and what they hold.

Every error of the client becomes `DistributionError`; it passes by itself, or says what a person must change.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from domain.errors import DistributionError, LogMismatchError, SettingsError
from infra.kafka.reaching import Client
from infra.kafka.records import OFFICE, Watermark, position_in, watermark_in

T = TypeVar("T")

CLIENT_OPTIONS: Final = (
    "security_protocol",
    "ssl_cafile",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
    "ssl_check_hostname",
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_plain_password",
)
"""What the file of client options may hold; the names are the client's own."""
_FILES: Final = frozenset({"ssl_cafile", "ssl_certfile", "ssl_keyfile"})
_BOUNDS: Final = {
    "bootstrap_timeout_ms": 10_000,
    "request_timeout_ms": 10_000,  # a connection that says nothing for so long is given up
    "reconnect_backoff_max_ms": 1_000,  # a cluster that is back is noticed at once
    "metadata_max_age_ms": 10_000,  # partitions that were added are noticed so soon
}
"""How long a client waits. Its own limits are half a minute and more each, one after the other."""
_PATIENCE: Final = 15.0
"""Seconds for a topic to be known everywhere after it was made, and for the next record when one is there."""
_LOOK_BACK: Final = 64
"""Records that are read at the end of a partition at first to find its last watermark; twice as many each time that there is none."""


@dataclass(frozen=True)
class KafkaConfig:
    """A cluster and the topics on it. `replicas`, `in_sync` and `retention_ms` are of topics that are made."""

    bootstrap: str
    topic: str = "qingling.events.v1"
    partitions: int = 16
    replicas: int = 1
    in_sync: int = 1
    retention_ms: int = -1
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def topics(self) -> tuple[str, str]:
        """The general topic, and that of what only the office sees."""
        return self.topic, self.topic + OFFICE

    @property
    def client(self) -> dict[str, Any]:
        """How a client reaches the cluster."""
        servers = self.bootstrap.split(",")
        return {
            "bootstrap_servers": servers,
            "client_id": "qingling",
            "kafka_client": Client,
            **_BOUNDS,
            **self.options,
        }


def client_options(file: str) -> dict[str, Any]:
    """The options of a TOML file (TLS, SASL); empty without one.

    Raises:
        SettingsError: it, or a file that it names, cannot be read, or it holds another option.
    """
    if not file:
        return {}
    try:
        said = tomllib.loads(Path(file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the options of Kafka's clients in {file} cannot be read: {error}") from error
    if unknown := sorted(said.keys() - set(CLIENT_OPTIONS)):
        raise SettingsError(f"{file}: {unknown[0]} is no option; there are {', '.join(CLIENT_OPTIONS)}")
    for name in _FILES & said.keys():
        _require_readable(file, name, said[name])
    return said


def _require_readable(file: str, name: str, path: Any) -> None:
    try:
        Path(path).open("rb").close()
    except (OSError, TypeError) as error:
        raise SettingsError(f"{file}: {name} names {path!r}, which cannot be read: {error}") from error


@contextmanager
def troubles(doing: str) -> Iterator[None]:
    """Turns errors of the client into ours."""
    try:
        yield
    except KafkaError as error:
        raise DistributionError(f"Kafka failed while {doing}: {error}") from error


class Cluster:
    """The topics of a log on a cluster, made where they are not there yet, and held against what they must be."""

    def __init__(self, config: KafkaConfig, origin: str) -> None:
        self.config = config
        self.origin = origin

    def prepare(self) -> bool:
        """Makes the topics that are missing; returns whether any was.

        Raises:
            DistributionError: the cluster cannot be reached, or refuses.
            LogMismatchError: a topic has another number of partitions than was asked for.
        """
        config, made = self.config, False
        with troubles("making topics"):
            admin = KafkaAdminClient(**config.client)
            try:
                there = set(admin.list_topics())
                for topic in config.topics:
                    if topic not in there:
                        self._make(admin, topic)
                        made = True
            finally:
                with suppress(KafkaError):
                    admin.close()
        self.require()
        return made

    def require(self) -> None:
        """Looks whether the topics are there, as they must be.

        Raises:
            DistributionError: the cluster cannot be reached, or a topic is not there.
            LogMismatchError: a topic has another number of partitions than was asked for.
        """
        for topic in self.config.topics:
            self._require_partitions(topic)

    def _make(self, admin: KafkaAdminClient, topic: str) -> None:
        config = self.config
        settings = {
            "cleanup.policy": "delete",
            "retention.ms": str(config.retention_ms),
            "min.insync.replicas": str(config.in_sync),
        }
        with suppress(TopicAlreadyExistsError):  # another relay was first
            admin.create_topics([NewTopic(topic, config.partitions, config.replicas, topic_configs=settings)])

    def _require_partitions(self, topic: str) -> None:
        with self._reading() as consumer, troubles(f"looking at {topic}"):
            deadline = time.monotonic() + _PATIENCE
            while not (found := consumer.partitions_for_topic(topic)):  # not every broker knows at once what was made
                if time.monotonic() > deadline:
                    raise DistributionError(f"topic {topic} is not there")
                time.sleep(0.1)
        self.require_count(topic, len(found))

    def require_count(self, topic: str, found: int) -> None:
        """Holds the number of a topic's partitions against what it must be.

        Raises:
            LogMismatchError: it is another one.
        """
        if found != self.config.partitions:
            raise LogMismatchError(
                f"topic {topic} has {found} partitions, and this log is carried by {self.config.partitions}: a case would change its"
                " partition, and its order with it; make a new topic and fill it from the log"
            )

    def watermarks(self, topic: str) -> list[Watermark | None]:
        """The last watermark of every partition of a topic; None of a partition that is empty.

        Raises:
            DistributionError: the cluster cannot be read.
            LogMismatchError: a partition holds records and no watermark, or is of another log or number of partitions.
        """
        with self._reading() as consumer, troubles(f"reading the end of {topic}"):
            return [self.checked(topic, at, self._last(consumer, topic, at)) for at in range(self.config.partitions)]

    def holds(self, topic: str, partition: int, position: int, entry: bytes) -> bool:
        """Whether the last record of a position is that entry; positions beyond it are looked over from the end.

        Raises:
            DistributionError: the cluster cannot be read.
        """

        def there(records: Iterable[Any]) -> bool | None:
            found = None
            for record in records:
                at = position_in(record.headers)
                if at is not None and at <= position:
                    found = at == position and record.value == entry
            return found

        with self._reading() as consumer, troubles(f"reading the end of {topic}"):
            return bool(self._looked_back(consumer, TopicPartition(topic, partition), there))

    def _last(self, consumer: KafkaConsumer, topic: str, partition: int) -> Watermark | None:
        at = TopicPartition(topic, partition)
        if consumer.end_offsets([at])[at] == consumer.beginning_offsets([at])[at]:
            return None

        def last(records: Iterable[Any]) -> Watermark | None:
            found = None
            for record in records:
                found = watermark_in(record.headers, record.value) or found
            return found

        found = self._looked_back(consumer, at, last)
        if found is None:
            raise LogMismatchError(f"partition {partition} of topic {topic} holds records that no relay wrote")
        return found

    @classmethod
    def _looked_back(
        cls, consumer: KafkaConsumer, at: TopicPartition, look: Callable[[Iterable[Any]], T | None]
    ) -> T | None:
        """What is found at the end of a partition, looking back ever further; None: it is nowhere."""
        begin, end = consumer.beginning_offsets([at])[at], consumer.end_offsets([at])[at]
        consumer.assign([at])
        back = _LOOK_BACK
        while True:
            first = max(begin, end - back)
            found = look(cls._scanned(consumer, at, first, end))
            if found is not None or first == begin:
                return found
            back *= 2

    @staticmethod
    def _scanned(consumer: KafkaConsumer, at: TopicPartition, first: int, end: int) -> Iterator[Any]:
        consumer.seek(at, first)
        reached, deadline = first, time.monotonic() + _PATIENCE
        while reached < end:
            yield from consumer.poll(1_000).get(at, ())
            position = consumer.position(at, timeout_ms=1_000) or reached
            if position > reached:
                reached, deadline = position, time.monotonic() + _PATIENCE
            elif time.monotonic() > deadline:
                raise DistributionError(
                    f"partition {at.partition} of topic {at.topic} cannot be read beyond offset {reached}"
                )

    def checked(self, topic: str, partition: int, found: Watermark | None) -> Watermark | None:
        """A watermark of a partition, held against what it must be.

        Raises:
            LogMismatchError: it is of another log, or of another number of partitions.
        """
        if found is not None and found.origin != self.origin:
            raise LogMismatchError(f"topic {topic} is filled by the log {found.origin}; this is {self.origin}")
        if found is not None and found.partitions != self.config.partitions:
            raise LogMismatchError(
                f"partition {partition} of topic {topic} was written when the topic had {found.partitions} partitions, and not"
                f" {self.config.partitions}: make a new topic and fill it from the log"
            )
        return found

    @contextmanager
    def _reading(self) -> Iterator[KafkaConsumer]:
        with troubles("connecting"):
            consumer = KafkaConsumer(
                **self.config.client,
                enable_auto_commit=False,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
            )
        try:
            yield consumer
        finally:
            with suppress(KafkaError):
                consumer.close()
