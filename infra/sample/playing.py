"""Plays a script into a log that is a simulation: books are imported, acts are decided on aggregates and committed, each at its own
time of the winter. The times only run forward, so everything is performed in their order.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from domain.books.amendment import BookContext, case_id
from domain.campaigns.campaign import Campaign
from domain.cases.handlers import approve_closing
from domain.jurisdictions import JurisdictionTree
from domain.officers.handlers import officer_id
from domain.officers.officer import Officer
from domain.recording import LogWriter
from domain.sealing.personal import Sealed
from domain.streams import Basis, Context, Provenance, Stream
from domain.vocabulary import Outcome
from infra.importing import Importer, ImportOrder, Personal
from infra.sample.campaign import CASES, write_script
from infra.sample.desk import CaseInHand, Desk
from infra.sample.hours import OfficeHours
from infra.sample.ids import SeededPersons, digest, stream_id
from infra.sample.reading import PlayedReading
from infra.sample.script import ApproveClosing, BookIssue, CaseScript, OfficerScript, Script, Step
from infra.streams import StreamStore

SEED = "yangquan-2019"
"""The seed of the campaign that is shipped."""


class PlayedLog(Protocol):
    """What the play must know of the log: `infra.platform.LogInfo` has it."""

    @property
    def origin(self) -> str: ...
    @property
    def zone(self) -> ZoneInfo: ...
    @property
    def campaign(self) -> Campaign: ...
    @property
    def tree(self) -> JurisdictionTree: ...


@dataclass(frozen=True)
class SampleProgress:
    """How far the play has come, in commands, and which moment of the winter is being played."""

    done: int
    total: int
    at: datetime


@dataclass(frozen=True)
class SampleReport:
    """What was played. `events` are those of the play, without the log's first one."""

    cases: int
    workers: int
    events: int
    commands: int
    ended_at: datetime


def play(
    log: LogWriter,
    streams: StreamStore,
    personal: Personal,
    info: PlayedLog,
    *,
    seed: str = SEED,
    cases: int = CASES,
    progress: Callable[[SampleProgress], None] | None = None,
) -> SampleReport:
    """Plays a whole campaign into a simulation whose first event was recorded before 15 November 2019, 08:30.

    The same seed into a log of the same origin makes the same streams and events, but for the sealing's own randomness.

    Raises:
        StoreFailedError: the log is no simulation.
    """
    script = write_script(seed, info.zone, cases)
    performance = _Performance(log, streams, personal, info, seed, script)
    commands = list(performance.commands())
    ended = commands[-1][0]
    for done, (at, command) in enumerate(commands, start=1):
        command(at)
        if progress is not None and (done % 25 == 0 or done == len(commands)):
            progress(SampleProgress(done, len(commands), at))
    return SampleReport(
        cases=len(script.cases),
        workers=sum(line.headcount for case in script.cases for line in case.lines),
        events=performance.events,
        commands=len(commands),
        ended_at=ended,
    )


Command = Callable[[datetime], None]


