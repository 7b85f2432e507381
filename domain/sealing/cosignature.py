"""Cosignatures: what a witness adds to a checkpoint (C2SP tlog-cosignature, the Ed25519 form, `cosignature/v1`, type 04).

A cosignature says: at this time, this was the largest head that the cosigner had seen of this log, and it was consistent
with every head that it had seen before. It signs

    cosignature/v1
    time <POSIX seconds>
    <the text of the checkpoint>

and its data in the signature line are the time in eight bytes, big-endian, and the 64 bytes of Ed25519.

Guarantees: the whole text is signed, extension lines too. The form does not commit to the cosigner's name: a key must serve
one cosigner only. A cosignature over a text that is no checkpoint does not verify.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.errors import VerificationError
from domain.sealing.checkpoint import parse_checkpoint
from domain.sealing.encoding import MAX_SIZE
from domain.sealing.note import (
    COSIGNATURE,
    KEY_BYTES,
    SIGNATURE_BYTES,
    Note,
    Verified,
    ed25519_public,
    ed25519_signature,
    ed25519_verifies,
    is_key_name,
    key_id_of,
    parse_vkey,
    print_signature,
    print_vkey,
    verify_signatures,
)

_TIME_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """Verifies cosignatures: a witness's public key."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.public) != KEY_BYTES:
            raise ValueError(f"{self.name!r} cannot be the name of a key, or the key does not have {KEY_BYTES} bytes")

    @classmethod
    def parse(cls, vkey: str) -> CosignerKey:
        """Reads a vkey. Raises VerificationError for anything else, a key of another type too."""
        return cls(*parse_vkey(vkey, COSIGNATURE))

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0A || 04 || public key)[:4]."""
        return key_id_of(self.name, COSIGNATURE, self.public)

    @property
    def vkey(self) -> str:
        """As it is handed to verifiers."""
        return print_vkey(self.name, COSIGNATURE, self.public)

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether this key cosigned the checkpoint with this text, at the time that `signature` bears."""
        if len(signature) != _TIME_BYTES + SIGNATURE_BYTES:
            return False
        try:
            parse_checkpoint(text)
            message = _message(_time_in(signature), text)
        except (VerificationError, ValueError):
            return False
        return ed25519_verifies(self.public, message, signature[_TIME_BYTES:])


@dataclass(frozen=True, slots=True)
class Cosigner:
    """Cosigns checkpoints: a witness's secret. Its `repr` does not show the seed."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.seed) != KEY_BYTES:
            raise ValueError(f"{self.name!r} cannot be the name of a key, or the seed does not have {KEY_BYTES} bytes")

    @property
    def verifier(self) -> CosignerKey:
        """The public half."""
        return CosignerKey(self.name, ed25519_public(self.seed))

    def signature_line(self, text: str, time: int) -> str:
        """The line that cosigns the checkpoint with this text at `time`, in POSIX seconds; ends with a newline.

        Raises:
            VerificationError: the text is no checkpoint.
            ValueError: the time is not from 1 to 2^63 − 1.
        """
        parse_checkpoint(text)
        if time == 0:
            raise ValueError("a cosignature bears its time")
        message = _message(time, text)
        data = time.to_bytes(_TIME_BYTES, "big") + ed25519_signature(self.seed, message)
        return print_signature(self.name, self.verifier.key_id, data)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that verifies: by whom, and at which POSIX second."""

    key: CosignerKey
    time: int
    line: str


def cosignatures_of(note: Note, known: Iterable[CosignerKey]) -> list[Cosignature]:
    """The cosignatures of a checkpoint by known keys, one a key: its latest.

    Raises:
        VerificationError: a cosignature of a known key does not verify.
    """
    latest: dict[CosignerKey, Cosignature] = {}
    for verified in verify_signatures(note, known):
        found = _cosignature(verified)
        if found.key not in latest or latest[found.key].time < found.time:
            latest[found.key] = found
    return list(latest.values())


def with_lines(note: Note, lines: Sequence[str]) -> bytes:
    """The bytes of a note with further signature lines; what was signed before stands as it was."""
    return b"".join((note.data, *(line.encode() for line in lines)))


def _cosignature(verified: Verified[CosignerKey]) -> Cosignature:
    return Cosignature(verified.key, _time_in(verified.signature.data), verified.signature.line)


def _time_in(signature: bytes) -> int:
    return int.from_bytes(signature[:_TIME_BYTES], "big")


def _message(time: int, text: str) -> bytes:
    if not 0 <= time <= MAX_SIZE:
        raise ValueError("a time is a number of seconds up to 2^63 − 1")
    return f"cosignature/v1\ntime {time}\n{text}".encode()
