"""Histories of one case for property tests: random facts and acts through the aggregates, numbered as a log would number them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from domain.cases.case import Case, HandedDown, Particulars, SourceState, proceed
from domain.cases.standing import EMPTY, NOT_BEGUN, Procedure, Standing, plus
from domain.catalogue import EVENT_TYPES
from domain.claims.balance import Balance, after, line_of
from domain.claims.claim import Claim, Figures
from domain.entries import Recorded, draft
from domain.errors import Refused
from domain.payments.moving import credited_to, reallocate
from domain.payments.payment import Payment
from domain.recording import filled
from domain.sealing.personal import Sealed
from domain.streams import Basis, Context, Provenance, Stream, StreamEvent
from domain.vocabulary import (
    Answer,
    CaseClass,
    ClaimKind,
    Evidence,
    FollowUpMethod,
    Funding,
    MoneySource,
    Outcome,
    Purpose,
    StatedMeaning,
    Told,
)

START = datetime(2019, 11, 15, 9, 0, tzinfo=UTC)
OFFICERS = ("officer-a", "officer-b", "officer-c")
SOURCE = "urn:qingling:test"
MOST_LINES = 8
"""From so many lines on none is split: histories stay short."""


class History:
    """Plays acts and facts on one case and keeps what was recorded. Refused acts leave nothing."""

    def __init__(self, case: str = "case-1", jurisdiction: str = "140321", received: datetime = START) -> None:
        self.recorded: list[Recorded[StreamEvent]] = []
        self.refused: list[Refused] = []
        self._clock = received
        self._balances: dict[str, Balance] = {}
        self._standing: Standing = EMPTY
        self.claims: list[Claim] = []
        self.payments: list[Payment] = []
        self.case = Case(
            id=case,
            number=f"N-{case}",
            book="test",
            particulars=Particulars(
                jurisdiction=jurisdiction,
                received=received,
                funding=Funding.GOVERNMENT,
                classes=(CaseClass.IN_YEAR,),
                class_ground="N11",
            ),
            provenance=self.when(),
        )
        self.keep(self.case)

    @property
    def standing(self) -> Standing:
        """What an officer who looks now would be told."""
        return self._standing

    def when(self, officer: str | None = None, basis: Basis | None = None, back: int = 0) -> Provenance:
        """A provenance that occurred `back` days before now."""
        return Provenance(
            occurred=self._clock - timedelta(days=back), received=self._clock, basis=basis, decidedby=officer
        )

    def act(self, act: Callable[[], None], *streams: Stream) -> None:
        """Tries an act, and records what it decided."""
        try:
            act()
        except Refused as refusal:
            self.refused.append(refusal)
            assert not any(stream.pending_events for stream in streams), "what was refused left something"
        else:
            self.keep(*streams)
        self._clock += timedelta(hours=7)

    def keep(self, *streams: Stream) -> None:
        """Records the pending events, as a log would."""
        for stream in streams:
            for event in stream.collect_events():
                position = len(self.recorded) + 1
                d = draft(stream, event, Context(actor="officer-a", correlation="test"), SOURCE)  # type: ignore[arg-type]
                entry = filled(d.entry, d.time_at, self._clock + timedelta(microseconds=position))
                self.recorded.append(EVENT_TYPES.decode_entry(position, entry))
                self._fold(self.recorded[-1].event)

    def _fold(self, event: StreamEvent) -> None:
        key = line_of(event) or event.originator_id
        old = self._balances.get(key)
        new = after(old, event)
        if new is not None and new != old:
            self._balances[key] = new
            self._standing = plus(self._standing, old, new)

    # What can happen to a case

    def state_line(self, claimed: int | None, verified: int | None, *, named: bool) -> None:
        """A line is stated."""
        figures = Figures(claimed=claimed, verified=verified)
        claim = self._line(len(self.claims), figures, 1 if named else 5, named=named)
        self.claims.append(claim)
        self.act(lambda: None, claim)

    def _line(self, before: int, figures: Figures, headcount: int, *, named: bool, back: int = 3) -> Claim:
        number = before + 1
        worker = Sealed(subject=f"person-{number}", sha256="0" * 64, commit="1" * 64) if named else None
        return Claim(
            id=f"claim-{self.case.id}-{number}",
            case=self.case.id,
            place=self.case.jurisdiction,
            line=str(number),
            kind=ClaimKind.WAGE,
            headcount=headcount,
            figures=figures,
            worker=worker,
            provenance=self.when(basis=Basis.STATED, back=back),
        )

    def verify(self, which: int, keep: int, *, told: bool) -> None:
        """An officer verifies `keep` percent of a line."""
        if not self.claims:
            return
        claim = self.claims[which % len(self.claims)]
        claimed = claim.figures.claimed or 100
        verified = claimed * keep // 100
        self.act(
            lambda: claim.verify(
                verified=verified,
                rejected=claimed - verified,
                ground="attendance sheets" if keep % 2 == 0 else None,
                told=Told(on="2019-12-01", how="telephone") if told else None,
                provenance=self.when("officer-b"),
            ),
            claim,
        )

    def pay(self, which: int, amount: int, basis: Basis, purpose: Purpose, *, unallocated: bool) -> None:
        """A payment of one line."""
        if not self.claims:
            return
        claim = self.claims[which % len(self.claims)]
        payment = self._payment(amount, purpose, self.when(basis=basis))
        payment.credit(None if unallocated else claim.id, amount, 1, self.when(basis=basis))
        self.payments.append(payment)
        self.act(lambda: None, payment)

    def _payment(self, amount: int, purpose: Purpose, provenance: Provenance) -> Payment:
        return Payment(
            id=f"payment-{self.case.id}-{len(self.payments) + 1}",
            case=self.case.id,
            place=self.case.jurisdiction,
            source=MoneySource.EMPLOYER,
            purpose=purpose,
            lines=1,
            headcount=1,
            total=amount,
            provenance=provenance,
        )

    def give_back(self, which: int, share: int, *, by_bank: bool) -> None:
        """A part of a payment comes back."""
        if not self.payments:
            return
        payment = self.payments[which % len(self.payments)]
        amount = max(0, payment.credited[1].amount) * share // 100 if 1 in payment.credited else 1
        self.act(lambda: payment.give_back(1, amount, "wrong account", self.when(), by_bank=by_bank), payment)

    def evidence(self, which: int, basis: Basis) -> None:
        """The grade of a payment changes."""
        if not self.payments:
            return
        payment = self.payments[which % len(self.payments)]
        proof = (Evidence(sha256="2" * 64, type="application/pdf"),)
        self.act(lambda: payment.evidence_line(1, proof, self.when(basis=basis)), payment)

    def follow_up(
        self,
        which: int,
        answer: Answer,
        amount: int | None,
        method: FollowUpMethod = FollowUpMethod.PHONE,
        *,
        independent: bool = True,
    ) -> None:
        """A worker is asked."""
        if not self.claims:
            return
        claim = self.claims[which % len(self.claims)]
        when = self.when("officer-c")
        self.act(lambda: claim.follow_up(answer, method, when, independent=independent, amount=amount), claim)

    def waive(self, which: int, share: int) -> None:
        """A worker signs away a part of what is owing; a statement that is refuted takes it back."""
        if not self.claims:
            return
        claim = self.claims[which % len(self.claims)]
        owing = self._balances[claim.id].owing
        if claim.waived and share % 3 == 0:
            self.act(lambda: claim.refute_waiver(claim.waived, "forged", self.when("officer-b")), claim)
            return
        told, proof = Told(on="2019-12-01", how="in person"), (Evidence(sha256="3" * 64, type="image/jpeg"),)
        amount, when = owing * share // 100, self.when("officer-b")
        self.act(lambda: claim.waive(amount, owing, "settled", told, proof, when), claim)

    def identify(self, which: int, person: int) -> None:
        """Somebody finds out who the worker is."""
        if not self.claims:
            return
        claim = self.claims[which % len(self.claims)]
        worker = Sealed(subject=f"person-{person}", sha256="4" * 64, commit="5" * 64)
        self.act(lambda: claim.identify(worker, "shown the card", self.when("officer-b")), claim)

    def merge(self, which: int, into: int) -> None:
        """Two lines turn out to be one: the money goes with the line."""
        if not self.claims:
            return
        claim, other = self.claims[which % len(self.claims)], self.claims[into % len(self.claims)]
        if other.left:
            return

        def act() -> None:
            when = self.when("officer-b")
            claim.merge(other.id, "the same worker twice", when)
            reallocate(self.payments, claim.id, [(other.id, None)], "merged", when)

        self.act(act, claim, *self.payments)

    def split(self, which: int, share: int) -> None:
        """A line is replaced by two parts, and its money dealt out to them."""
        if not self.claims or len(self.claims) > MOST_LINES:
            return
        claim = self.claims[which % len(self.claims)]
        claimed, paid = claim.figures.claimed or 0, credited_to(self.payments, claim.id)
        heads = (1, max(0, claim.headcount - 1))
        shares = (claimed * share // 100, claimed - claimed * share // 100)
        parts = tuple(
            self._line(len(self.claims) + i, Figures(claimed=shares[i]), heads[i], named=i == 0, back=0) for i in (0, 1)
        )

        def act() -> None:
            when = self.when("officer-b")
            claim.split(parts, "the list came", when)
            dealt = [(parts[0].id, paid * share // 100), (parts[1].id, paid - paid * share // 100)]
            reallocate(self.payments, claim.id, dealt, "split", when)

        before = len(self.refused)
        self.act(act, claim)
        if len(self.refused) == before:
            self.claims += parts
            self.keep(*parts, *self.payments)

    def tell(self, which: int) -> None:
        """A worker is told ground and remedy."""
        if self.claims:
            claim = self.claims[which % len(self.claims)]
            self.act(lambda: claim.tell(Told(on="2019-12-01", how="telephone"), self.when()), claim)

    def instruct(self, which: int, amount: int) -> None:
        """A line is ordered to be paid."""
        if not self.claims:
            return
        payment = self._payment(amount, Purpose.WAGE, self.when())
        payment.instruct(self.claims[which % len(self.claims)].id, amount, 1, self.when())
        self.payments.append(payment)
        self.act(lambda: None, payment)

    def bank(self, which: int, basis: Basis, *, fails: bool) -> None:
        """A line that waits is carried out, or fails; one that failed is tried again; one that was credited comes back."""
        if not self.payments:
            return
        payment = self.payments[which % len(self.payments)]
        when = self.when(basis=basis)
        if fails and 1 in payment.credited:
            self.act(lambda: payment.return_by_bank(1, None, "account closed", when), payment)
        elif fails:
            self.act(lambda: payment.fail(1, "no such account", when), payment)
        else:
            self.act(lambda: payment.carry_out(1, when), payment)

    def allocate(self, which: int, to: int, share: int) -> None:
        """A part of a payment counts for another line."""
        if not (self.payments and self.claims):
            return
        payment, claim = self.payments[which % len(self.payments)], self.claims[to % len(self.claims)]
        amount = payment.credited[1].amount * share // 100 if 1 in payment.credited else 1
        self.act(lambda: payment.allocate(1, claim.id, amount, "wrong line", self.when("officer-b")), payment)

    def restate(self, which: int, claimed: int, *, vanish: bool) -> None:
        """An amended book says something else of a line."""
        if not self.claims:
            return
        claim = self.claims[which % len(self.claims)]
        if vanish:
            self.act(lambda: claim.vanish("test", self.when()), claim)
        else:
            self.act(lambda: claim.restate(Figures(claimed=claimed), 1, "amended book", self.when(back=9)), claim)

    def procedure(self, step: str, officer: str, outcome: Outcome) -> None:
        """An act of the office on the case."""
        case, when = self.case, self.when(officer)
        acts: dict[str, Callable[[], None]] = {
            "declare": lambda: case.declare_roster(self.standing, when),
            "confirm": lambda: case.confirm_roster(self.standing, when),
            "propose": lambda: case.propose_closing(
                outcome, "all paid", self.standing, when, "case-other" if outcome is Outcome.MERGED else None
            ),
            "approve": lambda: case.approve_closing(self.standing, when),
            "refuse": lambda: case.refuse_closing("papers missing", when),
            "reopen": lambda: case.reopen("new evidence", when),
            "write off": lambda: case.write_off("checked", self.standing, when, leading_group=officer == "officer-c"),
            "withdraw": lambda: case.withdraw_closing("more to check", when),
            "send": lambda: case.send_transfer("the next city", "the site lies there", when),
            "accepted": lambda: case.accept_transfer("the next city", when),
            "sent back": lambda: case.return_transfer("the next city", "not ours", when),
            "hand down": lambda: case.record_handed_down(HandedDown(by="the province", number="12"), when),
            "sender": lambda: case.record_sender_answer("the province", when, accepted=True),
            "source": lambda: case.state(SourceState(state="办结", means=StatedMeaning.CLOSED), when),
            "vanish": lambda: case.vanish("test", when),
            "return": lambda: case.come_back("test", when),
        }
        self.act(acts[step], case)


STEPS = (
    *("declare", "confirm", "propose", "approve", "refuse", "reopen", "write off", "source", "vanish", "return"),
    *("withdraw", "send", "accepted", "sent back", "hand down", "sender"),
)
AMOUNTS = st.integers(0, 2_000)
INDEX = st.integers(0, 4)

MOVES: st.SearchStrategy[Callable[[History], None]] = st.one_of(
    st.tuples(st.none() | AMOUNTS, st.none() | AMOUNTS, st.booleans()).map(
        lambda t: lambda h: h.state_line(t[0], t[1], named=t[2])
    ),
    st.tuples(INDEX, st.sampled_from((0, 50, 51, 100, 100, 100)), st.booleans()).map(
        lambda t: lambda h: h.verify(t[0], t[1], told=t[2])
    ),
    st.tuples(INDEX, AMOUNTS, st.sampled_from(Basis), st.sampled_from(Purpose), st.booleans()).map(
        lambda t: lambda h: h.pay(t[0], t[1], t[2], t[3], unallocated=t[4])
    ),
    st.tuples(INDEX, st.integers(0, 100), st.booleans()).map(lambda t: lambda h: h.give_back(t[0], t[1], by_bank=t[2])),
    st.tuples(INDEX, st.sampled_from(Basis)).map(lambda t: lambda h: h.evidence(t[0], t[1])),
    st.tuples(INDEX, st.sampled_from(Answer), st.none() | AMOUNTS, st.sampled_from(FollowUpMethod), st.booleans()).map(
        lambda t: lambda h: h.follow_up(*t[:4], independent=t[4])
    ),
    st.tuples(INDEX, st.integers(0, 100)).map(lambda t: lambda h: h.waive(*t)),
    st.tuples(INDEX, INDEX).map(lambda t: lambda h: h.identify(*t)),
    st.tuples(INDEX, INDEX).map(lambda t: lambda h: h.merge(*t)),
    st.tuples(INDEX, INDEX, st.integers(1, 100)).map(lambda t: lambda h: h.allocate(*t)),
    st.tuples(INDEX, st.integers(0, 100)).map(lambda t: lambda h: h.split(*t)),
    INDEX.map(lambda which: lambda h: h.tell(which)),
    st.tuples(INDEX, AMOUNTS).map(lambda t: lambda h: h.instruct(*t)),
    st.tuples(INDEX, st.sampled_from(Basis), st.booleans()).map(lambda t: lambda h: h.bank(t[0], t[1], fails=t[2])),
    st.tuples(INDEX, AMOUNTS, st.booleans()).map(lambda t: lambda h: h.restate(t[0], t[1], vanish=t[2])),
    st.tuples(st.sampled_from(STEPS), st.sampled_from(OFFICERS), st.sampled_from(Outcome)).map(
        lambda t: lambda h: h.procedure(*t)
    ),
)


def _solve(history: History) -> None:
    """The straight way to a written-off case, so that random histories reach it and then fall back."""
    for i, claim in enumerate(history.claims):
        history.verify(i, 100, told=True)
        balance = history._balances[claim.id]
        if balance.owing:
            history.pay(i, balance.owing, Basis.DOCUMENTED, Purpose.WAGE, unallocated=False)
    for i in range(len(history.payments)):
        history.evidence(i, Basis.DOCUMENTED)
    for step, officer in (
        ("declare", "officer-a"),
        ("confirm", "officer-b"),
        ("propose", "officer-a"),
        ("sender", "officer-a"),
        ("approve", "officer-b"),
    ):
        history.procedure(step, officer, Outcome.PAID)
    history.procedure("write off", "officer-c", Outcome.PAID)


MOVES_TO_THE_END = MOVES | st.just(_solve)


@st.composite
def histories(draw: Any, most: int = 25) -> History:
    """A random history of one case."""
    history = History()
    history.state_line(draw(AMOUNTS), None, named=True)
    for move in draw(st.lists(MOVES_TO_THE_END, max_size=most)):
        move(history)
    return history


def procedure_of(recorded: list[Recorded[StreamEvent]]) -> Procedure:
    """The procedure after a history."""
    procedure = NOT_BEGUN
    for item in recorded:
        procedure = proceed(procedure, item.event)
    return procedure
