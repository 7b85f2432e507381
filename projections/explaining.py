"""Why a computed word holds of a case, or does not: every condition of it, the events that turned it, and the claim lines that stand
against it. Pure.

A word of definitions.md is the conjunction of its conditions below, each a figure that must be nothing or an act that must stand. The
figures are those of `domain/cases/standing.py`; that the conjunction is the predicate itself is held by a property test, so an explanation
cannot say anything else than the board.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from domain.cases.standing import (
    EMPTY,
    NOT_BEGUN,
    Procedure,
    Standing,
    closed,
    closed_to_be_written_off,
    contribution,
    determined,
    solved,
)
from domain.claims.balance import Balance
from domain.entries import Recorded
from projections.case_ledger import CaseRow, case_ledger
from projections.claim_ledger import ClaimRow, claim_ledger
from projections.folding import Folding, Rows
from projections.replay import CASE_LEDGERS


class Condition(NamedTuple):
    """One thing that must be so. `against`: what stands against it, 0 when it holds; lines, workers, acts, or fen."""

    name: str
    against: Callable[[Procedure, Standing], int]
    money: bool = False
    of_line: Callable[[Balance], int] | None = None
    """What one claim line adds to the figure, where lines do."""


def _lines(name: str, field: str, *, money: bool = False) -> Condition:
    return Condition(
        name, lambda _, s: getattr(s, field), money=money, of_line=lambda balance: getattr(contribution(balance), field)
    )


def _lacking(name: str, field: str) -> Condition:
    """Every line must have it."""
    return Condition(
        name,
        lambda _, s: s.lines - getattr(s, field),
        of_line=lambda balance: contribution(balance).lines - getattr(contribution(balance), field),
    )


def _roster_differs(procedure: Procedure, standing: Standing) -> int:
    return abs(standing.lines - procedure.roster_lines) if procedure.roster_confirmed else 0


def _reverified(procedure: Procedure, standing: Standing) -> int:
    then = procedure.roster_reverified
    return abs(standing.reverified - then) if procedure.roster_confirmed and then is not None else 0


WORDS: dict[str, tuple[Condition, ...]] = {
    "determined": (
        Condition("has-lines", lambda _, s: int(s.lines == 0)),
        Condition("roster-confirmed", lambda p, _: int(not p.roster_confirmed)),
        Condition("roster-unchanged", _roster_differs),
        Condition("not-reverified", _reverified),
        _lines("nothing-pending", "undetermined_lines"),
    ),
    "solved": (
        Condition("determined", lambda p, s: int(not determined(p, s))),
        _lines("nothing-owing", "owing", money=True),
        _lines("nothing-disputed", "disputed", money=True),
        _lines("nothing-only-stated", "stated_paid", money=True),
        _lines("nobody-contradicts", "contradicted_lines"),
        _lines("everybody-told", "untold_lines"),
    ),
    "confirmed": (
        Condition("has-lines", lambda _, s: int(s.lines == 0)),
        _lacking("everybody-named", "named"),
        _lacking("everybody-confirmed", "confirmed_lines"),
    ),
    "closed": (Condition("closing-approved", lambda p, _: int(not closed(p))),),
    "written_off": (
        Condition("solved", lambda p, s: int(not solved(p, s))),
        Condition("closed-as-paid", lambda p, _: int(not closed_to_be_written_off(p))),
        Condition("writing-off-recorded", lambda p, _: int(p.written_off_at is None)),
    ),
}
"""Every computed word with its conditions, in the order in which a case comes to them."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """An event after which something was so, or was not so any more. `against`: the figure after it."""

    position: int
    holds: bool
    against: int


class LineAgainst(msgspec.Struct, frozen=True, kw_only=True):
    """A claim line that stands against a condition. `position`: the event that made its part of the figure what it is."""

    claim: str
    line: str
    against: int
    position: int


class ConditionWhy(msgspec.Struct, frozen=True, kw_only=True):
    """A condition and what made it so. `position`: the event that last changed its figure; None where none ever did."""

    name: str
    holds: bool
    against: int
    money: bool
    position: int | None
    turns: tuple[Turn, ...]
    lines: tuple[LineAgainst, ...]


class WordWhy(msgspec.Struct, frozen=True, kw_only=True):
    """A word and its conditions; `turns`: every event that made it hold or undid it."""

    name: str
    holds: bool
    turns: tuple[Turn, ...]
    conditions: tuple[ConditionWhy, ...]


class _Watched:
    """A condition while events are folded."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.against = condition.against(NOT_BEGUN, EMPTY)
        self.position: int | None = None
        self.turns: list[Turn] = []
        self.lines: dict[str, LineAgainst] = {}

    def line(self, row: ClaimRow, position: int) -> None:
        """A claim line changed."""
        if self.condition.of_line is None:
            return
        against = self.condition.of_line(row.balance)
        known = self.lines.get(row.claim)
        if known is None or known.against != against:
            self.lines[row.claim] = LineAgainst(claim=row.claim, line=row.line, against=against, position=position)

    def after(self, row: CaseRow, position: int) -> None:
        """The case stands so now."""
        against = self.condition.against(row.procedure, row.standing)
        if against == self.against and self.position is not None:
            return
        if self.position is None or (against == 0) != (self.against == 0):
            self.turns.append(Turn(position=position, holds=against == 0, against=against))
        self.against, self.position = against, position

    def why(self) -> ConditionWhy:
        """What is to be said of it."""
        standing_against = [line for line in self.lines.values() if line.against]
        return ConditionWhy(
            name=self.condition.name,
            holds=self.against == 0,
            against=self.against,
            money=self.condition.money,
            position=self.position,
            turns=tuple(self.turns),
            lines=tuple(sorted(standing_against, key=lambda line: (-line.against, len(line.line), line.line))),
        )


_LEDGERS = tuple(ledger for ledger in CASE_LEDGERS if ledger.name not in ("duty", "discrepancy"))
"""Those that the case's row follows."""


def explain(events: Iterable[Recorded[Any]]) -> tuple[WordWhy, ...]:
    """Why each word holds after the events of one case, or does not; empty where they make no case.

    Every word begins where the case does: its first turn is the case's first event.
    """
    folding = Folding(_LEDGERS)
    rows: Rows = {}
    watched = {word: [_Watched(condition) for condition in conditions] for word, conditions in WORDS.items()}
    turns: dict[str, list[Turn]] = {word: [] for word in WORDS}
    for recorded in events:
        row: CaseRow | None = None
        for change in folding.apply(recorded, rows):
            if change.ledger == claim_ledger.name and isinstance(change.new, ClaimRow):
                for each in _all(watched.values()):
                    each.line(change.new, recorded.position)
            elif change.ledger == case_ledger.name and isinstance(change.new, CaseRow):
                row = change.new
        if row is not None:
            for word, conditions in watched.items():
                for each in conditions:
                    each.after(row, recorded.position)
                _turn(turns[word], conditions, recorded.position)
    if not rows.get(case_ledger.name):
        return ()
    return tuple(
        WordWhy(
            name=word,
            holds=all(each.against == 0 for each in conditions),
            turns=tuple(turns[word]),
            conditions=tuple(each.why() for each in conditions),
        )
        for word, conditions in watched.items()
    )


def _all(conditions: Iterable[Sequence[_Watched]]) -> Iterable[_Watched]:
    return (each for some in conditions for each in some)


def _turn(turns: list[Turn], conditions: Sequence[_Watched], position: int) -> None:
    against = sum(each.against != 0 for each in conditions)
    if not turns or turns[-1].holds != (against == 0):
        turns.append(Turn(position=position, holds=against == 0, against=against))
