"""A backstop (兜底) is a stream of its own that belongs to a case: requested, approved, paid, and what it paid is recovered (clause N23).

Requesting, approving, ending, opening a recovery and giving one up are acts and may be refused. That money was paid, went back, or was
recovered is a fact and is recorded, also beyond the limit: `standing.py` computes limit, shares and balance, and nobody sets them.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import datetime
from typing import Any, cast

import msgspec
from eventsourcing.domain import event

from domain.backstops.resorts import to_explain
from domain.backstops.shares import WHOLE, Holder, shares_are_whole
from domain.backstops.standing import BackstopStanding, BackstopState, Drawn, Recovery
from domain.errors import RuleError
from domain.money import Fen, yuan
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Shape, Stream, StreamEvent
from domain.vocabulary import Evidence, Funding, Resort


class PassedOver(Shape, frozen=True, kw_only=True):
    """A resort that comes first and was not asked, and why."""

    resort: Resort
    explanation: Sealed


class Backstop(Stream):
    """One backstop."""

    TOPIC = "backstop"

    class Event(Stream.Event):
        """Base of a backstop's events."""

        def apply(self, aggregate: Backstop) -> None:
            """Never refuses."""
            aggregate.folded = after(aggregate.folded, self)

    class Created(Event, Stream.Created):
        """An officer asks that somebody else pays what the debtor does not."""

        TOPIC = "backstop.requested.v1"
        case: str
        place: str
        number: str
        resort: Resort
        funding: Funding
        """The kind of project at that time, by which the order of resort was asked."""
        payer: str | None
        """The organisation that is asked: the bank, the fund, the treasury, the group."""
        amount: Fen
        ground: Sealed
        passed: tuple[PassedOver, ...]
        evidence: tuple[Evidence, ...]

    class Approved(Event):
        """A different officer approves, up to a limit and until a day."""

        TOPIC = "backstop.approved.v1"
        limit: Fen
        due: datetime
        document: str | None

    class Refused(Event):
        """A different officer refuses."""

        TOPIC = "backstop.refused.v1"
        ground: Sealed
        document: str | None

    class GroupSupervisionOpened(Event):
        """The parent group supervises, and its holders cover the sum by their shares (basis points that make 10,000)."""

        TOPIC = "backstop.group-supervision-opened.v1"
        group: str
        holders: tuple[Holder, ...]
        due: datetime | None
        document: str | None

    class Paid(Event):
        """A payment was made out of it. The payment's stream says to whom; said again of the same payment and holder, it replaces."""

        TOPIC = "backstop.paid.v1"
        payment: str
        amount: Fen
        holder: str | None

    class PaymentReturned(Event):
        """A part of such a payment went back."""

        TOPIC = "backstop.payment-returned.v1"
        payment: str
        amount: Fen
        holder: str | None

    class Ended(Event):
        """Nothing more is paid out of it; what was paid is still recovered."""

        TOPIC = "backstop.ended.v1"
        ground: Sealed

    class RecoveryOpened(Event):
        """Somebody is asked to give back what was paid, by a day."""

        TOPIC = "backstop.recovery-opened.v1"
        debtor: str
        amount: Fen
        due: datetime
        document: str | None

    class RecoveryReceived(Event):
        """Money came back."""

        TOPIC = "backstop.recovery-received.v1"
        amount: Fen
        debtor: str | None
        evidence: tuple[Evidence, ...]

    class RecoveryReversed(Event):
        """Money that had come back went away again, or never came."""

        TOPIC = "backstop.recovery-reversed.v1"
        amount: Fen
        ground: Sealed

    class GivingUpProposed(Event):
        """An officer proposes to give up a part of what has to come back."""

        TOPIC = "backstop.giving-up-proposed.v1"
        amount: Fen
        ground: Sealed
        evidence: tuple[Evidence, ...]

    class GivingUpRefused(Event):
        """A different officer refuses."""

        TOPIC = "backstop.giving-up-refused.v1"
        ground: Sealed

    class RecoveryGivenUp(Event):
        """A different officer approves: it need not come back."""

        TOPIC = "backstop.recovery-given-up.v1"
        amount: Fen

    @event(Created)
    def __init__(
        self,
        id: str,
        case: str,
        place: str,
        number: str,
        resort: Resort,
        funding: Funding,
        amount: Fen,
        ground: Sealed,
        provenance: Provenance,
        payer: str | None = None,
        passed: tuple[PassedOver, ...] = (),
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        self.case = case
        self.place = place
        self.number = number
        self.folded: BackstopStanding | None = None

    @property
    def partitionkey(self) -> str:
        return self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    @property
    def standing(self) -> BackstopStanding:
        """What is known of it; there from its first event on."""
        return cast(BackstopStanding, self.folded)

    # Acts

    @classmethod
    def request(
        cls,
        *,
        id: str,
        case: str,
        place: str,
        number: str,
        resort: Resort,
        funding: Funding,
        amount: Fen,
        ground: Sealed,
        asked: Set[Resort],
        provenance: Provenance,
        payer: str | None = None,
        passed: tuple[PassedOver, ...] = (),
        evidence: tuple[Evidence, ...] = (),
    ) -> Backstop:
        """Asks a resort to pay. `asked`: the resorts that were asked in the case before. Amounts in fen.

        Raises:
            RuleError: no officer is named, no sum is asked for, or a resort that comes first was neither asked nor explained (N23).
        """
        _refuse_nameless(provenance)
        if amount <= 0:
            raise RuleError("a backstop is asked for a sum", rule="sum-positive", clause="N23")
        explained = {each.resort for each in passed}
        unexplained = [each for each in to_explain(funding, resort, asked) if each not in explained]
        if unexplained:
            raise RuleError(
                f"these come first, and are asked or explained: {', '.join(unexplained)}",
                rule="resort-explained",
                clause="N23",
            )
        return cls(
            id=id,
            case=case,
            place=place,
            number=number,
            resort=resort,
            funding=funding,
            payer=payer,
            amount=amount,
            ground=ground,
            passed=passed,
            evidence=evidence,
            provenance=provenance,
        )

    def approve(self, limit: Fen, due: datetime, provenance: Provenance, *, document: str | None = None) -> None:
        """Approves the request up to a limit in fen and until a day.

        Raises:
            RuleError: it was decided already, the officer who asked would approve it, the limit is nothing or more than was asked, or
                the day has passed.
        """
        self._refuse_unless_undecided(provenance)
        if not 0 < limit <= self.standing.requested:
            raise RuleError(
                f"a limit is more than nothing and at most the {yuan(self.standing.requested)} yuan that were asked for",
                rule="limit-within-request",
                clause="N23",
            )
        _refuse_past(due, provenance)
        self.trigger_event(Backstop.Approved, limit=limit, due=due, document=document, provenance=provenance)

    def refuse(self, ground: Sealed, provenance: Provenance, *, document: str | None = None) -> None:
        """Refuses the request.

        Raises:
            RuleError: it was decided already, or the officer who asked would refuse it.
        """
        self._refuse_unless_undecided(provenance)
        self.trigger_event(Backstop.Refused, ground=ground, document=document, provenance=provenance)

    def open_group_supervision(
        self,
        group: str,
        holders: tuple[Holder, ...],
        provenance: Provenance,
        *,
        due: datetime | None = None,
        document: str | None = None,
    ) -> None:
        """Puts the parent group in charge; opened again, it replaces group and holders.

        Raises:
            RuleError: the resort is not a parent group, it has ended or was refused, the group has no name, or the shares are not whole.
        """
        if self.standing.resort is not Resort.PARENT_GROUP:
            raise RuleError("only a parent group covers by shares", rule="group-resort", clause="N23")
        self._refuse_unless_alive()
        if not group.strip():
            raise RuleError("the group that supervises is named", rule="group-named", clause="N23")
        if not shares_are_whole(holders):
            made = sum(holder.share for holder in holders)
            raise RuleError(
                f"a group has holders, each named once with a share; the shares make {made} basis points, not {WHOLE}",
                rule="shares-make-whole",
                clause="N23",
            )
        self.trigger_event(
            Backstop.GroupSupervisionOpened,
            group=group,
            holders=holders,
            due=due,
            document=document,
            provenance=provenance,
        )

    def end(self, ground: Sealed, provenance: Provenance) -> None:
        """Ends it: nothing more is paid.

        Raises:
            RuleError: it has ended already, or was refused.
        """
        self._refuse_unless_alive()
        self.trigger_event(Backstop.Ended, ground=ground, provenance=provenance)

    def open_recovery(
        self, debtor: str, amount: Fen, due: datetime, provenance: Provenance, *, document: str | None = None
    ) -> None:
        """Asks somebody to give back what was paid; `amount` in fen.

        Raises:
            RuleError: nobody is named, nothing is asked, more than was paid and not asked back yet, or the day has passed.
        """
        if not debtor.strip():
            raise RuleError("a recovery says from whom", rule="recovery-has-debtor", clause="N23")
        if not 0 < amount <= self.standing.unopened:
            raise RuleError(
                f"{yuan(self.standing.unopened)} yuan were paid and are not asked back yet",
                rule="recovery-within-paid",
                clause="N23",
            )
        _refuse_past(due, provenance)
        self.trigger_event(
            Backstop.RecoveryOpened, debtor=debtor, amount=amount, due=due, document=document, provenance=provenance
        )

    def propose_giving_up(
        self, amount: Fen, ground: Sealed, provenance: Provenance, *, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """Proposes to give up a part of the balance; a new proposal replaces one that nobody has decided.

        Raises:
            RuleError: no officer is named, the amount (fen) is nothing, or more than has to come back.
        """
        _refuse_nameless(provenance)
        self._refuse_beyond_balance(amount)
        self.trigger_event(
            Backstop.GivingUpProposed, amount=amount, ground=ground, evidence=evidence, provenance=provenance
        )

    def refuse_giving_up(self, ground: Sealed, provenance: Provenance) -> None:
        """Refuses what was proposed.

        Raises:
            RuleError: nothing is proposed, or the proposer would refuse it.
        """
        self._proposed_for(provenance)
        self.trigger_event(Backstop.GivingUpRefused, ground=ground, provenance=provenance)

    def give_up(self, provenance: Provenance) -> None:
        """Gives up what was proposed.

        Raises:
            RuleError: nothing is proposed, the proposer would approve it, or less has to come back by now.
        """
        amount = self._proposed_for(provenance)
        self._refuse_beyond_balance(amount)
        self.trigger_event(Backstop.RecoveryGivenUp, amount=amount, provenance=provenance)

    def _refuse_unless_undecided(self, provenance: Provenance) -> None:
        if self.standing.state is not BackstopState.REQUESTED:
            raise RuleError(f"backstop {self.number} was decided already", rule="decided-once", clause="N23")
        _refuse_the_same_officer(self.standing.requested_by, provenance)

    def _refuse_unless_alive(self) -> None:
        if self.standing.state in (BackstopState.ENDED, BackstopState.REFUSED):
            raise RuleError(f"backstop {self.number} was refused or has ended", rule="backstop-alive", clause="N23")

    def _refuse_beyond_balance(self, amount: Fen) -> None:
        if not 0 < amount <= self.standing.balance:
            raise RuleError(
                f"{yuan(self.standing.balance)} yuan have to come back; no more than that is given up",
                rule="give-up-within-balance",
                clause="N23",
            )

    def _proposed_for(self, provenance: Provenance) -> Fen:
        if self.standing.giving_up is None:
            raise RuleError(
                "nobody has proposed to give up a recovery", rule="two-officers", clause="definitions: backstop"
            )
        _refuse_the_same_officer(self.standing.giving_up_by, provenance)
        return self.standing.giving_up

    # Facts

    def pay(self, payment: str, amount: Fen, provenance: Provenance, *, holder: str | None = None) -> None:
        """Records that a payment was made out of it; `amount` in fen, `holder`: who of the group paid."""
        self.trigger_event(Backstop.Paid, payment=payment, amount=amount, holder=holder, provenance=provenance)

    def payment_returned(self, payment: str, amount: Fen, provenance: Provenance, *, holder: str | None = None) -> None:
        """Records that a part of such a payment went back; `amount` in fen."""
        self.trigger_event(
            Backstop.PaymentReturned, payment=payment, amount=amount, holder=holder, provenance=provenance
        )

    def receive_recovery(
        self,
        amount: Fen,
        provenance: Provenance,
        *,
        debtor: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Records that money came back; `amount` in fen."""
        self.trigger_event(
            Backstop.RecoveryReceived, amount=amount, debtor=debtor, evidence=evidence, provenance=provenance
        )

    def reverse_recovery(self, amount: Fen, ground: Sealed, provenance: Provenance) -> None:
        """Records that money which had come back went away again; `amount` in fen."""
        self.trigger_event(Backstop.RecoveryReversed, amount=amount, ground=ground, provenance=provenance)


def after(standing: BackstopStanding | None, event: StreamEvent) -> BackstopStanding | None:
    """What is known of a backstop after an event; one that it knows nothing of changes nothing. Pure, and total on any subset."""
    if isinstance(event, Backstop.Created):
        return BackstopStanding(resort=event.resort, requested=event.amount, requested_by=event.provenance.decidedby)
    step = _STEPS.get(type(event))
    return standing if standing is None or step is None else step(standing, event)


def _approved(standing: BackstopStanding, event: Backstop.Approved) -> BackstopStanding:
    return msgspec.structs.replace(standing, limit=event.limit, due=event.due)


def _refused(standing: BackstopStanding, _: Backstop.Refused) -> BackstopStanding:
    return msgspec.structs.replace(standing, refused=True)


def _group_supervision_opened(standing: BackstopStanding, event: Backstop.GroupSupervisionOpened) -> BackstopStanding:
    return msgspec.structs.replace(standing, group=event.group, holders=event.holders)


def _paid(standing: BackstopStanding, event: Backstop.Paid) -> BackstopStanding:
    """The same payment of the same holder counts once, with the amount said last."""
    return _with_draw(
        standing, event.payment, event.holder, lambda draw: msgspec.structs.replace(draw, amount=event.amount)
    )


def _payment_returned(standing: BackstopStanding, event: Backstop.PaymentReturned) -> BackstopStanding:
    """Also told before the payment itself: the order in which the office learns of the two makes no difference."""
    return _with_draw(
        standing,
        event.payment,
        event.holder,
        lambda draw: msgspec.structs.replace(draw, returned=draw.returned + event.amount),
    )


def _with_draw(
    standing: BackstopStanding, payment: str, holder: str | None, change: Callable[[Drawn], Drawn]
) -> BackstopStanding:
    draws = {(draw.payment, draw.holder): draw for draw in standing.draws}
    known = draws.get((payment, holder), Drawn(payment=payment, holder=holder, amount=0))
    draws[payment, holder] = change(known)
    return msgspec.structs.replace(standing, draws=tuple(draws.values()))


def _ended(standing: BackstopStanding, _: Backstop.Ended) -> BackstopStanding:
    return msgspec.structs.replace(standing, ended=True)


def _recovery_opened(standing: BackstopStanding, event: Backstop.RecoveryOpened) -> BackstopStanding:
    recovery = Recovery(debtor=event.debtor, amount=event.amount, due=event.due)
    return msgspec.structs.replace(standing, recoveries=(*standing.recoveries, recovery))


def _received(standing: BackstopStanding, event: Backstop.RecoveryReceived) -> BackstopStanding:
    return msgspec.structs.replace(standing, received=standing.received + event.amount)


def _reversed(standing: BackstopStanding, event: Backstop.RecoveryReversed) -> BackstopStanding:
    return msgspec.structs.replace(standing, received=standing.received - event.amount)


def _giving_up_proposed(standing: BackstopStanding, event: Backstop.GivingUpProposed) -> BackstopStanding:
    return msgspec.structs.replace(standing, giving_up=event.amount, giving_up_by=event.provenance.decidedby)


def _giving_up_refused(standing: BackstopStanding, _: Backstop.GivingUpRefused) -> BackstopStanding:
    return msgspec.structs.replace(standing, giving_up=None, giving_up_by=None)


def _given_up(standing: BackstopStanding, event: Backstop.RecoveryGivenUp) -> BackstopStanding:
    return msgspec.structs.replace(
        standing, given_up=standing.given_up + event.amount, giving_up=None, giving_up_by=None
    )


_STEPS: dict[type[StreamEvent], Callable[[BackstopStanding, Any], BackstopStanding]] = {
    Backstop.Approved: _approved,
    Backstop.Refused: _refused,
    Backstop.GroupSupervisionOpened: _group_supervision_opened,
    Backstop.Paid: _paid,
    Backstop.PaymentReturned: _payment_returned,
    Backstop.Ended: _ended,
    Backstop.RecoveryOpened: _recovery_opened,
    Backstop.RecoveryReceived: _received,
    Backstop.RecoveryReversed: _reversed,
    Backstop.GivingUpProposed: _giving_up_proposed,
    Backstop.GivingUpRefused: _giving_up_refused,
    Backstop.RecoveryGivenUp: _given_up,
}


def _refuse_nameless(provenance: Provenance) -> None:
    if provenance.decidedby is None:
        raise RuleError(
            "an officer proposes this, so that another one can decide it",
            rule="two-officers",
            clause="definitions: backstop",
        )


def _refuse_the_same_officer(first: str | None, provenance: Provenance) -> None:
    if provenance.decidedby is None or provenance.decidedby == first:
        raise RuleError("a second, different officer decides this", rule="two-officers", clause="definitions: backstop")


def _refuse_past(due: datetime, provenance: Provenance) -> None:
    if due <= provenance.occurred:
        raise RuleError("a due day lies ahead", rule="due-ahead", clause="N23")
