"""Kills without warning, in turn and at random, of what takes part in carrying a log, while entries are appended all the time.

What may be killed is a `Victim`: a program of ours (`Program`), a node of Kafka (`nodes`), the database (`Database`). Another process is
added by making a `Program` for its verb and putting its `victim` into the list. `Load` appends, `Reader` reads the topics all the while as
any consumer does, and knows how long it saw nothing new.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from infra.bootstrap import Settings
from infra.kafka.cluster import KafkaConfig
from infra.kafka.records import position_in, watermark_in
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.recorder import PostgresLog
from infra.recorders import StoreFailedError
from tests.conftest import CHECKOUT
from tests.infra.relaying.deployed import command, deployed, environment
from tests.infra.relaying.relays import beside, grow, wait_for
from tests.kafka_broker import GROUPS, Broker, Nodes, cluster
from tests.postgres_server import fresh_database


class Victim(NamedTuple):
    """What may be killed. `strike` kills it, lets it lie for so many seconds, and has it back when it returns."""

    name: str
    strike: Callable[[float], None]


class Program:
    """A verb of `qingling` in a process of its own, started again whenever it was killed; what it says is in a file."""

    def __init__(self, settings: Settings, said: Path, *arguments: str) -> None:
        self.arguments = arguments
        self.said = said
        self._environment = environment(settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._before = 0
        """How long the file was when it was started last."""

    @property
    def victim(self) -> Victim:
        return Victim(self.arguments[0], self.strike)

    def start(self) -> None:
        self._before = len(self.said.read_text()) if self.said.exists() else 0
        with self.said.open("ab") as said:
            self._process = subprocess.Popen(
                command(self.arguments),
                cwd=CHECKOUT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def strike(self, seconds: float) -> None:
        self.require_alive()
        self.kill()
        time.sleep(min(seconds, 1.0))
        self.start()

    def require_alive(self) -> None:
        """It must not have ended by itself, whatever else was killed. Only at its start it may find no database, and end: it is started
        again, as a service manager would."""
        assert self._process is not None
        if self._process.poll() is not None:
            said = self.said.read_text()[self._before :]
            assert "the database cannot be reached" in said, said
            assert "tries again" not in said, said
            self.start()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=60)

    def send(self, number: signal.Signals) -> None:
        """A signal, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def ended(self, seconds: float) -> int:
        """Its exit code, when it ends by itself in time."""
        assert self._process is not None
        return self._process.wait(timeout=seconds)


