"""From where a worker reads the topic: near its end, where ledgers mostly stand, however long it is; and from wherever they stand."""

from __future__ import annotations

from contextlib import closing

import pytest

from infra.kafka.cluster import KafkaConfig
from infra.kafka.feed import TopicFeed
from infra.postgres.recorder import PostgresLog
from tests.infra.relaying.relays import ORIGIN, grow, relayed, wait_for

pytestmark = pytest.mark.kafka


def read_all(feed: TopicFeed, after: int, upto: int) -> list[int]:
    """The positions of what stands between."""
    found: list[int] = []
    while after < upto:
        stretch = feed.read(after, upto)
        found += [entry.position for entry in stretch.entries]
        after = stretch.watermark
    return found


def test_who_begins_at_the_head_reads_little_and_who_is_behind_finds_all(
    log_url: str, config: KafkaConfig, monkeypatch: pytest.MonkeyPatch
):
    taken = 0
    take = TopicFeed._take

    def counted(*arguments: object) -> None:
        nonlocal taken
        taken += 1
        take(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(TopicFeed, "_take", counted)
    with PostgresLog(log_url) as log:
        grow(log, 300)
        relayed(log, log_url, config)
        before = log.head().position
        with closing(TopicFeed(log, config, ORIGIN)) as feed:
            wait_for(lambda: feed.head() == before)
            grow(log, 5, seed=2_000)
            relayed(log, log_url, config)
            head = log.head().position
            wait_for(lambda: feed.head() == head)
            assert read_all(feed, before, head) == list(range(before + 1, head + 1))
            assert taken < before / 2
            for begin in (before - 700, 0, before - 1):
                assert read_all(feed, begin, head) == list(range(begin + 1, head + 1))
