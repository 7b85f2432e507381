"""The relay on a real broker: the log's bytes, in the log's order, each once, whoever relays and whenever they were stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
from kafka.admin import KafkaAdminClient, NewPartitions

from domain.errors import DistributionError, LogMismatchError
from domain.recording import Head, StoredEntry
from infra.kafka.cluster import Cluster, KafkaConfig
from infra.kafka.feed import TopicFeed
from infra.kafka.producer import transactional
from infra.kafka.relay import Relay
from infra.postgres.recorder import PostgresLog
from tests.infra.relaying.relays import ORIGIN, grow, has_caught_up, relay_of, relayed, require_equal, running, wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def log(log_url: str) -> Iterator[PostgresLog]:
    """A log of some hundreds of events of thirty cases."""
    with PostgresLog(log_url) as log:
        grow(log, 30)
        yield log


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


def test_one_relays_at_a_time_and_the_next_takes_over(log: PostgresLog, log_url: str, config: KafkaConfig):
    first, second = relay_of(log, log_url, config, batch=50), relay_of(log, log_url, config, batch=50)
    with running(second):
        with running(first):
            wait_for(lambda: first.status().active or second.status().active)
            grow(log, 10, seed=2_000)
            wait_for(lambda: has_caught_up(first, log) or has_caught_up(second, log))
            assert first.status().active != second.status().active
        grow(log, 10, seed=3_000)
        wait_for(lambda: has_caught_up(second, log))
    require_equal(log, config)


def test_a_relay_that_lost_its_lock_unawares_is_fenced_off(log: PostgresLog, log_url: str, config: KafkaConfig):
    stale = relay_of(log, log_url, config)
    Cluster(config, ORIGIN).prepare()
    producer = transactional(config, f"qingling-relay-{config.topic}")
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


class Restored:
    """A log that was restored from a backup: it ends earlier, or from some position on it is another one."""

    def __init__(self, log: PostgresLog, ends: int, other_from: int = 1 << 62) -> None:
        self._log = log
        self._ends = ends
        self._other_from = other_from

    def head(self) -> Head:
        """See `RelayedLog`."""
        return Head(self._ends, self._log.head().recorded_at)

    def read(self, after: int, limit: int) -> list[StoredEntry]:
        """See `RelayedLog`."""
        found = [each for each in self._log.read(after, limit) if each.position <= self._ends]
        return [
            each if each.position < self._other_from else replace(each, entry=each.entry.replace(b"1", b"2"))
            for each in found
        ]

    def wait_for_append(self, after: int, timeout: float) -> bool:
        """See `RelayedLog`."""
        return False


def test_a_topic_that_holds_more_than_a_restored_log_is_refused(log: PostgresLog, log_url: str, config: KafkaConfig):
    relayed(log, log_url, config)
    head = log.head().position
    shorter = Relay(Restored(log, head - 3), log_url, config, ORIGIN)
    with pytest.raises(LogMismatchError, match=f"up to position {head}, and the log ends before: it was restored"):
        shorter.run(lambda: False, once=True)
    otherwise = Relay(Restored(log, head, head - 2), log_url, config, ORIGIN)
    with pytest.raises(LogMismatchError, match="went on otherwise"):
        otherwise.run(lambda: False, once=True)
    with pytest.raises(LogMismatchError, match=f"the log ends at {head - 3}"):
        TopicFeed(Restored(log, head - 3), config, ORIGIN).wait(head - 1, 5)
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
