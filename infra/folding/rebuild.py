"""Rebuilds ledgers beside the live ones: from position 0 to the head in one decoding pass, indexes, a check, then the swap.

What is built is a generation of its own, and its progress is stored with its rows: a rebuild that was killed goes on where it stood.
Ledgers that follow a rebuilt one are rebuilt with it; ledgers that it follows support it from their stored versions. Readers never wait:
the swap is one small transaction, in which the live lane stands still while the last events are folded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.entries import EventTypes
from domain.errors import FoldError, NotReadyError, RecordingError
from infra.folding.check import differences, inconsistencies
from infra.folding.feed import Feed
from infra.folding.lane import Lane, Member
from infra.folding.pipeline import Pipeline
from infra.postgres.ledger_registry import (
    Existence,
    Generation,
    create,
    generations,
    go_live,
    halts,
    indexed,
    outdated,
    positions,
    release,
    retire,
)
from infra.postgres.ledger_store import LedgerSession, LedgerStore
from infra.postgres.ledger_tables import bits_for, table_of
from projections.ledger import Catalogue

_LOCK = 1363758700  # beside the append lock's number


class Stage(StrEnum):
    """What a rebuild does just now."""

    FOLDING = "folding"
    INDEXING = "indexing"
    CHECKING = "checking"
    SWAPPING = "swapping"


@dataclass(frozen=True)
class RebuildProgress:
    """How far a rebuild is. `events_per_second` since it began; `seconds_left` of the folding, None while that cannot be told."""

    stage: Stage
    ledgers: Sequence[str]
    position: int
    head: int
    events_per_second: float
    seconds_left: float | None


@dataclass(frozen=True)
class RebuildReport:
    """What a rebuild did. Seconds of each stage; `resumed_from` is where an earlier, unfinished one had stood (0: none had begun)."""

    ledgers: Sequence[str]
    position: int
    resumed_from: int
    events_per_second: float
    seconds_folding: float
    seconds_indexing: float
    seconds_checking: float
    compared: Sequence[str]
    """Ledgers whose whole history was found equal to the live one's; the others were checked for consistency in themselves."""


@dataclass
class _Seconds:
    spent: dict[Stage, float] = field(default_factory=lambda: dict.fromkeys(Stage, 0.0))

    def of(self, stage: Stage, work: Callable[[], None]) -> None:
        """Does something and counts the time."""
        begun = time.monotonic()
        work()
        self.spent[stage] += time.monotonic() - begun


