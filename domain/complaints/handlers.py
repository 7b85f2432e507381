"""Commands about complaints: load, ask, commit. `now` plays the clock of a simulation.

Every command returns the `Outcome` of its commit; one that had nothing to record returns an outcome without positions. Commands are
decided again after a conflict, from loading. Texts and names come sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import NamedTuple, Unpack
from zoneinfo import ZoneInfo

from domain.campaigns.campaign import end_of_day
from domain.cases.case import Case
from domain.complaints.complaint import Complaint, Particulars
from domain.complaints.duplicates import PROGRAM, Candidate
from domain.complaints.numbering import complaint_id, next_free, official_number
from domain.complaints.reception import classification_due
from domain.errors import ConflictError
from domain.recording import CommandKey, Outcome
from domain.repository import Command, Streams, act, decide_repeatably
from domain.sealing.personal import Sealed
from domain.streams import Context, Provenance
from domain.vocabulary import ComplaintClass, Evidence, MissingItem, ReceptionChannel, Told

MAX_SERIALS = 100
"""How many numbers in a row may be taken by somebody else before registering gives up."""


class Intake(NamedTuple):
    """What was taken in, with every text sealed."""

    particulars: Particulars
    evidence: tuple[Evidence, ...] = ()


class Registration(NamedTuple):
    """What registering came to. `complaint` is None where the same command had been recorded before: its position then leads to
    the complaint that was registered, whatever number would be free now."""

    complaint: Complaint | None
    outcome: Outcome


def register_complaint(
    streams: Streams,
    *,
    origin: str,
    place: str,
    channel: ReceptionChannel,
    first_officer: str,
    zone: ZoneInfo,
    intake: Callable[[str], Intake],
    provenance: Provenance,
    context: Context,
    late_because: str | None = None,
    after: int = 0,
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Registration:
    """Registers a complaint under the next free number of its place and month (N20); nothing that comes in is refused.

    `intake` is asked for what was taken in, sealed for the stream of the id that it is handed; again, should somebody else take the
    number first. `after` is a serial that is known to be taken, where the caller knows one.

    Raises:
        ConflictError: a hundred numbers in a row were taken while registering.
        IdempotencyError, RecordingError, ClockError: as `Streams.commit`.
    """

    def numbered(serial: int) -> str:
        return official_number(place, provenance.received, zone, serial, channel)

    def taken(serial: int) -> bool:
        return streams.find(Complaint, complaint_id(origin, numbered(serial))) is not None

    with streams.turn(f"complaints {numbered(0)[:-2]}") as turn:  # one register, whatever the channel
        turn.last = max(turn.last, after)
        for _ in range(MAX_SERIALS):
            serial = next_free(taken, turn.last)
            stream = complaint_id(origin, numbered(serial))
            particulars, evidence = intake(stream)
            complaint = Complaint(
                id=stream,
                number=numbered(serial),
                place=place,
                channel=channel,
                first_officer=first_officer,
                due=classification_due(provenance.received, zone),
                particulars=particulars,
                evidence=evidence,
                late_because=late_because,
                provenance=provenance,
            )
            try:
                outcome = streams.commit(complaint, context=context, command=command, now=now)
            except ConflictError:
                turn.last = serial
                continue
            if outcome.replayed:
                return Registration(None, outcome)
            turn.last = serial
            return Registration(complaint, outcome)
    raise ConflictError(f"the numbers of {place} up to {serial} were taken while this complaint was registered")


def amend_complaint(
    streams: Streams,
    *,
    complaint: str,
    particulars: Particulars,
    reason: str,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Corrects the particulars. Raises NotFoundError: no such complaint."""
    return act(streams, Complaint, complaint, lambda found: found.amend(particulars, reason, provenance), **sent)


