"""Commands about cases: load, ask, commit. `now` plays the clock of a simulation.

Acts on a case as a whole are handed its `Standing`, folded from its own partition (`file.py`); acts of its lines and payments are theirs
(DECISIONS.md, 5). A command is decided again after a conflict, from loading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Unpack
from zoneinfo import ZoneInfo

from domain.campaigns.campaign import Campaign, class_by_origin
from domain.cases.carrying import carry_over
from domain.cases.case import Case, HandedDown, Instalment, Particulars
from domain.cases.duties import Person
from domain.cases.file import CaseFile
from domain.cases.numbering import official_number, registered_id
from domain.claims.claim import Claim, claim_id
from domain.complaints.numbering import next_free
from domain.errors import RuleError
from domain.money import Fen
from domain.recording import Outcome
from domain.repository import Command, Streams, act, decide_repeatably
from domain.sealing.personal import Sealed
from domain.streams import Provenance
from domain.vocabulary import (
    ArrearsCause,
    CaseClass,
    CaseDuty,
    Evidence,
    RecheckResult,
    ReportKind,
)
from domain.vocabulary import Outcome as Ending

MAX_SERIALS = 100
"""How many numbers in a row may be taken by somebody else before registering gives up."""

Describe = Callable[[str], Particulars]
"""What is known of a case, sealed for the stream of the id that it is handed."""


def classes_by_origin(
    received: datetime, campaign: Campaign, zone: ZoneInfo, handed_down: HandedDown | None
) -> tuple[tuple[CaseClass, ...], str]:
    """The classes of a case by when it was first received, and whether it was handed down; with the clauses that put it there."""
    by_origin, clause = class_by_origin(received, campaign, zone)
    if handed_down is None:
        return (by_origin,), clause
    return (by_origin, CaseClass.HANDED_DOWN), f"{clause}, N24"


def new_case(
    streams: Streams,
    *,
    origin: str,
    place: str,
    zone: ZoneInfo,
    describe: Describe,
    provenance: Provenance,
    number: str | None = None,
) -> Case:
    """A case to be registered, under the number given or the next free one of its place and year; committing it is the caller's.

    Raises:
        RuleError: the number given is taken.
    """

    def taken(serial: int) -> bool:
        said = official_number(place, provenance.received, zone, serial)
        return streams.find(Case, registered_id(origin, said)) is not None

    if number is not None and streams.find(Case, registered_id(origin, number)) is not None:
        raise RuleError(
            f"there is a case {number!r} already", rule="number-once", clause="definitions: official numbers"
        )
    said = number or official_number(place, provenance.received, zone, next_free(taken))
    stream = registered_id(origin, said)
    return Case(id=stream, number=said, particulars=describe(stream), provenance=provenance)


def register_case(
    streams: Streams,
    *,
    origin: str,
    place: str,
    zone: ZoneInfo,
    describe: Describe,
    provenance: Provenance,
    number: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Registers a case by hand.

    Raises:
        RuleError: the number given is taken.
        ConflictError: a hundred numbers in a row were taken meanwhile.
    """

    def once() -> Outcome:
        case = new_case(
            streams, origin=origin, place=place, zone=zone, describe=describe, provenance=provenance, number=number
        )
        return streams.commit(case, **sent)

    with streams.turn(f"cases {official_number(place, provenance.received, zone, 0)}"):
        return decide_repeatably(streams, sent.get("command"), once, tries=MAX_SERIALS)


