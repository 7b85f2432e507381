"""Rebuilds ledgers beside the live ones: from position 0 to the head in one decoding pass, indexes, a check, then the swap.

What is built is a generation of its own, and its progress is stored with its rows: a rebuild that was killed goes on where it stood.
It is folded here, undivided, or by the engines that share the ledgers, each its parts, while this only waits for them.
Ledgers that follow a rebuilt one are rebuilt with it; ledgers that it follows support it from their stored versions. Readers never wait:
the swap is one small transaction, in which the live lane stands still while the last events are folded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.entries import EventTypes
from domain.errors import FoldError, NotReadyError, RecordingError
from infra.folding.check import differences, inconsistencies
from infra.folding.feed import EVERY_PART, UNDIVIDED, Feed, Parts
from infra.folding.lane import Lane, Member
from infra.folding.pipeline import Pipeline
from infra.postgres.ledger_registry import (
    WHOLE,
    Existence,
    Generation,
    create,
    divide,
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
        by_workers: bool = False,
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
            stack.callback(feed.close)
            names = self._names(ledgers)
            members, support, begun = self._begin(writing, names, feed, EVERY_PART if by_workers else UNDIVIDED)
            folding: _Folding
            if by_workers:
                folding = _ByWorkers(writing, feed, members, support, begun)
            else:
                lane = Lane(members, support, begun, types=self._types, rows=reading, cache_rows=self._cache_rows)
                folding = _Here(writing, feed, lane, stack.enter_context(Pipeline(writing)), self._chunk)
            building = _Building(self, writing, folding, members, support, progress or (lambda _: None))
            building.retires_unknown = ledgers is None
            return building.run(accept_differences=accept_differences)

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
        self, writing: LedgerSession, names: Sequence[str], feed: Feed, parts: Parts
    ) -> tuple[list[Member], list[Member], int]:
        with writing.transaction("beginning a rebuild") as cursor:
            live = generations(cursor, Existence.LIVE)
            support = self._support(cursor, names, live)
            building = generations(cursor, Existence.BUILDING)
            stands = positions(cursor)
            bits = bits_for(feed.head())
            found = [building.get(name) for name in names]
            usable = all(
                generation is not None
                and generation.failed is None
                and not outdated(self._catalogue[generation.ledger], generation)
                and stands.get(generation.id, {}).keys() == set(parts)
                for generation in found
            )
            begun = {min(stands[generation.id].values()) for generation in found if usable and generation is not None}
            if not usable or (parts == UNDIVIDED and len(begun) != 1):
                for generation in found:
                    if generation is not None:
                        retire(cursor, generation)
                found = [
                    create(cursor, self._catalogue[name], Existence.BUILDING, parts, indexed=False, bits=bits)
                    for name in names
                ]
                begun = {0}
            members = [self._member(generation) for generation in found if generation is not None]
            return members, support, min(begun)

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


class _Folding(Protocol):
    """What folds the generations that are built."""

    def position(self) -> int:
        """Up to where all of them are folded."""

    def fold(self, tell: Callable[[int, int], None]) -> None:
        """Folds to the head. `tell` is told of the position and of where it ends for now."""

    def reach(self, cursor: Cursor, live: Sequence[Generation]) -> bool:
        """Whether they stand where some live ones do, which stand still within the transaction; folds a little if need be."""


class _Here:
    """Folds in this process, undivided."""

    def __init__(self, writing: LedgerSession, feed: Feed, lane: Lane, pipeline: Pipeline, chunk: int) -> None:
        self._writing = writing
        self._feed = feed
        self._lane = lane
        self._pipeline = pipeline
        self._chunk = chunk

    def position(self) -> int:
        """See `_Folding`."""
        return self._lane.position

    def fold(self, tell: Callable[[int, int], None]) -> None:
        """See `_Folding`."""
        end = self._end()
        while self._lane.position < end:
            after = self._lane.position
            folded = self._lane.fold(self._feed.read(after, min(end, after + self._chunk), self._lane.skip))
            self._pipeline.submit(folded, end)
            tell(self._lane.position, end)
            if self._lane.position >= end:
                end = self._end()
        self._pipeline.settle()

    def _end(self) -> int:
        """How far it can be folded now: to the head, but not beyond where a supporting ledger stands."""
        self._pipeline.settle()
        return min([self._feed.head(), *_stands(self._writing, [member.generation for member in self._lane.support])])

    def reach(self, cursor: Cursor, live: Sequence[Generation]) -> bool:
        """See `_Folding`."""
        after = self._lane.position
        stands = positions(cursor)
        target = max([after, *(position for one in live for position in stands.get(one.id, {}).values())])
        if target - after > self._chunk:
            return False
        if target > after:
            self._writing.write_within(cursor, self._lane.fold(self._feed.read(after, target, self._lane.skip)), target)
        return True


class _ByWorkers:
    """Waits while the engines that share the ledgers fold."""

    def __init__(
        self,
        writing: LedgerSession,
        feed: Feed,
        members: Sequence[Member],
        support: Sequence[Member],
        begun: int,
    ) -> None:
        self._writing = writing
        self._feed = feed
        self._generations = [member.generation for member in members]
        self._support = [member.generation for member in support]
        self._position = begun

    def position(self) -> int:
        """See `_Folding`."""
        return self._position

    def fold(self, tell: Callable[[int, int], None]) -> None:
        """See `_Folding`.

        Raises:
            FoldError: a worker's fold raised.
            NotReadyError: for a minute no worker has folded anything.
        """
        end = min([self._feed.head(), *_stands(self._writing, self._support)])
        moved, before = time.monotonic(), -1
        while True:
            stands = _stands(self._writing, self._generations)
            self._position = min(stands)
            tell(self._position, end)
            if self._position >= end:
                return
            if sum(stands) != before:
                moved, before = time.monotonic(), sum(stands)
            elif time.monotonic() - moved > _PATIENCE:
                raise NotReadyError(
                    f"for {_PATIENCE:.0f} s no worker has folded what is rebuilt beyond position {self._position} of {end}:"
                    " start `qingling work`; what was built is kept",
                    position=self._position,
                )
            self._require_whole()
            time.sleep(_LOOK)

    def _require_whole(self) -> None:
        with self._writing.reading("looking whether a rebuild goes on") as cursor:
            building = generations(cursor, Existence.BUILDING).values()
        failed = next((one.failed for one in building if one.failed is not None), None)
        if failed is not None:
            raise FoldError(f"a worker could not rebuild: {failed}", position=self._position)

    def reach(self, cursor: Cursor, live: Sequence[Generation]) -> bool:
        """See `_Folding`."""
        stands = positions(cursor)
        furthest = {part: max((stands.get(one.id, {}).get(part, 0) for one in live), default=0) for part in EVERY_PART}
        undivided = max((stands.get(one.id, {}).get(WHOLE, 0) for one in live), default=0)
        self._position = min(min(stands[one.id].values()) for one in self._generations)
        return all(
            stands[one.id][part] >= max(undivided, furthest[part]) for one in self._generations for part in EVERY_PART
        )


_PATIENCE = 60.0
"""Seconds."""
_LOOK = 0.1


def _stands(session: LedgerSession, wanted: Sequence[Generation]) -> list[int]:
    """Where generations stand, each in each of its parts."""
    with session.reading("looking how far ledgers are folded") as cursor:
        found = positions(cursor)
    return [position for one in wanted for position in (found.get(one.id) or {WHOLE: 0}).values()]


class _Building:
    """One rebuild at work: generations that nobody reads yet."""

    retires_unknown = False
    """Whether live ledgers that this release does not know any more go with the swap."""

    def __init__(
        self,
        rebuild: Rebuild,
        writing: LedgerSession,
        folding: _Folding,
        members: Sequence[Member],
        support: Sequence[Member],
        progress: Callable[[RebuildProgress], None],
    ) -> None:
        self._catalogue = rebuild.catalogue
        self._writing = writing
        self._folding = folding
        self._members = members
        self._support = support
        self._progress = progress
        self._begun = folding.position()
        self._seconds = _Seconds()
        self._compared: list[str] = []
        self.names = [member.ledger.name for member in members]

    def run(self, *, accept_differences: bool) -> RebuildReport:
        """All stages."""
        seconds = self._seconds
        seconds.of(Stage.FOLDING, self._fold)
        rate = (self._folding.position() - self._begun) / max(seconds.spent[Stage.FOLDING], 1e-9)
        seconds.of(Stage.INDEXING, self._index)
        self._fold()
        seconds.of(Stage.CHECKING, lambda: self._check(accept_differences=accept_differences))
        while not self._swap():
            self._fold()
        return RebuildReport(
            ledgers=self.names,
            position=self._folding.position(),
            resumed_from=self._begun,
            events_per_second=rate,
            seconds_folding=seconds.spent[Stage.FOLDING],
            seconds_indexing=seconds.spent[Stage.INDEXING],
            seconds_checking=seconds.spent[Stage.CHECKING],
            compared=self._compared,
        )

    def _fold(self) -> None:
        begun, first = time.monotonic(), self._folding.position()

        def tell(position: int, end: int) -> None:
            rate = (position - first) / max(time.monotonic() - begun, 1e-9)
            self._tell(Stage.FOLDING, end, rate, (end - position) / rate if rate else None)

        self._folding.fold(tell)

    def _tell(self, stage: Stage, head: int, rate: float = 0.0, left: float | None = None) -> None:
        self._progress(RebuildProgress(stage, self.names, self._folding.position(), head, rate, left))

    def _index(self) -> None:
        self._tell(Stage.INDEXING, self._folding.position())
        for member in self._members:
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
        position = self._folding.position()
        self._tell(Stage.CHECKING, position)
        with self._writing.transaction("checking a rebuild") as cursor:
            live = generations(cursor, Existence.LIVE)
            comparable = self._comparable(cursor, live)
            found: list[str] = []
            for member in self._members:
                name = member.ledger.name
                if name in comparable:
                    table = table_of(member.ledger, live[name].number, live[name].segment_bits)
                    found += differences(cursor, member.table, table, position)
                else:
                    sources = {m.ledger.name: m.table for m in (*self._members, *self._support)}
                    found += inconsistencies(cursor, member.table, sources, position)
        if found and not (accept_differences and all(name in comparable for name in self.names)):
            raise FoldError("the rebuilt ledgers are not what they should be: " + "; ".join(found), position=position)
        self._compared = [name for name in self.names if name in comparable]

    def _comparable(self, cursor: Cursor, live: Mapping[str, Generation]) -> set[str]:
        """Ledgers that must come out as they were: their folds, and those that they follow, are unchanged, and they have come as far."""
        halted, stands = halts(cursor), positions(cursor)
        same = {
            name
            for name in self.names
            if name in live
            and name not in halted
            and not outdated(self._catalogue[name], live[name])
            and min(stands.get(live[name].id, {}).values(), default=0) >= self._folding.position()
        }
        return {
            name
            for name in same
            if all(source in same or source not in self.names for source in self._catalogue.sources(name))
        }

    def _swap(self) -> bool:
        """Folds what is left while the live ledgers stand still, and takes their place. False: too much is left, fold first."""
        self._tell(Stage.SWAPPING, self._folding.position())
        with self._writing.transaction("swapping in rebuilt ledgers") as cursor:
            # Whoever moves a ledger updates this table first, so nobody can hold a part of what is waited for here.
            cursor.execute("lock table ledger.progress in exclusive mode")
            live = generations(cursor, Existence.LIVE)
            if not self._folding.reach(cursor, [live[name] for name in self.names if name in live]):
                return False
            stands = positions(cursor)
            divided = any(WHOLE not in stands.get(each.id, {}) for each in live.values())
            for member in self._members:
                if member.ledger.name in live:
                    retire(cursor, live[member.ledger.name])
                go_live(cursor, member.generation)
                if divided:
                    divide(cursor, member.generation, EVERY_PART)
            if self.retires_unknown:
                for name in live.keys() - set(self._catalogue.names()):
                    retire(cursor, live[name])
            release(cursor, self.names)
        return True
