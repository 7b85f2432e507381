"""How each case of the campaign ends, and what goes wrong on the way: quotas dealt out over the cases, so that each kind occurs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from infra.sample.population import Origin, Someone


class End(Enum):
    """How a case stands at the end of January 2020."""

    PAID = "paid in full, closed, written off"
    NO_ARREARS = "verified to nothing, told, closed, written off"
    OPEN = "still owing"
    UNEVIDENCED = "stated paid and closed by its book, never documented"
    STATED_CLOSED_OWING = "stated closed by its book, and owing"
    SOLVED = "solved, and not yet closed"
    CLOSED = "closed, and not yet written off"
    RELAPSED = "written off, until a worker said that less had arrived"
    JUDICIAL = "handed to the courts or the police"
    DISPUTED = "paid as far as undisputed, the rest referred to arbitration"
    MERGED = "the same matter as another case"
    TRANSFERRED = "taken over by another place"


class Incident(Enum):
    """What happens on the way to being paid."""

    INSTALMENTS = "paid in two parts"
    BANK_RETURN = "the bank returns a line"
    CLOSING_REFUSED = "the approver sends the proposal back"
    ROSTER_GROWS = "a worker turns up after the roster was confirmed"
    LATE_PAYMENT_ENTRY = "a payment is entered days after it was known"
    LIVING_AID = "living aid before the wages"
    STATED_FIRST = "a payment is only stated at first, and documented later"
    FOREMAN_KEPT = "a foreman kept a part; reopened, paid again, written off again"
    OVERPAID = "a worker is paid more than is owed"
    UNALLOCATED = "money for nobody on the roster"


@dataclass(frozen=True)
class Fate:
    """What becomes of one case."""

    end: End
    incidents: frozenset[Incident]
    published: bool
    blacklisted: bool


_ENDS: tuple[tuple[End, float, Callable[[Someone], bool]], ...] = (
    (End.JUDICIAL, 0.021, lambda each: each.workers >= 4),
    (End.UNEVIDENCED, 0.03, lambda each: each.in_book),
    (End.STATED_CLOSED_OWING, 0.02, lambda each: each.in_book),
    (End.RELAPSED, 0.017, lambda each: each.named and each.workers >= 3 and each.received.month != 1),
    (End.DISPUTED, 0.013, lambda each: each.named and each.workers >= 2),
    (End.MERGED, 0.013, lambda each: not each.in_book),
    (End.TRANSFERRED, 0.01, lambda each: not each.in_book),
    (End.SOLVED, 0.017, lambda _: True),
    (End.CLOSED, 0.013, lambda _: True),
    (End.OPEN, 0.10, lambda _: True),
)
"""Ends that only a case may have which its county need not clear: the part of all cases, and which of them are fit for it."""
_NO_ARREARS = 0.045
_INCIDENTS: tuple[tuple[Incident, float, Callable[[Someone], bool]], ...] = (
    (Incident.INSTALMENTS, 0.18, lambda each: each.workers >= 2),
    (Incident.STATED_FIRST, 0.12, lambda each: not each.in_book),
    (Incident.LATE_PAYMENT_ENTRY, 0.05, lambda each: each.in_book),
    (Incident.BANK_RETURN, 0.045, lambda each: each.named),
    (Incident.CLOSING_REFUSED, 0.03, lambda _: True),
    (Incident.ROSTER_GROWS, 0.03, lambda each: each.named and each.workers >= 3 and not each.in_book),
    (Incident.LIVING_AID, 0.025, lambda each: each.named and each.workers >= 2),
    (
        Incident.FOREMAN_KEPT,
        0.025,
        lambda each: each.named and each.workers >= 3 and each.due is None and each.received.month != 1,
    ),
    (Incident.OVERPAID, 0.013, lambda each: each.named and each.due is None),
    (Incident.UNALLOCATED, 0.01, lambda each: each.workers >= 2),
)
PUBLISHED = 0.29
BLACKLISTED = 0.042
"""Parts of all cases (domain.md 0.4)."""


def deal(rng: Random, cases: Sequence[Someone]) -> dict[int, Fate]:
    """The fate of each case, by index."""
    count = len(cases)
    ends = _deal_ends(rng, cases, count)
    incidents = _deal_incidents(rng, cases, ends, count)
    published = _publish(rng, cases, ends, count)
    blacklisted = set(published[: round(BLACKLISTED * count)])
    return {
        each.index: Fate(
            end=ends[each.index],
            incidents=frozenset(incidents.get(each.index, ())),
            published=each.index in set(published),
            blacklisted=each.index in blacklisted,
        )
        for each in cases
    }


def _deal_ends(rng: Random, cases: Sequence[Someone], count: int) -> dict[int, End]:
    ends: dict[int, End] = {}
    free = [each for each in cases if each.due is None]
    rng.shuffle(free)
    for end, part, fit in _ENDS:
        chosen = [each for each in free if each.index not in ends and fit(each)][: max(1, round(part * count))]
        ends.update((each.index, end) for each in chosen)
    rest = [each for each in cases if each.index not in ends and each.workers <= 12 and not _in_book_of_old(each)]
    for each in rng.sample(rest, min(len(rest), max(1, round(_NO_ARREARS * count)))):
        ends[each.index] = End.NO_ARREARS
    for each in cases:
        ends.setdefault(each.index, End.PAID)
    return ends


def _in_book_of_old(each: Someone) -> bool:
    return each.origin is Origin.HISTORICAL


def _deal_incidents(
    rng: Random, cases: Sequence[Someone], ends: dict[int, End], count: int
) -> dict[int, set[Incident]]:
    dealt: dict[int, set[Incident]] = {}
    for incident, part, fit in _INCIDENTS:
        possible = [each for each in cases if ends[each.index] is End.PAID and fit(each)]
        for each in rng.sample(possible, min(len(possible), max(1, round(part * count)))):
            dealt.setdefault(each.index, set()).add(incident)
    return dealt


def _publish(rng: Random, cases: Sequence[Someone], ends: dict[int, End], count: int) -> list[int]:
    """The cases that counties publish (N09), the most serious first: those still owing late, and the larger ones."""
    possible = [
        each
        for each in cases
        if each.workers >= 2 and ends[each.index] not in (End.NO_ARREARS, End.MERGED, End.TRANSFERRED)
    ]
    serious = {End.JUDICIAL, End.OPEN, End.STATED_CLOSED_OWING}
    possible.sort(key=lambda each: (ends[each.index] not in serious, -each.workers * rng.random()))
    return [each.index for each in possible[: round(PUBLISHED * count)]]
