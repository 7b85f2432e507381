"""Official numbers of complaints."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.complaints.numbering import CHANNEL_LETTERS, complaint_id, next_free, official_number
from domain.vocabulary import ReceptionChannel
from tests.domain.complaints.intakes import SHANGHAI


def number(serial: int, channel: ReceptionChannel = ReceptionChannel.VISIT, place: str = "140321") -> str:
    return official_number(place, datetime(2019, 12, 2, 8, 0, tzinfo=SHANGHAI), SHANGHAI, serial, channel)


def test_a_number_says_place_month_serial_and_channel():
    assert number(7) == "140321-201912-0007LF"
    assert number(12_345, ReceptionChannel.LEADER_INSTRUCTION) == "140321-201912-12345LP"


def test_the_month_is_the_local_one_of_reception():
    last_night = datetime(2019, 12, 31, 17, 0, tzinfo=UTC)
    assert official_number("140321", last_night, SHANGHAI, 1, ReceptionChannel.CALL) == "140321-202001-0001LD"


def test_every_channel_has_letters_of_its_own():
    assert set(CHANNEL_LETTERS) == set(ReceptionChannel)
    assert len(set(CHANNEL_LETTERS.values())) == len(ReceptionChannel)


@pytest.mark.parametrize("place", ["140321", "us-nj", "甲-乙"])
def test_a_serial_is_taken_whatever_the_channel(place: str):
    ids = {complaint_id("log", number(7, channel, place)) for channel in ReceptionChannel}
    assert len(ids) == 1


def test_another_serial_place_or_log_is_another_complaint():
    ids = {
        complaint_id("log", number(7)),
        complaint_id("log", number(8)),
        complaint_id("log", number(7, place="140322")),
        complaint_id("other", number(7)),
        complaint_id("log", "a number of another office"),
        complaint_id("log", "a number of another officE"),
    }
    assert len(ids) == 6


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_the_next_free_serial_of_a_register_without_gaps_is_the_one_after_its_last(taken: int, after: int):
    asked: list[int] = []

    def is_taken(serial: int) -> bool:
        asked.append(serial)
        return serial <= taken

    assert next_free(is_taken, min(after, taken)) == taken + 1
    assert len(asked) <= 32


@given(st.sets(st.integers(1, 60)), st.integers(0, 30))
def test_a_free_serial_is_found_in_a_register_with_gaps_too(taken: set[int], after: int):
    found = next_free(taken.__contains__, after)
    assert found > after
    assert found not in taken
