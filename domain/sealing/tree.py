"""The Merkle tree of RFC 6962 over SHA-256: hashes, roots, the right edge, inclusion and consistency proofs.

A node is named by (level, index): it is the root over the leaves [index · 2^level, (index + 1) · 2^level), which must all
exist; level 0 are the leaf hashes. Proofs are made from a `HashReader` that knows such nodes, wherever they are stored.

Guarantees: a log's leaf index is its position − 1. `verify_inclusion` and `verify_consistency` follow RFC 9162 sections
2.1.3.2 and 2.1.4.2 step by step, and raise `VerificationError` whatever is wrong with whatever argument. Making a proof
raises `ValueError` where nothing can be proved, and checks no hash: who hands a proof out verifies it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from domain.errors import VerificationError
from domain.sealing.encoding import HASH_BYTES, MAX_SIZE, checked_hash, checked_number

EMPTY_ROOT: Final = sha256().digest()
MAX_PATH: Final = 63
"""No proof has more hashes: the tree of 2^63 − 1 leaves is 63 levels high."""

HashReader = Callable[[int, int], bytes]
"""Returns the 32 bytes of the node (level, index)."""


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d}) = SHA-256(00 || d) (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hash of each entry, in order."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes. Pairing level by level, an odd last node moving up as it is, gives RFC 6962's tree."""
    if not hashes:
        return EMPTY_ROOT
    row = hashes
    while len(row) > 2:
        paired = parents_of(row)
        if len(row) % 2:
            paired.append(row[-1])
        row = paired
    return node_hash(row[0], row[1]) if len(row) == 2 else row[0]


def parents_of(row: Sequence[bytes]) -> list[bytes]:
    """The nodes of the next level, from a row that begins at an even index; an odd last node has no parent yet."""
    nodes = iter(row)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes, nodes, strict=False)]


# ---------------------------------------------------------------------------------------------------------- right edge


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: all that is needed to go on growing it, at most 63 hashes.

    `peaks` are the roots of the complete subtrees that the leaves fall into, largest (and leftmost) first: one for each
    bit of `size`. An edge never changes; what extends it returns another.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"the edge of a tree of {self.size} leaves does not have {len(self.peaks)} peaks")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError("a peak is a hash of 32 bytes")

    @property
    def root(self) -> bytes:
        """The root of the tree so far."""
        return _joined(self.peaks)

    def extended(self, hashes: Sequence[bytes]) -> Edge:
        """With further leaf hashes. Costs one hash a leaf, plus the height of the tree."""
        return self._grown(hashes, 0)

    def with_subtree(self, level: int, root: bytes) -> Edge:
        """With 2^level further leaves at once, of which `root` is the root.

        Raises:
            ValueError: they would not form a subtree of their own, since `size` is no multiple of 2^level.
        """
        if not 0 <= level <= MAX_PATH or self.size % (1 << level):
            raise ValueError(f"no subtree of level {level} begins at leaf {self.size}")
        return self._grown((root,), level)

    def _grown(self, hashes: Sequence[bytes], level: int) -> Edge:
        kept = list(self.peaks)
        lower: list[bytes] = []
        row, bits = list(hashes), self.size >> level
        while row:
            if bits & 1:
                row.insert(0, kept.pop())
            if len(row) % 2:
                lower.append(row[-1])
            row, bits = parents_of(row), bits >> 1
        return Edge(self.size + (len(hashes) << level), (*kept, *reversed(lower)))


def edge_of(size: int, read: HashReader) -> Edge:
    """The right edge of a stored tree of `size` leaves."""
    return Edge(size, tuple(read(level, index) for level, index in _complete(0, size)))


def root_from(size: int, read: HashReader) -> bytes:
    """The root of a stored tree of `size` leaves."""
    return edge_of(size, read).root


