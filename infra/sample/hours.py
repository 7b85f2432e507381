"""When an office of the campaign was at its desks: the working minutes of the winter as one axis, so that a course of acts is a sorted
draw of minutes, and two acts of one case never share one.

Working days are Monday to Saturday (the campaign worked Saturdays); Sundays, New Year's Day and the days from Spring Festival's eve on
have a duty desk in the late morning (clause N04: the complaint telephones are never closed).
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

FIRST_DAY = date(2019, 11, 15)
LAST_DAY = date(2020, 1, 31)
_SESSIONS = ((time(8, 30), 210), (time(14, 30), 210))
"""Begin and minutes of a working day's two halves."""
_DUTY = ((time(9, 30), 120),)
_NEW_YEAR = date(2020, 1, 1)
_FESTIVAL_EVE = date(2020, 1, 24)


class OfficeHours:
    """The axis of working minutes from the first day to the last, numbered from 0."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
        sessions = [
            (datetime.combine(day, begin, tzinfo=zone), minutes) for day in days for begin, minutes in _sessions(day)
        ]
        self._begins = [begin for begin, _ in sessions]
        self._minutes = [minutes for _, minutes in sessions]
        self._before = [0, *accumulate(self._minutes)]

    def __len__(self) -> int:
        """How many minutes there are."""
        return self._before[-1]

    def moment(self, minute: int) -> datetime:
        """The instant at which that working minute begins."""
        session = bisect_right(self._before, minute) - 1
        return self._begins[session] + timedelta(minutes=minute - self._before[session])

    def minute(self, moment: datetime) -> int:
        """The working minute that `moment` lies in, or the next one after it."""
        session = bisect_right(self._begins, moment) - 1
        if session < 0:
            return 0
        into = int((moment - self._begins[session]).total_seconds() // 60)
        return self._before[session] + min(into, self._minutes[session])


def _sessions(day: date) -> tuple[tuple[time, int], ...]:
    off_duty = day.isoweekday() == 7 or day == _NEW_YEAR or day >= _FESTIVAL_EVE
    return _DUTY if off_duty else _SESSIONS
