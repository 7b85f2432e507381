"""A tiled tree that grows: the same tiles in whatever steps, and nothing altered that was written."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.sealing.growth import TiledEdge, loaded_edge
from domain.sealing.tiles import Tile, new_tiles, partial_tiles, tiles_at
from domain.sealing.tree import leaf_hash, root_of
from tests.domain.sealing.material import bit_flips, leaves

MANY = leaves(70_000)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=6))
@example([255, 1])
@example([256, 0, 256])
@example([65_535, 1, 1])
@example([70_000])
def test_a_tree_has_the_same_tiles_and_root_in_whatever_steps_it_grows(steps: list[int]) -> None:
    edge = TiledEdge()
    written: dict[Tile, bytes] = {}
    for step in steps:
        larger, tiles = edge.extended(MANY[edge.size : edge.size + step])
        assert sorted(tile for tile, _ in tiles) == sorted(new_tiles(edge.size, larger.size))
        assert all(written.setdefault(tile, data) == data for tile, data in tiles)
        edge = larger
    at_once, tiles = TiledEdge().extended(MANY[: edge.size])
    assert edge == at_once
    assert edge.root == root_of(MANY[: edge.size])
    assert {tile: written[tile] for tile in tiles_at(edge.size)} == dict(tiles)


def test_tiles_hold_what_the_specification_says() -> None:
    tiles = dict(TiledEdge().extended(MANY)[1])
    assert set(tiles) == set(tiles_at(70_000))
    for tile, data in tiles.items():
        assert len(data) == tile.width * 32
        span = 256**tile.level
        for at in {0, tile.width // 2, tile.width - 1}:
            first = (tile.index * 256 + at) * span
            assert data[at * 32 : at * 32 + 32] == root_of(MANY[first : first + span])


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000])
def test_an_edge_is_loaded_as_it_was_left_and_grows_on(size: int) -> None:
    edge, tiles = TiledEdge().extended(MANY[:size])
    loaded = loaded_edge(size, root_of(MANY[:size]), dict(tiles).__getitem__)
    assert loaded == edge
    assert loaded.extended(MANY[:300])[0].root == root_of(MANY[:size] + MANY[:300])


def test_any_bit_changed_at_the_right_edge_is_found_when_it_is_loaded() -> None:
    size = 65_536 + 256 + 3
    tiles = dict(TiledEdge().extended(MANY[:size])[1])
    root = root_of(MANY[:size])
    for tile in partial_tiles(size):
        for wrong in bit_flips(tiles[tile]):
            with pytest.raises(VerificationError, match="right edge"):
                loaded_edge(size, root, {**tiles, tile: wrong}.__getitem__)
        with pytest.raises(VerificationError, match="bytes, not"):
            loaded_edge(size, root, {**tiles, tile: tiles[tile][:-1]}.__getitem__)


def test_an_edge_is_not_loaded_for_another_root() -> None:
    tiles = dict(TiledEdge().extended(MANY[:10])[1])
    with pytest.raises(VerificationError, match="10 leaves"):
        loaded_edge(10, leaf_hash(b"another"), tiles.__getitem__)
