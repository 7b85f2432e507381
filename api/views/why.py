"""Why a computed word holds of a case or does not: its conditions, the events that turned it, the claim lines that stand against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from api import time_axes
from api.reading import Reading
from api.views.case import Axis, LineLabel
from api.views.sealing import Progress, progress
from api.views.timeline import handles_of
from api.views.values import Names, local
from api.views.view import KnownAt, LogTag, Said, View, log_tag, said
from api.words import CONDITIONS, EVENT_TYPES, Word, word
from domain.campaigns.campaign import end_of_day
from domain.cases.standing import confirmed, leaves_the_count, written_off
from domain.errors import NotFoundError
from projections.case_ledger import CaseRow, case_ledger
from projections.claim_ledger import ClaimRow
from projections.explaining import ConditionWhy, LineAgainst, Turn, WordWhy

if TYPE_CHECKING:
    from infra.bootstrap import WhyView as PlatformWhy

MOST_LINES = 200
"""Claim lines that are told of one condition; `lines_against` says how many there are."""


class EventRef(View):
    """The event that something rests on."""

    position: int
    type: str
    title: Said
    stream: str
    occurred: str
    recorded: str
    officer: str | None
    """Who decided, or entered, it: the short name of an officer, else their id."""
    clause: str | None
    state: str
    """recorded, sealed, or published."""


class TurnView(View):
    """An event after which something was so, or was not so any more."""

    event: EventRef | None
    """Null: the reader may not see it."""
    position: int
    holds: bool
    against: int
    """The figure after it: fen where the condition is one of money, else a count."""


class LineAgainstView(View):
    """A claim line that stands against a condition."""

    claim: str
    label: LineLabel
    against: int
    event: EventRef | None
    """What made its part of the figure what it is."""
    position: int


class ConditionView(View):
    """One thing that must be so."""

    name: str
    title: Said
    holds: bool
    against: int
    """What stands against it, 0 when it holds: fen where `money`, else a count."""
    money: bool
    event: EventRef | None
    """The event that last changed the figure; null where none ever did, or the reader may not see it."""
    turns: list[TurnView]
    lines_against: int
    lines: list[LineAgainstView]


class WordView(View):
    """A computed word and its conditions, all of which must hold."""

    name: str
    title: Said
    holds: bool
    turns: list[TurnView]
    """Every event that made it hold, or undid it; `against` counts the conditions that fail."""
    conditions: list[ConditionView]


class MembershipView(View):
    """What the case is in one cell of the board."""

    case_class: str
    class_title: Said
    checkpoint: str
    checkpoint_title: Said
    day: str
    member: bool
    """Received by the end of that day, and neither merged, a duplicate nor taken over by somebody else."""
    written_off_in_time: bool
    in_hand_in_time: bool


class WhyView(View):
    """Why the computed words hold of a case, or do not."""

    log: LogTag
    case: str
    number: str
    position: int
    axis: Axis
    known: bool
    words: list[WordView]
    membership: list[MembershipView]


def why_view(
    reading: Reading,
    case: str,
    *,
    as_known_at: str | None = None,
    as_it_was_by: str | None = None,
    names: bool = False,
    only: str | None = None,
) -> WhyView:
    """Of a case by its id or official number. `only`: one word.

    Raises:
        NotFoundError: there is no such case.
        InputError: both axes are asked for, or one cannot be read.
    """
    time_axes.one_axis(as_known_at, as_it_was_by)
    position = time_axes.known_at(reading.platform, as_known_at)
    by = time_axes.day(time_axes.WAS_BY, as_it_was_by) if as_it_was_by else None
    found = reading.platform.why(case, as_of=position, by=by)
    row = found.state.case
    if row is None and position is None and by is None:
        raise NotFoundError(f"there is no case {case!r}")
    words = [each for each in found.words if only in (None, each.name)]
    telling = _Telling(reading, found, words, names=names)
    return WhyView(
        log=log_tag(reading),
        case=found.case,
        number=case if row is None else row.number,
        position=found.position,
        axis=Axis(
            as_known_at=None if position is None else KnownAt(asked=as_known_at, position=position),
            as_it_was_by=None if by is None else by.isoformat(),
        ),
        known=row is not None,
        words=[telling.word(each) for each in words],
        membership=[] if row is None else _membership(reading, row),
    )


class _Telling:
    """Positions and claim lines turned into what the reader may see of them."""

    def __init__(self, reading: Reading, found: PlatformWhy, words: Iterable[WordWhy], *, names: bool) -> None:
        self._zone = reading.platform.info.zone
        self._envelopes = {
            position: envelope
            for position, envelope in found.envelopes.items()
            if reading.reader.may_see(envelope.visibility)
        }
        self._reached: Progress = progress(reading)
        self._claims: Mapping[str, ClaimRow] = {claim.claim: claim for claim in found.state.claims}
        told = [condition for each in words for condition in each.conditions]
        named = {line.claim for condition in told for line in condition.lines[:MOST_LINES]}
        self._names = Names(reading, asked=names)
        self._names.gather(
            (claim.worker, "worker") for key, claim in self._claims.items() if key in named and claim.worker is not None
        )
        people = {
            person for envelope in self._envelopes.values() for person in (envelope.decidedby, envelope.actor) if person
        }
        self._handles = handles_of(reading, people)

    def word(self, why: WordWhy) -> WordView:
        """A word with all its conditions."""
        column = case_ledger.column(why.name)
        return WordView(
            name=why.name,
            title=Said(zh=column.zh, en=column.en),
            holds=why.holds,
            turns=[self._turn(turn) for turn in why.turns],
            conditions=[self._condition(each) for each in why.conditions],
        )

    def _condition(self, why: ConditionWhy) -> ConditionView:
        return ConditionView(
            name=why.name,
            title=said(CONDITIONS[why.name]),
            holds=why.holds,
            against=why.against,
            money=why.money,
            event=self._event(why.position),
            turns=[self._turn(turn) for turn in why.turns],
            lines_against=len(why.lines),
            lines=[self._line(line) for line in why.lines[:MOST_LINES]],
        )

    def _turn(self, turn: Turn) -> TurnView:
        return TurnView(
            event=self._event(turn.position), position=turn.position, holds=turn.holds, against=turn.against
        )

    def _line(self, line: LineAgainst) -> LineAgainstView:
        claim = self._claims[line.claim]
        worker = None if claim.worker is None else self._names.view(claim.worker, "worker")
        return LineAgainstView(
            claim=line.claim,
            label=LineLabel(line=line.line, worker=worker),
            against=line.against,
            event=self._event(line.position),
            position=line.position,
        )

    def _event(self, position: int | None) -> EventRef | None:
        envelope = None if position is None else self._envelopes.get(position)
        if position is None or envelope is None:
            return None
        person = envelope.decidedby or envelope.actor
        return EventRef(
            position=position,
            type=envelope.type,
            title=said(EVENT_TYPES.get(envelope.type, Word(envelope.type, envelope.type))),
            stream=envelope.subject,
            occurred=local(envelope.occurred, self._zone),
            recorded=local(envelope.time, self._zone),
            officer=self._handles.get(person, person),
            clause=envelope.clause,
            state=self._reached.state(position).value,
        )


def _membership(reading: Reading, row: CaseRow) -> list[MembershipView]:
    """The cells of the board that the case counts in, by definitions.md, *cleared*."""
    info = reading.platform.info
    off = written_off(row.procedure, row.standing)
    at = row.procedure.written_off_at
    found = []
    for case_class in row.particulars.classes:
        for checkpoint in info.campaign.checkpoints:
            end = end_of_day(checkpoint.day, info.zone)
            in_time = off and at is not None and at <= end
            found.append(
                MembershipView(
                    case_class=case_class.value,
                    class_title=said(word(case_class)),
                    checkpoint=checkpoint.name,
                    checkpoint_title=Said(zh=checkpoint.title_zh, en=checkpoint.title_en),
                    day=checkpoint.day.isoformat(),
                    member=row.particulars.received <= end and not leaves_the_count(row.procedure),
                    written_off_in_time=in_time,
                    in_hand_in_time=in_time and confirmed(row.standing),
                )
            )
    return found
