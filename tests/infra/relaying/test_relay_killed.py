"""The relay's own process, and the broker, killed without warning in the middle of load: nothing lost, nothing twice, order kept."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.bootstrap import Settings, open_platform
from infra.kafka.cluster import KafkaConfig
from tests.conftest import CHECKOUT
from tests.infra.relaying.conftest import read_topic
from tests.infra.relaying.deployed import command, deployed, environment
from tests.kafka_broker import Broker, broker
from tests.synthetic import synthetic_batches

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """A broker that may be killed."""
    with broker() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, own_broker: Broker) -> Settings:
    """A log with some four thousand events that nobody relayed yet."""
    return deployed(tmp_path, own_broker.address, cases=400)


def started(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    """`qingling relay` in a process of its own."""
    return subprocess.Popen(
        command(["relay", *arguments]),
        cwd=CHECKOUT,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def require_equal(settings: Settings) -> None:
    config = KafkaConfig(settings.kafka, settings.kafka_topic, settings.kafka_partitions)
    with open_platform(settings) as platform:
        stored = {each.position: each.entry for each in platform.log.read(0, 1_000_000)}
    held = [read_topic(config, topic, len(stored)) for topic in config.topics]
    found = [entry for topic in held for entries in topic.entries.values() for entry in entries]
    assert sorted(position for position, _, _ in found) == sorted(stored)
    assert all(stored[position] == value for position, _, value in found)
    for topic in held:
        for entries in topic.entries.values():
            assert [position for position, _, _ in entries] == sorted(position for position, _, _ in entries)


def test_a_relay_and_its_broker_killed_in_turn_lose_and_double_nothing(settings: Settings, own_broker: Broker):
    chance = random.Random("2019 relay")
    for turn in range(3):
        relay = started(settings)
        time.sleep(chance.uniform(1.5, 3.5))
        if turn % 2:
            own_broker.kill()
            time.sleep(0.5)
            own_broker.start()
        relay.send_signal(signal.SIGKILL)
        relay.communicate(timeout=60)
        with open_platform(settings) as platform:
            for _ in platform.log.append_bulk(synthetic_batches(40, seed=100 + turn)):
                pass
    last = started(settings, "--once", "--format", "json")
    out, errors = last.communicate(timeout=240)
    assert last.returncode == 0, errors
    assert '"position"' in out
    require_equal(settings)


def test_a_relay_that_is_told_to_stop_stops_cleanly_and_says_where_it_is(settings: Settings):
    relay = started(settings)
    time.sleep(4)
    relay.send_signal(signal.SIGTERM)
    _, errors = relay.communicate(timeout=60)
    assert "Traceback" not in errors
    again = started(settings, "--once")
    out, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert "Topic holds up to" in out
    require_equal(settings)


def test_without_a_cluster_the_relay_says_so(settings: Settings):
    from dataclasses import replace

    none = started(replace(settings, kafka=""), "--once")
    _, errors = none.communicate(timeout=60)
    assert none.returncode == 10
    assert "no Kafka is configured" in errors
