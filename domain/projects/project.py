"""The project (工程项目) as a stream: who builds what for whom, with whose money, and by which safeguards.

Facts (who came and left, what was paid in, which safeguard was seen) are recorded as they come. Refused are only what would make the
project's own register false: a party under one that is not there or under itself, shares that are no whole. How the project stands
is folded by `follow`; what can be said of it as of a day is in `standing.py`.

Days are fields, not moments: a permit, a guarantee and a notice board are valid on days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
from eventsourcing.domain import event

from domain.backstops.shares import WHOLE, Holder, shares_are_whole
from domain.errors import RuleError
from domain.money import Fen
from domain.projects.particulars import (
    Contact,
    Deposit,
    PartyRole,
    ProjectParticulars,
    ProjectState,
    Safeguard,
    Shareholder,
    WageAccount,
)
from domain.projects.standing import Party, Showing, Standing, StateSince, would_circle
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Stream, StreamEvent
from domain.vocabulary import Evidence


class Project(Stream):
    """One construction project."""

    TOPIC = "project"

    class Event(Stream.Event):
        """Base of a project's events."""

        def apply(self, aggregate: Project) -> None:
            """Never refuses."""
            standing = follow(aggregate.standing, self)
            if standing is not None:
                aggregate.standing = standing

    class Created(Event, Stream.Created):
        """A project was entered in the register under its number (clause N39)."""

        TOPIC = "project.registered.v1"
        number: str
        particulars: ProjectParticulars

    class Amended(Event):
        """Its particulars are others than was recorded; `changed` names the fields."""

        TOPIC = "project.amended.v1"
        particulars: ProjectParticulars
        changed: tuple[str, ...]
        reason: Sealed

    class PartyEntered(Event):
        """A party took part from `since` on, under the party that it contracts with; `party` is its number in the project."""

        TOPIC = "project.party-entered.v1"
        party: int
        role: PartyRole
        since: date
        under: int | None
        organisation: str | None
        code: str | None
        contract: str | None
        people: tuple[Contact, ...]
        evidence: tuple[Evidence, ...]

    class PartyPlaced(Event):
        """A party contracts with another than was recorded, or with nobody that is known."""

        TOPIC = "project.party-placed.v1"
        party: int
        under: int | None
        reason: Sealed

    class PartyLeft(Event):
        """A party has left; `until` is its last day."""

        TOPIC = "project.party-left.v1"
        party: int
        until: date
        reason: Sealed | None

    class SharesHeld(Event):
        """Who holds the project, in basis points that make a whole (clause N23); replaces what was recorded before."""

        TOPIC = "project.shares-held.v1"
        shareholders: tuple[Shareholder, ...]
        evidence: tuple[Evidence, ...]

    class FundsArranged(Event):
        """Money was set aside for the project, by a document (clause N40)."""

        TOPIC = "project.funds-arranged.v1"
        amount: Fen
        source: str
        document: str | None
        evidence: tuple[Evidence, ...]

    class FundsDisbursed(Event):
        """Money was paid out for the project: to a party, and how much of it for wages (clause N40)."""

        TOPIC = "project.funds-disbursed.v1"
        amount: Fen
        wages: Fen | None
        party: int | None
        voucher: str | None
        evidence: tuple[Evidence, ...]

    class StateEntered(Event):
        """The building came into a state on the day `since`."""

        TOPIC = "project.state-entered.v1"
        state: ProjectState
        since: date
        reason: Sealed | None

    class EnteredRealNamePlatform(Event):
        """The project stands in the real-name platform since that day (clause N02)."""

        TOPIC = "project.entered-real-name-platform.v1"
        since: date
        platform: str | None
        platform_number: str | None
        evidence: tuple[Evidence, ...]

    class SafeguardEvidenced(Event):
        """A safeguard was shown for a span of days (clause N33); `showing` is its number in the project."""

        TOPIC = "project.safeguard-evidenced.v1"
        showing: int
        safeguard: Safeguard
        valid_from: date
        valid_to: date | None
        deposit: Deposit | None
        account: WageAccount | None
        evidence: tuple[Evidence, ...]

    class SafeguardRefuted(Event):
        """What was shown of a safeguard does not hold since a day; `showings` are those that it takes away, none if there were none."""

        TOPIC = "project.safeguard-refuted.v1"
        safeguard: Safeguard
        showings: tuple[int, ...]
        since: date
        ground: Sealed
        evidence: tuple[Evidence, ...]

    @event(Created)
    def __init__(self, id: str, number: str, particulars: ProjectParticulars, provenance: Provenance) -> None:
        self.standing = Standing(number=number, particulars=particulars)

    @property
    def jurisdiction(self) -> str:
        return self.standing.particulars.jurisdiction

    # Facts

    def amend(self, particulars: ProjectParticulars, reason: Sealed, provenance: Provenance) -> None:
        """Records other particulars; where nothing differs, nothing is recorded."""
        changed = tuple(
            name
            for name in ProjectParticulars.__struct_fields__
            if getattr(particulars, name) != getattr(self.standing.particulars, name)
        )
        if changed:
            self.trigger_event(
                Project.Amended, particulars=particulars, changed=changed, reason=reason, provenance=provenance
            )

    def leave(self, party: int, until: date, provenance: Provenance, reason: Sealed | None = None) -> None:
        """Records that a party has left.

        Raises:
            RuleError: the project has no such party.
        """
        self._refuse_unknown(party)
        self.trigger_event(Project.PartyLeft, party=party, until=until, reason=reason, provenance=provenance)

    def arrange_funds(
        self,
        amount: Fen,
        source: str,
        provenance: Provenance,
        document: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that money was set aside; a negative amount takes back what was recorded too much."""
        self.trigger_event(
            Project.FundsArranged,
            amount=amount,
            source=source,
            document=document,
            evidence=evidence,
            provenance=provenance,
        )

    def disburse_funds(
        self,
        amount: Fen,
        provenance: Provenance,
        wages: Fen | None = None,
        party: int | None = None,
        voucher: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that money was paid out; a negative amount takes back what was recorded too much.

        Raises:
            RuleError: the project has no such party.
        """
        if party is not None:
            self._refuse_unknown(party)
        self.trigger_event(
            Project.FundsDisbursed,
            amount=amount,
            wages=wages,
            party=party,
            voucher=voucher,
            evidence=evidence,
            provenance=provenance,
        )

    def enter_state(
        self, state: ProjectState, since: date, provenance: Provenance, reason: Sealed | None = None
    ) -> None:
        """Records that the building came into a state on a day, which may lie before what is known already."""
        self.trigger_event(Project.StateEntered, state=state, since=since, reason=reason, provenance=provenance)

    def enter_real_name_platform(
        self,
        since: date,
        provenance: Provenance,
        platform: str | None = None,
        platform_number: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records since when the project stands in the real-name platform."""
        self.trigger_event(
            Project.EnteredRealNamePlatform,
            since=since,
            platform=platform,
            platform_number=platform_number,
            evidence=evidence,
            provenance=provenance,
        )

    def evidence_safeguard(
        self,
        safeguard: Safeguard,
        valid_from: date,
        provenance: Provenance,
        valid_to: date | None = None,
        deposit: Deposit | None = None,
        account: WageAccount | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> int:
        """Records that a safeguard was shown; returns the number of the showing."""
        showing = max(self.standing.showings, default=0) + 1
        self.trigger_event(
            Project.SafeguardEvidenced,
            showing=showing,
            safeguard=safeguard,
            valid_from=valid_from,
            valid_to=valid_to,
            deposit=deposit,
            account=account,
            evidence=evidence,
            provenance=provenance,
        )
        return showing

    def refute_safeguard(
        self,
        safeguard: Safeguard,
        since: date,
        ground: Sealed,
        provenance: Provenance,
        showings: tuple[int, ...] | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that a safeguard does not hold since a day. `showings` None: whatever has been shown of it so far.

        Raises:
            RuleError: one of the showings is not there, or is of another safeguard.
        """
        shown = {each.number for each in self.standing.showings.values() if each.safeguard is safeguard}
        if strangers := sorted(set(showings or ()) - shown):
            raise RuleError(
                f"project {self.standing.number} has no showing {strangers[0]} of {safeguard.value}",
                rule="showing-known",
                clause="N33",
            )
        self.trigger_event(
            Project.SafeguardRefuted,
            safeguard=safeguard,
            showings=tuple(sorted(shown if showings is None else set(showings))),
            since=since,
            ground=ground,
            evidence=evidence,
            provenance=provenance,
        )

    # Acts

    def enter_party(
        self,
        role: PartyRole,
        since: date,
        provenance: Provenance,
        under: int | None = None,
        organisation: str | None = None,
        code: str | None = None,
        contract: str | None = None,
        people: tuple[Contact, ...] = (),
        evidence: tuple[Evidence, ...] = (),
    ) -> int:
        """Enters a party in the register of the project; returns its number.

        Raises:
            RuleError: it would lie under a party that is not there, or nothing says who it is.
        """
        if organisation is None and not people:
            raise RuleError("a party is an organisation or somebody by name", rule="party-is-somebody", clause="N39")
        if under is not None:
            self._refuse_unknown(under)
        party = max(self.standing.parties, default=0) + 1
        self.trigger_event(
            Project.PartyEntered,
            party=party,
            role=role,
            since=since,
            under=under,
            organisation=organisation,
            code=code,
            contract=contract,
            people=people,
            evidence=evidence,
            provenance=provenance,
        )
        return party

    def place_party(self, party: int, under: int | None, reason: Sealed, provenance: Provenance) -> None:
        """Puts right with whom a party contracts; None: with nobody that is known.

        Raises:
            RuleError: one of the two is not there, or the party would come to lie under itself.
        """
        self._refuse_unknown(party)
        if under is not None:
            self._refuse_unknown(under)
            if would_circle(self.standing, party, under):
                raise RuleError(
                    f"party {party} of project {self.standing.number} would contract with itself",
                    rule="chain-is-a-tree",
                    clause="N29",
                )
        self.trigger_event(Project.PartyPlaced, party=party, under=under, reason=reason, provenance=provenance)

    def hold_shares(
        self, shareholders: tuple[Shareholder, ...], provenance: Provenance, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """Records who holds the project, all holders at once.

        Raises:
            RuleError: the shares do not make a whole, one is not positive, or a holder is not named, or twice.
        """
        held = tuple(Holder(name=each.holder, share=each.basis_points) for each in shareholders)
        if not shares_are_whole(held):
            made = sum(each.share for each in held)
            raise RuleError(
                f"a project has holders, each named once with a share; the shares make {made} basis points, not {WHOLE}",
                rule="shares-make-whole",
                clause="N23",
            )
        self.trigger_event(Project.SharesHeld, shareholders=shareholders, evidence=evidence, provenance=provenance)

    def _refuse_unknown(self, party: int) -> None:
        if party not in self.standing.parties:
            raise RuleError(f"project {self.standing.number} has no party {party}", rule="party-known", clause="N39")


def follow(standing: Standing | None, event: StreamEvent) -> Standing | None:
    """How the project stands after an event; one that is no project's changes nothing. Pure and total."""
    if isinstance(event, Project.Created):
        return Standing(number=event.number, particulars=event.particulars)
    step = _STEPS.get(type(event))
    return standing if standing is None or step is None else step(standing, event)


def _amended(standing: Standing, event: Project.Amended) -> Standing:
    return msgspec.structs.replace(standing, particulars=event.particulars)


def _party_entered(standing: Standing, event: Project.PartyEntered) -> Standing:
    party = Party(
        number=event.party,
        role=event.role,
        since=event.since,
        under=event.under,
        organisation=event.organisation,
        code=event.code,
        contract=event.contract,
        people=event.people,
    )
    return msgspec.structs.replace(standing, parties={**standing.parties, event.party: party})


def _party_placed(standing: Standing, event: Project.PartyPlaced) -> Standing:
    return _with_party(standing, event.party, under=event.under)


def _party_left(standing: Standing, event: Project.PartyLeft) -> Standing:
    return _with_party(standing, event.party, until=event.until)


def _with_party(standing: Standing, number: int, **changes: date | int | None) -> Standing:
    party = standing.parties.get(number)
    if party is None:
        return standing
    changed = msgspec.structs.replace(party, **changes)
    return msgspec.structs.replace(standing, parties={**standing.parties, number: changed})


def _shares_held(standing: Standing, event: Project.SharesHeld) -> Standing:
    return msgspec.structs.replace(standing, shareholders=event.shareholders)


def _funds_arranged(standing: Standing, event: Project.FundsArranged) -> Standing:
    return msgspec.structs.replace(standing, arranged=standing.arranged + event.amount)


def _funds_disbursed(standing: Standing, event: Project.FundsDisbursed) -> Standing:
    return msgspec.structs.replace(
        standing,
        disbursed=standing.disbursed + event.amount,
        disbursed_wages=standing.disbursed_wages + (event.wages or 0),
    )


def _state_entered(standing: Standing, event: Project.StateEntered) -> Standing:
    return msgspec.structs.replace(standing, states=(*standing.states, StateSince(event.since, event.state)))


def _entered_platform(standing: Standing, event: Project.EnteredRealNamePlatform) -> Standing:
    return msgspec.structs.replace(standing, platform_since=min(standing.platform_since or event.since, event.since))


def _evidenced(standing: Standing, event: Project.SafeguardEvidenced) -> Standing:
    showing = Showing(
        number=event.showing,
        safeguard=event.safeguard,
        valid_from=event.valid_from,
        valid_to=event.valid_to,
        deposit=event.deposit,
        account=event.account,
    )
    return msgspec.structs.replace(standing, showings={**standing.showings, event.showing: showing})


def _refuted(standing: Standing, event: Project.SafeguardRefuted) -> Standing:
    """Refuted twice, a showing does not hold since the earlier of the two days."""
    changed = {
        number: msgspec.structs.replace(shown, refuted_since=min(shown.refuted_since or event.since, event.since))
        for number in event.showings
        if (shown := standing.showings.get(number)) is not None
    }
    return msgspec.structs.replace(standing, showings={**standing.showings, **changed})


_STEPS: dict[type[StreamEvent], Callable[[Standing, Any], Standing]] = {
    Project.Amended: _amended,
    Project.PartyEntered: _party_entered,
    Project.PartyPlaced: _party_placed,
    Project.PartyLeft: _party_left,
    Project.SharesHeld: _shares_held,
    Project.FundsArranged: _funds_arranged,
    Project.FundsDisbursed: _funds_disbursed,
    Project.StateEntered: _state_entered,
    Project.EnteredRealNamePlatform: _entered_platform,
    Project.SafeguardEvidenced: _evidenced,
    Project.SafeguardRefuted: _refuted,
}
