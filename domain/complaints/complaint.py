"""The complaint: one stream from the counter to its answer. Cases and complaints are many-to-many, so it bears the cases' ids.

Facts (a program's hint, a department's answer, what the complainant brings later) are recorded as they come. Acts (classify,
accept, refuse, advise, hand on, withdraw) are refused, with rule and clause, when their conditions do not hold. Nothing here ends
a complaint: what it still lacks is computed in `reception.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec
from eventsourcing.domain import event

from domain.cases.case import HandedDown
from domain.complaints.reception import ReceptionState
from domain.errors import RuleError
from domain.money import Fen
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Shape, Stream, StreamEvent
from domain.vocabulary import ComplaintClass, DuplicateRule, Evidence, MissingItem, ReceptionChannel, Told


class Particulars(Shape, frozen=True, kw_only=True):
    """What is complained of, and by whom. Everything is as stated; what is absent was not said. All personal fields share one subject,
    save `matter`, whose key is the stream's; each is sealed under its own name as the label."""

    came: int | None = None
    """People who came."""
    headcount: int | None = None
    """Workers owed."""
    amount: Fen | None = None
    since: date | None = None
    project: str | None = None
    debtor: str | None = None
    debtor_code: str | None = None
    contractor: str | None = None
    handed_down: HandedDown | None = None
    complainant: Sealed | None = None
    """Name; absent for an anonymous complaint."""
    complainant_id: Sealed | None = None
    phone: Sealed | None = None
    address: Sealed | None = None
    matter: Sealed | None = None
    """The matter in their own words."""

    @property
    def subject(self) -> str | None:
        """Whose key the personal fields are sealed under; None where nobody is known."""
        known = self.complainant_id or self.complainant or self.phone or self.address
        return None if known is None else known.subject

    @property
    def group_visit(self) -> bool:
        """More came than the five whom a group may send (信访条例 2005, §18)."""
        return self.came is not None and self.came > 5


