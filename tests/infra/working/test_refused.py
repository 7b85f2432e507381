"""What a worker refuses: it says why, ends with a code of its own, folds nothing of it, and disturbs nobody who does better."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, NewPartitions

from domain.errors import LogMismatchError
from infra.bootstrap import Settings, initialise
from infra.folding.leader import OutdatedReleaseError
from infra.kafka.cluster import KafkaConfig
from infra.postgres.recorder import PostgresLog
from projections.ledger import Catalogue
from tests.conftest import CHECKOUT
from tests.infra.relaying.deployed import command, deployed, environment
from tests.infra.relaying.relays import grow, relay_of, relayed, running, wait_for
from tests.infra.working.workers import LEDGERS, hindmost, require_folded_from_log, stored, worker_of
from tests.migrated import execute
from tests.postgres_server import fresh_database, server

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
BOUND = 30.0
MISMATCH, NOT_READY, SETTINGS = 7, 6, 10


@pytest.fixture
def log(log_url: str) -> Iterator[PostgresLog]:
    with PostgresLog(log_url) as log:
        grow(log, 20)
        yield log


@pytest.fixture
def quick(config: KafkaConfig) -> KafkaConfig:
    """Asks every second what has become of the topics, instead of every ten."""
    return replace(config, options={"metadata_max_age_ms": 1_000})


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("office", [False, True])
def test_partitions_that_are_added_while_it_runs_are_refused(
    log: PostgresLog, log_url: str, quick: KafkaConfig, office: bool, loaded: bool
):
    relayed(log, log_url, quick)
    with worker_of(log_url, quick) as worker, running(worker) as ended:
        wait_for(lambda: hindmost(log_url) == log.head().position)
        before = stored(log_url)
        with closing(KafkaAdminClient(**quick.client)) as admin:
            admin.create_partitions({quick.topics[office]: NewPartitions(6)})
        if loaded:
            grow(log, 20, seed=2_000)
        wait_for(lambda: ended, BOUND)
    [error] = ended
    assert isinstance(error, LogMismatchError)
    assert "has 6 partitions, and this log is carried by 4" in str(error)
    assert stored(log_url) == before


def test_partitions_that_were_added_before_it_starts_are_refused(log: PostgresLog, log_url: str, config: KafkaConfig):
    relayed(log, log_url, config)
    with closing(KafkaAdminClient(**config.client)) as admin:
        admin.create_partitions({config.topic: NewPartitions(6)})
    with worker_of(log_url, config) as worker, pytest.raises(LogMismatchError, match="has 6 partitions"):
        worker.run(lambda: False, once=True)
    assert hindmost(log_url) == 0


def test_a_topic_that_another_log_fills_is_refused(log: PostgresLog, log_url: str, config: KafkaConfig):
    relayed(log, log_url, config, origin="somebody-else")
    with worker_of(log_url, config) as worker, pytest.raises(LogMismatchError, match="filled by the log somebody-else"):
        worker.run(lambda: False, once=True)
    assert hindmost(log_url) == 0


NEWER = "update ledger.generation set fold_version = fold_version + 1 where ledger = 'claim' and state = 'live'"
UNKNOWN = "update ledger.generation set ledger = 'tomorrow' where ledger = 'claim' and state = 'live'"


@pytest.mark.parametrize(("changed", "said"), [(NEWER, "claim is"), (UNKNOWN, "tomorrow is folded here")])
def test_a_worker_of_an_older_release_gives_up_and_leaves_the_ledgers_as_they_are(
    log: PostgresLog, log_url: str, config: KafkaConfig, changed: str, said: str
):
    relay = relay_of(log, log_url, config)
    with running(relay):
        with worker_of(log_url, config) as worker:
            worker.run(lambda: False, once=True)
        execute(log_url, changed)
        before, stands = stored(log_url), positions(log_url)
        grow(log, 20, seed=2_000)
        with worker_of(log_url, config) as worker, pytest.raises(OutdatedReleaseError, match=said):
            worker.run(lambda: False, once=True)
        assert stored(log_url) == before
        assert positions(log_url) == stands
        assert not execute(log_url, "select * from ledger.condition")


def test_a_worker_that_becomes_older_while_it_runs_gives_up(log: PostgresLog, log_url: str, config: KafkaConfig):
    with running(relay_of(log, log_url, config)), worker_of(log_url, config) as worker, running(worker) as ended:
        wait_for(lambda: hindmost(log_url) == log.head().position)
        execute(log_url, NEWER)
        wait_for(lambda: ended, BOUND)
        before = stored(log_url)
        grow(log, 5, seed=2_000)
    [error] = ended
    assert isinstance(error, OutdatedReleaseError)
    assert stored(log_url) == before
    assert not execute(log_url, "select * from ledger.condition")


def test_others_fold_on_while_a_worker_of_an_older_release_joins_and_gives_up(
    log: PostgresLog, log_url: str, config: KafkaConfig
):
    older = Catalogue(
        replace(ledger, version=ledger.version - 1) if ledger.name == "payment" else ledger for ledger in LEDGERS
    )
    with running(relay_of(log, log_url, config)), worker_of(log_url, config) as worker, running(worker) as ended:
        wait_for(lambda: hindmost(log_url) == log.head().position)
        with worker_of(log_url, config, ledgers=older) as other, running(other) as gave_up:
            for seed in itertools.takewhile(lambda _: not gave_up, itertools.count(2_000, 10)):
                grow(log, 2, seed=seed)
        [error] = gave_up
        assert isinstance(error, OutdatedReleaseError)
        assert "ledger payment is" in str(error)
        wait_for(lambda: hindmost(log_url) == log.head().position, BOUND)
        assert not ended
    require_folded_from_log(log_url)


def positions(url: str) -> list[tuple]:
    return execute(url, "select generation, part, position from ledger.progress order by 1, 2")


# By the command line


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory, kafka_address: str) -> Settings:
    """A log that a relay carries."""
    settings = deployed(tmp_path_factory.mktemp("deployed"), kafka_address, cases=5)
    done = work(settings, "relay", "--once")
    assert done.returncode == 0, done.stderr
    return settings


def work(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A verb of `qingling` in a process of its own, until it ends by itself."""
    return subprocess.run(
        command(arguments),
        cwd=CHECKOUT,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def refused(settings: Settings, *arguments: str, code: int) -> str:
    done = work(settings, "work", *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("partitions", [3, 32])
def test_partitions_that_parts_do_not_fit_into_are_refused(carried: Settings, partitions: int):
    said = refused(replace(carried, kafka_partitions=partitions), code=SETTINGS)
    assert f"ledgers are folded from 1, 2, 4, 8 or 16 partitions, and kafka_partitions is {partitions}" in said


def test_without_a_cluster_the_worker_says_so(carried: Settings):
    assert "no Kafka is configured" in refused(replace(carried, kafka=""), "--feed", "kafka", code=SETTINGS)


def test_an_unknown_feed_is_wrong_usage(carried: Settings):
    assert "'pigeons' is not one of 'kafka', 'log'" in refused(carried, "--feed", "pigeons", code=2)


def test_another_number_of_partitions_than_the_topics_ends_with_the_code_of_another_log(carried: Settings):
    said = refused(replace(carried, kafka_partitions=8), code=MISMATCH)
    assert "has 4 partitions, and this log is carried by 8" in said


def test_the_topic_of_another_log_ends_with_its_code(carried: Settings, tmp_path: Path):
    other = replace(carried, data=tmp_path / "data", database_url=fresh_database(server()))
    initialise(other, origin="other")
    assert "is filled by the log test-" in refused(other, code=MISMATCH)


def test_an_older_release_ends_with_its_code_and_says_which_ledger(carried: Settings):
    assert work(carried, "work", "--once").returncode == 0
    before = stored(carried.database_url)
    execute(carried.database_url, NEWER)
    try:
        said = refused(carried, code=NOT_READY)
    finally:
        execute(carried.database_url, NEWER.replace("+ 1", "- 1"))
    assert "ledger claim is" in said
    assert "run the release that the others run" in said
    assert stored(carried.database_url) == before