def _joined(peaks: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, each smaller than the one before."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


# -------------------------------------------------------------------------------------------------------------- making


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """PATH(index, D[size]) (RFC 6962 section 2.1.1): the leaf's sibling first, the root's child last.

    Raises:
        ValueError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path, low, high = [], 0, size
    while high - low > 1:
        middle = low + split_of(high - low)
        if index < middle:
            path.append(range_root(middle, high, read))
            high = middle
        else:
            path.append(range_root(low, middle, read))
            low = middle
    return path[::-1]


def consistency_proof(old_size: int, size: int, read: HashReader) -> list[bytes]:
    """PROOF(old_size, D[size]) (RFC 6962 section 2.1.2); empty for an empty old tree, which any tree extends.

    Raises:
        ValueError: the old tree is larger.
    """
    if not 0 <= old_size <= size <= MAX_SIZE:
        raise ValueError(f"a tree of {size} leaves does not extend one of {old_size}")
    if old_size == 0:
        return []
    path, low, high = [], 0, size
    while old_size != high:
        middle = low + split_of(high - low)
        if old_size <= middle:
            path.append(range_root(middle, high, read))
            high = middle
        else:
            path.append(range_root(low, middle, read))
            low = middle
    if low:  # else this node is the old root, which the verifier has
        path.append(range_root(low, high, read))
    return path[::-1]


def split_of(count: int) -> int:
    """The largest power of two strictly smaller than `count`, which is at least 2: how many leaves go left."""
    return 1 << (count - 1).bit_length() - 1


def range_root(low: int, high: int, read: HashReader) -> bytes:
    """The root over the leaves [low, high), a range that halving a tree leads to."""
    return _joined([read(level, index) for level, index in _complete(low, high)])


def _complete(low: int, high: int) -> list[tuple[int, int]]:
    """The complete subtrees that make up a range that halving leads to, left to right."""
    nodes = []
    while low < high:
        level = (high - low).bit_length() - 1
        nodes.append((level, low >> level))
        low += 1 << level
    return nodes


# ----------------------------------------------------------------------------------------------------------- verifying


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Checks that the tree with this size and root has this leaf hash at this index (RFC 9162 section 2.1.3.2).

    Raises:
        VerificationError: it does not, or an argument is not what it should be.
    """
    _, last = checked_number(index, "the index of the leaf"), checked_number(size, "the size of the tree") - 1
    if index > last:
        raise VerificationError(f"a tree of {size} leaves has no leaf {index}")
    path = _checked_path(proof)
    node, own = checked_hash(leaf, "the leaf hash"), index
    for sibling in path:
        if last == 0:
            raise VerificationError("the inclusion proof is longer than the tree is high")
        if own & 1 or own == last:
            node = node_hash(sibling, node)
            while not own & 1 and own:
                own, last = own >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        own, last = own >> 1, last >> 1
    if last:
        raise VerificationError("the inclusion proof is shorter than the tree is high")
    if node != checked_hash(root, "the root"):
        raise VerificationError(f"leaf {index} is not in the tree of {size} leaves with this root")


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Checks that the tree begins with the old tree, leaf for leaf (RFC 9162 section 2.1.4.2).

    An empty tree has the root that RFC 6962 section 2.1 gives it, and every tree extends it by an empty proof.

    Raises:
        VerificationError: it does not, or an argument is not what it should be.
    """
    if checked_number(old_size, "the old size") > checked_number(size, "the size"):
        raise VerificationError(f"a tree of {size} leaves does not extend one of {old_size}")
    checked_hash(old_root, "the old root")
    checked_hash(root, "the root")
    path = _checked_path(proof)
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise VerificationError("an empty tree does not have this root")
    if old_size in (0, size):
        if path:
            raise VerificationError("there is nothing to prove, and yet a proof")
        if old_size == size and old_root != root:
            raise VerificationError(f"two trees of {size} leaves have different roots")
        return
    if not path:
        raise VerificationError("the consistency proof is empty")
    if _roots_by(path, old_size, old_root, size) != (old_root, root):
        raise VerificationError(f"the tree of {size} leaves does not begin with the tree of {old_size}")


def _roots_by(path: Sequence[bytes], old_size: int, old_root: bytes, size: int) -> tuple[bytes, bytes]:
    """The old and the new root that a consistency proof leads to (steps 2 to 6)."""
    if old_size & (old_size - 1) == 0:
        path = [old_root, *path]
    own, last = old_size - 1, size - 1
    while own & 1:
        own, last = own >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            raise VerificationError("the consistency proof is longer than the tree is high")
        if own & 1 or own == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not own & 1 and own:
                own, last = own >> 1, last >> 1
        else:
            new = node_hash(new, node)
        own, last = own >> 1, last >> 1
    if last:
        raise VerificationError("the consistency proof is shorter than the tree is high")
    return old, new


def _checked_path(proof: object) -> Sequence[bytes]:
    if not isinstance(proof, list | tuple):
        raise VerificationError("a proof is a list of hashes")
    return [checked_hash(node, "a hash of the proof") for node in proof]
