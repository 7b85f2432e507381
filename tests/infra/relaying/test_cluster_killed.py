"""Three nodes of Kafka, the relay and PostgreSQL are killed in turn while the log grows: the topics hold it in the end.

Each entry once, byte for byte, in order within a partition, for who reads them from the beginning and for who read all the while.
`scripts/soak` kills forty times for each of ten seeds. Another process is added as a `Program` beside the relay, to the
programs and, as its `victim`, to the victims.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from infra.bootstrap import Settings
from infra.postgres.recorder import PostgresLog
from tests.conftest import SOAKING
from tests.infra.relaying.deployed import config_of
from tests.infra.relaying.relays import require_equal, wait_for
from tests.infra.relaying.storm import (
    Database,
    Load,
    Program,
    Reader,
    database,
    nodes,
    settings,
    storm,
    three,
)
from tests.kafka_broker import Nodes

__all__ = ["database", "settings", "three"]

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.mark.skipif(
    not SOAKING,
    reason="in scripts/soak; in every run the same is done with workers, by tests/infra/working/test_workers_killed.py",
)
@pytest.mark.timeout(14_400 if SOAKING else 300)
@pytest.mark.parametrize("seed", range(1, 11) if SOAKING else [2039])
def test_whatever_is_killed_in_the_middle_of_load_the_topics_hold_the_log(
    settings: Settings, three: Nodes, database: Database, tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
):
    chance = random.Random(seed)
    config = config_of(settings)
    relay = Program(settings, tmp_path / "relay.log", "relay")
    relay.start()
    reader = Reader(config)
    begun = time.monotonic()
    try:
        with PostgresLog(settings.database_url) as log:
            with reader.running():
                with Load(log).running():
                    wait_for(lambda: reader.upto > 0, 60)
                    victims = [
                        *nodes(three, config, f"qingling-relay-{config.topic}"),
                        relay.victim,
                        database.victim,
                    ]
                    struck = storm(chance, victims, [relay], 40 if SOAKING else 2, lying=15.0 if SOAKING else 2.0)
                head = log.head().position
                wait_for(lambda: reader.upto == head, 120)
            relay.require_alive()
            require_equal(log, config)
            reader.require_equal({each.position: each.entry for each in log.read(0, 10_000_000)})
    finally:
        relay.kill()
    seconds = time.monotonic() - begun
    with capsys.disabled():
        sys.stdout.write(
            f"\nseed {seed}: {head} entries, kills {dict(Counter(struck))}, {seconds:.0f} s, longest stall {reader.longest:.1f} s\n"
        )
