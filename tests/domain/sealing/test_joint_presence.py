"""Many names of a wholeness map, by one proof."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from domain.errors import VerificationError
from domain.sealing.sorted_map import JointPresence, Kind, MapHead, MapLeaf, WholenessMap, key_of, verify_together
from tests.domain.sealing.test_sorted_map import PARTITION, STREAM, map_of, names


def joint(made: WholenessMap, *which: str) -> JointPresence:
    return made.prove_together(which)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_any_names_of_a_map_are_proved_together(count: int) -> None:
    made = map_of(count, PARTITION)
    for size in range(1, count + 1):
        for which in combinations(names(count), size):
            proof = joint(made, *which)
            verify_together(made.head, PARTITION, proof)
            assert {leaf.key for _, leaf in proof.leaves} == {key_of(name) for name in which}


def test_all_names_of_a_map_need_no_hash_beside_them() -> None:
    made = map_of(33)
    proof = joint(made, *names(33))
    assert proof.proof == ()
    assert len(proof.leaves) == made.head.size
    verify_together(made.head, STREAM, proof)


def test_a_name_that_the_map_has_not_is_not_proved() -> None:
    with pytest.raises(ValueError, match="case-9"):
        map_of(3).prove_together(["case-1", "case-9"])
    with pytest.raises(ValueError, match="rise"):
        map_of(3).prove_together([])


def wrong_ones(proof: JointPresence) -> list[JointPresence]:
    (index, leaf), *others = proof.leaves
    return [
        replace(proof, leaves=((index, leaf._replace(entries=leaf.entries + 1)), *others)),
        replace(proof, leaves=((index, leaf._replace(entries=0)), *others)),
        replace(proof, leaves=((index, leaf._replace(root=key_of("x"))), *others)),
        replace(proof, leaves=((index, leaf._replace(key=key_of("x"))), *others)),
        replace(proof, leaves=((index + 1, leaf), *others)),
        replace(proof, leaves=tuple(others)),
        replace(proof, leaves=()),
        replace(proof, leaves=proof.leaves[::-1]),
        replace(proof, leaves=(*proof.leaves, proof.leaves[-1])),
        replace(proof, leaves=((index, "leaf"), *others)),  # type: ignore[arg-type]
        replace(proof, proof=proof.proof[:-1]),
        replace(proof, proof=(*proof.proof, key_of("x"))),
        replace(proof, proof=(key_of("x"), *proof.proof[1:])),
    ]


@pytest.mark.parametrize("number", range(13))
def test_a_proof_that_was_changed_is_refused(number: int) -> None:
    made = map_of(7)
    proof = joint(made, "case-1", "case-3", "case-4")
    verify_together(made.head, STREAM, proof)
    with pytest.raises(VerificationError):
        verify_together(made.head, STREAM, wrong_ones(proof)[number])


def test_a_proof_of_one_kind_or_map_is_none_of_another() -> None:
    made = map_of(7)
    proof = joint(made, "case-1", "case-3")
    for head, kind in ((made.head, PARTITION), (map_of(8).head, STREAM), (MapHead(2, made.head.root), STREAM)):
        with pytest.raises(VerificationError):
            verify_together(head, kind, proof)
    with pytest.raises(VerificationError):
        verify_together(made.head, Kind.STREAM, made.prove("case-1"))  # type: ignore[arg-type]


def test_leaves_are_those_that_single_proofs_show() -> None:
    made = map_of(7)
    proof = joint(made, "case-2")
    ((index, leaf),) = proof.leaves
    single = made.prove("case-2").as_json()
    assert (index, leaf) == (
        single["index"],
        MapLeaf(key_of("case-2"), single["entries"], bytes.fromhex(single["root"])),
    )
