"""kill -9 of writers and of PostgreSQL itself: what was acknowledged is there, what was not is whole or absent, nothing is twice."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.postgres.config import RecorderConfig
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.fsck import fsck
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog
from tests.drafts import a_batch
from tests.migrated import execute

CHECKOUT = Path(__file__).resolve().parents[3]
WRITER = [sys.executable, "-m", "tests.infra.postgres.endless_writer"]


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A durable server that the test may kill."""
    with EmbeddedPostgres(EmbeddedConfig(data=tmp_path)) as server:
        yield server


def start_writer(url: str, name: str, threads: int | str = 1) -> subprocess.Popen[str]:
    return subprocess.Popen([*WRITER, url, name, str(threads)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)


def acknowledged(writer: subprocess.Popen[str], at_least: int) -> list[tuple[str, int, int]]:
    """Kill the writer after some answers; all that it got, as (stream, number of the command, first position)."""
    assert writer.stdout is not None
    with writer:
        lines = [writer.stdout.readline() for _ in range(at_least)]
        writer.kill()
        lines += writer.stdout.readlines()
    words = [line.split() for line in lines if line.endswith("\n")]
    return [(stream, int(number), int(position)) for stream, number, position in words]


def test_a_killed_writer_loses_nothing_that_was_acknowledged(log: PostgresLog, log_url: str) -> None:
    for life in range(4):
        answers = acknowledged(start_writer(log_url, f"life-{life}", threads=4), at_least=50)

        for stream, number, position in answers:
            again = log.append(a_batch(stream, 2 * number + 1, 2 * number + 2, key=f"{stream}/{number}"))
            assert again.replayed
            assert again.positions == (position, position + 1)
        assert_streams_are_whole(log, f"life-{life}", answers)
    assert fsck(log_url) == []


def assert_streams_are_whole(log: PostgresLog, name: str, answers: list[tuple[str, int, int]]) -> None:
    """Every command is recorded whole; of each stream at most one was recorded without an answer, and repeating it says so."""
    for thread in range(4):
        stream = f"{name}-{thread}"
        answered = sum(answer[0] == stream for answer in answers)
        recorded = len(log.read_stream(stream))
        assert recorded in (2 * answered, 2 * answered + 2)
        batch = a_batch(stream, 2 * answered + 1, 2 * answered + 2, key=f"{stream}/{answered}")
        assert log.append(batch).replayed == (recorded > 2 * answered)
        assert len(log.read_stream(stream)) == 2 * answered + 2


def test_a_killed_import_leaves_whole_batches_and_all_that_was_answered(log: PostgresLog, log_url: str) -> None:
    for life in range(3):
        answers = acknowledged(start_writer(log_url, f"book-{life}", "bulk"), at_least=100)

        assert [log.read_stream(stream)[0].position for stream, _, _ in answers] == [answer[2] for answer in answers]
    assert fsck(log_url) == []
    events = execute(log_url, "select count(*), count(*) filter (where version = 3) from qingling.event")
    assert events == [(log.head().position, log.head().position // 3)]


def test_a_command_is_known_to_other_processes_and_after_a_restart(own_server: EmbeddedPostgres) -> None:
    url = own_server.url()
    migrate(url)
    ((stream, number, position), *_) = acknowledged(start_writer(url, "case"), at_least=1)

    batch = a_batch(stream, 1, 2, key=f"{stream}/{number}")
    with PostgresLog(url) as log:
        assert log.append(batch).positions == (position, position + 1)
        own_server.stop()
        own_server.start()
        assert log.append(batch).positions == (position, position + 1)
        assert log.append(batch).replayed


class Traffic:
    """Eight writers and an import on one log, and what they were answered."""

    def __init__(self, log: PostgresLog) -> None:
        self.log = log
        self.written: dict[str, list[int]] = {f"case-{n}": [] for n in range(8)}
        self.imported: list[int] = []
        self._stop = threading.Event()

    def __enter__(self) -> Traffic:
        self._threads = [threading.Thread(target=self._write, args=(stream,)) for stream in self.written]
        self._threads.append(threading.Thread(target=self._copy))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, stream: str) -> None:
        answers = self.written[stream]
        while not self._stop.is_set():
            answers += self.log.append(a_batch(stream, len(answers) + 1)).positions

    def _copy(self) -> None:
        for outcome in self.log.append_bulk(a_batch(f"book-{n}", 1, 2, 3) for n in itertools.count()):
            self.imported += outcome.positions
            if self._stop.is_set():
                return


def test_writers_go_on_when_the_server_is_killed_and_started_again(own_server: EmbeddedPostgres) -> None:
    url = own_server.url()
    migrate(url)
    with PostgresLog(url, RecorderConfig(bulk_events=600, reconnect_patience=60)) as log:
        with Traffic(log) as traffic:
            for _ in range(3):
                reached = log.head().position
                while log.head().position < reached + 3_000:
                    time.sleep(0.02)
                assert own_server.pid is not None
                os.kill(own_server.pid, signal.SIGKILL)
                own_server.start()
        answered = [position for positions in traffic.written.values() for position in positions] + traffic.imported
        for stream, positions in traffic.written.items():
            assert [entry.position for entry in log.read_stream(stream)] == positions
        recorded = log.read(0, 10**6)
    assert len(set(answered)) == len(answered)
    unanswered = {entry.position for entry in recorded} - set(answered)
    assert all(entry.stream.startswith("book-") for entry in recorded if entry.position in unanswered)
    assert fsck(url) == []
