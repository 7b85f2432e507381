"""kill -9 of the process that folds, and of the one that rebuilds: what was committed counts once, the rest is folded again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from domain.entries import Recorded
from infra.postgres.config import RecorderConfig
from infra.postgres.recorder import PostgresLog
from projections.catalogue import catalogue
from tests.projections.laws import Bench, expected
from tests.synthetic import synthetic_batches

CHECKOUT = Path(__file__).resolve().parents[3]
LEDGERS = catalogue(WINTER_2019, ZoneInfo("UTC"))


@pytest.fixture
def events(log_url) -> list[Recorded]:
    """A log of a hundred and fifty cases."""
    with PostgresLog(log_url, RecorderConfig(role="qingling_writer")) as log:
        list(log.append_bulk(synthetic_batches(150)))
        return [EVENT_TYPES.decode(stored) for stored in log.read(0, 10_000)]


def process(url: str, what: str, position: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.infra.folding.folding_process", url, what, str(position)]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)


def killed_after(lines: int, running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    with running:
        for _ in range(lines):
            assert running.stdout.readline(), "it was done before it was killed"
        running.kill()


def finished(running: subprocess.Popen[str]) -> None:
    with running:
        running.communicate(timeout=120)
    assert running.returncode == 0


def test_ledgers_are_right_though_their_process_was_killed_again_and_again(log_url, events):
    for lines in (2, 3, 2, 4):
        killed_after(lines, process(log_url, "fold", len(events)))
    finished(process(log_url, "fold", len(events)))

    check(log_url, events)


def test_a_rebuild_that_was_killed_again_and_again_ends_as_one_that_was_not(log_url, events):
    finished(process(log_url, "fold", len(events)))
    bench = Bench(log_url, LEDGERS, EVENT_TYPES)
    before = bench.stored()
    for lines in (3, 4, 5):
        killed_after(lines, process(log_url, "rebuild", 0))
    finished(process(log_url, "rebuild", 0))

    assert {one.generation for one in bench.reader.status()} == {2}
    assert bench.stored() == before
    bench.close()
    check(log_url, events)


def check(url: str, events: list[Recorded]) -> None:
    bench = Bench(url, LEDGERS, EVENT_TYPES)
    for position in (len(events) // 3, len(events)):
        assert bench.state(position) == expected(LEDGERS, events[:position])[-1]
    bench.close()
