"""A receipt: that an event stands at a position of a log, short enough for a QR code, and without personal data.

    QL1 <origin> <position> <leaf hash, Base64>

A proof file that the log hands out carries this text as its extra data. Nobody vouches for extra data, so it is held against
the proof around it. What is printed on paper is held against the proof file that belongs to it in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.errors import VerificationError
from domain.sealing.encoding import base64_of, read_decimal, read_hash, read_text
from domain.sealing.policy import Policy, VerifiedCheckpoint
from domain.sealing.proof_file import ProofFile

_MARK: Final = "QL1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Which log, which position (from 1), and the RFC 6962 leaf hash of the entry there."""

    origin: str
    position: int
    leaf: bytes

    @property
    def text(self) -> str:
        """What the QR code holds."""
        return f"{_MARK} {self.origin} {self.position} {base64_of(self.leaf)}"

    def verified(self, proof: ProofFile, policy: Policy) -> VerifiedCheckpoint:
        """Checks that the proof is of this receipt, under a checkpoint of its log that the policy accepts.

        Raises:
            VerificationError: it is not.
        """
        if proof.position != self.position:
            raise VerificationError(f"the receipt is for position {self.position}, the proof for {proof.position}")
        accepted = proof.verified_leaf(self.leaf, policy)
        if accepted.checkpoint.origin != self.origin:
            raise VerificationError(f"the receipt is of {self.origin}, the proof of {accepted.checkpoint.origin}")
        return accepted


def parse_receipt(text: bytes) -> Receipt:
    """Reads the text of a receipt, in UTF-8. Nothing in it is verified yet.

    Raises:
        VerificationError: it is not exactly that.
    """
    parts = read_text(text, "the receipt").split(" ")
    if len(parts) != 4 or parts[0] != _MARK or not parts[1]:
        raise VerificationError(f"a receipt reads: {_MARK} <origin> <position> <leaf hash>")
    position = read_decimal(parts[2], "the position of the receipt")
    if position < 1:
        raise VerificationError("positions count from 1")
    return Receipt(parts[1], position, read_hash(parts[3], "the leaf hash of the receipt"))
