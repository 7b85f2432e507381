"""Whom a verifier trusts, and single proofs and receipts."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import InputError, VerificationError
from domain.sealing.cosignature import Cosigner
from domain.sealing.note import VerifierKey
from domain.sealing.policy import Policy
from domain.sealing.proof_file import ProofFile, parse_proof
from infra.packs.trust import keys_of, small_file, trusted_by, verify_proof
from tests.infra.packs.office import Office


@pytest.fixture(scope="module")
def proof(office: Office) -> ProofFile:
    """The proof of the entry at position 3."""
    with office.opened() as platform:
        platform.sealing.publish()
        return platform.sealing.proof(3)


@pytest.fixture
def policy(office: Office) -> Policy:
    return Policy.of_log(VerifierKey.parse(office.vkey))


def test_a_proof_is_checked_with_its_entry_or_with_the_receipt_in_it(
    office: Office, proof: ProofFile, policy: Policy
) -> None:
    entry = office.entries[2]
    with_entry = verify_proof(proof.data, policy, entry=entry)
    assert (with_entry.position, with_entry.entry) == (3, True)
    alone = verify_proof(proof.data, policy)
    assert (alone.position, alone.entry, alone.leaf) == (3, False, with_entry.leaf)
    typed = verify_proof(proof.data, policy, receipt=proof.extra)
    assert typed.leaf == alone.leaf
    assert verify_proof(proof.data, policy, entry=entry, receipt=proof.extra).entry


def test_a_proof_of_another_entry_receipt_position_or_key_is_refused(
    office: Office, proof: ProofFile, policy: Policy
) -> None:
    data, receipt = proof.data, proof.extra.decode()
    with pytest.raises(VerificationError):
        verify_proof(data, policy, entry=office.entries[3])
    for wrong in (
        receipt.replace(" 3 ", " 4 "),
        receipt.replace("test-", "rest-"),
        receipt[:-5] + "AAAA=",
        receipt + " x",
        receipt[2:],
        "",
        "QL1",
    ):
        with pytest.raises(VerificationError):
            verify_proof(data, policy, receipt=wrong.encode())
        with pytest.raises(VerificationError):
            verify_proof(data, policy, entry=office.entries[2], receipt=wrong.encode())
    with pytest.raises(VerificationError):
        verify_proof(data, Policy.of_log(VerifierKey(office.key.name, bytes(32))))


def test_a_proof_without_a_receipt_says_nothing_without_the_entry(
    office: Office, proof: ProofFile, policy: Policy
) -> None:
    bare = ProofFile(proof.index, proof.path, proof.note)
    with pytest.raises(VerificationError, match="names no receipt"):
        verify_proof(bare.data, policy)
    assert verify_proof(bare.data, policy, entry=office.entries[2]).position == 3


def test_every_byte_of_a_proof_counts(proof: ProofFile, policy: Policy) -> None:
    data = proof.data
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(VerificationError):
            verify_proof(bytes(changed), policy)
        with pytest.raises(VerificationError):
            verify_proof(data[:at], policy)
    assert parse_proof(data) == proof


def test_keys_come_as_text_or_one_a_line_in_a_file(office: Office, tmp_path: Path) -> None:
    key = VerifierKey.parse(office.vkey)
    other = VerifierKey("other.example/log", bytes(range(32)))
    file = tmp_path / "keys"
    file.write_text(f"\ufeff# the office's\n{office.vkey}\n\n  {other.vkey}\r\n", "utf-8")
    assert keys_of(office.vkey) == [key]
    assert keys_of(str(file)) == [key, other]
    policy = trusted_by([str(file), office.vkey], None)
    assert [log.key for log in policy.logs] == [key, other]


@pytest.mark.parametrize("text", ["", "# nothing\n", "x", "x+y", "name+00000000+AAAA", "\ufeff", "\x00"])
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.write_text(text, "utf-8")
    with pytest.raises(VerificationError):
        keys_of(str(file))
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(VerificationError):
        keys_of(str(file))


def test_a_witness_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="type 01"):
        keys_of(Cosigner("w", bytes(32)).verifier.vkey)


def test_a_verifier_says_whom_it_trusts_and_in_one_way(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "policy"
    file.write_text(f"log {office.vkey}\nquorum none\n", "utf-8")
    assert [log.key.vkey for log in trusted_by([], file).logs] == [office.vkey]
    for keys, policy in (([], None), ([office.vkey], file)):
        with pytest.raises(InputError, match="name whom you trust"):
            trusted_by(keys, policy)
    with pytest.raises(InputError, match="cannot read"):
        trusted_by([], tmp_path / "none")
    file.write_text("quorum x\n", "utf-8")
    with pytest.raises(VerificationError):
        trusted_by([], file)


def test_a_file_that_is_too_large_for_a_key_or_proof_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(bytes(2**20 + 1))
    with pytest.raises(InputError, match="too large"):
        small_file(file)
