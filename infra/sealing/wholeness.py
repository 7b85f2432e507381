"""The wholeness maps of a log as of a position: what the log binds itself to, made from its index and its sealed tree.

The database says which entries a stream or partition key has; the tree says what each of them hashes to. Entries themselves
are not read, so maps over a million streams take seconds.

Guarantees: the leaf hashes are those of the tree with its root, every one of them. Each position stands in each map exactly once,
each stream's versions are 1, 2, 3, … and follow the log; else there is no map. Whether an entry is of the stream that the index says
is for `infra.sealing.tamper` and for whoever replays the log: an index that was altered gives maps that no replay gives.

Memory: 32 bytes an entry, beside the maps and a hundred bytes more for each name while one is made.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, Protocol

from domain.errors import LogMismatchError
from domain.recording import History
from domain.sealing.encoding import HASH_BYTES
from domain.sealing.sorted_map import Kind, WholenessMap
from domain.sealing.tree import Edge

_CHUNK: Final = 65_536
"""Leaves that are read at a time: whole tiles of level 1."""


class HistoryReader(Protocol):
    """The log's index: `infra.postgres.recorder.PostgresLog`, `infra.memory.recorder.MemoryLog`."""

    def histories(self, kind: Kind, upto: int) -> Iterator[History]:
        """Every stream or partition key that has entries up to a position, each once, in no order."""


class LeafReader(Protocol):
    """The sealed tree: `infra.sealing.tree.SealedTree`."""

    @property
    def size(self) -> int:
        """How many leaves it has."""

    def leaves(self, first: int, end: int) -> Sequence[bytes]:
        """The leaf hashes [first, end)."""

    def root_at(self, size: int) -> bytes:
        """The root over its first `size` leaves."""


def commitment(log: HistoryReader, tree: LeafReader, upto: int) -> tuple[WholenessMap, WholenessMap]:
    """The maps of streams and of partition keys as of position `upto`, which must be sealed.

    Raises:
        LogMismatchError: tree or index contradicts itself, or one the other.
        VerificationError: a tile is damaged or missing.
        ValueError: the tree ends before `upto`.
    """
    if not 0 <= upto <= tree.size:
        raise ValueError(f"a tree of {tree.size} leaves has no position {upto}")
    with mmap.mmap(-1, max(1, upto * HASH_BYTES), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as hashes:
        _read_leaves(tree, upto, hashes)
        return _map(log, Kind.STREAM, upto, hashes), _map(log, Kind.PARTITION, upto, hashes)


def _read_leaves(tree: LeafReader, upto: int, into: mmap.mmap) -> None:
    edge = Edge()
    for first in range(0, upto, _CHUNK):
        leaves = tree.leaves(first, min(upto, first + _CHUNK))
        into.write(b"".join(leaves))
        edge = edge.extended(leaves)
    if edge.root != tree.root_at(upto):
        raise LogMismatchError(f"the tiles of the leaves up to position {upto} do not give the root of the tree")


def _map(log: HistoryReader, kind: Kind, upto: int, hashes: mmap.mmap) -> WholenessMap:
    covered = 0

    def histories() -> Iterator[tuple[str, list[bytes]]]:
        nonlocal covered
        for history in log.histories(kind, upto):
            _check(history, kind, upto)
            covered += len(history.positions)
            yield history.name, [hashes[at * HASH_BYTES - HASH_BYTES : at * HASH_BYTES] for at in history.positions]

    made = WholenessMap.of_histories(kind, histories())
    if covered != upto:
        raise LogMismatchError(f"the database has {covered} entries up to position {upto}")
    return made


def _check(history: History, kind: Kind, upto: int) -> None:
    """That positions rise, end in time, and no version is missing."""
    name, positions, contiguous = history
    if not 1 <= positions[0] <= positions[-1] <= upto or any(own >= next_ for own, next_ in pairwise(positions)):
        raise LogMismatchError(f"the entries of {kind} {name} do not stand in the log in the order of their versions")
    if not contiguous:
        raise LogMismatchError(f"the versions of {kind} {name} have gaps up to position {upto}")