class _Performance:
    """The play while it runs: which cases are on the desk, and how many events were recorded."""

    def __init__(
        self, log: LogWriter, streams: StreamStore, personal: Personal, info: PlayedLog, seed: str, script: Script
    ) -> None:
        self.events = 0
        self._log = log
        self._streams = streams
        self._personal = SeededPersons(personal, seed)
        self._info = info
        self._seed = seed
        self._script = script
        self._desk = Desk(seed, {each.handle: officer_id(info.origin, each.handle) for each in script.officers})
        self._sealed = self._seal()
        self._in_hand: dict[int, CaseInHand] = {}

    def commands(self) -> Iterator[tuple[datetime, Command]]:
        """Everything that is to be done, in order of time."""
        yield OfficeHours(self._info.zone).moment(0), self._register_officers
        steps = [
            [(step.at, index, number, step) for number, step in enumerate(case.steps)]
            for index, case in enumerate(self._script.cases)
        ]
        issues = sorted(self._script.issues, key=lambda issue: issue.at)
        for at, index, _, step in heapq.merge(*steps):
            while issues and issues[0].at <= at:
                yield issues[0].at, self._import_command(issues.pop(0))
            yield at, self._step_command(index, step)

    def _step_command(self, index: int, step: Step) -> Command:
        return lambda at: self._perform(index, step, at)

    def _import_command(self, issue: BookIssue) -> Command:
        return lambda at: self._import(issue, at)

    # Persons

    def _seal(self) -> dict[int, dict[tuple[str, str], Sealed]]:
        """Every personal text of the cases that are registered by hand, sealed at once: what a book states is sealed by its import."""
        places: list[tuple[int, str, str]] = []
        items: list[tuple[str, str, str]] = []
        for index, case in enumerate(self._script.cases):
            if case.stated is None:
                for field, part, subject, text in self._texts(case):
                    places.append((index, field, part))
                    items.append((subject, field, text))
        sealed: dict[int, dict[tuple[str, str], Sealed]] = {}
        for (index, field, part), each in zip(places, self._personal.seal_many(items), strict=True):
            sealed.setdefault(index, {})[field, part] = each
        return sealed

    def _texts(self, case: CaseScript) -> Iterator[tuple[str, str, str, str]]:
        """(field, part, subject, text)."""
        subject = stream_id("case", self._seed, case.number)
        for role, name in case.people:
            yield "person", role, subject, name
        if case.note is not None:
            yield "note", "", subject, case.note
        for number, line in enumerate(case.lines, start=1):
            if line.worker is not None:
                person = self._personal.new_subject()
                yield "worker", str(number), person, line.worker.name
                yield "worker_id", str(number), person, line.worker.identity
                yield "phone", str(number), person, line.worker.phone

    def _register_officers(self, at: datetime) -> None:
        names = [(self._personal.new_subject(), "name", each.name) for each in self._script.officers]
        provenance = Provenance(occurred=at, received=at)
        officers = [
            self._officer(each, sealed, provenance)
            for each, sealed in zip(self._script.officers, self._personal.seal_many(names), strict=True)
        ]
        self._commit(officers, self._desk.officers[self._script.officers[-1].handle], "officers", at)

    def _officer(self, script: OfficerScript, name: Sealed, provenance: Provenance) -> Officer:
        return Officer(
            id=self._desk.officers[script.handle],
            handle=script.handle,
            place=script.place,
            name=name,
            provenance=provenance,
        )

    # Cases

    def _perform(self, index: int, step: Step, at: datetime) -> None:
        in_hand = self._taken_up(index)
        correlation = digest(self._seed, str(index), at.isoformat())[:32]
        if isinstance(step.act, ApproveClosing) and in_hand.case.procedure.proposed is Outcome.MERGED:
            self._merge(index, in_hand, step, correlation, at)
            return
        self._commit(in_hand.perform(step), self._desk.officers[step.by], correlation, at)

    def _merge(self, index: int, in_hand: CaseInHand, step: Step, correlation: str, at: datetime) -> None:
        """Merging changes both cases: what is in hand of them is taken up again when it is needed."""
        by = self._desk.officers[step.by]
        outcome = approve_closing(
            self._streams,
            case=in_hand.case.id,
            provenance=Provenance(
                occurred=step.at, received=step.at, basis=Basis.DOCUMENTED, clause="N27", decidedby=by
            ),
            context=Context(actor=by, correlation=correlation),
            now=at,
        )
        self.events += len(outcome.positions)
        for other, case in list(self._in_hand.items()):
            if other == index or case.case.id == in_hand.case.procedure.into:
                del self._in_hand[other]

    def _commit(self, changed: Sequence[Stream], actor: str, correlation: str, at: datetime) -> None:
        outcome = self._streams.commit(*changed, context=Context(actor=actor, correlation=correlation), now=at)
        self.events += len(outcome.positions)

    def _taken_up(self, index: int) -> CaseInHand:
        """The case from the desk, or loaded as any handler loads it."""
        if index not in self._in_hand:
            script = self._script.cases[index]
            case = CaseInHand(self._desk, script, self._sealed.get(index, {}))
            key = stream_id("case", self._seed, script.number)
            if script.stated is not None:
                key = case_id(self._info.origin, script.stated.book, script.number)
            events = self._streams.partitions([key]).get(key, [])
            case.load(events, self._streams.rebuilt(events).values())
            self._in_hand[index] = case
        return self._in_hand[index]

    # Books

    def _import(self, issue: BookIssue, at: datetime) -> None:
        """A county's book is imported as any book is; what the desk had in hand of it is taken up again when it is needed."""
        reading = PlayedReading(issue, self._script.cases, self._info.tree, self._seed)
        context = BookContext(
            origin=self._info.origin,
            book=issue.book,
            as_at=at - timedelta(minutes=40),
            campaign=self._info.campaign,
            zone=self._info.zone,
        )
        order = ImportOrder(
            book=issue.book,
            mapping_name="standard",
            mapping_digest=digest("standard"),
            place=issue.place,
            actor=self._desk.officers[issue.by],
            correlation=digest(self._seed, issue.book, at.isoformat())[:32],
            now=at,
        )
        importer = Importer(self._streams, self._log, self._personal, context, order, self._earlier(issue))
        self.events += importer.run(reading).events
        for index, case in enumerate(self._script.cases):
            if case.stated is not None and case.stated.book == issue.book:
                self._in_hand.pop(index, None)

    def _earlier(self, issue: BookIssue) -> Callable[[frozenset[str]], Iterator[str]]:
        def earlier(_: frozenset[str]) -> Iterator[str]:
            for case in self._script.cases:
                if case.stated is not None and case.stated.book == issue.book:
                    yield case_id(self._info.origin, issue.book, case.number)

        return earlier
