"""The two time axes of every read, as a person writes them.

*As known at*: a position of the log, a day (its end in the log's local time), or an instant (RFC 3339); resolved once to a position, which
comes back with the answer. *As it was by*: a day, with what is known now. They answer different questions and are never mixed.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from domain.errors import InputError

if TYPE_CHECKING:
    from infra.bootstrap import Platform

KNOWN_AT: Final = "as_known_at"
WAS_BY: Final = "as_it_was_by"
_POSITION = re.compile(r"[0-9]{1,16}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR, _LAST_YEAR = 1900, 2999
"""Years that a day or instant may lie in; beyond them local time cannot be computed, and nobody means them."""


def known_at(platform: Platform, said: str | None) -> int | None:
    """The position that *as known at* means; None where nothing was asked: as known now.

    Raises:
        InputError: it is no position, day or instant, or a position that is not recorded yet.
    """
    if not said:
        return None
    if _POSITION.fullmatch(said):
        return _recorded(platform, int(said))
    if _DAY.fullmatch(said):
        return platform.position_at_end_of(day(KNOWN_AT, said))
    return platform.position_at(_instant(said))


def one_axis(known_at: str | None, was_by: str | None) -> None:
    """Refuses both axes at once.

    Raises:
        InputError: both are given.
    """
    if known_at and was_by:
        raise InputError(
            f"{KNOWN_AT} says what was known then, {WAS_BY} what was so then as far as is known now: ask for one of them",
            field=WAS_BY,
            rule="one-axis",
        )


def day(field: str, said: str) -> date:
    """A day as YYYY-MM-DD.

    Raises:
        InputError: it is none.
    """
    try:
        found = date.fromisoformat(said) if _DAY.fullmatch(said) else None
    except ValueError:
        found = None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise InputError(f"{said!r} is no day; write it as 2019-12-31", field=field, rule="time-axis")
    return found


def _instant(said: str) -> datetime:
    # A plus sign that was not encoded arrives as a space (HTML, "application/x-www-form-urlencoded").
    text = re.sub(r" (?=[0-9]{2}:[0-9]{2}$)", "+", said)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise InputError(
            f"{said!r} is neither a position (1234), nor a day (2019-12-31), nor an instant (2019-12-31T16:00:00+08:00)",
            field=KNOWN_AT,
            rule="time-axis",
        )
    return found


def _recorded(platform: Platform, position: int) -> int:
    head = platform.head().position
    if position > head:
        raise InputError(
            f"position {position} is not recorded yet; the log ends at {head}", field=KNOWN_AT, rule="recorded-position"
        )
    return position
