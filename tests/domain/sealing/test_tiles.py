"""Tiles: paths, shapes, and nodes read out of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.errors import NotFoundError, VerificationError
from domain.sealing.encoding import MAX_SIZE
from domain.sealing.growth import TiledEdge
from domain.sealing.tiles import (
    WIDTH,
    Bundle,
    Tile,
    bundles_at,
    hash_reader,
    new_bundles,
    new_tiles,
    parse_path,
    partial_tiles,
    tile_of,
    tiles_at,
)
from domain.sealing.tree import (
    consistency_proof,
    inclusion_proof,
    root_from,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.domain.sealing.material import leaves, literal_root

indexes = st.one_of(st.integers(0, 2000), st.integers(0, MAX_SIZE))
widths = st.integers(1, WIDTH)
sizes = st.one_of(st.integers(0, 1000), st.integers(0, 2_000_000))


@settings(deadline=None)
@given(st.integers(0, 63), indexes, widths)
@example(0, 999, 256)
@example(0, 1000, 255)
@example(63, MAX_SIZE, 1)
def test_a_path_names_its_tile_again(level: int, index: int, width: int) -> None:
    for named in (Tile(level, index, width), Bundle(index, width)):
        assert parse_path(named.path) == named
        assert re.fullmatch(r"tile/(entries|[1-9]?[0-9])(/x[0-9]{3})*/[0-9]{3}(\.p/[1-9][0-9]{0,2})?", named.path)
        assert named.path.endswith(f".p/{width}") != named.is_full


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/100/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/001/x002",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/x000/000",
        "tile/0/x000/x001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/",
        "tile/0/000.p/+1",
        "tile/0/000.P/1",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x001/" * 2000 + "001",
        "tile/0/٠٠٠",
        "tile/٠/000",
        "tile/0/000\n",
        "tile/0/00\u00b2",
        "tile/8/0/000",
        "tile/entries/x000/000",
        "tile/entry/000",
        "tile/0/../000",
        "tile/0/%30%30%30",
        "checkpoint",
    ],
)
def test_another_spelling_names_nothing(path: str) -> None:
    with pytest.raises(NotFoundError):
        parse_path(path)


@settings(deadline=None)
@given(st.text(alphabet="tile/entrsx0123456789.p", max_size=40))
def test_what_names_something_is_spelled_in_the_one_way(path: str) -> None:
    try:
        named = parse_path(path)
    except NotFoundError:
        return
    assert named.path == path


def test_tiles_that_cannot_be_are_refused() -> None:
    for level, index, width in [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257), (0, MAX_SIZE + 1, 1)]:
        with pytest.raises(ValueError, match="no tile"):
            Tile(level, index, width)
    for index, width in [(-1, 1), (0, 0), (0, 257), (MAX_SIZE + 1, 1)]:
        with pytest.raises(ValueError, match="no bundle"):
            Bundle(index, width)


@settings(deadline=None)
@given(sizes)
@example(0)
@example(1)
@example(255)
@example(256)
@example(65_536)
@example(70_000)
def test_the_tiles_of_a_size_are_those_that_the_specification_counts(size: int) -> None:
    expected = set()
    for level in range(5):
        count = size // 256**level
        expected |= {Tile(level, index) for index in range(count // 256)}
        if count % 256:
            expected.add(Tile(level, count // 256, count % 256))
    tiles = list(tiles_at(size))
    assert len(tiles) == len(expected)
    assert set(tiles) == expected
    assert [tile for tile in tiles if not tile.is_full] == partial_tiles(size)
    assert list(bundles_at(size)) == [Bundle(tile.index, tile.width) for tile in tiles if tile.level == 0]


@settings(deadline=None)
@given(sizes, sizes)
@example(255, 256)
@example(256, 256)
@example(256, 257)
@example(0, 70_000)
def test_new_tiles_are_those_that_the_old_size_had_not(one: int, other: int) -> None:
    old, size = sorted((one, other))
    had, had_bundles = set(tiles_at(old)), set(bundles_at(old))
    assert list(new_tiles(old, size)) == [tile for tile in tiles_at(size) if tile not in had]
    assert list(new_bundles(old, size)) == [bundle for bundle in bundles_at(size) if bundle not in had_bundles]


def test_the_tiles_of_the_largest_tree_have_paths() -> None:
    tiles = partial_tiles(MAX_SIZE)
    assert [tile.width for tile in tiles] == [255] * 7 + [127]
    assert all(parse_path(tile.path) == tile for tile in tiles)


def test_a_bundle_holds_the_entries_of_its_positions() -> None:
    assert list(Bundle(2, 3).leaves) == [512, 513, 514]


# -------------------------------------------------------------------------------------------------------------- reading

MANY = leaves(70_000)


@pytest.fixture(scope="module")
def tiles() -> dict[Tile, bytes]:
    return dict(TiledEdge().extended(MANY)[1])


def test_every_node_of_a_tree_is_read_out_of_its_tiles(tiles: dict[Tile, bytes]) -> None:
    read = hash_reader(70_000, tiles.__getitem__)
    for level, index in [(0, 0), (0, 69_999), (1, 34_999), (3, 7), (7, 545), (8, 272), (9, 1), (15, 1), (16, 0)]:
        assert read(level, index) == literal_root(MANY[index << level : (index + 1) << level])


def test_proofs_made_of_tiles_verify(tiles: dict[Tile, bytes]) -> None:
    root = root_of(MANY)
    read = hash_reader(70_000, tiles.__getitem__)
    assert root_from(70_000, read) == root
    for index in (0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999):
        verify_inclusion(MANY[index], index, 70_000, inclusion_proof(index, 70_000, read), root)
    for old in (1, 255, 256, 257, 65_536, 65_537, 69_888, 69_999, 70_000):
        proof = consistency_proof(old, 70_000, read)
        verify_consistency(old, root_of(MANY[:old]), 70_000, root, proof)


def test_a_proof_loads_each_tile_once_and_few_of_them(tiles: dict[Tile, bytes]) -> None:
    loaded: list[Tile] = []

    def load(tile: Tile) -> bytes:
        loaded.append(tile)
        return tiles[tile]

    inclusion_proof(12_345, 70_000, hash_reader(70_000, load))
    assert len(loaded) == len(set(loaded)) <= 5


def test_a_node_that_is_not_there_yet_is_refused() -> None:
    for level, index in [(0, 256), (8, 1), (1, 128), (9, 0), (-1, 0), (0, -1)]:
        with pytest.raises(ValueError, match="no node"):
            tile_of(level, index, 256)
    assert tile_of(8, 0, 256) == Tile(1, 0, 1)
    assert tile_of(7, 1, 256) == Tile(0, 0)


@pytest.mark.parametrize("change", [-32, -1, 1, 32])
def test_a_tile_of_another_length_is_refused(tiles: dict[Tile, bytes], change: int) -> None:
    def load(tile: Tile) -> bytes:
        return (tiles[tile] + bytes(32))[: tile.width * 32 + change]

    with pytest.raises(VerificationError, match="bytes, not"):
        inclusion_proof(0, 70_000, hash_reader(70_000, load))
