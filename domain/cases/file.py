"""A case's file: everything recorded of a case, as a handler needs it to decide. Folded by the functions that the ledgers use.

Only the case's own partition is read. `standing` is what an officer who looks now would be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from domain.backstops.backstop import Backstop
from domain.cases.case import Case
from domain.cases.standing import EMPTY, Standing, plus
from domain.claims.balance import Balance, after, line_of
from domain.claims.claim import Claim
from domain.custody.custody import Custody
from domain.entries import Recorded
from domain.errors import NotFoundError
from domain.follow_ups.call_list import CallList
from domain.payments.payment import Payment
from domain.repository import Streams
from domain.streams import Stream, StreamEvent

S = TypeVar("S", bound=Stream)


class CaseFile:
    """See the module. `events` are those of the case's partition, whole and in order."""

    def __init__(self, case: str, events: Sequence[Recorded[StreamEvent]], streams: Mapping[str, Stream]) -> None:
        self.id = case
        self.events = events
        self.streams = streams
        self.balances = balances_of(recorded.event for recorded in events)

    @classmethod
    def load(cls, streams: Streams, case: str) -> CaseFile:
        """The file of a case.

        Raises:
            NotFoundError: there is no such case.
        """
        events = streams.partitions([case]).get(case, [])
        file = cls(case, events, streams.rebuilt(events))
        if not isinstance(file.streams.get(case), Case):
            raise NotFoundError(f"there is no case {case}")
        return file

    @property
    def case(self) -> Case:
        """The case itself."""
        found = self.streams[self.id]
        assert isinstance(found, Case)
        return found

    @property
    def claims(self) -> dict[str, Claim]:
        """Its claim lines, those that have left among them, in the order in which they were stated."""
        return self._all(Claim)

    @property
    def payments(self) -> dict[str, Payment]:
        """Its payments."""
        return self._all(Payment)

    @property
    def custodies(self) -> dict[str, Custody]:
        """What others hold for its workers."""
        return self._all(Custody)

    @property
    def call_lists(self) -> dict[str, CallList]:
        """Its call lists."""
        return self._all(CallList)

    @property
    def backstops(self) -> dict[str, Backstop]:
        """Its backstops."""
        return self._all(Backstop)

    @property
    def standing(self) -> Standing:
        """Sums over its lines."""
        return standing_of(self.balances.values())

    @property
    def dependent(self) -> frozenset[str]:
        """Officers who cannot ask whether the money arrived: who handles or ever handled the case, and who decided, approved or typed a
        payment in it (definitions.md, *confirmed*). Reading in a book, where nobody decides, makes nobody a payer."""
        payers: set[str] = set()
        for recorded in self.events:
            said = recorded.event.provenance
            if isinstance(recorded.event, Payment.Event) and said.decidedby is not None:
                payers |= {said.decidedby, said.approvedby or said.decidedby, recorded.envelope.actor}
        return self.case.procedure.handlers | payers

    def claim(self, claim: str) -> Claim:
        """One of its lines.

        Raises:
            NotFoundError: it has none of that id.
        """
        found = self.streams.get(claim)
        if not isinstance(found, Claim):
            raise NotFoundError(f"case {self.case.number} has no claim line {claim}")
        return found

    def _all(self, kind: type[S]) -> dict[str, S]:
        return {stream.id: stream for stream in self.streams.values() if isinstance(stream, kind)}


def balances_of(events: Iterable[StreamEvent]) -> dict[str, Balance]:
    """The balance of every line, by its id."""
    balances: dict[str, Balance] = {}
    for event in events:
        line = line_of(event)
        if line is not None:
            balance = after(balances.get(line), event)
            if balance is not None:
                balances[line] = balance
    return balances


def standing_of(balances: Iterable[Balance]) -> Standing:
    """The standing of a case with these lines."""
    standing = EMPTY
    for balance in balances:
        standing = plus(standing, None, balance)
    return standing
