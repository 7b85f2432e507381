"""The clocks of a referral to the police, as plain hours and days (order 310, arts. 5, 7–9, 12; domain.md 1.4). Pure.

Order 310 counts in hours and in days, and nowhere in working days, so these are calendar days: the day that starts a clock is not
counted, and the last one ends at 24:00 local time (Civil Law, General Provisions, arts. 201–203). That a last day which is a holiday
gives way to the next working day is left to whoever has the calendar: an entry here is the earliest end that the law allows, and
`by_days` says which ones may move. Clocks of other kinds of referral run in working days and are not here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from domain.campaigns.campaign import end_of_day
from domain.referrals.standing import ReferralStanding
from domain.vocabulary import ReferralKind


class Step(StrEnum):
    """What must be done, or may be done, in a time."""

    HEAD_DECIDES = "head-decides"
    """The agency's head decides on the team's report."""
    MOVE = "move"
    """What was approved is moved to the police."""
    FORWARD = "forward"
    """Police of the wrong place forward it."""
    POLICE_DECIDE = "police-decide"
    """The police decide whether to file a case."""
    ASK_RECONSIDERATION = "ask-reconsideration"
    """The agency may ask for another decision, or the procurator to supervise; a right, not a duty."""
    HAND_OVER = "hand-over"
    """Things and papers follow after the case was filed."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """How long a step may take, in hours or in calendar days, and where that is written."""

    clause: str
    hours: int = 0
    days: int = 0


SPANS = {
    Step.HEAD_DECIDES: Span(clause="order 310, art. 5", days=3),
    Step.MOVE: Span(clause="order 310, art. 5", hours=24),
    Step.FORWARD: Span(clause="order 310, art. 7", hours=24),
    Step.POLICE_DECIDE: Span(clause="order 310, art. 8", days=3),
    Step.ASK_RECONSIDERATION: Span(clause="order 310, art. 9", days=3),
    Step.HAND_OVER: Span(clause="order 310, art. 12", days=3),
}
RIGHTS = frozenset({Step.ASK_RECONSIDERATION})
"""Steps that nobody has to take: their time lapses, and nobody is late."""


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """One clock: since when it runs, when it ends, and when the step was done (None: not yet)."""

    step: Step
    started: datetime
    due: datetime
    done: datetime | None

    @property
    def by_days(self) -> bool:
        """It ends with a day, which may move when that day is a holiday."""
        return SPANS[self.step].days > 0

    def late(self, at: datetime) -> bool:
        """Whether the step was done after its end, or was not done and the end has passed by an instant. A right is never late."""
        return self.step not in RIGHTS and (at if self.done is None else min(self.done, at)) > self.due


def due(step: Step, started: datetime, zone: ZoneInfo) -> datetime:
    """When the time for a step ends that began to run at an instant."""
    span = SPANS[step]
    if span.hours:
        return started + timedelta(hours=span.hours)
    return end_of_day(started.astimezone(zone).date() + timedelta(days=span.days), zone)


def clocks(referral: ReferralStanding, zone: ZoneInfo) -> tuple[Clock, ...]:
    """The clocks that have begun to run, in the order of the procedure; none where it is not a referral of a crime to the police."""
    if referral.kind is not ReferralKind.POLICE:
        return ()
    answered = _first(referral.accepted, referral.refused, referral.returned, referral.forwarded)
    runs = (
        (Step.HEAD_DECIDES, referral.reported, referral.approved),
        (Step.MOVE, referral.approved, referral.sent),
        (Step.FORWARD, referral.acknowledged if referral.forwarded else None, referral.forwarded),
        (Step.POLICE_DECIDE, referral.acknowledged, answered),
        (Step.ASK_RECONSIDERATION, referral.refused_received, referral.reconsideration_asked),
        (Step.HAND_OVER, referral.accepted_received, referral.material_handed_over),
    )
    return tuple(
        Clock(step=step, started=started, due=due(step, started, zone), done=done)
        for step, started, done in runs
        if started is not None
    )


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
