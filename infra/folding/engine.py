"""The engine: keeps the live ledgers at the head of their feed, each exactly once, and stops those whose fold raises.

Either one engine folds the whole log, or any number of them share its parts. One that folds all holds an advisory lock alone, and who
waits for it takes over when its session is gone; those that share hold it together, and are told by others which parts are theirs.
Nothing is folded twice even when two believe a part to be theirs: rows are written only together with the step of a position from
where it stood, so the second one is refused and looks again.

Start-up, catching up and normal running are one loop: look which ledgers fold and where they stand, put those at one position (in the
same parts) into a lane, fold the hindmost lanes up to the next. Ledgers that several build anew are lanes besides.

What stops a ledger is written down with its reason, and stays until somebody resumes it: a fold that raised, an event of an unknown
type, an operator; where the log is folded by parts, a ledger stops in the part of the event, and folds on in the others. A database or
broker that cannot be reached stops nothing: the engine tries again, ever more slowly, and says so (`trouble`).
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.entries import EventTypes
from domain.errors import FoldError, LogMismatchError, NotFoundError, NotReadyError, QinglingError
from infra.folding.arrangement import arranged
from infra.folding.feed import EVERY_PART, UNDIVIDED, Feed, LogFeed, Parts, Stretch, WatchedLog
from infra.folding.lane import Lane, Member
from infra.folding.pipeline import Pipeline
from infra.folding.rebuild import Rebuild, RebuildProgress, RebuildReport
from infra.postgres.ledger_registry import (
    WHOLE,
    Condition,
    Existence,
    Generation,
    Halt,
    Halts,
    PositionMovedError,
    Positions,
    confirm,
    create,
    divide,
    drop_retired,
    fail,
    generations,
    halt,
    halts,
    join,
    outdated,
    positions,
    release,
)
from infra.postgres.ledger_store import LedgerSession, LedgerStore
from infra.postgres.ledger_tables import bits_for, table_of
from projections.ledger import Catalogue

_logger = logging.getLogger(__name__)
_LOCK = 1363758720  # beside the append lock's number
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


class Progress(NamedTuple):
    """Up to where an engine has folded everything that is not stopped, and the head of its feed."""

    position: int
    head: int


class OutdatedReleaseError(NotReadyError):
    """An engine that shares the ledgers with others is of another release than they: it may not fold, and stops nobody."""


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
        """`feed` makes the feed when the engine begins to fold, with a session that it may read the log from; None: the log.

        An engine whose feed brings some parts only shares the ledgers with others.
        """
        self.config = config or EngineConfig()
        self.catalogue = catalogue
        self.trouble: str | None = None
        """Why nothing is folded just now although nothing is stopped; None: all is well."""
        self.leading = False
        """Whether this engine folds."""
        self.progress: Progress | None = None
        """How far it is; None while it does not fold."""
        self.moved = time.monotonic()
        """When it did something last: a database or a feed that hangs raises nothing."""
        self.failure: Exception | None = None
        """What no second try mends: the feed is another log's, or the release another one than those that fold beside it."""
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
            self.failure = self.progress = None
            self.moved = time.monotonic()
            self._thread = threading.Thread(target=self.run, name="fold-engine", daemon=True)
            self._thread.start()

    def stop(self, within: float | None = None) -> None:
        """Returns when the chunk at hand is committed and the thread has ended. With `within` after so many seconds at the latest: it then
        ends when it can, and has to be stopped again before it is started."""
        thread = self._thread
        if thread is not None:
            self._stopping.set()
            thread.join(within)
            if not thread.is_alive():
                self._thread = None

    def run(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Folds in the caller's thread until `until` says so, or `stop` is called from another one, or `failure` says why not."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set() and not until():
            try:
                self._lead(until)
                return
            except PositionMovedError as error:
                _logger.info("the engine looks again where its ledgers stand: %s", error)
            except (LogMismatchError, OutdatedReleaseError) as error:
                self.failure = error
                _logger.error("the engine gives up: %s", error)
                return
            except Exception as error:
                pause = _FIRST_PAUSE if self.trouble is None else min(pause * 2, self.config.longest_pause)
                self.trouble = f"{type(error).__name__}: {error}"
                unexpected = None if isinstance(error, QinglingError) else error
                _logger.warning("the engine tries again in %.1f s: %s", pause, error, exc_info=unexpected)
                self._stopping.wait(pause)
            finally:
                self.leading = False

    def run_once(self) -> None:
        """Folds in the caller's thread until every ledger that folds holds what the log held when this began.

        Raises:
            LogMismatchError, OutdatedReleaseError: see `failure`.
        """
        target = self._log.head().position
        self.run(until=lambda: self.progress is not None and self.progress.position >= target)
        if self.failure is not None:
            raise self.failure

    def _lead(self, until: Callable[[], bool]) -> None:
        with ExitStack() as stack:
            writing = stack.enter_context(self._store.session())
            reading = stack.enter_context(self._store.session())
            feed = self._feed(reading)
            stack.callback(feed.close)
            if not self._takes_over(writing, until, shared=feed.parts != UNDIVIDED):
                return
            self.leading, self.progress = True, None
            pipeline = stack.enter_context(Pipeline(writing))
            Leader(self, feed, writing, reading, pipeline).lead(self._stopping, until)

    def _takes_over(self, session: LedgerSession, until: Callable[[], bool], *, shared: bool) -> bool:
        take = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
        while not self._stopping.is_set() and not until():
            self.moved = time.monotonic()
            with session.reading("looking for another engine") as cursor:
                cursor.execute(f"select {take}(%s)", (_LOCK,))
                if (cursor.fetchone() or (False,))[0]:
                    return True
            self.trouble = "another engine folds all of the log; it must end first" if shared else None
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
                    min(stands.get(where[name].id, {}).values(), default=0) if name in where else 0,
                )
                for name in (ledger, *self.catalogue.followers(ledger))
                if WHOLE not in already.get(name, {})
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
            found = list(halted.get(ledger, {}).values())
            if not found:
                return
            one = found[-1]
            if one.state is Condition.OUTDATED:
                raise NotReadyError(f"ledger {ledger} {one.reason}", position=one.position)
            for source in self.catalogue.sources(ledger):
                for other in halted.get(source, {}).values():
                    raise NotReadyError(
                        f"ledger {ledger} follows {source}, which is {other.state}: resume that one",
                        position=one.position,
                    )
            followers = [
                name
                for name in self.catalogue.followers(ledger)
                if any(each.cause == ledger for each in halted.get(name, {}).values())
            ]
            release(cursor, [ledger, *followers])

    def rebuild(
        self,
        ledgers: Sequence[str] | None = None,
        progress: Callable[[RebuildProgress], None] | None = None,
        *,
        accept_differences: bool = False,
        by_workers: bool = False,
    ) -> RebuildReport:
        """Rebuilds ledgers and those that follow them (None: all) beside the live ones, and swaps them in. See `Rebuild`.

        `by_workers`: the engines that share the ledgers fold what is rebuilt, each its parts; this one only begins and ends it.

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
            return rebuild.run(ledgers, progress, accept_differences=accept_differences, by_workers=by_workers)

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
        self._shared = feed.parts != UNDIVIDED
        self._parts: Parts = feed.parts
        self._writing = writing
        self._reading = reading
        self._pipeline = pipeline
        self._lanes: list[Lane] = []
        self._live: Mapping[str, Generation] = {}
        self._stands: Positions = {}
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
                self._engine.moved = time.monotonic()
                if not self._round():
                    self._confirm()
                    self._feed.wait(max((lane.position for lane in self._lanes), default=_END), self._config.poll)

    # Which ledgers fold

    def _prepare(self) -> None:
        """Makes a generation for every ledger that has none, has all of them folded by parts or none, and drops what was replaced."""
        with self._writing.transaction("preparing the ledgers") as cursor:
            cursor.execute("lock table ledger.generation in share row exclusive mode")
            cursor.execute("lock table ledger.progress in exclusive mode")
            live = generations(cursor, Existence.LIVE)
            if self._shared:
                self._require_same_release(live)
            bits = bits_for(self._feed.head())
            for ledger in self._catalogue:
                if ledger.name not in live:
                    live[ledger.name] = create(cursor, ledger, Existence.LIVE, UNDIVIDED, indexed=True, bits=bits)
            stands = positions(cursor)
            undivided = [generation for generation in live.values() if WHOLE in stands.get(generation.id, {})]
            if self._shared or len(undivided) < len(live):
                for generation in undivided:
                    divide(cursor, generation, EVERY_PART)
                self._parts = self._feed.parts if self._shared else EVERY_PART
        drop_retired(self._writing, self._config.retired_for)

    def _require_same_release(self, live: Mapping[str, Generation]) -> None:
        """An engine that shares ledgers may not stop those that others fold on, and not leave out one that they fold."""
        for name, generation in live.items():
            if name not in self._catalogue:
                raise OutdatedReleaseError(
                    f"ledger {name} is folded here, and this release does not know it: run the release that the others run"
                )
            reason = outdated(self._catalogue[name], generation)
            if reason:
                raise OutdatedReleaseError(
                    f"ledger {name} is {reason}, or run the release that the others run; nothing was folded"
                )

    def _look(self) -> None:
        """Reads which ledgers fold and where they stand, and arranges them in lanes; a lane that stays as it was keeps its cache."""
        self._looked = time.monotonic()
        with self._writing.transaction("looking at the ledgers") as cursor:
            live = generations(cursor, Existence.LIVE)
            stands = positions(cursor)
            halted = halts(cursor)
            if self._shared:
                self._require_same_release(live)
            else:
                for one in list(self._outdated(live, halted, stands)):
                    halt(cursor, [one])
                    halted.setdefault(one.ledger, {})[WHOLE] = one
                if self._parts != UNDIVIDED and self._joined(cursor, live, stands, halted):
                    stands = positions(cursor)
            building = {
                name: generation
                for name, generation in generations(cursor, Existence.BUILDING).items()
                if self._shared
                and generation.failed is None
                and stands.get(generation.id, {}).keys() >= set(self._parts)
            }
        self._live, self._stands = live, stands
        kept = {
            (lane.position, lane.parts, tuple(member.generation.id for member in lane.members)): lane
            for lane in self._lanes
        }
        self._lanes = []
        for track in (live, building):
            names = [name for name in self._catalogue.names() if name in track]
            for lane in arranged(self._parts, names, partial(self._folds_from, track, halted)):
                members = [self._member(name, track[name]) for name in lane.ledgers]
                known = kept.get((lane.position, lane.parts, tuple(member.generation.id for member in members)))
                self._lanes.append(known or self._lane(members, lane.position, lane.parts, track))

    def _folds_from(self, track: Mapping[str, Generation], halted: Halts, name: str, part: int) -> int | None:
        """Where a ledger stands in a part; None where it does not fold."""
        generation = track[name]
        if generation.state is Existence.LIVE and halted.get(name, {}).keys() & {WHOLE, part}:
            return None
        return self._stands.get(generation.id, {}).get(part)

    def _joined(self, cursor: Cursor, live: Mapping[str, Generation], stands: Positions, halted: Halts) -> bool:
        """Has the log folded undivided again, once every ledger stands at one position in all its parts."""
        if any(len(set(stands[generation.id].values())) != 1 for generation in live.values()) or any(
            part != WHOLE for found in halted.values() for part in found
        ):
            return False
        for generation in live.values():
            join(cursor, generation)
        self._parts = UNDIVIDED
        return True

    def _outdated(self, live: Mapping[str, Generation], halted: Halts, stands: Positions) -> Iterator[Halt]:
        for name, generation in live.items():
            if name not in self._catalogue:
                continue
            reason = outdated(self._catalogue[name], generation)
            if not reason:
                continue
            for other in (name, *self._catalogue.followers(name)):
                known = halted.get(other, {}).get(WHOLE)
                if known is None or known.state is not Condition.OUTDATED:
                    why = reason if other == name else f"follows {name}, which was {reason}"
                    stood = stands.get(live[other].id, {}) if other in live else {}
                    yield Halt(other, Condition.OUTDATED, why, name, min(stood.values(), default=0))

    def _member(self, name: str, generation: Generation) -> Member:
        ledger = self._catalogue[name]
        return Member(ledger, generation, table_of(ledger, generation.number, generation.segment_bits))

    def _lane(self, members: Sequence[Member], position: int, parts: Parts, track: Mapping[str, Generation]) -> Lane:
        names = {member.ledger.name for member in members}
        sources = {source for name in names for source in self._catalogue.sources(name)} - names
        return Lane(
            members,
            [
                self._member(name, track[name] if name in track else self._live[name])
                for name in self._catalogue.names()
                if name in sources
            ],
            position,
            types=self._engine.types,
            rows=self._reading,
            cache_rows=self._config.cache_rows,
            parts=parts,
        )

    # Folding

    def _round(self) -> bool:
        """Takes every lane a little further, the foremost first; says whether there was anything to do."""
        head = self._feed.head()
        self._note_progress(head)
        busy = False
        ahead = {Existence.LIVE: head, Existence.BUILDING: head}
        for lane in list(self._lanes):
            if not self._lanes:
                break  # a lane has stopped: all are arranged anew
            kind = lane.members[0].generation.state
            target = min([ahead[kind], *(self._stand(member, part) for member in lane.support for part in lane.parts)])
            if lane.position < target:
                busy = True
                self._advance(lane, target, head)
            ahead[kind] = min(ahead[kind], lane.position)
        self._note_progress(head)
        return busy

    def _note_progress(self, head: int) -> None:
        live = [lane.position for lane in self._lanes if lane.members[0].generation.state is Existence.LIVE]
        self._engine.progress = Progress(min(live, default=head), head)

    def _stand(self, member: Member, part: int) -> int:
        return self._stands.get(member.generation.id, {}).get(part, 0)

    def _advance(self, lane: Lane, target: int, head: int) -> None:
        """Folds some chunks of a lane; committed when it returns."""
        building = lane.members[0].generation.state is Existence.BUILDING
        read: list[Stretch] = []
        try:
            for _ in range(1 if building and self._has_live_lanes() else _CHUNKS):
                if lane.position >= target:
                    break
                behind = target - lane.position
                size = self._config.chunk if behind <= self._config.chunk * 2 else self._config.catch_up_chunk
                committed = lane.position
                read = [self._feed.read(committed, min(target, committed + size), lane.skip, lane.parts)]
                try:
                    chunk = lane.fold(read[0])
                except FoldError as error:
                    self._pipeline.settle()
                    self._stop(lane, committed, error, head, read[0])
                    return
                self._pipeline.submit(chunk, head)
                self._engine.moved = time.monotonic()
            self._pipeline.settle()
        except PositionMovedError:
            raise
        except FoldError as error:  # raised by writing: nothing after the last committed chunk counts
            self._halt(lane, error, None, lane.parts)
            return
        self._note_stand(lane)

    def _has_live_lanes(self) -> bool:
        return any(lane.members[0].generation.state is Existence.LIVE for lane in self._lanes)

    def _note_stand(self, lane: Lane) -> None:
        """Keeps in mind where a lane stands; where it has caught up with another one, they become one at the next look."""
        kind = lane.members[0].generation.state
        for other in self._lanes:
            if other is lane or other.position != lane.position or other.members[0].generation.state is not kind:
                continue
            if other.parts == lane.parts or other.names == lane.names:
                self._looked = 0.0
        self._stands = {
            **self._stands,
            **{
                member.generation.id: {
                    **self._stands.get(member.generation.id, {}),
                    **dict.fromkeys(lane.parts, lane.position),
                }
                for member in lane.members
            },
        }

    def _stop(self, lane: Lane, committed: int, error: FoldError, head: int, read: Stretch) -> None:
        """Folds up to the position before the one that an error names, then stops whom it concerns; the rest folds on without."""
        before = committed
        while True:
            lane.reset(committed)
            before = error.position - 1
            if before <= committed:
                break
            try:
                chunk = lane.fold(self._feed.read(committed, before, lane.skip, lane.parts))
            except FoldError as earlier:  # what cannot be read at all was found before what cannot be folded
                error = earlier
                continue
            self._pipeline.submit(chunk, head)
            self._pipeline.settle()
            break
        of = tuple(entry.shard for entry in read.entries if entry.position == error.position) or lane.parts
        self._halt(lane, error, max(before, committed), lane.parts if lane.parts == UNDIVIDED else of)

    def _halt(self, lane: Lane, error: FoldError, position: int | None, parts: Parts) -> None:
        """Writes down that ledgers of a lane stopped in some parts. An error that names no ledger concerns them all."""
        self._lanes = []
        self._looked = 0.0
        if lane.members[0].generation.state is Existence.BUILDING:
            _logger.error("a rebuild stops: %s", error)
            with self._writing.transaction("stopping a rebuild") as cursor:
                fail(cursor, generations(cursor, Existence.BUILDING).values(), str(error))
            return
        if error.ledger:
            concerned = [
                name for name in (error.ledger, *self._catalogue.followers(error.ledger)) if name in lane.names
            ]
        else:
            concerned = sorted(lane.names)
        _logger.error("ledgers stop: %s: %s", ", ".join(concerned), error)
        with self._writing.transaction("stopping ledgers") as cursor:
            stands = positions(cursor)
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
                        reasons[name] + ("" if part == WHOLE else f" (in part {part} of {len(EVERY_PART)})"),
                        cause or name,
                        stands.get(ids[name], {}).get(part, 0) if position is None else position,
                        part,
                    )
                    for name in concerned
                    for part in parts
                ],
            )

    def _confirm(self) -> None:
        """Says that the lanes at the head have seen all there is, so that a feed that hangs can be told from a quiet one."""
        now = time.monotonic()
        if now - self._confirmed < self._config.confirm:
            return
        self._confirmed = now
        if self._feed.is_current():
            head = self._feed.head()
            with self._writing.transaction("confirming the ledgers' positions") as cursor:
                for lane in self._lanes:
                    moves = [member.generation.id for member in lane.members]
                    confirm(cursor, moves, lane.parts, lane.position, head)
        drop_retired(self._writing, self._config.retired_for)


_CHUNKS = 8
