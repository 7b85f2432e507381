"""Entry bundles: the entries themselves, 256 to a file, beside the tile of their leaf hashes (C2SP tlog-tiles, Log entries).

A bundle is a sequence of entries, each after its length in two bytes, big-endian. Which bundles there are, and their paths:
`domain.sealing.tiles`.

Guarantees: a sequence of entries has one bundle, and a bundle that is accepted is the bundle of what is returned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.errors import VerificationError
from domain.recording import MAX_ENTRY
from domain.sealing.encoding import HASH_BYTES, checked_bytes, checked_number
from domain.sealing.tiles import WIDTH, Bundle, hashes_in
from domain.sealing.tree import leaf_hashes

_LENGTH_BYTES: Final = 2


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of 1 to 256 entries.

    Raises:
        ValueError: there are more or none, or one of them is longer than 65,535 bytes.
    """
    if not 1 <= len(entries) <= WIDTH:
        raise ValueError(f"a bundle holds 1 to {WIDTH} entries, not {len(entries)}")
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise ValueError(f"an entry of more than {MAX_ENTRY} bytes fits no bundle")
    return b"".join(part for entry in entries for part in (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry))


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle, in order.

    Raises:
        VerificationError: the bytes are not a bundle of exactly so many.
    """
    checked_bytes(data, "an entry bundle")
    if not 1 <= checked_number(width, "the width of a bundle") <= WIDTH:
        raise VerificationError(f"a bundle is 1 to {WIDTH} entries wide")
    entries, at = [], 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[start - _LENGTH_BYTES : start], "big")
        entries.append(data[start:at])
    if at != len(data):
        raise VerificationError("an entry bundle is cut short")
    if len(entries) != width:
        raise VerificationError(f"an entry bundle holds {len(entries)} entries, not {width}")
    return entries


def verify_bundle(bundle: Bundle, data: bytes, tile_data: bytes) -> list[bytes]:
    """The entries of a bundle, after each has been hashed and compared with the tile of level 0 that stands beside it.

    Raises:
        VerificationError: the bundle is malformed, or an entry does not hash to what the tile says; the message names its
            position.
    """
    entries = decode_bundle(data, bundle.width)
    if len(checked_bytes(tile_data, "a tile")) != bundle.width * HASH_BYTES:
        raise VerificationError(f"the tile beside {bundle.path} is not as wide as the bundle")
    for leaf, own, expected in zip(bundle.leaves, leaf_hashes(entries), hashes_in(tile_data), strict=True):
        if own != expected:
            raise VerificationError(f"the entry at position {leaf + 1} does not hash to its leaf in the tree")
    return entries
