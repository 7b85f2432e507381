"""A broker for the tests of this folder, and a topic of its own for each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition

from infra.kafka.cluster import KafkaConfig
from infra.kafka.records import position_in, watermark_in
from tests.kafka_broker import Broker, broker
from tests.migrated import log_url

__all__ = ["log_url"]


@dataclass(frozen=True)
class OnTopic:
    """What a topic holds, as a reader of what is committed sees it: by partition, position and bytes of its entries, and its watermarks."""

    entries: dict[int, list[tuple[int, bytes, bytes]]]
    """Position, key, value."""
    watermarks: dict[int, list[int]]

    @property
    def positions(self) -> list[int]:
        """Positions of all entries, in rising order."""
        return sorted(position for entries in self.entries.values() for position, _, _ in entries)


def read_topic(config: KafkaConfig, topic: str, upto: int, seconds: float = 60) -> OnTopic:
    """Reads a topic from its beginning until every partition's watermark is that of a position: a transaction that was committed is seen in
    one partition a moment before it is in another.

    Raises:
        AssertionError: that took too long.
    """
    parts = [TopicPartition(topic, at) for at in range(config.partitions)]
    entries: dict[int, list[tuple[int, bytes, bytes]]] = {at: [] for at in range(config.partitions)}
    marks: dict[int, list[int]] = {at: [] for at in range(config.partitions)}
    deadline = time.monotonic() + seconds
    consumer = KafkaConsumer(
        **config.client, enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    try:
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        while not all(each and each[-1] >= upto for each in marks.values()):
            assert time.monotonic() < deadline, f"{topic} is not filled up to {upto}"
            for part, records in consumer.poll(500).items():
                for record in records:
                    position = position_in(record.headers)
                    if position is not None:
                        entries[part.partition].append((position, record.key, record.value))
                    mark = watermark_in(record.headers, record.value)
                    if mark is not None:
                        marks[part.partition].append(mark.upto)
        return OnTopic(entries, marks)
    finally:
        consumer.close()


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[Broker]:
    """The run's broker."""
    with broker() as running:
        yield running


@pytest.fixture
def config(kafka_broker: Broker) -> KafkaConfig:
    """A topic that is not there yet."""
    return KafkaConfig(kafka_broker.address, topic=f"test.{uuid4().hex}", partitions=4)
