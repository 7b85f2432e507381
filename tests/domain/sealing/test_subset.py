"""One proof for many leaves: what it holds for, and that nothing else passes."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.sealing.subset import subset_proof, verify_subset
from domain.sealing.tree import inclusion_proof, leaf_hash, root_of
from tests.domain.sealing.material import leaves, reader_of, wrong_paths

LEAVES = leaves(200)
READ = reader_of(LEAVES)


def refused(*arguments: Any) -> None:
    with pytest.raises(VerificationError):
        verify_subset(*arguments)


def test_every_subset_of_every_small_tree_is_proved_and_no_other_leaves_pass_with_its_proof() -> None:
    for size in range(1, 10):
        root = root_of(LEAVES[:size])
        for count in range(1, size + 1):
            for indexes in combinations(range(size), count):
                proof = subset_proof(indexes, size, READ)
                shown = [LEAVES[index] for index in indexes]
                verify_subset(shown, indexes, size, proof, root)
                for at in range(count):
                    forged = [*shown[:at], leaf_hash(b"forged"), *shown[at + 1 :]]
                    refused(forged, indexes, size, proof, root)


@settings(deadline=None)
@given(st.data(), st.integers(1, 200))
def test_leaves_anywhere_in_a_tree_are_proved_with_no_more_hashes_than_their_paths_have(
    data: st.DataObject, size: int
) -> None:
    indexes = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1)))
    proof = subset_proof(indexes, size, READ)
    verify_subset([LEAVES[index] for index in indexes], indexes, size, proof, root_of(LEAVES[:size]))
    paths = {node for index in indexes for node in inclusion_proof(index, size, READ)}
    assert set(proof) <= paths
    assert len(proof) == len(set(proof))


def test_all_leaves_need_no_hash() -> None:
    assert subset_proof(range(200), 200, READ) == []
    verify_subset(LEAVES, list(range(200)), 200, [], root_of(LEAVES))


@pytest.mark.parametrize("indexes", [[0], [5], [0, 1], [3, 4, 9], [0, 12], [11, 12], list(range(12))])
def test_a_proof_with_any_bit_changed_is_refused(indexes: list[int]) -> None:
    root = root_of(LEAVES[:13])
    shown = [LEAVES[index] for index in indexes]
    for wrong in wrong_paths(subset_proof(indexes, 13, READ)):
        refused(shown, indexes, 13, wrong, root)


def test_leaves_at_other_indexes_twice_or_out_of_order_are_refused() -> None:
    indexes, root = [3, 4, 9], root_of(LEAVES[:13])
    proof, shown = subset_proof(indexes, 13, READ), [LEAVES[index] for index in indexes]
    for wrong in [
        [2, 4, 9],
        [3, 5, 9],
        [3, 4, 8],
        [3, 4, 13],
        [-1, 4, 9],
        [3, 3, 9],
        [4, 3, 9],
        [3, 4],
        [3, 4, "9"],
        [],
        None,
    ]:
        refused(shown, wrong, 13, proof, root)
    refused(shown[::-1], indexes, 13, proof, root)
    refused(shown[:2], indexes, 13, proof, root)
    refused([*shown[:2], shown[2].hex()], indexes, 13, proof, root)
    refused(tuple(shown), iter(indexes), 13, proof, root)
    refused(shown, indexes, 13.0, proof, root)
    refused(shown, indexes, 13, proof, root.hex())
    refused([], [], 13, [root], root)


def test_nothing_is_proved_of_leaves_that_are_not_there() -> None:
    for indexes in [[], [13], [-1], [2, 2], [2, 1]]:
        with pytest.raises(ValueError, match="must rise"):
            subset_proof(indexes, 13, READ)
