"""A worker: one of a consumer group that keeps the ledgers together, each the parts that lie in its partitions of the topic.

The group (Kafka's own, by consumer heartbeats) says which partitions are whose. Its member reads nothing; a fold engine reads the
partitions it is given (`TopicFeed`) and is begun anew whenever they change. That two workers believe a partition to be theirs for a
moment does no harm (`infra/folding/engine.py`), so a frozen one that wakes up needs no fence of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError

from domain.errors import DistributionError
from infra.folding.engine import Engine
from infra.folding.feed import Feed, WatchedLog
from infra.kafka.cluster import KafkaConfig, troubles
from infra.kafka.feed import TopicFeed, require_foldable
from infra.postgres.ledger_store import LedgerSession

_log = logging.getLogger(__name__)
_SESSION: Final = 10_000
"""Milliseconds after which a worker that is not heard of is gone, and its partitions are others'."""
_TURN: Final = 0.25
"""Seconds between two looks at the group and at the engine."""
_PAUSE: Final = 1.0
"""Seconds before it tries again to join the group."""
_STALLED: Final = 15.0
"""Seconds after which it is said that something does not end, though it may yet."""
_GIVING_UP: Final = 3.0
"""Seconds that the group waits for the chunk at hand. The client's heartbeats wait, too: it must be well below the session."""
_PATIENCE: Final = 20.0
"""Seconds without word from the group after which it is joined anew. Longer than the session, for which the others of a lost one wait."""


@dataclass(frozen=True)
class WorkerStatus:
    """How a worker is doing. `partitions`: its own now; `position`: up to where all of its parts are folded; `head`: what it could fold."""

    partitions: tuple[int, ...]
    position: int | None
    head: int | None
    rebalances: int
    trouble: str | None

    @property
    def lag(self) -> int | None:
        """Positions that it is behind what it could fold."""
        return None if self.position is None or self.head is None else max(0, self.head - self.position)


class Worker:
    """See the module. `engine` makes the engine, given what makes its feed.

    Raises:
        SettingsError: ledgers cannot be folded from so many partitions.
    """

    def __init__(
        self,
        log: WatchedLog,
        config: KafkaConfig,
        origin: str,
        engine: Callable[[Callable[[LedgerSession], Feed]], Engine],
    ) -> None:
        require_foldable(config)
        self._log = log
        self._config = config
        self._partitions: tuple[int, ...] = ()
        self._engine = engine(lambda _: TopicFeed(log, config, origin, self._partitions))
        self._rebalances = 0
        self._trouble: str | None = None

    @property
    def group(self) -> str:
        """The consumer group."""
        return f"qingling-ledgers-{self._config.topic}"

    def status(self) -> WorkerStatus:
        """How it is doing; from any thread."""
        engine = self._engine
        progress = engine.progress if self._partitions else None
        return WorkerStatus(
            partitions=self._partitions,
            position=None if progress is None else progress.position,
            head=None if progress is None else progress.head,
            rebalances=self._rebalances,
            trouble=self._trouble or (self._of_engine() if self._partitions else None),
        )

    def _of_engine(self) -> str | None:
        still = time.monotonic() - self._engine.moved
        if self._engine.trouble is None and still > _STALLED:
            return f"what was begun has not ended for {still:.0f} s: the database or Kafka hangs, or is very slow"
        return self._engine.trouble

    def run(self, until: Callable[[], bool], *, once: bool = False) -> None:
        """Folds until told to stop; with `once` until its parts hold what the log held when it began. Trouble that passes is waited out.

        Raises:
            LogMismatchError: the topic is another log's, or has another number of partitions.
            OutdatedReleaseError: the others fold by another release.
        """
        target = self._log.head().position if once else None
        try:
            while not until() and not self._reached(target):
                try:
                    self._belong(lambda: until() or self._reached(target))
                except DistributionError as error:
                    self._trouble = str(error)
                    _log.warning("the worker tries again to join its group: %s", error)
                    time.sleep(_PAUSE)
        finally:
            self._engine.stop()

    def _reached(self, target: int | None) -> bool:
        progress = self._engine.progress
        return target is not None and progress is not None and progress.position >= target

    def _belong(self, until: Callable[[], bool]) -> None:
        with troubles("joining the group"):
            member = KafkaConsumer(
                **self._config.client,
                group_id=self.group,
                enable_auto_commit=False,
                auto_offset_reset="latest",
                session_timeout_ms=_SESSION,
                heartbeat_interval_ms=_SESSION // 5,
                partition_assignment_strategy=[RangePartitionAssignor],
            )
        self._partitions = ()
        try:
            listener = _Assigned(self._engine)
            with troubles("being in the group"):
                # The client, as of 3.0.12, gives a group nothing, and may leave it at that, if it does not know the topic when it joins.
                if not member.partitions_for_topic(self._config.topic):
                    raise DistributionError(f"topic {self._config.topic} is not there")
                member.subscribe([self._config.topic], listener=listener)
                while not until():
                    member.poll(timeout_ms=_TURN * 1_000)
                    member.pause(*member.assignment())  # the feed reads
                    self._follow(listener)
        finally:
            self._engine.stop()  # before the partitions are others'
            with suppress(KafkaError):
                member.close()

    def _follow(self, listener: _Assigned) -> None:
        if self._engine.failure is not None:
            raise self._engine.failure
        if listener.asked is not None:
            if self._partitions:
                self._engine.stop()
                self._partitions = ()
            if time.monotonic() - listener.asked > _PATIENCE:
                raise DistributionError(f"the group has not said for {_PATIENCE:.0f} s whose the partitions are")
            return
        if not listener.changed:
            return
        self._engine.stop()
        self._rebalances += 1
        self._partitions, listener.changed = listener.assigned, False
        self._trouble = None
        _log.info("this worker folds partitions %s", self._partitions)
        if self._partitions:
            self._engine.start()


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc] # the client ships no types
    """Keeps what the group says. Called within `poll`, by the thread that also sends heartbeats."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.assigned: tuple[int, ...] = ()
        self.changed = False
        self.asked: float | None = time.monotonic()
        """Since when the group is waited for; None: it has said whose the partitions are."""

    def on_partitions_revoked(self, _: Any) -> None:
        """What is taken away is given up before it is somebody else's, or soon after, which does no harm."""
        self._engine.stop(_GIVING_UP)
        self.assigned = ()
        self.asked = time.monotonic()

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Always all of them, since the group's protocol is the eager one."""
        self.assigned = tuple(sorted(at.partition for at in assigned))
        self.changed, self.asked = True, None
