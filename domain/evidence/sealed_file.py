"""The form of a sealed evidence file: what lies in the store, and why one digest in an entry fixes it for ever. Pure.

A file is encrypted under a key of its own, 32 random bytes, which is itself a sealed field of the vault (`domain.sealing.personal`)
under the label `evidence.key`. Version 1, with `||` for concatenation:

    header      "qingling-evidence/1" LF || canonical JSON of {key: the Sealed of the file key, type: the media type} || LF
    chunk key   HKDF-Expand with SHA-256 to 32 bytes (RFC 5869 section 2.3) of the file key,
                info "qingling/evidence/v1" || SHA-256(header)
    chunk i     AES-256-GCM(chunk key, nonce = i in 11 bytes big-endian || 01 for the last chunk, else 00; no additional data)
                of 65,536 bytes of the file; the last one holds the rest, and is empty only if the file is
    file        header || chunk 0 || chunk 1 || …
    sha256      SHA-256 of all of it: what an `Evidence` in an entry bears

Counter and last flag are the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): chunks cannot be cut off, added, left out
or exchanged. A nonce never comes twice under a key, for no two files have one key, and a header has one body.

One digest is enough. AES-GCM does not commit to its key, so the same chunks might be made to open to something else under another key;
but the header holds the commitment to the key, and the digest holds the header. Digest fixes header and chunks, header fixes key, key
and chunks fix the text. It hides as well: the digest is of a ciphertext, so nobody who guesses at a file can confirm the guess, which
a digest of the plain file would allow. Destroying the data key of the subject therefore erases the file and breaks no proof.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from domain.canonical import canonical_bytes
from domain.errors import VerificationError
from domain.evidence.media import KINDS
from domain.sealing.personal import Opening, Sealed, check_opening, require_well_formed

FILE_KEY_BYTES: Final = 32
CHUNK_BYTES: Final = 65_536
TAG_BYTES: Final = 16
KEY_FIELD: Final = "evidence.key"
NAME_FIELD: Final = "evidence.name"
HEADER_BYTES: Final = 2_048
"""No header is longer."""

_MAGIC: Final = b"qingling-evidence/1\n"
_INFO: Final = b"qingling/evidence/v1"


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sealed file says of itself: the sealed key that opens it, and its media type."""

    key: Sealed
    type: str


class Header(NamedTuple):
    """A header read: what it says, and its bytes."""

    head: Head
    raw: bytes


def make_header(key: Sealed, media: str) -> Header:
    """The header of a file under a sealed key.

    Raises:
        ValueError: the media type is none that is taken as evidence.
    """
    if media not in KINDS:
        raise ValueError(f"{media} is not taken as evidence")
    head = Head(key, media)
    return Header(head, _MAGIC + canonical_bytes(msgspec.to_builtins(head)) + b"\n")


def read_header(beginning: bytes) -> Header:
    """The header that a stored file begins with; `HEADER_BYTES` are always enough.

    Raises:
        VerificationError: it has none, or one that `make_header` never made.
    """
    end = beginning.find(b"\n", len(_MAGIC)) + 1
    if not beginning.startswith(_MAGIC) or not 0 < end <= HEADER_BYTES:
        raise VerificationError("this is no sealed evidence file")
    raw = beginning[:end]
    try:
        head = msgspec.json.decode(raw[len(_MAGIC) :], type=Head)
        made = make_header(head.key, head.type)
    except (msgspec.DecodeError, ValueError):
        raise VerificationError("the header of a sealed evidence file cannot be read") from None
    require_well_formed(head.key)
    if made.raw != raw:
        raise VerificationError("the header of a sealed evidence file is not in canonical form")
    return made


def seal_file(file_key: bytes, header: Header, content: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of the sealed file, header first, for pieces of any length. One file key seals one file, ever.

    Raises:
        ValueError: the key has not 32 bytes.
    """
    cipher = _cipher(file_key, header)
    yield header.raw
    for number, (block, last) in enumerate(_blocks(content, CHUNK_BYTES)):
        yield cipher.encrypt(_nonce(number, last=last), block, None)


def open_file(file_key: bytes, header: Header, body: Iterable[bytes], sha256: str) -> Iterator[bytes]:
    """The file behind a header, chunk by chunk, for pieces of any length.

    Every chunk is authentic under the key when it is yielded; the last one is held back until the digest of the whole is found right. So
    whoever has come to the end has the file that the entry bears, and whoever has not has nothing to rely on.

    Raises:
        VerificationError: a bit is wrong, a chunk is missing, added or in another's place, or it is not the file of that digest.
        ValueError: the key has not 32 bytes.
    """
    cipher, digest = _cipher(file_key, header), hashlib.sha256(header.raw)
    for number, (block, last) in enumerate(_blocks(body, CHUNK_BYTES + TAG_BYTES)):
        digest.update(block)
        try:
            plain = cipher.decrypt(_nonce(number, last=last), block, None)
        except (InvalidTag, ValueError):
            raise VerificationError(f"chunk {number} of evidence file {sha256} is not what was sealed") from None
        if last:
            if digest.hexdigest() != sha256:
                raise VerificationError(f"this is not the evidence file {sha256}")
            if number and not plain:
                raise VerificationError(f"evidence file {sha256} ends in an empty chunk")
        yield plain


def open_shown(shown: Opening, sealed: Iterable[bytes], sha256: str) -> Iterator[bytes]:
    """The file, for somebody who was handed the opening of its key and has no data key. Needs the sealed file and the digest alone.

    Raises:
        VerificationError: as `open_file`; or the key shown is not the one that the file was sealed under.
    """
    pieces = iter(sealed)
    beginning = b""
    while len(beginning) < HEADER_BYTES and (piece := next(pieces, None)) is not None:
        beginning += piece
    header = read_header(beginning)
    check_opening(header.head.key, shown)
    rest = iter((beginning[len(header.raw) :],))
    yield from open_file(key_of(shown.plaintext), header, (piece for part in (rest, pieces) for piece in part), sha256)


def key_text(file_key: bytes) -> str:
    """A file key as the text that the vault seals under `KEY_FIELD`."""
    return file_key.hex()


def key_of(text: str) -> bytes:
    """The file key that such a text says.

    Raises:
        VerificationError: it says none.
    """
    try:
        file_key = bytes.fromhex(text)
    except ValueError:
        file_key = b""
    if len(file_key) != FILE_KEY_BYTES or file_key.hex() != text:
        raise VerificationError("what was sealed as the key of an evidence file is no key")
    return file_key


def plain_size(header: Header, stored: int) -> int:
    """Bytes of the file itself, from the bytes that are stored.

    Raises:
        VerificationError: no sealed file has that many bytes.
    """
    body = stored - len(header.raw)
    chunks = -(-body // (CHUNK_BYTES + TAG_BYTES))
    size = body - chunks * TAG_BYTES
    if chunks < 1 or size < 0 or (chunks > 1 and size <= (chunks - 1) * CHUNK_BYTES):
        raise VerificationError("a sealed evidence file was cut off")
    return size


def _cipher(file_key: bytes, header: Header) -> AESGCM:
    if len(file_key) != FILE_KEY_BYTES:
        raise ValueError(f"a file key has {FILE_KEY_BYTES} bytes")
    info = _INFO + hashlib.sha256(header.raw).digest()
    return AESGCM(HKDFExpand(hashes.SHA256(), FILE_KEY_BYTES, info).derive(file_key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((last,))


def _blocks(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Blocks of one size and whether each is the last, which holds the rest; one empty block where there is nothing."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) > size:
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True
