"""The wholeness map: which streams there are as of a position, and all of each, as a sorted Merkle map.

An inclusion proof says that an entry is in the log. It cannot say that no further entry of a case was held back. For that the
office commits, in an event, to a map from each stream to the number of its entries and the RFC 6962 root over their leaf
hashes, in order of version. Whoever then holds the entries of a stream can count and hash them; whoever is told that there is
no such stream can be shown the two neighbours between which it would stand.

A case is more than its own stream: its claims and payments are streams with the case's partition key. So there are two maps
of one form: of streams, and of partition keys (entries in order of position). The second is what shows *this is all of case
X*; the first shows it of one stream.

The form. The leaf of a name in a map of kind `stream` or `partition` is

    "qingling/wholeness/v1 " || kind || 0A || SHA-256(name in UTF-8) || entries (8 bytes, big-endian) || root (32 bytes)

All parts behind the newline have fixed widths, so no two leaves share their bytes; no entry of a log begins so (it begins
with a brace), and no leaf of one kind is one of the other. Leaves stand in strictly rising order of the SHA-256. The map is
the RFC 6962 tree over them, and its head is its size and root: a proof of presence is an inclusion proof.

Guarantees: what a head commits to is checked by whoever replays all entries (`Tally`): that counts and roots are right, that
nothing is missing, and that the leaves are in order. Who has only a proof knows what the office is bound to, not that it is
true. The event that bears the head must say as of which position.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, NamedTuple

from domain.errors import VerificationError
from domain.sealing.encoding import HASH_BYTES, MAX_SIZE, checked_hash, checked_number
from domain.sealing.subset import subset_proof, verify_subset
from domain.sealing.tiles import hashes_in
from domain.sealing.tree import (
    EMPTY_ROOT,
    MAX_PATH,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    parents_of,
    root_from,
    root_of,
    verify_inclusion,
)

_ENTRIES_BYTES: Final = 8
_LEAF_BYTES: Final = HASH_BYTES + _ENTRIES_BYTES + HASH_BYTES
_NO_ENTRIES: Final = bytes(_ENTRIES_BYTES)
_HEX: Final = re.compile(r"[0-9a-f]{64}")


class Kind(StrEnum):
    """What a map's names are."""

    STREAM = "stream"
    """Streams; a leaf's entries are in order of version."""
    PARTITION = "partition"
    """Partition keys: a case and all that belongs to it; a leaf's entries are in order of position."""


class MapLeaf(NamedTuple):
    """How many entries a name has, and the RFC 6962 root over their leaf hashes. `key` is the SHA-256 of the name."""

    key: bytes
    entries: int
    root: bytes


class MapHead(NamedTuple):
    """What an event commits to: how many leaves the map has, and the root over them."""

    size: int
    root: bytes


def key_of(name: str) -> bytes:
    """SHA-256 of a stream's id or a partition key, in UTF-8."""
    return sha256(name.encode()).digest()


def leaf_of(name: str, hashes: Sequence[bytes]) -> MapLeaf:
    """The leaf of a name, from the leaf hashes of all its entries in order."""
    return MapLeaf(key_of(name), len(hashes), root_of(hashes))


def _prefix(kind: Kind) -> bytes:
    return f"qingling/wholeness/v1 {kind.value}\n".encode()


def _encoded(key: bytes, entries: int, root: bytes) -> bytes:
    return key + entries.to_bytes(_ENTRIES_BYTES, "big") + root


# -------------------------------------------------------------------------------------------------------------- making


@dataclass(frozen=True, slots=True)
class Presence:
    """Shows that a leaf stands at an index of the map."""

    leaf: MapLeaf
    index: int
    path: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        """For a pack: hashes as 64 hexadecimal digits."""
        key, entries, root = self.leaf
        path = [node.hex() for node in self.path]
        return {"entries": entries, "index": self.index, "key": key.hex(), "path": path, "root": root.hex()}


