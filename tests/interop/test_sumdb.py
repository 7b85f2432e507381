"""Go's own module transparency packages (golang.org/x/mod, sumdb/note and sumdb/tlog) read what a log publishes, and make what we read."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pytest

from domain.recording import Head, LogReader
from domain.sealing.checkpoint import Checkpoint, open_checkpoint
from domain.sealing.cosignature import Cosigner, with_lines
from domain.sealing.note import SigningKey, parse_note
from domain.sealing.tiles import Tile, new_tiles, parse_path
from domain.sealing.tree import leaf_hash, verify_consistency, verify_inclusion
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree
from tests.conftest import CHECKOUT
from tests.interop.conftest import BuildGo

SIZES = (1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000)
ORIGIN = "log.example/sumdb"
SEED = bytes(range(32))
KEY = SigningKey(ORIGIN, SEED)
WITNESS = Cosigner("witness.example/w1", bytes(range(32, 64)))
NOON = datetime(2019, 12, 2, 4, tzinfo=UTC)

Sumdb = Callable[..., Any]


class Entries:
    """A log of "entry 0", "entry 1", …, as the Go program makes it, of which so many are recorded."""

    def __init__(self) -> None:
        self.recorded = 0

    def head(self) -> Head:
        return Head(self.recorded, NOON)

    def entries(self, after: int, limit: int) -> Sequence[bytes]:
        return [entry(index) for index in range(after, min(self.recorded, after + limit))]


def entry(index: int) -> bytes:
    return f"entry {index}".encode()


@dataclass(frozen=True)
class GoHead:
    """A head as the Go program answers it: with proofs by leaf index, and by older size."""

    size: int
    root: bytes
    note: bytes
    records: dict[int, list[bytes]]
    trees: dict[int, list[bytes]]
    tiles: dict[str, bytes]

    @classmethod
    def of(cls, said: dict[str, Any]) -> GoHead:
        def proofs(by: dict[str, list[str]]) -> dict[int, list[bytes]]:
            return {int(number): [b64decode(each) for each in hashes] for number, hashes in by.items()}

        tiles = {path: b64decode(data) for path, data in said.get("tiles", {}).items()}
        note = said.get("note", "").encode()
        root = b64decode(said["root"])
        return cls(said["size"], root, note, proofs(said["records"]), proofs(said["trees"]), tiles)


@pytest.fixture(scope="module")
def sumdb(build_go: BuildGo) -> Sumdb:
    """Runs the Go program and returns what it says; a refusal fails the test."""
    program = build_go("tests/interop/sumdb")

    def run(*arguments: object) -> Any:
        done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


class Office:
    """A log that is sealed, signed and published from size to size; the notes stay beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = Entries()
        self.store = TileStore(folder / "log")
        self.signer = Signer.create(folder / "signer", ORIGIN, SEED)
        self.notes: dict[int, Path] = {}

    def publish(self, size: int) -> None:
        self.log.recorded = size
        with self.store.lock():
            sealer = Sealer(cast(LogReader, self.log), self.store, self.signer)
            sealer.start()
            assert sealer.integrate().size == size
            signed = sealer.sign()
            cosigned = with_lines(parse_note(signed), [WITNESS.signature_line(parse_note(signed).text, 1_575_259_200)])
            self.store.publish(cosigned)
        self.notes[size] = self.folder / f"{size}.note"
        self.notes[size].write_bytes(cosigned)

    @cached_property
    def tree(self) -> SealedTree:
        return SealedTree(self.store)


@dataclass(frozen=True)
class Read:
    """What Go read at each size, right after it was published, and the office in the end."""

    heads: dict[int, GoHead]
    office: Office


