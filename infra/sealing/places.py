"""The three places where an entry lies, read side by side: its row in the database, its bundle, and its leaf hash in a tile.

Guarantees: nothing that is read is believed, and nothing that is wrong with it raises: a place that cannot be read says so, and has
no leaves. Memory holds one block of 256 positions and a window of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

from domain.errors import NotFoundError, VerificationError
from domain.recording import StoredEntry
from domain.sealing.bundles import decode_bundle
from domain.sealing.tiles import WIDTH, Bundle, Tile, checked_hashes
from domain.sealing.tree import leaf_hash, leaf_hashes
from infra.sealing.store import TileStore

Leaves = Sequence[bytes | None]

_WINDOW = 16 * WIDTH


class RowReader(Protocol):
    """The rows of a log, whatever state they are in: gaps are passed over."""

    def stream(self, after: int, upto: int, chunk: int = ...) -> Iterator[Sequence[StoredEntry]]:
        """The rows with `after` < position <= `upto`, in order of position."""


@dataclass(frozen=True)
class File:
    """What a file of the log holds. `fault`: why it cannot be read, empty where it can; `missing`: it is not there."""

    path: str
    parts: Sequence[bytes] = ()
    fault: str = ""
    missing: bool = False


class Block:
    """Up to 256 neighbouring positions in all three places. `width` of them are in the tree on disk, the others only in the database."""

    def __init__(
        self,
        first: int,
        rows: Sequence[StoredEntry | None],
        width: int = 0,
        bundle: File | None = None,
        tile: File | None = None,
    ) -> None:
        self.first = first
        self.width = width
        self.rows = rows
        self.bundle = bundle or File("")
        self.tile = tile or File("")

    @cached_property
    def in_database(self) -> Leaves:
        """Leaf hashes of the rows."""
        return [None if row is None else leaf_hash(row.entry) for row in self.rows]

    @cached_property
    def in_bundle(self) -> Leaves:
        """Leaf hashes of the bundle's entries. Where they are those of the rows, they are hashed once."""
        if len(self.bundle.parts) == len(self.rows) and all(
            row is not None and row.entry == entry for row, entry in zip(self.rows, self.bundle.parts, strict=True)
        ):
            return self.in_database
        return self._filled(leaf_hashes(self.bundle.parts))

    @cached_property
    def in_tile(self) -> Leaves:
        """The hashes of the tile."""
        return self._filled(self.tile.parts)

    def _filled(self, leaves: Sequence[bytes]) -> Leaves:
        return [*leaves, *[None] * (len(self.rows) - len(leaves))]


class Places:
    """The blocks of a log of which `size` leaves are in the tree on disk, and which is looked at up to position `end`."""

    def __init__(self, log: RowReader, store: TileStore, size: int, end: int) -> None:
        self._log = log
        self._store = store
        self._size = size
        self._end = end
        self._window: tuple[int, dict[int, StoredEntry]] = (-1, {})
        self.block = lru_cache(2)(self._block)
        self._tile = lru_cache(16)(self._read_tile)

    def _block(self, index: int) -> Block:
        """The block whose first leaf is 256 · index."""
        first = index * WIDTH
        rows = self._rows(first, min(first + WIDTH, self._end))
        width = min(WIDTH, self._size - first)
        if width < 1:
            return Block(first, rows)
        return Block(first, rows, width, self._bundle(Bundle(index, width)), self._tile(Tile(0, index, width)))

    def tile_leaf(self, leaf: int) -> bytes | None:
        """What the tile holds at a leaf index; None where it has none."""
        index, at = divmod(leaf, WIDTH)
        parts = self._around(index).parts
        return parts[at] if at < len(parts) else None

    def find_near(self, leaf: bytes, at: int) -> int | None:
        """The leaf index nearest to `at` where the tiles hold this hash, in the tiles around it; None: in none of them."""
        middle = at // WIDTH
        found = [
            index * WIDTH + place
            for index in range(max(0, middle - 2), middle + 3)
            for place, other in enumerate(self._around(index).parts)
            if other == leaf
        ]
        return min(found, key=lambda place: abs(place - at), default=None)

    def tile(self, named: Tile) -> File:
        """The hashes of a tile of any level."""
        try:
            return File(named.path, checked_hashes(named, self._store.read(named)))
        except NotFoundError as error:
            return File(named.path, fault=str(error), missing=True)
        except VerificationError as error:
            return File(named.path, fault=str(error))

    def _read_tile(self, named: Tile) -> File:
        return self.tile(named)

    def _around(self, index: int) -> File:
        width = min(WIDTH, self._size - index * WIDTH)
        return self._tile(Tile(0, index, width)) if width > 0 else File("")

    def _bundle(self, named: Bundle) -> File:
        try:
            return File(named.path, decode_bundle(self._store.read(named), named.width))
        except NotFoundError as error:
            return File(named.path, fault=str(error), missing=True)
        except VerificationError as error:
            return File(named.path, fault=str(error))

    def _rows(self, first: int, end: int) -> list[StoredEntry | None]:
        """The rows of leaves [first, end); a window of rows is read at once."""
        start, window = self._window
        if not (start >= 0 and start <= first and end <= start + _WINDOW):
            rows = self._log.stream(first, first + _WINDOW, _WINDOW)
            window = {row.position: row for chunk in rows for row in chunk}
            self._window = (first, window)
        return [window.get(leaf + 1) for leaf in range(first, end)]
