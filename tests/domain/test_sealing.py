"""Sealed personal fields: what opens, what is refused, and what nobody can read."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from Crypto.Cipher import AES
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import assume, example, given
from hypothesis import strategies as st

from domain.errors import InputError, VerificationError
from domain.sealing.personal import (
    Opening,
    Sealed,
    check_opening,
    open_sealed,
    opening,
    seal,
    subject_id,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "sealing.md"
DEK = bytes(range(32))
SUBJECT = subject_id(bytes(16))
FIELD = "worker.name"
TEXT = "张三 140321199001010017"

keys = st.binary(min_size=32, max_size=32)
salts = st.binary(min_size=16, max_size=16)
nonces = st.binary(min_size=12, max_size=12)
labels = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,60}", fullmatch=True)


def sealed_text(text: str = TEXT, *, field: str = FIELD, salt: int = 1) -> tuple[Sealed, bytes]:
    return seal(DEK, SUBJECT, field, text, salt=bytes([salt] * 16), nonce=bytes([salt] * 12))


def bit_flips(data: bytes) -> Iterator[bytes]:
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def digit_flips(digits: str) -> Iterator[str]:
    """Every string that differs in one bit of one character, hexadecimal digits or not."""
    for flipped in bit_flips(digits.encode()):
        yield flipped.decode("latin-1")


@given(keys, labels, labels, st.text(), salts, nonces)
@example(DEK, SUBJECT, FIELD, "", bytes(16), bytes(12))
def test_any_text_opens_to_exactly_what_was_sealed(
    dek: bytes, subject: str, field: str, text: str, salt: bytes, nonce: bytes
) -> None:
    sealed, blob = seal(dek, subject, field, text, salt=salt, nonce=nonce)
    assert open_sealed(dek, sealed, field, blob) == text
    shown = opening(dek, sealed, field, blob)
    assert shown.plaintext == text
    check_opening(sealed, shown)


@given(st.text(), st.characters(categories=["Cs"]), st.text())
def test_half_a_surrogate_pair_is_refused_and_its_field_is_named(before: str, half: str, after: str) -> None:
    with pytest.raises(InputError) as refusal:
        sealed_text(before + half + after)
    assert refusal.value.field == FIELD


@pytest.mark.parametrize("text", ["", "x", TEXT])
def test_every_flipped_bit_of_the_ciphertext_is_refused(text: str) -> None:
    sealed, blob = sealed_text(text)
    for flipped in bit_flips(blob):
        with pytest.raises(VerificationError):
            open_sealed(DEK, sealed, FIELD, flipped)


def test_every_flipped_bit_of_the_ciphertext_is_refused_even_where_the_digest_was_made_to_fit() -> None:
    sealed, blob = sealed_text()
    for flipped in bit_flips(blob):
        fitting = msgspec.structs.replace(sealed, sha256=hashlib.sha256(flipped).hexdigest())
        with pytest.raises(VerificationError):
            open_sealed(DEK, fitting, FIELD, flipped)


def test_every_flipped_bit_of_digest_commitment_and_subject_is_refused() -> None:
    sealed, blob = sealed_text()
    for name in ("sha256", "commit", "subject"):
        for flipped in digit_flips(getattr(sealed, name)):
            with pytest.raises(VerificationError):
                open_sealed(DEK, msgspec.structs.replace(sealed, **{name: flipped}), FIELD, blob)


def test_every_flipped_bit_of_the_key_is_refused() -> None:
    sealed, blob = sealed_text()
    for flipped in bit_flips(DEK):
        with pytest.raises(VerificationError):
            open_sealed(flipped, sealed, FIELD, blob)


@given(st.binary(max_size=120), st.binary(max_size=40), st.text(), st.text(), st.text(), st.text())
def test_whatever_was_never_sealed_is_refused_with_one_error(
    blob: bytes, dek: bytes, subject: str, sha256: str, commit: str, field: str
) -> None:
    true_digest = hashlib.sha256(blob).hexdigest()
    for sealed in (
        Sealed(subject, sha256, commit),
        Sealed(SUBJECT, true_digest, commit),
        Sealed(SUBJECT, true_digest, "0" * 64),
    ):
        for label in (field, FIELD):
            with pytest.raises(VerificationError):
                open_sealed(dek, sealed, label, blob)


@pytest.mark.parametrize("field", ["worker.nam", "worker.name2", "payer.name", "", "worker.name\0", "\ud800"])
def test_another_label_does_not_open_the_field(field: str) -> None:
    sealed, blob = sealed_text()
    with pytest.raises(VerificationError):
        open_sealed(DEK, sealed, field, blob)


def test_a_ciphertext_of_one_subject_does_not_open_as_another_ones() -> None:
    """Not even where the boundary between subject and label is all that moved."""
    sealed, blob = seal(DEK, "case-1", "2/name", TEXT, salt=bytes(16), nonce=bytes(12))
    with pytest.raises(VerificationError):
        open_sealed(DEK, msgspec.structs.replace(sealed, subject="case-12"), "/name", blob)
    with pytest.raises(VerificationError):
        open_sealed(DEK, msgspec.structs.replace(sealed, subject="case-12"), "2/name", blob)


def test_a_text_sealed_later_under_the_same_key_cannot_take_the_place_of_the_committed_one() -> None:
    sealed, _ = sealed_text("张三")
    later, blob = sealed_text("李四", salt=2)
    with pytest.raises(VerificationError):
        open_sealed(DEK, msgspec.structs.replace(later, commit=sealed.commit), FIELD, blob)


def test_a_ciphertext_that_opens_under_two_keys_opens_only_to_the_committed_text() -> None:
    """AES-GCM does not commit to its key: such a ciphertext exists, tag and all. The commitment tells the texts apart."""
    salt, nonce, other_dek = bytes(16), bytes(12), bytes(reversed(DEK))
    first, second = (expanded(dek, b"qingling/enc/v1" + salt + FIELD.encode()) for dek in (DEK, other_dek))
    bound = len(SUBJECT).to_bytes(2, "big") + SUBJECT.encode() + FIELD.encode()
    ciphertext = opens_under_both(first, second, nonce, bound)
    texts = [AESGCM(key).decrypt(nonce, ciphertext, bound) for key in (first, second)]
    assert texts[0] != texts[1]

    blob = b"\x01" + salt + nonce + ciphertext
    open_key = expanded(DEK, b"qingling/commit/v1" + salt + FIELD.encode())
    commit = hmac.digest(open_key, texts[0], "sha256").hex()
    sealed = Sealed(SUBJECT, hashlib.sha256(blob).hexdigest(), commit)
    assert open_key_refused(other_dek, sealed, blob) == "does not open to what was committed to"
    assert (
        open_key_refused(DEK, sealed, blob) == "does not hold text"
    )  # past the commitment: the crafted text is no UTF-8


def open_key_refused(dek: bytes, sealed: Sealed, blob: bytes) -> str:
    with pytest.raises(VerificationError) as refusal:
        open_sealed(dek, sealed, FIELD, blob)
    return str(refusal.value).split(f"of {SUBJECT} ")[1]


def expanded(key: bytes, info: bytes) -> bytes:
    return HKDFExpand(SHA256(), 32, info).derive(key)


def opens_under_both(first: bytes, second: bytes, nonce: bytes, bound: bytes) -> bytes:
    """One block and a tag that AES-GCM accepts under two keys (NIST SP 800-38D sections 6.4 and 7.1).

    The tag is E(J0) + block·H² + lengths·H + additional·H³…, in GF(2^128). Two tags are equal for the one block that solves
    block·(H₁² + H₂²) = the sum of everything else.
    """
    hash_keys, rest = [], 0
    for key in (first, second):
        ecb = AES.new(key, AES.MODE_ECB)
        hash_key = int.from_bytes(ecb.encrypt(bytes(16)), "big")
        hash_keys.append(hash_key)
        rest ^= int.from_bytes(ecb.encrypt(nonce + b"\0\0\0\1"), "big") ^ ghash(hash_key, bound, bytes(16))
    squares = multiplied(hash_keys[0], hash_keys[0]) ^ multiplied(hash_keys[1], hash_keys[1])
    block = multiplied(rest, inverted(squares)).to_bytes(16, "big")
    cipher = AES.new(first, AES.MODE_GCM, nonce=nonce)
    cipher.update(bound)
    text = AES.new(first, AES.MODE_GCM, nonce=nonce).decrypt(block)
    return b"".join(cipher.encrypt_and_digest(text))


def ghash(hash_key: int, bound: bytes, ciphertext: bytes) -> int:
    padded = bound + bytes(-len(bound) % 16) + ciphertext + bytes(-len(ciphertext) % 16)
    padded += (len(bound) * 8).to_bytes(8, "big") + (len(ciphertext) * 8).to_bytes(8, "big")
    result = 0
    for at in range(0, len(padded), 16):
        result = multiplied(result ^ int.from_bytes(padded[at : at + 16], "big"), hash_key)
    return result


def multiplied(x: int, y: int) -> int:
    """The product in GF(2^128), the most significant bit first (NIST SP 800-38D section 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return product


def inverted(x: int) -> int:
    """x^(2^128 − 2), the inverse in GF(2^128)."""
    result, square = 1 << 127, x
    for _ in range(127):
        square = multiplied(square, square)
        result = multiplied(result, square)
    return result


@given(st.text(), salts, salts, nonces, nonces)
def test_two_seals_of_the_same_text_have_nothing_in_common(
    text: str, salt: bytes, other_salt: bytes, nonce: bytes, other_nonce: bytes
) -> None:
    assume(salt != other_salt)
    first, blob = seal(DEK, SUBJECT, FIELD, text, salt=salt, nonce=nonce)
    second, other_blob = seal(DEK, SUBJECT, FIELD, text, salt=other_salt, nonce=other_nonce)
    assert first.sha256 != second.sha256
    assert first.commit != second.commit
    assert blob[29:] != other_blob[29:]


def test_an_opening_shows_one_text_to_whoever_has_no_key() -> None:
    sealed, blob = sealed_text()
    shown = msgspec.json.decode(msgspec.json.encode(opening(DEK, sealed, FIELD, blob)), type=Opening)
    check_opening(sealed, shown)
    assert shown.plaintext == TEXT


def test_an_opening_shows_no_other_text_and_no_other_field() -> None:
    sealed, blob = sealed_text()
    shown = opening(DEK, sealed, FIELD, blob)
    others = [sealed_text(salt=2)[0], sealed_text(field="worker.alias")[0], sealed_text("李四")[0]]
    for other in others:
        with pytest.raises(VerificationError):
            check_opening(other, shown)


@given(st.text())
def test_no_other_text_passes_for_the_one_that_was_committed_to(text: str) -> None:
    sealed, blob = sealed_text()
    shown = opening(DEK, sealed, FIELD, blob)
    if text != TEXT:
        with pytest.raises(VerificationError):
            check_opening(sealed, Opening(shown.open_key, text))


@pytest.mark.parametrize("open_key", ["", "00", "zz" * 32, "AB" * 32, "00" * 64, "\ud800" * 64])
def test_an_open_key_that_is_none_is_refused(open_key: str) -> None:
    with pytest.raises(VerificationError):
        check_opening(sealed_text()[0], Opening(open_key, TEXT))


def test_every_flipped_bit_of_an_opening_is_refused() -> None:
    sealed, blob = sealed_text()
    shown = opening(DEK, sealed, FIELD, blob)
    for open_key in digit_flips(shown.open_key):
        with pytest.raises(VerificationError):
            check_opening(sealed, Opening(open_key, TEXT))
    with pytest.raises(VerificationError):
        check_opening(sealed, Opening(shown.open_key, TEXT + "\ud800"))


def test_neither_text_nor_key_stands_in_what_is_printed() -> None:
    sealed, blob = sealed_text()
    shown = opening(DEK, sealed, FIELD, blob)
    with pytest.raises(VerificationError) as refusal:
        open_sealed(DEK, msgspec.structs.replace(sealed, commit="0" * 64), FIELD, blob)
    with pytest.raises(InputError) as refused_text:
        sealed_text(TEXT + "\ud800")
    printed = f"{sealed!r} {shown!r} {shown} {refusal.value!r} {refused_text.value!r}"
    for secret in (TEXT, "张三", DEK.hex(), shown.open_key):
        assert secret not in printed


def test_what_is_sealed_holds_no_trace_of_the_text() -> None:
    short, long = sealed_text("张")[0], sealed_text("张" * 5000)[0]
    assert len(msgspec.json.encode(short)) == len(msgspec.json.encode(long))
    assert "张".encode() not in sealed_text()[1]


def test_a_sealed_field_with_something_beside_it_is_no_sealed_field() -> None:
    sealed = sealed_text()[0]
    document = msgspec.to_builtins(sealed)
    assert msgspec.convert(document, Sealed) == sealed
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**document, "name": "张三"}, Sealed)


