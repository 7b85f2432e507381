"""A tiled tree that grows: what has to be written when leaves are added.

Guarantees: growing is a function of the tree so far and the new leaves. So after a crash the same leaves give the same tiles
again, byte for byte, and writing one twice changes nothing. A tree as it was stays valid while the next is written: full
tiles and partial tiles are never altered, only added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import VerificationError
from domain.sealing.tiles import HEIGHT, WIDTH, Tile, TileLoader, checked_hashes, hash_reader, partial_tiles
from domain.sealing.tree import root_from, root_of

Row = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TiledEdge:
    """The right edge of a tiled tree: for each level the hashes of its partial tile, at most 255.

    Begin with `TiledEdge()` for an empty log and with `loaded_edge` for a stored one.
    """

    size: int = 0
    rows: tuple[Row, ...] = ()

    @property
    def root(self) -> bytes:
        """The root of the tree so far."""
        tiles = {tile: b"".join(self.rows[tile.level]) for tile in partial_tiles(self.size)}
        return root_from(self.size, hash_reader(self.size, tiles.__getitem__))

    def extended(self, leaves: Sequence[bytes]) -> tuple[TiledEdge, list[tuple[Tile, bytes]]]:
        """With further leaf hashes: the new edge, and the tiles that the larger tree has and this one has not.

        Tiles come level by level, left to right. All must be durable before a checkpoint of the larger tree is signed.
        """
        rows: list[Row] = []
        written: list[tuple[Tile, bytes]] = []
        arriving: Sequence[bytes] = leaves
        level = 0
        while arriving or level < len(self.rows):
            row = (*self.rows[level], *arriving) if level < len(self.rows) else tuple(arriving)
            first = (self.size >> HEIGHT * level) // WIDTH
            full = len(row) // WIDTH
            chunks = [row[at * WIDTH : (at + 1) * WIDTH] for at in range(full)]
            written += [(Tile(level, first + at), b"".join(chunk)) for at, chunk in enumerate(chunks)]
            rest = row[full * WIDTH :]
            if arriving and rest:
                written.append((Tile(level, first + full, len(rest)), b"".join(rest)))
            rows.append(rest)
            arriving = [root_of(chunk) for chunk in chunks]
            level += 1
        return TiledEdge(self.size + len(leaves), tuple(rows)), written


def loaded_edge(size: int, root: bytes, load: TileLoader) -> TiledEdge:
    """The edge of a stored tree, which has been held against the root that was signed for it.

    The root is made of exactly the hashes of the partial tiles, so a single changed bit in one of them is found here. Full
    tiles are not looked at.

    Raises:
        VerificationError: the tiles do not give the root, or one is not as long as it should be.
    """
    rows: list[Row] = [()] * -(-size.bit_length() // HEIGHT)
    for tile in partial_tiles(size):
        rows[tile.level] = tuple(checked_hashes(tile, load(tile)))
    edge = TiledEdge(size, tuple(rows))
    if edge.root != root:
        raise VerificationError(f"the tiles at the right edge do not give the root of the tree of {size} leaves")
    return edge
