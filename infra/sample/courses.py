"""The course of one case: which acts, by whom, in which order, and when. The order is the office's own (verify, roster, pay, close,
write off, ask the workers); the moments are drawn within the time that the case has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from domain.money import Fen
from domain.streams import Basis
from domain.vocabulary import Answer, CaseClass, FollowUpMethod, Funding, MoneySource, Outcome, Purpose
from infra.sample.fates import End, Fate, Incident
from infra.sample.hours import OfficeHours
from infra.sample.population import FESTIVAL, IN_HAND, Someone
from infra.sample.script import (
    AcceptTransfer,
    Act,
    AddLines,
    ApproveClosing,
    Asked,
    ConfirmRoster,
    DeclareRoster,
    Evidence,
    FollowUp,
    GiveBack,
    Line,
    Mark,
    Pay,
    ProposeClosing,
    RefuseClosing,
    Register,
    Reopen,
    SenderAccepts,
    SendTransfer,
    StatedInBook,
    Step,
    Verify,
    WriteOff,
)

T = TypeVar("T")

VERIFIED_AT_ONCE = 15
ASKED_AT_ONCE = 6
"""Workers that an officer goes through before the next colleague may have the file."""

_SOURCES: dict[Funding, tuple[tuple[MoneySource, int], ...]] = {
    Funding.GOVERNMENT: (
        (MoneySource.TREASURY, 34),
        (MoneySource.GENERAL_CONTRACTOR, 26),
        (MoneySource.WAGE_ACCOUNT, 18),
        (MoneySource.WAGE_DEPOSIT, 12),
        (MoneySource.EMPLOYER, 10),
    ),
    Funding.STATE_OWNED: (
        (MoneySource.PARENT_GROUP, 30),
        (MoneySource.GENERAL_CONTRACTOR, 30),
        (MoneySource.WAGE_ACCOUNT, 22),
        (MoneySource.DEVELOPER_ADVANCE, 18),
    ),
    Funding.PRIVATE: (
        (MoneySource.EMPLOYER, 32),
        (MoneySource.GENERAL_CONTRACTOR, 20),
        (MoneySource.DEVELOPER_ADVANCE, 16),
        (MoneySource.WAGE_DEPOSIT, 14),
        (MoneySource.REVOLVING_FUND, 12),
        (MoneySource.COURT, 6),
    ),
    Funding.OTHER: ((MoneySource.EMPLOYER, 82), (MoneySource.REVOLVING_FUND, 12), (MoneySource.COURT, 6)),
}
_BASES = ((Basis.DOCUMENTED, 62), (Basis.BANK_CONFIRMED, 38))
_METHODS = ((FollowUpMethod.PHONE, 70), (FollowUpMethod.IN_PERSON, 24), (FollowUpMethod.VIDEO, 6))
_NUMBERS = (("投诉登记表", 60), ("实名制平台", 30), ("班组名册", 10))
_ANSWERS = ((Answer.RECEIVED, 90), (Answer.UNREACHABLE, 7), (Answer.REFUSED_TO_SAY, 2), (Answer.WRONG_PERSON, 1))


@dataclass(frozen=True)
class Office:
    """Who works on a case; handles. Handler and approver differ, and who asks the workers is neither."""

    clerk: str
    handler: str
    second: str
    approver: str
    checker: str
    city: str


class Course:
    """Writes the steps of one case."""

    def __init__(
        self,
        rng: Random,
        hours: OfficeHours,
        someone: Someone,
        fate: Fate,
        lines: Sequence[Line],
        stated: StatedInBook | None,
        office: Office,
        payer: str,
    ) -> None:
        self._rng = rng
        self._hours = hours
        self._someone = someone
        self._fate = fate
        self._lines = lines
        self._stated = stated
        self._office = office
        self._payer = payer
        self._payments = 1 if stated is not None and any(stated.paid) else 0
        self._vouchers = 0
        self._paid = list(stated.paid) if stated is not None else [0] * len(lines)
        self._credited: dict[int, tuple[int, int]] = {}
        self._held_back = self._missing_at_first()
        self._steps: list[Step] = []
        self._last = len(hours) - 1

    def steps(self) -> tuple[Step, ...]:
        """In order of time; what would come after the campaign's last day is left out, and the case stays as it is."""
        if self._stated is None:
            self._register()
        begin, end = self._someone.registered, self._finished_by()
        if self._has(Incident.FOREMAN_KEPT):
            end = self._between(begin, end, 0.55)
        whole = self._play(begin, end, list(self._main()))
        after = self._steps[-1].at if self._steps else begin
        whole = whole and self._play(after, self._asked_by(after), list(self._asking()))
        if whole and (self._has(Incident.FOREMAN_KEPT) or self._fate.end is End.RELAPSED):
            self._relapse()
        return tuple(self._steps)

    # When

    def _finished_by(self) -> datetime:
        """When the last act of the main course is done."""
        hours, rng, someone = self._hours, self._rng, self._someone
        first = hours.minute(someone.registered)
        if someone.due is not None:
            last = hours.minute(someone.due + timedelta(hours=17)) - 1
            if someone.due == FESTIVAL.replace(tzinfo=hours.zone) and someone.in_book and rng.random() < 0.5:
                first = max(first, hours.minute(datetime(2020, 1, 2, 8, 30, tzinfo=hours.zone)))
            return hours.moment(first + int((last - first) * (0.25 + 0.74 * rng.random())))
        if someone.in_book:
            return hours.moment(first + int((self._last - 500 - first) * (0.2 + 0.78 * rng.random())))
        speed = rng.random()
        if speed < 0.3 and someone.registered.hour < 12:
            return someone.registered.replace(hour=17, minute=55)
        minutes = rng.randint(300, 3_000) if speed < 0.75 else rng.randint(3_000, 12_000)
        return hours.moment(min(first + minutes, self._last))

    def _asked_by(self, after: datetime) -> datetime:
        if (self._someone.place, self._someone.classes[0]) == IN_HAND and self._someone.due is not None:
            return min(self._later(after, 600), self._someone.due + timedelta(hours=17, minutes=50))
        return self._later(after, self._rng.randint(600, 5_000))

    def _later(self, moment: datetime, minutes: int) -> datetime:
        return self._hours.moment(min(self._hours.minute(moment) + minutes, self._last))

    def _between(self, begin: datetime, end: datetime, part: float) -> datetime:
        first, last = self._hours.minute(begin), self._hours.minute(end)
        return self._hours.moment(first + int((last - first) * part))

    def _play(self, begin: datetime, end: datetime, acts: Sequence[tuple[Act, str]]) -> bool:
        """Gives every act a working minute of its own, in order. False when the campaign ended before they were all done."""
        first = self._hours.minute(begin) + 1
        last = max(self._hours.minute(end), first + 2 * len(acts))
        minutes = sorted(self._rng.sample(range(first, last + 1), len(acts)))
        for minute, (act, by) in zip(minutes, acts, strict=True):
            if minute > self._last:
                return False
            at = self._hours.moment(minute) + timedelta(seconds=self._rng.randint(1, 50))
            self._steps.append(self._dated(Step(at, act, by)))
        return True

    def _dated(self, step: Step) -> Step:
        """A payment occurred before anybody entered it; the other acts happen as they are entered."""
        if not isinstance(step.act, Pay):
            return step
        late = self._has(Incident.LATE_PAYMENT_ENTRY) and not any(isinstance(each.act, Pay) for each in self._steps)
        earlier = timedelta(days=self._rng.randint(2, 6)) if late else timedelta(minutes=self._rng.randint(2, 40))
        occurred = max(step.at - earlier, self._steps[-1].at if self._steps and not late else self._someone.received)
        return Step(step.at, step.act, step.by, occurred=occurred, received=occurred if late else step.at)

    # What

    def _has(self, incident: Incident) -> bool:
        return incident in self._fate.incidents

    def _missing_at_first(self) -> int | None:
        return len(self._lines) - 1 if Incident.ROSTER_GROWS in self._fate.incidents else None

    def _register(self) -> None:
        known = len(self._lines) - (self._held_back is not None)
        at = self._someone.registered + timedelta(seconds=self._rng.randint(1, 50))
        self._steps.append(
            Step(at, Register(known), self._office.clerk, self._someone.received, self._someone.received)
        )

    def _main(self) -> Iterator[tuple[Act, str]]:
        """What is done with the case, in order; stops where its fate says."""
        office, end = self._office, self._fate.end
        if end in (End.UNEVIDENCED, End.STATED_CLOSED_OWING):
            return
        if end in (End.MERGED, End.TRANSFERRED):
            yield from self._ended_otherwise()
            return
        if end is End.OPEN and self._rng.random() < 0.25:
            return
        yield from self._verified()
        if self._has(Incident.LIVING_AID):
            yield self._living_aid(), office.handler
        yield DeclareRoster(), office.handler
        yield ConfirmRoster(), office.second
        if self._held_back is not None:
            yield AddLines((self._held_back,)), office.clerk
            yield Verify((self._held_back,)), office.handler
            yield DeclareRoster(), office.handler
            yield ConfirmRoster(), office.second
        yield from self._paid_out()
        if end is End.OPEN or end is End.SOLVED:
            return
        yield from self._closed()

    def _verified(self) -> Iterator[tuple[Act, str]]:
        known = [index for index in range(len(self._lines)) if index != self._held_back]
        for start in range(0, len(known), VERIFIED_AT_ONCE):
            by = self._office.handler if start == 0 else self._office.second
            yield Verify(tuple(known[start : start + VERIFIED_AT_ONCE])), by

    def _ended_otherwise(self) -> Iterator[tuple[Act, str]]:
        merged = self._fate.end is End.MERGED
        if merged:
            yield ProposeClosing(Outcome.MERGED, "与本县区另一在办案件为同一事项，合并办理"), self._office.handler
        else:
            neighbour = "邻市劳动保障监察机构"
            yield SendTransfer(neighbour, "工程所在地在邻市"), self._office.handler
            yield (
                AcceptTransfer(neighbour, f"邻劳监收〔{self._someone.received.year}〕{self._rng.randint(10, 99)}号"),
                self._office.clerk,
            )
            ground = "工程所在地在邻市，对方已书面接收"
            yield ProposeClosing(Outcome.TRANSFER_ACCEPTED, ground), self._office.handler
        yield from self._approved()

    def _approved(self) -> Iterator[tuple[Act, str]]:
        """A case that was handed down is closed once its sender accepts (definitions.md, *closed*)."""
        if CaseClass.HANDED_DOWN in self._someone.classes:
            yield SenderAccepts("转办机关"), self._office.clerk
        yield ApproveClosing(), self._office.approver

    def _paid_out(self) -> Iterator[tuple[Act, str]]:
        """Payments, and what happens to them, until as much is paid as the fate says."""
        end = self._fate.end
        if self._payments and end is not End.OPEN:
            yield Evidence(0, self._drawn(_BASES)), self._office.handler
        if end is End.NO_ARREARS or (end is End.JUDICIAL and self._rng.random() < 0.6):
            return
        if end is End.OPEN and self._rng.random() < 0.45:
            return
        partly = end in (End.OPEN, End.JUDICIAL)
        if partly or self._has(Incident.INSTALMENTS):
            yield from self._payment(self._part(0.35 + 0.4 * self._rng.random()))
        if not partly:
            yield from self._payment(self._part(1.0))

    def _part(self, part: float) -> list[tuple[int | None, Fen]]:
        """What brings every line up to `part` of what is verified, in whole hundreds of yuan unless it is the rest."""
        items: list[tuple[int | None, Fen]] = []
        for index, line in enumerate(self._lines):
            upto = line.verified if part >= 1 else int(line.verified * part) // 10_000 * 10_000
            if upto > self._paid[index]:
                items.append((index, upto - self._paid[index]))
                self._paid[index] = upto
        return items

    def _payment(self, items: list[tuple[int | None, Fen]]) -> Iterator[tuple[Act, str]]:
        if not items:
            return
        office, last = self._office, all(p >= line.verified for p, line in zip(self._paid, self._lines, strict=True))
        if last and self._has(Incident.OVERPAID):
            items[0] = items[0][0], items[0][1] + 50_000
        if last and self._has(Incident.UNALLOCATED):
            items.append((None, 120_000))
        stated = last and self._has(Incident.STATED_FIRST)
        number = self._payments
        yield self._pay(items, Basis.STATED if stated else self._drawn(_BASES)), office.handler
        for item, (line, _) in enumerate(items):
            if line is not None:
                self._credited[line] = number, item
        if stated:
            yield Evidence(number, self._drawn(_BASES)), office.handler
        if last and self._has(Incident.BANK_RETURN):
            item = self._rng.randrange(len(self._lines)) % len(items)
            line, amount = items[item]
            yield GiveBack(number, item, amount, "账号与户名不符，银行退汇", by_bank=True), office.handler
            if line is not None:
                self._credited[line] = self._payments, 0
            yield self._pay([(line, amount)], Basis.BANK_CONFIRMED), office.handler

    def _pay(self, items: Sequence[tuple[int | None, Fen]], basis: Basis, purpose: Purpose = Purpose.WAGE) -> Pay:
        self._payments += 1
        self._vouchers += 1
        source = (
            MoneySource.REVOLVING_FUND
            if purpose is Purpose.LIVING_AID
            else self._drawn(_SOURCES[self._someone.funding])
        )
        payer = {MoneySource.REVOLVING_FUND: "县区应急周转金专户", MoneySource.TREASURY: "县区财政局"}.get(
            source, self._payer
        )
        voucher = f"PZ{self._someone.index:03d}-{self._vouchers}"
        return Pay(source, payer, voucher, basis, tuple(items), purpose)

    def _living_aid(self) -> Pay:
        return self._pay(
            [(index, 60_000) for index in range(min(2, len(self._lines)))], Basis.DOCUMENTED, Purpose.LIVING_AID
        )

    def _closed(self) -> Iterator[tuple[Act, str]]:
        office, end = self._office, self._fate.end
        outcome, ground = _OUTCOMES.get(end, (Outcome.PAID, "工资已全部支付，凭证齐全"))
        if end is End.JUDICIAL:
            yield Mark("移送公安", "涉嫌拒不支付劳动报酬，已移送", "移送公安机关"), office.handler
        yield ProposeClosing(outcome, ground), office.handler
        if self._has(Incident.CLOSING_REFUSED):
            yield RefuseClosing("发放表缺一人手印，补齐后再报"), office.approver
            yield ProposeClosing(outcome, ground), office.handler
        yield from self._approved()
        if end not in (End.CLOSED, End.JUDICIAL, End.DISPUTED):
            yield WriteOff(), office.city

    # Asking the workers

    def _asking(self) -> Iterator[tuple[Act, str]]:
        if self._fate.end not in (End.PAID, End.RELAPSED, End.CLOSED):
            return
        in_hand = (self._someone.place, self._someone.classes[0]) == IN_HAND
        named = [i for i, line in enumerate(self._lines) if line.worker is not None and line.verified > 0]
        asked = named if in_hand or len(named) <= 8 else named[: max(8, int(len(named) * 0.7))]
        unreached: list[int] = []
        for start in range(0, len(asked), ASKED_AT_ONCE):
            answers = []
            for index in asked[start : start + ASKED_AT_ONCE]:
                answer = Answer.RECEIVED if in_hand else self._drawn(_ANSWERS)
                unreached += [index] if answer is Answer.UNREACHABLE else []
                answers.append(self._asked(index, answer))
            yield FollowUp(tuple(answers)), self._office.checker
        again = tuple(self._asked(index, Answer.RECEIVED) for index in unreached[::2])
        if again:
            yield FollowUp(again), self._office.checker

    def _asked(self, index: int, answer: Answer, amount: Fen | None = None) -> Asked:
        said = self._lines[index].verified if answer is Answer.RECEIVED and self._rng.random() < 0.6 else amount
        method = self._drawn(_METHODS)
        return Asked(index, answer, said, method, self._drawn(_NUMBERS) if method is FollowUpMethod.PHONE else None)

    def _relapse(self) -> None:
        """A worker says that less arrived: the foreman had kept a part. Cured, unless the case ends so."""
        if not self._steps or not isinstance(self._steps[-1].act, FollowUp | WriteOff):
            return
        office, index = self._office, 1
        if index not in self._credited:
            return
        kept = min(self._lines[index].verified // 5 // 10_000 * 10_000 + 10_000, self._lines[index].verified)
        payment, item = self._credited[index]
        said = self._asked(index, Answer.LESS, self._lines[index].verified - kept)
        acts: list[tuple[Act, str]] = [
            (FollowUp((said,)), office.checker),
            (GiveBack(payment, item, kept, "班组长代领后未足额转交", by_bank=False), office.handler),
        ]
        if self._fate.end is not End.RELAPSED:
            acts += [
                (Reopen("回头看发现一名农民工未足额到手"), office.approver),
                (self._pay([(index, kept)], Basis.DOCUMENTED), office.handler),
                (
                    FollowUp(
                        (Asked(index, Answer.RECEIVED, self._lines[index].verified, FollowUpMethod.IN_PERSON, None),)
                    ),
                    office.checker,
                ),
                (ProposeClosing(Outcome.PAID, "差额已直接发放本人并签字"), office.handler),
                *self._approved(),
                (WriteOff(), office.city),
            ]
        after = self._steps[-1].at
        self._play(after, self._later(after, self._rng.randint(900, 4_000)), acts)

    def _drawn(self, weighted: Sequence[tuple[T, int]]) -> T:
        return self._rng.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


_OUTCOMES = {
    End.NO_ARREARS: (Outcome.NO_ARREARS, "经核实不属于拖欠工资，已告知救济途径"),
    End.JUDICIAL: (Outcome.JUDICIAL, "责令支付后仍不支付，转入司法程序"),
    End.DISPUTED: (Outcome.OTHER, "无争议部分已付清，争议部分引导申请劳动仲裁"),
}
