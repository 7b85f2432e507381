"""The desk where a script is performed: one case in hand, its streams and where it stands, and what each act of the script decides.

Every act goes through the aggregates, which may refuse it; a script that contradicts a rule therefore fails here with `RuleError`.
Standing is folded from the case's own events by the functions that the ledgers use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import msgspec

from domain.cases.case import Case, HandedDown, Named, Particulars
from domain.cases.standing import EMPTY, plus
from domain.claims.balance import Balance, after
from domain.claims.claim import Claim, Figures, claim_id
from domain.entries import Recorded
from domain.payments.payment import Payment
from domain.sealing.personal import Sealed
from domain.streams import Basis, Provenance, Stream, StreamEvent
from domain.vocabulary import Evidence as EvidenceFile
from domain.vocabulary import Outcome, Told
from infra.sample.ids import digest, stream_id
from infra.sample.script import (
    AcceptTransfer,
    AddLines,
    ApproveClosing,
    CaseScript,
    ConfirmRoster,
    DeclareRoster,
    Evidence,
    FollowUp,
    GiveBack,
    Mark,
    Pay,
    ProposeClosing,
    RefuseClosing,
    Register,
    Reopen,
    SenderAccepts,
    SendTransfer,
    Step,
    Verify,
    WriteOff,
)

SealedTexts = Mapping[tuple[str, str], Sealed]
"""What is sealed of one case, by (field label, part): the part is a line's number, a role, or empty."""

_REMEDY = "可申请劳动人事争议仲裁"


@dataclass(frozen=True)
class Desk:
    """What is the same for every case: the seed that ids follow from, and the officers' ids by handle."""

    seed: str
    officers: Mapping[str, str]


