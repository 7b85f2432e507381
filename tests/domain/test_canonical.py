from __future__ import annotations

from datetime import UTC, datetime

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import MAX_INTEGER, canonical_bytes
from domain.recording import TIME_PLACEHOLDER, filled, time_offset

KEYS = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)
LEAVES = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@given(VALUES)
def test_canonical_bytes_are_those_of_an_independent_implementation(value: object) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1.5, {"a": 0.0}, 2**53, -(2**53), {"键": 1}, {1: 2}, "\ud800", {1, 2}, b"x"])
def test_what_json_cannot_carry_exactly_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message differs by what is wrong
        canonical_bytes(value)


@given(st.text())
def test_the_recorded_time_is_filled_in_the_envelope_whatever_a_text_says(text: str) -> None:
    hostile = f'"time":"{TIME_PLACEHOLDER}"' + text
    entry = canonical_bytes(
        {"data": {"note": hostile, "time": TIME_PLACEHOLDER}, "time": TIME_PLACEHOLDER, "type": "x", "version": 1}
    )
    done = filled(entry, time_offset(entry), datetime(2019, 12, 3, 1, 14, 7, 120441, tzinfo=UTC))
    assert done == canonical_bytes(
        {
            "data": {"note": hostile, "time": TIME_PLACEHOLDER},
            "time": "2019-12-03T01:14:07.120441Z",
            "type": "x",
            "version": 1,
        }
    )
