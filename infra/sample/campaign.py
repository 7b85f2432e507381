"""The script of the whole campaign, from a seed: officers, books, cases with their lines, courses, and the monthly publications.

The same seed gives the same script, to the last character. Nothing here is refused or recorded; `desk.py` performs it on aggregates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from zoneinfo import ZoneInfo

from domain.money import Fen
from domain.vocabulary import CaseClass, ClaimKind, Funding, Outcome, Purpose, StatedMeaning
from infra.sample import words
from infra.sample.courses import Course, Office
from infra.sample.fates import End, Fate, Incident, deal
from infra.sample.hours import OfficeHours
from infra.sample.population import CHENGQU, JIAOQU, KUANGQU, PINGDING, YUXIAN, Origin, Someone, populate
from infra.sample.script import (
    BookEntry,
    BookIssue,
    CaseScript,
    GiveBack,
    Line,
    Mark,
    OfficerScript,
    Pay,
    ProposeClosing,
    Script,
    StatedInBook,
    Step,
    WriteOff,
)

CASES = 300
CITY = "140300"
SHORT = {CHENGQU: "城", KUANGQU: "矿", JIAOQU: "郊", PINGDING: "平", YUXIAN: "盂"}
HANDLE = {CHENGQU: "chengqu", KUANGQU: "kuangqu", JIAOQU: "jiaoqu", PINGDING: "pingding", YUXIAN: "yuxian"}
NAME = {CHENGQU: "城区", KUANGQU: "矿区", JIAOQU: "郊区", PINGDING: "平定县", YUXIAN: "盂县"}
COUNTY_ROLES = ("clerk", "handler-1", "handler-2", "handler-3", "approver", "checker")
CITY_OFFICE = ("city-office-1", "city-office-2")

_FIRST_ISSUE = {
    CHENGQU: (18, 9, 20),
    KUANGQU: (18, 15, 5),
    JIAOQU: (19, 9, 40),
    PINGDING: (20, 9, 10),
    YUXIAN: (21, 10, 0),
}
"""Day of November, hour and minute at which each county's book came in."""
_AMENDED = ((2019, 12, 26), (2020, 1, 17))
"""Days on which every county hands its book in again, with every case of the first issue as it stands then (N07, N08)."""
_SHRUNK = (JIAOQU, PINGDING)
"""Counties in whose December book a case that still owes is missing, and another has other figures."""
_PUBLICATIONS = (((2019, 11, 29), "第一批"), ((2019, 12, 27), "第二批"), ((2020, 1, 17), "第三批"))
"""One batch a month (N09)."""
_REJECTED_FOR = ("考勤记录不支持", "已预支部分未扣除", "与同班组他人重复申报", "工程量按实测核减")


def write_script(seed: str, zone: ZoneInfo, cases: int = CASES) -> Script:
    """The script of a campaign of so many cases."""
    hours = OfficeHours(zone)
    books = {place: datetime(2019, 11, *moment, tzinfo=zone) for place, moment in _FIRST_ISSUE.items()}
    population = populate(Random(f"{seed}/population"), cases, hours, books)
    fates = deal(Random(f"{seed}/fates"), population)
    people = iter(_shuffled(Random(f"{seed}/people"), 5_900))
    numbers = {place: count(1) for place in books}
    written = []
    for someone in population:
        rng = Random(f"{seed}/case/{someone.index}")
        number = _number(someone, next(numbers[someone.place]))
        written.append(_case(rng, hours, someone, fates[someone.index], number, people))
    written = _merged(written, population, fates)
    published = _published(Random(f"{seed}/published"), population, fates, written, zone)
    return Script(
        officers=tuple(_officers(people)), cases=published, issues=tuple(_issues(published, population, fates, books))
    )


def _shuffled(rng: Random, most: int) -> list[int]:
    numbers = list(range(most))
    rng.shuffle(numbers)
    return numbers


def _officers(people: Iterator[int]) -> Iterator[OfficerScript]:
    for place, handle in HANDLE.items():
        for role in COUNTY_ROLES:
            yield OfficerScript(f"{handle}-{role}", place, words.person(next(people)).name)
    for handle in CITY_OFFICE:
        yield OfficerScript(handle, CITY, words.person(next(people)).name)


def _number(someone: Someone, place_in_register: int) -> str:
    year = someone.received.year if someone.in_book else someone.registered.year
    return f"阳{SHORT[someone.place]}人社监〔{year}〕{place_in_register:03d}号"


