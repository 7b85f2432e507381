"""Workers come, leave in order, crash and freeze while events arrive: others take their partitions over, nothing is folded twice."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from infra.bootstrap import Settings
from infra.postgres.recorder import PostgresLog
from tests.conftest import SOAKING
from tests.infra.relaying.deployed import deployed
from tests.infra.relaying.relays import wait_for
from tests.infra.relaying.storm import Load, Program
from tests.infra.working.workers import hindmost, require_folded_from_log
from tests.kafka_broker import free_ports

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
SESSION = 10.0
"""Seconds after which the group takes a worker for gone."""
BOUND = 30.0


@pytest.fixture
def settings(tmp_path: Path, kafka_address: str) -> Settings:
    return deployed(tmp_path, kafka_address)


@pytest.fixture
def programs(settings: Settings, tmp_path: Path) -> Iterator[list[Program]]:
    """A relay, and two workers that are not started yet."""
    programs = [
        Program(settings, tmp_path / "relay.log", "relay"),
        *(
            Program(settings, tmp_path / f"worker{port}.log", "work", "--feed", "kafka", "--metrics-port", str(port))
            for port in free_ports(2)
        ),
    ]
    programs[0].start()
    try:
        yield programs
    finally:
        for each in programs:
            each.send(signal.SIGCONT)
            each.kill()


def partitions_of(program: Program) -> int:
    """How many partitions a worker says to be its own."""
    try:
        with urlopen(f"http://127.0.0.1:{program.arguments[-1]}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("qingling_worker_partitions "))


def share(programs: list[Program]) -> None:
    """Waits until two workers have half of the partitions each."""
    wait_for(lambda: [partitions_of(each) for each in programs] == [2, 2], BOUND)


def keeps_up(url: str, log: PostgresLog, seconds: float = BOUND) -> float:
    """Waits until what is recorded now is folded; how long it took."""
    target = log.head().position
    return wait_for(lambda: hindmost(url) >= target, seconds)


@pytest.mark.skipif(not SOAKING, reason="waits for sessions of the group to end, for over a minute: in scripts/soak")
@pytest.mark.timeout(300)
def test_workers_that_come_leave_crash_and_freeze_are_replaced_and_nothing_is_folded_twice(
    settings: Settings, programs: list[Program], capsys: pytest.CaptureFixture[str]
):
    relay, one, two = programs
    url = settings.database_url
    took = {}
    with PostgresLog(url) as log:
        with Load(log, 0.2).running():
            one.start()
            took["first"] = keeps_up(url, log, 60)
            two.start()
            share([one, two])
            took["joined"] = keeps_up(url, log)
            two.send(signal.SIGTERM)
            assert two.ended(BOUND) == 130
            took["left in order"] = keeps_up(url, log)
            two.start()
            share([one, two])
            two.kill()
            took["crashed"] = keeps_up(url, log)
            two.start()
            share([one, two])
            two.send(signal.SIGSTOP)
            took["froze"] = keeps_up(url, log, 60 + SESSION)
            time.sleep(2.0)  # longer than the session by now
            two.send(signal.SIGCONT)
            took["woke up"] = keeps_up(url, log)
            share([one, two])
            one.send(signal.SIGTERM)  # the one that woke up goes on alone
            assert one.ended(BOUND) == 130
            took["alone"] = keeps_up(url, log)
        keeps_up(url, log)
        two.require_alive()
        relay.require_alive()
        two.send(signal.SIGTERM)
        assert two.ended(BOUND) == 130
    require_folded_from_log(url)
    with capsys.disabled():
        sys.stdout.write(f"\nseconds until all was folded: { {name: round(s, 1) for name, s in took.items()} }\n")
