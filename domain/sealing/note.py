"""Signed notes and the keys that sign them (C2SP signed-note): text, a blank line, signature lines.

    — <name> base64(key id || signature)

A *verifier key* (vkey) is public: name, key id, type, public key. A *signing key* (skey) is the secret in the spelling of Go's
`golang.org/x/mod/sumdb/note`. Two types are known: Ed25519 over the text (01, a log's) here, and the timestamped
cosignature (04, a witness's) in `domain.sealing.cosignature`.

Guarantees: a note is opened whole or not at all. Lines of unknown keys are ignored; a line of a known key, by name and id
together, must verify, or the note is refused; so must at least one. Everything wrong raises `VerificationError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Generic, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.errors import VerificationError
from domain.sealing.encoding import base64_of, checked_text, has_control_character, lines_of, read_base64, read_text

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
KEY_ID_BYTES: Final = 4
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
MAX_SIGNATURES: Final = 100
"""The specification asks for at least 16; Go's implementation accepts 100, and no more."""
MAX_NOTE: Final = 1_000_000
"""Bytes of the largest note that is looked at."""

_SECRET_PREFIX: Final = "PRIVATE+KEY+"
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")


class Verifier(Protocol):
    """A key that is trusted for something. Two with the same name and id are the same key."""

    @property
    def name(self) -> str:
        """Whose key it is; non-empty, without spaces and plus signs."""

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell it from other keys of the same name."""

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether `signature`, without the key id before it, is this key's over the note's text."""


# ---------------------------------------------------------------------------------------------------------------- keys


def is_key_name(name: str) -> bool:
    """Whether a key may bear this name: not empty, no Unicode space, no plus sign, no control character."""
    if not name or "+" in name or any(character.isspace() for character in name) or has_control_character(name):
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def key_id_of(name: str, kind: int, public: bytes) -> bytes:
    """SHA-256(name || 0A || type || public key)[:4]."""
    return sha256(b"".join((name.encode(), b"\n", bytes([kind]), public))).digest()[:KEY_ID_BYTES]


def print_vkey(name: str, kind: int, public: bytes) -> str:
    """`<name>+<key id in hex>+base64(type || public key)`."""
    return f"{name}+{key_id_of(name, kind, public).hex()}+{base64_of(bytes([kind]) + public)}"


def parse_vkey(vkey: str, kind: int) -> tuple[str, bytes]:
    """Name and public key (32 bytes) of a verifier key of type `kind`.

    Raises:
        VerificationError: it is malformed, of another type, or its key id is not that of the key.
    """
    name, key_id, public = _parts_of(checked_text(vkey, "the verifier key"), kind, "the verifier key")
    _require_own_id(name, key_id, kind, public)
    return name, public


def _parts_of(text: str, kind: int, what: str) -> tuple[str, str, bytes]:
    """Name, key id in hexadecimal, and the 32 bytes of the key or seed."""
    name, key_id, encoded = (*text.split("+", 2), "", "")[:3]
    if not is_key_name(name) or not _KEY_ID.fullmatch(key_id):
        raise VerificationError(f"{what} is not <name>+<8 hexadecimal digits>+<Base64>")
    material = read_base64(encoded, what)
    if len(material) != 1 + KEY_BYTES or material[0] != kind:
        raise VerificationError(f"{what} of {name} is not an Ed25519 key of type {kind:02x}")
    return name, key_id, material[1:]


def _require_own_id(name: str, key_id: str, kind: int, public: bytes) -> None:
    if key_id != key_id_of(name, kind, public).hex():
        raise VerificationError(f"the key id of {name} is not that of its key")


def ed25519_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature (RFC 8032) verifies."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ed25519_signature(seed: bytes, message: bytes) -> bytes:
    """The 64 bytes of an Ed25519 signature (RFC 8032) by the key of a 32-byte seed. The same every time."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def ed25519_public(seed: bytes) -> bytes:
    """The 32 bytes of the public key of a 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Verifies Ed25519 signatures over the text of a note (type 01): a log's public key."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.public) != KEY_BYTES:
            raise ValueError(f"{self.name!r} cannot be the name of a key, or the key does not have {KEY_BYTES} bytes")

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """Reads a vkey. Raises VerificationError for anything else, a key of another type too."""
        return cls(*parse_vkey(vkey, ED25519))

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0A || 01 || public key)[:4]."""
        return key_id_of(self.name, ED25519, self.public)

    @property
    def vkey(self) -> str:
        """As it is handed to verifiers."""
        return print_vkey(self.name, ED25519, self.public)

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether this key signed the text."""
        return ed25519_verifies(self.public, text.encode(), signature)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs the text of notes with Ed25519 (type 01): a log's secret. Its `repr` does not show the seed."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.seed) != KEY_BYTES:
            raise ValueError(f"{self.name!r} cannot be the name of a key, or the seed does not have {KEY_BYTES} bytes")

    @classmethod
    def parse(cls, skey: str) -> SigningKey:
        """Reads `PRIVATE+KEY+<name>+<key id>+base64(01 || seed)`. Raises VerificationError for anything else."""
        text = checked_text(skey, "the signing key")
        if not text.startswith(_SECRET_PREFIX):
            raise VerificationError(f"a signing key begins with {_SECRET_PREFIX}")
        name, key_id, seed = _parts_of(text.removeprefix(_SECRET_PREFIX), ED25519, "the signing key")
        _require_own_id(name, key_id, ED25519, ed25519_public(seed))
        return cls(name, seed)

    @property
    def skey(self) -> str:
        """As it is stored; the key id is that of the public key."""
        return f"{_SECRET_PREFIX}{self.name}+{self.verifier.key_id.hex()}+{base64_of(bytes([ED25519]) + self.seed)}"

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, ed25519_public(self.seed))

    def signature_line(self, text: str) -> str:
        """The line that signs `text`, which must be the text of a note; ends with a newline."""
        return print_signature(self.name, self.verifier.key_id, ed25519_signature(self.seed, text.encode()))


