"""A crash at every durable step of sealing, in three ways, and what a fresh start makes of it.

*Lost*: the step never happened. *Kept*: it happened, and nobody was told. *Power*: it never happened, and of the moves and removals
before it those whose folder was not yet brought to the disk are undone.

The scenario makes a signer and seals, signs and publishes a log as it grows, over the ends of tiles and chunks. It is run once
undisturbed, then crashed at its first step, at its second, and so on until it comes to its end without a crash.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from domain.sealing.checkpoint import Checkpoint, parse_checkpoint
from domain.sealing.note import parse_note
from domain.sealing.tiles import parse_path
from infra.sealing import checkpoints, durable
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from tests.infra.sealing.material import ORIGIN, SEED, ListedLog, files_at, head_of, rows

SIZES = (5, 256, 520)
CHUNK = 200
ROWS = rows(SIZES[-1])
FILES = {size: files_at(ROWS, size) for size in range(SIZES[-1] + 1)}


class Crash(BaseException):
    """The process is gone. Nothing may catch it."""


class Disk:
    """Counts the durable steps, and crashes at one of them."""

    def __init__(self, way: str, at: int, *, at_once: bool = False) -> None:
        """`at_once`: files are written by several threads, as a large batch is."""
        self.steps = 0
        self._at_once = at_once
        self._way = way
        self._lock = Lock()
        self._at = at
        self._undo: list[tuple[str, Callable[[], object]]] = []

    @contextmanager
    def in_use(self) -> Iterator[Disk]:
        with pytest.MonkeyPatch.context() as patch:
            for module, name in (
                (durable, "create"),
                (durable, "_move"),
                (durable, "remove"),
                (durable, "sync_folder"),
                (checkpoints, "_commit"),
            ):
                patch.setattr(module, name, self._watched(name, getattr(module, name)))
            if self._at_once:
                patch.setattr(durable, "_TOGETHER", 2)
            yield self

    def _watched(self, name: str, step: Callable[..., None]) -> Callable[..., None]:
        def watched(*arguments: Any, **options: Any) -> None:
            with self._lock:
                self.steps += 1
                is_it = self.steps == self._at
            if is_it and self._way != "kept":
                self._crash()
            undo = self._undoing(name, arguments)
            try:
                step(*arguments, **options)
            except OSError:
                self.steps -= 1  # a folder is missing and is made; the step comes again
                raise
            self._undo += undo
            if is_it:
                self._crash()

        return watched

    def _undoing(self, name: str, arguments: tuple[Any, ...]) -> list[tuple[str, Callable[[], object]]]:
        """What takes a step back that is not on the disk until its folder is."""
        if name == "sync_folder":
            self._undo = [(folder, undo) for folder, undo in self._undo if folder != str(arguments[0])]
        if name not in ("_move", "remove"):
            return []
        file = Path(arguments[-1])
        before = file.read_bytes() if file.exists() else None
        return [(str(file.parent), lambda: _put(file, before))]

    def _crash(self) -> None:
        if self._way == "power":
            for _, undo in reversed(self._undo):
                undo()
        raise Crash


def _put(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


class Scenario:
    """A log that is sealed in `folder`; `shown` are the notes that ever left it."""

    def __init__(self, folder: Path) -> None:
        self.store = TileStore(folder / "log")
        self.secret = folder / "signer"
        self.shown: list[Checkpoint] = []

    def run(self) -> None:
        """From wherever the last run ended, with a log that grows as before."""
        log = ListedLog(ROWS)
        if not (self.secret / "keys" / "1.skey").exists():
            Signer.create(self.secret, ORIGIN, SEED)
        store, signer = TileStore(self.store.folder), Signer.open(self.secret, ORIGIN)
        with store.lock():
            sealer = Sealer(log, store, signer, chunk=CHUNK)
            sealer.start()
            for size in SIZES:
                if sealer.integrate(size).size == size:
                    note = sealer.sign()
                    self.shown.append(_head_in(note))
                    store.publish(note)

    def sizes(self) -> tuple[int, int, int]:
        """Published, signed, sealed."""
        published, sealed = self.store.published(), self.store.head()
        signed = Signer.open(self.secret, ORIGIN).last() if (self.secret / "keys" / "1.skey").exists() else None
        return (
            0 if published is None else _head_in(published).size,
            0 if signed is None else signed.size,
            0 if sealed is None else sealed.size,
        )

    def check_promises(self) -> None:
        """What must hold at every moment: each state holds the one after it, and the durable tree is whole."""
        published, signed, sealed = self.sizes()
        assert published <= signed <= sealed
        note = self.store.published()
        assert note is None or note in [kept.note for kept in self.store.history().all(ORIGIN)]
        if sealed:
            assert self.store.head() == head_of(ROWS, sealed)
        for size in {published, signed, sealed}:
            for path, data in FILES[size].items():
                assert self.store.read(parse_path(path)) == data, f"{path} of the tree of {size} leaves"
        for shown in self.shown:
            assert shown == head_of(ROWS, shown.size)
            assert shown.size <= signed, "what was shown is remembered"
        assert [shown.size for shown in self.shown] == sorted(shown.size for shown in self.shown)

    def end(self) -> dict[str, object]:
        """All that is to be the same whatever happened on the way."""
        return {
            "tiles": {named.path: self.store.read(named) for named in self.store.stored()},
            "tree": (self.store.folder / "tree").read_bytes(),
            "checkpoint": self.store.published(),
            "signed": [(kept.checkpoint, kept.note) for kept in Signer.open(self.secret, ORIGIN).history().all(ORIGIN)],
            "published": [(kept.checkpoint, kept.note) for kept in self.store.history().all(ORIGIN)],
        }


def _head_in(note: bytes) -> Checkpoint:
    return parse_checkpoint(parse_note(note).text)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What reaches the disk when is played here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    scenario = Scenario(tmp_path_factory.mktemp("undisturbed"))
    scenario.run()
    assert scenario.sizes() == (520, 520, 520)
    return scenario.end()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["lost", "kept", "power"])
def test_whatever_step_sealing_crashes_at_it_ends_as_if_it_had_not(
    tmp_path: Path, undisturbed: dict[str, object], way: str
) -> None:
    folder = tmp_path / "crashed"
    for at in range(1, 1_000):
        scenario = Scenario(folder)
        crashed = _crashes(scenario, Disk(way, at))
        scenario.check_promises()
        if not crashed:
            assert at > 80, "the scenario has more steps than that"
            return
        scenario.run()
        scenario.check_promises()
        _require_the_same(scenario.end(), undisturbed, way)
        shutil.rmtree(folder)
    pytest.fail("the scenario never came to its end")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["lost", "kept", "power"])
def test_a_recovery_that_crashes_too_ends_as_if_nothing_had(
    tmp_path: Path, undisturbed: dict[str, object], way: str
) -> None:
    folder = tmp_path / "crashed"
    for at in range(7, 100, 9):
        scenario = Scenario(folder)
        for again in (at, 11, 3, 1, 1):
            _crashes(scenario, Disk(way, again, at_once=True))
            scenario.check_promises()
        scenario.run()
        scenario.check_promises()
        _require_the_same(scenario.end(), undisturbed, way)
        shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["lost", "kept", "power"])
def test_a_lost_folder_whose_regrowth_crashes_comes_to_the_signed_tree_all_the_same(
    tmp_path: Path, undisturbed: dict[str, object], way: str
) -> None:
    whole = Scenario(tmp_path / "whole")
    whole.run()
    shutil.rmtree(whole.store.folder)
    for at in range(1, 1_000):
        shutil.copytree(tmp_path / "whole", tmp_path / "crashed")
        scenario = Scenario(tmp_path / "crashed")
        crashed = _crashes(scenario, Disk(way, at))
        scenario.run()
        stored = {path: scenario.store.read(parse_path(path)) for path in FILES[520]}
        assert (stored, scenario.sizes()) == (FILES[520], (520, 520, 520))
        assert scenario.end()["signed"] == undisturbed["signed"], "nothing new was signed"
        shutil.rmtree(tmp_path / "crashed")
        if not crashed:
            assert at > 30, "the regrowth has more steps than that"
            return
    pytest.fail("the regrowth never came to its end")


def _crashes(scenario: Scenario, disk: Disk) -> bool:
    try:
        with disk.in_use():
            scenario.run()
    except Crash:
        return True
    return False


def _require_the_same(found: dict[str, object], wanted: dict[str, object], way: str) -> None:
    if way == "power":  # partial tiles that were removed may be there again: they hold what the full ones hold
        stored, tiles = found["tiles"], wanted["tiles"]
        assert isinstance(stored, dict)
        assert isinstance(tiles, dict)
        assert all(".p/" in path for path in stored.keys() - tiles.keys())
        found = {**found, "tiles": {path: stored[path] for path in tiles}}
    assert found == wanted
