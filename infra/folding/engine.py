"""The engine: keeps the live ledgers at the head of their feed, each exactly once, and stops those whose fold raises.

Either one engine folds the whole log, or any number of them share its parts. One that folds all holds an advisory lock alone, and who
waits for it takes over when its session is gone; those that share hold it together, and are told by others which parts are theirs.
Nothing is folded twice even when two believe a part to be theirs: rows are written only together with the step of a position from
where it stood, so the second one is refused and looks again.

While it leads, it is in the loop of `infra/folding/leader.py`. A database or broker that cannot be reached stops nothing: the engine
tries again, ever more slowly, and says so (`trouble`). Operators pause, resume and rebuild ledgers here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from domain.entries import EventTypes
from domain.errors import LogMismatchError, NotFoundError, NotReadyError, QinglingError
from infra.folding.feed import UNDIVIDED, Feed, LogFeed, WatchedLog
from infra.folding.leader import EngineConfig, Leader, OutdatedReleaseError, Progress, quiet_collector
from infra.folding.pipeline import Pipeline
from infra.folding.rebuild import Rebuild, RebuildProgress, RebuildReport
from infra.postgres.ledger_registry import (
    WHOLE,
    Condition,
    Existence,
    Halt,
    PositionMovedError,
    generations,
    halt,
    halts,
    outdated,
    positions,
    release,
)
from infra.postgres.ledger_store import LedgerSession, LedgerStore
from projections.ledger import Catalogue

_logger = logging.getLogger(__name__)
_LOCK = 1363758720  # beside the append lock's number
_FIRST_PAUSE = 0.2


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
            Leader(self, self.config, self.catalogue, self._types, feed, writing, reading, pipeline).lead(
                self._stopping, until
            )

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


_FIRST_PAUSE = 0.2
