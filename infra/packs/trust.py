"""Whom a verifier trusts, and single proofs: what `qingling verify` takes beside packs.

Guarantees: a key or policy is what the caller brought; nothing is taken from the thing to be verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.errors import InputError, VerificationError
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.encoding import checked_text
from domain.sealing.note import VerifierKey, verify_signatures
from domain.sealing.policy import NO_QUORUM, Policy, VerifiedCheckpoint, parse_policy
from domain.sealing.proof_file import ProofFile, parse_proof
from domain.sealing.receipt import Receipt, parse_receipt
from domain.sealing.tree import leaf_hash

_MOST_TEXT: Final = 2**20
"""Bytes of the largest key, policy, proof, receipt or entry file that is looked at."""


@dataclass(frozen=True)
class Cosigned:
    """A witness of the policy, and the POSIX second at which it had seen the head."""

    name: str
    vkey: str
    time: int


@dataclass(frozen=True)
class Trusted:
    """A checkpoint that was accepted: which of the known keys signed it, and which of the policy's witnesses.

    `quorum`: whether the policy asks for witnesses at all; without, the checkpoint is signed and nobody witnessed it.
    """

    checkpoint: Checkpoint
    vkeys: tuple[str, ...]
    cosigned: tuple[Cosigned, ...]
    quorum: bool

    @classmethod
    def of(cls, accepted: VerifiedCheckpoint, policy: Policy) -> Trusted:
        """What a policy accepted."""
        return cls(
            accepted.checkpoint,
            tuple(each.key.vkey for each in verify_signatures(accepted.note, _own_keys(policy, accepted.checkpoint))),
            tuple(Cosigned(each.key.name, each.key.vkey, each.time) for each in accepted.cosignatures),
            policy.quorum != NO_QUORUM,
        )


def _own_keys(policy: Policy, checkpoint: Checkpoint) -> list[VerifierKey]:
    return [log.key for log in policy.logs if log.key.name == checkpoint.origin]


@dataclass(frozen=True)
class ProofReport:
    """A single proof that holds: an entry with this leaf hash stands at this position.

    `entry`: whether the bytes of the entry were at hand, so that they are proved and not only their hash.
    """

    position: int
    leaf: bytes
    entry: bool
    trusted: Trusted


def keys_of(said: str) -> list[VerifierKey]:
    """The public keys in what `--key` was given: a vkey, or a file with one a line.

    Raises:
        VerificationError: it is no key, or one that signs no log.
        InputError: the file cannot be read.
    """
    if "+" in said and not Path(said).is_file():
        return [VerifierKey.parse(said)]
    text = _text(Path(said))
    lines = (line.strip() for line in text.split("\n"))
    keys = [VerifierKey.parse(line) for line in lines if line and not line.startswith("#")]
    if not keys:
        raise VerificationError(f"{said} holds no key")
    return keys


def trusted_by(keys: list[str], policy: Path | None) -> Policy:
    """The policy of a verifier: keys of a log, or a policy file (C2SP tlog-policy) that also says who must have cosigned.

    Raises:
        VerificationError: a key or the policy is malformed.
        InputError: neither was given, or both; a file cannot be read.
    """
    if (policy is None) == (not keys):
        raise InputError(
            "name whom you trust: --key with the log's public key, or --policy; what comes with a proof proves nothing",
            field="key",
            rule="key-or-policy",
        )
    if policy is not None:
        return parse_policy(small_file(policy))
    return Policy.of_log(*dict.fromkeys(key for said in keys for key in keys_of(said)))


def verify_proof(
    data: bytes, policy: Policy, *, entry: bytes | None = None, receipt: bytes | None = None
) -> ProofReport:
    """Checks a proof file: of `entry`, or of the receipt in it or beside it.

    Raises:
        VerificationError: it does not hold; or it names no receipt and there is no entry.
    """
    proof = parse_proof(data)
    claimed = _receipt(proof, receipt, needed=entry is None)
    accepted: VerifiedCheckpoint
    if claimed is not None:
        accepted, leaf = claimed.verified(proof, policy), claimed.leaf
    if entry is not None:
        accepted, leaf = proof.verified(entry, policy), leaf_hash(entry)
        if claimed is not None and claimed.leaf != leaf:
            raise VerificationError("the receipt is of another entry than the one handed over")
    return ProofReport(proof.position, leaf, entry is not None, Trusted.of(accepted, policy))


def _receipt(proof: ProofFile, receipt: bytes | None, *, needed: bool) -> Receipt | None:
    if receipt is not None:
        return parse_receipt(receipt)
    if not needed:
        return None
    if not proof.extra:
        raise VerificationError("the proof names no receipt; hand over the entry, or the text of the receipt")
    return parse_receipt(proof.extra)


def small_file(path: Path) -> bytes:
    """The bytes of a file of at most a megabyte.

    Raises:
        InputError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_TEXT + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", rule="readable") from error
    if len(data) > _MOST_TEXT:
        raise InputError(f"{path} is too large for what it should be", rule="readable")
    return data


def _text(path: Path) -> str:
    data = small_file(path)
    try:
        return checked_text(data.decode("utf-8-sig").replace("\r\n", "\n"), f"{path}")
    except UnicodeDecodeError:
        raise VerificationError(f"{path} is no file of keys") from None
