"""A project to try things on, and random histories of projects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from domain.catalogue import EVENT_TYPES
from domain.entries import draft
from domain.errors import Refused
from domain.projects.particulars import (
    Contact,
    Deposit,
    DepositForm,
    Duty,
    Industry,
    PartyRole,
    ProjectParticulars,
    ProjectState,
    Safeguard,
    Shareholder,
)
from domain.projects.project import Project
from domain.recording import filled
from domain.sealing.personal import Sealed
from domain.streams import Context, Provenance, Stream, StreamEvent
from domain.vocabulary import Evidence, Funding

MOMENT = datetime(2019, 12, 2, 8, 0, tzinfo=UTC)
DAY = date(2019, 12, 2)
WHEN = Provenance(occurred=MOMENT, received=MOMENT, decidedby="officer-a")
WHY = Sealed(subject="project-1", sha256="0" * 64, commit="1" * 64)
FILE = Evidence(sha256="2" * 64, type="application/pdf")
CREW_LEADER = Contact(duty=Duty.CREW_LEADER, name=Sealed(subject="person-1", sha256="3" * 64, commit="4" * 64))
PARTICULARS = ProjectParticulars(
    jurisdiction="140321",
    name="冠山安置房三期",
    funding=Funding.GOVERNMENT,
    industry=Industry.HOUSING,
    permits=("施-1",),
)


def days(count: int) -> date:
    """The day so many days after `DAY`."""
    return DAY + timedelta(days=count)


def project(particulars: ProjectParticulars = PARTICULARS) -> Project:
    """A project that was only registered."""
    return Project(id="project-1", number="P-1", particulars=particulars, provenance=WHEN)


def recorded(stream: Stream) -> list[StreamEvent]:
    """The pending events, through their entries and back."""
    events = []
    for position, event in enumerate(stream.collect_events(), start=1):
        made = draft(stream, event, Context(actor="officer-a", correlation="test"), "urn:qingling:test")  # type: ignore[arg-type]
        entry = filled(made.entry, made.time_at, MOMENT + timedelta(microseconds=position))
        events.append(EVENT_TYPES.decode_entry(position, entry).event)
    return events


Move = Callable[[Project], object]
DAYS = st.integers(-40, 40).map(days)
NUMBER = st.integers(1, 6)
FEN = st.integers(-500, 5_000)
MOVES: st.SearchStrategy[Move] = st.one_of(
    st.tuples(st.sampled_from(PartyRole), DAYS, st.none() | NUMBER).map(
        lambda t: lambda p: p.enter_party(t[0], t[1], WHEN, under=t[2], organisation=f"公司{t[1]}")
    ),
    st.tuples(NUMBER, st.none() | NUMBER).map(lambda t: lambda p: p.place_party(t[0], t[1], WHY, WHEN)),
    st.tuples(NUMBER, DAYS).map(lambda t: lambda p: p.leave(t[0], t[1], WHEN)),
    st.tuples(st.sampled_from(Safeguard), DAYS, st.none() | DAYS, st.none() | FEN).map(
        lambda t: (
            lambda p: p.evidence_safeguard(
                t[0], t[1], WHEN, t[2], Deposit(amount=t[3], form=DepositForm.CASH) if t[3] is not None else None
            )
        )
    ),
    st.tuples(st.sampled_from(Safeguard), DAYS, st.none() | st.lists(NUMBER, max_size=2).map(tuple)).map(
        lambda t: lambda p: p.refute_safeguard(t[0], t[1], WHY, WHEN, showings=t[2])
    ),
    st.tuples(st.sampled_from(ProjectState), DAYS).map(lambda t: lambda p: p.enter_state(t[0], t[1], WHEN)),
    DAYS.map(lambda day: lambda p: p.enter_real_name_platform(day, WHEN)),
    FEN.map(lambda amount: lambda p: p.arrange_funds(amount, "treasury", WHEN)),
    st.tuples(FEN, st.none() | FEN, st.none() | NUMBER).map(
        lambda t: lambda p: p.disburse_funds(t[0], WHEN, wages=t[1], party=t[2])
    ),
    st.lists(st.integers(-1, 10_000), min_size=1, max_size=2).map(
        lambda firsts: (
            lambda p: p.hold_shares(
                tuple(
                    Shareholder(holder=f"股东{i}", basis_points=points)
                    for i, points in enumerate([*firsts, 10_000 - sum(firsts)])
                ),
                WHEN,
            )
        )
    ),
)


@st.composite
def projects(draw: Any) -> tuple[Project, list[StreamEvent]]:
    """A project after random acts and facts, and its events. What is refused leaves nothing."""
    found = project()
    for move in draw(st.lists(MOVES, max_size=20)):
        before = len(found.pending_events)
        try:
            move(found)
        except Refused:
            assert len(found.pending_events) == before
    return found, recorded(found)
