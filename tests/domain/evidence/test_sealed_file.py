"""A sealed file opens to what was sealed or not at all: nothing can be cut off, added, exchanged, altered, or opened to something else."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.evidence.sealed_file import (
    CHUNK_BYTES,
    KEY_FIELD,
    TAG_BYTES,
    Header,
    key_of,
    key_text,
    make_header,
    open_file,
    open_shown,
    plain_size,
    read_header,
    seal_file,
)
from domain.sealing.personal import Opening, Sealed, opening, seal

DEK = bytes(range(32))
FILE_KEY = bytes(range(100, 132))
SUBJECT = "case-1"
KEY, BLOB = seal(DEK, SUBJECT, KEY_FIELD, key_text(FILE_KEY), salt=bytes(16), nonce=bytes(12))
HEADER = make_header(KEY, "audio/amr")
RECORDING = b"#!AMR\n" + bytes(i * 7 % 251 for i in range(3 * CHUNK_BYTES))
BLOCK = CHUNK_BYTES + TAG_BYTES


def sealed(content: bytes = RECORDING, header: Header = HEADER) -> bytes:
    return b"".join(seal_file(FILE_KEY, header, [content]))


def digest(stored: bytes) -> str:
    return hashlib.sha256(stored).hexdigest()


def opened(stored: bytes, sha256: str, key: bytes = FILE_KEY) -> bytes:
    header = read_header(stored)
    return b"".join(open_file(key, header, [stored[len(header.raw) :]], sha256))


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_a_file_of_any_length_comes_back_and_its_length_is_known_without_the_key(size):
    content = RECORDING[:size]
    stored = sealed(content)
    assert opened(stored, digest(stored)) == content
    assert plain_size(HEADER, len(stored)) == size


@given(st.lists(st.binary(max_size=50_000), max_size=6), st.integers(1, 40_000))
def test_how_a_file_is_cut_into_pieces_makes_no_difference(parts, size):
    stored = b"".join(seal_file(FILE_KEY, HEADER, parts))
    assert stored == sealed(b"".join(parts))
    body = stored[len(HEADER.raw) :]
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    assert b"".join(open_file(FILE_KEY, HEADER, pieces, digest(stored))) == b"".join(parts)


def test_the_form_is_the_one_that_is_written_down():
    """Sealed again by hand from the words of the module, so that other programs can be written by them."""
    assert HEADER.raw == (
        b'qingling-evidence/1\n{"key":{"commit":"%s","sha256":"%s","subject":"case-1"},"type":"audio/amr"}\n'
        % (KEY.commit.encode(), KEY.sha256.encode())
    )
    info = b"qingling/evidence/v1" + hashlib.sha256(HEADER.raw).digest()
    cipher = AESGCM(HKDFExpand(hashes.SHA256(), 32, info).derive(FILE_KEY))
    first = cipher.encrypt(bytes(11) + b"\0", RECORDING[:CHUNK_BYTES], None)
    second = cipher.encrypt(bytes(10) + b"\1\1", RECORDING[CHUNK_BYTES : CHUNK_BYTES + 5], None)
    assert sealed(RECORDING[: CHUNK_BYTES + 5]) == HEADER.raw + first + second


def body_of(stored: bytes) -> list[bytes]:
    body = stored[len(HEADER.raw) :]
    return [body[at : at + BLOCK] for at in range(0, len(body), BLOCK)]


ALTERED = {
    "cut within a chunk": lambda c: [*c[:-1], c[-1][:-1]],
    "cut at a chunk": lambda c: c[:-1],
    "cut to nothing": lambda c: [],
    "two chunks exchanged": lambda c: [c[1], c[0], *c[2:]],
    "a chunk left out": lambda c: [c[0], *c[2:]],
    "a chunk twice": lambda c: [c[0], c[0], *c[1:]],
    "the last chunk twice": lambda c: [*c, c[-1]],
    "bytes added": lambda c: [*c, b"\0"],
    "the last chunk alone": lambda c: c[-1:],
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_truncation_and_reordering_are_refused_by_the_chunks_alone(alter):
    """Even to somebody who was told the digest of what was altered."""
    stored = HEADER.raw + b"".join(alter(body_of(sealed())))
    with pytest.raises(VerificationError):
        opened(stored, digest(stored))


SMALL = sealed(b"#!AMR\n" + bytes(range(40)))


@given(st.integers(0, len(SMALL) * 8 - 1))
def test_a_flipped_bit_anywhere_is_refused(bit):
    altered = bytearray(SMALL)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(VerificationError):
        opened(bytes(altered), digest(SMALL))


def test_a_bit_flipped_in_a_long_file_stops_it_in_its_chunk():
    stored = bytearray(sealed())
    stored[len(HEADER.raw) + BLOCK + 5] ^= 1
    coming = open_file(FILE_KEY, HEADER, [bytes(stored[len(HEADER.raw) :])], digest(sealed()))
    assert next(coming) == RECORDING[:CHUNK_BYTES]
    with pytest.raises(VerificationError, match="chunk 1"):
        next(coming)


def test_the_last_chunk_is_held_back_from_a_file_that_is_authentic_but_not_the_recorded_one():
    stored, other = sealed(), sealed(RECORDING[:-1])
    coming = open_file(FILE_KEY, HEADER, [stored[len(HEADER.raw) :]], digest(other))
    assert [len(next(coming)) for _ in range(3)] == [CHUNK_BYTES] * 3
    with pytest.raises(VerificationError, match="not the evidence file"):
        next(coming)


def test_a_file_does_not_open_under_another_header():
    other = make_header(KEY, "audio/mpeg")
    stored = other.raw + sealed()[len(HEADER.raw) :]
    with pytest.raises(VerificationError):
        opened(stored, digest(stored))


def test_a_file_does_not_open_with_another_key():
    with pytest.raises(VerificationError):
        opened(sealed(), digest(sealed()), key=DEK)


def test_an_empty_last_chunk_behind_a_full_one_is_refused():
    info = b"qingling/evidence/v1" + hashlib.sha256(HEADER.raw).digest()
    cipher = AESGCM(HKDFExpand(hashes.SHA256(), 32, info).derive(FILE_KEY))
    full = cipher.encrypt(bytes(12), bytes(CHUNK_BYTES), None)
    stored = HEADER.raw + full + cipher.encrypt(bytes(10) + b"\1\1", b"", None)
    with pytest.raises(VerificationError, match="empty chunk"):
        opened(stored, digest(stored))
    with pytest.raises(VerificationError, match="cut off"):
        plain_size(HEADER, len(stored))


def test_a_key_of_another_length_is_a_bug_of_the_caller():
    with pytest.raises(ValueError, match="32 bytes"):
        list(seal_file(b"short", HEADER, []))
    with pytest.raises(ValueError, match="not taken"):
        make_header(KEY, "text/html")


@pytest.mark.parametrize("length", [0, len(HEADER.raw), len(HEADER.raw) + 15, len(HEADER.raw) + BLOCK + 3])
def test_a_length_that_no_sealed_file_has_is_refused(length):
    with pytest.raises(VerificationError):
        plain_size(HEADER, length)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PK\x03\x04",
        HEADER.raw[:-1],
        HEADER.raw.replace(b"/1\n", b"/2\n"),
        HEADER.raw.replace(b'"type":', b'"type": '),
        HEADER.raw.replace(b"audio/amr", b"text/html"),
        HEADER.raw.replace(b'"subject":"case-1"', b'"subject":"case 1"'),
        HEADER.raw.replace(b'"subject"', b'"extra":1,"subject"'),
        HEADER.raw.replace(KEY.commit.encode(), KEY.commit.upper().encode()),
        b"qingling-evidence/1\n\xff\xfe\n",
        b"qingling-evidence/1\n" + b" " * 3_000 + b"\n",
    ],
)
def test_what_begins_like_no_sealed_file_is_refused(raw):
    with pytest.raises(VerificationError):
        read_header(raw)


def test_whoever_is_shown_the_key_of_one_file_opens_it_without_a_data_key():
    shown = opening(DEK, KEY, KEY_FIELD, BLOB)
    stored = sealed()
    for size in (1_000, len(stored)):
        pieces = [stored[at : at + size] for at in range(0, len(stored), size)]
        assert b"".join(open_shown(shown, pieces, digest(stored))) == RECORDING


def test_a_file_cannot_be_shown_to_be_another_by_another_key():
    """What AES-GCM alone would allow: the commitment in the header, which the digest fixes, does not."""
    stored = sealed()
    honest = opening(DEK, KEY, KEY_FIELD, BLOB)
    with pytest.raises(VerificationError, match="committed to"):
        list(open_shown(Opening(honest.open_key, key_text(DEK)), [stored], digest(stored)))
    other, blob = seal(DEK, SUBJECT, KEY_FIELD, key_text(DEK), salt=bytes(16), nonce=b"1" * 12)
    header = make_header(other, "audio/amr")
    forged = b"".join(seal_file(DEK, header, [b"#!AMR\nsomething else"]))
    with pytest.raises(VerificationError, match="not the evidence file"):
        list(open_shown(opening(DEK, other, KEY_FIELD, blob), [forged], digest(stored)))


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, key_text(DEK).upper(), key_text(DEK) + " "])
def test_what_is_no_key_is_not_taken_for_one(text):
    with pytest.raises(VerificationError):
        key_of(text)


def test_equal_files_under_two_keys_have_nothing_in_common():
    other = Sealed(subject=SUBJECT, sha256="5" * 64, commit="6" * 64)
    again = b"".join(seal_file(DEK, make_header(other, "audio/amr"), [RECORDING]))
    assert digest(again) != digest(sealed())
    assert not set(body_of(again)) & set(body_of(sealed()))