def _merged(
    written: Sequence[CaseScript], population: Sequence[Someone], fates: Mapping[int, Fate]
) -> list[CaseScript]:
    """A case that ends by being merged goes into one of its county that was registered by hand before and stays open; where there is
    none it stays open itself."""
    found = []
    for case in written:
        proposal = next(
            (s for s in case.steps if isinstance(s.act, ProposeClosing) and s.act.outcome is Outcome.MERGED), None
        )
        if proposal is None:
            found.append(case)
            continue
        into = next(
            (
                other.number
                for other, someone in zip(written, population, strict=True)
                if other.place == case.place
                and other.stated is None
                and fates[someone.index].end is End.OPEN
                and other.steps
                and other.steps[0].at < proposal.at
            ),
            None,
        )
        steps = [_into(step, into) for step in case.steps if into is not None or step.at < proposal.at]
        found.append(replace(case, steps=tuple(steps)))
    return found


def _into(step: Step, number: str | None) -> Step:
    act = step.act
    if isinstance(act, ProposeClosing) and act.outcome is Outcome.MERGED:
        return replace(step, act=replace(act, into=number))
    return step


# One case


def _case(
    rng: Random, hours: OfficeHours, someone: Someone, fate: Fate, number: str, people: Iterator[int]
) -> CaseScript:
    lines = _lines(rng, someone, fate, people)
    stated = _stated(rng, someone, fate, lines) if someone.in_book else None
    debtor, industry, project, contractor, developer = _parties(rng, someone.funding)
    payer = rng.choice([name for name in (debtor, contractor, developer) if name])
    course = Course(rng, hours, someone, fate, lines, stated, _office(rng, someone.place), payer)
    handed = CaseClass.HANDED_DOWN in someone.classes
    by, prefix = rng.choice(words.HANDED_DOWN_BY)
    clause = "N12" if someone.origin is Origin.HISTORICAL else "N11"
    return CaseScript(
        number=number,
        place=someone.place,
        funding=someone.funding,
        classes=someone.classes,
        class_ground=f"{clause}, N24" if handed else clause,
        received=someone.received,
        channel="上级转送" if handed else rng.choice(words.CHANNELS),
        debtor=debtor,
        industry=industry,
        cause=rng.choice(words.CAUSES),
        lines=lines,
        steps=course.steps(),
        stated=stated,
        project=project,
        contractor=contractor,
        developer=developer,
        handed_down_by=by if handed else None,
        handed_down_number=f"{prefix}〔{someone.received.year}〕{rng.randint(3, 180)}号" if handed else None,
        handed_down_on=someone.received - timedelta(hours=rng.randint(2, 20)) if handed else None,
        people=_responsible(people) if handed else (),
        note="反映人希望春节前拿到工资" if rng.random() < 0.3 else None,
    )


def _responsible(people: Iterator[int]) -> tuple[tuple[str, str], ...]:
    roles = ("包案领导", "办案责任人", "联系人")
    return tuple((role, words.person(next(people)).name) for role in roles)


def _office(rng: Random, place: str) -> Office:
    handle = HANDLE[place]
    first, second = rng.sample((1, 2, 3), 2)
    return Office(
        clerk=f"{handle}-clerk",
        handler=f"{handle}-handler-{first}",
        second=f"{handle}-handler-{second}",
        approver=f"{handle}-approver",
        checker=f"{handle}-checker",
        city=rng.choice(CITY_OFFICE),
    )


def _parties(rng: Random, funding: Funding) -> tuple[str, str, str | None, str | None, str | None]:
    """Debtor, industry, project, general contractor, developer."""
    if funding is Funding.OTHER:
        kind, industry = rng.choice(words.WORKPLACES)
        return rng.choice(words.MYTHS) + kind, industry, None, None, None
    first, second, third = rng.sample(words.MYTHS, 3)
    kind = funding.value
    suffix = "" if funding is Funding.GOVERNMENT else "有限公司"
    return (
        f"{first}{rng.choice(words.FIRMS)}有限公司",
        words.INDUSTRY[kind],
        third + rng.choice(words.PROJECTS[kind]),
        f"{second}{rng.choice(words.CONTRACTORS)}有限公司",
        f"{third}{rng.choice(words.DEVELOPERS[kind])}{suffix}",
    )


