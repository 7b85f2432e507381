"""Commands about complaints, on a log in memory: what is recorded is read back as it was decided."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.cases.case import Case
from domain.cases.case import Particulars as CaseParticulars
from domain.catalogue import EVENT_TYPES
from domain.complaints import handlers
from domain.complaints.complaint import Complaint, after
from domain.complaints.duplicates import PROGRAM, Candidate
from domain.complaints.handlers import Intake, Registration
from domain.complaints.numbering import complaint_id
from domain.complaints.reception import ReceptionState, unregistered_cases
from domain.errors import ConflictError, NotFoundError, RuleError
from domain.recording import CommandKey
from domain.streams import Context, Provenance
from domain.vocabulary import (
    CaseClass,
    ComplaintClass,
    DuplicateRule,
    Evidence,
    Funding,
    MissingItem,
    ReceptionChannel,
)
from infra.memory.recorder import MemoryLog
from infra.streams import StreamStore
from tests.domain.complaints.intakes import RECEIVED, SHANGHAI, STATEMENT, TOLD, particulars, sealed, when

ORIGIN = "test-0000"
CONTEXT = Context(actor="officer-a", correlation="test")


class Desk:
    """A county's reception on a log in memory."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = MemoryLog() if log is None else log
        self.streams = StreamStore(self.log, EVENT_TYPES, "urn:qingling:test")

    def register(
        self,
        received: datetime = RECEIVED,
        channel: ReceptionChannel = ReceptionChannel.VISIT,
        place: str = "140321",
        command: CommandKey | None = None,
    ) -> Registration:
        return handlers.register_complaint(
            self.streams,
            origin=ORIGIN,
            place=place,
            channel=channel,
            first_officer="officer-a",
            zone=SHANGHAI,
            intake=lambda stream: Intake(particulars(matter=sealed(stream)), STATEMENT),
            provenance=Provenance(occurred=received, received=received),
            context=CONTEXT,
            command=command,
        )

    def registered(self) -> str:
        complaint = self.register().complaint
        assert complaint is not None
        return complaint.id

    def classified(self, classification: ComplaintClass) -> str:
        complaint = self.registered()
        handlers.classify_complaint(
            self.streams,
            complaint=complaint,
            classification=classification,
            ground="核实",
            provenance=when(),
            context=CONTEXT,
        )
        return complaint

    def state(self, complaint: str) -> ReceptionState:
        """Folded from the log, and the same as the stream's own."""
        state: ReceptionState | None = None
        for stored in self.log.read_stream(complaint):
            state = after(state, EVENT_TYPES.decode(stored).event)
        assert state == self.streams.get(Complaint, complaint).reception
        assert state is not None
        return state

    def types(self, complaint: str) -> list[str]:
        return [stored.type for stored in self.log.read_stream(complaint)]


def a_case(number: str = "1") -> Case:
    return Case(
        id=f"case-{number}",
        number=number,
        particulars=CaseParticulars(
            jurisdiction="140321",
            received=RECEIVED,
            funding=Funding.GOVERNMENT,
            classes=(CaseClass.IN_YEAR,),
            class_ground="N11",
        ),
        provenance=when(),
    )


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.log.close()


def test_complaints_are_numbered_one_by_one_in_their_place_and_month_whatever_the_channel(desk: Desk):
    january = datetime(2020, 1, 3, 9, 0, tzinfo=SHANGHAI)
    registered = [
        desk.register(),
        desk.register(channel=ReceptionChannel.CALL),
        desk.register(place="140322"),
        desk.register(received=january),
        desk.register(channel=ReceptionChannel.WEB),
    ]
    assert [each.complaint.number for each in registered if each.complaint] == [
        "140321-201912-0001LF",
        "140321-201912-0002LD",
        "140322-201912-0001LF",
        "140321-202001-0001LF",
        "140321-201912-0003WS",
    ]