@dataclass(frozen=True, slots=True)
class JointPresence:
    """Shows that several leaves stand in the map: each with its index, indexes rising, and one subset proof for all."""

    leaves: tuple[tuple[int, MapLeaf], ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Absence:
    """Shows that a key is not in the map: the leaves next to where it would stand. None: it would be first, or last."""

    before: Presence | None
    after: Presence | None

    def as_json(self) -> dict[str, Any]:
        """For a pack; a neighbour that is not there is null."""
        return {
            "after": self.after.as_json() if self.after else None,
            "before": self.before.as_json() if self.before else None,
        }


class WholenessMap:
    """A map that proofs can be made from. Takes about 140 bytes a leaf."""

    def __init__(self, kind: Kind, leaves: Iterable[MapLeaf]) -> None:
        """From leaves in strictly rising order of their keys.

        Raises:
            ValueError: they are not in that order, or one of them is no leaf.
        """
        self._keep(kind, _checked_in_order(leaves))

    @classmethod
    def of_histories(cls, kind: Kind, histories: Iterable[tuple[str, Sequence[bytes]]]) -> WholenessMap:
        """From names, in any order, each with the leaf hashes of all its entries in order. Takes one history at a time.

        Raises:
            ValueError: a name comes twice, or has no entries.
        """
        encoded = sorted(_encoded(key_of(name), len(hashes), root_of(hashes)) for name, hashes in histories)
        if any(leaf[:HASH_BYTES] == following[:HASH_BYTES] for leaf, following in pairwise(encoded)):
            raise ValueError("a name comes twice")
        if any(leaf[HASH_BYTES:-HASH_BYTES] == _NO_ENTRIES for leaf in encoded):
            raise ValueError("a name without entries stands in no map")
        made = cls.__new__(cls)
        made._keep(kind, encoded)
        return made

    def _keep(self, kind: Kind, encoded: list[bytes]) -> None:
        """Encoded leaves in order. Empties the list, which takes more room than the map that is made of it."""
        prefix = _prefix(kind)
        self.kind = kind
        row = leaf_hashes(prefix + leaf for leaf in encoded)
        self._leaves = b"".join(encoded)
        encoded.clear()
        self._rows: list[bytes] = []
        size = len(row)
        while row:
            self._rows.append(b"".join(row))
            row = parents_of(row)
        self.head = MapHead(size, root_from(size, self._node))

    def prove(self, name: str) -> Presence | Absence:
        """That the map has this name, or that it has not."""
        size, index = self.head.size, self._place(name)
        if self._stands_at(name, index):
            return self._presence(index)
        return Absence(
            self._presence(index - 1) if index > 0 else None,
            self._presence(index) if index < size else None,
        )

    def prove_together(self, names: Iterable[str]) -> JointPresence:
        """That the map has these names, by one proof.

        Raises:
            ValueError: it has one of them not, or there are none.
        """
        places = {name: self._place(name) for name in names}
        if missing := [name for name, index in places.items() if not self._stands_at(name, index)]:
            raise ValueError(f"the map has no {self.kind} {missing[0]}")
        indexes = sorted(places.values())
        proof = subset_proof(indexes, self.head.size, self._node)
        return JointPresence(tuple((index, self._leaf(index)) for index in indexes), tuple(proof))

    def _place(self, name: str) -> int:
        """Where a name stands, or would stand."""
        key = key_of(name)
        return bisect_left(range(self.head.size), key, key=lambda at: self._leaf(at).key)

    def _stands_at(self, name: str, index: int) -> bool:
        return index < self.head.size and self._leaf(index).key == key_of(name)

    def _presence(self, index: int) -> Presence:
        path = inclusion_proof(index, self.head.size, self._node)
        return Presence(self._leaf(index), index, tuple(path))

    def _leaf(self, index: int) -> MapLeaf:
        encoded = self._leaves[index * _LEAF_BYTES : (index + 1) * _LEAF_BYTES]
        entries = int.from_bytes(encoded[HASH_BYTES:-HASH_BYTES], "big")
        return MapLeaf(encoded[:HASH_BYTES], entries, encoded[-HASH_BYTES:])

    def _node(self, level: int, index: int) -> bytes:
        return self._rows[level][index * HASH_BYTES : (index + 1) * HASH_BYTES]


def _checked_in_order(leaves: Iterable[MapLeaf]) -> list[bytes]:
    encoded, last = [], b""
    for key, entries, root in leaves:
        if len(key) != HASH_BYTES or len(root) != HASH_BYTES or not 1 <= entries <= MAX_SIZE:
            raise ValueError("a leaf is a key of 32 bytes, a number of entries from 1 on, and a root of 32 bytes")
        if key <= last:
            raise ValueError("the leaves are not in strictly rising order of their keys")
        encoded.append(_encoded(key, entries, root))
        last = key
    return encoded


class Tally:
    """Makes the map from all entries of a log, in order of position: what an auditor compares a recorded head with.

    Keeps 32 bytes an entry.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._hashes: dict[str, bytearray] = {}

    def add(self, name: str, leaf: bytes) -> None:
        """Counts one more entry, given by its leaf hash, for a stream or partition key."""
        self._hashes.setdefault(name, bytearray()).extend(leaf)

    def map(self) -> WholenessMap:
        """The map as of the entries so far."""
        histories = ((name, hashes_in(bytes(hashes))) for name, hashes in self._hashes.items())
        return WholenessMap.of_histories(self.kind, histories)


# ----------------------------------------------------------------------------------------------------------- verifying


def verify_present(head: MapHead, kind: Kind, name: str, proof: Presence) -> MapLeaf:
    """What a map says of a name: how many entries it has, and the root over them.

    Raises:
        VerificationError: the map with this head does not say so, or an argument is not what it should be.
    """
    leaf = _verified_leaf(head, kind, proof)
    if leaf.key != _checked_key(name):
        raise VerificationError(f"the proof is of another {kind} than {name}")
    return leaf


def verify_together(head: MapHead, kind: Kind, proof: JointPresence) -> None:
    """Checks that a map has these leaves at these indexes. Whose they are says `key_of`.

    Raises:
        VerificationError: it has not, or an argument is not what it should be.
    """
    size, root = _checked_head(head)
    if not isinstance(proof, JointPresence):
        raise VerificationError("this is no proof of several leaves")
    prefix = _prefix(kind)
    hashes = [leaf_hash(prefix + _encoded(*_checked_leaf(leaf))) for _, leaf in proof.leaves]
    verify_subset(hashes, [index for index, _ in proof.leaves], size, proof.proof, root)


def verify_whole(head: MapHead, kind: Kind, name: str, hashes: Sequence[bytes], proof: Presence) -> None:
    """Checks that entries, given by their leaf hashes in order, are all that a name has.

    An entry that may not be shown can be given by its hash: the history is whole, and says where something is withheld.

    Raises:
        VerificationError: an entry is missing, added, altered or out of order, or the map does not say so.
    """
    leaf = verify_present(head, kind, name, proof)
    given = _checked_hashes(hashes)
    if len(given) != leaf.entries:
        raise VerificationError(f"{name} has {leaf.entries} entries; {len(given)} are here")
    if root_of(given) != leaf.root:
        raise VerificationError(f"the entries here are not those of {name}")


def verify_absent(head: MapHead, kind: Kind, name: str, proof: Absence) -> None:
    """Checks that the map has no such name.

    Raises:
        VerificationError: the proof does not show it, or an argument is not what it should be.
    """
    key = _checked_key(name)
    size, _ = _checked_head(head)
    _require_absence(proof)
    below, above = -1, size
    if proof.before is not None:
        if _verified_leaf(head, kind, proof.before).key >= key:
            raise VerificationError(f"{name} does not stand behind the neighbour shown")
        below = proof.before.index
    if proof.after is not None:
        if _verified_leaf(head, kind, proof.after).key <= key:
            raise VerificationError(f"{name} does not stand before the neighbour shown")
        above = proof.after.index
    if below + 1 != above:
        raise VerificationError(f"the neighbours shown leave room for {name} between them")


def presence_from_json(value: object) -> Presence:
    """Reads what `Presence.as_json` gives.

    Raises:
        VerificationError: it is not exactly of that form.
    """
    if not isinstance(value, dict) or set(value) != {"entries", "index", "key", "path", "root"}:
        raise VerificationError("a proof of presence has entries, index, key, path and root")
    path = value["path"]
    if not isinstance(path, list) or len(path) > MAX_PATH:
        raise VerificationError(f"a path is a list of at most {MAX_PATH} hashes")
    entries = checked_number(value["entries"], "the number of entries")
    leaf = MapLeaf(_from_hex(value["key"]), entries, _from_hex(value["root"]))
    return Presence(leaf, checked_number(value["index"], "the index"), tuple(_from_hex(node) for node in path))


def absence_from_json(value: object) -> Absence:
    """Reads what `Absence.as_json` gives.

    Raises:
        VerificationError: it is not exactly of that form.
    """
    if not isinstance(value, dict) or set(value) != {"after", "before"}:
        raise VerificationError("a proof of absence has before and after")
    before, after = value["before"], value["after"]
    return Absence(
        None if before is None else presence_from_json(before),
        None if after is None else presence_from_json(after),
    )


def _verified_leaf(head: MapHead, kind: Kind, proof: object) -> MapLeaf:
    size, root = _checked_head(head)
    if not isinstance(proof, Presence):
        raise VerificationError("this is no proof of presence")
    leaf = _checked_leaf(proof.leaf)
    verify_inclusion(leaf_hash(_prefix(kind) + _encoded(*leaf)), proof.index, size, proof.path, root)
    return leaf


def _checked_leaf(leaf: object) -> MapLeaf:
    if not isinstance(leaf, MapLeaf):
        raise VerificationError("this is no leaf of a map")
    checked_hash(leaf.key, "the key")
    checked_hash(leaf.root, "the root of the entries")
    if checked_number(leaf.entries, "the number of entries") == 0:
        raise VerificationError("a name without entries stands in no map")
    return leaf


def _require_absence(proof: object) -> None:
    if not isinstance(proof, Absence):
        raise VerificationError("this is no proof of absence")


def _checked_hashes(hashes: object) -> list[bytes]:
    if not isinstance(hashes, list | tuple):
        raise VerificationError("leaf hashes are a list")
    return [checked_hash(own, "a leaf hash") for own in hashes]


def _checked_head(head: object) -> MapHead:
    if not isinstance(head, tuple) or len(head) != 2:
        raise VerificationError("the head of a map is its size and root")
    size, root = checked_number(head[0], "the size of the map"), checked_hash(head[1], "the root of the map")
    if size == 0 and root != EMPTY_ROOT:
        raise VerificationError("an empty map does not have this root")
    return MapHead(size, root)


def _checked_key(name: object) -> bytes:
    if not isinstance(name, str):
        raise VerificationError("a name is a text")
    try:
        return key_of(name)
    except UnicodeEncodeError:
        raise VerificationError("no stream has half of a surrogate pair in its name") from None


def _from_hex(value: object) -> bytes:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise VerificationError("a hash is 64 lower-case hexadecimal digits")
    return bytes.fromhex(value)
