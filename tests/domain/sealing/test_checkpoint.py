"""Checkpoints: one spelling, signed by the log's own key, never written with extension lines."""

from __future__ import annotations

import pytest

from domain.errors import VerificationError
from domain.sealing.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from domain.sealing.encoding import MAX_SIZE
from domain.sealing.note import SigningKey, parse_note, print_note
from domain.sealing.tree import EMPTY_ROOT
from tests.domain.sealing.material import LOG, SECOND_WITNESS, all_mutations, leaves, signed

HEAD = Checkpoint(LOG.name, 70_000, bytes(range(32)))
NOTE = sign_checkpoint(HEAD, [LOG])
ROOT = HEAD.text.split("\n")[2]


@pytest.mark.parametrize("size", [0, 1, 9, 10, 70_000, MAX_SIZE])
def test_a_checkpoint_is_read_as_it_was_printed(size: int) -> None:
    head = Checkpoint("清零.example/log", size, EMPTY_ROOT)
    assert parse_checkpoint(head.text) == head
    assert head.text == f"清零.example/log\n{size}\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def test_a_signed_checkpoint_with_any_bit_changed_or_any_byte_more_or_less_is_refused() -> None:
    assert open_checkpoint(NOTE, [LOG.verifier]).checkpoint == HEAD
    for wrong in all_mutations(NOTE):
        with pytest.raises(VerificationError):
            open_checkpoint(wrong, [LOG.verifier])


@pytest.mark.parametrize(
    "size",
    [
        "",
        "-1",
        "+1",
        "01",
        "00",
        "1_000",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "٣",
        "１",
        "²",
        "1٣",
        "0x10",
        str(MAX_SIZE + 1),
        "9" * 5000,
    ],
)
def test_a_size_has_one_spelling(size: str) -> None:
    with pytest.raises(VerificationError):
        parse_checkpoint(f"origin\n{size}\n{ROOT}\n")


@pytest.mark.parametrize(
    "root",
    [
        "",
        ROOT[:-1],
        ROOT + "=",
        ROOT[:-2] + "9=",
        ROOT.replace("w", "-"),
        " " + ROOT,
        ROOT[4:],
        ROOT + "AAAA",
        "AAAA",
        "é" * 44,
    ],
)
def test_a_root_has_one_spelling(root: str) -> None:
    with pytest.raises(VerificationError):
        parse_checkpoint(f"origin\n1\n{root}\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        "origin\n1\n",
        f"origin\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"origin\n\n1\n{ROOT}\n",
        f"origin\n1\n{ROOT}\n\n",
        f"origin\n1\n{ROOT}\nextension",
        f"origin\n1\n{ROOT}\n\nextension\n",
        f"origin\r\n1\r\n{ROOT}\r\n",
        f"origin\n1\n{ROOT}\n\x00\n",
        f"ori\tgin\n1\n{ROOT}\n",
        f"\ud800\n1\n{ROOT}\n",
        None,
        7,
        b"origin\n1\n",
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_checkpoint(text)


def test_extension_lines_are_read_and_never_written() -> None:
    head = parse_checkpoint(f"origin\n1\n{ROOT}\none\ntwo\u2028still two\n")
    assert head.extensions == ("one", "two\u2028still two")
    with pytest.raises(ValueError, match="extension"):
        _ = head.text


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "a\u2028b", "a\u3000b", "\ud800"])
def test_a_log_publishes_under_no_origin_that_could_not_be_the_name_of_its_key(origin: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        _ = Checkpoint(origin, 1, bytes(32)).text


def test_a_log_publishes_no_head_that_could_not_be_one() -> None:
    for size, root in [(-1, bytes(32)), (MAX_SIZE + 1, bytes(32)), (1, bytes(31)), (1, b"")]:
        with pytest.raises(ValueError, match="head"):
            _ = Checkpoint(LOG.name, size, root).text


def test_an_origin_with_spaces_is_read_from_others() -> None:
    assert parse_checkpoint(f"go.sum database tree\n1\n{ROOT}\n").origin == "go.sum database tree"


def test_a_checkpoint_signed_by_the_known_key_of_another_log_is_refused() -> None:
    other = SigningKey("other.example/log", bytes(32))
    stolen = print_note(HEAD.text, [other.signature_line(HEAD.text)])
    for keys in ([other.verifier], [LOG.verifier], [LOG.verifier, other.verifier], []):
        with pytest.raises(VerificationError):
            open_checkpoint(stolen, keys)
    with pytest.raises(ValueError, match="only a key named"):
        sign_checkpoint(HEAD, [other])


def test_old_and_new_key_both_sign_while_a_log_changes_keys() -> None:
    new = SigningKey(LOG.name, bytes(32))
    note = sign_checkpoint(HEAD, [LOG, new])
    for keys, count in [([LOG.verifier], 1), ([new.verifier], 1), ([LOG.verifier, new.verifier], 2)]:
        assert len(open_checkpoint(note, keys).by) == count


def test_a_cosignature_alone_signs_no_checkpoint() -> None:
    text = parse_note(signed(leaves(5))).text
    note = print_note(text, [SECOND_WITNESS.signature_line(text, 1)])
    with pytest.raises(VerificationError, match="no known key"):
        open_checkpoint(note, [LOG.verifier])


def test_a_checkpoint_needs_a_signer() -> None:
    with pytest.raises(ValueError, match="signature"):
        sign_checkpoint(HEAD, [])