def test_what_was_taken_in_is_sealed_for_the_stream_and_read_back_as_it_was(desk: Desk):
    registration = desk.register()
    assert registration.complaint is not None
    read = desk.streams.get(Complaint, registration.complaint.id)
    assert read.particulars == registration.complaint.particulars
    assert read.particulars.matter == sealed(registration.complaint.id)
    assert read.reception == registration.complaint.reception
    assert desk.state(read.id).due == datetime(2019, 12, 2, 15, 59, 59, 999_999, tzinfo=UTC)
    assert desk.log.read_stream(read.id)[0].partitionkey == read.id


def test_a_number_that_somebody_else_takes_first_is_left_to_them(desk: Desk):
    asked: list[str] = []

    def intake(stream: str) -> Intake:
        asked.append(stream)
        if len(asked) == 1:
            Desk(desk.log).register(channel=ReceptionChannel.CALL)  # in another process
        return Intake(particulars(matter=sealed(stream)))

    registration = handlers.register_complaint(
        desk.streams,
        origin=ORIGIN,
        place="140321",
        channel=ReceptionChannel.VISIT,
        first_officer="officer-a",
        zone=SHANGHAI,
        intake=intake,
        provenance=when(0),
        context=CONTEXT,
    )
    assert registration.complaint is not None
    assert registration.complaint.number == "140321-201912-0002LF"
    assert registration.complaint.particulars.matter == sealed(registration.complaint.id)
    assert asked == [complaint_id(ORIGIN, f"140321-201912-000{serial}LF") for serial in (1, 2)]


def test_registering_gives_up_when_every_number_is_taken_from_under_it(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handlers, "MAX_SERIALS", 2)

    def intake(_: str) -> Intake:
        Desk(desk.log).register()
        return Intake(particulars())

    with pytest.raises(ConflictError, match="were taken"):
        handlers.register_complaint(
            desk.streams,
            origin=ORIGIN,
            place="140321",
            channel=ReceptionChannel.VISIT,
            first_officer="officer-a",
            zone=SHANGHAI,
            intake=intake,
            provenance=when(0),
            context=CONTEXT,
        )


def test_registering_twice_under_one_key_registers_once(desk: Desk):
    key = CommandKey("officer-a", "form-1", b"request")
    first, second = desk.register(command=key), desk.register(command=key)
    assert second.outcome.replayed
    assert second.outcome.positions == first.outcome.positions
    assert second.complaint is None, "the number that is free now is not the one that was given out"
    assert desk.log.head().position == 1


def test_a_complaint_goes_the_whole_way_to_two_cases(desk: Desk):
    desk.streams.commit(a_case("1"), a_case("2"), context=CONTEXT)
    complaint = desk.registered()
    until = date(2019, 12, 7)
    handlers.return_complaint(
        desk.streams,
        complaint=complaint,
        missing=(MissingItem.EMPLOYER,),
        until=until,
        zone=SHANGHAI,
        told=TOLD,
        note=sealed(complaint),
        provenance=when(),
        context=CONTEXT,
    )
    assert desk.state(complaint).returned_until == datetime(2019, 12, 7, 15, 59, 59, 999_999, tzinfo=UTC)
    handlers.complete_complaint(
        desk.streams,
        complaint=complaint,
        brought=(MissingItem.EMPLOYER,),
        particulars=particulars(debtor="乙公司"),
        evidence=STATEMENT,
        provenance=when(2),
        context=CONTEXT,
    )
    handlers.classify_complaint(
        desk.streams,
        complaint=complaint,
        classification=ComplaintClass.WAGE_ARREARS,
        ground="考勤与工资表核对",
        provenance=when(3),
        context=CONTEXT,
    )
    handlers.accept_complaint(
        desk.streams, complaint=complaint, case="case-1", told=TOLD, provenance=when(4), context=CONTEXT
    )
    outcome = handlers.join_complaint(
        desk.streams, complaint=complaint, case="case-2", ground="同一工地", provenance=when(50), context=CONTEXT
    )
    assert outcome.positions == (desk.log.head().position,)
    assert desk.types(complaint) == [
        "complaint.registered.v1",
        "complaint.returned-for-completion.v1",
        "complaint.completed.v1",
        "complaint.classified.v1",
        "complaint.accepted.v1",
        "complaint.joined.v1",
    ]
    state = desk.state(complaint)
    assert state.cases == ("case-1", "case-2")
    assert unregistered_cases(state, lambda case: desk.streams.find(Case, case) is not None) == ()
    entered = state.classification_entered_at
    assert entered is not None
    assert entered > RECEIVED + timedelta(days=365), "the recorded time is the log's own"


