"""The tree of RFC 6962: roots, right edges, and proofs that hold for what is true and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.sealing.encoding import MAX_SIZE
from domain.sealing.tree import (
    EMPTY_ROOT,
    MAX_PATH,
    Edge,
    consistency_proof,
    edge_of,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.domain.sealing.material import (
    leaves,
    literal_path,
    literal_root,
    literal_subproof,
    reader_of,
    wrong_paths,
)

SIZES = 130
LEAVES = leaves(SIZES)
READ = reader_of(LEAVES)
ROOTS = [literal_root(LEAVES[:size]) for size in range(SIZES + 1)]
NO_NUMBERS = [-1, 1.0, "1", None, b"\x01", True, MAX_SIZE + 1, 2**200]
NO_HASHES = [b"", bytes(31), bytes(33), "0" * 32, None, 7, bytearray(32), [0] * 32]


def refused(check: Callable[..., object], *arguments: Any) -> None:
    with pytest.raises(VerificationError):
        check(*arguments)


@pytest.mark.parametrize("size", range(SIZES + 1))
def test_roots_are_those_of_rfc_6962(size: int) -> None:
    assert root_of(LEAVES[:size]) == root_from(size, READ) == ROOTS[size]


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_every_leaf_of_every_tree_is_proved_as_rfc_6962_says(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(index, size, READ)
        assert proof == literal_path(index, LEAVES[:size])
        verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("size", range(SIZES + 1))
def test_every_tree_extends_every_smaller_one_as_rfc_6962_says(size: int) -> None:
    for old in range(size + 1):
        proof = consistency_proof(old, size, READ)
        assert proof == (literal_subproof(old, LEAVES[:size], True) if old else [])
        verify_consistency(old, ROOTS[old], size, ROOTS[size], proof)


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_a_leaf_is_proved_at_no_other_index_and_no_other_leaf_at_its_own(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(index, size, READ)
        for other in {0, index - 1, index + 1, index ^ 1, size - 1, size, size + index} - {index}:
            refused(verify_inclusion, LEAVES[index], other, size, proof, ROOTS[size])
        refused(verify_inclusion, LEAVES[index - 1 if size > 1 else 1], index, size, proof, ROOTS[size])
        refused(verify_inclusion, LEAVES[index], index, size, proof, ROOTS[size - 1])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 16, 100, 130])
def test_an_inclusion_proof_with_any_bit_changed_is_refused(size: int) -> None:
    for index in {0, size // 2, size - 1}:
        proof = inclusion_proof(index, size, READ)
        for wrong in wrong_paths(proof):
            refused(verify_inclusion, LEAVES[index], index, size, wrong, ROOTS[size])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 16, 100, 130])
def test_a_consistency_proof_with_any_bit_changed_is_refused(size: int) -> None:
    for old in {1, size // 2, size - 1, size} - {0}:
        proof = consistency_proof(old, size, READ)
        for wrong in wrong_paths(proof):
            refused(verify_consistency, old, ROOTS[old], size, ROOTS[size], wrong)


@pytest.mark.parametrize("size", range(2, 40))
def test_a_tree_that_rewrote_any_old_leaf_extends_nothing(size: int) -> None:
    for old in range(1, size):
        for rewritten in range(old):
            forged = [*LEAVES[:rewritten], leaf_hash(b"forged"), *LEAVES[rewritten + 1 : size]]
            proof = consistency_proof(old, size, reader_of(forged))
            refused(verify_consistency, old, ROOTS[old], size, literal_root(forged), proof)


def test_a_tree_that_swapped_two_leaves_or_dropped_one_extends_nothing() -> None:
    old, size = 11, 21
    for at in range(old):
        for following in range(at + 1, old):
            swapped = LEAVES[:size]
            swapped[at], swapped[following] = swapped[following], swapped[at]
            proof = consistency_proof(old, size, reader_of(swapped))
            refused(verify_consistency, old, ROOTS[old], size, literal_root(swapped), proof)
        shorter = [*LEAVES[:at], *LEAVES[at + 1 : size + 1]]
        proof = consistency_proof(old, size, reader_of(shorter))
        refused(verify_consistency, old, ROOTS[old], size, literal_root(shorter), proof)


@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_what_is_no_number_is_refused_as_size_and_as_index(wrong: object) -> None:
    proof = inclusion_proof(1, 3, READ)
    refused(verify_inclusion, LEAVES[1], wrong, 3, proof, ROOTS[3])
    refused(verify_inclusion, LEAVES[1], 1, wrong, proof, ROOTS[3])
    between = consistency_proof(2, 3, READ)
    refused(verify_consistency, wrong, ROOTS[2], 3, ROOTS[3], between)
    refused(verify_consistency, 2, ROOTS[2], wrong, ROOTS[3], between)


@pytest.mark.parametrize("wrong", NO_HASHES)
def test_what_is_no_hash_is_refused_as_leaf_and_as_root(wrong: object) -> None:
    proof = inclusion_proof(1, 3, READ)
    refused(verify_inclusion, wrong, 1, 3, proof, ROOTS[3])
    refused(verify_inclusion, LEAVES[1], 1, 3, proof, wrong)
    for old, size in [(2, 3), (3, 3), (0, 3), (0, 0)]:
        between = consistency_proof(old, size, READ)
        refused(verify_consistency, old, wrong, size, ROOTS[size], between)
        refused(verify_consistency, old, ROOTS[old], size, wrong, between)


def test_an_empty_tree_holds_nothing_and_has_one_root() -> None:
    refused(verify_inclusion, LEAVES[0], 0, 0, [], EMPTY_ROOT)
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    refused(verify_consistency, 0, ROOTS[1], 0, ROOTS[1], [])
    refused(verify_consistency, 0, ROOTS[1], 5, ROOTS[5], [])
    refused(verify_consistency, 0, EMPTY_ROOT, 5, ROOTS[5], [ROOTS[1]])


def test_a_smaller_tree_extends_no_larger_one_even_with_its_proof() -> None:
    refused(verify_consistency, 7, ROOTS[7], 4, ROOTS[4], consistency_proof(4, 7, READ))


def test_a_node_passes_for_no_leaf_and_a_leaf_for_no_node() -> None:
    children = LEAVES[0] + LEAVES[1]
    assert leaf_hash(children) != node_hash(LEAVES[0], LEAVES[1])
    path = inclusion_proof(0, 4, READ)[1:]
    refused(verify_inclusion, leaf_hash(children), 0, 2, path, ROOTS[4])


def test_a_proof_longer_than_the_tree_is_high_is_refused_even_where_it_leads_to_the_root() -> None:
    above = leaf_hash(b"above")
    refused(verify_inclusion, LEAVES[1], 0, 1, [LEAVES[0]], ROOTS[2])
    refused(verify_inclusion, LEAVES[2], 2, 3, [ROOTS[2], above], node_hash(above, ROOTS[3]))
    proof = [*consistency_proof(3, 4, READ), above]
    refused(verify_consistency, 3, node_hash(above, ROOTS[3]), 4, node_hash(above, ROOTS[4]), proof)


def test_a_proof_shorter_than_the_tree_is_high_is_refused_even_where_it_leads_to_the_root() -> None:
    refused(verify_inclusion, LEAVES[0], 0, 4, [LEAVES[1]], ROOTS[2])
    refused(verify_inclusion, LEAVES[0], 0, 2, [], LEAVES[0])
    refused(verify_consistency, 3, ROOTS[3], 8, ROOTS[4], consistency_proof(3, 4, READ))


def test_the_largest_trees_are_verified_and_larger_ones_refused() -> None:
    path = [leaf_hash(bytes([level])) for level in range(MAX_PATH)]
    root = leaf_hash(b"last")
    for sibling in path:
        root = node_hash(root, sibling)
    verify_inclusion(leaf_hash(b"last"), 0, MAX_SIZE, path, root)
    refused(verify_inclusion, leaf_hash(b"last"), 0, MAX_SIZE + 1, path, root)
    refused(verify_inclusion, leaf_hash(b"last"), 0, MAX_SIZE, [*path, bytes(32)], node_hash(root, bytes(32)))


def test_nothing_is_proved_of_leaves_that_are_not_there() -> None:
    for index, size in [(-1, 3), (3, 3), (0, 0), (1, MAX_SIZE + 1)]:
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(index, size, READ)
    for old, size in [(4, 3), (-1, 3), (1, MAX_SIZE + 1)]:
        with pytest.raises(ValueError, match="does not extend"):
            consistency_proof(old, size, READ)


# ---------------------------------------------------------------------------------------------------------- right edge


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=8))
def test_an_edge_has_the_root_of_its_leaves_however_they_arrive(batches: list[int]) -> None:
    edge, size = Edge(), 0
    for batch in batches:
        taken = leaves(size + batch)[size:]
        edge, size = edge.extended(taken), size + batch
    assert (edge.size, edge.root) == (size, root_of(leaves(size)))
    assert len(edge.peaks) == size.bit_count()


def test_leaf_by_leaf_an_edge_is_the_edge_of_the_stored_tree() -> None:
    edge = Edge()
    for size, leaf in enumerate(LEAVES, 1):
        edge = edge.extended([leaf])
        assert edge == edge_of(size, READ)


def test_an_edge_takes_whole_subtrees_where_they_fit() -> None:
    for size in range(65):
        edge = edge_of(size, READ)
        for level in range(7):
            width = 1 << level
            if size % width:
                with pytest.raises(ValueError, match="no subtree"):
                    edge.with_subtree(level, bytes(32))
            else:
                grown = edge.with_subtree(level, literal_root(LEAVES[size : size + width]))
                assert grown == edge_of(size + width, READ)


def test_an_edge_stays_small_and_stays_as_it_is() -> None:
    edge = Edge()
    for level in range(62, -1, -1):
        edge = edge.with_subtree(level, bytes([level]) * 32)
    before = edge.root
    assert (edge.size, len(edge.peaks)) == (MAX_SIZE, 63)
    with pytest.raises(ValueError, match="edge of a tree"):
        edge.extended([bytes(32)])
    assert edge.root == before


def test_an_edge_that_cannot_be_one_is_refused() -> None:
    for size, peaks in [(1, ()), (0, (bytes(32),)), (3, (bytes(32),)), (1, (bytes(31),)), (-1, ())]:
        with pytest.raises(ValueError, match="peak"):
            Edge(size, peaks)


def test_each_edge_extends_the_one_before() -> None:
    for (old, root), (size, larger) in pairwise(enumerate(ROOTS)):
        verify_consistency(old, root, size, larger, consistency_proof(old, size, READ))
