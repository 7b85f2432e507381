"""An implementation that nobody here wrote: pymerkle makes the same roots and paths, and accepts what is made of ours."""

from __future__ import annotations

import pytest

from domain.sealing.tree import consistency_proof, inclusion_proof, leaf_hash, root_of, verify_consistency
from tests.domain.sealing.material import entries, leaves, reader_of

pymerkle = pytest.importorskip("pymerkle", reason="pymerkle, the oracle for trees, is not installed (extra `test`)")

SIZES = range(1, 66)
LEAVES = leaves(65)
READ = reader_of(LEAVES)


@pytest.fixture(scope="module")
def oracle():
    return pymerkle.InmemoryTree.init_from_entries(entries(65), algorithm="sha256")


@pytest.mark.parametrize("size", SIZES)
def test_roots_are_those_of_the_oracle(oracle, size: int) -> None:
    assert oracle.get_root(size) == root_of(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_paths_are_those_of_the_oracle(oracle, size: int) -> None:
    for index in range(size):
        leaf, *path = oracle.prove_inclusion(index + 1, size).path
        assert leaf == leaf_hash(entries(65)[index])
        assert path == inclusion_proof(index, size, READ)


@pytest.mark.parametrize("size", SIZES)
def test_our_consistency_proofs_join_the_roots_of_the_oracle_and_its_own_join_ours(oracle, size: int) -> None:
    for old in range(1, size):
        verify_consistency(old, oracle.get_root(old), size, oracle.get_root(size), consistency_proof(old, size, READ))
        theirs = oracle.prove_consistency(old, size)
        pymerkle.verify_consistency(root_of(LEAVES[:old]), root_of(LEAVES[:size]), theirs, old, size)
