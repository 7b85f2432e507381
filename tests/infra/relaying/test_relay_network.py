"""The network between the relay and what it needs is cut, silently or not, and slowed down.

It says so soon, goes on by itself, and loses nothing. `scripts/soak` cuts it for longer than the clients wait for anything.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from domain.errors import DistributionError
from infra.kafka.relay import SESSIONS, Relay
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import connect
from infra.postgres.recorder import PostgresLog
from infra.recorders import StoreFailedError
from tests.conftest import SOAKING
from tests.infra.relaying.between import Between, between, far_broker
from tests.infra.relaying.relays import grow, has_caught_up, relay_of, require_equal, running, wait_for
from tests.network import Cut, Network

__all__ = ["between", "far_broker"]

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
BOUND = 15.0
"""Seconds in which the relay must say that something is in its way."""


@pytest.fixture
def relay(between: Between) -> Iterator[Relay]:
    """One that has carried all, and says after two seconds instead of eight that something does not end; `scripts/soak` waits for it."""
    with PostgresLog(between.far_url, replace(SESSIONS, answer_timeout=3.0)) as log:
        relay = relay_of(log, between.far_url, between.config, **({} if SOAKING else {"stalled": 2.0}))
        with running(relay):
            wait_for(lambda: has_caught_up(relay, between.log))
            yield relay
            between.heal()


@pytest.mark.parametrize("how", ["reset", "blackhole"])
@pytest.mark.parametrize("what", ["kafka", "database"])
def test_a_network_that_is_cut_is_told_soon_and_the_relay_goes_on_when_it_is_healed(
    between: Between, relay: Relay, what: str, how: Cut
):
    cut: Network = getattr(between, what)
    cut.cut(how)
    grow(between.log, 20, seed=2_000)
    assert wait_for(lambda: relay.status().trouble, BOUND) < BOUND
    wait_for(lambda: relay.status().lag != 0, BOUND)  # more than nothing, or not known
    if SOAKING:
        wait_for(lambda: relay.status().errors >= 2, 120)
        threads = ours()
        wait_for(lambda: relay.status().errors >= 6, 120)
        assert ours() <= threads + 1, [each.name for each in threading.enumerate()]
    cut.heal()
    wait_for(lambda: has_caught_up(relay, between.log), 30)
    require_equal(between.log, between.config)


def ours() -> int:
    """Threads of this process, without those of the networks."""
    return sum(each.name != "network" for each in threading.enumerate())


def test_a_cluster_that_is_asked_in_vain_leaves_no_threads_behind(between: Between):
    gone = replace(between.config, bootstrap="127.0.0.1:1", options={"bootstrap_timeout_ms": 100})
    waiting = relay_of(between.log, between.far_url, gone)
    with running(waiting):
        wait_for(lambda: waiting.status().errors >= 1)
        threads = ours()
        wait_for(lambda: waiting.status().errors >= 4)
        assert ours() <= threads + 1, [each.name for each in threading.enumerate()]  # one may just be asking


def test_a_slow_network_shows_as_lag_and_nothing_is_lost(between: Between, relay: Relay):
    between.kafka.slow(0.2)
    grow(between.log, 60, seed=3_000)
    wait_for(lambda: (relay.status().lag or 0) > 0, 10)
    wait_for(lambda: has_caught_up(relay, between.log))
    between.kafka.heal()
    require_equal(between.log, between.config)


def test_a_database_that_answers_no_more_is_given_up(between: Between):
    with PostgresLog(between.far_url, replace(SESSIONS, answer_timeout=1.0, connect_timeout=2)) as log:
        assert log.head().position > 0
        between.database.cut("blackhole")
        with pytest.raises(StoreFailedError):
            log.head()
        between.database.heal()
        assert log.head().position > 0


def test_a_relay_for_once_that_cannot_reach_the_cluster_ends_and_says_so(between: Between):
    between.kafka.cut("blackhole")
    hasty = replace(between.config, options={"bootstrap_timeout_ms": 1_000})
    once = relay_of(between.log, between.far_url, hasty)
    with pytest.raises(DistributionError, match="Kafka failed"):
        once.run(lambda: False, once=True)


def test_either_side_of_a_session_notices_that_the_other_is_dead(between: Between):
    with closing(connect(between.far_url, RecorderConfig())) as session, session.cursor() as cursor:
        cursor.execute("select name from pg_settings where name like 'tcp_%' and source = 'client' order by name")
        names = [name for (name,) in cursor.fetchall()]
        assert "tcp_user_timeout" in session.get_dsn_parameters()
    assert names == ["tcp_keepalives_count", "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_user_timeout"]
