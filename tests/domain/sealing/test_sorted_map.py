"""The wholeness map: all of a name, or none of it, and nobody can show less."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.sealing.sorted_map import (
    Absence,
    Kind,
    MapHead,
    MapLeaf,
    Presence,
    Tally,
    WholenessMap,
    absence_from_json,
    key_of,
    leaf_of,
    presence_from_json,
    verify_absent,
    verify_present,
    verify_whole,
)
from domain.sealing.tree import EMPTY_ROOT, inclusion_proof, leaf_hash, root_of
from tests.domain.sealing.material import leaves, reader_of, wrong_paths

STREAM, PARTITION = Kind.STREAM, Kind.PARTITION


def history(name: str, count: int) -> list[bytes]:
    return [leaf_hash(f"{name}/{version}".encode()) for version in range(1, count + 1)]


def names(count: int) -> list[str]:
    return [f"case-{number}" for number in range(count)]


def map_of(count: int, kind: Kind = STREAM) -> WholenessMap:
    return WholenessMap(kind, sorted(leaf_of(name, history(name, len(name))) for name in names(count)))


def presence(made: WholenessMap, name: str) -> Presence:
    proof = made.prove(name)
    assert isinstance(proof, Presence)
    return proof


def absence(made: WholenessMap, name: str) -> Absence:
    proof = made.prove(name)
    assert isinstance(proof, Absence)
    return proof


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 33])
def test_all_of_every_name_is_proved_and_less_or_more_is_refused(count: int) -> None:
    made = map_of(count)
    for name in names(count):
        proof, whole = presence(made, name), history(name, len(name))
        verify_whole(made.head, STREAM, name, whole, proof)
        for wrong in (
            whole[:-1],
            whole[1:],
            [*whole[:2], *whole[3:]],
            [*whole, leaf_hash(b"more")],
            [*whole[:-1], leaf_hash(b"other")],
            whole[::-1],
            [whole[1], whole[0], *whole[2:]],
            [],
            [*whole[:-1], whole[-1].hex()],
            b"".join(whole),
            None,
        ):
            with pytest.raises(VerificationError):
                verify_whole(made.head, STREAM, name, wrong, proof)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 33])
def test_what_is_not_there_is_proved_absent_and_what_is_there_cannot_be(count: int) -> None:
    made = map_of(count)
    for stranger in [f"stranger-{number}" for number in range(40)]:
        verify_absent(made.head, STREAM, stranger, absence(made, stranger))
    for name in names(count):
        own = presence(made, name)
        around = [
            presence_at(made, own.index - 1),
            presence_at(made, own.index),
            presence_at(made, own.index + 1),
            None,
        ]
        for before in around:
            for after in around:
                with pytest.raises(VerificationError):
                    verify_absent(made.head, STREAM, name, Absence(before, after))


def presence_at(made: WholenessMap, index: int) -> Presence | None:
    found = [presence(made, name) for name in names(made.head.size)]
    return next((proof for proof in found if proof.index == index), None)


def test_a_neighbour_further_off_leaves_room_and_is_refused() -> None:
    made = map_of(20)
    good = absence(made, "stranger")
    assert good.before
    assert good.after
    for before, after in [
        (presence_at(made, good.before.index - 1), good.after),
        (good.before, presence_at(made, good.after.index + 1)),
        (None, good.after),
        (good.before, None),
        (None, None),
        (good.after, good.before),
    ]:
        with pytest.raises(VerificationError):
            verify_absent(made.head, STREAM, "stranger", Absence(before, after))


def test_absence_from_an_empty_map_needs_its_one_head() -> None:
    made = WholenessMap(STREAM, [])
    assert made.head == MapHead(0, EMPTY_ROOT)
    verify_absent(made.head, STREAM, "any", Absence(None, None))
    for head in (
        MapHead(0, bytes(32)),
        MapHead(1, EMPTY_ROOT),
        MapHead(-1, EMPTY_ROOT),
        (0,),
        None,
        MapHead(True, EMPTY_ROOT),
    ):
        with pytest.raises(VerificationError):
            verify_absent(head, STREAM, "any", Absence(None, None))  # type: ignore[arg-type]


def test_a_proof_of_one_name_kind_or_map_is_none_of_another() -> None:
    made, other = map_of(9), map_of(10)
    proof = presence(made, "case-3")
    gone = absence(made, "stranger")
    for head, kind, name in [
        (made.head, STREAM, "case-4"),
        (made.head, STREAM, "Case-3"),
        (made.head, PARTITION, "case-3"),
        (other.head, STREAM, "case-3"),
        (made.head, STREAM, "\ud800"),
        (made.head, STREAM, None),
        (made.head, STREAM, b"case-3"),
    ]:
        with pytest.raises(VerificationError):
            verify_present(head, kind, name, proof)  # type: ignore[arg-type]
    for head, kind in [(made.head, PARTITION), (other.head, STREAM), (map_of(9, PARTITION).head, STREAM)]:
        with pytest.raises(VerificationError):
            verify_absent(head, kind, "stranger", gone)


def test_a_proof_with_any_bit_changed_is_refused() -> None:
    made = map_of(9)
    proof = presence(made, "case-3")
    for path in wrong_paths(proof.path):
        with pytest.raises(VerificationError):
            verify_present(made.head, STREAM, "case-3", replace(proof, path=path))  # type: ignore[arg-type]
    key, count, root = proof.leaf
    for leaf in [
        MapLeaf(key, count + 1, root),
        MapLeaf(key, 0, root),
        MapLeaf(key, -1, root),
        MapLeaf(key, "6", root),  # type: ignore[arg-type]
        MapLeaf(key, count, key),
        MapLeaf(root, count, key),
        MapLeaf(key[:-1], count, root),
        (key, count, root),
        None,
    ]:
        with pytest.raises(VerificationError):
            verify_present(made.head, STREAM, "case-3", replace(proof, leaf=leaf))  # type: ignore[arg-type]
    for index in (proof.index + 1, proof.index - 1, -1, 9, None, "3"):
        with pytest.raises(VerificationError):
            verify_present(made.head, STREAM, "case-3", replace(proof, index=index))  # type: ignore[arg-type]
    for wrong in (None, absence(made, "stranger"), "proof"):
        with pytest.raises(VerificationError):
            verify_present(made.head, STREAM, "case-3", wrong)  # type: ignore[arg-type]
    for no_absence in (None, proof, Absence(proof, "x"), Absence(7, None)):  # type: ignore[arg-type]
        with pytest.raises(VerificationError):
            verify_absent(made.head, STREAM, "stranger", no_absence)  # type: ignore[arg-type]


def test_a_leaf_is_encoded_as_the_module_says_and_no_entry_of_a_log_is_one() -> None:
    [only] = [leaf_of("case-0", history("case-0", 3))]
    made = WholenessMap(PARTITION, [only])
    encoded = (
        b"qingling/wholeness/v1 partition\n"
        + sha256(b"case-0").digest()
        + (3).to_bytes(8, "big")
        + root_of(history("case-0", 3))
    )
    assert made.head == MapHead(1, sha256(b"\x00" + encoded).digest())
    assert not encoded.startswith(b"{")


def test_a_map_is_the_tree_of_its_leaves() -> None:
    made = map_of(33)
    ordered = sorted(leaf_of(name, history(name, len(name))) for name in names(33))
    hashes = [
        leaf_hash(b"qingling/wholeness/v1 stream\n" + key + count.to_bytes(8, "big") + root)
        for key, count, root in ordered
    ]
    assert made.head == MapHead(33, root_of(hashes))
    for index, leaf in enumerate(ordered):
        name = next(name for name in names(33) if key_of(name) == leaf.key)
        assert presence(made, name) == Presence(leaf, index, tuple(inclusion_proof(index, 33, reader_of(hashes))))


def test_leaves_out_of_order_twice_or_without_entries_make_no_map() -> None:
    first, second = sorted(leaf_of(name, history(name, 2)) for name in names(2))
    for wrong in (
        [second, first],
        [first, first],
        [first, MapLeaf(first.key, 3, second.root)],
        [MapLeaf(first.key, 0, first.root)],
        [MapLeaf(first.key, 2**63, first.root)],
        [MapLeaf(first.key[1:], 2, first.root)],
        [MapLeaf(first.key, 2, first.root[1:])],
    ):
        with pytest.raises(ValueError, match="lea"):
            WholenessMap(STREAM, wrong)


def test_histories_come_in_any_order_each_once_and_none_without_entries() -> None:
    told = [(name, history(name, len(name))) for name in names(33)]
    made = WholenessMap.of_histories(PARTITION, reversed(told))
    assert made.head == map_of(33, PARTITION).head
    assert [made.prove(name) for name in names(34)] == [map_of(33, PARTITION).prove(name) for name in names(34)]
    for wrong in ([*told, told[5]], [*told, ("stranger", [])]):
        with pytest.raises(ValueError, match="name"):
            WholenessMap.of_histories(PARTITION, wrong)


def test_a_leaf_without_entries_is_refused_though_a_map_was_made_of_it() -> None:
    leaf = MapLeaf(key_of("case-0"), 0, EMPTY_ROOT)
    encoded = b"qingling/wholeness/v1 stream\n" + leaf.key + bytes(8) + leaf.root
    head = MapHead(1, leaf_hash(encoded))
    with pytest.raises(VerificationError, match="without entries"):
        verify_whole(head, STREAM, "case-0", [], Presence(leaf, 0, ()))


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), max_size=60))
def test_whoever_replays_the_log_finds_the_map_and_any_entry_held_back_shows(log: list[int]) -> None:
    tally = Tally(STREAM)
    whole: dict[str, list[bytes]] = {}
    for position, number in enumerate(log, 1):
        leaf = leaf_hash(f"entry {position}".encode())
        tally.add(f"case-{number}", leaf)
        whole.setdefault(f"case-{number}", []).append(leaf)
    made = tally.map()
    assert made.head == WholenessMap(STREAM, sorted(leaf_of(name, hashes) for name, hashes in whole.items())).head
    for name, hashes in whole.items():
        verify_whole(made.head, STREAM, name, hashes, presence(made, name))
    for skipped in range(len(log)):
        shorter = Tally(STREAM)
        for position, number in enumerate(log, 1):
            if position != skipped + 1:
                shorter.add(f"case-{number}", leaf_hash(f"entry {position}".encode()))
        assert shorter.map().head != made.head


def test_the_entries_of_a_case_in_several_streams_are_whole_by_its_partition_key() -> None:
    """A claim left out shows in the map of partition keys, though each stream that is shown be whole."""
    streams, cases = Tally(STREAM), Tally(PARTITION)
    log = [("case-1", "a"), ("claim-1", "b"), ("case-1", "c"), ("claim-2", "d")]
    for stream, text in log:
        streams.add(stream, leaf_hash(text.encode()))
        cases.add("case-1", leaf_hash(text.encode()))
    whole = [leaf_hash(text.encode()) for _, text in log]
    verify_whole(cases.map().head, PARTITION, "case-1", whole, presence(cases.map(), "case-1"))
    without_claim_2 = whole[:3]
    verify_whole(streams.map().head, STREAM, "case-1", [whole[0], whole[2]], presence(streams.map(), "case-1"))
    with pytest.raises(VerificationError, match="4 entries; 3"):
        verify_whole(cases.map().head, PARTITION, "case-1", without_claim_2, presence(cases.map(), "case-1"))


def test_proofs_travel_as_json() -> None:
    made = map_of(9)
    for name in (*names(9), *[f"stranger-{number}" for number in range(20)]):
        proof = made.prove(name)
        carried = json.loads(json.dumps(proof.as_json()))
        if isinstance(proof, Presence):
            assert presence_from_json(carried) == proof
        else:
            assert absence_from_json(carried) == proof


GOOD = presence(map_of(9), "case-3").as_json()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "proof",
        {},
        {**GOOD, "more": 1},
        {name: value for name, value in GOOD.items() if name != "path"},
        {**GOOD, "entries": "6"},
        {**GOOD, "entries": 6.0},
        {**GOOD, "entries": True},
        {**GOOD, "index": -1},
        {**GOOD, "index": None},
        {**GOOD, "key": GOOD["key"].upper()},
        {**GOOD, "key": GOOD["key"][:-1]},
        {**GOOD, "key": GOOD["key"] + "\n"},
        {**GOOD, "root": None},
        {**GOOD, "root": "g" * 64},
        {**GOOD, "path": GOOD["root"]},
        {**GOOD, "path": [None]},
        {**GOOD, "path": [GOOD["root"]] * 64},
    ],
)
def test_json_that_is_not_a_proof_is_refused(wrong: Any) -> None:
    with pytest.raises(VerificationError):
        presence_from_json(wrong)
    for neighbours in (
        {"before": wrong, "after": "x"},
        {"before": None},
        {"before": None, "after": None, "more": 1},
        wrong,
    ):
        with pytest.raises(VerificationError):
            absence_from_json(neighbours)


def test_an_entry_that_may_not_be_shown_is_given_by_its_hash() -> None:
    made = WholenessMap(STREAM, [leaf_of("case-9", leaves(5))])
    verify_whole(made.head, STREAM, "case-9", leaves(5), presence(made, "case-9"))