class Rebuild:
    """See the module. `run` once."""

    def __init__(
        self,
        store: LedgerStore,
        catalogue: Catalogue,
        types: EventTypes,
        feed: Callable[[LedgerSession], Feed],
        chunk: int,
        cache_rows: int,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._types = types
        self._feed_of = feed
        self._chunk = chunk
        self._cache_rows = cache_rows

    def run(
        self,
        ledgers: Sequence[str] | None,
        progress: Callable[[RebuildProgress], None] | None = None,
        *,
        accept_differences: bool = False,
    ) -> RebuildReport:
        """Rebuilds ledgers (None: all) and what follows them.

        A ledger of an unchanged fold must come out as it was, in its whole history; when it does not, either the fold is not the
        pure function that it should be or the live rows are damaged, and nothing is swapped unless `accept_differences`.

        Raises:
            NotReadyError: another rebuild runs; a ledger that these follow does not fold, or is outdated.
            FoldError: a fold raised, or a check failed; nothing was swapped, and what was built is kept.
        """
        with ExitStack() as stack:
            writing, reading = (stack.enter_context(self._store.session()) for _ in range(2))
            stack.enter_context(_alone(writing))
            feed = self._feed_of(reading)
            names = self._names(ledgers)
            members, support, begun = self._begin(writing, names, feed)
            lane = Lane(
                members,
                support,
                begun,
                types=self._types,
                rows=reading,
                cache_rows=self._cache_rows,
                shards=feed.shards,
            )
            pipeline = stack.enter_context(Pipeline(writing, feed.part))
            building = _Building(self, writing, feed, lane, pipeline, progress or (lambda _: None))
            return building.run(self._chunk, accept_differences=accept_differences)

    @property
    def catalogue(self) -> Catalogue:
        """The ledgers."""
        return self._catalogue

    def _names(self, ledgers: Sequence[str] | None) -> list[str]:
        if ledgers is None:
            return self._catalogue.names()
        wanted = {follower for name in ledgers for follower in (name, *self._catalogue.followers(name))}
        return [name for name in self._catalogue.names() if name in wanted]

    def _begin(
        self, writing: LedgerSession, names: Sequence[str], feed: Feed
    ) -> tuple[list[Member], list[Member], int]:
        with writing.transaction("beginning a rebuild") as cursor:
            live = generations(cursor, Existence.LIVE)
            support = self._support(cursor, names, live)
            building = generations(cursor, Existence.BUILDING)
            stands = positions(cursor, feed.part)
            bits = bits_for(feed.head())
            found = [building.get(name) for name in names]
            usable = all(
                generation is not None and not outdated(self._catalogue[generation.ledger], generation)
                for generation in found
            )
            begun = {stands.get(generation.id) for generation in found if generation is not None}
            if not usable or len(begun) != 1 or None in begun:
                for generation in found:
                    if generation is not None:
                        retire(cursor, generation)
                found = [
                    create(cursor, self._catalogue[name], Existence.BUILDING, (feed.part,), indexed=False, bits=bits)
                    for name in names
                ]
                begun = {0}
            members = [self._member(generation) for generation in found if generation is not None]
            return members, support, begun.pop() or 0

    def _support(self, cursor: Cursor, names: Sequence[str], live: Mapping[str, Generation]) -> list[Member]:
        wanted = {source for name in names for source in self._catalogue.sources(name)} - set(names)
        halted = halts(cursor)
        for name in wanted:
            if name not in live or name in halted or outdated(self._catalogue[name], live[name]):
                raise NotReadyError(f"ledger {name}, which these follow, does not fold: rebuild or resume it as well")
        return [self._member(live[name]) for name in self._catalogue.names() if name in wanted]

    def _member(self, generation: Generation) -> Member:
        ledger = self._catalogue[generation.ledger]
        return Member(ledger, generation, table_of(ledger, generation.number, generation.segment_bits))


@contextmanager
def _alone(session: LedgerSession) -> Iterator[None]:
    """No other rebuild runs meanwhile. The lock is given back here: the server sees later that a session has ended."""
    with session.reading("looking for another rebuild") as cursor:
        cursor.execute("select pg_try_advisory_lock(%s)", (_LOCK,))
        if not (cursor.fetchone() or (False,))[0]:
            raise NotReadyError("another rebuild runs; it must end first")
    try:
        yield
    finally:
        with (
            suppress(RecordingError),
            session.reading("ending a rebuild") as cursor,
        ):  # a session that is lost holds no lock
            cursor.execute("select pg_advisory_unlock(%s)", (_LOCK,))


class _Building:
    """One rebuild at work: a lane of generations that nobody reads yet."""

    def __init__(
        self,
        rebuild: Rebuild,
        writing: LedgerSession,
        feed: Feed,
        lane: Lane,
        pipeline: Pipeline,
        progress: Callable[[RebuildProgress], None],
    ) -> None:
        self._catalogue = rebuild.catalogue
        self._writing = writing
        self._feed = feed
        self._lane = lane
        self._pipeline = pipeline
        self._progress = progress
        self._begun = lane.position
        self._seconds = _Seconds()
        self._compared: list[str] = []
        self.names = [member.ledger.name for member in lane.members]

    def run(self, chunk: int, *, accept_differences: bool) -> RebuildReport:
        """All stages."""
        seconds = self._seconds
        seconds.of(Stage.FOLDING, lambda: self._fold(chunk))
        rate = (self._lane.position - self._begun) / max(seconds.spent[Stage.FOLDING], 1e-9)
        seconds.of(Stage.INDEXING, self._index)
        self._fold(chunk)
        seconds.of(Stage.CHECKING, lambda: self._check(accept_differences=accept_differences))
        while not self._swap(chunk):
            self._fold(chunk)
        return RebuildReport(
            ledgers=self.names,
            position=self._lane.position,
            resumed_from=self._begun,
            events_per_second=rate,
            seconds_folding=seconds.spent[Stage.FOLDING],
            seconds_indexing=seconds.spent[Stage.INDEXING],
            seconds_checking=seconds.spent[Stage.CHECKING],
            compared=self._compared,
        )

    def _end(self) -> int:
        """How far it can be folded now: to the head, but not beyond where a supporting ledger stands."""
        self._pipeline.settle()
        support = [member.generation.id for member in self._lane.support]
        with self._writing.reading("looking how far a rebuild can go") as cursor:
            stands = positions(cursor, self._feed.part)
        return min([self._feed.head(), *(stands.get(generation, 0) for generation in support)])

    def _fold(self, chunk: int) -> None:
        begun, first = time.monotonic(), self._lane.position
        end = self._end()
        while self._lane.position < end:
            after = self._lane.position
            folded = self._lane.fold(self._feed.read(after, min(end, after + chunk), self._lane.skip))
            self._pipeline.submit(folded, end)
            done = self._lane.position - first
            rate = done / max(time.monotonic() - begun, 1e-9)
            self._tell(Stage.FOLDING, end, rate, (end - self._lane.position) / rate if rate else None)
            if self._lane.position >= end:
                end = self._end()
        self._pipeline.settle()

    def _tell(self, stage: Stage, head: int, rate: float = 0.0, left: float | None = None) -> None:
        self._progress(RebuildProgress(stage, self.names, self._lane.position, head, rate, left))

    def _index(self) -> None:
        self._tell(Stage.INDEXING, self._lane.position)
        for member in self._lane.members:
            if member.generation.indexed:
                continue
            for statement in member.table.indexes():
                with self._writing.transaction("indexing a ledger") as cursor:
                    cursor.execute("set local maintenance_work_mem = '256MB'")
                    cursor.execute(statement)
            with self._writing.transaction("indexing a ledger") as cursor:
                cursor.execute(f"analyze {member.table.open}, {member.table.past}")
                indexed(cursor, member.generation)

    def _check(self, *, accept_differences: bool) -> None:
        self._tell(Stage.CHECKING, self._lane.position)
        position = self._lane.position
        with self._writing.transaction("checking a rebuild") as cursor:
            live = generations(cursor, Existence.LIVE)
            comparable = self._comparable(cursor, live)
            found: list[str] = []
            for member in self._lane.members:
                name = member.ledger.name
                if name in comparable:
                    table = table_of(member.ledger, live[name].number, live[name].segment_bits)
                    found += differences(cursor, member.table, table, position)
                else:
                    sources = {m.ledger.name: m.table for m in (*self._lane.members, *self._lane.support)}
                    found += inconsistencies(cursor, member.table, sources, position)
        if found and not (accept_differences and all(name in comparable for name in self.names)):
            raise FoldError("the rebuilt ledgers are not what they should be: " + "; ".join(found), position=position)
        self._compared = [name for name in self.names if name in comparable]

    def _comparable(self, cursor: Cursor, live: Mapping[str, Generation]) -> set[str]:
        """Ledgers that must come out as they were: their folds, and those that they follow, are unchanged, and they have come as far."""
        halted, stands = halts(cursor), positions(cursor, self._feed.part)
        same = {
            name
            for name in self.names
            if name in live
            and name not in halted
            and not outdated(self._catalogue[name], live[name])
            and stands.get(live[name].id, 0) >= self._lane.position
        }
        return {
            name
            for name in same
            if all(source in same or source not in self.names for source in self._catalogue.sources(name))
        }

    def _swap(self, chunk: int) -> bool:
        """Folds what is left while the live ledgers stand still, and takes their place. False: too much is left, fold first."""
        self._tell(Stage.SWAPPING, self._lane.position)
        with self._writing.transaction("swapping in rebuilt ledgers") as cursor:
            # Whoever moves a ledger updates this table first, so nobody can hold a part of what is waited for here.
            cursor.execute("lock table ledger.progress in exclusive mode")
            live = generations(cursor, Existence.LIVE)
            stands = positions(cursor, self._feed.part)
            target = max([self._lane.position, *(stands.get(live[name].id, 0) for name in self.names if name in live)])
            after = self._lane.position
            if target - after > chunk:
                return False
            if target > after:
                folded = self._lane.fold(self._feed.read(after, target, self._lane.skip))
                self._writing.write_within(cursor, folded, self._feed.part, target)
            for member in self._lane.members:
                if member.ledger.name in live:
                    retire(cursor, live[member.ledger.name])
                go_live(cursor, member.generation)
            release(cursor, self.names)
        return True
