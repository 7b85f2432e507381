"""Cosignatures: who, when, and over which checkpoint."""

from __future__ import annotations

import pytest

from domain.errors import VerificationError
from domain.sealing.cosignature import Cosigner, CosignerKey, cosignatures_of, with_lines
from domain.sealing.encoding import MAX_SIZE
from domain.sealing.note import VerifierKey, ed25519_signature, parse_note, print_note, print_signature
from tests.domain.sealing.material import (
    LOG,
    SECOND_WITNESS,
    SEED,
    TIME,
    WITNESS,
    all_mutations,
    leaves,
    signed,
)

KEY = WITNESS.verifier
NOTE = parse_note(signed(leaves(8)))
LINE = WITNESS.signature_line(NOTE.text, TIME)


def test_a_cosignature_says_who_and_when() -> None:
    [found] = cosignatures_of(parse_note(with_lines(NOTE, [LINE])), [SECOND_WITNESS.verifier, KEY])
    assert (found.key, found.time, found.line) == (KEY, TIME, LINE)


@pytest.mark.parametrize("time", [1, 2**31, 2**32, MAX_SIZE])
def test_times_from_one_to_the_largest_are_signed(time: int) -> None:
    [found] = cosignatures_of(parse_note(with_lines(NOTE, [WITNESS.signature_line(NOTE.text, time)])), [KEY])
    assert found.time == time


def test_a_cosigner_says_no_time_that_is_none() -> None:
    for time in (0, -1, MAX_SIZE + 1):
        with pytest.raises(ValueError, match="time"):
            WITNESS.signature_line(NOTE.text, time)


def test_any_bit_of_a_cosignature_changed_is_refused_its_time_too() -> None:
    data = parse_note(with_lines(NOTE, [LINE])).signatures[-1].data
    assert KEY.verifies(NOTE.text, data)
    for wrong in all_mutations(data):
        assert not KEY.verifies(NOTE.text, wrong)
        if wrong:
            note = parse_note(with_lines(NOTE, [print_signature(KEY.name, KEY.key_id, wrong)]))
            with pytest.raises(VerificationError, match="does not verify"):
                cosignatures_of(note, [KEY])


def test_a_time_beyond_the_largest_does_not_verify() -> None:
    assert not KEY.verifies(NOTE.text, (MAX_SIZE + 1).to_bytes(8, "big") + bytes(64))


def test_a_cosignature_of_another_checkpoint_is_refused() -> None:
    other = parse_note(signed(leaves(9)))
    with pytest.raises(VerificationError, match="does not verify"):
        cosignatures_of(parse_note(with_lines(other, [LINE])), [KEY])


def test_a_cosignature_covers_extension_lines() -> None:
    extended = NOTE.text + "extension\n"
    line = WITNESS.signature_line(extended, TIME)
    assert line != LINE
    assert cosignatures_of(parse_note(print_note(extended, [line])), [KEY])
    with pytest.raises(VerificationError):
        cosignatures_of(parse_note(print_note(extended, [LINE])), [KEY])


def test_nothing_but_a_checkpoint_is_cosigned() -> None:
    with pytest.raises(VerificationError):
        WITNESS.signature_line("not a checkpoint\n", TIME)
    data = (1).to_bytes(8, "big") + ed25519_signature(WITNESS.seed, b"cosignature/v1\ntime 1\nnot a checkpoint\n")
    assert not KEY.verifies("not a checkpoint\n", data)


def test_a_log_signature_is_no_cosignature_though_the_key_be_the_same() -> None:
    both = Cosigner(LOG.name, SEED)
    [own] = NOTE.signatures
    assert not both.verifier.verifies(NOTE.text, own.data)
    assert both.verifier.key_id != LOG.verifier.key_id
    assert cosignatures_of(NOTE, [both.verifier]) == []
    line = both.signature_line(NOTE.text, TIME)
    assert not LOG.verifier.verifies(NOTE.text, parse_note(print_note(NOTE.text, [line])).signatures[0].data)


def test_of_a_witness_that_was_asked_twice_the_later_time_counts_once() -> None:
    lines = [WITNESS.signature_line(NOTE.text, time) for time in (TIME + 5, TIME + 9, TIME)]
    [found] = cosignatures_of(parse_note(with_lines(NOTE, lines)), [KEY])
    assert found.time == TIME + 9


def test_cosigner_keys_are_read_again_and_keys_of_logs_are_none() -> None:
    assert CosignerKey.parse(KEY.vkey) == KEY
    for wrong in (LOG.verifier.vkey, LOG.skey, "", KEY.vkey[:-1]):
        with pytest.raises(VerificationError):
            CosignerKey.parse(wrong)
    with pytest.raises(VerificationError):
        VerifierKey.parse(KEY.vkey)


def test_lines_are_added_behind_what_was_signed() -> None:
    assert with_lines(NOTE, [LINE]) == NOTE.data + LINE.encode()
