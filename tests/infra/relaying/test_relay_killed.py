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
from tests.conftest import CHECKOUT
from tests.infra.relaying.deployed import command, config_of, deployed, environment
from tests.infra.relaying.relays import grow, require_equal
from tests.kafka_broker import Broker, broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """A broker that may be killed."""
    with broker() as running:
        yield running


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


def require_all_there(settings: Settings) -> None:
    with open_platform(settings) as platform:
        require_equal(platform.log, config_of(settings))


def test_a_relay_and_its_broker_killed_in_turn_lose_and_double_nothing(tmp_path: Path, own_broker: Broker):
    settings = deployed(tmp_path, own_broker.address, cases=400)
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
            grow(platform.log, 40, seed=100 + turn)
    last = started(settings, "--once", "--format", "json")
    out, errors = last.communicate(timeout=240)
    assert last.returncode == 0, errors
    assert '"position"' in out
    require_all_there(settings)


def test_a_relay_that_is_told_to_stop_stops_cleanly_and_says_where_it_is(tmp_path: Path, kafka_broker: Broker):
    settings = deployed(tmp_path, kafka_broker.address, cases=400)
    relay = started(settings)
    time.sleep(4)
    relay.send_signal(signal.SIGTERM)
    _, errors = relay.communicate(timeout=60)
    assert "Traceback" not in errors
    again = started(settings, "--once")
    out, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert "Topic holds up to" in out
    require_all_there(settings)


def test_without_a_cluster_the_relay_says_so(tmp_path: Path):
    none = started(deployed(tmp_path, kafka=""), "--once")
    _, errors = none.communicate(timeout=60)
    assert none.returncode == 10
    assert "no Kafka is configured" in errors
