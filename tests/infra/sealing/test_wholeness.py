"""The maps of a log are those that a replay gives; an index that was altered gives others, or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import LogMismatchError, VerificationError
from domain.recording import Batch, Draft, History
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.growth import TiledEdge
from domain.sealing.sorted_map import Kind, MapHead, Presence, Tally, WholenessMap, verify_whole
from domain.sealing.tree import leaf_hash, root_of
from infra.memory.recorder import MemoryLog
from infra.postgres.config import RecorderConfig
from infra.postgres.recorder import PostgresLog
from infra.sealing import wholeness
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree
from infra.sealing.wholeness import HistoryReader, commitment
from tests.drafts import a_draft
from tests.migrated import execute, log_database

Log = PostgresLog | MemoryLog
Maps = tuple[WholenessMap, WholenessMap]

NAMES = ["case-1", "case-2", "claim-1", "claim-2", "log", '案件 {"b",\\b\'%s}\n\t']
CASE_OF = {"claim-1": "case-1", "claim-2": "case-1"}
"""Partition keys that are not the stream's own name."""


@dataclass
class Tree:
    """A sealed tree over a list."""

    hashes: list[bytes]

    @property
    def size(self) -> int:
        return len(self.hashes)

    def leaves(self, first: int, end: int) -> list[bytes]:
        return self.hashes[first:end]

    def root_at(self, size: int) -> bytes:
        return root_of(self.hashes[:size])


@dataclass
class Row:
    """What the index says of an entry."""

    position: int
    stream: str
    version: int
    partitionkey: str


@dataclass
class Index:
    """The index of a log that nothing guards."""

    rows: list[Row]

    def histories(self, kind: Kind, upto: int) -> Iterator[History]:
        found: dict[str, list[tuple[int, int]]] = {}
        for row in self.rows:
            if row.position <= upto:
                name = row.stream if kind is Kind.STREAM else row.partitionkey
                order = row.version if kind is Kind.STREAM else row.position
                found.setdefault(name, []).append((order, row.position))
        for name, entries in found.items():
            versions, positions = zip(*sorted(entries), strict=True)
            dense = kind is Kind.PARTITION or list(versions) == list(range(1, len(entries) + 1))
            yield History(name, positions, dense)


def a_history(streams: Sequence[str]) -> Iterator[Draft]:
    """One entry after the other, each to the next of `streams`."""
    versions: dict[str, int] = {}
    for stream in streams:
        versions[stream] = versions.get(stream, 0) + 1
        yield a_draft(stream, versions[stream], partitionkey=CASE_OF.get(stream, stream))


def recorded(log: Log, streams: Sequence[str]) -> Tree:
    """The tree of a log in which these were recorded."""
    drafts = list(a_history(streams))
    if drafts:
        log.append(Batch(drafts))
    return Tree([leaf_hash(stored.entry) for stored in log.read(0, 10_000)])


def replayed(log: Log, upto: int) -> Maps:
    """The maps as an auditor makes them, out of the entries."""
    streams, partitions = Tally(Kind.STREAM), Tally(Kind.PARTITION)
    for stored in log.read(0, upto):
        streams.add(stored.stream, leaf_hash(stored.entry))
        partitions.add(stored.partitionkey, leaf_hash(stored.entry))
    return streams.map(), partitions.map()


def heads(maps: Maps) -> tuple[MapHead, MapHead]:
    streams, partitions = maps
    assert (streams.kind, partitions.kind) == (Kind.STREAM, Kind.PARTITION)
    return streams.head, partitions.head


def heads_or_refusal(log: HistoryReader, tree: Tree, upto: int) -> tuple[MapHead, MapHead] | None:
    try:
        return heads(commitment(log, tree, upto))
    except LogMismatchError:
        return None


histories = st.lists(st.sampled_from(NAMES), max_size=40)


@given(histories, st.data())
def test_the_maps_of_any_history_as_of_any_position_are_those_of_a_replay(
    streams: list[str], data: st.DataObject
) -> None:
    log = MemoryLog()
    tree = recorded(log, streams)
    upto = data.draw(st.integers(0, tree.size))

    assert heads(commitment(log, tree, upto)) == heads(replayed(log, upto))


ALL = [NAMES[number * number % 7 % len(NAMES)] for number in range(40)]


