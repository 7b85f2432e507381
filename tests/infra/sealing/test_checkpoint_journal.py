"""The journal of checkpoints only grows, whoever writes into it, and survives a crash at the commit."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import LogMismatchError, RecordingError
from domain.sealing.checkpoint import Checkpoint
from infra.sealing.checkpoints import CheckpointJournal

ORIGIN = "log.example/one"
NOON = datetime(2019, 12, 2, 4, tzinfo=UTC)


def head(size: int, fill: int = 0, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, bytes([fill or size % 256]) * 32)


def add(journal: CheckpointJournal, *sizes: int) -> None:
    for size in sizes:
        journal.add(head(size), b"note of %d" % size)


@pytest.fixture
def journal(tmp_path: Path) -> CheckpointJournal:
    return CheckpointJournal(tmp_path / "kept.sqlite", clock=lambda: NOON)


def test_an_empty_journal_knows_no_checkpoint(journal: CheckpointJournal) -> None:
    assert journal.latest(ORIGIN) is None
    assert journal.at(ORIGIN, 0) is None
    assert list(journal.all(ORIGIN)) == []
    assert journal.origins() == []


def test_what_was_added_is_had_back_with_its_note_and_time(journal: CheckpointJournal) -> None:
    add(journal, 0, 3, 7)

    latest = journal.latest(ORIGIN)
    assert latest is not None
    assert (latest.checkpoint, latest.note, latest.kept_at) == (head(7), b"note of 7", NOON)
    assert (latest.size, latest.root) == (7, head(7).root)
    assert [kept.size for kept in journal.all(ORIGIN)] == [0, 3, 7]
    assert [kept.size for kept in journal.all(ORIGIN, after=0)] == [3, 7]
    found = [journal.at(ORIGIN, 3), journal.at(ORIGIN, 4), journal.upto(ORIGIN, 6), journal.upto(ORIGIN, 2)]
    assert [None if kept is None else kept.size for kept in found] == [3, None, 3, 0]


def test_logs_do_not_mix(journal: CheckpointJournal) -> None:
    add(journal, 9)
    journal.add(head(2, origin="log.example/two"), b"other")

    assert [kept.size for kept in journal.all("log.example/two")] == [2]
    assert journal.origins() == [ORIGIN, "log.example/two"]


def test_a_smaller_checkpoint_is_refused(journal: CheckpointJournal) -> None:
    add(journal, 5)

    with pytest.raises(LogMismatchError, match=r"5 leaves .* one of 4 leaves"):
        journal.add(head(4), b"note")
    assert [kept.size for kept in journal.all(ORIGIN)] == [5]


def test_another_root_at_the_same_size_is_refused(journal: CheckpointJournal) -> None:
    add(journal, 5)

    with pytest.raises(LogMismatchError, match="does not follow"):
        journal.add(head(5, fill=99), b"note")


def test_the_same_checkpoint_is_kept_again_only_with_another_note(journal: CheckpointJournal) -> None:
    add(journal, 5, 5)
    journal.add(head(5), b"with another signature")

    assert [kept.note for kept in journal.all(ORIGIN)] == [b"note of 5", b"with another signature"]
    latest = journal.latest(ORIGIN)
    assert latest is not None
    assert latest.note == b"with another signature"


def test_more_checkpoints_than_a_page_come_once_and_in_order(journal: CheckpointJournal) -> None:
    with journal.exclusive():
        add(journal, *range(2_500))

    assert [kept.size for kept in journal.all(ORIGIN)] == list(range(2_500))


def test_a_block_that_raises_keeps_nothing_of_what_it_added(journal: CheckpointJournal) -> None:
    def fail() -> None:
        with journal.exclusive():
            add(journal, 1, 2)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert journal.latest(ORIGIN) is None
    add(journal, 3)


def test_two_processes_do_not_come_between_each_other(tmp_path: Path, journal: CheckpointJournal) -> None:
    program = (
        "import sys, pathlib\n"
        "from infra.sealing.checkpoints import CheckpointJournal\n"
        "from domain.sealing.checkpoint import Checkpoint\n"
        "journal = CheckpointJournal(pathlib.Path(sys.argv[1]))\n"
        "for _ in range(40):\n"
        "    with journal.exclusive():\n"
        "        latest = journal.latest('o')\n"
        "        size = latest.size + 1 if latest else 1\n"
        "        journal.add(Checkpoint('o', size, bytes(32)), b'n')\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(journal.path)]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]

    assert [kept.size for kept in journal.all("o")] == list(range(1, 81))


def test_threads_of_one_process_do_not_either(journal: CheckpointJournal) -> None:
    def grow(_: int) -> None:
        with journal.exclusive():
            latest = journal.latest(ORIGIN)
            add(journal, latest.size + 1 if latest else 1)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(grow, range(40)))
    assert [kept.size for kept in journal.all(ORIGIN)] == list(range(1, 41))


@pytest.mark.parametrize("statement", ["update checkpoint set size = 1", "delete from checkpoint"])
def test_the_file_refuses_to_be_altered(journal: CheckpointJournal, statement: str) -> None:
    add(journal, 5)
    session = sqlite3.connect(journal.path)

    with pytest.raises(sqlite3.IntegrityError, match="never"):
        session.execute(statement)
    session.close()


def test_a_file_that_is_none_is_not_read_as_an_empty_journal(tmp_path: Path) -> None:
    (tmp_path / "kept.sqlite").write_bytes(b"something else" * 1_000)

    with pytest.raises(LogMismatchError, match=r"kept\.sqlite is damaged"):
        CheckpointJournal(tmp_path / "kept.sqlite")


def test_a_journal_of_another_release_is_refused(journal: CheckpointJournal) -> None:
    session = sqlite3.connect(journal.path)
    session.execute("pragma user_version = 2")
    session.close()

    with pytest.raises(LogMismatchError, match="no journal"):
        CheckpointJournal(journal.path)


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere/kept\.sqlite cannot be used"):
        CheckpointJournal(tmp_path / "nowhere" / "kept.sqlite")
