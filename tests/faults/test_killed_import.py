"""An import by the whole program, killed without warning in the middle, and its database with it: nothing is lost, nothing stands twice."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.bootstrap import Platform, Settings, load_settings, open_platform
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from projections.replay import case_state

QINGLING = Path(sys.executable).with_name("qingling")
CASES = 2_000
PAID = sum(n % 7 * 1_000 * 100 for n in range(CASES))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    file = tmp_path / "book.csv"
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["案件编号", "属地", "受理日期", "欠薪单位", "欠薪人数", "核实金额", "已发金额", "案件状态"])
        for n in range(CASES):
            writer.writerow(
                [f"平-{n}", "平定县", "2019-11-01", f"公司{n % 50}", "3", "10000", str(n % 7 * 1_000), "在办"]
            )
    return file


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    run("--data", data, "init", "--origin", "test")
    return load_settings({"data": str(data)})


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([QINGLING, *map(str, arguments)], check=True, capture_output=True, text=True, timeout=120)


def start_import(settings: Settings, book: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [QINGLING, "--data", str(settings.data), "import", str(book)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextmanager
def opened(settings: Settings) -> Iterator[Platform]:
    with open_platform(settings, folding=True) as platform:
        platform.wait_for(platform.head().position, timeout=60)
        yield platform


def kill_postmaster(settings: Settings) -> None:
    pid = EmbeddedPostgres(EmbeddedConfig(data=settings.data)).pid
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["program", "database", "both"])
def test_an_import_killed_anywhere_is_whole_after_it_is_run_again(settings: Settings, book: Path, victim: str) -> None:
    chance = random.Random(f"2019 {victim}")
    for _ in range(3):
        importing = start_import(settings, book)
        time.sleep(chance.uniform(0.4, 2.5))
        if victim in ("program", "both"):
            importing.send_signal(signal.SIGKILL)
        if victim in ("database", "both"):
            kill_postmaster(settings)
        importing.wait(timeout=120)
        with opened(settings) as platform:
            assert platform.fsck() == [], "what was recorded keeps the laws"
            assert platform.board().complete
    run("--data", settings.data, "import", book)
    with opened(settings) as platform:
        rows = {versioned.row.number: versioned for versioned in platform.rows("case")}
        assert len(rows) == CASES
        assert sum(versioned.row.standing.paid for versioned in rows.values()) == PAID
        for versioned in chance.sample(list(rows.values()), 25):
            events = [platform.types.decode(entry) for entry in platform.log.read_partition(versioned.key)]
            assert case_state(events).case == versioned.row
        head = platform.head().position
        assert platform.import_book(book, mapping="standard").imported.events == 0
        assert platform.head().position == head
        assert platform.fsck() == []
