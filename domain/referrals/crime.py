"""Whether arrears are a suspected crime (Criminal Law art. 276-1, 法释〔2013〕3号): met, not met, or for a person to decide. Pure.

The thresholds are each province's own, within a national range, and a deployment's configuration. Where a province has none on record
(Shanxi, domain.md 1.4) the answer is that a decision is needed; nothing is guessed from the range or from a neighbour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from domain.money import Fen, yuan

MONTHS = 3
"""Months' pay that one worker must be owed (法释〔2013〕3号 art. 3 (1))."""
WORKERS = 10
"""Workers who must be owed together (art. 3 (2))."""


class Verdict(StrEnum):
    """The answer to a legal condition."""

    MET = "met"
    NOT_MET = "not-met"
    NEEDS_DECISION = "needs-decision"


class Finding(msgspec.Struct, frozen=True):
    """A verdict and, one sentence each, what it rests on."""

    verdict: Verdict
    reasons: tuple[str, ...]


class CrimeThresholds(msgspec.Struct, frozen=True, kw_only=True):
    """A province's figures in fen, who set them, and the days they are in force (`until` inclusive; None: until further notice)."""

    place: str
    one_worker: Fen
    workers_together: Fen
    source: str
    since: date
    until: date | None = None


class Arrears(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed to one worker in all, or an unnamed head-count (`heads` other than 1; 0: unknown). `months` of pay: None: unknown."""

    owing: Fen
    months: int | None
    heads: int = 1


def thresholds_in_force(table: Iterable[CrimeThresholds], place: str, on: date) -> CrimeThresholds | None:
    """The figures of a place on a day, the newest where several are in force; None: none are on record."""
    found = [
        each for each in table if each.place == place and each.since <= on and (each.until is None or on <= each.until)
    ]
    return max(found, key=lambda each: each.since, default=None)


def large_amount(arrears: Sequence[Arrears], thresholds: CrimeThresholds | None) -> Finding:
    """Whether a large amount (数额较大) is owed: to one worker three months' pay and a sum, or to ten workers together a sum."""
    owed = [each for each in arrears if each.owing > 0]
    if not owed:
        return Finding(Verdict.NOT_MET, ("nothing is owed",))
    if thresholds is None:
        return Finding(Verdict.NEEDS_DECISION, ("no threshold is on record for this province",))
    return either(_to_one(owed, thresholds), _together(owed, thresholds))


def suspected(ordered: bool, amount: Finding, conduct: bool | None) -> Finding:
    """All elements together: hid, fled or could pay and would not (`conduct`; None: not established), a large amount, and an order defied.

    `ordered`: `domain.orders.standing.defied` of an order in the case.
    """
    return both(
        _known(ordered, "an order to pay was served and its limit passed unpaid", "no order to pay was defied"),
        amount,
        _known(
            conduct,
            "the debtor hid property, fled, or could pay and would not",
            "the debtor neither hid property nor fled, and could not pay",
            "whether the debtor hid property, fled, or could pay and would not is not established",
        ),
    )


def either(*findings: Finding) -> Finding:
    """Met when one is met; not met when none can be."""
    return _decided(findings, (Verdict.MET, Verdict.NEEDS_DECISION, Verdict.NOT_MET))


def both(*findings: Finding) -> Finding:
    """Met when all are met; not met when one is not."""
    return _decided(findings, (Verdict.NOT_MET, Verdict.NEEDS_DECISION, Verdict.MET))


def _decided(findings: Sequence[Finding], strongest_first: tuple[Verdict, ...]) -> Finding:
    verdict = next(each for each in strongest_first if any(finding.verdict is each for finding in findings))
    reasons = (reason for finding in findings if finding.verdict is verdict for reason in finding.reasons)
    return Finding(verdict, tuple(reasons))


def _known(fact: bool | None, yes: str, no: str, unknown: str = "") -> Finding:
    if fact is None:
        return Finding(Verdict.NEEDS_DECISION, (unknown,))
    return Finding(Verdict.MET, (yes,)) if fact else Finding(Verdict.NOT_MET, (no,))


def _to_one(owed: Sequence[Arrears], thresholds: CrimeThresholds) -> Finding:
    reached = [each for each in owed if each.owing >= thresholds.one_worker]
    figure = f"{yuan(thresholds.one_worker)} yuan"
    if any(each.heads == 1 and each.months is not None and each.months >= MONTHS for each in reached):
        return Finding(Verdict.MET, (f"one worker is owed {MONTHS} months' pay and {figure} or more",))
    if any(each.months is None or (each.heads != 1 and each.months >= MONTHS) for each in reached):
        return Finding(Verdict.NEEDS_DECISION, (f"who is owed {figure} or more, or for how many months, is not known",))
    return Finding(Verdict.NOT_MET, (f"no worker is owed {MONTHS} months' pay and {figure}",))


def _together(owed: Sequence[Arrears], thresholds: CrimeThresholds) -> Finding:
    total, heads = sum(each.owing for each in owed), sum(each.heads for each in owed)
    figure = f"{yuan(thresholds.workers_together)} yuan"
    if total < thresholds.workers_together:
        return Finding(Verdict.NOT_MET, (f"all workers together are owed less than {figure}",))
    if heads >= WORKERS:
        return Finding(Verdict.MET, (f"{heads} workers together are owed {figure} or more",))
    if any(each.heads == 0 for each in owed):
        return Finding(Verdict.NEEDS_DECISION, (f"how many workers are owed {figure} or more together is not known",))
    return Finding(Verdict.NOT_MET, (f"fewer than {WORKERS} workers are owed",))
