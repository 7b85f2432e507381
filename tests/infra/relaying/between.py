"""Networks between a relay or a worker and what it needs, that a test can cut and slow down; for whoever imports the fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import pytest

from infra.kafka.cluster import KafkaConfig
from infra.postgres.recorder import PostgresLog
from tests.infra.relaying.relays import grow
from tests.kafka_broker import broker
from tests.network import Network, network, network_to_database


class Between(NamedTuple):
    """The networks; `far_url` leads through that to the database, `url` and `log` beside it."""

    kafka: Network
    database: Network
    config: KafkaConfig
    far_url: str
    url: str
    log: PostgresLog

    def heal(self) -> None:
        """Everything passes again."""
        self.kafka.heal()
        self.database.heal()


@pytest.fixture(scope="module")
def far_broker() -> Iterator[tuple[Network, str]]:
    """A broker that is reached through a network."""
    with network() as between, broker(between) as started:
        yield between, started.address


@pytest.fixture
def between(far_broker: tuple[Network, str], log_url: str) -> Iterator[Between]:
    """A log of twenty cases, and topics that are not there yet."""
    kafka, address = far_broker
    config = KafkaConfig(address, topic=f"test.{uuid4().hex}", partitions=4)
    with network_to_database(log_url) as (database, far_url), PostgresLog(log_url) as log:
        grow(log, 20)
        made = Between(kafka, database, config, far_url, log_url, log)
        try:
            yield made
        finally:
            made.heal()
