"""A position, a day or an instant, and nothing else; never both axes at once."""

from __future__ import annotations

from typing import Any

import pytest

from api import time_axes
from api.time_axes import day, one_axis
from domain.errors import InputError
from tests.api.fake_platform import FakePlatform


def known_at(platform: Any, said: str | None) -> Any:
    return time_axes.known_at(platform, said)


def test_nothing_asked_means_as_known_now(platform: FakePlatform):
    assert known_at(platform, None) is None
    assert known_at(platform, "") is None


def test_a_position_is_itself(platform: FakePlatform):
    assert known_at(platform, "17") == 17
    assert known_at(platform, "0") == 0


def test_a_day_means_its_end_in_local_time(platform: FakePlatform):
    position = known_at(platform, "2019-12-21")
    assert platform.entries[position - 1][0].envelope.time.isoformat() < "2019-12-21T16:00"
    assert platform.entries[position][0].envelope.time.isoformat() >= "2019-12-21T16:00"


@pytest.mark.parametrize("instant", ["2019-12-21T10:00:30+08:00", "2019-12-21T02:00:30Z", "2019-12-21T10:00:30 08:00"])
def test_an_instant_may_bear_any_offset_even_one_whose_plus_sign_was_lost_on_the_way(platform: FakePlatform, instant):
    assert known_at(platform, instant) == known_at(platform, "2019-12-21")


@pytest.mark.parametrize(
    "said",
    [
        "yesterday",
        "2019-13-01",
        "2019-2-3",
        "2019-12-21T10:00:30",
        "-1",
        "1.5",
        "3021-01-01",
        "0001-01-01",
        "9999-12-31",
        "9999-12-31T23:59:59Z",
        "٣",
    ],
)
def test_anything_else_is_refused_naming_the_field(platform: FakePlatform, said):
    with pytest.raises(InputError) as refused:
        known_at(platform, said)
    assert (refused.value.field, refused.value.rule) == ("as_known_at", "time-axis")


def test_a_position_that_is_not_recorded_yet_is_refused_with_the_end_of_the_log(platform: FakePlatform):
    head = platform.head().position
    with pytest.raises(InputError, match=f"the log ends at {head}"):
        known_at(platform, str(head + 1))


def test_both_axes_at_once_are_refused():
    with pytest.raises(InputError, match="ask for one of them"):
        one_axis("2019-12-31", "2019-12-31")
    one_axis("2019-12-31", None)
    one_axis(None, "2019-12-31")


def test_a_day_that_does_not_exist_is_refused():
    with pytest.raises(InputError):
        day("day", "2019-02-30")