def test_another_matter_is_advised_ordered_and_answered(desk: Desk):
    complaint = desk.classified(ComplaintClass.OTHER_MATTER)
    handlers.advise_complainant(
        desk.streams,
        complaint=complaint,
        channel="劳动人事争议仲裁委员会",
        remedy="一年内申请仲裁",
        told=TOLD,
        provenance=when(2),
        context=CONTEXT,
    )
    handlers.order_department(
        desk.streams,
        complaint=complaint,
        department="住建局",
        document="9号",
        answer_due=RECEIVED + timedelta(days=15),
        provenance=when(3),
        context=CONTEXT,
    )
    assert desk.state(complaint).awaited == ("住建局",)
    handlers.record_department_answer(
        desk.streams,
        complaint=complaint,
        department="住建局",
        document="12号",
        answer=sealed(complaint),
        evidence=STATEMENT,
        provenance=when(90),
        context=CONTEXT,
    )
    state = desk.state(complaint)
    assert not state.awaited
    assert state.departments == ("住建局",)


def test_a_repeat_petition_is_handed_to_its_local_government(desk: Desk):
    complaint = desk.classified(ComplaintClass.REPEAT_PETITION)
    handlers.hand_to_local_government(
        desk.streams,
        complaint=complaint,
        to="140300",
        person=sealed("person-9"),
        document="3号",
        provenance=when(3),
        context=CONTEXT,
    )
    assert desk.state(complaint).handed_to == "140300"


def test_a_complaint_is_refused_in_writing(desk: Desk):
    complaint = desk.classified(ComplaintClass.WAGE_ARREARS)
    handlers.refuse_complaint(
        desk.streams,
        complaint=complaint,
        ground="违法行为已超过两年",
        document="不受〔2019〕1号",
        told=TOLD,
        evidence=STATEMENT,
        provenance=when(3),
        context=CONTEXT,
    )
    assert desk.state(complaint).refused_at == RECEIVED + timedelta(hours=3)


def test_corrections_handing_over_and_withdrawing_are_recorded(desk: Desk):
    complaint = desk.registered()
    handlers.amend_complaint(
        desk.streams,
        complaint=complaint,
        particulars=particulars(amount=1),
        reason="登记笔误",
        provenance=when(),
        context=CONTEXT,
    )
    handlers.hand_over_complaint(
        desk.streams, complaint=complaint, officer="officer-b", reason="调岗", provenance=when(2), context=CONTEXT
    )
    handlers.withdraw_complaint(
        desk.streams,
        complaint=complaint,
        evidence=(Evidence(sha256="4" * 64, type="audio/mpeg"),),
        statement=sealed(complaint),
        provenance=when(3),
        context=CONTEXT,
    )
    state = desk.state(complaint)
    assert desk.streams.get(Complaint, complaint).particulars == particulars(amount=1)
    assert (state.officer, state.withdrawn_at) == ("officer-b", RECEIVED + timedelta(hours=3))


