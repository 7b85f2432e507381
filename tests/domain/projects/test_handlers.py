"""Commands about projects and lists on a log in memory: recorded once, all or nothing, refused without a trace."""

from __future__ import annotations

from datetime import date

import pytest

from domain.catalogue import EVENT_TYPES
from domain.errors import IdempotencyError, InputError, NotFoundError, RuleError
from domain.projects.handlers import change_project, hand_in_list, permit_list_id, project_id, register_project
from domain.projects.particulars import PartyRole
from domain.projects.permit_list import ListedRow, ListKind, PermitList
from domain.projects.project import Project
from domain.recording import CommandKey
from domain.streams import Context
from infra.memory.recorder import MemoryLog
from infra.streams import StreamStore
from tests.domain.projects.material import CREW_LEADER, DAY, FILE, PARTICULARS, WHEN, WHY

ORIGIN = "log.example/test"
CONTEXT = Context(actor="officer-a", correlation="test")
ROWS = tuple(ListedRow(name=f"第{i}号安置房" * 30) for i in range(1, 301))


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def streams(log: MemoryLog) -> StreamStore:
    return StreamStore(log, EVENT_TYPES, "urn:qingling:test")


def register(streams: StreamStore, number: str = "P-1", command: CommandKey | None = None) -> str:
    return register_project(
        streams,
        origin=ORIGIN,
        number=number,
        particulars=PARTICULARS,
        provenance=WHEN,
        context=CONTEXT,
        command=command,
    )


def hand_in(streams: StreamStore, rows: tuple[ListedRow, ...] = ROWS, command: CommandKey | None = None):
    return hand_in_list(
        streams,
        origin=ORIGIN,
        kind=ListKind.PERMIT,
        authority="平定县住建局",
        place="140321",
        file=FILE,
        asof=date(2019, 11, 28),
        rows=rows,
        provenance=WHEN,
        context=CONTEXT,
        command=command,
    )


def key(text: str, digest: bytes = b"d") -> CommandKey:
    return CommandKey(actor="officer-a", key=text, digest=digest)


def test_a_project_is_registered_under_the_id_of_its_number(streams):
    project = register(streams)
    assert project == project_id(ORIGIN, "P-1")
    assert streams.get(Project, project).standing.number == "P-1"


def test_a_number_is_taken_once(streams, log):
    register(streams)
    with pytest.raises(RuleError) as refused:
        register(streams)
    assert (refused.value.rule, log.head().position) == ("project-once", 1)


def test_a_registration_that_is_sent_again_answers_as_before(streams, log):
    assert register(streams, command=key("k")) == register(streams, command=key("k"))
    assert log.head().position == 1
    with pytest.raises(IdempotencyError):
        register(streams, "P-2", command=key("k", b"other"))


def test_a_change_is_recorded_and_its_numbers_stand_in_the_event(streams, log):
    project = register(streams)

    def enter() -> tuple[int, ...]:
        return change_project(
            streams,
            project=project,
            change=lambda p: p.enter_party(PartyRole.CREW, DAY, WHEN, people=(CREW_LEADER,)),
            context=CONTEXT,
            command=key("crew"),
        ).positions

    assert enter() == enter() == (2,)
    assert list(streams.get(Project, project).standing.parties) == [1]


def test_a_change_that_changes_nothing_records_nothing(streams, log):
    project = register(streams)
    outcome = change_project(
        streams, project=project, change=lambda p: p.amend(PARTICULARS, WHY, WHEN), context=CONTEXT
    )
    assert (outcome.positions, log.head().position) == ((), 1)


def test_a_refused_change_leaves_nothing(streams, log):
    project = register(streams)
    with pytest.raises(RuleError):
        change_project(streams, project=project, change=lambda p: p.leave(3, DAY, WHEN), context=CONTEXT)
    assert log.head().position == 1


def test_a_project_that_is_not_there_is_not_found(streams):
    with pytest.raises(NotFoundError):
        change_project(streams, project="project-0", change=lambda p: p.leave(1, DAY, WHEN), context=CONTEXT)


def test_an_edition_and_all_its_rows_are_recorded_together_and_the_next_follows(streams, log):
    first = hand_in(streams)
    assert len(first.positions) > 3
    second = hand_in(streams, ROWS[:1])
    assert len(second.positions) == 2
    assert streams.get(PermitList, permit_list_id(ORIGIN, ListKind.PERMIT, "平定县住建局", "140321")).editions == 2


def test_a_list_that_is_sent_again_is_recorded_once(streams, log):
    first = hand_in(streams, command=key("list"))
    again = hand_in(streams, command=key("list"))
    assert again.replayed
    assert again.positions == first.positions
    assert log.head().position == len(first.positions)


def test_a_list_with_a_row_too_long_leaves_nothing(streams, log):
    with pytest.raises(InputError):
        hand_in(streams, (ListedRow(name="长" * 3_000),))
    assert log.head().position == 0