class Database:
    """A server of its own, with a database in it, whose postmaster is killed and comes back with the same address."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(EmbeddedConfig(data=folder))

    def start(self) -> str:
        """Starts it; the URL of an empty database."""
        self._server.start()
        return fresh_database(self._server)

    @property
    def victim(self) -> Victim:
        return Victim("database", self.strike)

    def strike(self, seconds: float) -> None:
        pid = self._server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        time.sleep(min(seconds, 2.0))
        self._server.start()

    def stop(self) -> None:
        self._server.stop(immediate=True)


def nodes(cluster: Nodes, config: KafkaConfig, transactional_id: str, group: str = "") -> list[Victim]:
    """The nodes of a cluster: that which leads a partition of a topic, that which decides on the relay's transactions, and, with `group`,
    that which says whose a partition is in a consumer group."""

    def strike(found: Callable[[], Broker], seconds: float) -> None:
        held = (*config.topics, *([GROUPS] if group else []))
        wait_for(lambda: cluster.is_whole(held), 90)  # so that two are left of whatever it holds
        node = found()
        node.kill()
        time.sleep(seconds)
        node.start()

    def leader(topic: str) -> Victim:
        return Victim(f"leader of {topic}/0", lambda seconds: strike(lambda: cluster.leader_of(topic, 0), seconds))

    def coordinator() -> Broker:
        return cluster.coordinator_of(transactional_id)

    found = [*map(leader, config.topics), Victim("coordinator", lambda seconds: strike(coordinator, seconds))]
    if group:
        found.append(
            Victim("group coordinator", lambda seconds: strike(lambda: cluster.group_coordinator_of(group), seconds))
        )
    return found


class Load:
    """Appends cases to a log, a few at a time, in a thread; a database that is gone is waited for."""

    def __init__(self, log: PostgresLog, pause: float = 0.05) -> None:
        self._log, self._pause = log, pause

    def running(self) -> AbstractContextManager[object]:
        """Until it is left."""
        return beside(self._run, within=120)

    def _run(self, ended: threading.Event) -> None:
        seed = 10_000
        while not ended.is_set():
            seed += 1
            try:
                grow(self._log, 2, seed)
            except StoreFailedError:
                ended.wait(0.5)  # whether it was recorded is open; the next ones have other names
            ended.wait(self._pause)


@dataclass
class Reader:
    """Reads both topics from their beginning, without ever starting anew, as a consumer of what is committed."""

    config: KafkaConfig
    entries: dict[TopicPartition, list[tuple[int, bytes]]] = field(default_factory=dict)
    """Position and bytes, as they came."""
    upto: int = 0
    """What every partition's watermark says at least."""
    longest: float = 0.0
    """Seconds without a new watermark, at the most."""

    def running(self) -> AbstractContextManager[object]:
        """Until it is left."""
        return beside(self._run)

    def _run(self, ended: threading.Event) -> None:
        parts = [TopicPartition(topic, at) for topic in self.config.topics for at in range(self.config.partitions)]
        marks = dict.fromkeys(parts, 0)
        self.entries = {part: [] for part in parts}
        consumer = KafkaConsumer(
            **self.config.client,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        consumer.assign(parts)
        last = time.monotonic()
        while not ended.is_set():
            try:
                found = consumer.poll(200)
            except KafkaError:
                continue
            for part, records in found.items():
                for record in records:
                    position = position_in(record.headers)
                    if position is not None:
                        self.entries[part].append((position, record.value))
                    mark = watermark_in(record.headers, record.value)
                    marks[part] = marks[part] if mark is None else mark.upto
            reached = min(marks.values())
            if reached > self.upto:
                self.longest = max(self.longest, time.monotonic() - last) if self.upto else 0.0
                self.upto, last = reached, time.monotonic()
        consumer.close()

    def require_equal(self, stored: Mapping[int, bytes]) -> None:
        """It saw exactly the log: its bytes, each entry once, in order within a partition."""
        assert sorted(position for entries in self.entries.values() for position, _ in entries) == sorted(stored)
        for entries in self.entries.values():
            assert [position for position, _ in entries] == sorted(position for position, _ in entries)
            assert all(stored[position] == value for position, value in entries)


def storm(
    chance: random.Random, victims: Sequence[Victim], programs: Sequence[Program], kills: int, *, lying: float
) -> list[str]:
    """Strikes victims, every one of them first and then at random; each lies up to `lying` seconds, and no program may end of it. Who was
    struck, in turn."""
    first = chance.sample(victims, len(victims))
    struck = [*first, *(chance.choice(victims) for _ in range(kills))][:kills]
    for victim in struck:
        time.sleep(chance.uniform(0.2, 2.5))
        victim.strike(chance.uniform(0.2, lying))
        for each in programs:
            each.require_alive()
    return [each.name for each in struck]


# Fixtures, for whoever imports them


@pytest.fixture(scope="module")
def three() -> Iterator[Nodes]:
    """Three nodes that may be killed."""
    with cluster() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database that may be killed."""
    database = Database(tmp_path / "server")
    try:
        yield database
    finally:
        database.stop()


@pytest.fixture
def settings(tmp_path: Path, three: Nodes, database: Database) -> Settings:
    """A log with some hundred events that nobody relayed yet."""
    return deployed(tmp_path, three.bootstrap, database_url=database.start(), replicas=3)
