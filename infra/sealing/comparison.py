"""Walks through a log from one checkpoint to the next, and compares rows, bundles and tiles with what was sealed.

Where the three places disagree, the signed root decides which of them holds what was sealed: leaves are taken from the tiles, the
bundles, the rows, or from what most of them say, until the tree over them has the root that was signed.

Guarantees: one pass, a block of 256 positions at a time; a stretch between two checkpoints is read again only where something in it
differs. Nothing that is wrong with the log raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from typing import Any

import orjson

from domain.recording import StoredEntry
from domain.sealing.growth import TiledEdge
from domain.sealing.tiles import HEIGHT, WIDTH, Tile, hashes_in, partial_tiles
from domain.sealing.tree import Edge
from infra.sealing.findings import TamperFinding, TamperRule
from infra.sealing.places import Block, Leaves, Places
from infra.sealing.row_runs import RowRun, RowRuns, RunKind

_RUNS = 10_000  # kept; the others are counted
_CHANGES = 4  # of an entry that are named
_SHOWN = 80  # characters of a value
_MISSING = frozenset({TamperRule.BUNDLE_MISSING, TamperRule.TILE_MISSING})


class Source(Enum):
    """Where the leaves of a stretch are taken from."""

    TILES = "tiles"
    BUNDLES = "bundles"
    ROWS = "rows"
    MOST = "most"
    """Of each position what most places say; where all three differ, the tile."""


@dataclass
class _Stretch:
    """What comparing a stretch with the leaves of one source gave."""

    edge: Edge
    tiled: TiledEdge
    rows: RowRuns
    files: list[TamperFinding] = field(default_factory=list)
    hole: int | None = None
    """The first leaf that the source does not have; the stretch ends before it."""


class Comparison:
    """The tree as far as it was walked: `edge`. `size`: leaves in the tree on disk; `signed`: leaves that the signer vouches for."""

    def __init__(
        self, places: Places, *, size: int, signed: int, end: int, progress: Callable[[int, int], None] | None
    ) -> None:
        self.edge = Edge()
        self.tiled = TiledEdge()
        self.rows = RowRuns(_RUNS)
        self.files: list[TamperFinding] = []
        self.trees: list[TamperFinding] = []
        self.lost = False
        """Something that was sealed is in no place; the walk ended before it."""
        self._places = places
        self._size = size
        self._signed = signed
        self._end = end
        self._progress = progress
        self._refuted: TamperFinding | None = None

    def advance(self, size: int, root: bytes | None, *, signed: bool) -> None:
        """On to `size` leaves, over which a tree has this `root`, and whether that was signed. None: nobody says which."""
        if self.lost or size <= self.edge.size:
            return
        for source in Source if root is not None and self._refuted is None else (Source.MOST,):
            stretch = self._walk(size, source)
            if stretch.hole is None and stretch.edge.root == root:
                self._take(stretch, vouched=signed)
                return
        if root is not None and signed and stretch.hole is None:
            self._refute(size, stretch.edge.root, root)
        self._take(stretch, vouched=False)
        if stretch.hole is not None:
            self._lose(stretch.hole)

    def partials(self) -> None:
        """Compares the tiles at the right edge of the tree on disk, once it was walked to there."""
        for tile in partial_tiles(self.tiled.size):
            if tile.level:
                self.files += self._tile_findings(tile, b"".join(self.tiled.rows[tile.level]))

    # A stretch

    def _walk(self, end: int, source: Source) -> _Stretch:
        """Compares up to `end` with the leaves of a source, or up to the first that it does not have."""
        stretch = _Stretch(self.edge, self.tiled, RowRuns(_RUNS))
        at = self.edge.size
        while at < end:
            block = self._places.block(at // WIDTH)
            low, high = at - block.first, min(WIDTH, end - block.first)
            leaves = _leaves(block, source)[low:high]
            known = _without_hole(leaves)
            self._compare(stretch, block, low, known)
            at += len(known)
            if len(known) < len(leaves):
                stretch.hole = at
                break
            if self._progress is not None:
                self._progress(at, self._end)
        return stretch

    def _compare(self, stretch: _Stretch, block: Block, low: int, leaves: Sequence[bytes]) -> None:
        high = low + len(leaves)
        if list(block.in_database[low:high]) != list(leaves):
            for at, leaf in enumerate(leaves, low):
                if block.in_database[at] != leaf:
                    stretch.rows.add(self._row(stretch, block, at, leaf))
        on_disk = min(high, block.width) - low
        if on_disk > 0:
            stretch.files += _file_findings(block, low, leaves[:on_disk])
        stretch.edge = stretch.edge.extended(leaves)
        if stretch.edge.size <= self._size:
            stretch.tiled, full = stretch.tiled.extended(leaves)
            for tile, expected in full:
                if tile.level and tile.is_full:
                    stretch.files += self._tile_findings(tile, expected)

    def _row(self, stretch: _Stretch, block: Block, at: int, leaf: bytes) -> RowRun:
        """The row at a place of the block, which is not the one that was sealed."""
        position = block.first + at + 1
        intact = block.in_bundle[at] == leaf and block.in_tile[at] == leaf
        row, stored = block.rows[at], block.in_database[at]
        run = RowRun(RunKind.MISSING, position, position, sealed=leaf, intact=intact, signed=position <= self._signed)
        if row is None or stored is None:
            return run
        before = stretch.rows.last or self.rows.last
        shift = self._shift(before, position, stored)
        if shift:
            return replace(run, kind=RunKind.MOVED, stored=stored, shift=shift)
        sealed = block.bundle.parts[at] if block.in_bundle[at] == leaf else b""
        other = replace(run, kind=RunKind.OTHER, stored=stored, replaced=_is_replaced(sealed, row))
        if before is not None and before.joined(other) is not None:
            return other
        return replace(other, detail=difference(sealed, row.entry, replaced=other.replaced))

    def _shift(self, before: RowRun | None, position: int, stored: bytes) -> int:
        """How many positions further on it was sealed what the row holds; 0: nowhere near."""
        leaf = position - 1
        continues = before is not None and before.kind is RunKind.MOVED and before.last == leaf
        if before is not None and continues and self._places.tile_leaf(leaf + before.shift) == stored:
            return before.shift
        near = self._places.find_near(stored, leaf)
        return 0 if near is None else near - leaf

    def _tile_findings(self, tile: Tile, expected: bytes) -> Iterator[TamperFinding]:
        """A tile of a higher level, where it is not what the leaves give."""
        found = self._places.tile(tile)
        hashes = hashes_in(expected)
        wrong = [at for at, own in enumerate(hashes) if at >= len(found.parts) or found.parts[at] != own]
        if wrong:
            span = 1 << HEIGHT * tile.level
            yield TamperFinding(
                TamperRule.TILE_MISSING if found.missing else TamperRule.TILE_CHANGED,
                position=(tile.index * WIDTH + wrong[0]) * span + 1,
                last=(tile.index * WIDTH + wrong[-1] + 1) * span,
                path=tile.path,
                stored=found.parts[wrong[0]].hex() if wrong[0] < len(found.parts) else "",
                sealed=hashes[wrong[0]].hex(),
                detail="" if found.missing else found.fault,
            )

    # What a stretch came to

    def _take(self, stretch: _Stretch, *, vouched: bool) -> None:
        self.edge, self.tiled = stretch.edge, stretch.tiled
        for run in stretch.rows.runs:
            self.rows.add(replace(run, vouched=vouched))
        self.rows.omitted += stretch.rows.omitted
        for finding in stretch.files:
            self._add_file(replace(finding, vouched=vouched))

    def _add_file(self, finding: TamperFinding) -> None:
        """One finding a file, however many checkpoints cut it; and one of files that are missing side by side."""
        for place in range(max(0, len(self.files) - 2), len(self.files)):
            near = self.files[place]
            adjacent = finding.rule in _MISSING and near.last + 1 == finding.position
            if near.rule is finding.rule and (near.path == finding.path or adjacent):
                self.files[place] = replace(near, last=finding.last)
                return
        self.files.append(finding)

    def _refute(self, size: int, found: bytes, root: bytes) -> None:
        """No source gives the signed root. From here on none can, so all later checkpoints belong to the same finding."""
        if self._refuted is not None:
            self.trees.remove(self._refuted)
            self._refuted = replace(self._refuted, last=size)
        else:
            self._refuted = TamperFinding(
                TamperRule.CHECKPOINT_ROOT,
                position=self.edge.size + 1,
                last=size,
                stored=found.hex(),
                sealed=root.hex(),
                vouched=False,
                detail=str(size),
            )
        self.trees.append(self._refuted)

    def _lose(self, hole: int) -> None:
        self.lost = True
        self.trees.append(TamperFinding(TamperRule.ENTRY_LOST, position=hole + 1, last=self._end, vouched=False))


def _leaves(block: Block, source: Source) -> Leaves:
    match source:
        case Source.TILES:
            return block.in_tile
        case Source.BUNDLES:
            return block.in_bundle
        case Source.ROWS:
            return block.in_database
    return [_most(*three) for three in zip(block.in_tile, block.in_bundle, block.in_database, strict=True)]


def _most(tile: bytes | None, bundle: bytes | None, row: bytes | None) -> bytes | None:
    if bundle is not None and bundle == row:
        return bundle
    return tile or bundle or row


def _without_hole(leaves: Leaves) -> list[bytes]:
    """The leaves before the first that is not there."""
    found: list[bytes] = []
    for leaf in leaves:
        if leaf is None:
            break
        found.append(leaf)
    return found


def _file_findings(block: Block, low: int, leaves: Sequence[bytes]) -> Iterator[TamperFinding]:
    """Bundle and tile of a block, where they are not what was sealed at the places from `low` on."""
    for found, stored, missing, changed in (
        (block.bundle, block.in_bundle, TamperRule.BUNDLE_MISSING, TamperRule.BUNDLE_CHANGED),
        (block.tile, block.in_tile, TamperRule.TILE_MISSING, TamperRule.TILE_CHANGED),
    ):
        wrong = [at for at, leaf in enumerate(leaves, low) if stored[at] != leaf]
        if wrong:
            first, last = block.first + wrong[0] + 1, block.first + wrong[-1] + 1
            own = stored[wrong[0]] or b""
            yield TamperFinding(
                missing if found.missing else changed,
                position=first,
                last=last,
                path=found.path,
                stored=own.hex(),
                sealed=leaves[wrong[0] - low].hex(),
                detail="" if found.missing else found.fault,
            )


def _is_replaced(sealed: bytes, row: StoredEntry) -> bool:
    """Whether the row is of another event than the sealed one, by its columns and by its entry."""
    was, now = _content(sealed), _content(row.entry) or {}
    return was is not None and was.get("id") not in (f"{row.stream}/{row.version}", now.get("id"))


def difference(sealed: bytes, stored: bytes, *, replaced: bool) -> str:
    """Where two entries differ: `path: sealed → stored`, the first few; empty where the sealed one cannot be had.

    Of `replaced` ones, which are of two events, only the ids are named.
    """
    was, now = _content(sealed), _content(stored)
    if not sealed or was is None:
        return ""
    if now is None:
        return f"byte {_first_difference(sealed, stored)}"
    if replaced:
        return f"id: {_shown(was.get('id'))} → {_shown(now.get('id'))}"
    changes = list(islice(_changes("", was, now), _CHANGES + 1))
    if not changes:
        return f"byte {_first_difference(sealed, stored)}"
    return "; ".join(changes[:_CHANGES]) + ("; …" if len(changes) > _CHANGES else "")


def _changes(path: str, was: Any, now: Any) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(now, dict):
        for name in sorted(was.keys() | now.keys()):
            yield from _changes(f"{path}.{name}" if path else name, was.get(name), now.get(name))
    elif was != now:
        yield f"{path}: {_shown(was)} → {_shown(now)}"


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _content(entry: bytes) -> dict[str, Any] | None:
    try:
        content = orjson.loads(entry)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _first_difference(one: bytes, other: bytes) -> int:
    """Counted from 1."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False), 1) if a != b), min(len(one), len(other)) + 1
    )
