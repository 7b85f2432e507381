"""The network between a worker and what it needs is cut, silently or not, and slowed down; the database is started anew.

The worker says so soon, the ledgers do not pretend to be current meanwhile, and it goes on by itself. What is read is bounded.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from kafka.admin import KafkaAdminClient

from infra.kafka import feed
from infra.kafka.cluster import KafkaConfig
from infra.kafka.feed import TopicFeed
from infra.kafka.worker import Worker
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog
from tests.conftest import SOAKING
from tests.infra.relaying.between import Between, between, far_broker
from tests.infra.relaying.relays import grow, relayed, running, wait_for
from tests.infra.relaying.storm import Database
from tests.infra.working.workers import hindmost, reader_of, require_folded_from_log, worker_of
from tests.network import Cut, Network

__all__ = ["between", "far_broker"]

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
BOUND = 30.0
"""Seconds in which a worker must say that something is in its way."""


@contextmanager
def folding(between: Between) -> Iterator[Worker]:
    """A worker that has folded all, and still runs in the end."""
    relayed(between.log, between.url, between.config)
    with worker_of(between.far_url, between.config) as worker, running(worker) as ended:
        try:
            wait_for(lambda: has_caught_up(worker, between.url, between.log))
            yield worker
            assert not ended
        finally:
            between.heal()


def has_caught_up(worker: Worker, url: str, log: PostgresLog) -> bool:
    return hindmost(url) == log.head().position and worker.status().trouble is None


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("kafka", "blackhole"),
        ("database", "reset"),
        *([("kafka", "reset"), ("database", "blackhole")] if SOAKING else []),
    ],
)
def test_a_network_that_is_cut_is_told_and_shown_and_the_worker_goes_on_when_it_is_healed(
    between: Between, what: str, how: Cut, capsys: pytest.CaptureFixture[str]
):
    cut: Network = getattr(between, what)
    with folding(between) as worker, reader_of(between.url) as reader:
        assert (reader.watermark_age() or 0.0) < 5
        cut.cut(how)
        said = wait_for(lambda: worker.status().trouble, BOUND)
        trouble = worker.status().trouble
        wait_for(lambda: (reader.watermark_age() or 0.0) > 5, 10)
        cut.heal()
        grow(between.log, 20, seed=2_000)
        relayed(between.log, between.url, between.config)
        healed = wait_for(lambda: has_caught_up(worker, between.url, between.log), 60)
        wait_for(lambda: (reader.watermark_age() or 0.0) < 3, 10)
    require_folded_from_log(between.url)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{what} {how}: said after {said:.1f} s ({trouble}); went on {healed:.1f} s after it was healed\n"
        )


def test_behind_a_slow_database_little_is_read_and_the_lag_shows(between: Between, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(feed, "_WAITING", 1_600)
    monkeypatch.setattr(feed, "_POLLED", 100)
    held: list[int] = []
    fill = TopicFeed._fill

    def noted(self: TopicFeed, milliseconds: float) -> None:
        fill(self, milliseconds)
        held.append(sum(len(run.entries) for run in self._runs.values()))

    monkeypatch.setattr(TopicFeed, "_fill", noted)
    with folding(between) as worker:
        between.database.slow(0.05)
        grow(between.log, 200, seed=3_000)
        relayed(between.log, between.url, between.config)
        wait_for(lambda: (worker.status().lag or 0) > 100, 30)
        between.database.heal()
        wait_for(lambda: has_caught_up(worker, between.url, between.log))
    assert 100 < max(held) <= 1_600 + 100
    require_folded_from_log(between.url)


def test_a_database_that_is_started_anew_under_a_worker_is_waited_for(tmp_path: Path, far_broker: tuple[Network, str]):
    database = Database(tmp_path / "server")
    config = KafkaConfig(far_broker[1], topic=f"test.{uuid4().hex}", partitions=4)
    chance = random.Random(7)
    try:
        url = database.start()
        migrate(url)
        with PostgresLog(url) as log, worker_of(url, config) as worker:
            grow(log, 20)
            relayed(log, url, config)
            with running(worker) as ended:
                for turn in range(3):
                    grow(log, 20, seed=100 + turn)
                    relayed(log, url, config)
                    database.strike(chance.uniform(0.1, 1.0))
                wait_for(lambda: has_caught_up(worker, url, log))
                assert not ended
        require_folded_from_log(url)
    finally:
        database.stop()


def test_topics_that_are_made_anew_under_a_worker_are_read_from_their_beginning(between: Between):
    with folding(between) as worker, closing(KafkaAdminClient(**between.config.client)) as admin:
        before = hindmost(between.url)
        admin.delete_topics(list(between.config.topics))
        grow(between.log, 60, seed=4_000)
        time.sleep(1.0)
        relayed(between.log, between.url, between.config)
        wait_for(lambda: hindmost(between.url) > before and has_caught_up(worker, between.url, between.log))
    require_folded_from_log(between.url)
