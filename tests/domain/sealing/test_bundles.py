"""Entry bundles: what is put in comes out, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.sealing.bundles import decode_bundle, encode_bundle, verify_bundle
from domain.sealing.tiles import Bundle
from domain.sealing.tree import leaf_hashes
from tests.domain.sealing.material import all_mutations

ENTRIES = [b"", b"first", b"second \xe2\x80\xa8 line", bytes(300)]


def refused(*arguments: Any) -> None:
    with pytest.raises(VerificationError):
        decode_bundle(*arguments)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=600), min_size=1, max_size=256))
def test_a_bundle_holds_its_entries(entries: list[bytes]) -> None:
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    assert len(data) == sum(len(entry) + 2 for entry in entries)


def test_lengths_are_two_bytes_big_endian() -> None:
    assert encode_bundle([b"ab", b""]) == b"\x00\x02ab\x00\x00"


def test_the_longest_entry_fits_and_a_longer_one_is_refused() -> None:
    assert decode_bundle(encode_bundle([bytes(65_535)] * 256), 256) == [bytes(65_535)] * 256
    with pytest.raises(ValueError, match="65535"):
        encode_bundle([bytes(65_536)])


def test_a_bundle_of_none_or_too_many_is_refused() -> None:
    for count in (0, 257):
        with pytest.raises(ValueError, match="1 to 256"):
            encode_bundle([b""] * count)


def test_a_bundle_of_another_width_or_length_is_refused() -> None:
    data = encode_bundle(ENTRIES)
    for width in (0, 3, 5, 257, -1, "4", None, 4.0, True):
        refused(data, width)
    for length in range(len(data)):
        refused(data[:length], 4)
    for wrong in (
        data + b"\x00",
        data + b"\x00\x00",
        b"\x00" + data,
        data * 2,
        data.decode("latin-1"),
        None,
        bytearray(data),
    ):
        refused(wrong, 4)


def test_any_byte_changed_is_found_by_the_tile_beside_it() -> None:
    data, tile = encode_bundle(ENTRIES), b"".join(leaf_hashes(ENTRIES))
    assert verify_bundle(Bundle(7, 4), data, tile) == ENTRIES
    for wrong in all_mutations(data):
        with pytest.raises(VerificationError):
            verify_bundle(Bundle(7, 4), wrong, tile)
    for wrong in all_mutations(tile):
        with pytest.raises(VerificationError):
            verify_bundle(Bundle(7, 4), data, wrong)


def test_the_position_of_a_changed_entry_is_said() -> None:
    changed = encode_bundle([*ENTRIES[:2], b"secont", ENTRIES[3]])
    with pytest.raises(VerificationError, match="position 1795 "):
        verify_bundle(Bundle(7, 4), changed, b"".join(leaf_hashes(ENTRIES)))
