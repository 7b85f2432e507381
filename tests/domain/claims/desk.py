"""A desk with one case on a log in memory, and the lines, verdicts and words that tests of the money put on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from domain.cases import handlers as cases
from domain.cases.duties import Person
from domain.cases.file import CaseFile
from domain.cases.standing import Standing
from domain.catalogue import EVENT_TYPES
from domain.claims import handlers
from domain.claims.balance import Balance
from domain.claims.claim import Claim, Figures, claim_id
from domain.claims.handlers import Decision, NewLine, Said
from domain.payments import handlers as payments
from domain.payments.handlers import Header, PaidLine
from domain.recording import Outcome
from domain.sealing.personal import Sealed
from domain.streams import Basis
from domain.vocabulary import Answer, CaseDuty, ClaimKind, FollowUpMethod, MoneySource, Told
from infra.streams import StreamStore
from tests.domain.orders.office import CASE, Office, when

TOLD = Told(on="2019-12-02T10:00:00+08:00", how="telephone", remedy="arbitration")


def person(number: int, field: str = "worker") -> Sealed:
    """A text about a person, sealed under that person's own key."""
    return Sealed(f"person-{number}", f"{number:064x}", f"{len(field):064x}")


def named(number: int, claimed: int | None = 100_000, **other: Any) -> NewLine:
    """A line of one worker."""
    return NewLine(ClaimKind.WAGE, 1, Figures(claimed=claimed), worker=person(number), **other)


def unnamed(headcount: int, claimed: int | None = 100_000, **other: Any) -> NewLine:
    """A head-count that nobody has named yet."""
    return NewLine(ClaimKind.WAGE, headcount, Figures(claimed=claimed), **other)


def line(number: int, case: str = CASE) -> str:
    """The id of a line."""
    return claim_id(case, str(number))


class Desk(Office):
    """An office whose case has lines and payments."""

    def roster(self, *lines: NewLine, case: str = CASE) -> list[str]:
        """Enters lines; the ids of all lines of the case."""
        handlers.add_lines(self.streams, case=case, lines=lines, provenance=when(), context=self.context)
        return list(self.file(case).claims)

    def verified(self, *amounts: int, **other: Any) -> None:
        """Determines the first lines, to the amounts."""
        decisions = [Decision(line(number), amount, **other) for number, amount in enumerate(amounts, 1)]
        handlers.verify_lines(self.streams, case=CASE, decisions=decisions, provenance=when(1), context=self.context)

    def pay(
        self,
        *lines: PaidLine,
        id: str = "payment-1",
        basis: Basis = Basis.DOCUMENTED,
        by: str | None = "officer-a",
        **other: Any,
    ) -> None:
        """Records a payment."""
        payments.record_payment(
            self.streams,
            case=CASE,
            id=id,
            header=Header(MoneySource.EMPLOYER, voucher=id),
            lines=lines,
            provenance=when(2, by, basis),
            context=self.context,
            **other,
        )

    def ask(
        self,
        claim: str,
        answer: Answer,
        amount: int | None = None,
        *,
        asker: str = "officer-x",
        method: FollowUpMethod = FollowUpMethod.PHONE,
    ) -> None:
        """Records what a worker answered."""
        handlers.follow_up(
            self.streams,
            case=CASE,
            said=[Said(claim, answer, method, amount)],
            asker=asker,
            provenance=when(3, asker),
            context=self.context,
        )

    def handled_by(self, officer: str) -> None:
        """Makes an officer the handler."""
        cases.assign_duty(
            self.streams,
            case=CASE,
            duty=CaseDuty.HANDLER,
            holder=Person(officer=officer),
            provenance=when(),
            context=self.context,
        )

    def file(self, case: str = CASE) -> CaseFile:
        """Everything recorded of the case."""
        return CaseFile.load(self.streams, case)

    def balance(self, claim: str) -> Balance:
        """Where a line stands."""
        return self.file().balances[claim]

    @property
    def standing(self) -> Standing:
        """Where the case stands."""
        return self.file().standing

    def claim(self, claim: str) -> Claim:
        """A line as it is."""
        return self.streams.get(Claim, claim)

    def types(self, stream: str) -> Sequence[str]:
        """The types of a stream's events, in order."""
        return [recorded.envelope.type for recorded in self.events(stream)]


class Beaten(StreamStore):
    """Streams of somebody who is always a moment too late: before the first commits, `first` runs, once a commit."""

    def __init__(self, desk: Desk, *first: Callable[[], object]) -> None:
        super().__init__(desk.log, EVENT_TYPES, "urn:qingling:test")
        self._first = list(first)

    def commit(self, *streams: Any, **how: Any) -> Outcome:
        """As ever, after what somebody else does."""
        if self._first:
            self._first.pop(0)()
        return super().commit(*streams, **how)