@pytest.fixture(scope="module")
def read(sumdb: Sumdb, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """A log that grew through all sizes; at each Go proved records, and that it extends every earlier head."""
    office = Office(tmp_path_factory.mktemp("office"))
    heads = {}
    for size in SIZES:
        earlier = list(office.notes.values())
        office.publish(size)
        heads[size] = GoHead.of(sumdb("read", office.store.folder, KEY.verifier.vkey, *earlier))
    return Read(heads, office)


@pytest.fixture(scope="module")
def made(sumdb: Sumdb) -> dict[int, GoHead]:
    """The same log, made and signed by Go with the same key."""
    return {head.size: head for head in map(GoHead.of, sumdb("make", KEY.skey, *SIZES))}


def each_proof(heads: dict[int, GoHead]) -> Iterator[tuple[GoHead, int, list[bytes]]]:
    for head in heads.values():
        for index, path in head.records.items():
            yield head, index, path


# ------------------------------------------------------------------------------------------------------------ Go reads ours


@pytest.mark.parametrize("size", SIZES)
def test_go_opens_our_checkpoint_and_proves_records_and_growth_from_our_tiles(read: Read, size: int) -> None:
    head = read.heads[size]
    assert head.size == size
    assert head.root == read.office.tree.root_at(size)
    assert {0, size - 1} <= head.records.keys()
    assert set(head.trees) == {older for older in SIZES if older < size}


def test_what_go_proves_from_our_tiles_is_what_we_prove(read: Read) -> None:
    for head, index, path in each_proof(read.heads):
        assert path == read.office.tree.inclusion(index, head.size)
        verify_inclusion(leaf_hash(entry(index)), index, head.size, path, head.root)
    for head in read.heads.values():
        for older, path in head.trees.items():
            assert path == read.office.tree.consistency(older, head.size)
            verify_consistency(older, read.heads[older].root, head.size, head.root, path)


def test_go_opens_a_checkpoint_signed_by_two_keys_with_either(sumdb: Sumdb, tmp_path: Path) -> None:
    office = Office(tmp_path)
    old, new = office.signer.add_key()
    office.publish(300)
    for key in (old, new):
        assert sumdb("read", office.store.folder, key.vkey)["size"] == 300


@pytest.mark.parametrize(
    "spoilt", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44", "checkpoint"]
)
def test_go_refuses_a_log_with_a_byte_changed(sumdb: Sumdb, tmp_path: Path, spoilt: str) -> None:
    office = Office(tmp_path)
    office.publish(300)
    file = office.store.folder / spoilt
    data = file.read_bytes()
    file.write_bytes(data[:11] + bytes([data[11] ^ 1]) + data[12:])
    with pytest.raises(AssertionError, match="sumdb: "):
        sumdb("read", office.store.folder, KEY.verifier.vkey)


# ------------------------------------------------------------------------------------------------------------ we read Go's


@pytest.mark.parametrize("size", SIZES)
def test_we_open_a_checkpoint_that_go_signed_which_is_the_one_we_sign(
    made: dict[int, GoHead], read: Read, size: int
) -> None:
    opened = open_checkpoint(made[size].note, [KEY.verifier])
    assert opened.checkpoint == Checkpoint(ORIGIN, size, read.office.tree.root_at(size))
    ours = parse_note(read.office.notes[size].read_bytes())
    assert parse_note(made[size].note).signatures == ours.signatures[:1]


def test_we_verify_what_go_proves_of_its_own_log(made: dict[int, GoHead]) -> None:
    for head, index, path in each_proof(made):
        verify_inclusion(leaf_hash(entry(index)), index, head.size, path, head.root)
    for head in made.values():
        assert set(head.trees) == {older for older in SIZES if older < head.size}
        for older, path in head.trees.items():
            verify_consistency(older, made[older].root, head.size, head.root, path)


def test_the_tiles_that_go_makes_are_those_that_we_keep(made: dict[int, GoHead], read: Read) -> None:
    older = 0
    for size in SIZES:
        named = {path: parse_path(path) for path in made[size].tiles}
        assert set(named.values()) == set(new_tiles(older, size))
        for path, tile in named.items():
            assert isinstance(tile, Tile)
            assert read.office.store.read(tile) == made[size].tiles[path], path
        older = size


# ----------------------------------------------------------------------------------------------------- the program itself


def test_go_gives_the_published_vectors(go: Callable[..., subprocess.CompletedProcess[str]], build_go: BuildGo) -> None:
    build_go("tests/interop/sumdb")
    done = go(CHECKOUT / "tests" / "interop" / "sumdb", "test", "./...")
    assert done.returncode == 0, done.stdout + done.stderr
