"""A sealed tree, read from its folder: leaves, proofs, roots of any size that it ever had, and the entries themselves.

Guarantees: what is read is as the files say, and checked against no signature; who hands a proof out verifies it first. Only `entries`
looks at more than one file: each entry is held against its leaf. The tree may grow meanwhile; this one stays as it was.
Safe to share between threads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import cached_property
from threading import Lock
from typing import Final

from domain.errors import NotFoundError, VerificationError
from domain.sealing.bundles import verify_bundle
from domain.sealing.subset import subset_proof
from domain.sealing.tiles import HEIGHT, WIDTH, Bundle, Tile, checked_hashes, tile_of
from domain.sealing.tree import Edge, consistency_proof, edge_of, inclusion_proof, parents_of, root_from
from infra.sealing.store import Named, TileStore

_CACHED_ROWS: Final = 1_024  # of at most 256 hashes, so up to 20 MB


class SealedTree:
    """See the module. `size` leaves of the durable tree; None: all that it has now."""

    def __init__(self, store: TileStore, size: int | None = None) -> None:
        """
        Raises:
            ValueError: the durable tree has fewer leaves.
            LogMismatchError: the folder does not say how many it has.
        """
        head = store.head()
        self._store = store
        self._stored = 0 if head is None else head.size
        self.size = self._stored if size is None else size
        if not 0 <= self.size <= self._stored:
            raise ValueError(
                f"there is no sealed tree of {self.size} leaves; the one in {store.folder} has {self._stored}"
            )
        self._rows: OrderedDict[tuple[Tile, int], list[bytes]] = OrderedDict()
        self._lock = Lock()

    @cached_property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        return self.root_at(self.size)

    @property
    def edge(self) -> Edge:
        """The right edge, to go on from in memory."""
        return edge_of(self.size, self._node)

    def root_at(self, size: int) -> bytes:
        """The root that the tree had, or has, with so many leaves.

        Raises:
            ValueError: it has fewer.
            VerificationError: a tile that is needed is damaged or missing. So do all that follow.
        """
        self._require_size(size)
        return root_from(size, self._node)

    def leaf(self, index: int) -> bytes:
        """The hash of one leaf, 32 bytes. Its position is one more than its index."""
        self._require_size(index + 1)
        return self._node(0, index)

    def leaves(self, first: int, end: int) -> list[bytes]:
        """The hashes of the leaves [first, end)."""
        return [leaf for bundle in self._bundles(first, end) for leaf in self._leaves_of(bundle, first, end)]

    def entries(self, first: int, end: int) -> list[bytes]:
        """The entries of the leaves [first, end), from the bundles, each after it was hashed and compared with its leaf.

        Raises:
            VerificationError: an entry does not hash to its leaf; the message names its position.
        """
        found: list[bytes] = []
        for bundle in self._bundles(first, end):
            tile = Tile(0, bundle.index, bundle.width)
            entries = verify_bundle(bundle, self._read(bundle), self._read(tile))
            found += entries[max(0, first - bundle.leaves.start) : end - bundle.leaves.start]
        return found

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that the tree of `size` leaves has this leaf at this index."""
        self._require_size(size)
        return inclusion_proof(index, size, self._node)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the tree of `new` leaves begins with that of `old`."""
        self._require_size(new)
        return consistency_proof(old, new, self._node)

    def subset(self, indexes: Sequence[int], size: int) -> list[bytes]:
        """One proof that the tree of `size` leaves has leaves at these rising indexes (`domain/sealing/subset.py`)."""
        self._require_size(size)
        return subset_proof(indexes, size, self._node)

    def _require_size(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise ValueError(f"a tree of {self.size} leaves does not reach leaf {size}")

    def _bundles(self, first: int, end: int) -> Iterator[Bundle]:
        """The bundles that hold the leaves [first, end), as wide as they are stored."""
        self._require_size(end)
        if not 0 <= first <= end:
            raise ValueError(f"leaves {first} to {end} are no range")
        indexes = range(first // WIDTH, -(-end // WIDTH)) if first < end else range(0)
        return (Bundle(index, min(WIDTH, self._stored - index * WIDTH)) for index in indexes)

    def _leaves_of(self, bundle: Bundle, first: int, end: int) -> list[bytes]:
        tile = Tile(0, bundle.index, bundle.width)
        start = bundle.leaves.start
        return checked_hashes(tile, self._read(tile))[max(0, first - start) : end - start]

    def _node(self, level: int, index: int) -> bytes:
        tile = tile_of(level, index, self._stored)
        above = level - tile.level * HEIGHT
        return self._row(tile, above)[index - (tile.index * WIDTH >> above)]

    def _row(self, tile: Tile, above: int) -> list[bytes]:
        """The nodes that lie `above` levels over the hashes of a tile; those used last are kept."""
        with self._lock:
            if (tile, above) in self._rows:
                self._rows.move_to_end((tile, above))
                return self._rows[tile, above]
        row = parents_of(self._row(tile, above - 1)) if above else checked_hashes(tile, self._read(tile))
        with self._lock:
            self._rows[tile, above] = row
            if len(self._rows) > _CACHED_ROWS:
                self._rows.popitem(last=False)
        return row

    def _read(self, named: Named) -> bytes:
        try:
            return self._store.read(named)
        except NotFoundError as error:
            raise VerificationError(f"the tree of {self._stored} leaves is damaged: {error}") from error
