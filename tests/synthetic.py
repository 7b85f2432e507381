"""Large logs for benchmarks: plain cases of about ten events, made through the aggregates, as many as are asked for, in flat memory.

`synthetic_batches(cases, seed)` yields what a bulk append takes. A case comes in up to three batches (it is registered; verified and
paid; closed and written off) with those of other cases in between, as in a log that offices share. The same seed yields the same bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import cast

import msgspec

from domain.cases.case import Case, Particulars, SourceState
from domain.cases.standing import Standing
from domain.catalogue import EVENT_TYPES
from domain.claims.claim import Claim, Figures
from domain.entries import Recorded, draft
from domain.payments.payment import Payment
from domain.recording import Batch, StoredEntry, filled
from domain.sealing.personal import Sealed
from domain.streams import Basis, Context, Provenance, Stream, StreamEvent
from domain.vocabulary import (
    Answer,
    CaseClass,
    ClaimKind,
    FollowUpMethod,
    Funding,
    MoneySource,
    Outcome,
    Purpose,
    StatedMeaning,
)

SOURCE = "urn:qingling:synthetic"
PLACES = ("140302", "140303", "140311", "140321", "140322")
BEGUN = datetime(2018, 6, 1, 1, tzinfo=UTC)
LAG = 200
"""Cases that are registered before the first of them is gone on with."""

_FUNDINGS = tuple(Funding)
_SOURCES = tuple(MoneySource)
_CONTEXT = Context(actor="officer-synthetic", correlation="synthetic")
_SEALED = Sealed("person-synthetic", "0" * 64, "1" * 64)
_IN_YEAR = datetime(2019, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Course:
    """One case that is under way."""

    case: Case
    claims: list[Claim]
    paid: bool
    at: datetime


def synthetic_batches(cases: int, seed: int = 1) -> Iterator[Batch]:
    """Batches of a log of so many cases; about ten events a case."""
    rng = Random(seed)
    registered: deque[_Course] = deque()
    paid: deque[_Course] = deque()
    for number in range(cases):
        yield _registered(rng, seed, number, registered)
        if len(registered) > LAG:
            yield _paid(rng, registered.popleft(), paid)
        if len(paid) > LAG:
            yield _closed(rng, paid.popleft())
    while registered:
        yield _paid(rng, registered.popleft(), paid)
    while paid:
        yield _closed(rng, paid.popleft())


def as_recorded(batches: Iterable[Batch], *, begun: datetime = BEGUN) -> Iterator[Recorded[StreamEvent]]:
    """The events as a log would hand them out again, a second apart: for folds without a store."""
    drafts = (each for batch in batches for each in batch.drafts)
    for position, each in enumerate(drafts, start=1):
        at = begun + timedelta(seconds=position)
        entry = filled(each.entry, each.time_at, at)
        yield EVENT_TYPES.decode(
            StoredEntry(position, each.stream, each.version, each.type, at, each.partitionkey, entry)
        )


def _registered(rng: Random, seed: int, number: int, onward: deque[_Course]) -> Batch:
    received = BEGUN + timedelta(minutes=rng.randrange(820_000))
    provenance = Provenance(occurred=received, received=received, basis=Basis.STATED, clause="N20")
    case = Case(
        id=f"case-{seed}-{number}",
        number=f"{seed}/{number:07d}",
        book="synthetic",
        particulars=Particulars(
            jurisdiction=rng.choice(PLACES),
            received=received,
            funding=rng.choice(_FUNDINGS),
            classes=(CaseClass.IN_YEAR if received >= _IN_YEAR else CaseClass.HISTORICAL,),
            class_ground="N11",
            project=f"工程{number % 5_000}",
            debtor=f"虚构建筑劳务有限公司{number % 2_000}",
        ),
        provenance=provenance,
    )
    if rng.random() < 0.3:
        case.state(SourceState(state="办理中", means=StatedMeaning.OPEN), provenance)
    claims = [_claim(rng, case, line, provenance) for line in range(1, 2 + (rng.random() < 0.4))]
    onward.append(_Course(case, claims, paid=False, at=received))
    return _batch(case, *claims)


def _claim(rng: Random, case: Case, line: int, provenance: Provenance) -> Claim:
    named = rng.random() < 0.5
    claimed = rng.randrange(100_000, 4_000_000, 1_000)
    return Claim(
        id=f"claim-{case.id}-{line}",
        case=case.id,
        place=case.jurisdiction,
        line=str(line),
        kind=ClaimKind.WAGE,
        headcount=1 if named else rng.randrange(2, 40),
        figures=Figures(claimed=claimed),
        worker=_SEALED if named else None,
        period_from=date(2019, 3, 1),
        period_to=date(2019, 9, 30),
        provenance=provenance,
    )


def _paid(rng: Random, course: _Course, onward: deque[_Course]) -> Batch:
    """Four of five cases are paid in full, the others a half."""
    case, claims = course.case, course.claims
    course.at += timedelta(days=rng.randrange(1, 40))
    course.paid = rng.random() < 0.8
    act = Provenance(
        occurred=course.at, received=course.at, basis=Basis.DOCUMENTED, clause="N22", decidedby="officer-a"
    )
    for claim in claims:
        claim.verify(verified=claim.figures.claimed or 0, provenance=act)
    amounts = [(claim.figures.claimed or 0) // (1 if course.paid else 2) for claim in claims]
    payment = Payment(
        id=f"payment-{case.id}",
        case=case.id,
        place=case.jurisdiction,
        source=rng.choice(_SOURCES),
        purpose=Purpose.WAGE,
        lines=len(claims),
        headcount=sum(claim.headcount for claim in claims),
        total=sum(amounts),
        provenance=act,
    )
    for claim, amount in zip(claims, amounts, strict=True):
        payment.credit(claim.id, amount, claim.headcount, act)
    onward.append(course)
    return _batch(*claims, payment)


def _closed(rng: Random, course: _Course) -> Batch:
    """What is paid is closed and written off, and half of the workers are asked; the rest waits with its roster declared."""
    case = course.case
    course.at += timedelta(days=rng.randrange(1, 30))
    first = Provenance(occurred=course.at, received=course.at, clause="N27", decidedby="officer-a")
    second = msgspec.structs.replace(first, decidedby="officer-b")
    lines = len(course.claims)
    standing = Standing(lines=lines, verified=1, paid=1)
    case.declare_roster(standing, first)
    if not course.paid:
        return _batch(case)
    case.confirm_roster(standing, second)
    case.propose_closing(Outcome.PAID, "paid", standing, first)
    case.approve_closing(standing, second)
    case.write_off("paid", standing, msgspec.structs.replace(first, decidedby="officer-city"), leading_group=True)
    asked = [claim for claim in course.claims if claim.worker is not None and rng.random() < 0.5]
    for claim in asked:
        claim.follow_up(
            Answer.RECEIVED,
            FollowUpMethod.PHONE,
            msgspec.structs.replace(first, decidedby="officer-c"),
            independent=True,
        )
    return _batch(case, *asked)


def _batch(*streams: Stream) -> Batch:
    return Batch(
        [
            draft(stream, cast(StreamEvent, event), _CONTEXT, SOURCE)
            for stream in streams
            for event in stream.collect_events()
        ]
    )
