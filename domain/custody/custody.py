"""Money to a foreman, an agent or a custody account: it discharges nothing until passing it on is proved per worker.

What proves it is the worker's authorisation, the handing over against a signature, and the list brought back (definitions.md, *payment*).
Passing on is a payment of its own, recorded in the same commit; its lines are documented only where all three are there, else only stated.
Whichever of the three comes last raises them.
"""

from __future__ import annotations

from typing import NamedTuple

from eventsourcing.domain import event

from domain.errors import RuleError
from domain.money import Fen
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Stream
from domain.vocabulary import Evidence, HolderKind, MoneySource, Purpose

CUSTODY = "definitions: payment"


class Passing(NamedTuple):
    """One passing on: whether the handing over was signed for (there is a file), and the list that came back."""

    signed: bool
    list_back: tuple[Evidence, ...] = ()

    @property
    def proved(self) -> bool:
        """Signed for, and the list is back; what is still needed is the worker's own authorisation."""
        return self.signed and bool(self.list_back)


class Custody(Stream):
    """One sum that somebody holds for workers of a case."""

    TOPIC = "custody"

    class Event(Stream.Event):
        """Base of a custody's events."""

    class Created(Event, Stream.Created):
        """Somebody took money for workers; `occurred` is when. It discharges nothing."""

        TOPIC = "custody.opened.v1"
        case: str
        place: str
        number: str
        """Official number, or that of the voucher."""
        holder_kind: HolderKind
        holder: Sealed | None
        """A foreman's or an agent's name."""
        account: str | None
        """The organisation that keeps a custody account."""
        payer: str | None
        source: MoneySource
        purpose: Purpose
        amount: Fen
        evidence: tuple[Evidence, ...]

    class Authorised(Event):
        """Workers authorised the holder to take their money."""

        TOPIC = "custody.authorised.v1"
        claims: tuple[str, ...]
        evidence: tuple[Evidence, ...]

    class PassedOn(Event):
        """Money was passed on to workers; the payment says to whom."""

        TOPIC = "custody.passed-on.v1"
        payment: str
        amount: Fen
        evidence: tuple[Evidence, ...]

    class ListBroughtBack(Event):
        """The list that the workers signed came back to the office."""

        TOPIC = "custody.list-brought-back.v1"
        payment: str | None
        """Of which passing on; absent: of all."""
        evidence: tuple[Evidence, ...]

    class Returned(Event):
        """Money went back to who paid it, or elsewhere."""

        TOPIC = "custody.returned.v1"
        amount: Fen
        to: str
        reason: str

    @event(Created)
    def __init__(
        self,
        id: str,
        case: str,
        place: str,
        number: str,
        holder_kind: HolderKind,
        source: MoneySource,
        purpose: Purpose,
        amount: Fen,
        provenance: Provenance,
        holder: Sealed | None = None,
        account: str | None = None,
        payer: str | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        self.case = case
        self.place = place
        self.number = number
        self.holder_kind = holder_kind
        self.payer = payer
        self.source = source
        self.purpose = purpose
        self.amount = amount
        self.passed_on: Fen = 0
        self.returned: Fen = 0
        self.authorised: frozenset[str] = frozenset()
        self.passings: dict[str, Passing] = {}

    @property
    def partitionkey(self) -> str:
        return self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    @property
    def held(self) -> Fen:
        """What is left with the holder."""
        return max(0, self.amount - self.passed_on - self.returned)

    @property
    def overdrawn(self) -> Fen:
        """What was passed on or returned beyond what was taken; a figure of its own."""
        return max(0, self.passed_on + self.returned - self.amount)

    # Facts

    def authorise(self, claims: tuple[str, ...], evidence: tuple[Evidence, ...], provenance: Provenance) -> None:
        """Records workers' authorisations. Without the papers they are recorded, and prove nothing.

        Raises:
            RuleError: no line is named.
        """
        if not claims:
            raise RuleError("an authorisation names its workers' lines", rule="lines-named", clause=CUSTODY)
        self._authorised(claims=claims, evidence=evidence, provenance=provenance)

    def pass_on(self, payment: str, amount: Fen, provenance: Provenance, evidence: tuple[Evidence, ...] = ()) -> None:
        """Records that money was passed on; more than is held is recorded all the same, and shows."""
        self._passed_on(payment=payment, amount=amount, evidence=evidence, provenance=provenance)

    def bring_list_back(
        self, evidence: tuple[Evidence, ...], provenance: Provenance, payment: str | None = None
    ) -> None:
        """Records that the signed list came back.

        Raises:
            RuleError: the list itself is not attached; or it is said to be of a payment that was not passed on from here.
        """
        if not evidence:
            raise RuleError("the list itself is to be attached", rule="list-attached", clause=CUSTODY)
        if payment is not None and payment not in self.passings:
            raise RuleError(
                f"payment {payment} was not passed on from custody {self.number}", rule="passed-on", clause=CUSTODY
            )
        self._list_brought_back(payment=payment, evidence=evidence, provenance=provenance)

    def give_back(self, amount: Fen, to: str, reason: str, provenance: Provenance) -> None:
        """Records that money went back."""
        self._returned(amount=amount, to=to, reason=reason, provenance=provenance)

    # Applying: runs again on every replay, and never refuses

    @event(Authorised)
    def _authorised(self, claims: tuple[str, ...], evidence: tuple[Evidence, ...], provenance: Provenance) -> None:
        if evidence:
            self.authorised = self.authorised | set(claims)

    @event(PassedOn)
    def _passed_on(self, payment: str, amount: Fen, evidence: tuple[Evidence, ...], provenance: Provenance) -> None:
        self.passed_on += amount
        self.passings[payment] = Passing(bool(evidence))

    @event(ListBroughtBack)
    def _list_brought_back(self, payment: str | None, evidence: tuple[Evidence, ...], provenance: Provenance) -> None:
        for each in [payment] if payment in self.passings else self.passings if payment is None else ():
            self.passings[each] = self.passings[each]._replace(list_back=evidence)

    @event(Returned)
    def _returned(self, amount: Fen, to: str, reason: str, provenance: Provenance) -> None:
        self.returned += amount
