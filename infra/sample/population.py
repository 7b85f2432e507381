"""Who complains where, of whom, about how much: the cases of the campaign before anything is done with them.

Sizes and amounts are drawn in strata (one draw from each n-th of the distribution), so that their means are the field's own
(domain.md 0.4: 11.5 workers a case, 15,050 yuan a worker) at any number of cases and for any seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from random import Random
from statistics import NormalDist
from typing import TypeVar
from zoneinfo import ZoneInfo

from domain.vocabulary import CaseClass, Funding
from infra.sample.hours import OfficeHours

T = TypeVar("T")

WORKERS_A_CASE = 11.5
YUAN_A_WORKER = 15_050
MOST_WORKERS = 120
MOST_IN_HAND = 30

CHENGQU, KUANGQU, JIAOQU, PINGDING, YUXIAN = PLACES = ("140302", "140303", "140311", "140321", "140322")
SHARE = {CHENGQU: 0.24, KUANGQU: 0.14, JIAOQU: 0.20, PINGDING: 0.24, YUXIAN: 0.18}

YEAR_END = datetime(2019, 12, 31)  # noqa: DTZ001 - the zone is the log's
FESTIVAL = datetime(2020, 1, 24)  # noqa: DTZ001 - as above


class Origin(Enum):
    """Where a case comes from."""

    HISTORICAL = "historical"
    """In the county's book, received before 2019."""
    STOCK = "stock"
    """In the county's book, received in 2019 before the campaign."""
    NEW = "new"
    """Received during the campaign."""


ORIGINS = {Origin.HISTORICAL: 0.20, Origin.STOCK: 0.30, Origin.NEW: 0.50}
FUNDING = {Funding.GOVERNMENT: 0.19, Funding.STATE_OWNED: 0.11, Funding.PRIVATE: 0.54, Funding.OTHER: 0.16}
HANDED_DOWN = 0.11

CLEAR_BY = {
    (CHENGQU, CaseClass.HISTORICAL): FESTIVAL,
    (CHENGQU, CaseClass.HANDED_DOWN): YEAR_END,
    (KUANGQU, CaseClass.HISTORICAL): YEAR_END,
    (KUANGQU, CaseClass.IN_YEAR): YEAR_END,
    (JIAOQU, CaseClass.IN_YEAR): FESTIVAL,
    (PINGDING, CaseClass.HISTORICAL): YEAR_END,
    (YUXIAN, CaseClass.HISTORICAL): FESTIVAL,
    (YUXIAN, CaseClass.IN_YEAR): YEAR_END,
}
"""Which classes a county clears to zero, and by when; the others still have open cases at the end. Kuangqu is handed nothing down, so
that its cells say *none recorded*."""
IN_HAND = (KUANGQU, CaseClass.HISTORICAL)
"""Cleared *in hand*: every worker named, reached and satisfied."""
NONE_RECORDED = (CHENGQU, CaseClass.HISTORICAL, Funding.STATE_OWNED)
"""A cell in the middle of the board that no case falls into."""
LATE = (YUXIAN, CaseClass.IN_YEAR)
"""Cleared at the year's end as known then; a complaint of 27 December that was only entered in January undoes it."""


@dataclass
class Someone:
    """A case before its course is written. `registered` is when it is entered; `due` when its county wants it written off."""

    index: int
    place: str
    origin: Origin
    funding: Funding
    classes: tuple[CaseClass, ...]
    workers: int
    received: datetime
    registered: datetime
    due: datetime | None
    named: bool
    nets: Sequence[int] = field(default_factory=list)
    """Yuan owed to each worker."""

    @property
    def in_book(self) -> bool:
        return self.origin is not Origin.NEW


def shares(count: int, parts: dict[T, float]) -> dict[T, int]:
    """`count` split by shares that add up to one; largest remainders first, so nothing is lost."""
    exact = {key: count * share for key, share in parts.items()}
    whole = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: whole[key] - exact[key])
    for key in by_remainder[: count - sum(whole.values())]:
        whole[key] += 1
    return whole