class Complaint(Stream):
    """One complaint, report or petition."""

    TOPIC = "complaint"

    class Event(Stream.Event):
        """Base of a complaint's events."""

        def apply(self, aggregate: Complaint) -> None:
            """Never refuses."""
            aggregate.reception = _stepped(aggregate.reception, self)

    class Created(Event, Stream.Created):
        """A complaint came in and was registered under its official number; `due` is the end of its day (N20)."""

        TOPIC = "complaint.registered.v1"
        number: str
        place: str
        channel: ReceptionChannel
        first_officer: str
        """Id of the officer who was asked first (首问责任人)."""
        due: datetime
        particulars: Particulars
        evidence: tuple[Evidence, ...]
        late_because: str | None
        """Why it is entered long after it was received."""

    class ParticularsAmended(Event):
        """Its particulars are others than was recorded; `changed` names the fields."""

        TOPIC = "complaint.particulars-amended.v1"
        particulars: Particulars
        changed: tuple[str, ...]
        reason: str

    class ReturnedForCompletion(Event):
        """Something is missing; whoever complained was told what, and until when to bring it (补正)."""

        TOPIC = "complaint.returned-for-completion.v1"
        missing: tuple[MissingItem, ...]
        until: datetime
        told: Told
        note: Sealed | None

    class Completed(Event):
        """Whoever complained brought what was missing, or a part of it."""

        TOPIC = "complaint.completed.v1"
        brought: tuple[MissingItem, ...]
        particulars: Particulars
        evidence: tuple[Evidence, ...]

    class Classified(Event):
        """An officer verified what the complaint is; the latest classification counts."""

        TOPIC = "complaint.classified.v1"
        classification: ComplaintClass
        ground: str

    class Accepted(Event):
        """The complaint is handled in a case; one event a case."""

        TOPIC = "complaint.accepted.v1"
        case: str
        told: Told | None

    class Joined(Event):
        """An accepted complaint turned out to concern a further case."""

        TOPIC = "complaint.joined.v1"
        case: str
        ground: str

    class Refused(Event):
        """The office does not accept it: in writing, with ground, and told."""

        TOPIC = "complaint.refused.v1"
        ground: str
        document: str
        """Official number of the written refusal."""
        told: Told
        evidence: tuple[Evidence, ...]

    class Advised(Event):
        """Not wage arrears: whoever complained was told the right channel and remedy."""

        TOPIC = "complaint.advised.v1"
        channel: str
        remedy: str
        told: Told

    class DepartmentOrdered(Event):
        """Not wage arrears: the competent department was ordered to deal with it by law."""

        TOPIC = "complaint.department-ordered.v1"
        department: str
        document: str | None
        answer_due: datetime | None

    class DepartmentAnswered(Event):
        """A department answered."""

        TOPIC = "complaint.department-answered.v1"
        department: str
        document: str | None
        answer: Sealed | None
        evidence: tuple[Evidence, ...]

    class HandedToLocalGovernment(Event):
        """The local government of a place named a person who answers for it."""

        TOPIC = "complaint.handed-to-local-government.v1"
        to: str
        """Code of that place."""
        person: Sealed
        document: str | None

    class DuplicateHinted(Event):
        """A program takes another complaint for the same one; it decides nothing."""

        TOPIC = "complaint.duplicate-hinted.v1"
        other: str
        rule: DuplicateRule
        reason: str
        program: str

    class DuplicateSettled(Event):
        """An officer looked: another complaint is the same, or it is not."""

        TOPIC = "complaint.duplicate-settled.v1"
        other: str
        same: bool
        ground: str

    class Withdrawn(Event):
        """Whoever complained withdrew it, by a statement of their own. It settles no claim."""

        TOPIC = "complaint.withdrawn.v1"
        statement: Sealed | None
        evidence: tuple[Evidence, ...]

    class FirstOfficerHandedOver(Event):
        """Another officer answers for it from now on."""

        TOPIC = "complaint.first-officer-handed-over.v1"
        officer: str
        previous: str
        reason: str

    @event(Created)
    def __init__(
        self,
        id: str,
        number: str,
        place: str,
        channel: ReceptionChannel,
        first_officer: str,
        due: datetime,
        particulars: Particulars,
        provenance: Provenance,
        evidence: tuple[Evidence, ...] = (),
        late_because: str | None = None,
    ) -> None:
        self.number = number
        self.place = place
        self.channel = channel
        self.particulars = particulars
        self.reception = ReceptionState(
            complaint=id,
            place=place,
            received=provenance.received,
            due=due,
            first_officer=first_officer,
            officer=first_officer,
        )

    @property
    def jurisdiction(self) -> str:
        return self.place

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

    def complete(
        self,
        brought: tuple[MissingItem, ...],
        particulars: Particulars,
        provenance: Provenance,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records what was brought, and the particulars as they are with it."""
        self._completed(brought=brought, particulars=particulars, evidence=evidence, provenance=provenance)

    def record_answer(
        self,
        department: str,
        provenance: Provenance,
        document: str | None = None,
        answer: Sealed | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records what a department answered, whether or not it was asked."""
        self.trigger_event(
            Complaint.DepartmentAnswered,
            department=department,
            document=document,
            answer=answer,
            evidence=evidence,
            provenance=provenance,
        )

    def hint_duplicate(
        self, other: str, rule: DuplicateRule, reason: str, program: str, provenance: Provenance
    ) -> None:
        """Records a program's hint; nothing is recorded of itself, or when it was hinted or settled before."""
        state = self.reception
        if other not in (self.id, *state.hinted, *state.duplicates, *state.distinct):
            self.trigger_event(
                Complaint.DuplicateHinted,
                other=other,
                rule=rule,
                reason=reason,
                program=program,
                provenance=provenance,
            )

    # Acts

    def return_for_completion(
        self,
        missing: tuple[MissingItem, ...],
        until: datetime,
        told: Told,
        provenance: Provenance,
        note: Sealed | None = None,
    ) -> None:
        """Asks for what is missing. The day of N20 goes on: a returned complaint is classified all the same.

        Raises:
            RuleError: nothing is named as missing, no time is left to bring it, or the complaint is accepted or refused already.
        """
        if not missing:
            raise _not_complete("a return names what is missing", "return-names-what-is-missing")
        if until <= provenance.occurred:
            raise _not_complete("whoever complained needs time to bring what is missing", "time-to-complete")
        if self.reception.cases or self.reception.refused_at is not None:
            raise _not_complete(f"complaint {self.number} is accepted or refused already", "returned-before-decided")
        self.trigger_event(
            Complaint.ReturnedForCompletion, missing=missing, until=until, told=told, note=note, provenance=provenance
        )

    def classify(self, classification: ComplaintClass, ground: str, provenance: Provenance) -> None:
        """Says what the complaint is (N20); it may be classified anew, and is after a withdrawal too.

        Raises:
            RuleError: no ground; before it was received; it is classified so already; or it is accepted into a case, and would no
                longer be wage arrears (the case is then to end without arrears).
        """
        state = self.reception
        _refuse_blank(ground, "a classification", "N20")
        if provenance.occurred < state.received:
            raise RuleError(
                f"complaint {self.number} cannot be classified before it was received",
                rule="classified-after-received",
                clause="N20",
            )
        if classification is state.classification:
            raise RuleError(
                f"complaint {self.number} is classified as {classification} already",
                rule="classified-anew-differs",
                clause="N20",
            )
        if state.cases and classification is not ComplaintClass.WAGE_ARREARS:
            raise RuleError(
                f"complaint {self.number} is accepted into a case; where nothing is owed, the case ends without arrears",
                rule="accepted-is-arrears",
                clause="N21",
            )
        self.trigger_event(Complaint.Classified, classification=classification, ground=ground, provenance=provenance)

    def accept(self, case: str, provenance: Provenance, told: Told | None = None) -> None:
        """Accepts the complaint into a case; several are allowed, one call each. That the case is registered is the handler's to see.

        Raises:
            RuleError: it is not classified as wage arrears, or is in that case already.
        """
        if self.reception.classification is not ComplaintClass.WAGE_ARREARS:
            raise RuleError(
                f"complaint {self.number} is not classified as wage arrears", rule="arrears-are-accepted", clause="N21"
            )
        self._refuse_if_in(case)
        self.trigger_event(Complaint.Accepted, case=case, told=told, provenance=provenance)

    def join(self, case: str, ground: str, provenance: Provenance) -> None:
        """Joins an accepted complaint to a further case.

        Raises:
            RuleError: no ground; it is in no case yet, or in that one already.
        """
        _refuse_blank(ground, "joining a complaint to a case", "N21")
        if not self.reception.cases:
            raise RuleError(
                f"complaint {self.number} is in no case yet: it is accepted into its first one",
                rule="joined-after-accepted",
                clause="N21",
            )
        self._refuse_if_in(case)
        self.trigger_event(Complaint.Joined, case=case, ground=ground, provenance=provenance)

    def refuse(
        self, ground: str, document: str, told: Told, provenance: Provenance, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """Refuses to accept the complaint, in writing.

        Raises:
            RuleError: no ground, no document, or nobody was told how; it is unclassified, accepted or refused already.
        """
        _refuse_blank(ground, "a refusal", "N21")
        _refuse_blank(document, "a refusal in writing", "N21", what="the number of its document", rule="in-writing")
        _refuse_untold(told)
        self._refuse_unclassified()
        if self.reception.cases:
            raise RuleError(
                f"complaint {self.number} is accepted into a case already", rule="accepted-not-refused", clause="N21"
            )
        if self.reception.refused_at is not None:
            raise RuleError(f"complaint {self.number} is refused already", rule="refused-once", clause="N21")
        self.trigger_event(
            Complaint.Refused, ground=ground, document=document, told=told, evidence=evidence, provenance=provenance
        )

    def advise(self, channel: str, remedy: str, told: Told, provenance: Provenance) -> None:
        """Tells the right channel and remedy.

        Raises:
            RuleError: it is unclassified, or wage arrears; channel, remedy or how it was told is missing.
        """
        _refuse_blank(channel, "advice", "N21", what="the right channel", rule="channel-and-remedy")
        _refuse_blank(remedy, "advice", "N21", what="the remedy", rule="channel-and-remedy")
        _refuse_untold(told)
        self._refuse_arrears()
        self.trigger_event(Complaint.Advised, channel=channel, remedy=remedy, told=told, provenance=provenance)

    def order_department(
        self,
        department: str,
        provenance: Provenance,
        document: str | None = None,
        answer_due: datetime | None = None,
    ) -> None:
        """Orders the competent department to deal with it by law.

        Raises:
            RuleError: it is unclassified, or wage arrears; or no department is named.
        """
        _refuse_blank(department, "an order", "N21", what="its department", rule="department-named")
        self._refuse_arrears()
        self.trigger_event(
            Complaint.DepartmentOrdered,
            department=department,
            document=document,
            answer_due=answer_due,
            provenance=provenance,
        )

    def hand_to_local_government(
        self, to: str, person: Sealed, provenance: Provenance, document: str | None = None
    ) -> None:
        """Hands it to the local government of a place, which names a person.

        Raises:
            RuleError: it is unclassified, or wage arrears; or no place is named.
        """
        _refuse_blank(to, "handing on", "N21", what="the place", rule="place-named")
        self._refuse_arrears()
        self.trigger_event(
            Complaint.HandedToLocalGovernment, to=to, person=person, document=document, provenance=provenance
        )

    def settle_duplicate(self, other: str, ground: str, provenance: Provenance, *, same: bool) -> None:
        """Settles whether another complaint is the same, hinted or not; may be settled anew.

        Raises:
            RuleError: no ground; the other is this one; or it is settled so already.
        """
        _refuse_blank(ground, "settling a duplicate", "N20")
        if other == self.id:
            raise RuleError("a complaint is no duplicate of itself", rule="two-complaints", clause="N20")
        if other in (self.reception.duplicates if same else self.reception.distinct):
            raise RuleError(
                f"whether {other} is the same as complaint {self.number} is settled so already",
                rule="settled-anew-differs",
                clause="N20",
            )
        self.trigger_event(Complaint.DuplicateSettled, other=other, same=same, ground=ground, provenance=provenance)

    def withdraw(self, evidence: tuple[Evidence, ...], provenance: Provenance, statement: Sealed | None = None) -> None:
        """Withdraws it, on the complainant's own statement. Duties of N20 and N21 stay as they are.

        Raises:
            RuleError: the statement itself is not among the evidence, or it is withdrawn already.
        """
        clause = "definitions: case and complaint"
        if not evidence:
            raise RuleError(
                "a complaint is withdrawn by the worker's own statement, signed or recorded, which is to be attached",
                rule="withdrawn-by-own-statement",
                clause=clause,
            )
        if self.reception.withdrawn_at is not None:
            raise RuleError(f"complaint {self.number} is withdrawn already", rule="withdrawn-once", clause=clause)
        self.trigger_event(Complaint.Withdrawn, statement=statement, evidence=evidence, provenance=provenance)

    def hand_over(self, officer: str, reason: str, provenance: Provenance) -> None:
        """Another officer answers for it from now on.

        Raises:
            RuleError: no reason, or that officer answers for it already.
        """
        _refuse_blank(reason, "handing a complaint over", "N20", what="a reason")
        previous = self.reception.officer
        if officer == previous:
            raise RuleError(
                f"{officer} answers for complaint {self.number} already", rule="handed-to-another", clause="N20"
            )
        self.trigger_event(
            Complaint.FirstOfficerHandedOver,
            officer=officer,
            previous=previous,
            reason=reason,
            provenance=provenance,
        )

    def _refuse_if_in(self, case: str) -> None:
        if case in self.reception.cases:
            raise RuleError(f"complaint {self.number} is in case {case} already", rule="accepted-once", clause="N21")

    def _refuse_unclassified(self) -> None:
        if self.reception.classification is None:
            raise RuleError(
                f"complaint {self.number} is not classified yet", rule="classified-before-answered", clause="N20"
            )

    def _refuse_arrears(self) -> None:
        self._refuse_unclassified()
        if self.reception.classification is ComplaintClass.WAGE_ARREARS:
            raise RuleError(
                f"complaint {self.number} is wage arrears: it is handled in a case, or refused in writing",
                rule="arrears-are-handled",
                clause="N21",
            )

    # Applying: runs again on every replay, and never refuses

    @event(ParticularsAmended)
    def _particulars_amended(
        self, particulars: Particulars, changed: tuple[str, ...], reason: str, provenance: Provenance
    ) -> None:
        self.particulars = particulars

    @event(Completed)
    def _completed(
        self,
        brought: tuple[MissingItem, ...],
        particulars: Particulars,
        evidence: tuple[Evidence, ...],
        provenance: Provenance,
    ) -> None:
        self.particulars = particulars


def after(state: ReceptionState | None, event: StreamEvent) -> ReceptionState | None:
    """Where a complaint stands after an event. Pure and total: any subset of a history, in order, folds without an error."""
    if isinstance(event, Complaint.Created):
        return ReceptionState(
            complaint=event.originator_id,
            place=event.place,
            received=event.provenance.received,
            due=event.due,
            first_officer=event.first_officer,
            officer=event.first_officer,
        )
    return None if state is None else _stepped(state, event)


def _stepped(state: ReceptionState, event: StreamEvent) -> ReceptionState:
    """An event that it knows nothing of changes nothing."""
    step = _STEPS.get(type(event))
    return state if step is None else step(state, event)


_set = msgspec.structs.replace


def _classified(state: ReceptionState, event: Complaint.Classified) -> ReceptionState:
    if state.classified_at is not None:
        return _set(state, classification=event.classification)
    return _set(
        state,
        classification=event.classification,
        classified_at=event.provenance.occurred,
        classified_by=event.provenance.decidedby,
        classification_entered_at=event.timestamp,
    )


def _returned(state: ReceptionState, event: Complaint.ReturnedForCompletion) -> ReceptionState:
    return _set(
        state,
        returned_at=event.provenance.occurred,
        returned_until=event.until,
        missing=tuple(dict.fromkeys(event.missing)),
    )


def _brought(state: ReceptionState, event: Complaint.Completed) -> ReceptionState:
    missing = tuple(item for item in state.missing if item not in event.brought)
    return _set(state, missing=missing) if missing else _set(state, missing=(), returned_at=None, returned_until=None)


def _in_case(state: ReceptionState, event: Complaint.Accepted | Complaint.Joined) -> ReceptionState:
    return _set(state, cases=_with(state.cases, event.case))


def _refused(state: ReceptionState, event: Complaint.Refused) -> ReceptionState:
    return _set(state, refused_at=event.provenance.occurred)


def _advised(state: ReceptionState, event: Complaint.Advised) -> ReceptionState:
    return _set(state, advised_at=event.provenance.occurred)


def _ordered(state: ReceptionState, event: Complaint.DepartmentOrdered) -> ReceptionState:
    department = event.department
    return _set(state, departments=_with(state.departments, department), awaited=_with(state.awaited, department))


def _answered(state: ReceptionState, event: Complaint.DepartmentAnswered) -> ReceptionState:
    return _set(state, awaited=_without(state.awaited, event.department))


def _handed_on(state: ReceptionState, event: Complaint.HandedToLocalGovernment) -> ReceptionState:
    return _set(state, handed_to=event.to)


def _hinted(state: ReceptionState, event: Complaint.DuplicateHinted) -> ReceptionState:
    if event.other in (*state.duplicates, *state.distinct):
        return state
    return _set(state, hinted=_with(state.hinted, event.other))


def _settled(state: ReceptionState, event: Complaint.DuplicateSettled) -> ReceptionState:
    duplicates, distinct = _without(state.duplicates, event.other), _without(state.distinct, event.other)
    return _set(
        state,
        hinted=_without(state.hinted, event.other),
        duplicates=_with(duplicates, event.other) if event.same else duplicates,
        distinct=distinct if event.same else _with(distinct, event.other),
    )


def _withdrawn(state: ReceptionState, event: Complaint.Withdrawn) -> ReceptionState:
    return _set(state, withdrawn_at=event.provenance.occurred)


def _handed_over(state: ReceptionState, event: Complaint.FirstOfficerHandedOver) -> ReceptionState:
    return _set(state, officer=event.officer)


_STEPS: dict[type[StreamEvent], Callable[[ReceptionState, Any], ReceptionState]] = {
    Complaint.Classified: _classified,
    Complaint.ReturnedForCompletion: _returned,
    Complaint.Completed: _brought,
    Complaint.Accepted: _in_case,
    Complaint.Joined: _in_case,
    Complaint.Refused: _refused,
    Complaint.Advised: _advised,
    Complaint.DepartmentOrdered: _ordered,
    Complaint.DepartmentAnswered: _answered,
    Complaint.HandedToLocalGovernment: _handed_on,
    Complaint.DuplicateHinted: _hinted,
    Complaint.DuplicateSettled: _settled,
    Complaint.Withdrawn: _withdrawn,
    Complaint.FirstOfficerHandedOver: _handed_over,
}


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(each for each in names if each != name)


def _refuse_blank(text: str, act: str, clause: str, *, what: str = "its ground", rule: str = "ground-given") -> None:
    if not text.strip():
        raise RuleError(f"{act} bears {what}", rule=rule, clause=clause)


def _refuse_untold(told: Told) -> None:
    if not (told.on.strip() and told.how.strip()):
        raise RuleError("when and how the complainant was told is to be stated", rule="told-when-and-how", clause="N21")


def _not_complete(message: str, rule: str) -> RuleError:
    return RuleError(message, rule=rule, clause="25号令 §18")
