"""A call list: which workers of a case are asked whether the money arrived, by whom, all of them or a sample that nobody chose.

A sample is drawn so that anybody can draw it again: lines are ranked by HMAC-SHA-256 of their id under a seed, and the first so many are
taken. The seed is a digest over the list's id and all lines, so who draws cannot choose it. Lines whose worker said that something is
missing are always asked again. The answers stand on the claim lines.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable
from datetime import datetime

from eventsourcing.domain import event

from domain.errors import RuleError
from domain.streams import Provenance, Stream
from domain.vocabulary import CallScope

N26 = "N26"


def draw(list_id: str, claims: Iterable[str], size: int, always: Collection[str] = ()) -> tuple[str, tuple[str, ...]]:
    """Seed (hex) and lines of a sample of `size` beside those that are asked `always`, in the order of calling."""
    lines = sorted(claims)
    seed = hashlib.sha256("\x1f".join(("call-list/v1", list_id, *lines)).encode()).digest()
    ranked = sorted(lines, key=lambda line: hmac.new(seed, line.encode(), hashlib.sha256).digest())
    first = [line for line in ranked if line in always]
    rest = [line for line in ranked if line not in always]
    return seed.hex(), (*first, *rest[:size])


class CallList(Stream):
    """One call list of a case."""

    TOPIC = "call-list"

    class Event(Stream.Event):
        """Base of a call list's events."""

    class Created(Event, Stream.Created):
        """A list was drawn and given to somebody who is to call."""

        TOPIC = "call-list.drawn.v1"
        case: str
        place: str
        number: str
        scope: CallScope
        seed: str
        claims: tuple[str, ...]
        caller: str
        due: datetime | None

    class HandedOver(Event):
        """Somebody else calls from now on."""

        TOPIC = "call-list.handed-over.v1"
        caller: str
        previous: str
        reason: str

    class Closed(Event):
        """Nobody is called from it any more."""

        TOPIC = "call-list.closed.v1"
        never_tried: int
        ground: str | None

    @event(Created)
    def __init__(
        self,
        id: str,
        case: str,
        place: str,
        number: str,
        scope: CallScope,
        seed: str,
        claims: tuple[str, ...],
        caller: str,
        provenance: Provenance,
        due: datetime | None = None,
    ) -> None:
        self.case = case
        self.place = place
        self.number = number
        self.scope = scope
        self.claims = claims
        self.caller = caller
        self.closed = False

    @classmethod
    def drawn(
        cls,
        *,
        id: str,
        case: str,
        place: str,
        number: str,
        scope: CallScope,
        size: int,
        lines: Collection[str],
        always: Collection[str],
        caller: str,
        dependent: Collection[str],
        provenance: Provenance,
        due: datetime | None = None,
    ) -> CallList:
        """Draws a list of the case's named `lines`. `dependent`: officers who handle or paid in the case.

        Raises:
            RuleError: there is nobody to call, a sample of nobody is asked for, or the caller is not independent.
        """
        if not lines:
            raise RuleError("the case has no named worker who could be called", rule="somebody-to-call", clause=N26)
        if scope is CallScope.SAMPLE and size < 1:
            raise RuleError("a sample asks one worker at least", rule="sample-size", clause=N26)
        refuse_dependent(caller, dependent)
        seed, claims = draw(id, lines, size if scope is CallScope.SAMPLE else len(lines), always)
        return cls(
            id=id,
            case=case,
            place=place,
            number=number,
            scope=scope,
            seed=seed,
            claims=claims,
            caller=caller,
            due=due,
            provenance=provenance,
        )

    @property
    def partitionkey(self) -> str:
        return self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    def hand_over(self, caller: str, reason: str, dependent: Collection[str], provenance: Provenance) -> None:
        """Somebody else calls from now on.

        Raises:
            RuleError: it is closed, no reason is given, they call already, or they are not independent.
        """
        self._refuse_if_closed()
        if not reason.strip():
            raise RuleError("handing a call list over bears a reason", rule="ground-given", clause=N26)
        if caller == self.caller:
            raise RuleError(f"{caller} calls from it already", rule="handed-to-another", clause=N26)
        refuse_dependent(caller, dependent)
        self._handed_over(caller=caller, previous=self.caller, reason=reason, provenance=provenance)

    def close(self, never_tried: int, ground: str | None, provenance: Provenance) -> None:
        """Ends the calling.

        Raises:
            RuleError: it is closed already, or workers were never tried and nothing says why.
        """
        self._refuse_if_closed()
        if never_tried and not (ground or "").strip():
            raise RuleError(
                f"{never_tried} workers of the list were never tried; say why", rule="everybody-tried", clause=N26
            )
        self._closed(never_tried=never_tried, ground=ground, provenance=provenance)

    def _refuse_if_closed(self) -> None:
        if self.closed:
            raise RuleError(f"call list {self.number} is closed", rule="list-open", clause=N26)

    # Applying: runs again on every replay, and never refuses

    @event(HandedOver)
    def _handed_over(self, caller: str, previous: str, reason: str, provenance: Provenance) -> None:
        self.caller = caller

    @event(Closed)
    def _closed(self, never_tried: int, ground: str | None, provenance: Provenance) -> None:
        self.closed = True


def refuse_dependent(caller: str, dependent: Collection[str]) -> None:
    """Who handled the case, or paid in it, does not ask whether the money arrived (definitions.md, *confirmed*).

    Raises:
        RuleError: the caller did.
    """
    if caller in dependent:
        raise RuleError(
            f"{caller} handles the case or paid in it, and cannot ask whether the money arrived",
            rule="asker-independent",
            clause=N26,
        )