def spread(rng: Random, count: int, mean: float, sigma: float, most: float) -> list[float]:
    """`count` lognormal values in random order, one from each stratum, cut at `most` and brought to `mean`."""
    normal = NormalDist()
    raw = [2.718281828 ** (sigma * normal.inv_cdf((i + rng.random()) / count)) for i in range(count)]
    scale = mean * count / sum(raw)
    for _ in range(20):  # cutting takes from the mean, so what is left is scaled up again
        cut = [min(value * scale, most) for value in raw]
        scale *= mean * count / sum(cut)
    rng.shuffle(cut)
    return cut


def populate(rng: Random, count: int, hours: OfficeHours, books: dict[str, datetime]) -> list[Someone]:
    """The cases, in order of registration. `books` says when each county's book came in."""
    kinds = [
        (place, origin)
        for place, cases in shares(count, SHARE).items()
        for origin, part in shares(cases, ORIGINS).items()
        for _ in range(part)
    ]
    sizes = _whole_sizes(spread(rng, count, WORKERS_A_CASE, 1.1, MOST_WORKERS))
    _let_in_hand_be_small(sizes, [_is_in_hand(place, origin) for place, origin in kinds])
    fundings = [kind for kind, part in shares(count, FUNDING).items() for _ in range(part)]
    rng.shuffle(fundings)
    handed = _handed_down(rng, kinds)
    found = []
    for index, ((place, origin), size, funding) in enumerate(zip(kinds, sizes, fundings, strict=True)):
        case_class = CaseClass.HISTORICAL if origin is Origin.HISTORICAL else CaseClass.IN_YEAR
        if (place, case_class, funding) == NONE_RECORDED:
            funding = Funding.PRIVATE  # noqa: PLW2901 - the one cell that stays empty
        classes = (case_class, CaseClass.HANDED_DOWN) if index in handed else (case_class,)
        found.append(_someone(rng, index, place, origin, funding, classes, size, hours, books[place]))
    _add_late_registrations(found, hours)
    _owe(rng, found)
    found.sort(key=lambda someone: (someone.registered, someone.index))
    return found


def _whole_sizes(sizes: Sequence[float]) -> list[int]:
    """Whole numbers of workers with the same sum: what is cut off one is carried to the next."""
    whole, carried = [], 0.0
    for size in sizes:
        workers = max(1, round(size + carried))
        carried += size - workers
        whole.append(workers)
    return whole


def _is_in_hand(place: str, origin: Origin) -> bool:
    return (place, CaseClass.HISTORICAL if origin is Origin.HISTORICAL else CaseClass.IN_YEAR) == IN_HAND


