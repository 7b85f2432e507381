"""The mathematics of sealed personal fields: what an event holds instead of a name, a number or a note.

An event holds a `Sealed`: whose key opens the field, the digest of the ciphertext, and a commitment to the plain
text. The ciphertext (the *blob*) lies outside the entry, so destroying a key and a blob erases a person and leaves
every hash, proof and replay as it was. Everything here is pure: keys and randomness are arguments.

The format, version 1 (docs/sealing.md has a worked example), with DEK the subject's data key of 32 random bytes:

    expand          HKDF-Expand with SHA-256, 32 bytes (RFC 5869 section 2.3); a random key needs no extract (3.3)
    encryption key  expand(DEK, "qingling/enc/v1" || salt || field)
    open key        expand(DEK, "qingling/commit/v1" || salt || field)
    blob            01 || salt (16) || nonce (12) || AES-256-GCM(encryption key, nonce, text, AAD) with its tag (16)
    AAD             length of subject (2 bytes, big-endian) || subject || field
    sha256          SHA-256(blob)
    commit          HMAC-SHA-256(open key, text)

The canonical plain text is the text's UTF-8 as it stands: what a source wrote is a fact, so nothing is normalised.

Why a commitment beside the ciphertext: AES-GCM does not commit to its key. Who knows the keys can craft one
ciphertext that opens to two texts under two keys, each with a valid tag, and so could choose years later which name a
sealed event had meant. An HMAC under a key of fixed length binds to one text (a second one would be a collision of
SHA-256), and hides it as long as the open key is secret. The open key belongs to one field of one event, so handing
it over opens that field and nothing else.

A plain digest in the place of the commitment would be worth nothing: an identity number has few enough values to try
them all.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import InputError, VerificationError

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
SUBJECT_BYTES: Final = 16

_VERSION: Final = b"\x01"
_TEXT_AT: Final = len(_VERSION) + SALT_BYTES + NONCE_BYTES
_TAG_BYTES: Final = 16
_ENC_INFO: Final = b"qingling/enc/v1"
_COMMIT_INFO: Final = b"qingling/commit/v1"
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stands in an event's data where personal data would. It says nothing about the text, not even its length."""

    subject: str
    """Whose key opens it: a person's random id (`subject_id`), or the id of the stream that a text belongs to."""
    sha256: str
    """SHA-256 of the blob, 64 lower-case hexadecimal digits."""
    commit: str
    """HMAC-SHA-256 commitment to the canonical plain text, 64 lower-case hexadecimal digits."""


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Opens one `Sealed` to somebody who has no key. It holds the plain text, so its `repr` does not show it."""

    open_key: str
    """The key of this one commitment, 64 lower-case hexadecimal digits."""
    plaintext: str

    def __repr__(self) -> str:
        return "Opening(…)"


def subject_id(random: bytes) -> str:
    """The id of a data subject from 16 random bytes: `person-` and 26 characters of lower-case base32 (RFC 4648)."""
    if len(random) != SUBJECT_BYTES:
        raise ValueError(f"a subject's id needs {SUBJECT_BYTES} random bytes")
    return "person-" + b32encode(random).decode().rstrip("=").lower()


def seal(dek: bytes, subject: str, field: str, plaintext: str, *, salt: bytes, nonce: bytes) -> tuple[Sealed, bytes]:
    """Seals one field; returns what the event holds, and the blob to be stored before the event is recorded.

    `field` is a label that says what the text is. Opening needs the same label, so a label once used never changes.
    `salt` (16 bytes) and `nonce` (12) must be random and fresh for every call. Label and subject are 1 to 200 ASCII
    characters, letters, digits and `. _ : / -`, a letter or digit first.

    Raises:
        InputError: the text holds a lone surrogate, which no UTF-8 can carry.
        ValueError: a key, salt, nonce, label or subject that no caller may pass.
    """
    if len(dek) != KEY_BYTES or len(salt) != SALT_BYTES or len(nonce) != NONCE_BYTES:
        raise ValueError("a data key has 32 bytes, a salt 16 and a nonce 12")
    if not (_LABEL.fullmatch(subject) and _LABEL.fullmatch(field)):
        raise ValueError(f"subject {subject!r} or field {field!r} is no label")
    try:
        text = plaintext.encode()
    except UnicodeEncodeError:
        raise InputError("the text holds half of a surrogate pair", field=field, rule="unicode") from None
    ciphertext = AESGCM(_expand(dek, _ENC_INFO, salt, field)).encrypt(nonce, text, _bound_to(subject, field))
    blob = b"".join((_VERSION, salt, nonce, ciphertext))
    commit = _commit(_expand(dek, _COMMIT_INFO, salt, field), text)
    return Sealed(subject, hashlib.sha256(blob).hexdigest(), commit), blob


def open_sealed(dek: bytes, sealed: Sealed, field: str, blob: bytes) -> str:
    """The plain text of a sealed field, after its digest, its tag and its commitment have been checked.

    Raises:
        VerificationError: anything is wrong: key, subject, label, digest, blob, commitment.
    """
    return _opened(dek, sealed, field, blob)[1]


def opening(dek: bytes, sealed: Sealed, field: str, blob: bytes) -> Opening:
    """What shows this one field to somebody without the data key. Checks and raises as `open_sealed` does."""
    open_key, plaintext = _opened(dek, sealed, field, blob)
    return Opening(open_key.hex(), plaintext)


def check_opening(sealed: Sealed, shown: Opening) -> None:
    """Holds a shown text against what the log committed to. Needs no data key and no blob, so erasing changes nothing.

    Raises:
        VerificationError: the text is not the one that was sealed, or the opening is not well-formed.
    """
    # HMAC pads or hashes other lengths (RFC 2104 section 2); at one length alone are key and text bound together.
    if not _DIGEST.fullmatch(shown.open_key):
        raise VerificationError("the open key is not 64 hexadecimal digits")
    require_well_formed(sealed)
    try:
        text = shown.plaintext.encode()
    except UnicodeEncodeError:
        raise VerificationError("the text shown cannot have been sealed") from None
    if not hmac.compare_digest(_commit(bytes.fromhex(shown.open_key), text), sealed.commit):
        raise VerificationError("the text shown is not the one that was committed to")


def require_well_formed(sealed: Sealed) -> None:
    """Refuses what no `seal` ever made, so that a store may be asked for the rest.

    Raises:
        VerificationError: the subject is no label, or a digest is not 64 lower-case hexadecimal digits.
    """
    if not (_LABEL.fullmatch(sealed.subject) and _DIGEST.fullmatch(sealed.sha256) and _DIGEST.fullmatch(sealed.commit)):
        raise VerificationError("a sealed field is not well-formed")


def _opened(dek: bytes, sealed: Sealed, field: str, blob: bytes) -> tuple[bytes, str]:
    """Open key and plain text, all checks done."""
    require_well_formed(sealed)
    if not _LABEL.fullmatch(field):
        raise VerificationError("no field was ever sealed under such a label")
    if hashlib.sha256(blob).hexdigest() != sealed.sha256:
        raise VerificationError(f"a ciphertext of {sealed.subject} is not the one that was recorded")
    if len(blob) < _TEXT_AT + _TAG_BYTES or not blob.startswith(_VERSION):
        raise VerificationError(f"a ciphertext of {sealed.subject} has no known format")
    text, open_key = _decrypted(dek, sealed.subject, field, blob)
    if not hmac.compare_digest(_commit(open_key, text), sealed.commit):
        raise VerificationError(f"a sealed field of {sealed.subject} does not open to what was committed to")
    try:
        return open_key, text.decode()
    except UnicodeDecodeError:
        raise VerificationError(f"a sealed field of {sealed.subject} does not hold text") from None


def _decrypted(dek: bytes, subject: str, field: str, blob: bytes) -> tuple[bytes, bytes]:
    """The text's bytes and the open key."""
    if len(dek) != KEY_BYTES:
        raise VerificationError("a data key has 32 bytes")
    salt, nonce, ciphertext = blob[1 : 1 + SALT_BYTES], blob[1 + SALT_BYTES : _TEXT_AT], blob[_TEXT_AT:]
    try:
        text = AESGCM(_expand(dek, _ENC_INFO, salt, field)).decrypt(nonce, ciphertext, _bound_to(subject, field))
    except InvalidTag:
        raise VerificationError(f"a sealed field of {subject} does not open with this key and label") from None
    return text, _expand(dek, _COMMIT_INFO, salt, field)


def _expand(dek: bytes, info: bytes, salt: bytes, field: str) -> bytes:
    """HKDF-Expand to one block: T(1) = HMAC(PRK, info || 01) (RFC 5869 section 2.3)."""
    return hmac.digest(dek, b"".join((info, salt, field.encode(), b"\x01")), "sha256")


def _bound_to(subject: str, field: str) -> bytes:
    """Additional data of the encryption. The length makes the pair unambiguous."""
    return b"".join((len(subject).to_bytes(2, "big"), subject.encode(), field.encode()))


def _commit(open_key: bytes, text: bytes) -> str:
    return hmac.digest(open_key, text, "sha256").hex()