def test_hints_are_recorded_once_and_settled_by_an_officer(desk: Desk):
    first, second = desk.registered(), desk.registered()
    found = [Candidate(other=first, rule=DuplicateRule.SAME_PERSON, reason="the same complainant")]
    for expected in (1, 0):
        outcome = handlers.hint_duplicates(
            desk.streams, complaint=second, found=found, provenance=when(officer=None), context=CONTEXT
        )
        assert len(outcome.positions) == expected
    assert desk.state(second).hinted == (first,)
    hint = EVENT_TYPES.decode(desk.log.read_stream(second)[-1]).event
    assert isinstance(hint, Complaint.DuplicateHinted)
    assert hint.program == PROGRAM
    handlers.settle_duplicate(
        desk.streams, complaint=second, other=first, same=True, ground="同一件", provenance=when(), context=CONTEXT
    )
    assert desk.state(second).duplicates == (first,)


def test_a_complaint_and_its_new_case_are_recorded_together_or_not_at_all(desk: Desk):
    complaint = desk.registered()

    def accept() -> None:
        handlers.accept_into_new_case(
            desk.streams,
            complaint=complaint,
            open_case=lambda found: a_case(found.number),
            provenance=when(2),
            context=CONTEXT,
        )

    with pytest.raises(RuleError, match="not classified as wage arrears"):
        accept()
    assert desk.log.head().position == 1
    handlers.classify_complaint(
        desk.streams,
        complaint=complaint,
        classification=ComplaintClass.WAGE_ARREARS,
        ground="核实",
        provenance=when(),
        context=CONTEXT,
    )
    accept()
    (case,) = desk.state(complaint).cases
    assert desk.streams.get(Case, case).number == "140321-201912-0001LF"


def test_a_case_that_is_registered_already_is_not_opened_again(desk: Desk):
    complaint = desk.classified(ComplaintClass.WAGE_ARREARS)
    desk.streams.commit(a_case("1"), context=CONTEXT)
    with pytest.raises(ConflictError):
        handlers.accept_into_new_case(
            desk.streams, complaint=complaint, open_case=lambda _: a_case("1"), provenance=when(2), context=CONTEXT
        )
    assert not desk.state(complaint).cases


def test_what_nobody_registered_is_not_found(desk: Desk):
    complaint = desk.classified(ComplaintClass.WAGE_ARREARS)
    before = desk.log.head().position
    with pytest.raises(NotFoundError, match="case-1"):
        handlers.accept_complaint(desk.streams, complaint=complaint, case="case-1", provenance=when(), context=CONTEXT)
    with pytest.raises(NotFoundError, match="case-2"):
        handlers.join_complaint(
            desk.streams, complaint=complaint, case="case-2", ground="同一工地", provenance=when(), context=CONTEXT
        )
    with pytest.raises(NotFoundError, match="complaint-9"):
        handlers.settle_duplicate(
            desk.streams,
            complaint=complaint,
            other="complaint-9",
            same=True,
            ground="同一件",
            provenance=when(),
            context=CONTEXT,
        )
    with pytest.raises(NotFoundError, match="complaint-9"):
        handlers.withdraw_complaint(
            desk.streams, complaint="complaint-9", evidence=STATEMENT, provenance=when(), context=CONTEXT
        )
    assert desk.log.head().position == before


def test_those_who_register_at_the_same_time_take_their_turns_and_no_number_is_asked_for_in_vain(desk: Desk):
    asked: list[str] = []

    def register(_: int) -> str:
        def intake(stream: str) -> Intake:
            asked.append(stream)
            return Intake(particulars(matter=sealed(stream)))

        registration = handlers.register_complaint(
            desk.streams,
            origin=ORIGIN,
            place="140321",
            channel=ReceptionChannel.VISIT,
            first_officer="officer-a",
            zone=SHANGHAI,
            intake=intake,
            provenance=when(0),
            context=CONTEXT,
        )
        assert registration.complaint is not None
        return registration.complaint.number

    with ThreadPoolExecutor(8) as people:
        numbers = sorted(people.map(register, range(40)))
    assert numbers == [f"140321-201912-{serial:04d}LF" for serial in range(1, 41)]
    assert len(asked) == 40
