"""Signed notes and keys: what opens, and everything that does not."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.sealing.cosignature import CosignerKey
from domain.sealing.note import (
    MAX_NOTE,
    SigningKey,
    VerifierKey,
    is_key_name,
    key_id_of,
    open_note,
    parse_note,
    print_note,
    print_signature,
    verify_signatures,
)
from tests.domain.sealing.material import LOG, SEED, WITNESS, all_mutations

KEY = LOG.verifier
OTHER = SigningKey("other.example/log", bytes(32))
TEXT = "any text\n\nwith an empty line\n"
NOTE = print_note(TEXT, [LOG.signature_line(TEXT)])
LINE = LOG.signature_line(TEXT).encode()

SPACES = " \t\u0085\u00a0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"


def refused(data: object, *keys: VerifierKey) -> None:
    with pytest.raises(VerificationError):
        open_note(data, keys or [KEY])  # type: ignore[arg-type]


def test_a_note_opens_with_its_key_to_its_text() -> None:
    note, [verified] = open_note(NOTE, [OTHER.verifier, KEY])
    assert (note.text, note.data, verified.key) == (TEXT, NOTE, KEY)


def test_a_note_with_any_bit_changed_or_any_byte_more_or_less_is_refused() -> None:
    for wrong in all_mutations(NOTE):
        refused(wrong)


def test_the_text_ends_at_the_last_empty_line() -> None:
    note = parse_note(f"a\n\n{LINE.decode()}\n{LINE.decode()}".encode())
    assert note.text == f"a\n\n{LINE.decode()}"
    refused(note.data)


@pytest.mark.parametrize("break_", ["\u2028", "\u2029", "\x85", "\x7f", "\ufeff", "清零", "\U0001f512"])
def test_what_python_takes_for_a_line_break_is_part_of_the_line(break_: str) -> None:
    text = f"one{break_}line\n"
    note, _ = open_note(print_note(text, [LOG.signature_line(text)]), [KEY])
    assert note.text == text
    for wrong in (f"one{break_}\nline\n", "one\nline\n", "oneline\n"):
        refused(f"{wrong}\n{LOG.signature_line(text)}".encode())
    refused(f"{text}\n{LOG.signature_line(text)[:-1]}{break_}".encode())
    refused(f"{text}{break_}\n{LOG.signature_line(text)}".encode())


@pytest.mark.parametrize("number", [*range(10), *range(11, 32)])
def test_a_note_holds_no_control_character(number: int) -> None:
    text = f"a{chr(number)}b\n"
    refused(f"{text}\n{LOG.signature_line(text)}".encode())
    refused(NOTE + bytes([number]))
    with pytest.raises(ValueError, match="control"):
        print_note(text, [LOG.signature_line(text)])


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80"])
def test_a_note_is_utf_8(wrong: bytes) -> None:
    refused(wrong + NOTE)
    refused(NOTE[:3] + wrong + NOTE[3:])


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\n",
        b"\n\n",
        TEXT.encode(),
        TEXT.encode() + b"\n",
        TEXT.encode() + LINE,
        NOTE[:-1],
        NOTE + b"\n",
        NOTE + b"unsigned\n",
        NOTE.replace("— ".encode(), b"- "),
        NOTE.replace("— ".encode(), "—".encode()),
        NOTE.replace("— ".encode(), "—  ".encode()),
        NOTE.replace("— ".encode(), "—\u00a0".encode()),
        NOTE.replace("— ".encode(), "– ".encode()),
        NOTE[:-1] + b" \n",
        NOTE[:-1] + b" more\n",
        NOTE[:-1] + b"=\n",
        None,
        NOTE.decode(),
        bytearray(NOTE),
        7,
    ],
)
def test_what_is_not_a_note_is_refused(wrong: object) -> None:
    refused(wrong)


def test_lines_of_unknown_keys_are_ignored_even_with_a_known_name_or_a_known_id() -> None:
    same_name = SigningKey(LOG.name, bytes(32)).signature_line("other\n")
    same_id = print_signature("another.example", KEY.key_id, bytes(64))
    unknown_type = print_signature("longer.example", b"\x00\x01\x02\x03", bytes(2420))
    note, verified = open_note(NOTE + f"{same_name}{same_id}{unknown_type}".encode(), [KEY])
    assert [signed.key for signed in verified] == [KEY]
    assert len(note.signatures) == 4


def test_a_known_key_whose_signature_does_not_verify_spoils_the_note() -> None:
    forged = print_signature(KEY.name, KEY.key_id, bytes(64))
    for wrong in (NOTE + forged.encode(), NOTE[: -len(LINE)] + forged.encode() + LINE):
        refused(wrong)
        refused(wrong, OTHER.verifier, KEY)
    both = NOTE + OTHER.signature_line("another text\n").encode()
    assert open_note(both, [KEY])
    refused(both, KEY, OTHER.verifier)


@pytest.mark.parametrize("length", [0, 1, 63, 65, 72])
def test_a_known_key_with_a_signature_of_another_length_spoils_the_note(length: int) -> None:
    refused(NOTE + print_signature(KEY.name, KEY.key_id, bytes(length)).encode())


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    refused(NOTE, OTHER.verifier)
    with pytest.raises(VerificationError):
        open_note(NOTE, [])
    assert verify_signatures(parse_note(NOTE), [OTHER.verifier]) == []


@pytest.mark.parametrize("length", range(5))
def test_a_signature_line_without_a_signature_is_refused_whoever_is_named(length: int) -> None:
    line = f"— unknown.example {b64encode(bytes(length)).decode()}\n"
    refused(NOTE + line.encode())


def test_a_hundred_signatures_are_read_and_no_more() -> None:
    unknown = print_signature("unknown.example", b"\x00\x00\x00\x01", bytes(64)).encode()
    for count in (16, 99):
        assert len(open_note(NOTE + unknown * count, [KEY])[0].signatures) == count + 1
    refused(NOTE + unknown * 100)


def test_sixteen_signatures_of_five_kilobytes_are_read_and_a_note_of_a_megabyte_is_not() -> None:
    large = print_signature("quantum.example", b"\x00\x00\x00\x01", bytes(5000)).encode()
    assert open_note(NOTE + large * 16, [KEY])
    text = "x" * MAX_NOTE + "\n"
    refused(print_note(text, [LOG.signature_line(text)]))


@pytest.mark.parametrize("tail", ["=", "==", "===", "\n", "-", "_", "!", " "])
def test_base64_is_standard_and_padded(tail: str) -> None:
    encoded = LINE.decode().split(" ")[2].rstrip("\n")
    for wrong in (encoded + tail, encoded.rstrip("=") + tail, tail + encoded, encoded[:10] + tail + encoded[10:]):
        if wrong != encoded:
            refused(f"{TEXT}\n— {KEY.name} {wrong}\n".encode())


def test_stray_bits_behind_the_end_of_base64_are_refused() -> None:
    good = b64encode(KEY.key_id + LOG.signature_line(TEXT).encode()[:1]).decode()
    assert good.endswith("=")
    stray = good[:-2] + chr(ord(good[-2]) + 1) + "="
    with pytest.raises(VerificationError, match="stray bits"):
        parse_note(f"{TEXT}\n— {KEY.name} {stray}\n".encode())


def test_a_note_without_text_or_signature_is_not_printed() -> None:
    for text, lines in [("no newline", [LINE.decode()]), ("", [LINE.decode()]), ("text\n", [])]:
        with pytest.raises(ValueError, match="a note has"):
            print_note(text, lines)


# ---------------------------------------------------------------------------------------------------------------- keys


@given(st.text(min_size=1, max_size=20), st.binary(min_size=32, max_size=32))
def test_a_key_that_has_a_name_is_read_again(name: str, seed: bytes) -> None:
    if not is_key_name(name):
        with pytest.raises(ValueError, match="cannot be the name"):
            SigningKey(name, seed)
        return
    key = SigningKey(name, seed)
    assert SigningKey.parse(key.skey) == key
    assert VerifierKey.parse(key.verifier.vkey) == key.verifier
    note, _ = open_note(print_note("text\n", [key.signature_line("text\n")]), [key.verifier])
    assert note.signatures[0].name == name


@pytest.mark.parametrize("space", [*SPACES, "+", "\n", "\x00", "\x1f", "\ud800"])
def test_no_key_has_a_name_with_a_space_a_plus_sign_or_a_control_character(space: str) -> None:
    for name in (space, f"a{space}b", f"a{space}", f"{space}a"):
        assert not is_key_name(name)
        with pytest.raises(ValueError, match="cannot be the name"):
            SigningKey(name, SEED)
        with pytest.raises(VerificationError):
            VerifierKey.parse(KEY.vkey.replace(KEY.name, name))
    line = f"— a{space}b {LINE.decode().split(' ')[2]}"
    refused(NOTE + line.encode(errors="surrogatepass"))


def test_any_character_of_a_verifier_key_changed_is_refused_or_names_another_key() -> None:
    for wrong in all_mutations(KEY.vkey.encode()):
        with pytest.raises(VerificationError):
            VerifierKey.parse(wrong.decode("latin-1"))


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "+",
        "++",
        "name",
        "name+17846be1",
        KEY.vkey.upper(),
        KEY.vkey.replace("17846be1", "17846BE1"),
        KEY.vkey.replace("17846be1", "+17846be1"),
        KEY.vkey + "\n",
        " " + KEY.vkey,
        KEY.vkey.replace("+AQ", "+AA"),
        WITNESS.verifier.vkey,
        LOG.skey,
        None,
        7,
        KEY.vkey.encode(),
    ],
)
def test_what_is_not_a_verifier_key_of_a_log_is_refused(wrong: str) -> None:
    with pytest.raises(VerificationError):
        VerifierKey.parse(wrong)


@pytest.mark.parametrize(
    "wrong", ["", "PRIVATE+KEY+", LOG.skey[:-1], LOG.skey.lower(), KEY.vkey, LOG.skey + "\n", None, b""]
)
def test_what_is_not_a_signing_key_is_refused(wrong: str) -> None:
    with pytest.raises(VerificationError):
        SigningKey.parse(wrong)


def test_a_key_id_binds_name_type_and_key() -> None:
    ids = {
        key_id_of("a", 1, SEED),
        key_id_of("b", 1, SEED),
        key_id_of("a", 4, SEED),
        key_id_of("a", 1, bytes(32)),
        KEY.key_id,
        CosignerKey(KEY.name, KEY.public).key_id,
    }
    assert len(ids) == 6


def test_secrets_do_not_show_themselves() -> None:
    for shown in (repr(LOG), repr(WITNESS), str(LOG)):
        assert repr(SEED) not in shown
        assert "seed" not in shown


def test_keys_of_other_lengths_are_no_keys() -> None:
    for make in (SigningKey, VerifierKey, CosignerKey, type(WITNESS)):
        for length in (0, 31, 33):
            with pytest.raises(ValueError, match="32 bytes"):
                make("name.example", bytes(length))


def test_a_public_key_that_is_no_point_verifies_nothing() -> None:
    broken = VerifierKey(KEY.name, b"\xff" * 32)
    note = NOTE[: -len(LINE)] + print_signature(broken.name, broken.key_id, bytes(64)).encode()
    refused(note, broken)
