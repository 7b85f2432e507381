"""Bytes that others published or computed: ours are the same."""

from __future__ import annotations

import pytest

from domain.errors import VerificationError
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.sealing.cosignature import Cosigner, CosignerKey, cosignatures_of, with_lines
from domain.sealing.note import SigningKey, VerifierKey, open_note, parse_note
from domain.sealing.tiles import Tile, bundles_at, parse_path, tiles_at
from domain.sealing.tree import EMPTY_ROOT, Edge, leaf_hashes, root_of
from tests.domain.sealing.material import SEED

ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves of the reference tree of Certificate Transparency."""
ROOTS = {
    1: ("6e340b9c", "afa01d"),
    2: ("fac54203", "3c125"),
    3: ("aeb6bcfe", "06e77"),
    4: ("d37ee418", "614b7"),
    5: ("4e3bbb1f", "264d4"),
    6: ("76e67dad", "087ef"),
    7: ("ddb89be4", "74c8c"),
    8: ("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328", ""),
}
NAME = "audit.example.org/log1"
BODY = f"{NAME}\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
SIGNATURE = "— audit.example.org/log1 F4Rr4XZtMSn4D9GVe8xsw0IwIK2fYlck2FoOn5VfHAdgOXy8lQc9Cju+FyCm18QHg0vI8tZXujC7PxtoxlfAXzw1gg8=\n"
COSIGNATURE = (
    "— witness.example.org/w1 z80aZwAAAABpVbkA5MFyGug+nCt0LAFLRoiw1PmI1a006mXxHqv+pbLg6S+1CS4q6YGznZdXFG3Ti3sek0pP0zC7Y41SZX83"
    "yIk1DA==\n"
)
VKEY = "audit.example.org/log1+17846be1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
COSIGNER_VKEY = "witness.example.org/w1+cfcd1a67+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"


def test_the_root_of_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of([]) == Edge().root == EMPTY_ROOT


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_those_of_the_reference_tree(size: int) -> None:
    begins, ends = ROOTS[size]
    root = root_of(leaf_hashes(ENTRIES[:size])).hex()
    assert root.startswith(begins)
    assert root.endswith(ends)
    assert Edge().extended(leaf_hashes(ENTRIES[:size])).root.hex() == root


def test_a_seed_gives_the_published_verifier_key() -> None:
    key = SigningKey(NAME, SEED)
    assert key.verifier.vkey == VKEY
    assert VerifierKey.parse(VKEY) == key.verifier
    assert SigningKey.parse(key.skey) == key


def test_a_checkpoint_is_signed_with_the_published_line() -> None:
    checkpoint = Checkpoint(NAME, 8, root_of(leaf_hashes(ENTRIES)))
    note = sign_checkpoint(checkpoint, [SigningKey(NAME, SEED)])
    assert checkpoint.text == BODY
    assert note == f"{BODY}\n{SIGNATURE}".encode()
    assert open_checkpoint(note, [VerifierKey.parse(VKEY)]).checkpoint == checkpoint


def test_a_checkpoint_is_cosigned_with_the_published_line() -> None:
    witness = Cosigner("witness.example.org/w1", SEED)
    assert witness.verifier.vkey == COSIGNER_VKEY
    assert witness.signature_line(BODY, 1_767_225_600) == COSIGNATURE
    note = parse_note(with_lines(parse_note(f"{BODY}\n{SIGNATURE}".encode()), [COSIGNATURE]))
    [cosignature] = cosignatures_of(note, [CosignerKey.parse(COSIGNER_VKEY)])
    assert (cosignature.time, cosignature.line) == (1_767_225_600, COSIGNATURE)


def test_the_example_of_the_specification_of_notes_opens() -> None:
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note, [verified] = open_note(
        "This is an example message.\n\n"
        "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n".encode(),
        [key],
    )
    assert (note.text, verified.key) == ("This is an example message.\n", key)


PETER = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
PROVERB = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)


def test_the_example_of_the_go_package_opens_and_its_second_signer_stays_unknown() -> None:
    note, verified = open_note(PROVERB.encode(), [PETER])
    assert [key.key for key in verified] == [PETER]
    assert [signature.name for signature in note.signatures] == ["PeterNeumann", "EnochRoot"]
    assert note.data == PROVERB.encode()


def test_the_secret_key_of_the_go_package_makes_its_signature_again() -> None:
    key = SigningKey.parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
    assert key.verifier == PETER
    text, _, lines = PROVERB.rpartition("\n\n")
    assert key.signature_line(text + "\n") == lines.splitlines(keepends=True)[0]


def test_the_signing_key_of_another_name_is_refused() -> None:
    with pytest.raises(VerificationError):
        SigningKey.parse("PRIVATE+KEY+PeterNeuman+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    tiles = list(tiles_at(70_000))
    assert [tile for tile in tiles if not tile.is_full] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert [(tile.level, tile.index) for tile in tiles if tile.is_full] == [*((0, at) for at in range(273)), (1, 0)]
    assert [bundle.width for bundle in bundles_at(70_000)] == [256] * 273 + [112]


def test_a_tree_of_256_has_a_full_tile_and_one_of_width_one_above() -> None:
    assert [tile.path for tile in tiles_at(256)] == ["tile/0/000", "tile/1/000.p/1"]


def test_paths_are_those_of_the_specification() -> None:
    assert Tile(3, 1_234_067).path == "tile/3/x001/x234/067"
    assert Tile(0, 5, 7).path == "tile/0/005.p/7"
    assert parse_path("tile/3/x001/x234/067") == Tile(3, 1_234_067)