def _lines(rng: Random, someone: Someone, fate: Fate, people: Iterator[int]) -> tuple[Line, ...]:
    end_of_work = (someone.received - timedelta(days=rng.randint(20, 120))).date()
    disputed = fate.end is End.DISPUTED
    if someone.named:
        return tuple(
            _line(rng, fate, net * 100, 1, words.person(next(people)), end_of_work, disputed=disputed and i == 0)
            for i, net in enumerate(someone.nets)
        )
    crews = 2 if someone.workers > 30 else 1
    parts = [someone.nets[crew::crews] for crew in range(crews)]
    return tuple(
        _line(rng, fate, sum(nets) * 100, len(nets), None, end_of_work - timedelta(days=31 * crew), disputed=False)
        for crew, nets in enumerate(parts)
    )


def _line(
    rng: Random, fate: Fate, net: Fen, headcount: int, worker: words.Person | None, until: date, *, disputed: bool
) -> Line:
    """A line that is verified to `net`, or to nothing where the case has no arrears; a third claim more than that."""
    more = int(net * rng.uniform(0.03, 0.25)) // 10_000 * 10_000 if rng.random() < 0.33 else 0
    drawn = int(net * rng.uniform(0.05, 0.35)) // 50_000 * 50_000
    nothing = fate.end is End.NO_ARREARS
    in_dispute = max(20_000, net // 4 // 10_000 * 10_000) if disputed else 0
    claimed = net + more + in_dispute
    return Line(
        worker=worker,
        headcount=headcount,
        kind=ClaimKind.COMPENSATION if worker is not None and rng.random() < 0.01 else ClaimKind.WAGE,
        claimed=claimed,
        verified=0 if nothing else net,
        period_from=(until - timedelta(days=rng.randint(30, 150))).replace(day=1),
        period_to=until,
        gross=claimed + drawn if worker is not None else None,
        drawn=drawn if worker is not None else None,
        withdrawn=more if more and rng.random() < 0.05 and not nothing else 0,
        disputed=in_dispute,
        ground="不存在劳动报酬争议，属工程款纠纷" if nothing else rng.choice(_REJECTED_FOR) if more else None,
    )


def _stated(rng: Random, someone: Someone, fate: Fate, lines: Sequence[Line]) -> StatedInBook:
    """What the county's book says: a half of the paid ones were paid before, at least as it says."""
    closed = fate.end in (End.UNEVIDENCED, End.STATED_CLOSED_OWING)
    fresh = fate.end in (End.NO_ARREARS, End.RELAPSED) or Incident.FOREMAN_KEPT in fate.incidents
    part = 1.0 if fate.end is End.UNEVIDENCED else 0.0 if fresh else rng.choice((0.0, 0.0, 0.5, 1.0))
    if fate.end in (End.STATED_CLOSED_OWING, End.OPEN, End.JUDICIAL):
        part = 0.6 if closed else min(part, 0.5)
    paid = tuple(line.verified if part == 1.0 else int(line.verified * part) // 10_000 * 10_000 for line in lines)
    means = StatedMeaning.CLOSED if closed or (part == 1.0 and rng.random() < 0.6) else StatedMeaning.OPEN
    when = someone.received + timedelta(days=rng.randint(1, 3))
    return StatedInBook(
        book=f"{NAME[someone.place]}欠薪案件台账",
        verified=part > 0 or rng.random() < 0.5,
        paid=paid,
        paid_on=when if any(paid) else None,
        payment_source=rng.choice(("企业自付", "总包先行清偿", "工资保证金", None)) if any(paid) else None,
        voucher=None,
        state="已办结" if means is StatedMeaning.CLOSED else "办理中",
        means=means,
        closed_on=when + timedelta(days=2) if means is StatedMeaning.CLOSED else None,
        written_off="是" if fate.end is End.UNEVIDENCED else None,
    )


# What the counties publish, and hand in


def _published(
    rng: Random, population: Sequence[Someone], fates: dict[int, Fate], cases: Sequence[CaseScript], zone: ZoneInfo
) -> tuple[CaseScript, ...]:
    found = []
    for someone, case in zip(population, cases, strict=True):
        fate = fates[someone.index]
        marks = list(_marks(rng, someone, fate, zone)) if fate.published else []
        steps = sorted((*case.steps, *marks), key=lambda step: step.at)
        found.append(replace(case, steps=tuple(steps)))
    return tuple(found)


def _marks(rng: Random, someone: Someone, fate: Fate, zone: ZoneInfo) -> Iterator[Step]:
    by = f"{HANDLE[someone.place]}-clerk"
    days = [(datetime(*day, 9, tzinfo=zone), name) for day, name in _PUBLICATIONS]
    open_days = [(day, name) for day, name in days if day > someone.registered]
    if not open_days:
        return
    day, name = rng.choice(open_days)
    minutes = timedelta(minutes=rng.randint(0, 150), seconds=55)  # after every course's seconds: no moment is shared
    yield Step(day + minutes, Mark("公布批次", name, f"{name}欠薪案件向社会公布"), by)
    if fate.blacklisted:
        decided = max(day + timedelta(days=3), datetime(2020, 1, 13, 9, tzinfo=zone)) + minutes
        yield Step(decided, Mark("黑名单", "已列入", "列入拖欠农民工工资黑名单"), by)


def _issues(
    cases: Sequence[CaseScript],
    population: Sequence[Someone],
    fates: dict[int, Fate],
    books: dict[str, datetime],
) -> Iterator[BookIssue]:
    ends = [fates[someone.index].end for someone in population]
    for place, at in books.items():
        entries = tuple(_entry_at(index, case, stated, at) for index, case, stated in _in_book(cases, place))
        yield _issue(place, at, entries)
    zone = next(iter(books.values())).tzinfo
    for day in _AMENDED:
        for minutes, place in enumerate(books):
            at = datetime(*day, 15, 13 * minutes, tzinfo=zone)
            yield _issue(place, at, tuple(_amended(cases, ends, place, at)))


def _issue(place: str, at: datetime, entries: tuple[BookEntry, ...]) -> BookIssue:
    return BookIssue(at, f"{NAME[place]}欠薪案件台账", place, f"{HANDLE[place]}-clerk", entries)


def _in_book(cases: Sequence[CaseScript], place: str) -> Iterator[tuple[int, CaseScript, StatedInBook]]:
    for index, case in enumerate(cases):
        if case.stated is not None and case.place == place:
            yield index, case, case.stated


def _amended(cases: Sequence[CaseScript], ends: Sequence[End], place: str, at: datetime) -> Iterator[BookEntry]:
    """The issue of a later day. Where the book has shrunk, one case that still owes is missing (and stands there again in January, in the
    first of these counties), and one that nobody has touched has other figures."""
    owing = [i for i, _, _ in _in_book(cases, place) if ends[i] in (End.OPEN, End.STATED_CLOSED_OWING)]
    owing = owing if place in _SHRUNK else []
    back = place == _SHRUNK[0] and at.year == 2020
    missing = owing[0] if owing else None
    restated = next((i for i in owing if i != missing and not any(_decides(step) for step in cases[i].steps)), None)
    for index, case, stated in _in_book(cases, place):
        if index != missing or back:
            entry = _entry_at(index, case, stated, at)
            yield _corrected(entry) if index == restated else entry


def _decides(step: Step) -> bool:
    return not isinstance(step.act, Mark)


def _corrected(entry: BookEntry) -> BookEntry:
    """The first line claims a tenth more than the first issue said."""
    first, *others = entry.lines
    more = replace(first, claimed=first.claimed + first.claimed // 10 // 10_000 * 10_000)
    return replace(entry, lines=(more, *others))


def _entry_at(index: int, case: CaseScript, stated: StatedInBook, at: datetime) -> BookEntry:
    """The case as its county knows it then: what was paid and published, and *closed* once it was written off."""
    done = [step for step in case.steps if step.at < at]
    written_off = next((step.at for step in done if isinstance(step.act, WriteOff)), None)
    state, means, closed_on = stated.state, stated.means, stated.closed_on
    if written_off is not None and means is not StatedMeaning.CLOSED:
        state, means, closed_on = "已办结", StatedMeaning.CLOSED, written_off
    marks = tuple((step.act.heading, step.act.value) for step in done if isinstance(step.act, Mark))
    return BookEntry(index, case.lines, _paid_by(stated, done), state, means, closed_on, marks)


def _paid_by(stated: StatedInBook, done: Sequence[Step]) -> tuple[Fen, ...]:
    """By line, what had been paid as wages after these steps, less what came back."""
    paid = list(stated.paid)
    payments: list[tuple[tuple[int | None, Fen], ...]] = []
    if any(paid):
        payments.append(tuple((line, amount) for line, amount in enumerate(paid) if amount))
    for step in done:
        if isinstance(step.act, Pay):
            payments.append(step.act.items)
            for line, amount in step.act.items if step.act.purpose is Purpose.WAGE else ():
                if line is not None:
                    paid[line] += amount
        elif isinstance(step.act, GiveBack):
            line, _ = payments[step.act.payment][step.act.item]
            if line is not None:
                paid[line] -= step.act.amount
    return tuple(paid)
