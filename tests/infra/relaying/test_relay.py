"""The relay on a real broker: the log's bytes, in the log's order, each once, whoever relays and whenever they were stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import orjson
import pytest
from kafka.admin import KafkaAdminClient, NewPartitions

from domain.errors import DistributionError, LogMismatchError
from infra.kafka.cluster import Cluster, KafkaConfig
from infra.kafka.records import partition_of
from infra.kafka.relay import Relay
from infra.postgres.recorder import PostgresLog
from tests.infra.relaying.conftest import OnTopic, read_topic
from tests.synthetic import synthetic_batches

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ORIGIN = "test-relay"


@pytest.fixture
def log(log_url: str) -> Iterator[PostgresLog]:
    """A log of some hundreds of events of thirty cases."""
    with PostgresLog(log_url) as log:
        grow(log, 30)
        yield log


def grow(log: PostgresLog, cases: int, seed: int = 1) -> None:
    """More cases, of names of their own."""
    for _ in log.append_bulk(synthetic_batches(cases, seed)):
        pass


def relay_of(log: PostgresLog, log_url: str, config: KafkaConfig, **changed: object) -> Relay:
    return Relay(log, log_url, config, str(changed.pop("origin", ORIGIN)), **changed)  # type: ignore[arg-type]


def relayed(log: PostgresLog, log_url: str, config: KafkaConfig, **changed: object) -> Relay:
    """A relay that has carried all that the log holds."""
    relay = relay_of(log, log_url, config, **changed)
    relay.run(lambda: False, once=True)
    return relay


def require_equal(log: PostgresLog, config: KafkaConfig) -> OnTopic:
    """Both topics together hold exactly the log: its bytes, each once, in order within a partition, each in the partition of its key."""
    general, office = (read_topic(config, topic) for topic in config.topics)
    stored = {each.position: each for each in log.read(0, 1_000_000)}
    assert sorted(general.positions + office.positions) == list(stored)
    for topic in (general, office):
        for partition, entries in topic.entries.items():
            assert [position for position, _, _ in entries] == sorted({position for position, _, _ in entries})
            for position, key, value in entries:
                assert value == stored[position].entry
                assert key.decode() == stored[position].partitionkey
                assert partition_of(key.decode(), config.partitions) == partition
            marks = topic.watermarks[partition]
            assert marks == sorted(set(marks))
            assert (marks[0], marks[-1]) == (0, len(stored))
    return general


def test_the_topic_holds_the_logs_bytes_in_its_order_and_nothing_for_the_office_alone(
    log: PostgresLog, log_url: str, config: KafkaConfig
):
    relay = relayed(log, log_url, config)
    general = require_equal(log, config)
    shown = {orjson.loads(value)["visibility"] for entries in general.entries.values() for _, _, value in entries}
    assert shown <= {"case", "public"}
    status = relay.status()
    assert (status.position, status.lag, status.errors) == (log.head().position, 0, 0)


def test_whoever_comes_later_goes_on_where_the_topic_is(log: PostgresLog, log_url: str, config: KafkaConfig):
    relayed(log, log_url, config, batch=17)
    before = log.head().position
    grow(log, 5, seed=1_000)
    again = relayed(log, log_url, config, batch=17)
    assert again.status().sent == log.head().position - before
    require_equal(log, config)
    assert relayed(log, log_url, config).status().sent == 0


@contextmanager
def running(relay: Relay) -> Iterator[None]:
    """The relay in a thread, until it is left."""
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop.is_set,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def wait_for(what, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_relays_at_a_time_and_the_next_takes_over(log: PostgresLog, log_url: str, config: KafkaConfig):
    first, second = relay_of(log, log_url, config, batch=50), relay_of(log, log_url, config, batch=50)
    with running(second):
        with running(first):
            wait_for(lambda: first.status().active or second.status().active)
            grow(log, 10, seed=2_000)
            wait_for(lambda: 0 in (first.status().lag, second.status().lag))
            assert first.status().active != second.status().active
        grow(log, 10, seed=3_000)
        wait_for(lambda: second.status().active and second.status().lag == 0)
    require_equal(log, config)


def test_a_relay_that_lost_its_lock_unawares_is_fenced_off(log: PostgresLog, log_url: str, config: KafkaConfig):
    stale = relay_of(log, log_url, config)
    Cluster(config, ORIGIN).prepare()
    producer = stale._producer()
    relayed(log, log_url, config)
    with pytest.raises(DistributionError):
        stale._send(producer, log.read(0, 10), 10)
    producer.close(timeout=1)
    require_equal(log, config)


def test_a_topic_of_another_log_is_refused(log: PostgresLog, log_url: str, config: KafkaConfig):
    relayed(log, log_url, config)
    with pytest.raises(LogMismatchError, match="is filled by the log test-relay; this is other"):
        relayed(log, log_url, config, origin="other")
    require_equal(log, config)


def test_a_topic_whose_partitions_changed_is_refused(log: PostgresLog, log_url: str, config: KafkaConfig):
    relayed(log, log_url, config)
    admin = KafkaAdminClient(**config.client)
    admin.create_partitions({config.topic: NewPartitions(6)})
    admin.close()
    wait_for(lambda: _partitions(config) == 6)
    with pytest.raises(LogMismatchError, match="has 6 partitions, and this log is carried by 4"):
        relayed(log, log_url, config)
    with pytest.raises(LogMismatchError, match="partitions"):
        relayed(log, log_url, replace(config, partitions=6))


def _partitions(config: KafkaConfig) -> int:
    admin = KafkaAdminClient(**config.client)
    try:
        [topic] = admin.describe_topics([config.topic])
        return len(topic["partitions"])
    finally:
        admin.close()


def test_a_topic_that_somebody_else_wrote_to_is_refused(log: PostgresLog, log_url: str, config: KafkaConfig):
    from kafka import KafkaProducer

    Cluster(config, ORIGIN).prepare()
    with_records = KafkaProducer(**config.client)
    with_records.send(config.topic, partition=0, value=b"hello")
    with_records.flush()
    with_records.close()
    with pytest.raises(LogMismatchError, match="records that no relay wrote"):
        relayed(log, log_url, config)


def test_a_cluster_that_is_not_there_is_told_and_waited_for(log: PostgresLog, log_url: str, config: KafkaConfig):
    gone = replace(config, bootstrap="127.0.0.1:1", options={"bootstrap_timeout_ms": 500})
    with pytest.raises(DistributionError):
        relayed(log, log_url, gone)
    waiting = relay_of(log, log_url, gone)
    with running(waiting):
        wait_for(lambda: waiting.status().errors > 0)
        assert "Kafka failed" in (waiting.status().trouble or "")
        assert not waiting.status().active