@pytest.fixture(params=["postgres", "memory"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """An empty log, once in PostgreSQL as who reads may read it and once in memory."""
    if request.param == "memory":
        yield MemoryLog()
        return
    with log_database() as url, PostgresLog(url, RecorderConfig(role="qingling_writer")) as log:
        yield log


@pytest.fixture
def url() -> Iterator[str]:
    """A database with an empty log, as its superuser."""
    with log_database() as url:
        yield url


def test_both_logs_give_the_maps_of_a_replay_as_of_every_position(log: Log) -> None:
    tree = recorded(log, ALL)

    for upto in range(tree.size + 1):
        assert heads(commitment(log, tree, upto)) == heads(replayed(log, upto))


def test_an_empty_log_has_the_empty_maps(log: Log) -> None:
    assert heads(commitment(log, Tree([]), 0)) == heads((Tally(Kind.STREAM).map(), Tally(Kind.PARTITION).map()))


def test_the_maps_prove_a_case_whole_with_what_belongs_to_it(log: Log) -> None:
    tree = recorded(log, ALL)
    _, partitions = commitment(log, tree, 30)

    proof = partitions.prove("case-1")
    assert isinstance(proof, Presence)
    own = [leaf_hash(stored.entry) for stored in log.read_partition("case-1", upto=30)]
    assert {stored.stream for stored in log.read_partition("case-1", upto=30)} > {"case-1"}
    verify_whole(partitions.head, Kind.PARTITION, "case-1", own, proof)


def test_leaves_are_read_in_pieces_that_join(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wholeness, "_CHUNK", 7)
    tree = recorded(log, ALL)

    assert heads(commitment(log, tree, 33)) == heads(replayed(log, 33))


def test_a_position_beyond_the_tree_has_no_maps(log: Log) -> None:
    tree = recorded(log, ALL)
    tree.hashes.pop()

    for upto in (-1, tree.size + 1):
        with pytest.raises(ValueError, match="no position"):
            commitment(log, tree, upto)


# ---------------------------------------------------------------------------------------------------------- alterations


def as_rows(streams: Sequence[str]) -> list[Row]:
    drafts = enumerate(a_history(streams), 1)
    return [Row(position, draft.stream, draft.version, draft.partitionkey) for position, draft in drafts]


@given(histories.filter(bool), st.data())
def test_an_index_that_differs_in_anything_gives_other_maps_or_none(streams: list[str], data: st.DataObject) -> None:
    honest, altered = Index(as_rows(streams)), Index(as_rows(streams))
    tree = Tree([leaf_hash(b"%d" % row.position) for row in honest.rows])
    upto = data.draw(st.integers(1, tree.size))
    at = st.integers(0, len(altered.rows) - 1)
    for _ in range(data.draw(st.integers(1, 3))):
        row, other = altered.rows[data.draw(at)], altered.rows[data.draw(at)]
        match data.draw(st.sampled_from(["position", "stream", "version", "partitionkey", "gone"])):
            case "gone":
                row.position = tree.size + 1
            case column:
                mine, others = getattr(row, column), getattr(other, column)
                setattr(row, column, others)
                setattr(other, column, mine)
    had = [row for row in sorted(altered.rows, key=lambda row: row.position) if row.position <= upto]
    assume(had != honest.rows[:upto])

    assert heads_or_refusal(altered, tree, upto) != heads(commitment(honest, tree, upto))


def test_two_entries_of_a_stream_that_changed_places_are_refused() -> None:
    rows = as_rows(["case-1"] * 4)
    tree = Tree([leaf_hash(b"%d" % row.position) for row in rows])
    for versions in permutations(range(1, 5)):
        for row, version in zip(rows, versions, strict=True):
            row.version = version
        refused = heads_or_refusal(Index(rows), tree, 4) is None
        assert refused == (versions != (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("alteration", "why"),
    [
        ("delete from qingling.event where position = 40", "39 entries up to position 40"),
        ("delete from qingling.event where position = 7", "versions of stream case-2 have gaps"),
        (
            "delete from qingling.event where position = 7;"
            "update qingling.event set position = position + 1000 where position > 7;"
            "update qingling.event set position = position - 1001 where position > 1000",
            "versions of stream case-2 have gaps",
        ),
        ("update qingling.event set version = 90 where position = 7", "case-2 do not stand in the log in the order"),
        (
            "update qingling.event set version = 90 where stream = 'case-1' and version = 1;"
            "update qingling.event set version = 1 where stream = 'case-1' and version = 2;"
            "update qingling.event set version = 2 where stream = 'case-1' and version = 90",
            "case-1 do not stand in the log in the order",
        ),
        ("update qingling.event set position = 90 where position = 7", "versions of stream case-2 have gaps"),
    ],
)
def test_rows_that_contradict_each_other_or_the_tree_give_no_maps(url: str, alteration: str, why: str) -> None:
    with PostgresLog(url) as log:
        tree = recorded(log, ALL)
        forced(url, alteration)

        with pytest.raises(LogMismatchError, match=why):
            commitment(log, tree, tree.size)


@pytest.mark.parametrize(
    "alteration",
    [
        "update qingling.event set stream = 'case-9' where stream = 'case-1'",
        "update qingling.event set partitionkey = 'case-9' where position = 7",
        "update qingling.event set position = 90 where position = 7;"
        "update qingling.event set position = 7 where position = 10;"
        "update qingling.event set position = 10 where position = 90",
    ],
)
def test_rows_that_agree_in_a_falsehood_give_maps_that_no_replay_gives(url: str, alteration: str) -> None:
    with PostgresLog(url) as log:
        tree = recorded(log, ALL)
        honest = heads(replayed(log, tree.size))
        forced(url, alteration)

        assert heads_or_refusal(log, tree, tree.size) != honest


def test_a_tile_that_was_altered_gives_no_maps(log: Log) -> None:
    tree = recorded(log, ALL)
    root = tree.root_at(tree.size)

    class Altered(Tree):
        def root_at(self, size: int) -> bytes:
            return root

    with pytest.raises(LogMismatchError, match="do not give the root"):
        commitment(log, Altered([*tree.hashes[:7], leaf_hash(b"other"), *tree.hashes[8:]]), tree.size)


def test_the_tree_on_the_disk_gives_the_maps_and_with_an_edited_tile_none(tmp_path: Path) -> None:
    log = MemoryLog()
    hashes = recorded(log, ALL * 20).hashes
    store, edge = TileStore(tmp_path), TiledEdge()
    with store.lock():
        edge, tiles = edge.extended(hashes)
        store.write(tiles)
        store.write_head(Checkpoint("log.example/maps", edge.size, edge.root))

    assert heads(commitment(log, SealedTree(store), 700)) == heads(replayed(log, 700))

    file = tmp_path / "tile" / "0" / "001"
    file.write_bytes(file.read_bytes()[::-1])
    with pytest.raises(LogMismatchError, match="do not give the root"):
        commitment(log, SealedTree(store), 700)
    file.unlink()
    with pytest.raises(VerificationError, match="tile/0/001"):
        commitment(log, SealedTree(store), 700)


def forced(url: str, alteration: str) -> None:
    """As a superuser, past every guard."""
    execute(url, f"alter table qingling.event disable trigger user; {alteration}")
