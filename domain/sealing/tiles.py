"""Tiles: where the hashes of a tree lie, what their paths are, and reading any node out of them (C2SP tlog-tiles).

A full tile holds 256 neighbouring hashes. Those of level 0 are leaf hashes; the hash i of level l + 1 is the root over the
whole tile i of level l. So a tile of level l spans eight levels of the tree, of which it holds the lowest. The last tile of
a level may be *partial*: it has a path of its own for each width, and is never hashed upward.

Guarantees: a path has one spelling, and another names nothing. A full tile and a partial tile never change. What is read
out of stored tiles is not checked against a root: proofs made of it are, before they are handed out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from domain.errors import NotFoundError, VerificationError
from domain.sealing.encoding import HASH_BYTES, MAX_SIZE
from domain.sealing.tree import HashReader, parents_of

HEIGHT: Final = 8
WIDTH: Final = 256
MAX_LEVEL: Final = 63

_PATH: Final = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Hashes `index` · 256 and following of a level, `width` of them: 1 to 255 in a partial tile, 256 in a full one."""

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.level <= MAX_LEVEL and 0 <= self.index <= MAX_SIZE and 1 <= self.width <= WIDTH):
            raise ValueError(f"there is no tile of level {self.level}, index {self.index}, width {self.width}")

    @property
    def path(self) -> str:
        """Below the log's prefix, without a leading slash: `tile/0/x001/x234/067.p/8`."""
        return f"tile/{self.level}/{_index_path(self.index, self.width)}"

    @property
    def is_full(self) -> bool:
        """Whether it will never be served wider."""
        return self.width == WIDTH


@dataclass(frozen=True, slots=True, order=True)
class Bundle:
    """The entries whose leaf hashes are in the tile of level 0 with this index and width."""

    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not (0 <= self.index <= MAX_SIZE and 1 <= self.width <= WIDTH):
            raise ValueError(f"there is no bundle of index {self.index}, width {self.width}")

    @property
    def path(self) -> str:
        """Below the log's prefix, without a leading slash: `tile/entries/x001/x234/067.p/8`."""
        return f"tile/entries/{_index_path(self.index, self.width)}"

    @property
    def is_full(self) -> bool:
        """Whether it will never be served wider."""
        return self.width == WIDTH

    @property
    def leaves(self) -> range:
        """The leaf indexes of its entries; the positions are one more."""
        return range(self.index * WIDTH, self.index * WIDTH + self.width)


def parse_path(path: str) -> Tile | Bundle:
    """What a path below the log's prefix names.

    Raises:
        NotFoundError: nothing, since it is not exactly the path of a tile or bundle.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise NotFoundError(f"{path!r} is not the path of a tile")
    level, groups, partial = match.groups()
    index, width = int(groups.replace("x", "").replace("/", "")), int(partial) if partial else WIDTH
    try:
        named = Bundle(index, width) if level == "entries" else Tile(int(level), index, width)
    except ValueError:
        raise NotFoundError(f"{path!r} is not the path of a tile") from None
    if named.path != path:
        raise NotFoundError(f"{path!r} is not the one path of {named.path}")
    return named


def _index_path(index: int, width: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    partial = "" if width == WIDTH else f".p/{width}"
    return "".join(f"x{group}/" for group in groups[:-1]) + groups[-1] + partial


# ------------------------------------------------------------------------------------------------- which tiles there are


def tiles_at(size: int) -> Iterator[Tile]:
    """Every tile of a tree of `size` leaves: level by level, left to right, the partial one last."""
    return new_tiles(0, size)


def new_tiles(old_size: int, size: int) -> Iterator[Tile]:
    """The tiles of a tree of `size` leaves that one of `old_size` does not have.

    Partial tiles of sizes between are not among them: they are due only where a checkpoint was produced.
    """
    level = 0
    while size >> HEIGHT * level:
        had, has = old_size >> HEIGHT * level, size >> HEIGHT * level
        yield from (Tile(level, index, width) for index, width in _new_spans(had, has))
        level += 1


def partial_tiles(size: int) -> list[Tile]:
    """The partial tiles of a tree of `size` leaves, lowest level first: with these it can be grown (`growth`)."""
    counts = ((level, size >> HEIGHT * level) for level in range(-(-size.bit_length() // HEIGHT)))
    return [Tile(level, count // WIDTH, count % WIDTH) for level, count in counts if count % WIDTH]


def bundles_at(size: int) -> Iterator[Bundle]:
    """Every entry bundle of a tree of `size` leaves, left to right, the partial one last."""
    return new_bundles(0, size)


def new_bundles(old_size: int, size: int) -> Iterator[Bundle]:
    """The entry bundles of a tree of `size` leaves that one of `old_size` does not have."""
    return (Bundle(index, width) for index, width in _new_spans(old_size, size))


def _new_spans(had: int, has: int) -> Iterator[tuple[int, int]]:
    """Index and width of what `has` hashes of a level need and `had` did not."""
    yield from ((index, WIDTH) for index in range(had // WIDTH, has // WIDTH))
    if has > had and has % WIDTH:
        yield has // WIDTH, has % WIDTH


# --------------------------------------------------------------------------------------------------------------- reading

TileLoader = Callable[[Tile], bytes]
"""Returns a tile's hashes, exactly `width` of them. A store that no longer has the partial tile cuts the full one."""


def tile_of(level: int, index: int, size: int) -> Tile:
    """The tile that holds what the node (level, index) is made of, in a tree of `size` leaves.

    Raises:
        ValueError: the tree does not have this node.
    """
    if level < 0 or index < 0 or (index + 1) << level > size:
        raise ValueError(f"a tree of {size} leaves has no node {index} of level {level}")
    tile_level, above = divmod(level, HEIGHT)
    tile_index = (index << above) // WIDTH
    return Tile(tile_level, tile_index, min(WIDTH, (size >> HEIGHT * tile_level) - tile_index * WIDTH))


def checked_hashes(tile: Tile, data: bytes) -> list[bytes]:
    """The hashes of a tile as it was loaded.

    Raises:
        VerificationError: there are not as many as the tile is wide.
    """
    if len(data) != tile.width * HASH_BYTES:
        raise VerificationError(f"{tile.path} has {len(data)} bytes, not {tile.width * HASH_BYTES}")
    return hashes_in(data)


def hashes_in(data: bytes) -> list[bytes]:
    """The hashes of a tile, one by one."""
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def hash_reader(size: int, load: TileLoader) -> HashReader:
    """Reads nodes of a tree of `size` leaves out of its tiles. Each tile is loaded, and hashed, once in the reader's life.

    Reading raises VerificationError where a tile is not as long as it should be.
    """
    loaded: dict[Tile, list[list[bytes]]] = {}

    def read(level: int, index: int) -> bytes:
        tile = tile_of(level, index, size)
        rows = loaded.get(tile)
        if rows is None:
            rows = loaded[tile] = [checked_hashes(tile, load(tile))]
        above = level - tile.level * HEIGHT
        while len(rows) <= above:
            rows.append(parents_of(rows[-1]))
        return rows[above][index - (tile.index * WIDTH >> above)]

    return read