class CaseInHand:
    """One case on the desk. `perform` returns the streams that an act changed, to be committed together."""

    def __init__(self, desk: Desk, script: CaseScript, sealed: SealedTexts) -> None:
        self._desk = desk
        self._script = script
        self._sealed = sealed
        self._case: Case | None = None
        self._claims: dict[int, Claim] = {}
        self._payments: list[Payment] = []
        self._balances: dict[str, Balance] = {}
        self.standing = EMPTY

    def load(self, events: Sequence[Recorded[StreamEvent]], streams: Iterable[Stream]) -> None:
        """Takes up what is recorded of the case."""
        for stream in streams:
            self._take(stream)
        for recorded in events:
            self._fold(recorded.event)

    def perform(self, step: Step) -> list[Stream]:
        """Decides one act.

        Raises:
            RuleError: the script contradicts a rule.
        """
        changed = list(self._decide(step))
        for stream in changed:
            self._take(stream)
            for event in stream.pending_events:
                self._fold(cast(StreamEvent, event))
        return changed

    @property
    def case(self) -> Case:
        """The case itself.

        Raises:
            RuntimeError: it is not registered.
        """
        if self._case is None:
            raise RuntimeError(f"case {self._script.number} is not registered")
        return self._case

    def _take(self, stream: Stream) -> None:
        match stream:
            case Case():
                self._case = stream
            case Claim():
                self._claims[int(stream.line) - 1] = stream
            case Payment() if stream not in self._payments:
                self._payments.append(stream)

    def _fold(self, event: StreamEvent) -> None:
        claim = getattr(event, "claim", None) or event.originator_id
        before = self._balances.get(claim)
        now = after(before, event)
        if now is not None and now is not before:
            self._balances[claim] = now
            self.standing = plus(self.standing, before, now)

    def _decide(self, step: Step) -> Iterable[Stream]:
        match step.act:
            case Register():
                return self._register(step, step.act.lines)
            case AddLines():
                return [self._stated(index, self._provenance(step, "N20", Basis.STATED)) for index in step.act.lines]
            case Verify():
                return [self._verify(index, step) for index in step.act.lines]
            case FollowUp():
                return self._follow_up(step, step.act)
            case Pay():
                return [self._pay(step, step.act)]
            case Evidence():
                return [self._evidence(step, step.act)]
            case GiveBack():
                return [self._give_back(step, step.act)]
            case _:
                self._proceed(step)
                return [self.case]

    def _proceed(self, step: Step) -> None:
        """An act on the case itself."""
        case, standing, act = self.case, self.standing, step.act
        provenance = self._provenance(step, "N27", Basis.DOCUMENTED)
        match act:
            case DeclareRoster():
                case.declare_roster(standing, msgspec.structs.replace(provenance, clause="N22"))
            case ConfirmRoster():
                case.confirm_roster(standing, msgspec.structs.replace(provenance, clause="N22"))
            case ProposeClosing():
                clause = "N21" if act.outcome is Outcome.NO_ARREARS else "N27"
                into = None if act.into is None else stream_id("case", self._desk.seed, act.into)
                case.propose_closing(
                    act.outcome, act.ground, standing, msgspec.structs.replace(provenance, clause=clause), into
                )
            case SendTransfer() | AcceptTransfer() | SenderAccepts():
                self._between_offices(act, provenance)
            case RefuseClosing():
                case.refuse_closing(act.ground, provenance)
            case ApproveClosing():
                case.approve_closing(standing, provenance)
            case WriteOff():
                city = step.by.startswith("city-office")
                case.write_off("工资已解决，凭证已核", standing, provenance, leading_group=city)
            case Reopen():
                case.reopen(act.ground, msgspec.structs.replace(provenance, clause="N26"))
            case Mark():
                self._mark(act, step)

    def _between_offices(self, act: SendTransfer | AcceptTransfer | SenderAccepts, provenance: Provenance) -> None:
        """A step that takes two offices."""
        case = self.case
        match act:
            case SendTransfer():
                case.send_transfer(act.to, act.ground, provenance)
            case AcceptTransfer():
                case.accept_transfer(act.by, provenance, act.number, evidence=(self._file("transfer", act.number),))
            case SenderAccepts():
                case.record_sender_answer(act.by, msgspec.structs.replace(provenance, clause="N24"), accepted=True)

    # Acts and facts, one by one

    def _register(self, step: Step, lines: int) -> list[Stream]:
        script = self._script
        provenance = self._provenance(step, "N20", Basis.STATED)
        self._case = Case(
            id=stream_id("case", self._desk.seed, script.number),
            number=script.number,
            particulars=self._particulars(),
            provenance=provenance,
        )
        return [self._case, *(self._stated(index, provenance) for index in range(lines))]

    def _particulars(self) -> Particulars:
        script = self._script
        handed_down = HandedDown(by=script.handed_down_by, number=script.handed_down_number, on=script.handed_down_on)
        return Particulars(
            jurisdiction=script.place,
            received=script.received,
            funding=script.funding,
            classes=script.classes,
            class_ground=script.class_ground,
            channel=script.channel,
            project=script.project,
            industry=script.industry,
            debtor=script.debtor,
            contractor=script.contractor,
            developer=script.developer,
            cause=script.cause,
            arrears_from=min(line.period_from for line in script.lines),
            arrears_to=max(line.period_to for line in script.lines),
            handed_down=handed_down if script.handed_down_by else None,
            people=tuple(Named(role=role, name=self._sealed["person", role]) for role, _ in script.people),
            note=self._sealed.get(("note", "")),
        )

    def _stated(self, index: int, provenance: Provenance) -> Claim:
        line, part = self._script.lines[index], str(index + 1)
        return Claim(
            id=claim_id(self.case.id, part),
            case=self.case.id,
            place=self._script.place,
            line=part,
            kind=line.kind,
            headcount=line.headcount,
            figures=Figures(claimed=line.claimed, gross=line.gross, drawn=line.drawn),
            worker=self._sealed.get(("worker", part)),
            worker_id=self._sealed.get(("worker_id", part)),
            phone=self._sealed.get(("phone", part)),
            period_from=line.period_from,
            period_to=line.period_to,
            debtor=self._script.debtor,
            provenance=provenance,
        )

    def _verify(self, index: int, step: Step) -> Claim:
        line, claim = self._script.lines[index], self._claims[index]
        told = Told(on=step.at.isoformat(), how="当面告知并送达", remedy=_REMEDY) if line.rejected else None
        claim.verify(
            verified=line.verified,
            rejected=line.rejected,
            withdrawn=line.withdrawn,
            disputed=line.disputed,
            ground=line.ground,
            told=told,
            evidence=(self._file("verification", str(index)),),
            provenance=self._provenance(step, "N22", Basis.DOCUMENTED),
        )
        return claim

    def _follow_up(self, step: Step, act: FollowUp) -> list[Stream]:
        provenance = self._provenance(step, "N26", Basis.WORKER_CONFIRMED)
        for said in act.answers:
            self._claims[said.line].follow_up(
                said.answer,
                said.method,
                provenance,
                independent=True,
                amount=said.amount,
                number_from=said.number_from,
            )
        return [self._claims[said.line] for said in act.answers]

    def _pay(self, step: Step, act: Pay) -> Payment:
        provenance = self._provenance(step, "N23", act.basis)
        heads = [1 if line is None else self._script.lines[line].headcount for line, _ in act.items]
        payment = Payment(
            id=stream_id("payment", self.case.id, act.voucher),
            case=self.case.id,
            place=self._script.place,
            source=act.source,
            purpose=act.purpose,
            lines=len(act.items),
            headcount=sum(heads),
            total=sum(amount for _, amount in act.items),
            payer=act.payer,
            instrument="银行转账" if act.basis is Basis.BANK_CONFIRMED else "发放表",
            voucher=act.voucher,
            evidence=() if act.basis is Basis.STATED else (self._file("voucher", act.voucher),),
            provenance=provenance,
        )
        for (line, amount), heads_of_line in zip(act.items, heads, strict=True):
            payment.credit(None if line is None else self._claims[line].id, amount, heads_of_line, provenance)
        return payment

    def _evidence(self, step: Step, act: Evidence) -> Payment:
        payment = self._payments[act.payment]
        for line in payment.credited:
            payment.evidence_line(line, (self._file("sheet", payment.id),), self._provenance(step, "N26", act.basis))
        return payment

    def _give_back(self, step: Step, act: GiveBack) -> Payment:
        payment = self._payments[act.payment]
        basis = Basis.BANK_CONFIRMED if act.by_bank else Basis.WORKER_CONFIRMED
        provenance = self._provenance(step, "N26", basis)
        payment.give_back(act.item + 1, act.amount, act.reason, provenance, by_bank=act.by_bank)
        return payment

    def _mark(self, act: Mark, step: Step) -> None:
        particulars = self.case.particulars
        more = msgspec.structs.replace(particulars, extra=(*particulars.extra, (act.heading, act.value)))
        self.case.amend(more, act.reason, self._provenance(step, "N09", Basis.DOCUMENTED))

    def _file(self, *parts: str) -> EvidenceFile:
        return EvidenceFile(sha256=digest(self._desk.seed, self._script.number, *parts), type="application/pdf")

    def _provenance(self, step: Step, clause: str, basis: Basis) -> Provenance:
        occurred: datetime = step.occurred or step.at
        return Provenance(
            occurred=occurred,
            received=step.received or occurred,
            basis=basis,
            clause=clause,
            decidedby=self._desk.officers[step.by],
        )