def amend_case(
    streams: Streams,
    *,
    case: str,
    particulars: Particulars,
    reason: str,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Corrects the particulars. Raises NotFoundError: no such case."""
    return act(streams, Case, case, lambda found: found.amend(particulars, reason, provenance), **sent)


# Who answers


def assign_duty(
    streams: Streams, *, case: str, duty: CaseDuty, holder: Person, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Gives a duty to somebody. Raises NotFoundError; RuleError: see `Case.assign`."""
    return act(streams, Case, case, lambda found: found.assign(duty, holder, provenance), **sent)


def hand_duty_over(
    streams: Streams,
    *,
    case: str,
    duty: CaseDuty,
    previous: Person,
    holder: Person,
    reason: str,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Gives a duty from one person to another. Raises NotFoundError; RuleError: see `Case.hand_duty_over`."""
    return act(
        streams, Case, case, lambda found: found.hand_duty_over(duty, previous, holder, reason, provenance), **sent
    )


def relieve_duty(
    streams: Streams,
    *,
    case: str,
    duty: CaseDuty,
    holder: Person,
    reason: str,
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Takes a duty from somebody. Raises NotFoundError; RuleError: see `Case.relieve`."""
    return act(streams, Case, case, lambda found: found.relieve(duty, holder, reason, provenance), **sent)


# Classes, senders, facts


def enter_class(
    streams: Streams, *, case: str, case_class: CaseClass, ground: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Puts the case into a class. Raises NotFoundError; RuleError: see `Case.enter_class`."""
    return act(streams, Case, case, lambda found: found.enter_class(case_class, ground, provenance), **sent)


def leave_class(
    streams: Streams, *, case: str, case_class: CaseClass, ground: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Takes the case out of a class. Raises NotFoundError; RuleError: see `Case.leave_class`."""
    return act(streams, Case, case, lambda found: found.leave_class(case_class, ground, provenance), **sent)


def record_handed_down(
    streams: Streams,
    *,
    case: str,
    handed_down: HandedDown,
    provenance: Provenance,
    deadline: datetime | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Records that an office above handed the case down. Raises NotFoundError: no such case."""
    return act(streams, Case, case, lambda found: found.record_handed_down(handed_down, provenance, deadline), **sent)


def record_facts_verified(
    streams: Streams,
    *,
    case: str,
    provenance: Provenance,
    findings: Sealed | None = None,
    headcount: int | None = None,
    amount: Fen | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that the facts are established. Raises NotFoundError: no such case."""
    return act(
        streams,
        Case,
        case,
        lambda found: found.verify_facts(provenance, findings, headcount, amount, evidence),
        **sent,
    )


def record_employer_response(
    streams: Streams,
    *,
    case: str,
    employer: str,
    provenance: Provenance,
    promised: Fen | None = None,
    by_when: datetime | None = None,
    words: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records what the employer did or promised. Raises NotFoundError: no such case."""
    return act(
        streams,
        Case,
        case,
        lambda found: found.record_response(employer, provenance, promised, by_when, words, evidence),
        **sent,
    )


def record_progress(
    streams: Streams,
    *,
    case: str,
    to: str,
    kind: ReportKind,
    provenance: Provenance,
    document: str | None = None,
    note: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records what was reported upwards. Raises NotFoundError: no such case."""
    return act(
        streams,
        Case,
        case,
        lambda found: found.report_progress(to, kind, provenance, document, note, evidence),
        **sent,
    )


def set_deadline(
    streams: Streams, *, case: str, due: datetime, by: str, ground: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Records by when it is to be finished. Raises NotFoundError: no such case."""
    return act(streams, Case, case, lambda found: found.set_deadline(due, by, ground, provenance), **sent)


def record_sender_answer(
    streams: Streams,
    *,
    case: str,
    by: str,
    accepted: bool,
    provenance: Provenance,
    document: str | None = None,
    ground: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records whether the sender accepts how the case was dealt with. Raises NotFoundError: no such case."""
    return act(
        streams,
        Case,
        case,
        lambda found: found.record_sender_answer(
            by, provenance, accepted=accepted, document=document, ground=ground, evidence=evidence
        ),
        **sent,
    )


def record_recheck(
    streams: Streams,
    *,
    case: str,
    result: RecheckResult,
    provenance: Provenance,
    findings: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records what looking again came to (N25). Raises NotFoundError: no such case."""
    return act(streams, Case, case, lambda found: found.recheck(result, provenance, findings, evidence), **sent)


def record_cause(
    streams: Streams,
    *,
    case: str,
    cause: ArrearsCause,
    provenance: Provenance,
    by: str | None = None,
    amount: Fen | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records why wages were not paid (N35). Raises NotFoundError: no such case."""
    return act(streams, Case, case, lambda found: found.record_cause(cause, provenance, by, amount, evidence), **sent)


def agree_instalments(
    streams: Streams,
    *,
    case: str,
    debtor: str,
    parts: Sequence[Instalment],
    provenance: Provenance,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records an agreement to pay in parts. Raises NotFoundError: no such case."""
    return act(
        streams, Case, case, lambda found: found.agree_instalments(debtor, tuple(parts), provenance, evidence), **sent
    )


# Roster and closing


def declare_roster(streams: Streams, *, case: str, provenance: Provenance, **sent: Unpack[Command]) -> Outcome:
    """Declares the roster complete. Raises NotFoundError; RuleError: see `Case.declare_roster`."""
    return _on_file(streams, case, lambda file: file.case.declare_roster(file.standing, provenance), **sent)


def confirm_roster(streams: Streams, *, case: str, provenance: Provenance, **sent: Unpack[Command]) -> Outcome:
    """Confirms the declared roster. Raises NotFoundError; RuleError: see `Case.confirm_roster`."""
    return _on_file(streams, case, lambda file: file.case.confirm_roster(file.standing, provenance), **sent)


def propose_closing(
    streams: Streams,
    *,
    case: str,
    outcome: Ending,
    ground: str,
    provenance: Provenance,
    into: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Proposes to close.

    Raises:
        NotFoundError: there is no such case, or none to merge it into.
        RuleError: see `Case.propose_closing`; the case to merge into was itself closed as merged.
    """

    def ask(file: CaseFile) -> None:
        if into is not None:
            _refuse_gone(streams.get(Case, into))
        file.case.propose_closing(outcome, ground, file.standing, provenance, into)

    return _on_file(streams, case, ask, **sent)


def withdraw_closing(
    streams: Streams, *, case: str, reason: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Takes one's own proposal back. Raises NotFoundError; RuleError: see `Case.withdraw_closing`."""
    return act(streams, Case, case, lambda found: found.withdraw_closing(reason, provenance), **sent)


def refuse_closing(
    streams: Streams, *, case: str, ground: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Sends the proposal back. Raises NotFoundError; RuleError: see `Case.refuse_closing`."""
    return act(streams, Case, case, lambda found: found.refuse_closing(ground, provenance), **sent)


def approve_closing(streams: Streams, *, case: str, provenance: Provenance, **sent: Unpack[Command]) -> Outcome:
    """Closes the case (办结). One that is merged carries its lines over into the other with the same commit.

    Raises:
        NotFoundError: there is no such case.
        RuleError: see `Case.approve_closing`; the case to merge into was itself closed as merged.
    """

    def once() -> Outcome:
        file = CaseFile.load(streams, case)
        procedure = file.case.procedure
        merged_into = procedure.into if procedure.proposed is Ending.MERGED else None
        file.case.approve_closing(file.standing, provenance)
        if merged_into is None:
            return streams.commit(file.case, **sent)
        into = streams.get(Case, merged_into)
        _refuse_gone(into)
        carried = carry_over(
            file, list(file.claims), into, _next_line(streams, into.id), f"merged into {into.number}", provenance
        )
        into.absorb(case, carried.claims, provenance)
        return streams.commit(file.case, into, *carried.streams, **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def reopen_case(
    streams: Streams, *, case: str, ground: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Reopens a closed case. Raises NotFoundError; RuleError: see `Case.reopen`."""
    return act(streams, Case, case, lambda found: found.reopen(ground, provenance), **sent)


def write_off(
    streams: Streams, *, case: str, ground: str, leading_group: bool, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Writes the case off (销账). Raises NotFoundError; RuleError: see `Case.write_off`."""
    return _on_file(
        streams,
        case,
        lambda file: file.case.write_off(ground, file.standing, provenance, leading_group=leading_group),
        **sent,
    )


# Transfer and splitting


def send_transfer(
    streams: Streams,
    *,
    case: str,
    to: str,
    ground: str,
    provenance: Provenance,
    to_place: str | None = None,
    document: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Asks somebody else to take the case over. Raises NotFoundError; RuleError: see `Case.send_transfer`."""
    return act(
        streams, Case, case, lambda found: found.send_transfer(to, ground, provenance, to_place, document), **sent
    )


def accept_transfer(
    streams: Streams,
    *,
    origin: str,
    zone: ZoneInfo,
    case: str,
    by: str,
    provenance: Provenance,
    number: str | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """The receiver takes the case over. Within this deployment that registers the receiver's case, with every line carried over, in the
    same commit; the sender's case is closed as transferred after that, by proposal and approval.

    Raises:
        NotFoundError: there is no such case.
        RuleError: see `Case.accept_transfer`; the receiver's number is taken.
    """

    def once() -> Outcome:
        file = CaseFile.load(streams, case)
        transfer = file.case.procedure.transfer
        place = None if transfer is None else transfer.place
        if place is None:
            file.case.accept_transfer(by, provenance, number, None, evidence)
            return streams.commit(file.case, **sent)
        received = new_case(
            streams,
            origin=origin,
            place=place,
            zone=zone,
            describe=lambda _: _received(file.case.particulars, place),
            provenance=provenance,
            number=number,
        )
        file.case.accept_transfer(by, provenance, received.number, received.id, evidence)
        carried = carry_over(file, list(file.claims), received, 1, f"transferred to {by}", provenance)
        received.absorb(case, carried.claims, provenance)
        return streams.commit(file.case, received, *carried.streams, **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def return_transfer(
    streams: Streams,
    *,
    case: str,
    by: str,
    ground: str,
    provenance: Provenance,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """The receiver does not take the case over. Raises NotFoundError; RuleError: see `Case.return_transfer`."""
    return act(streams, Case, case, lambda found: found.return_transfer(by, ground, provenance, evidence), **sent)


def split_case(
    streams: Streams,
    *,
    origin: str,
    zone: ZoneInfo,
    case: str,
    claims: Sequence[str],
    ground: str,
    provenance: Provenance,
    number: str | None = None,
    debtor: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Makes lines of a case a case of their own, in one commit.

    Raises:
        NotFoundError: there is no such case, or line of it.
        RuleError: see `Case.split_off`; the number is taken.
    """

    def once() -> Outcome:
        file = CaseFile.load(streams, case)
        particulars = file.case.particulars
        fresh = new_case(
            streams,
            origin=origin,
            place=file.case.jurisdiction,
            zone=zone,
            describe=lambda _: _received(particulars, particulars.jurisdiction, debtor),
            provenance=provenance,
            number=number,
        )
        file.case.split_off(fresh.id, tuple(claims), ground, provenance)
        carried = carry_over(file, claims, fresh, 1, ground, provenance)
        fresh.absorb(case, carried.claims, provenance)
        return streams.commit(file.case, fresh, *carried.streams, **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def _received(particulars: Particulars, place: str, debtor: str | None = None) -> Particulars:
    """What the new case is known by: as the old one, in its own place. Names and notes stay with the old case, whose key seals them."""
    return Particulars(
        jurisdiction=place,
        received=particulars.received,
        funding=particulars.funding,
        classes=particulars.classes,
        class_ground=particulars.class_ground,
        channel=particulars.channel,
        project=particulars.project,
        industry=particulars.industry,
        debtor=debtor or particulars.debtor,
        debtor_code=particulars.debtor_code if debtor is None else None,
        contractor=particulars.contractor,
        developer=particulars.developer,
        cause=particulars.cause,
        arrears_from=particulars.arrears_from,
        arrears_to=particulars.arrears_to,
        handed_down=particulars.handed_down,
        matters=particulars.matters,
    )


def _refuse_gone(case: Case) -> None:
    if case.procedure.closed_as is Ending.MERGED:
        raise RuleError(
            f"case {case.number} was merged into another itself",
            rule="merged-into-living",
            clause="definitions: closed",
        )


def _next_line(streams: Streams, case: str) -> int:
    return next_free(lambda number: streams.find(Claim, claim_id(case, str(number))) is not None)


def _on_file(streams: Streams, case: str, ask: Callable[[CaseFile], None], **sent: Unpack[Command]) -> Outcome:
    def once() -> Outcome:
        file = CaseFile.load(streams, case)
        ask(file)
        return streams.commit(file.case, **sent)

    return decide_repeatably(streams, sent.get("command"), once)
