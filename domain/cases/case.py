"""The case: one stream of what concerns it as a whole. Its claim lines and payments are streams beside it.

Facts (what a book states) are recorded as they come. Acts (declare and confirm the roster, close, write off) are refused, with rule
and clause, when their conditions do not hold; the conditions are computed in `standing.py` and handed in, so that a replay never
asks for them again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec
from eventsourcing.domain import event

from domain.cases.duties import HeldDuty, Person, assigned, handed_over, relieved
from domain.cases.standing import (
    NOT_BEGUN,
    Procedure,
    Standing,
    Transfer,
    TransferState,
    closed,
    closed_to_be_written_off,
    solved,
    why_not_solved,
)
from domain.errors import RuleError
from domain.money import Fen, yuan
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Shape, Stream, StreamEvent
from domain.vocabulary import (
    ArrearsCause,
    CaseClass,
    CaseDuty,
    Evidence,
    Funding,
    Outcome,
    RecheckResult,
    ReportKind,
    StatedMeaning,
)

CLOSED = "definitions: closed"
CASES = "definitions: case and complaint"


class HandedDown(Shape, frozen=True, kw_only=True):
    """Who handed a lead down, under which number, and when (clause N24)."""

    by: str | None = None
    number: str | None = None
    on: datetime | None = None


class Named(Shape, frozen=True, kw_only=True):
    """Somebody with a duty in the case, as the book names them; the name is sealed."""

    role: str
    name: Sealed


class Instalment(Shape, frozen=True, kw_only=True):
    """A part of what is owed, and by when it was agreed to be paid."""

    due: date
    amount: Fen


class Particulars(Shape, frozen=True, kw_only=True):
    """What is known of a case as a whole. Parties are organisations; a natural person's name is sealed among `people`."""

    jurisdiction: str
    received: datetime
    funding: Funding
    classes: tuple[CaseClass, ...]
    class_ground: str
    """Why it is in these classes: the clause that puts it there, or that its source says so."""
    channel: str | None = None
    project: str | None = None
    industry: str | None = None
    debtor: str | None = None
    debtor_code: str | None = None
    contractor: str | None = None
    developer: str | None = None
    cause: str | None = None
    arrears_from: date | None = None
    arrears_to: date | None = None
    handed_down: HandedDown | None = None
    matters: tuple[str, ...] = ()
    people: tuple[Named, ...] = ()
    note: Sealed | None = None
    extra: tuple[tuple[str, str], ...] = ()
    """Columns of the source that have no field of their own: (heading, value), in the source's order."""


class SourceState(Shape, frozen=True, kw_only=True):
    """What a source calls the state of a case, in its own words, and what its mapping says that the word means."""

    state: str | None = None
    means: StatedMeaning | None = None
    closed_on: datetime | None = None
    written_off: str | None = None
    followed_up_on: datetime | None = None
    follow_up: Sealed | None = None
    outstanding: Fen | None = None
    """The balance that the source itself states; a control figure."""


