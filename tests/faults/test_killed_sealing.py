"""A process that seals, signs and publishes is killed without warning, again and again: what it leaves is whole, and is gone on from."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.recording import Batch
from domain.sealing.checkpoint import open_checkpoint
from domain.sealing.tiles import parse_path
from infra.postgres.recorder import PostgresLog
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from tests.drafts import a_draft
from tests.infra.sealing.material import ORIGIN, SEED, files_at, head_of
from tests.migrated import log_database

ENTRIES = 70_000
KILLS = 8

SEALING = """
import pathlib, sys
from infra.postgres.recorder import PostgresLog
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from tests.infra.sealing.material import ORIGIN

url, folder, step = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
store = TileStore(folder / "log")
with PostgresLog(url) as log, store.lock(wait=True):
    sealer = Sealer(log, store, Signer.open(folder / "signer", ORIGIN), chunk=1_000)
    size = sealer.start().size
    print("started", flush=True)
    while size < log.head().position:
        size = sealer.integrate(size + step).size
        store.publish(sealer.sign())
        print("published", flush=True)
"""


@pytest.fixture
def url() -> Iterator[str]:
    """A log that was recorded and never sealed."""
    with log_database() as url:
        with PostgresLog(url) as log:
            list(log.append_bulk(Batch([a_draft(f"case-{n}")]) for n in range(ENTRIES)))
        yield url


def kill_while_sealing(url: str, folder: Path, step: int, rounds: int, seconds: float) -> None:
    """Kills a sealer that adds `step` entries a round, some seconds after so many rounds."""
    with subprocess.Popen(
        [sys.executable, "-c", SEALING, url, str(folder), str(step)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n", "what the last kill left could be gone on from"
        for _ in range(rounds):
            assert process.stdout.readline() == b"published\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_a_sealer_that_is_killed_again_and_again_leaves_the_tree_that_one_makes_in_peace(
    url: str, tmp_path: Path
) -> None:
    chance = random.Random("killed")
    Signer.create(tmp_path / "signer", ORIGIN, SEED)
    store = TileStore(tmp_path / "log")
    reached = [0]
    for kill in range(KILLS):
        kill_while_sealing(url, tmp_path, (1_003, 37, 5)[kill % 3], chance.randint(1, 6), chance.uniform(0, 0.05))
        signer, sealed = Signer.open(tmp_path / "signer", ORIGIN), store.head()
        signed, published = signer.last(), store.published()
        assert sealed is not None
        assert signed is not None
        assert published is not None
        assert open_checkpoint(published, signer.verifiers).checkpoint.size <= signed.size <= sealed.size
        reached.append(sealed.size)
    assert reached == sorted(reached)
    assert 0 < reached[1] < reached[-1] < ENTRIES, "it was killed in the middle"

    with PostgresLog(url) as log, store.lock():
        entries = log.entries(0, ENTRIES)
        sealer = Sealer(log, store, Signer.open(tmp_path / "signer", ORIGIN))
        sealer.start()
        assert sealer.integrate() == head_of(entries, ENTRIES)
        store.publish(sealer.sign())
    wanted = files_at(entries, ENTRIES)
    for path, data in wanted.items():
        assert store.read(parse_path(path)) == data, path
    assert {named.path for named in store.stored()} >= wanted.keys()
    for kept in signer.history().all(ORIGIN):
        assert kept.checkpoint == head_of(entries, kept.size)
