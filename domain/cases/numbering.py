"""Official numbers of cases that are registered by hand: place, year, serial, as in `140321-2019-案0001`; and their ids.

A number that the office gives itself is taken as it is. The id follows from the number, so two who take one number at once conflict
instead of registering it twice (DECISIONS.md, 4); cases of a book have ids of their book (`domain/books/amendment.py`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from domain.books.amendment import case_id

REGISTER: Final = "register"
"""Stands for the book of a case that came out of none."""


def official_number(place: str, received: datetime, zone: ZoneInfo, serial: int) -> str:
    """The number of the `serial`-th case (from 1) of its place and year."""
    return f"{place}-{received.astimezone(zone):%Y}-案{serial:04d}"


def registered_id(origin: str, number: str) -> str:
    """The id of the case that was registered by hand under that number."""
    return case_id(origin, REGISTER, number)