def return_complaint(
    streams: Streams,
    *,
    complaint: str,
    missing: tuple[MissingItem, ...],
    until: date,
    zone: ZoneInfo,
    told: Told,
    provenance: Provenance,
    note: Sealed | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Returns it for completion by the end of a local day. Raises NotFoundError; RuleError: see `Complaint.return_for_completion`."""
    last = end_of_day(until, zone)
    return act(
        streams,
        Complaint,
        complaint,
        lambda found: found.return_for_completion(missing, last, told, provenance, note),
        **sent,
    )


def complete_complaint(
    streams: Streams,
    *,
    complaint: str,
    brought: tuple[MissingItem, ...],
    particulars: Particulars,
    provenance: Provenance,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records what was brought. Raises NotFoundError: no such complaint."""
    return act(
        streams, Complaint, complaint, lambda found: found.complete(brought, particulars, provenance, evidence), **sent
    )


def classify_complaint(
    streams: Streams,
    *,
    complaint: str,
    classification: ComplaintClass,
    ground: str,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Classifies it (N20). Raises NotFoundError; RuleError: see `Complaint.classify`."""
    return act(streams, Complaint, complaint, lambda found: found.classify(classification, ground, provenance), **sent)


def accept_complaint(
    streams: Streams,
    *,
    complaint: str,
    case: str,
    provenance: Provenance,
    told: Told | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Accepts it into a registered case. Raises NotFoundError: no such complaint or case; RuleError: see `Complaint.accept`."""

    def accept(found: Complaint) -> None:
        found.accept(streams.get(Case, case).id, provenance, told)

    return act(streams, Complaint, complaint, accept, **sent)


def accept_into_new_case(
    streams: Streams,
    *,
    complaint: str,
    open_case: Callable[[Complaint], Case],
    provenance: Provenance,
    told: Told | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Accepts it into a case that is registered with the same commit, so that neither is ever recorded without the other.

    `open_case` makes the case from the complaint; it is asked again when the command is decided again.

    Raises:
        NotFoundError: no such complaint.
        RuleError: see `Complaint.accept`.
        ConflictError: a case of that id is registered already.
    """

    def command() -> Outcome:
        found = streams.get(Complaint, complaint)
        case = open_case(found)
        found.accept(case.id, provenance, told)
        return streams.commit(case, found, **sent)

    return decide_repeatably(streams, sent.get("command"), command)


def join_complaint(
    streams: Streams, *, complaint: str, case: str, ground: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Joins it to a further registered case. Raises NotFoundError: no such complaint or case; RuleError: see `Complaint.join`."""

    def join(found: Complaint) -> None:
        found.join(streams.get(Case, case).id, ground, provenance)

    return act(streams, Complaint, complaint, join, **sent)


def refuse_complaint(
    streams: Streams,
    *,
    complaint: str,
    ground: str,
    document: str,
    told: Told,
    provenance: Provenance,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Refuses it in writing. Raises NotFoundError; RuleError: see `Complaint.refuse`."""
    return act(
        streams, Complaint, complaint, lambda found: found.refuse(ground, document, told, provenance, evidence), **sent
    )


def advise_complainant(
    streams: Streams,
    *,
    complaint: str,
    channel: str,
    remedy: str,
    told: Told,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Tells channel and remedy. Raises NotFoundError; RuleError: see `Complaint.advise`."""
    return act(streams, Complaint, complaint, lambda found: found.advise(channel, remedy, told, provenance), **sent)


def order_department(
    streams: Streams,
    *,
    complaint: str,
    department: str,
    provenance: Provenance,
    document: str | None = None,
    answer_due: datetime | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Orders a department to deal with it. Raises NotFoundError; RuleError: see `Complaint.order_department`."""
    return act(
        streams,
        Complaint,
        complaint,
        lambda found: found.order_department(department, provenance, document, answer_due),
        **sent,
    )


def record_department_answer(
    streams: Streams,
    *,
    complaint: str,
    department: str,
    provenance: Provenance,
    document: str | None = None,
    answer: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records a department's answer. Raises NotFoundError: no such complaint."""
    return act(
        streams,
        Complaint,
        complaint,
        lambda found: found.record_answer(department, provenance, document, answer, evidence),
        **sent,
    )


def hand_to_local_government(
    streams: Streams,
    *,
    complaint: str,
    to: str,
    person: Sealed,
    provenance: Provenance,
    document: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Hands it to a local government. Raises NotFoundError; RuleError: see `Complaint.hand_to_local_government`."""
    return act(
        streams,
        Complaint,
        complaint,
        lambda found: found.hand_to_local_government(to, person, provenance, document),
        **sent,
    )


def withdraw_complaint(
    streams: Streams,
    *,
    complaint: str,
    evidence: tuple[Evidence, ...],
    provenance: Provenance,
    statement: Sealed | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Withdraws it on the complainant's own statement. Raises NotFoundError; RuleError: see `Complaint.withdraw`."""
    return act(streams, Complaint, complaint, lambda found: found.withdraw(evidence, provenance, statement), **sent)


def hand_over_complaint(
    streams: Streams, *, complaint: str, officer: str, reason: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Another officer answers for it. Raises NotFoundError; RuleError: see `Complaint.hand_over`."""
    return act(streams, Complaint, complaint, lambda found: found.hand_over(officer, reason, provenance), **sent)


def hint_duplicates(
    streams: Streams,
    *,
    complaint: str,
    found: Sequence[Candidate],
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Records what `duplicates.candidates` found; hints that are known already add nothing. Raises NotFoundError: no such complaint."""

    def hint(hinted: Complaint) -> None:
        for candidate in found:
            hinted.hint_duplicate(candidate.other, candidate.rule, candidate.reason, PROGRAM, provenance)

    return act(streams, Complaint, complaint, hint, **sent)


def settle_duplicate(
    streams: Streams,
    *,
    complaint: str,
    other: str,
    same: bool,
    ground: str,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Settles whether another registered complaint is the same. Raises NotFoundError; RuleError: see `Complaint.settle_duplicate`."""

    def settle(found: Complaint) -> None:
        found.settle_duplicate(streams.get(Complaint, other).id, ground, provenance, same=same)

    return act(streams, Complaint, complaint, settle, **sent)
