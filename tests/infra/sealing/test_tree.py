"""A sealed tree gives the leaves, roots and proofs of the tree that the same entries make in memory."""

from __future__ import annotations

import gc
import random
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.errors import VerificationError
from domain.sealing.bundles import encode_bundle
from domain.sealing.subset import verify_subset
from domain.sealing.tiles import Bundle, Tile
from domain.sealing.tree import EMPTY_ROOT, root_of, verify_consistency, verify_inclusion
from infra.sealing import tree as tree_module
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree
from tests.infra.sealing.test_store import ENTRIES, LEAVES, ORIGIN, grow

SIZE = 66_900


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> TileStore:
    store = TileStore(tmp_path_factory.mktemp("grown") / "log")
    store.create(ORIGIN)
    grow(store, 3, 300, 66_000, SIZE)
    return store


@pytest.fixture
def tree(grown: TileStore) -> SealedTree:
    return SealedTree(grown)


@pytest.fixture
def small(tmp_path: Path) -> TileStore:
    store = TileStore(tmp_path / "log")
    store.create(ORIGIN)
    grow(store, 300)
    return store


def test_a_tree_knows_its_size_and_every_root_it_had(tree: SealedTree) -> None:
    assert (tree.size, tree.root) == (SIZE, root_of(LEAVES[:SIZE]))
    for size in (0, 1, 2, 3, 255, 256, 257, 300, 65_535, 65_536, 65_537, SIZE):
        assert tree.root_at(size) == root_of(LEAVES[:size])


def test_an_empty_folder_is_an_empty_tree(tmp_path: Path) -> None:
    tree = SealedTree(TileStore(tmp_path / "nothing"))

    assert (tree.size, tree.root, tree.leaves(0, 0), tree.entries(0, 0)) == (0, EMPTY_ROOT, [], [])


@pytest.mark.parametrize(
    ("first", "end"), [(0, 0), (0, 1), (5, 5), (255, 257), (100, 600), (0, SIZE), (66_899, SIZE), (SIZE, SIZE)]
)
def test_leaves_and_entries_of_a_range(tree: SealedTree, first: int, end: int) -> None:
    assert tree.leaves(first, end) == LEAVES[first:end]
    assert tree.entries(first, end) == ENTRIES[first:end]


def test_one_leaf(tree: SealedTree) -> None:
    assert [tree.leaf(index) for index in (0, 255, 256, SIZE - 1)] == [LEAVES[i] for i in (0, 255, 256, SIZE - 1)]


def test_proofs_of_inclusion_verify_at_every_size(tree: SealedTree) -> None:
    chance = random.Random(1)
    for size in (1, 2, 255, 256, 257, 4_000, 65_536, SIZE):
        for index in {0, size - 1, *(chance.randrange(size) for _ in range(10))}:
            verify_inclusion(LEAVES[index], index, size, tree.inclusion(index, size), root_of(LEAVES[:size]))


def test_proofs_of_consistency_verify_between_any_two_sizes(tree: SealedTree) -> None:
    sizes = (0, 1, 3, 256, 300, 4_001, 65_536, 66_000, SIZE)
    roots = {size: root_of(LEAVES[:size]) for size in sizes}
    for old in sizes:
        for new in (size for size in sizes if size >= old):
            verify_consistency(old, roots[old], new, roots[new], tree.consistency(old, new))


def test_proofs_of_many_leaves_verify(tree: SealedTree) -> None:
    indexes = sorted(random.Random(2).sample(range(66_000), 500))

    proof = tree.subset(indexes, 66_000)
    verify_subset([LEAVES[i] for i in indexes], indexes, 66_000, proof, root_of(LEAVES[:66_000]))


def test_a_smaller_tree_ends_where_it_says(grown: TileStore) -> None:
    tree = SealedTree(grown, 1_000)

    assert (tree.size, tree.root) == (1_000, root_of(LEAVES[:1_000]))
    assert tree.entries(990, 1_000) == ENTRIES[990:1_000]
    for beyond in (
        lambda: tree.leaf(1_000),
        lambda: tree.leaf(-1),
        lambda: tree.leaves(990, 1_001),
        lambda: tree.leaves(9, 8),
        lambda: tree.entries(0, 1_001),
        lambda: tree.root_at(1_001),
        lambda: tree.inclusion(0, 1_001),
        lambda: tree.inclusion(500, 500),
        lambda: tree.consistency(1, 1_001),
        lambda: tree.subset([1], 1_001),
        lambda: SealedTree(grown, SIZE + 1),
    ):
        with pytest.raises(ValueError, match=r"leaf|leaves|indexes"):
            beyond()


def test_a_tree_stays_as_it_was_while_the_folder_grows(small: TileStore) -> None:
    tree = SealedTree(small)
    grow(small, 300, 2_000)

    assert tree.size == 300
    assert tree.leaves(0, 300) == LEAVES[:300]
    assert tree.entries(0, 300) == ENTRIES[:300]
    verify_inclusion(LEAVES[299], 299, 300, tree.inclusion(299, 300), root_of(LEAVES[:300]))


def test_an_entry_that_was_altered_in_its_bundle_is_refused_naming_its_position(small: TileStore) -> None:
    other = encode_bundle([*ENTRIES[256:270], b'{"n":-1}', *ENTRIES[271:300]])
    (small.folder / Bundle(1, 44).path).write_bytes(other)

    tree = SealedTree(small)
    assert tree.entries(0, 256) == ENTRIES[:256]
    with pytest.raises(VerificationError, match="the entry at position 271 "):
        tree.entries(256, 257)


def test_a_tile_that_was_altered_gives_no_proof_that_verifies(small: TileStore) -> None:
    data = bytearray((small.folder / Tile(0, 1, 44).path).read_bytes())
    data[5] ^= 1
    (small.folder / Tile(0, 1, 44).path).write_bytes(data)

    with pytest.raises(VerificationError):
        verify_inclusion(LEAVES[0], 0, 300, SealedTree(small).inclusion(0, 300), root_of(LEAVES[:300]))


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1])])
def test_a_tile_that_is_missing_or_cut_short_is_said_so(small: TileStore, spoil: object) -> None:
    assert callable(spoil)
    spoil(small.folder / "tile/0/000")

    with pytest.raises(VerificationError, match="tile/0/000"):
        SealedTree(small).leaves(0, 300)
    with pytest.raises(VerificationError, match="tile/0/000"):
        SealedTree(small).inclusion(3, 300)


def test_threads_share_a_tree(tree: SealedTree) -> None:
    root = root_of(LEAVES[:SIZE])

    def prove(index: int) -> None:
        verify_inclusion(LEAVES[index], index, SIZE, tree.inclusion(index, SIZE), root)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(prove, random.Random(3).sample(range(SIZE), 400)))


def test_a_tree_that_nobody_holds_any_more_is_gone_at_once(grown: TileStore) -> None:
    tree = SealedTree(grown)
    tree.inclusion(70, SIZE)
    gone = weakref.ref(tree)
    gc.disable()
    try:
        del tree
        assert gone() is None, "a tree in a cycle would hold its tiles until the collector comes by"
    finally:
        gc.enable()


def test_a_long_walk_keeps_only_what_was_used_last(grown: TileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_module, "_CACHED_ROWS", 4)
    tree = SealedTree(grown)
    for index in range(0, SIZE, 2_560):
        verify_inclusion(LEAVES[index], index, SIZE, tree.inclusion(index, SIZE), tree.root)
        assert len(tree._rows) <= 4
