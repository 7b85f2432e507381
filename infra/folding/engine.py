"""The engine: keeps the live ledgers at the head of their feed, each exactly once, and stops those whose fold raises.

One engine per database and part of the feed folds; a second one waits until the first is gone and takes over (an advisory lock of the
session that also writes, so that who loses the one can no longer do the other). Start-up, catching up and normal running are one
loop: look which ledgers fold and where they stand, put those at one position into a lane, fold the hindmost lanes up to the next.

What stops a ledger is written down with its reason, and stays until somebody resumes it: a fold that raised, an event of an unknown
type, an operator. A database that cannot be reached stops nothing: the engine tries again, ever more slowly, and says so (`trouble`).
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from domain.entries import EventTypes
from domain.errors import FoldError, NotFoundError, NotReadyError
from infra.folding.feed import Feed, LogFeed, WatchedLog
from infra.folding.lane import Lane, Member
from infra.folding.pipeline import Pipeline
from infra.folding.rebuild import Rebuild, RebuildProgress, RebuildReport
from infra.postgres.ledger_registry import (
    Condition,
    Existence,
    Generation,
    Halt,
    PositionMovedError,
    confirm,
    create,
    drop_retired,
    generations,
    halt,
    halts,
    outdated,
    positions,
    release,
)
from infra.postgres.ledger_store import LedgerSession, LedgerStore
from infra.postgres.ledger_tables import bits_for, table_of
from projections.ledger import Catalogue

_logger = logging.getLogger(__name__)
_LOCK = 1363758720  # beside the append lock's number; a part of a feed adds its own
_END = 2**63 - 1


@dataclass(frozen=True)
class EngineConfig:
    """How the engine works. Counts of events and rows; times in seconds."""

    chunk: int = 1_000
    """Events folded and committed at once while ledgers are near the head."""
    catch_up_chunk: int = 10_000
    """The same while they are far behind it, and in a rebuild."""
    cache_rows: int = 100_000
    """Rows that a live lane keeps in memory at the most."""
    rebuild_rows: int = 200_000
    """The same for a rebuild."""
    poll: float = 0.5
    """Longest time between two looks at what operators want and at the feed."""
    confirm: float = 1.0
    """Time between two confirmations that ledgers are at the head, from which readers tell a hanging feed."""
    leadership: float = 1.0
    """Time between two attempts to take over from another engine."""
    longest_pause: float = 30.0
    """Longest time between two attempts to reach a database that fails."""
    retired_for: float = 60.0
    """How long a replaced generation is kept for readers that may still be in it."""


class Engine:
    """See the module. `start` and `stop` from any thread, as often as wanted; `pause`, `resume` and `rebuild` without `start`, too."""

    def __init__(
        self,
        log: WatchedLog,
        store: LedgerStore,
        catalogue: Catalogue,
        types: EventTypes,
        config: EngineConfig | None = None,
        *,
        feed: Callable[[LedgerSession], Feed] | None = None,
    ) -> None:
        """`feed` makes the feed when the engine begins to fold, with a session that it may read the log from; None: the log."""
        self.config = config or EngineConfig()
        self.catalogue = catalogue
        self.trouble: str | None = None
        """Why nothing is folded just now although nothing is stopped; None: all is well."""
        self.leading = False
        """Whether this engine is the one that folds."""
        self._log = log
        self._store = store
        self._types = types
        self._feed = feed or (lambda session: LogFeed(log, session))
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    # Running

    def start(self) -> None:
        """Begins to fold, in a thread of its own."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self.run, name="fold-engine", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Returns when the chunk at hand is committed and the thread has ended."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping.set()
            thread.join()

    def run(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Folds in the caller's thread until `until` says so, or `stop` is called from another one."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set() and not until():
            try:
                self._lead(until)
                return
            except PositionMovedError as error:
                _logger.info("the engine looks again where its ledgers stand: %s", error)
            except Exception as error:
                pause = _FIRST_PAUSE if self.trouble is None else min(pause * 2, self.config.longest_pause)
                self.trouble = f"{type(error).__name__}: {error}"
                _logger.warning("the engine tries again in %.1f s", pause, exc_info=error)
                self._stopping.wait(pause)
            finally:
                self.leading = False

    def _lead(self, until: Callable[[], bool]) -> None:
        with ExitStack() as stack:
            writing = stack.enter_context(self._store.session())
            reading = stack.enter_context(self._store.session())
            feed = self._feed(reading)
            if not self._takes_over(writing, feed.part, until):
                return
            self.leading = True
            pipeline = stack.enter_context(Pipeline(writing, feed.part))
            Leader(self, feed, writing, reading, pipeline).lead(self._stopping, until)

    def _takes_over(self, session: LedgerSession, part: int, until: Callable[[], bool]) -> bool:
        while not self._stopping.is_set() and not until():
            with session.reading("looking for another engine") as cursor:
                cursor.execute("select pg_try_advisory_lock(%s)", (_LOCK + 1 + part,))
                if (cursor.fetchone() or (False,))[0]:
                    return True
            self.trouble = None
            self._stopping.wait(self.config.leadership)
        return False

    # Operators

    def pause(self, ledger: str) -> None:
        """Stops folding into a ledger, and into those that follow it, until it is resumed.

        Raises:
            NotFoundError: there is no such ledger.
        """
        self._known(ledger)
        with self._store.session() as session, session.transaction("pausing a ledger") as cursor:
            already = halts(cursor)
            where = {generation.ledger: generation for generation in generations(cursor, Existence.LIVE).values()}
            stands = positions(cursor)
            found = [
                Halt(
                    name,
                    Condition.PAUSED,
                    "paused" if name == ledger else f"follows {ledger}, which is paused",
                    ledger,
                    stands.get(where[name].id, 0) if name in where else 0,
                )
                for name in (ledger, *self.catalogue.followers(ledger))
                if name not in already
            ]
            halt(cursor, found)

    def resume(self, ledger: str) -> None:
        """Lets a paused or stopped ledger catch up, and those that were halted because of it.

        Raises:
            NotFoundError: there is no such ledger.
            NotReadyError: it must be rebuilt first, or it follows one that is halted itself.
        """
        self._known(ledger)
        with self._store.session() as session, session.transaction("resuming a ledger") as cursor:
            halted = halts(cursor)
            live = generations(cursor, Existence.LIVE).get(ledger)
            reason = "" if live is None else outdated(self.catalogue[ledger], live)
            if reason:
                raise NotReadyError(f"ledger {ledger} is {reason}")
            one = halted.get(ledger)
            if one is None:
                return
            if one.state is Condition.OUTDATED:
                raise NotReadyError(f"ledger {ledger} {one.reason}", position=one.position)
            for source in self.catalogue.sources(ledger):
                if source in halted:
                    raise NotReadyError(
                        f"ledger {ledger} follows {source}, which is {halted[source].state}: resume that one",
                        position=one.position,
                    )
            followers = [
                name for name in self.catalogue.followers(ledger) if name in halted and halted[name].cause == ledger
            ]
            release(cursor, [ledger, *followers])

    def rebuild(
        self,
        ledgers: Sequence[str] | None = None,
        progress: Callable[[RebuildProgress], None] | None = None,
        *,
        accept_differences: bool = False,
    ) -> RebuildReport:
        """Rebuilds ledgers and those that follow them (None: all) beside the live ones, and swaps them in. See `Rebuild`.

        Raises:
            NotFoundError: there is no such ledger.
            NotReadyError: another rebuild runs, or a ledger that these follow is outdated.
            FoldError: a fold raised, or what was built is not what it should be; nothing was swapped.
        """
        for name in ledgers or ():
            self._known(name)
        with quiet_collector():
            rebuild = Rebuild(
                self._store,
                self.catalogue,
                self._types,
                self._feed,
                self.config.catch_up_chunk,
                self.config.rebuild_rows,
            )
            return rebuild.run(ledgers, progress, accept_differences=accept_differences)

    def _known(self, ledger: str) -> None:
        if ledger not in self.catalogue:
            raise NotFoundError(f"there is no ledger {ledger!r}; there are {', '.join(self.catalogue.names())}")

    @property
    def types(self) -> EventTypes:
        """The event types that it can read."""
        return self._types


_FIRST_PAUSE = 0.2


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Lets Python look for garbage cycles less often: folding makes rows by the hundred thousand and no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Leader:
    """The engine's loop, for as long as it leads and nothing goes wrong with the database."""

    def __init__(
        self, engine: Engine, feed: Feed, writing: LedgerSession, reading: LedgerSession, pipeline: Pipeline
    ) -> None:
        self._engine = engine
        self._config = engine.config
        self._catalogue = engine.catalogue
        self._feed = feed
        self._writing = writing
        self._reading = reading
        self._pipeline = pipeline
        self._lanes: list[Lane] = []
        self._stands: dict[str, int] = {}
        self._confirmed = 0.0
        self._looked = 0.0

    def lead(self, stopping: threading.Event, until: Callable[[], bool]) -> None:
        """Folds until told to stop."""
        self._prepare()
        self._engine.trouble = None
        with quiet_collector():
            while not stopping.is_set() and not until():
                if time.monotonic() - self._looked >= self._config.poll or not self._lanes:
                    self._look()
                if not self._round():
                    self._confirm()
                    self._feed.wait(max((lane.position for lane in self._lanes), default=_END), self._config.poll)

    # Which ledgers fold

    def _prepare(self) -> None:
        """Makes a generation for every ledger that has none, and drops what was replaced."""
        with self._writing.transaction("preparing the ledgers") as cursor:
            cursor.execute("lock table ledger.generation in share row exclusive mode")
            live = generations(cursor, Existence.LIVE)
            bits = bits_for(self._feed.head())
            for ledger in self._catalogue:
                if ledger.name not in live:
                    create(cursor, ledger, Existence.LIVE, (self._feed.part,), indexed=True, bits=bits)
        drop_retired(self._writing, self._config.retired_for)

    def _look(self) -> None:
        """Reads which ledgers fold and where they stand, and arranges them in lanes; a lane that stays as it was keeps its cache."""
        self._looked = time.monotonic()
        with self._writing.transaction("looking at the ledgers") as cursor:
            live = generations(cursor, Existence.LIVE)
            stands = positions(cursor, self._feed.part)
            halted = halts(cursor)
            for one in self._outdated(live, halted):
                halt(cursor, [one])
                halted[one.ledger] = one
        self._stands = {name: stands.get(generation.id, 0) for name, generation in live.items()}
        groups: dict[int, list[str]] = {}
        for name in self._catalogue.names():
            if name in live and name not in halted:
                groups.setdefault(self._stands[name], []).append(name)
        kept = {(lane.position, tuple(member.generation.id for member in lane.members)): lane for lane in self._lanes}
        self._lanes = []
        for position in sorted(groups, reverse=True):
            members = [self._member(name, live[name]) for name in groups[position]]
            lane = kept.get((position, tuple(member.generation.id for member in members)))
            self._lanes.append(lane or self._lane(members, position, live))

    def _outdated(self, live: dict[str, Generation], halted: dict[str, Halt]) -> Iterator[Halt]:
        for name, generation in live.items():
            if name not in self._catalogue:
                continue
            reason = outdated(self._catalogue[name], generation)
            if not reason:
                continue
            for other in (name, *self._catalogue.followers(name)):
                known = halted.get(other)
                if known is None or known.state is not Condition.OUTDATED:
                    why = reason if other == name else f"follows {name}, which was {reason}"
                    yield Halt(other, Condition.OUTDATED, why, name, self._stands.get(other, 0))

    def _member(self, name: str, generation: Generation) -> Member:
        ledger = self._catalogue[name]
        return Member(ledger, generation, table_of(ledger, generation.number, generation.segment_bits))

    def _lane(self, members: Sequence[Member], position: int, live: dict[str, Generation]) -> Lane:
        names = {member.ledger.name for member in members}
        sources = {source for name in names for source in self._catalogue.sources(name)} - names
        return Lane(
            members,
            [self._member(name, live[name]) for name in self._catalogue.names() if name in sources],
            position,
            types=self._engine.types,
            rows=self._reading,
            cache_rows=self._config.cache_rows,
            shards=self._feed.shards,
        )

    # Folding

    def _round(self) -> bool:
        """Takes every lane a little further, the foremost first; says whether there was anything to do."""
        head = self._feed.head()
        busy, ahead = False, head
        for lane in list(self._lanes):
            target = min([ahead, *(self._stands[member.ledger.name] for member in lane.support)])
            if lane.position < target:
                busy = True
                self._advance(lane, target, head)
            ahead = lane.position
        return busy

    def _advance(self, lane: Lane, target: int, head: int) -> None:
        """Folds some chunks of a lane; committed when it returns."""
        try:
            for _ in range(_CHUNKS):
                if lane.position >= target:
                    break
                behind = target - lane.position
                size = self._config.chunk if behind <= self._config.chunk * 2 else self._config.catch_up_chunk
                committed = lane.position
                stretch = self._feed.read(committed, min(target, committed + size), lane.skip)
                try:
                    chunk = lane.fold(stretch)
                except FoldError as error:
                    self._pipeline.settle()
                    self._stop(lane, committed, error, head)
                    return
                self._pipeline.submit(chunk, head)
            self._pipeline.settle()
        except PositionMovedError:
            raise
        except FoldError as error:  # raised by writing: nothing after the last committed chunk counts
            self._halt(lane, error, None)
        if all(other.position != lane.position for other in self._lanes if other is not lane):
            self._stands.update(dict.fromkeys(lane.names, lane.position))
        else:
            self._looked = 0.0  # it has caught up with another lane, and becomes one with it

    def _stop(self, lane: Lane, committed: int, error: FoldError, head: int) -> None:
        """Folds up to the position before the one that an error names, then stops whom it concerns; the rest folds on without."""
        before = committed
        while True:
            lane.reset(committed)
            before = error.position - 1
            if before <= committed:
                break
            try:
                chunk = lane.fold(self._feed.read(committed, before, lane.skip))
            except FoldError as earlier:  # what cannot be read at all was found before what cannot be folded
                error = earlier
                continue
            self._pipeline.submit(chunk, head)
            self._pipeline.settle()
            break
        self._halt(lane, error, max(before, committed))

    def _halt(self, lane: Lane, error: FoldError, position: int | None) -> None:
        """Writes down that ledgers of a lane stopped. An error that names none concerns them all."""
        self._lanes = []
        self._looked = 0.0
        if error.ledger:
            concerned = [
                name for name in (error.ledger, *self._catalogue.followers(error.ledger)) if name in lane.names
            ]
        else:
            concerned = sorted(lane.names)
        _logger.error("ledgers stop: %s: %s", ", ".join(concerned), error)
        with self._writing.transaction("stopping ledgers") as cursor:
            stands = positions(cursor, self._feed.part)
            ids = {member.ledger.name: member.generation.id for member in lane.members}
            reasons = {
                name: str(error) if name == error.ledger or not error.ledger else f"follows {error.ledger}: {error}"
                for name in concerned
            }
            cause = error.ledger if error.ledger in concerned else ""
            halt(
                cursor,
                [
                    Halt(
                        name,
                        Condition.STOPPED,
                        reasons[name],
                        cause or name,
                        stands.get(ids[name], 0) if position is None else position,
                    )
                    for name in concerned
                ],
            )

    def _confirm(self) -> None:
        """Says that the lanes at the head have seen all there is, so that a feed that hangs can be told from a quiet one."""
        now = time.monotonic()
        if now - self._confirmed < self._config.confirm:
            return
        self._confirmed = now
        head = self._feed.head()
        with self._writing.transaction("confirming the ledgers' positions") as cursor:
            for lane in self._lanes:
                confirm(cursor, [member.generation.id for member in lane.members], self._feed.part, lane.position, head)
        drop_retired(self._writing, self._config.retired_for)


_CHUNKS = 8
