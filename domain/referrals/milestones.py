"""When a payment was made, measured against criminal procedure: what it is worth to the accused depends on it. Pure.

法释〔2013〕3号 art. 6: paid before a case was filed, it may be no crime; before prosecution, punishment may be reduced or waived; before
the first judgment, it may be lighter. The function orders times and judges nothing.
"""

from __future__ import annotations

from datetime import datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.referrals.standing import Milestones


class PaymentMoment(StrEnum):
    """Where a payment stands among the steps of criminal procedure."""

    BEFORE_CASE_FILED = "before-case-filed"
    BEFORE_PROSECUTION = "before-prosecution"
    BEFORE_FIRST_JUDGMENT = "before-first-judgment"
    AFTER_FIRST_JUDGMENT = "after-first-judgment"
    NEEDS_DECISION = "needs-decision"
    """The recorded times do not say it."""


_MOMENTS = (
    PaymentMoment.BEFORE_CASE_FILED,
    PaymentMoment.BEFORE_PROSECUTION,
    PaymentMoment.BEFORE_FIRST_JUDGMENT,
    PaymentMoment.AFTER_FIRST_JUDGMENT,
)


def payment_moment(milestones: Milestones, paid: datetime, zone: ZoneInfo) -> PaymentMoment:
    """The first step that a payment came before. A step that is not recorded has not been reached, unless a later one is recorded.

    Never guessed, but left to be decided: a payment between two recorded steps with an unrecorded one between them, steps recorded
    out of their order, and a payment on the day of a step where a time of day is missing (a date alone stands at local midnight).
    """
    steps = (milestones.case_filed, milestones.prosecuted, milestones.first_judgment)
    if any(step is not None and _same_day_without_time(step, paid, zone) for step in steps):
        return PaymentMoment.NEEDS_DECISION
    passed = [number for number, step in enumerate(steps) if step is not None and step <= paid]
    ahead = [number for number, step in enumerate(steps) if step is not None and step > paid]
    earliest = passed[-1] + 1 if passed else 0
    latest = ahead[0] if ahead else earliest
    return _MOMENTS[earliest] if earliest == latest else PaymentMoment.NEEDS_DECISION


def _same_day_without_time(step: datetime, paid: datetime, zone: ZoneInfo) -> bool:
    local = (step.astimezone(zone), paid.astimezone(zone))
    return local[0].date() == local[1].date() and any(moment.time() == time.min for moment in local)
