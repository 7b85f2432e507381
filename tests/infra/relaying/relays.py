"""Relays within the test's own process, and what holds for the topics whatever happened to those who filled them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from infra.kafka.cluster import KafkaConfig
from infra.kafka.records import partition_of
from infra.kafka.relay import Relay
from infra.postgres.recorder import PostgresLog
from tests.infra.relaying.conftest import OnTopic, read_topic
from tests.synthetic import synthetic_batches

ORIGIN = "test-relay"


def grow(log: PostgresLog, cases: int, seed: int = 1) -> None:
    """More cases, of names of their own."""
    for _ in log.append_bulk(synthetic_batches(cases, seed)):
        pass


def relay_of(log: PostgresLog, log_url: str, config: KafkaConfig, **changed: object) -> Relay:
    """A relay that does not run yet."""
    return Relay(log, log_url, config, str(changed.pop("origin", ORIGIN)), **changed)  # type: ignore[arg-type]


def relayed(log: PostgresLog, log_url: str, config: KafkaConfig, **changed: object) -> Relay:
    """A relay that has carried all that the log holds."""
    relay = relay_of(log, log_url, config, **changed)
    relay.run(lambda: False, once=True)
    return relay


class Runs(Protocol):
    """A relay or a worker."""

    def run(self, until: Callable[[], bool]) -> None:
        """Until told to stop."""


@contextmanager
def beside(run: Callable[[threading.Event], None], within: float = 60) -> Iterator[None]:
    """Something in a thread, until it is left: the event tells it to end, within so many seconds. What it raises is raised then."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            run(stop)
        except BaseException as error:  # noqa: BLE001 - raised where it is left
            failed.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(within)
        assert not thread.is_alive()
    if failed:
        raise failed[0]


@contextmanager
def running(relay: Runs) -> Iterator[list[Exception]]:
    """A relay or a worker in a thread, until it is left; what ended it before that."""
    ended: list[Exception] = []

    def run(stop: threading.Event) -> None:
        try:
            relay.run(stop.is_set)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            ended.append(error)

    with beside(run):
        yield ended


def wait_for(what: Callable[[], object], seconds: float = 60) -> float:
    """Waits until something holds; how long it took."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() < begun + seconds
        time.sleep(0.05)
    return time.monotonic() - begun


def has_caught_up(relay: Relay, log: PostgresLog) -> bool:
    """Whether the topic holds the log, and nothing is in the way."""
    status = relay.status()
    return status.active and status.position == log.head().position and status.trouble is None


def require_equal(log: PostgresLog, config: KafkaConfig) -> OnTopic:
    """Both topics together hold exactly the log: its bytes, each once, in order within a partition, each in the partition of its key; the
    general one is returned."""
    stored = {each.position: each for each in log.read(0, 10_000_000)}
    general, office = (read_topic(config, topic, len(stored)) for topic in config.topics)
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
