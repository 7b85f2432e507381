"""Receipts: what is printed is held against its proof, and nothing altered holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import VerificationError
from domain.sealing.policy import Policy
from domain.sealing.proof_file import ProofFile
from domain.sealing.receipt import Receipt, parse_receipt
from domain.sealing.state import State, state_of
from domain.sealing.tree import inclusion_proof
from tests.domain.sealing.material import LOG, all_mutations, leaves, reader_of, signed

LEAVES = leaves(70)
POLICY = Policy.of_log(LOG.verifier)


def proof_of(index: int) -> ProofFile:
    return ProofFile(index, tuple(inclusion_proof(index, 70, reader_of(LEAVES))), signed(LEAVES))


def receipt_of(index: int) -> Receipt:
    return Receipt(LOG.name, index + 1, LEAVES[index])


@pytest.mark.parametrize("index", [0, 1, 63, 64, 69])
def test_a_receipt_holds_with_its_proof_and_with_no_other(index: int) -> None:
    receipt = parse_receipt(receipt_of(index).text.encode())
    assert receipt == receipt_of(index)
    assert receipt.verified(proof_of(index), POLICY).checkpoint.size == 70
    for other in {0, 1, 63, 64, 69} - {index}:
        with pytest.raises(VerificationError):
            receipt.verified(proof_of(other), POLICY)


def test_a_receipt_of_another_log_position_or_leaf_is_refused() -> None:
    receipt, proof = receipt_of(5), proof_of(5)
    for changed in (
        replace(receipt, origin="audit.example.org/log2"),
        replace(receipt, position=7),
        replace(receipt, leaf=LEAVES[6]),
    ):
        with pytest.raises(VerificationError):
            changed.verified(proof, POLICY)


def test_a_receipt_with_any_bit_changed_or_any_byte_more_or_less_is_refused() -> None:
    receipt, proof = receipt_of(5), proof_of(5)
    for mutated in all_mutations(receipt.text.encode()):
        with pytest.raises(VerificationError):
            parse_receipt(mutated).verified(proof, POLICY)


@pytest.mark.parametrize("text", [b"", b"QL1", b"QL1  1 x", b"QL2 a 1 b", b"QL1 a 0 " + b"A" * 43 + b"=", b"\xff"])
def test_what_is_no_receipt_is_refused(text: bytes) -> None:
    with pytest.raises(VerificationError):
        parse_receipt(text)


def test_an_event_is_recorded_then_sealed_then_published() -> None:
    assert [state_of(position, 6, 4) for position in (4, 5, 6, 7)] == [
        State.PUBLISHED,
        State.SEALED,
        State.SEALED,
        State.RECORDED,
    ]