def _let_in_hand_be_small(sizes: list[int], in_hand: Sequence[bool]) -> None:
    """Trades large groups for small ones where every worker must be named and reached."""
    small = iter([i for i, size in enumerate(sizes) if size <= MOST_IN_HAND // 2 and not in_hand[i]])
    for index, size in enumerate(sizes):
        if in_hand[index] and size > MOST_IN_HAND:
            other = next(small)
            sizes[index], sizes[other] = sizes[other], size


def _handed_down(rng: Random, kinds: Sequence[tuple[str, Origin]]) -> set[int]:
    possible = [index for index, (place, _) in enumerate(kinds) if place != KUANGQU]
    return set(rng.sample(possible, min(len(possible), round(HANDED_DOWN * len(kinds)))))


def _someone(
    rng: Random,
    index: int,
    place: str,
    origin: Origin,
    funding: Funding,
    classes: tuple[CaseClass, ...],
    workers: int,
    hours: OfficeHours,
    book: datetime,
) -> Someone:
    due = due_by(place, classes, hours.zone)
    received = _received(rng, origin, hours)
    if origin is Origin.NEW:
        received = _in_time(received, due, hours)
    in_hand = _is_in_hand(place, origin)
    return Someone(
        index=index,
        place=place,
        origin=origin,
        funding=funding,
        classes=classes,
        workers=workers,
        received=received,
        registered=book if origin is not Origin.NEW else received + timedelta(minutes=rng.randint(5, 55)),
        due=_still_due(received, due),
        named=in_hand or (workers <= 45 and rng.random() < (0.72 if origin is Origin.NEW else 0.42)),
    )


def due_by(place: str, classes: Sequence[CaseClass], zone: ZoneInfo) -> datetime | None:
    """When a county wants a case of these classes written off: the earliest checkpoint of those it clears."""
    days = [CLEAR_BY[place, each] for each in classes if (place, each) in CLEAR_BY]
    return min(days).replace(tzinfo=zone) if days else None


def _received(rng: Random, origin: Origin, hours: OfficeHours) -> datetime:
    if origin is Origin.NEW:
        # Complaints rise to the middle of January, and hardly any comes after the festival's eve.
        return hours.moment(int(len(hours) * rng.triangular(0.0, 0.985, 0.72)))
    first, last = (
        (date(2016, 3, 1), date(2018, 12, 28))
        if origin is Origin.HISTORICAL
        else (date(2019, 1, 7), date(2019, 11, 12))
    )
    day = first + timedelta(days=int((last - first).days * rng.random() ** 0.6))
    return datetime.combine(day, time(9), tzinfo=hours.zone) + timedelta(minutes=rng.randint(0, 480))


def _in_time(received: datetime, due: datetime | None, hours: OfficeHours) -> datetime:
    """A complaint that must count at a checkpoint leaves two days to settle it."""
    if due is None:
        return received
    last = hours.minute(due + timedelta(days=1)) - 2 * 420
    minute = hours.minute(received)
    if last < minute and received < due + timedelta(days=1):
        return hours.moment(last - minute % 300)
    return received


def _still_due(received: datetime, due: datetime | None) -> datetime | None:
    """A case of January cannot count at the year's end, but at the festival."""
    if due is None:
        return None
    festival = FESTIVAL.replace(tzinfo=due.tzinfo)
    if received < due + timedelta(days=1):
        return due
    return festival if received < festival + timedelta(days=1) else None


def _add_late_registrations(found: Sequence[Someone], hours: OfficeHours) -> None:
    """One complaint in thirty of the new ones is entered days later; one of them undoes a cleared cell."""
    new = [each for each in found if each.origin is Origin.NEW]
    undoing = next(each for each in new if (each.place, each.classes[0]) == LATE and len(each.classes) == 1)
    undoing.received = datetime(2019, 12, 27, 16, 40, tzinfo=hours.zone)
    undoing.registered = datetime(2020, 1, 8, 9, 40, tzinfo=hours.zone)
    undoing.due = FESTIVAL.replace(tzinfo=hours.zone)
    free = [each for each in new if each.due is None and each.received.month in (11, 12)]
    for each in free[:: max(1, len(free) // max(1, len(new) // 30))]:
        each.registered = hours.moment(min(len(hours) - 900, hours.minute(each.received) + 1_300))


def _owe(rng: Random, found: Sequence[Someone]) -> None:
    """Each worker's arrears, with the field's mean over all workers."""
    everybody = sum(each.workers for each in found)
    of_case = spread(rng, len(found), 1.0, 0.45, 4.0)
    of_worker = spread(rng, everybody, 1.0, 0.35, 3.0)
    drawn = []
    for each, level in zip(found, of_case, strict=True):
        drawn.append([level * of_worker.pop() for _ in range(each.workers)])
    scale = YUAN_A_WORKER * everybody / sum(sum(values) for values in drawn)
    for each, values in zip(found, drawn, strict=True):
        each.nets = [max(300, round(value * scale / 10) * 10) for value in values]
