"""One proof that many leaves stand in a tree: what an evidence pack carries instead of a path for each of its entries.

The format, for leaves at rising indexes in a tree of `size` leaves: walk the tree from its root, left before right, halving
as RFC 6962 does. A range that holds none of the leaves gives one hash, its root; a range of a single leaf gives nothing;
any other range is halved. The proof is these hashes in the order of the walk.

Guarantees: leaves that stand together share what their paths have in common, and neighbours prove each other, so checking
costs little more than hashing the leaves. A proof that verifies says for each leaf what its inclusion proof would say, and
nothing about the leaves between.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import pairwise

from domain.errors import VerificationError
from domain.sealing.encoding import MAX_SIZE, checked_hash, checked_number
from domain.sealing.tree import HashReader, range_root, root_of, split_of


def subset_proof(indexes: Sequence[int], size: int, read: HashReader) -> list[bytes]:
    """The hashes that join leaves at strictly rising `indexes` to the root of a tree of `size` leaves.

    Raises:
        ValueError: there are none, they do not rise, or the tree ends before the last.
    """
    if not _rise_below(indexes, size) or size > MAX_SIZE:
        raise ValueError(f"the indexes must rise, and stay below {size}")
    proof: list[bytes] = []

    def walk(low: int, high: int, first: int, end: int) -> None:
        if first == end:
            proof.append(range_root(low, high, read))
        elif end - first < high - low:
            middle = low + split_of(high - low)
            between = bisect_left(indexes, middle, first, end)
            walk(low, middle, first, between)
            walk(middle, high, between, end)

    walk(0, size, 0, len(indexes))
    return proof


def verify_subset(
    leaves: Sequence[bytes], indexes: Sequence[int], size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Checks that the tree with this size and root has these leaf hashes at these strictly rising indexes.

    Raises:
        VerificationError: it does not, or an argument is not what it should be.
    """
    checked_number(size, "the size of the tree")
    checked_hash(root, "the root")
    for argument in (leaves, indexes, proof):
        if not isinstance(argument, list | tuple):
            raise VerificationError("leaves, indexes and proof are lists")
    for index in indexes:
        checked_number(index, "an index")
    if len(leaves) != len(indexes) or not _rise_below(indexes, size):
        raise VerificationError(f"the leaves do not stand at rising indexes below {size}")
    hashes = [checked_hash(leaf, "a leaf hash") for leaf in leaves]
    rest = iter([checked_hash(node, "a hash of the proof") for node in proof])
    try:
        found = _root_by(hashes, indexes, size, rest)
    except StopIteration:
        raise VerificationError("the proof has too few hashes") from None
    if found != root or next(rest, None) is not None:
        raise VerificationError(f"the leaves are not in the tree of {size} leaves with this root")


def _root_by(hashes: Sequence[bytes], indexes: Sequence[int], size: int, rest: Iterator[bytes]) -> bytes:
    """The root that the walk leads to. Raises StopIteration where the proof ends too early."""

    def walk(low: int, high: int, first: int, end: int) -> bytes:
        """The root over [low, high), which holds the leaves [first, end), at least one."""
        if end - first == high - low:
            return root_of(hashes[first:end])
        if end - first == 1:
            return climb(low, high, first)
        middle = low + split_of(high - low)
        between = bisect_left(indexes, middle, first, end)
        left = walk(low, middle, first, between) if first < between else next(rest)
        right = walk(middle, high, between, end) if between < end else next(rest)
        return sha256(b"\x01" + left + right).digest()

    def climb(low: int, high: int, own: int) -> bytes:
        """The same for a single leaf: down to it, and up again."""
        index, node = indexes[own], hashes[own]
        lefts: list[bytes | None] = []
        while high - low > 1:
            middle = low + split_of(high - low)
            if index < middle:
                lefts.append(None)
                high = middle
            else:
                lefts.append(next(rest))
                low = middle
        for left in reversed(lefts):
            pair = node + next(rest) if left is None else left + node
            node = sha256(b"\x01" + pair).digest()
        return node

    return walk(0, size, 0, len(indexes))


def _rise_below(indexes: Sequence[int], size: int) -> bool:
    if not indexes or indexes[0] < 0 or indexes[-1] >= size:
        return False
    return all(index < following for index, following in pairwise(indexes))