@pytest.mark.parametrize(
    ("dek", "subject", "field", "salt", "nonce"),
    [
        (bytes(31), SUBJECT, FIELD, bytes(16), bytes(12)),
        (DEK, SUBJECT, FIELD, bytes(15), bytes(12)),
        (DEK, SUBJECT, FIELD, bytes(16), bytes(16)),
        (DEK, "", FIELD, bytes(16), bytes(12)),
        (DEK, "张三", FIELD, bytes(16), bytes(12)),
        (DEK, SUBJECT, "two words", bytes(16), bytes(12)),
        (DEK, SUBJECT, "x" * 201, bytes(16), bytes(12)),
    ],
)
def test_a_key_salt_nonce_or_label_that_cannot_be_is_a_bug_of_the_caller(
    dek: bytes, subject: str, field: str, salt: bytes, nonce: bytes
) -> None:
    with pytest.raises(ValueError, match=r"data key has 32 bytes|is no label"):
        seal(dek, subject, field, TEXT, salt=salt, nonce=nonce)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_a_subject_is_26_lower_case_letters_or_digits_and_its_own(random: bytes, other: bytes) -> None:
    assert re.fullmatch(r"person-[a-z2-7]{26}", subject_id(random))
    assert (subject_id(random) == subject_id(other)) == (random == other)


