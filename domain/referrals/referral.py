"""A referral (移送/转办/升级) is a stream of its own that belongs to a case: sent, and then whatever comes back. It changes no balance.

Sending, and asking for another decision, are acts of the office and may be refused. What the police, a court, a department, another
place or a superior do with it are facts. What a referral to discipline inspection says may concern an open review of an official, so its
events are for the reviewers alone, and it has a partition key of its own: the county's history of the case does not even show a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import datetime
from typing import Any, cast

import msgspec
from eventsourcing.domain import event

from domain.errors import RuleError
from domain.money import Fen
from domain.referrals.standing import Milestones, ReferralStanding, ReferralState
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Shape, Stream, StreamEvent, Visibility
from domain.vocabulary import Conclusion, Evidence, Level, Milestone, PaperKind, ReferralKind

NEEDED_PAPERS = frozenset({PaperKind.TRANSFER_LETTER, PaperKind.INVESTIGATION_REPORT})
"""Without these the police are not asked to decide (order 310, art. 6)."""


class Paper(Shape, frozen=True, kw_only=True):
    """One paper of a package: what it is, and the file with its digest."""

    kind: PaperKind
    file: Evidence


class Referral(Stream):
    """One referral."""

    TOPIC = "referral"

    class Event(Stream.Event):
        """Base of a referral's events."""

        def apply(self, aggregate: Referral) -> None:
            """Never refuses."""
            aggregate.folded = after(aggregate.folded, self)

    class Created(Event, Stream.Created):
        """Something of a case was sent to somebody who decides it; `number` is our document's. The clause stands in the envelope."""

        TOPIC = "referral.sent.v1"
        case: str
        place: str
        number: str
        kind: ReferralKind
        to: str
        ground: Sealed
        claims: tuple[str, ...]
        """The claim lines concerned; empty: it does not concern single lines."""
        amount: Fen | None
        suspects: tuple[Sealed, ...]
        papers: tuple[Paper, ...]
        team: tuple[str, ...]
        """The officers who investigated."""
        reported: datetime | None
        """When the team's report reached the head of the agency."""
        approved: datetime | None
        """When the head approved; the 24 hours to move it run from here."""
        from_level: Level | None
        to_level: Level | None
        to_place: str | None
        """Code of the jurisdiction that it goes to."""

    class Acknowledged(Event):
        """Whoever it was sent to signed for it."""

        TOPIC = "referral.acknowledged.v1"
        receipt: str | None
        signer: Sealed | None
        evidence: tuple[Evidence, ...]

    class Accepted(Event):
        """It was taken on there, under their number (a referral to the police: a criminal case was filed, 立案)."""

        TOPIC = "referral.accepted.v1"
        number: str | None
        evidence: tuple[Evidence, ...]

    class Refused(Event):
        """It was not taken on there."""

        TOPIC = "referral.refused.v1"
        ground: Sealed | None
        document: str | None
        evidence: tuple[Evidence, ...]

    class ReconsiderationAsked(Event):
        """We asked that the refusal be decided again, or that the procurator supervise it (`of`: who was asked)."""

        TOPIC = "referral.reconsideration-asked.v1"
        of: str
        ground: Sealed
        document: str | None

    class Returned(Event):
        """It came back undecided: for completion, or because they are not competent."""

        TOPIC = "referral.returned.v1"
        ground: Sealed | None
        evidence: tuple[Evidence, ...]

    class Forwarded(Event):
        """They sent it on to whoever is competent."""

        TOPIC = "referral.forwarded.v1"
        to: str
        evidence: tuple[Evidence, ...]

    class MaterialHandedOver(Event):
        """Further things and papers followed."""

        TOPIC = "referral.material-handed-over.v1"
        papers: tuple[Paper, ...]

    class Progressed(Event):
        """They answered, or told how far it has come; `milestone`: a step of criminal procedure that was reached."""

        TOPIC = "referral.progressed.v1"
        milestone: Milestone | None
        note: Sealed | None
        document: str | None
        evidence: tuple[Evidence, ...]

    class SupervisionSet(Event):
        """Somebody of a level supervises how it is dealt with (分级督办, clauses N12, N28)."""

        TOPIC = "referral.supervision-set.v1"
        level: Level
        by: str
        document: str | None

    class Concluded(Event):
        """It ended where it had been sent."""

        TOPIC = "referral.concluded.v1"
        conclusion: Conclusion
        note: Sealed | None
        document: str | None
        evidence: tuple[Evidence, ...]

    @event(Created)
    def __init__(
        self,
        id: str,
        case: str,
        place: str,
        number: str,
        kind: ReferralKind,
        to: str,
        ground: Sealed,
        provenance: Provenance,
        claims: tuple[str, ...] = (),
        amount: Fen | None = None,
        suspects: tuple[Sealed, ...] = (),
        papers: tuple[Paper, ...] = (),
        team: tuple[str, ...] = (),
        reported: datetime | None = None,
        approved: datetime | None = None,
        from_level: Level | None = None,
        to_level: Level | None = None,
        to_place: str | None = None,
    ) -> None:
        self.case = case
        self.place = place
        self.number = number
        self.kind = kind
        self.folded: ReferralStanding | None = None

    @property
    def partitionkey(self) -> str:
        return self.id if self.kind is ReferralKind.DISCIPLINE else self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    @property
    def visibility(self) -> Visibility:
        return Visibility.REVIEW if self.kind is ReferralKind.DISCIPLINE else Visibility.CASE

    @property
    def standing(self) -> ReferralStanding:
        """What is known of it; there from its first event on."""
        return cast(ReferralStanding, self.folded)

    # Acts

    @classmethod
    def send(
        cls,
        *,
        id: str,
        case: str,
        place: str,
        number: str,
        kind: ReferralKind,
        to: str,
        ground: Sealed,
        lines: Set[str],
        provenance: Provenance,
        claims: tuple[str, ...] = (),
        amount: Fen | None = None,
        suspects: tuple[Sealed, ...] = (),
        papers: tuple[Paper, ...] = (),
        team: tuple[str, ...] = (),
        reported: datetime | None = None,
        approved: datetime | None = None,
        from_level: Level | None = None,
        to_level: Level | None = None,
        to_place: str | None = None,
    ) -> Referral:
        """Sends a referral. `lines`: ids of the case's claim lines. Amounts in fen.

        Raises:
            RuleError: no clause is cited, no addressee is named, a claim line is of another case; to the police: fewer than two
                investigators, the head has not approved, or papers or claim lines are missing; upwards or elsewhere: it is neither.
        """
        _refuse_unfounded(to, provenance)
        _refuse_foreign_lines(claims, lines)
        if kind is ReferralKind.POLICE:
            _refuse_incomplete_transfer(claims, papers, team, approved, provenance)
        if kind is ReferralKind.SUPERIOR:
            _refuse_unless_upwards(from_level, to_level)
        if kind is ReferralKind.ANOTHER_PLACE:
            _refuse_unless_elsewhere(place, to_place)
        return cls(
            id=id,
            case=case,
            place=place,
            number=number,
            kind=kind,
            to=to,
            ground=ground,
            claims=claims,
            amount=amount,
            suspects=suspects,
            papers=papers,
            team=team,
            reported=reported,
            approved=approved,
            from_level=from_level,
            to_level=to_level,
            to_place=to_place,
            provenance=provenance,
        )

    def ask_reconsideration(
        self, of: str, ground: Sealed, provenance: Provenance, *, document: str | None = None
    ) -> None:
        """Asks that a refusal be decided again, or supervised.

        Raises:
            RuleError: nobody has refused it.
        """
        if self.standing.state is not ReferralState.REFUSED:
            raise RuleError(
                f"referral {self.number} was not refused", rule="reconsider-refusal", clause="order 310, art. 9"
            )
        self.trigger_event(
            Referral.ReconsiderationAsked, of=of, ground=ground, document=document, provenance=provenance
        )

    # Facts

    def acknowledge(
        self,
        provenance: Provenance,
        *,
        receipt: str | None = None,
        signer: Sealed | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that it was signed for."""
        self.trigger_event(
            Referral.Acknowledged, receipt=receipt, signer=signer, evidence=evidence, provenance=provenance
        )

    def accept(self, provenance: Provenance, *, number: str | None = None, evidence: tuple[Evidence, ...] = ()) -> None:
        """Records that it was taken on."""
        self.trigger_event(Referral.Accepted, number=number, evidence=evidence, provenance=provenance)

    def refuse(
        self,
        provenance: Provenance,
        *,
        ground: Sealed | None = None,
        document: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that it was not taken on."""
        self.trigger_event(Referral.Refused, ground=ground, document=document, evidence=evidence, provenance=provenance)

    def send_back(
        self, provenance: Provenance, *, ground: Sealed | None = None, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """Records that it came back undecided."""
        self.trigger_event(Referral.Returned, ground=ground, evidence=evidence, provenance=provenance)

    def forward(self, to: str, provenance: Provenance, *, evidence: tuple[Evidence, ...] = ()) -> None:
        """Records that it was sent on."""
        self.trigger_event(Referral.Forwarded, to=to, evidence=evidence, provenance=provenance)

    def hand_over(self, papers: tuple[Paper, ...], provenance: Provenance) -> None:
        """Records that further things and papers followed."""
        self.trigger_event(Referral.MaterialHandedOver, papers=papers, provenance=provenance)

    def progress(
        self,
        provenance: Provenance,
        *,
        milestone: Milestone | None = None,
        note: Sealed | None = None,
        document: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records an answer, and the step of procedure that was reached."""
        self.trigger_event(
            Referral.Progressed,
            milestone=milestone,
            note=note,
            document=document,
            evidence=evidence,
            provenance=provenance,
        )

    def set_supervision(self, level: Level, by: str, provenance: Provenance, *, document: str | None = None) -> None:
        """Records who supervises it."""
        self.trigger_event(Referral.SupervisionSet, level=level, by=by, document=document, provenance=provenance)

    def conclude(
        self,
        conclusion: Conclusion,
        provenance: Provenance,
        *,
        note: Sealed | None = None,
        document: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records what it ended with."""
        self.trigger_event(
            Referral.Concluded,
            conclusion=conclusion,
            note=note,
            document=document,
            evidence=evidence,
            provenance=provenance,
        )


def after(standing: ReferralStanding | None, event: StreamEvent) -> ReferralStanding | None:
    """What is known of a referral after an event; one that it knows nothing of changes nothing. Pure, and total on any subset."""
    if isinstance(event, Referral.Created):
        return ReferralStanding(
            kind=event.kind,
            to=event.to,
            sent=event.provenance.occurred,
            claims=event.claims,
            amount=event.amount,
            reported=event.reported,
            approved=event.approved,
        )
    step = _STEPS.get(type(event))
    return standing if standing is None or step is None else step(standing, event)


def _answered(standing: ReferralStanding, event: StreamEvent, state: ReferralState, **fields: Any) -> ReferralStanding:
    """What the other side said last counts, until it is concluded."""
    return msgspec.structs.replace(
        standing,
        state=standing.state if standing.state is ReferralState.CONCLUDED else state,
        last_answer=_latest(standing.last_answer, event.provenance.received),
        **fields,
    )


def _latest(before: datetime | None, now: datetime) -> datetime:
    return now if before is None else max(before, now)


def _acknowledged(standing: ReferralStanding, event: Referral.Acknowledged) -> ReferralStanding:
    state = ReferralState.ACKNOWLEDGED if standing.state is ReferralState.SENT else standing.state
    return _answered(standing, event, state, acknowledged=event.provenance.occurred, receipt=event.receipt)


def _accepted(standing: ReferralStanding, event: Referral.Accepted) -> ReferralStanding:
    accepted = _answered(
        standing,
        event,
        ReferralState.ACCEPTED,
        accepted=event.provenance.occurred,
        accepted_received=event.provenance.received,
        their_number=event.number or standing.their_number,
    )
    if standing.kind is not ReferralKind.POLICE:
        return accepted
    return _with_milestone(accepted, Milestone.CASE_FILED, event.provenance.occurred)


def _refused(standing: ReferralStanding, event: Referral.Refused) -> ReferralStanding:
    return _answered(
        standing,
        event,
        ReferralState.REFUSED,
        refused=event.provenance.occurred,
        refused_received=event.provenance.received,
        reconsideration_asked=None,
    )


def _reconsideration_asked(standing: ReferralStanding, event: Referral.ReconsiderationAsked) -> ReferralStanding:
    return msgspec.structs.replace(standing, reconsideration_asked=event.provenance.occurred)


def _returned(standing: ReferralStanding, event: Referral.Returned) -> ReferralStanding:
    return _answered(standing, event, ReferralState.RETURNED, returned=event.provenance.occurred)


def _forwarded(standing: ReferralStanding, event: Referral.Forwarded) -> ReferralStanding:
    return _answered(standing, event, standing.state, forwarded=event.provenance.occurred, forwarded_to=event.to)


def _handed_over(standing: ReferralStanding, event: Referral.MaterialHandedOver) -> ReferralStanding:
    handed_over = standing.material_handed_over or event.provenance.occurred
    return msgspec.structs.replace(standing, material_handed_over=handed_over)


def _progressed(standing: ReferralStanding, event: Referral.Progressed) -> ReferralStanding:
    heard = _answered(standing, event, standing.state)
    if event.milestone is None:
        return heard
    return _with_milestone(heard, event.milestone, event.provenance.occurred)


def _with_milestone(standing: ReferralStanding, milestone: Milestone, at: datetime) -> ReferralStanding:
    """The last record of a step counts: it may correct an earlier one."""
    steps: Milestones = msgspec.structs.replace(standing.milestones, **{milestone.value.replace("-", "_"): at})
    return msgspec.structs.replace(standing, milestones=steps)


def _supervision_set(standing: ReferralStanding, event: Referral.SupervisionSet) -> ReferralStanding:
    return msgspec.structs.replace(standing, supervision=event.level)


def _concluded(standing: ReferralStanding, event: Referral.Concluded) -> ReferralStanding:
    return _answered(
        standing,
        event,
        ReferralState.CONCLUDED,
        concluded=event.provenance.occurred,
        conclusion=event.conclusion,
    )


_STEPS: dict[type[StreamEvent], Callable[[ReferralStanding, Any], ReferralStanding]] = {
    Referral.Acknowledged: _acknowledged,
    Referral.Accepted: _accepted,
    Referral.Refused: _refused,
    Referral.ReconsiderationAsked: _reconsideration_asked,
    Referral.Returned: _returned,
    Referral.Forwarded: _forwarded,
    Referral.MaterialHandedOver: _handed_over,
    Referral.Progressed: _progressed,
    Referral.SupervisionSet: _supervision_set,
    Referral.Concluded: _concluded,
}


def _refuse_unfounded(to: str, provenance: Provenance) -> None:
    if not to.strip():
        raise RuleError(
            "a referral says to whom it goes", rule="referral-has-addressee", clause="definitions: referral"
        )
    if not provenance.clause:
        raise RuleError(
            "a referral cites the clause that it rests on", rule="referral-cites-clause", clause="definitions: referral"
        )


def _refuse_foreign_lines(claims: tuple[str, ...], lines: Set[str]) -> None:
    foreign = [claim for claim in claims if claim not in lines]
    if foreign:
        raise RuleError(
            f"{len(foreign)} claim lines are not of this case: {foreign[0]}",
            rule="lines-of-the-case",
            clause="definitions: referral",
        )


def _refuse_incomplete_transfer(
    claims: tuple[str, ...],
    papers: tuple[Paper, ...],
    team: tuple[str, ...],
    approved: datetime | None,
    provenance: Provenance,
) -> None:
    if len(set(team)) < 2:
        raise RuleError("two officers investigate a suspected crime", rule="team-of-two", clause="order 310, art. 5")
    proposer, head = provenance.decidedby, provenance.approvedby
    if None in (proposer, head) or proposer == head or approved is None or approved > provenance.occurred:
        raise RuleError(
            "the head of the agency, not who proposes it, approves a transfer to the police before it is sent",
            rule="two-officers",
            clause="order 310, art. 5",
        )
    missing = sorted(NEEDED_PAPERS - {paper.kind for paper in papers})
    if missing:
        raise RuleError(
            f"the package lacks {' and '.join(missing)}", rule="package-complete", clause="order 310, art. 6"
        )
    if not claims:
        raise RuleError(
            "a transfer to the police names the claim lines that it is about", rule="transfer-names-lines", clause="N28"
        )


def _refuse_unless_upwards(from_level: Level | None, to_level: Level | None) -> None:
    if from_level is None or to_level is None or to_level.rank <= from_level.rank:
        raise RuleError("an escalation goes from a level to a higher one", rule="escalation-upwards", clause="N12")


def _refuse_unless_elsewhere(place: str, to_place: str | None) -> None:
    if not to_place or to_place == place:
        raise RuleError("a transfer goes to another place", rule="another-place", clause="definitions: case")
