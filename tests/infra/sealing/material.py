"""A log that tests may rewrite, and the files that its tree consists of by definition."""

from __future__ import annotations

from collections.abc import Sequence

from domain.recording import Head
from domain.sealing.bundles import encode_bundle
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.tiles import bundles_at, tiles_at
from domain.sealing.tree import leaf_hashes, root_of
from infra.memory.recorder import MemoryLog

ORIGIN = "log.example/one"
SEED = bytes(range(32))


class ListedLog(MemoryLog):
    """A log of these entries; whoever has the list can do what a superuser can."""

    def __init__(self, rows: Sequence[bytes]) -> None:
        super().__init__()
        self.rows = list(rows)

    def head(self) -> Head:
        return Head(len(self.rows), None)

    def entries(self, after: int, limit: int) -> Sequence[bytes]:
        return self.rows[after : after + limit]


def rows(count: int) -> list[bytes]:
    return [b'{"n":%d}' % n for n in range(count)]


def files_at(entries: Sequence[bytes], size: int) -> dict[str, bytes]:
    """Path and bytes of every tile and bundle of the tree of the first `size` entries, from the definition (RFC 6962, C2SP tlog-tiles)."""
    leaves = leaf_hashes(entries[:size])
    files = {}
    for tile in tiles_at(size):
        span = 256**tile.level
        starts = [(tile.index * 256 + at) * span for at in range(tile.width)]
        files[tile.path] = b"".join(root_of(leaves[start : start + span]) for start in starts)
    for bundle in bundles_at(size):
        files[bundle.path] = encode_bundle(entries[bundle.leaves.start : bundle.leaves.stop])
    return files


def head_of(entries: Sequence[bytes], size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_of(leaf_hashes(entries[:size])))
