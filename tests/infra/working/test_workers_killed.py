"""Workers, the relay, nodes of Kafka and PostgreSQL are killed in turn while the log grows: the ledgers are its fold in the end.

Every version of every row and sum is compared with what a rebuild makes of the log alone. `scripts/soak` kills forty times for each of
five seeds.
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
from tests.infra.relaying.relays import wait_for
from tests.infra.relaying.storm import (
    Database,
    Load,
    Program,
    database,
    nodes,
    settings,
    storm,
    three,
)
from tests.infra.working.workers import Watch, require_folded_from_log
from tests.kafka_broker import Nodes

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
__all__ = ["database", "settings", "three"]


@pytest.mark.timeout(14_400 if SOAKING else 300)
@pytest.mark.parametrize("seed", range(1, 6) if SOAKING else [2039])
def test_whatever_is_killed_in_the_middle_of_load_the_ledgers_are_the_fold_of_the_log(
    settings: Settings, three: Nodes, database: Database, tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
):
    chance = random.Random(seed)
    config = config_of(settings)
    relay = Program(settings, tmp_path / "relay.log", "relay")
    workers = [Program(settings, tmp_path / f"worker{at}.log", "work", "--feed", "kafka") for at in (1, 2)]
    programs = [relay, *workers]
    for each in programs:
        each.start()
    watch = Watch(settings.database_url)
    begun = time.monotonic()
    try:
        with PostgresLog(settings.database_url) as log:
            with watch.running():
                with Load(log, 0.05 if SOAKING else 0.2).running():
                    wait_for(lambda: watch.position > 0, 60)
                    *further, leads_group = nodes(
                        three, config, f"qingling-relay-{config.topic}", f"qingling-ledgers-{config.topic}"
                    )
                    victims = [workers[0].victim, database.victim, leads_group]
                    if SOAKING:
                        victims += [*further, relay.victim, workers[1].victim]
                    struck = storm(chance, victims, programs, 40 if SOAKING else 3, lying=15.0 if SOAKING else 2.0)
                head = log.head().position
                wait_for(lambda: watch.position == head, 120)
            for each in programs:
                each.require_alive()
    finally:
        for each in programs:
            each.kill()
    require_folded_from_log(settings.database_url)
    seconds = time.monotonic() - begun
    with capsys.disabled():
        sys.stdout.write(
            f"\nseed {seed}: {head} entries folded, kills {dict(Counter(struck))}, {seconds:.0f} s,"
            f" longest stall {watch.longest:.1f} s\n"
        )
