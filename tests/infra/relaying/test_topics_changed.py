"""The topics are deleted, or their partitions changed, while a relay runs: it makes them anew, or refuses and says why; it never hangs.

Deleted under load it takes as long as a record may take to be sent, forty seconds: that is for `scripts/soak`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from kafka.admin import KafkaAdminClient, NewPartitions

from domain.errors import LogMismatchError
from infra.kafka.cluster import KafkaConfig
from infra.kafka.relay import SESSIONS, Relay
from infra.postgres.recorder import PostgresLog
from tests.conftest import SOAKING
from tests.infra.relaying.relays import grow, has_caught_up, relay_of, require_equal, running, wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
BOUND = 30.0


@pytest.fixture
def quick(config: KafkaConfig) -> KafkaConfig:
    """Asks every second what has become of the topics, instead of every ten."""
    return replace(config, options={"metadata_max_age_ms": 1_000})


@pytest.fixture
def log(log_url: str) -> Iterator[PostgresLog]:
    with PostgresLog(log_url, SESSIONS) as log:
        grow(log, 20)
        yield log


@pytest.fixture
def admin(config: KafkaConfig) -> Iterator[KafkaAdminClient]:
    with closing(KafkaAdminClient(**config.client)) as admin:
        yield admin


@pytest.fixture
def relay(log: PostgresLog, log_url: str, quick: KafkaConfig) -> Relay:
    return relay_of(log, log_url, quick)


@pytest.mark.parametrize("loaded", [False, True] if SOAKING else [False])
def test_topics_that_are_deleted_while_it_runs_are_made_anew_and_filled_from_the_log(
    relay: Relay, log: PostgresLog, quick: KafkaConfig, admin: KafkaAdminClient, loaded: bool
):
    with running(relay) as ended:
        wait_for(lambda: has_caught_up(relay, log))
        admin.delete_topics(list(quick.topics))
        if loaded:
            grow(log, 20, seed=2_000)
        wait_for(lambda: relay.status().errors > 0 or relay.status().trouble, BOUND)
        wait_for(lambda: has_caught_up(relay, log), 60)
        grow(log, 5, seed=3_000)
        wait_for(lambda: has_caught_up(relay, log))
        assert not ended
    require_equal(log, quick)


def test_one_topic_that_is_deleted_while_it_runs_is_refused(
    relay: Relay, log: PostgresLog, quick: KafkaConfig, admin: KafkaAdminClient
):
    with running(relay) as ended:
        wait_for(lambda: has_caught_up(relay, log))
        admin.delete_topics([quick.topic])
        wait_for(lambda: ended, BOUND)
    [error] = ended
    assert isinstance(error, LogMismatchError)
    assert "records were lost or deleted; make a new topic and fill it from the log" in str(error)


@pytest.mark.parametrize("loaded", [False, True])
def test_partitions_that_are_added_while_it_runs_are_refused(
    relay: Relay, log: PostgresLog, quick: KafkaConfig, admin: KafkaAdminClient, loaded: bool
):
    with running(relay) as ended:
        wait_for(lambda: has_caught_up(relay, log))
        admin.create_partitions({quick.topics[1]: NewPartitions(6)})
        if loaded:
            grow(log, 20, seed=2_000)
        wait_for(lambda: ended, BOUND)
    [error] = ended
    assert isinstance(error, LogMismatchError)
    assert "has 6 partitions, and this log is carried by 4" in str(error)