def test_a_subject_needs_sixteen_random_bytes() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        subject_id(bytes(15))


@given(keys, labels, labels, st.text(), salts, nonces)
def test_an_independent_implementation_reads_what_is_sealed(
    dek: bytes, subject: str, field: str, text: str, salt: bytes, nonce: bytes
) -> None:
    sealed, blob = seal(dek, subject, field, text, salt=salt, nonce=nonce)
    assert blob[:29] == b"\x01" + salt + nonce
    cipher = AES.new(expanded(dek, b"qingling/enc/v1" + salt + field.encode()), AES.MODE_GCM, nonce=nonce)
    cipher.update(len(subject).to_bytes(2, "big") + (subject + field).encode())
    assert cipher.decrypt_and_verify(blob[29:-16], blob[-16:]).decode() == text
    open_key = expanded(dek, b"qingling/commit/v1" + salt + field.encode())
    assert sealed == Sealed(
        subject, hashlib.sha256(blob).hexdigest(), hmac.new(open_key, text.encode(), "sha256").hexdigest()
    )


def test_the_worked_example_of_the_document_holds_for_ever() -> None:
    found = re.search(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    stated = json.loads(found[1])
    sealed, blob = seal(
        bytes.fromhex(stated["data key"]),
        stated["subject"],
        stated["field"],
        stated["text"],
        salt=bytes.fromhex(stated["salt"]),
        nonce=bytes.fromhex(stated["nonce"]),
    )
    assert msgspec.to_builtins(sealed) == stated["sealed"]
    assert blob.hex() == stated["blob"]
    assert opening(bytes.fromhex(stated["data key"]), sealed, stated["field"], blob).open_key == stated["open key"]
