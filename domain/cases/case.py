"""The case: one stream of what concerns it as a whole. Its claim lines and payments are streams beside it.

Facts (what a book states) are recorded as they come. Acts (declare and confirm the roster, close, write off) are refused, with rule
and clause, when their conditions do not hold; the conditions are computed in `standing.py` and handed in, so that a replay never
asks for them again.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec
from eventsourcing.domain import event

from domain.cases.standing import (
    NOT_BEGUN,
    Procedure,
    Standing,
    closed,
    closed_to_be_written_off,
    solved,
    why_not_solved,
)
from domain.errors import RuleError
from domain.money import Fen, yuan
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Shape, Stream, StreamEvent
from domain.vocabulary import CaseClass, Funding, Outcome, StatedMeaning


class HandedDown(Shape, frozen=True, kw_only=True):
    """Who handed a lead down, under which number, and when (clause N24)."""

    by: str | None = None
    number: str | None = None
    on: datetime | None = None


class Person(Shape, frozen=True, kw_only=True):
    """Somebody with a duty in the case, as the book names them; the name is sealed."""

    role: str
    name: Sealed


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
    people: tuple[Person, ...] = ()
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

        TOPIC = "case.roster-confirmed.v1"
        lines: int

    class ClosingProposed(Event):
        """An officer proposes to end the procedure with an outcome."""

        TOPIC = "case.closing-proposed.v1"
        outcome: Outcome
        ground: str

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

    # Acts

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
        self.trigger_event(Case.RosterConfirmed, lines=standing.lines, provenance=provenance)

    def propose_closing(self, outcome: Outcome, ground: str, standing: Standing, provenance: Provenance) -> None:
        """Proposes to close.

        Raises:
            RuleError: it is closed already, or would be closed as paid (or no arrears) while it is not solved (N27).
        """
        if closed(self.procedure):
            raise RuleError(f"case {self.number} is closed", rule="closed-once", clause="definitions: closed")
        if outcome in (Outcome.PAID, Outcome.NO_ARREARS):
            self._refuse_unless_solved(standing)
        if outcome is Outcome.NO_ARREARS and standing.verified > 0:
            raise RuleError(
                f"case {self.number} was verified to owe {yuan(standing.verified)} yuan",
                rule="no-arrears-means-none",
                clause="definitions: closed",
            )
        self.trigger_event(Case.ClosingProposed, outcome=outcome, ground=ground, provenance=provenance)

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
            RuleError: there is no proposal, the proposer would approve it, or the case is no longer solved (N27).
        """
        outcome = self._proposal_for(provenance)
        if outcome in (Outcome.PAID, Outcome.NO_ARREARS):
            self._refuse_unless_solved(standing)
        self.trigger_event(Case.Closed, outcome=outcome, provenance=provenance)

    def reopen(self, ground: str, provenance: Provenance) -> None:
        """Reopens a closed case.

        Raises:
            RuleError: it is not closed.
        """
        if not closed(self.procedure):
            raise RuleError(f"case {self.number} is not closed", rule="reopen-closed", clause="definitions: closed")
        self.trigger_event(Case.Reopened, ground=ground, provenance=provenance)

    def write_off(self, ground: str, standing: Standing, provenance: Provenance) -> None:
        """Writes the case off (销账).

        Raises:
            RuleError: not closed as paid or no arrears, or anything keeps it from being solved (N27).
        """
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


def proceed(procedure: Procedure, event: StreamEvent) -> Procedure:
    """How far the acts have come after an event; an event that is no act changes nothing. Pure and total."""
    by = event.provenance.decidedby
    match event:
        case Case.RosterDeclared():
            return msgspec.structs.replace(
                procedure, roster_declared_by=by, roster_lines=event.lines, roster_confirmed=False
            )
        case Case.RosterConfirmed():
            return msgspec.structs.replace(procedure, roster_confirmed=True, roster_lines=event.lines)
        case Case.ClosingProposed():
            return msgspec.structs.replace(procedure, proposed=event.outcome, proposed_by=by)
        case Case.ClosingRefused():
            return msgspec.structs.replace(procedure, proposed=None, proposed_by=None)
        case Case.Closed():
            return msgspec.structs.replace(
                procedure, proposed=None, proposed_by=None, closed_as=event.outcome, closed_at=event.provenance.occurred
            )
        case Case.Reopened():
            return msgspec.structs.replace(procedure, closed_as=None, closed_at=None, written_off_at=None)
        case Case.WrittenOff():
            return msgspec.structs.replace(procedure, written_off_at=event.provenance.occurred)
        case _:
            return procedure


def _refuse_the_same_officer(first: str, provenance: Provenance, clause: str) -> None:
    if provenance.decidedby is None or provenance.decidedby == first:
        raise RuleError("a second, different officer decides this", rule="two-officers", clause=clause)