class Case(Stream):
    """One case (案件)."""

    TOPIC = "case"

    class Event(Stream.Event):
        """Base of a case's events."""

        def apply(self, aggregate: Case) -> None:
            """Never refuses."""
            aggregate.procedure = proceed(aggregate.procedure, self)
            aggregate.particulars = particulars_after(aggregate.particulars, self)

    class Created(Event, Stream.Created):
        """The case was entered under its official number."""

        TOPIC = "case.registered.v1"
        number: str
        book: str | None
        """The book that it came from; None for a case registered by hand."""
        particulars: Particulars

    class ParticularsAmended(Event):
        """Its particulars are others than was recorded; `changed` names the fields."""

        TOPIC = "case.particulars-amended.v1"
        particulars: Particulars
        changed: tuple[str, ...]
        reason: str

    class SourceStated(Event):
        """A source says in which state the case is. Stated, never mapped on a computed word."""

        TOPIC = "case.source-stated.v1"
        source_state: SourceState

    class VanishedFromBook(Event):
        """An amended book no longer holds the case. The case stays: nothing is deleted."""

        TOPIC = "case.vanished-from-book.v1"
        book: str

    class ReturnedToBook(Event):
        """A case that had vanished stands in the book again."""

        TOPIC = "case.returned-to-book.v1"
        book: str

    class RosterDeclared(Event):
        """The handler declares that every worker of the case is on its roster."""

        TOPIC = "case.roster-declared.v1"
        lines: int

    class RosterConfirmed(Event):
        """Another officer confirms it."""

        TOPIC = "case.roster-confirmed.v2"
        lines: int
        reverified: int | None
        """How often lines had been determined again by then; absent where an earlier release did not count."""

    class Assigned(Event):
        """Somebody answers for a duty from now on (clauses N22, N24)."""

        TOPIC = "case.duty-assigned.v1"
        duty: CaseDuty
        holder: Person

    class DutyHandedOver(Event):
        """Somebody else answers for it from now on."""

        TOPIC = "case.duty-handed-over.v1"
        duty: CaseDuty
        previous: Person
        holder: Person
        reason: str

    class DutyRelieved(Event):
        """Whoever answered for it does so no longer."""

        TOPIC = "case.duty-relieved.v1"
        duty: CaseDuty
        holder: Person
        reason: str

    class ClassEntered(Event):
        """The case belongs to a class from now on."""

        TOPIC = "case.class-entered.v1"
        case_class: CaseClass
        ground: str

    class ClassLeft(Event):
        """It belongs to the class no longer."""

        TOPIC = "case.class-left.v1"
        case_class: CaseClass
        ground: str

    class HandedDownBy(Event):
        """An office above handed it down (转办督办, clause N24); it belongs to that class from now on."""

        TOPIC = "case.handed-down.v1"
        handed_down: HandedDown
        deadline: datetime | None

    class FactsVerified(Event):
        """The facts are established (核清案情, clauses N22 and N24)."""

        TOPIC = "case.facts-verified.v1"
        findings: Sealed | None
        headcount: int | None
        amount: Fen | None
        evidence: tuple[Evidence, ...]

    class EmployerResponded(Event):
        """What the employer did or promised on being asked (clause N22)."""

        TOPIC = "case.employer-responded.v1"
        employer: str
        promised: Fen | None
        by_when: datetime | None
        words: Sealed | None
        evidence: tuple[Evidence, ...]

    class ProgressReported(Event):
        """What was reported upwards (clauses N24 and N25)."""

        TOPIC = "case.progress-reported.v1"
        to: str
        kind: ReportKind
        document: str | None
        note: Sealed | None
        evidence: tuple[Evidence, ...]

    class DeadlineSet(Event):
        """By when it is to be finished."""

        TOPIC = "case.deadline-set.v1"
        due: datetime
        by: str
        ground: str

    class SenderAnswered(Event):
        """Who handed the case down accepts, or does not accept, how it was dealt with."""

        TOPIC = "case.sender-answered.v1"
        by: str
        accepted: bool
        document: str | None
        ground: str | None
        evidence: tuple[Evidence, ...]

    class Rechecked(Event):
        """A case that was called solved was looked at again (clause N25)."""

        TOPIC = "case.rechecked.v1"
        result: RecheckResult
        findings: Sealed | None
        evidence: tuple[Evidence, ...]

    class CauseRecorded(Event):
        """Why wages were not paid, and by whom (clause N35)."""

        TOPIC = "case.cause-recorded.v1"
        cause: ArrearsCause
        by: str | None
        amount: Fen | None
        evidence: tuple[Evidence, ...]

    class InstalmentsAgreed(Event):
        """An agreement to pay in parts: it moves due dates, never a balance (definitions.md, *owing*)."""

        TOPIC = "case.instalments-agreed.v1"
        debtor: str
        parts: tuple[Instalment, ...]
        evidence: tuple[Evidence, ...]

    class TransferSent(Event):
        """The case is to be taken over by somebody else."""

        TOPIC = "case.transfer-sent.v1"
        to: str
        to_place: str | None
        """Code of the place, when it lies within this deployment."""
        ground: str
        document: str | None

    class TransferAccepted(Event):
        """The receiver takes it over."""

        TOPIC = "case.transfer-accepted.v1"
        by: str
        number: str | None
        """The receiver's number."""
        case: str | None
        """The receiver's case, when it lies within this deployment."""
        evidence: tuple[Evidence, ...]

    class TransferReturned(Event):
        """The receiver does not take it over: the case stays."""

        TOPIC = "case.transfer-returned.v1"
        by: str
        ground: str
        evidence: tuple[Evidence, ...]

    class SplitOff(Event):
        """Some of its lines are a case of their own from now on."""

        TOPIC = "case.split.v1"
        into: str
        claims: tuple[str, ...]
        ground: str

    class Absorbed(Event):
        """Lines of another case were carried over into this one."""

        TOPIC = "case.absorbed.v1"
        from_case: str
        claims: tuple[str, ...]
        """The lines here that stand for them."""

    class ClosingProposed(Event):
        """An officer proposes to end the procedure with an outcome."""

        TOPIC = "case.closing-proposed.v2"
        outcome: Outcome
        ground: str
        into: str | None
        """The case that it is merged into."""

    class ClosingWithdrawn(Event):
        """Who proposed takes the proposal back."""

        TOPIC = "case.closing-withdrawn.v1"
        reason: str

    class ClosingRefused(Event):
        """The approver sends the proposal back."""

        TOPIC = "case.closing-refused.v1"
        ground: str

    class Closed(Event):
        """A different officer approves: the procedure has ended."""

        TOPIC = "case.closed.v1"
        outcome: Outcome

    class Reopened(Event):
        """The procedure goes on."""

        TOPIC = "case.reopened.v1"
        ground: str

    class WrittenOff(Event):
        """The leading-group office takes the case off its books."""

        TOPIC = "case.written-off.v1"
        ground: str

    @event(Created)
    def __init__(
        self, id: str, number: str, particulars: Particulars, provenance: Provenance, book: str | None = None
    ) -> None:
        self.number = number
        self.book = book
        self.particulars = particulars
        self.opened = provenance.occurred
        self.received = provenance.received
        self.source_state: SourceState | None = None
        self.vanished = False
        self.procedure = NOT_BEGUN

    @property
    def jurisdiction(self) -> str:
        return self.particulars.jurisdiction

    # Facts

    def amend(self, particulars: Particulars, reason: str, provenance: Provenance) -> None:
        """Records other particulars; nothing is recorded when nothing differs."""
        changed = tuple(
            name
            for name in Particulars.__struct_fields__
            if getattr(particulars, name) != getattr(self.particulars, name)
        )
        if changed:
            self._particulars_amended(particulars=particulars, changed=changed, reason=reason, provenance=provenance)

    def state(self, source_state: SourceState, provenance: Provenance) -> None:
        """Records what a source calls the state; nothing is recorded when it says the same as before."""
        if source_state != self.source_state:
            self._source_stated(source_state=source_state, provenance=provenance)

    def vanish(self, book: str, provenance: Provenance) -> None:
        """Records that an amended book no longer holds the case."""
        self._vanished_from_book(book=book, provenance=provenance)

    def come_back(self, book: str, provenance: Provenance) -> None:
        """Records that the case stands in the book again."""
        self._returned_to_book(book=book, provenance=provenance)

    def record_handed_down(
        self, handed_down: HandedDown, provenance: Provenance, deadline: datetime | None = None
    ) -> None:
        """Records that an office above handed the case down; several may have."""
        self.trigger_event(Case.HandedDownBy, handed_down=handed_down, deadline=deadline, provenance=provenance)

    def verify_facts(
        self,
        provenance: Provenance,
        findings: Sealed | None = None,
        headcount: int | None = None,
        amount: Fen | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that the facts are established."""
        self.trigger_event(
            Case.FactsVerified,
            findings=findings,
            headcount=headcount,
            amount=amount,
            evidence=evidence,
            provenance=provenance,
        )

    def record_response(
        self,
        employer: str,
        provenance: Provenance,
        promised: Fen | None = None,
        by_when: datetime | None = None,
        words: Sealed | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records what the employer did or promised; a promise pays nothing."""
        self.trigger_event(
            Case.EmployerResponded,
            employer=employer,
            promised=promised,
            by_when=by_when,
            words=words,
            evidence=evidence,
            provenance=provenance,
        )

    def report_progress(
        self,
        to: str,
        kind: ReportKind,
        provenance: Provenance,
        document: str | None = None,
        note: Sealed | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records what was reported upwards."""
        self.trigger_event(
            Case.ProgressReported,
            to=to,
            kind=kind,
            document=document,
            note=note,
            evidence=evidence,
            provenance=provenance,
        )

    def set_deadline(self, due: datetime, by: str, ground: str, provenance: Provenance) -> None:
        """Records by when somebody above wants it finished."""
        self.trigger_event(Case.DeadlineSet, due=due, by=by, ground=ground, provenance=provenance)

    def record_sender_answer(
        self,
        by: str,
        provenance: Provenance,
        *,
        accepted: bool,
        document: str | None = None,
        ground: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records whether the sender accepts how the case was dealt with."""
        self.trigger_event(
            Case.SenderAnswered,
            by=by,
            accepted=accepted,
            document=document,
            ground=ground,
            evidence=evidence,
            provenance=provenance,
        )

    def recheck(
        self,
        result: RecheckResult,
        provenance: Provenance,
        findings: Sealed | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records what looking again came to."""
        self.trigger_event(Case.Rechecked, result=result, findings=findings, evidence=evidence, provenance=provenance)

    def record_cause(
        self,
        cause: ArrearsCause,
        provenance: Provenance,
        by: str | None = None,
        amount: Fen | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records why wages were not paid."""
        self.trigger_event(
            Case.CauseRecorded, cause=cause, by=by, amount=amount, evidence=evidence, provenance=provenance
        )

    def agree_instalments(
        self, debtor: str, parts: tuple[Instalment, ...], provenance: Provenance, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """Records an agreement to pay in parts."""
        self.trigger_event(Case.InstalmentsAgreed, debtor=debtor, parts=parts, evidence=evidence, provenance=provenance)

    def absorb(self, from_case: str, claims: tuple[str, ...], provenance: Provenance) -> None:
        """Records that lines of another case were carried over into this one."""
        self.trigger_event(Case.Absorbed, from_case=from_case, claims=claims, provenance=provenance)

    # Acts: who answers, and for what

    def assign(self, duty: CaseDuty, holder: Person, provenance: Provenance) -> None:
        """Gives a duty to somebody.

        Raises:
            RuleError: nobody is named, or they hold it already.
        """
        _refuse_nobody(holder)
        if any(held.duty is duty and held.holder.same(holder) for held in self.procedure.duties):
            raise RuleError(f"they hold the duty {duty} already", rule="duty-held-once", clause="N24")
        self.trigger_event(Case.Assigned, duty=duty, holder=holder, provenance=provenance)

    def hand_duty_over(
        self, duty: CaseDuty, previous: Person, holder: Person, reason: str, provenance: Provenance
    ) -> None:
        """Gives a duty from one person to another.

        Raises:
            RuleError: the former does not hold it, nobody is named to follow, or no reason is given.
        """
        _refuse_nobody(holder)
        _refuse_blank(reason, "handing a duty over", "N24", what="a reason")
        held = self._held(duty, previous)
        self.trigger_event(
            Case.DutyHandedOver, duty=duty, previous=held.holder, holder=holder, reason=reason, provenance=provenance
        )

    def relieve(self, duty: CaseDuty, holder: Person, reason: str, provenance: Provenance) -> None:
        """Takes a duty from somebody.

        Raises:
            RuleError: they do not hold it, or no reason is given.
        """
        _refuse_blank(reason, "relieving somebody of a duty", "N24", what="a reason")
        held = self._held(duty, holder)
        self.trigger_event(Case.DutyRelieved, duty=duty, holder=held.holder, reason=reason, provenance=provenance)

    def _held(self, duty: CaseDuty, holder: Person) -> HeldDuty:
        for held in self.procedure.duties:
            if held.duty is duty and held.holder.same(holder):
                return held
        raise RuleError(f"they do not hold the duty {duty}", rule="duty-held", clause="N24")

    def enter_class(self, case_class: CaseClass, ground: str, provenance: Provenance) -> None:
        """Puts the case into a class.

        Raises:
            RuleError: it is in it already, or no ground is given.
        """
        _refuse_blank(ground, "entering a class", "N11")
        if case_class in self.particulars.classes:
            raise RuleError(f"case {self.number} is in the class {case_class} already", rule="class-once", clause="N11")
        self.trigger_event(Case.ClassEntered, case_class=case_class, ground=ground, provenance=provenance)

    def leave_class(self, case_class: CaseClass, ground: str, provenance: Provenance) -> None:
        """Takes the case out of a class.

        Raises:
            RuleError: it is not in it, it would be in none, or no ground is given.
        """
        _refuse_blank(ground, "leaving a class", "N11")
        if case_class not in self.particulars.classes:
            raise RuleError(f"case {self.number} is not in the class {case_class}", rule="class-held", clause="N11")
        if len(self.particulars.classes) == 1:
            raise RuleError(
                f"case {self.number} would be in no class, and so on no board", rule="class-at-least-one", clause="N11"
            )
        self.trigger_event(Case.ClassLeft, case_class=case_class, ground=ground, provenance=provenance)

    # Acts: transfer, splitting off

    def send_transfer(
        self,
        to: str,
        ground: str,
        provenance: Provenance,
        to_place: str | None = None,
        document: str | None = None,
    ) -> None:
        """Asks somebody else to take the case over. Until they do it stays.

        Raises:
            RuleError: no receiver or ground; it goes to its own place; it is closed; or a transfer is pending, or was accepted.
        """
        _refuse_blank(to, "a transfer", CASES, what="its receiver", rule="receiver-named")
        _refuse_blank(ground, "a transfer", CASES)
        if to_place == self.jurisdiction:
            raise RuleError(f"case {self.number} is there already", rule="transfer-elsewhere", clause=CASES)
        if closed(self.procedure):
            raise RuleError(f"case {self.number} is closed", rule="closed-once", clause=CLOSED)
        pending = self.procedure.transfer
        if pending is not None and pending.state is not TransferState.RETURNED:
            raise RuleError(f"a transfer to {pending.to} is {pending.state} already", rule="one-transfer", clause=CASES)
        self.trigger_event(
            Case.TransferSent, to=to, to_place=to_place, ground=ground, document=document, provenance=provenance
        )

    def accept_transfer(
        self,
        by: str,
        provenance: Provenance,
        number: str | None = None,
        case: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """The receiver takes the case over.

        Raises:
            RuleError: no transfer is pending.
        """
        self._pending_transfer()
        self.trigger_event(
            Case.TransferAccepted, by=by, number=number, case=case, evidence=evidence, provenance=provenance
        )

    def return_transfer(
        self, by: str, ground: str, provenance: Provenance, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """The receiver does not take it over.

        Raises:
            RuleError: no transfer is pending, or no ground is given.
        """
        _refuse_blank(ground, "returning a transfer", CASES)
        self._pending_transfer()
        self.trigger_event(Case.TransferReturned, by=by, ground=ground, evidence=evidence, provenance=provenance)

    def _pending_transfer(self) -> Transfer:
        pending = self.procedure.transfer
        if pending is None or pending.state is not TransferState.SENT:
            raise RuleError(f"no transfer of case {self.number} is pending", rule="transfer-pending", clause=CASES)
        return pending

    def split_off(self, into: str, claims: tuple[str, ...], ground: str, provenance: Provenance) -> None:
        """Makes some of the lines a case of their own. Carrying them over is the handler's.

        Raises:
            RuleError: no ground, no line, or it is closed.
        """
        _refuse_blank(ground, "splitting a case", CASES)
        if not claims:
            raise RuleError("splitting a case names its lines", rule="split-names-lines", clause=CASES)
        if closed(self.procedure):
            raise RuleError(f"case {self.number} is closed", rule="closed-once", clause=CLOSED)
        self.trigger_event(Case.SplitOff, into=into, claims=claims, ground=ground, provenance=provenance)

    # Acts of roster and closing

    def declare_roster(self, standing: Standing, provenance: Provenance) -> None:
        """Declares the roster complete.

        Raises:
            RuleError: the case has no line.
        """
        if standing.lines == 0:
            raise RuleError(
                "a roster without a line is not complete", rule="roster-has-lines", clause="definitions: determined"
            )
        self.trigger_event(Case.RosterDeclared, lines=standing.lines, provenance=provenance)

    def confirm_roster(self, standing: Standing, provenance: Provenance) -> None:
        """Confirms the declared roster.

        Raises:
            RuleError: nobody declared it, the same officer did, or it has changed since.
        """
        declared_by = self.procedure.roster_declared_by
        if declared_by is None:
            raise RuleError(
                "nobody has declared the roster complete", rule="two-officers", clause="definitions: determined"
            )
        _refuse_the_same_officer(declared_by, provenance, "definitions: determined")
        if standing.lines != self.procedure.roster_lines:
            raise RuleError(
                f"the roster was declared with {self.procedure.roster_lines} lines and has {standing.lines} now",
                rule="roster-unchanged",
                clause="definitions: determined",
            )
        self.trigger_event(
            Case.RosterConfirmed, lines=standing.lines, reverified=standing.reverified, provenance=provenance
        )

    def propose_closing(
        self, outcome: Outcome, ground: str, standing: Standing, provenance: Provenance, into: str | None = None
    ) -> None:
        """Proposes to close. `into`: the case that it is merged into; that it is registered is the handler's to see.

        Raises:
            RuleError: no ground; it is closed already; it would be closed as paid (or no arrears) while it is not solved (N27), as merged
                into none or into itself, or as transferred while nobody has accepted it.
        """
        _refuse_blank(ground, "a closing", CLOSED)
        if closed(self.procedure):
            raise RuleError(f"case {self.number} is closed", rule="closed-once", clause=CLOSED)
        if (outcome is Outcome.MERGED) != (into is not None) or into == self.id:
            raise RuleError(
                f"case {self.number} is merged into another case, which is to be named with that outcome alone",
                rule="merged-into-another",
                clause=CLOSED,
            )
        if outcome is Outcome.TRANSFER_ACCEPTED:
            self._refuse_unless_accepted()
        if outcome in (Outcome.PAID, Outcome.NO_ARREARS):
            self._refuse_unless_solved(standing)
        if outcome is Outcome.NO_ARREARS and standing.verified > 0:
            raise RuleError(
                f"case {self.number} was verified to owe {yuan(standing.verified)} yuan",
                rule="no-arrears-means-none",
                clause="definitions: closed",
            )
        self.trigger_event(Case.ClosingProposed, outcome=outcome, ground=ground, into=into, provenance=provenance)

    def withdraw_closing(self, reason: str, provenance: Provenance) -> None:
        """Takes one's own proposal back.

        Raises:
            RuleError: there is none, or somebody else proposed it.
        """
        if self.procedure.proposed is None or self.procedure.proposed_by != provenance.decidedby:
            raise RuleError(
                f"case {self.number}: a proposal is withdrawn by who made it", rule="own-proposal", clause=CLOSED
            )
        self.trigger_event(Case.ClosingWithdrawn, reason=reason, provenance=provenance)

    def refuse_closing(self, ground: str, provenance: Provenance) -> None:
        """Sends the proposal back.

        Raises:
            RuleError: there is no proposal, or the proposer would refuse it.
        """
        self._proposal_for(provenance)
        self.trigger_event(Case.ClosingRefused, ground=ground, provenance=provenance)

    def approve_closing(self, standing: Standing, provenance: Provenance) -> None:
        """Closes the case (办结).

        Raises:
            RuleError: there is no proposal, the proposer would approve it, the case is no longer solved (N27), its transfer is no longer
                accepted, or it was handed down and the sender has not accepted since the proposal.
        """
        outcome = self._proposal_for(provenance)
        if outcome in (Outcome.PAID, Outcome.NO_ARREARS):
            self._refuse_unless_solved(standing)
        if outcome is Outcome.TRANSFER_ACCEPTED:
            self._refuse_unless_accepted()
        if CaseClass.HANDED_DOWN in self.particulars.classes and not self.procedure.sender_accepted:
            raise RuleError(
                f"case {self.number} was handed down: it is closed once the sender has accepted how it was dealt with",
                rule="sender-accepts",
                clause=CLOSED,
            )
        self.trigger_event(Case.Closed, outcome=outcome, provenance=provenance)

    def reopen(self, ground: str, provenance: Provenance) -> None:
        """Reopens a closed case.

        Raises:
            RuleError: it is not closed.
        """
        if not closed(self.procedure):
            raise RuleError(f"case {self.number} is not closed", rule="reopen-closed", clause="definitions: closed")
        self.trigger_event(Case.Reopened, ground=ground, provenance=provenance)

    def write_off(self, ground: str, standing: Standing, provenance: Provenance, *, leading_group: bool) -> None:
        """Writes the case off (销账). `leading_group`: whether the officer belongs to the leading-group office.

        Raises:
            RuleError: somebody else would write it off; not closed as paid or no arrears; or anything keeps it from being solved (N27).
        """
        if not leading_group:
            raise RuleError(
                f"case {self.number} is written off by the leading-group office alone",
                rule="written-off-by-leading-group",
                clause="definitions: written off",
            )
        if not closed_to_be_written_off(self.procedure):
            raise RuleError(
                f"case {self.number} is not closed as paid or without arrears",
                rule="written-off-when-closed",
                clause="N27",
            )
        self._refuse_unless_solved(standing)
        self.trigger_event(Case.WrittenOff, ground=ground, provenance=provenance)

    def _refuse_unless_solved(self, standing: Standing) -> None:
        if not solved(self.procedure, standing):
            reasons = "; ".join(map(str, why_not_solved(self.procedure, standing)))
            raise RuleError(f"case {self.number} is not solved: {reasons}", rule="unsolved-not-closed", clause="N27")

    def _refuse_unless_accepted(self) -> None:
        transfer = self.procedure.transfer
        if transfer is None or transfer.state is not TransferState.ACCEPTED:
            raise RuleError(
                f"nobody has accepted a transfer of case {self.number}", rule="transfer-accepted-first", clause=CLOSED
            )

    def _proposal_for(self, provenance: Provenance) -> Outcome:
        proposed, proposed_by = self.procedure.proposed, self.procedure.proposed_by
        if proposed is None or proposed_by is None:
            raise RuleError(
                f"nobody has proposed to close case {self.number}", rule="two-officers", clause="definitions: closed"
            )
        _refuse_the_same_officer(proposed_by, provenance, "definitions: closed")
        return proposed

    # Applying: runs again on every replay, and never refuses

    @event(ParticularsAmended)
    def _particulars_amended(
        self, particulars: Particulars, changed: tuple[str, ...], reason: str, provenance: Provenance
    ) -> None:
        self.particulars = particulars

    @event(SourceStated)
    def _source_stated(self, source_state: SourceState, provenance: Provenance) -> None:
        self.source_state = source_state

    @event(VanishedFromBook)
    def _vanished_from_book(self, book: str, provenance: Provenance) -> None:
        self.vanished = True

    @event(ReturnedToBook)
    def _returned_to_book(self, book: str, provenance: Provenance) -> None:
        self.vanished = False


def particulars_after(particulars: Particulars, event: StreamEvent) -> Particulars:
    """The particulars after an event that changes classes, senders or place; any other changes nothing. Pure and total."""
    match event:
        case Case.ClassEntered():
            return _in_class(particulars, event.case_class, event.ground)
        case Case.ClassLeft():
            rest = tuple(each for each in particulars.classes if each is not event.case_class)
            return msgspec.structs.replace(particulars, classes=rest)
        case Case.HandedDownBy():
            handed = msgspec.structs.replace(particulars, handed_down=event.handed_down)
            return _in_class(handed, CaseClass.HANDED_DOWN, "N24")
        case _:
            return particulars


def _in_class(particulars: Particulars, case_class: CaseClass, ground: str) -> Particulars:
    if case_class in particulars.classes:
        return particulars
    return msgspec.structs.replace(
        particulars, classes=(*particulars.classes, case_class), class_ground=f"{particulars.class_ground}, {ground}"
    )


def proceed(procedure: Procedure, event: StreamEvent) -> Procedure:
    """How far the acts have come after an event; an event that is no act changes nothing. Pure and total."""
    step = _STEPS.get(type(event))
    return procedure if step is None else step(procedure, event)


_set = msgspec.structs.replace


def _declared(procedure: Procedure, event: Case.RosterDeclared) -> Procedure:
    by = event.provenance.decidedby
    return _set(procedure, roster_declared_by=by, roster_lines=event.lines, roster_confirmed=False)


def _confirmed(procedure: Procedure, event: Case.RosterConfirmed) -> Procedure:
    return _set(procedure, roster_confirmed=True, roster_lines=event.lines, roster_reverified=event.reverified)


def _assigned(procedure: Procedure, event: Case.Assigned) -> Procedure:
    return _set(procedure, duties=assigned(procedure.duties, event.duty, event.holder))


def _handed_over(procedure: Procedure, event: Case.DutyHandedOver) -> Procedure:
    duties = handed_over(procedure.duties, event.duty, event.previous, event.holder)
    return _set(procedure, duties=duties, former_handlers=_former(procedure, event.duty, event.previous))


def _relieved(procedure: Procedure, event: Case.DutyRelieved) -> Procedure:
    duties = relieved(procedure.duties, event.duty, event.holder)
    return _set(procedure, duties=duties, former_handlers=_former(procedure, event.duty, event.holder))


def _former(procedure: Procedure, duty: CaseDuty, holder: Person) -> tuple[str, ...]:
    if duty is not CaseDuty.HANDLER or holder.officer is None or holder.officer in procedure.former_handlers:
        return procedure.former_handlers
    return (*procedure.former_handlers, holder.officer)


def _handed_down(procedure: Procedure, event: Case.HandedDownBy) -> Procedure:
    return procedure if event.deadline is None else _set(procedure, deadline=event.deadline)


def _facts_verified(procedure: Procedure, event: Case.FactsVerified) -> Procedure:
    return _set(procedure, facts_verified_at=procedure.facts_verified_at or event.provenance.occurred)


def _deadline(procedure: Procedure, event: Case.DeadlineSet) -> Procedure:
    return _set(procedure, deadline=event.due)


def _reported(procedure: Procedure, event: Case.ProgressReported) -> Procedure:
    return _set(procedure, reported_at=event.provenance.occurred)


def _sender_answered(procedure: Procedure, event: Case.SenderAnswered) -> Procedure:
    return _set(procedure, sender_accepted=event.accepted)


def _rechecked(procedure: Procedure, event: Case.Rechecked) -> Procedure:
    return _set(procedure, rechecked=event.result)


def _transfer_sent(procedure: Procedure, event: Case.TransferSent) -> Procedure:
    return _set(procedure, transfer=Transfer(to=event.to, place=event.to_place, state=TransferState.SENT))


def _transfer_accepted(procedure: Procedure, event: Case.TransferAccepted) -> Procedure:
    sent = procedure.transfer or Transfer(to=event.by)
    return _set(procedure, transfer=_set(sent, state=TransferState.ACCEPTED, case=event.case))


def _transfer_returned(procedure: Procedure, event: Case.TransferReturned) -> Procedure:
    sent = procedure.transfer or Transfer(to=event.by)
    return _set(procedure, transfer=_set(sent, state=TransferState.RETURNED))


def _proposed(procedure: Procedure, event: Case.ClosingProposed) -> Procedure:
    """Whether the sender accepts is asked of each proposal anew."""
    by = event.provenance.decidedby
    return _set(procedure, proposed=event.outcome, proposed_by=by, into=event.into, sender_accepted=False)


def _not_proposed(procedure: Procedure, _: Case.ClosingWithdrawn | Case.ClosingRefused) -> Procedure:
    return _set(procedure, proposed=None, proposed_by=None, into=None)


def _closed(procedure: Procedure, event: Case.Closed) -> Procedure:
    return _set(
        procedure, proposed=None, proposed_by=None, closed_as=event.outcome, closed_at=event.provenance.occurred
    )


def _reopened(procedure: Procedure, _: Case.Reopened) -> Procedure:
    return _set(procedure, closed_as=None, closed_at=None, written_off_at=None, into=None)


def _written_off(procedure: Procedure, event: Case.WrittenOff) -> Procedure:
    return _set(procedure, written_off_at=event.provenance.occurred)


_STEPS: dict[type[StreamEvent], Callable[[Procedure, Any], Procedure]] = {
    Case.RosterDeclared: _declared,
    Case.RosterConfirmed: _confirmed,
    Case.Assigned: _assigned,
    Case.DutyHandedOver: _handed_over,
    Case.DutyRelieved: _relieved,
    Case.HandedDownBy: _handed_down,
    Case.FactsVerified: _facts_verified,
    Case.DeadlineSet: _deadline,
    Case.ProgressReported: _reported,
    Case.SenderAnswered: _sender_answered,
    Case.Rechecked: _rechecked,
    Case.TransferSent: _transfer_sent,
    Case.TransferAccepted: _transfer_accepted,
    Case.TransferReturned: _transfer_returned,
    Case.ClosingProposed: _proposed,
    Case.ClosingWithdrawn: _not_proposed,
    Case.ClosingRefused: _not_proposed,
    Case.Closed: _closed,
    Case.Reopened: _reopened,
    Case.WrittenOff: _written_off,
}
PROCEDURE_EVENTS: tuple[type[StreamEvent], ...] = tuple(_STEPS)
"""The events that change a procedure."""


def _refuse_blank(text: str, act: str, clause: str, *, what: str = "its ground", rule: str = "ground-given") -> None:
    if not text.strip():
        raise RuleError(f"{act} bears {what}", rule=rule, clause=clause)


def _refuse_nobody(holder: Person) -> None:
    if holder.officer is None and holder.name is None:
        raise RuleError("a duty is somebody's, who is to be named", rule="duty-has-holder", clause="N24")


def _refuse_the_same_officer(first: str, provenance: Provenance, clause: str) -> None:
    if provenance.decidedby is None or provenance.decidedby == first:
        raise RuleError("a second, different officer decides this", rule="two-officers", clause=clause)
