"""A proof to take home: one leaf, its path, and the signed checkpoint with its cosignatures (C2SP tlog-proof, `.tlog-proof`).

    c2sp.org/tlog-proof@v1
    extra <data in Base64>          (only if there is any; nobody vouches for it)
    index <leaf index in decimal>
    <hashes of the inclusion proof in Base64, one a line>
    <an empty line>
    <the signed checkpoint>

Guarantees: the entry, this file and a policy are all that is needed, offline and for ever. A file that is accepted is printed
again as the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.errors import VerificationError
from domain.sealing.encoding import base64_of, checked_bytes, lines_of, read_base64, read_decimal, read_hash, read_text
from domain.sealing.policy import Policy, VerifiedCheckpoint
from domain.sealing.tree import MAX_PATH, leaf_hash, verify_inclusion

SUFFIX: Final = ".tlog-proof"

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = "index "


@dataclass(frozen=True, slots=True)
class ProofFile:
    """An inclusion proof and the checkpoint it leads to. `note` is the signed checkpoint, byte for byte."""

    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes = b""

    @property
    def position(self) -> int:
        """The position of the entry: its leaf index + 1."""
        return self.index + 1

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        extra = [_EXTRA + base64_of(self.extra)] if self.extra else []
        lines = [_HEADER, *extra, f"{_INDEX}{self.index}", *map(base64_of, self.path), "", ""]
        return "\n".join(lines).encode() + self.note

    def verified(self, entry: bytes, policy: Policy) -> VerifiedCheckpoint:
        """Checks that the log holds `entry`, at this position, under a checkpoint that the policy accepts.

        Raises:
            VerificationError: it does not.
        """
        return self.verified_leaf(leaf_hash(checked_bytes(entry, "an entry")), policy)

    def verified_leaf(self, leaf: bytes, policy: Policy) -> VerifiedCheckpoint:
        """As `verified`, for who knows only the leaf hash of the entry."""
        accepted = policy.verified(self.note)
        head = accepted.checkpoint
        verify_inclusion(leaf, self.index, head.size, self.path, head.root)
        return accepted


def parse_proof(data: bytes) -> ProofFile:
    """Reads a proof file. Nothing in it is verified yet.

    Raises:
        VerificationError: it is malformed.
    """
    head, blank, note = read_text(data, "the proof").partition("\n\n")
    if not blank:
        raise VerificationError("the proof has no empty line before its checkpoint")
    header, *lines = lines_of(head + "\n", "the proof")
    if header != _HEADER:
        raise VerificationError(f"the proof does not begin with {_HEADER}")
    extra = b""
    if lines and lines[0].startswith(_EXTRA):
        extra = read_base64(lines.pop(0).removeprefix(_EXTRA), "the extra data")
        if not extra:
            raise VerificationError("the proof has a line for extra data, and none in it")
    if not lines or not lines[0].startswith(_INDEX):
        raise VerificationError("the proof does not say the index of its leaf")
    index, *path = lines
    if len(path) > MAX_PATH:
        raise VerificationError(f"the proof has more than {MAX_PATH} hashes")
    return ProofFile(
        read_decimal(index.removeprefix(_INDEX), "the index of the leaf"),
        tuple(read_hash(line, "a hash of the proof") for line in path),
        note.encode(),
        extra,
    )