# --------------------------------------------------------------------------------------------------------------- notes


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line, not verified: who is said to have signed, with which key, and what stands after the key id."""

    name: str
    key_id: bytes
    data: bytes

    @property
    def line(self) -> str:
        """As it stands in a note; ends with a newline."""
        return print_signature(self.name, self.key_id, self.data)


@dataclass(frozen=True, slots=True)
class Note:
    """Text and signature lines, taken apart; nothing is verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def data(self) -> bytes:
        """The bytes of the note."""
        return print_note(self.text, [signature.line for signature in self.signatures])


V = TypeVar("V", bound=Verifier)


@dataclass(frozen=True, slots=True)
class Verified(Generic[V]):
    """A key, and a signature of its own that verifies."""

    key: V
    signature: Signature


def print_signature(name: str, key_id: bytes, data: bytes) -> str:
    """A signature line with its newline."""
    return f"— {name} {base64_of(key_id + data)}\n"


def print_note(text: str, lines: Sequence[str]) -> bytes:
    """The bytes of a note with these signature lines, each ended by its newline.

    Raises:
        ValueError: the text cannot be that of a note, or there is no line.
    """
    if not text.endswith("\n") or has_control_character(text) or not lines:
        raise ValueError("a note has a text that ends with a newline, no control characters, and a signature")
    return f"{text}\n{''.join(lines)}".encode()


def parse_note(data: bytes) -> Note:
    """Takes a note apart. The text is untrusted until a signature has been verified: see `open_note`.

    Raises:
        VerificationError: it is malformed, longer than a million bytes, or has more than 100 signatures.
    """
    text = read_text(data, "the note")
    if len(data) > MAX_NOTE:
        raise VerificationError(f"the note has more than {MAX_NOTE} bytes")
    before, blank, after = text.rpartition("\n\n")
    if not blank:
        raise VerificationError("the note has no blank line before its signatures")
    return Note(before + "\n", parse_signatures(after))


def parse_signatures(text: str) -> tuple[Signature, ...]:
    """Signature lines, one after the other.

    Raises:
        VerificationError: a line is malformed, there is none, or there are more than 100.
    """
    lines = lines_of(text, "the last signature line")
    if len(lines) > MAX_SIGNATURES:
        raise VerificationError(f"the note has more than {MAX_SIGNATURES} signatures")
    return tuple(_parse_signature(line) for line in lines)


def _parse_signature(line: str) -> Signature:
    dash, name, encoded = (*line.split(" ", 2), "", "")[:3]
    if dash != "—" or not is_key_name(name):
        raise VerificationError("a line below the note's text is not a signature")
    data = read_base64(encoded, f"the signature of {name}")
    if len(data) <= KEY_ID_BYTES:
        raise VerificationError(f"the signature of {name} is empty")
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def open_note(data: bytes, known: Iterable[V]) -> tuple[Note, list[Verified[V]]]:
    """A note, and its signatures by known keys, in the order of the note. All of them have been verified.

    A key may occur more than once: a witness that was asked twice gives two times.

    Raises:
        VerificationError: the note is malformed, a signature of a known key does not verify, or no known key signed.
    """
    note = parse_note(data)
    verified = verify_signatures(note, known)
    if not verified:
        raise VerificationError("no known key signed the note")
    return note, verified


def verify_signatures(note: Note, known: Iterable[V]) -> list[Verified[V]]:
    """The signatures of a note by known keys; empty when there are none.

    Raises:
        VerificationError: one of them does not verify.
    """
    keys = {(key.name, key.key_id): key for key in known}
    verified = []
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.verifies(note.text, signature.data):
            raise VerificationError(f"the signature of {signature.name} does not verify")
        verified.append(Verified(key, signature))
    return verified
