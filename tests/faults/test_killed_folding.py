"""The fold engine and a rebuild, killed without warning: the next start goes on, and the ledgers are what the log folds to."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from infra.bootstrap import Settings, initialise, open_platform
from projections.folding import fold_all, sums_of
from projections.ledger import RowLedger, SummaryLedger
from tests.faults.test_killed_import import QINGLING
from tests.synthetic import synthetic_batches

CASES = 3_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A log of some thirty thousand events that nobody has folded yet."""
    settings = Settings(data=tmp_path / "data")
    initialise(settings, origin="test")
    with open_platform(settings) as platform:
        for _ in platform.log.append_bulk(synthetic_batches(CASES)):
            pass
    return settings


def kill_after(settings: Settings, seconds: float, *verb: str) -> None:
    """Starts a verb in a process of its own and kills it, unless it has ended by itself."""
    program = subprocess.Popen(
        [QINGLING, "--data", str(settings.data), *verb],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    program.send_signal(signal.SIGKILL)
    program.wait(timeout=60)


@pytest.mark.slow
def test_folding_and_rebuilding_killed_anywhere_end_in_what_the_log_folds_to(settings: Settings) -> None:
    chance = random.Random("2019 fold")
    for _ in range(4):
        kill_after(settings, chance.uniform(0.9, 1.8), "up", "--port", "0")
    with open_platform(settings, folding=True) as platform:
        platform.wait_for(platform.head().position, timeout=120)
    for _ in range(3):
        kill_after(settings, chance.uniform(0.9, 2.2), "rebuild")
    with open_platform(settings, folding=True) as platform:
        platform.wait_for(platform.head().position, timeout=120)
        before = {ledger.state for ledger in platform.status().ledgers}
        report = platform.rebuild(None)
        platform.wait_for(platform.head().position, timeout=120)
        assert {str(state) for state in before} <= {"running", "rebuilding"}
        assert set(report.compared) == set(platform.catalogue.names()), "the whole history is that of the live ledgers"
        events = [platform.types.decode(entry) for entry in platform.log.read(0, 10**6)]
        folded = fold_all(platform.catalogue, events)
        for ledger in platform.catalogue:
            if isinstance(ledger, SummaryLedger):
                cells = platform.reader.cells(ledger.name)
                assert cells == sums_of(ledger, folded.get(ledger.source.name, {}).values())
            elif isinstance(ledger, RowLedger):
                rows = {versioned.key: versioned.row for versioned in platform.rows(ledger.name)}
                assert rows == folded.get(ledger.name, {})
