"""Proofs to take home: they hold with a policy alone, and nothing altered holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import VerificationError
from domain.sealing.cosignature import Cosigner
from domain.sealing.encoding import base64_of
from domain.sealing.note import SigningKey
from domain.sealing.policy import Policy, parse_policy
from domain.sealing.proof_file import ProofFile, parse_proof
from domain.sealing.tree import inclusion_proof, leaf_hash
from tests.domain.sealing.material import (
    LOG,
    SECOND_WITNESS,
    WITNESS,
    all_mutations,
    entries,
    leaves,
    reader_of,
    signed,
)

ENTRIES, LEAVES = entries(130), leaves(130)
READ = reader_of(LEAVES)
THIRD_WITNESS = Cosigner("witness.example.org/w3", bytes(32))
POLICY = parse_policy(
    f"log {LOG.verifier.vkey}\nwitness a {WITNESS.verifier.vkey}\nwitness b {SECOND_WITNESS.verifier.vkey}\n"
    "group both all a b\nquorum both\n".encode()
)


def proof_of(index: int, size: int, *, extra: bytes = b"") -> ProofFile:
    note = signed(LEAVES[:size], cosigners=[WITNESS, SECOND_WITNESS])
    return ProofFile(index, tuple(inclusion_proof(index, size, READ)), note, extra)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 64, 65, 130])
def test_a_proof_holds_for_its_entry_and_for_no_other(size: int) -> None:
    for index in range(size):
        proof = parse_proof(proof_of(index, size).data)
        assert proof.position == index + 1
        assert proof.verified(ENTRIES[index], POLICY).checkpoint.size == size
        for other in (
            ENTRIES[index - 1] if size > 1 else b"other",
            ENTRIES[index] + b" ",
            b"",
            None,
            ENTRIES[index].decode(),
        ):
            with pytest.raises(VerificationError):
                proof.verified(other, POLICY)  # type: ignore[arg-type]


@pytest.mark.parametrize(("index", "size"), [(0, 1), (4, 7), (6, 7)])
def test_a_proof_with_any_bit_changed_or_any_byte_more_or_less_is_refused(index: int, size: int) -> None:
    data = proof_of(index, size).data
    parse_proof(data).verified(ENTRIES[index], POLICY)
    for wrong in all_mutations(data):
        with pytest.raises(VerificationError):
            parse_proof(wrong).verified(ENTRIES[index], POLICY)


def test_a_proof_that_was_accepted_is_printed_as_it_was() -> None:
    for extra in (b"", b"x", bytes(range(256))):
        data = proof_of(4, 7, extra=extra).data
        assert parse_proof(data).data == data
        assert parse_proof(data).extra == extra


def test_the_file_is_laid_out_as_the_specification_says() -> None:
    proof = proof_of(2, 3, extra=b"who knows")
    assert proof.data == (
        f"c2sp.org/tlog-proof@v1\nextra d2hvIGtub3dz\nindex 2\n{base64_of(proof.path[0])}\n\n".encode() + proof.note
    )


def test_nobody_vouches_for_the_extra_data() -> None:
    """It is not signed: another one passes. The specification says so, and so does the docstring."""
    data = proof_of(4, 7, extra=b"one").data
    other = data.replace(base64_of(b"one").encode(), base64_of(b"two").encode())
    assert parse_proof(other).verified(ENTRIES[4], POLICY).checkpoint.size == 7


PROOF = proof_of(4, 7).data


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        PROOF.replace(b"@v1", b"@v2"),
        PROOF.replace(b"c2sp.org", b"C2SP.org"),
        PROOF.replace(b"index 4", b"index 04"),
        PROOF.replace(b"index 4", b"index +4"),
        PROOF.replace(b"index 4", b"index -4"),
        PROOF.replace(b"index 4", b"index  4"),
        PROOF.replace(b"index 4", b"index 4 "),
        PROOF.replace(b"index 4", b"index 9223372036854775808"),
        PROOF.replace(b"index 4", b"index"),
        PROOF.replace(b"index 4\n", b""),
        PROOF.replace(b"index 4\n", b"extra \nindex 4\n"),
        PROOF.replace(b"index 4\n", b"extra\nindex 4\n"),
        PROOF.replace(b"index 4\n", b"extra AAA\nindex 4\n"),
        PROOF.replace(b"index 4\n", b"extra AAAA\nextra AAAA\nindex 4\n"),
        PROOF.replace(b"index 4\n", b"index 4\nextra AAAA\n"),
        PROOF.replace(b"index 4\n", b"index 4\nAAAA\n"),
        PROOF.replace(b"index 4\n", b"index 4\n" + (b"A" * 43 + b"=\n") * 64),
        PROOF.replace(b"\n", b"\r\n"),
        b"\n" + PROOF,
        b"\xef\xbb\xbf" + PROOF,
        PROOF.replace(b"\n\n", b"\n", 1),
        None,
        7,
        PROOF.decode(),
    ],
)
def test_what_is_not_a_proof_is_refused(wrong: Any) -> None:
    with pytest.raises(VerificationError):
        parse_proof(wrong)


def test_a_proof_does_not_hold_for_who_trusts_another_log_or_asks_for_more_witnesses() -> None:
    proof = proof_of(4, 7)
    stranger = SigningKey("other.example/log", bytes(32)).verifier
    third = parse_policy(f"log {LOG.verifier.vkey}\nwitness c {THIRD_WITNESS.verifier.vkey}\nquorum c\n".encode())
    for policy in (Policy(), Policy.of_log(stranger), third):
        with pytest.raises(VerificationError):
            proof.verified(ENTRIES[4], policy)


def test_the_path_of_one_checkpoint_does_not_hold_under_another() -> None:
    with pytest.raises(VerificationError):
        replace(proof_of(4, 7), note=proof_of(4, 8).note).verified(ENTRIES[4], POLICY)


@pytest.mark.parametrize(
    "change",
    [{"index": "4"}, {"index": None}, {"index": -1}, {"index": 4.0}, {"path": None}, {"path": ("x",)}, {"note": None}],
)
def test_a_proof_made_of_other_things_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        replace(proof_of(4, 7), **change).verified(ENTRIES[4], POLICY)


def test_who_knows_only_the_leaf_hash_can_check_it() -> None:
    assert proof_of(4, 7).verified_leaf(leaf_hash(ENTRIES[4]), POLICY).checkpoint.size == 7
    with pytest.raises(VerificationError):
        proof_of(4, 7).verified_leaf(ENTRIES[4], POLICY)
