"""A campaign: its year, and the checkpoints that the classes must be cleared by. Pure dates, no clock.

The notice contradicts itself on N11 ("by the end of 2019", and "before Spring Festival"), so a campaign has both checkpoints and every
board shows both (DECISIONS.md). "Before Spring Festival" ends with the eve, 24 January 2020.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.streams import Shape
from domain.vocabulary import CaseClass


class Checkpoint(Shape, frozen=True, kw_only=True):
    """A day by whose end cases must be cleared; a case counts when it was received by it."""

    name: str
    title_zh: str
    title_en: str
    day: date


class Campaign(Shape, frozen=True, kw_only=True):
    """One winter campaign. `year` parts in-year cases from historical ones (definitions.md)."""

    name: str
    title_zh: str
    title_en: str
    year: int
    checkpoints: tuple[Checkpoint, ...]
    clause: str


WINTER_2019 = Campaign(
    name="winter-2019",
    title_zh="2019年度根治欠薪冬季攻坚行动",
    title_en="2019 winter campaign against wage arrears",
    year=2019,
    checkpoints=(
        Checkpoint(name="year-end", title_zh="年底（元旦前）清零", title_en="Year end", day=date(2019, 12, 31)),
        Checkpoint(
            name="spring-festival", title_zh="春节前清零", title_en="Spring Festival eve", day=date(2020, 1, 24)
        ),
    ),
    clause="N11",
)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The last microsecond of a local day: "same day" ends at 24:00 local time (notice.md)."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone) - timedelta(microseconds=1)


def class_by_origin(received: datetime, campaign: Campaign, zone: ZoneInfo) -> tuple[CaseClass, str]:
    """In-year or historical by the first reception (definitions.md), with the clause: on or after 1 January of the campaign's year."""
    if received.astimezone(zone).year >= campaign.year:
        return CaseClass.IN_YEAR, "N11"
    return CaseClass.HISTORICAL, "N12"
