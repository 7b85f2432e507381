"""What a relay, a worker and the embedded engine tell Prometheus while all is well, while their database is away, and after."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest

from infra.bootstrap import Settings
from infra.postgres.recorder import PostgresLog
from tests.infra.relaying.deployed import deployed
from tests.infra.relaying.relays import grow, wait_for
from tests.infra.relaying.storm import Program
from tests.infra.working.workers import hindmost
from tests.kafka_broker import free_ports
from tests.network import Network, network_to_database

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


class Apart(NamedTuple):
    """A deployment whose programs reach its database through a network."""

    settings: Settings
    network: Network
    url: str
    folder: Path


@pytest.fixture
def apart(tmp_path: Path, kafka_address: str) -> Iterator[Apart]:
    settings = deployed(tmp_path, kafka_address)
    with network_to_database(settings.database_url) as (network, far):
        yield Apart(replace(settings, database_url=far), network, settings.database_url, tmp_path)


class Running:
    """A program that serves its figures."""

    def __init__(self, apart: Apart, *arguments: str) -> None:
        [self.port] = free_ports(1)
        said = apart.folder / f"{'-'.join(arguments)}.log"
        self.program = Program(apart.settings, said, *arguments, "--metrics-port", str(self.port))

    def __enter__(self) -> Running:
        self.program.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.program.kill()

    def figures(self) -> dict[str, float]:
        """By name, without the prefix; none before they are served."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        return {name: float(value) for name, value in re.findall(r"^qingling_[a-z]+_(\w+) (\S+)$", text, re.MULTILINE)}

    def shows(self, **expected: float) -> bool:
        """Whether figures are these."""
        return expected.items() <= self.figures().items()


@pytest.mark.parametrize("feed", ["kafka", "log"])
def test_figures_say_how_far_it_is_and_that_something_is_in_its_way(apart: Apart, feed: str):
    with (
        PostgresLog(apart.url) as log,
        Running(apart, "relay") as relay,
        Running(apart, "work", "--feed", feed) as worker,
    ):
        head = log.head().position
        wait_for(lambda: relay.shows(position=head, lag=0, trouble=0))
        wait_for(lambda: worker.shows(position=head, lag=0, trouble=0))
        assert hindmost(apart.url) == head
        assert (worker.figures().get("partitions") == 4) is (feed == "kafka")

        apart.network.cut("reset")
        wait_for(lambda: relay.shows(trouble=1))
        wait_for(lambda: worker.shows(trouble=1))
        grow(log, 5, seed=2_000)

        apart.network.heal()
        head = log.head().position
        wait_for(lambda: relay.shows(position=head, lag=0, trouble=0))
        wait_for(lambda: worker.shows(position=head, lag=0, trouble=0))
        assert hindmost(apart.url) == head
        for program in (relay.program, worker.program):
            program.require_alive()
            program.send(signal.SIGTERM)
