"""The loop of an engine that leads: which ledgers fold, where they stand, in which lanes; and folding, chunk by chunk.

Start-up, catching up and normal running are one loop: look which ledgers fold and where they stand, put those at one position (in the
same parts) into a lane, fold the hindmost lanes up to the next. Ledgers that several build anew are lanes besides.

What stops a ledger is written down with its reason, and stays until somebody resumes it: a fold that raised, an event of an unknown
type; where the log is folded by parts, a ledger stops in the part of the event, and folds on in the others.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - the driver's class has a lower-case name

from domain.entries import EventTypes
from domain.errors import FoldError, NotReadyError
from infra.folding.arrangement import arranged
from infra.folding.feed import EVERY_PART, UNDIVIDED, Feed, Parts, Stretch
from infra.folding.lane import Lane, Member
from infra.folding.pipeline import Pipeline
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
)
from infra.postgres.ledger_store import LedgerSession
from infra.postgres.ledger_tables import bits_for, table_of
from projections.ledger import Catalogue

_logger = logging.getLogger(__name__)
_END = 2**63 - 1
_CHUNKS = 8


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


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Lets Python look for garbage cycles less often: folding makes rows by the hundred thousand and no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Leading(Protocol):
    """What a leader says of itself, for whoever asks the engine."""

    trouble: str | None
    progress: Progress | None
    moved: float


class Leader:
    """The engine's loop, for as long as it leads and nothing goes wrong with the database."""

    def __init__(
        self,
        engine: Leading,
        config: EngineConfig,
        catalogue: Catalogue,
        types: EventTypes,
        feed: Feed,
        writing: LedgerSession,
        reading: LedgerSession,
        pipeline: Pipeline,
    ) -> None:
        self._engine = engine
        self._config = config
        self._catalogue = catalogue
        self._types = types
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
            types=self._types,
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
