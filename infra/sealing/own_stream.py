"""What the log records of itself: the keys that sign for it, and the maps that it is bound to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from domain.campaigns.genesis import GENESIS_STREAM, Genesis
from domain.entries import EventTypes, type_of
from domain.recording import LogReader
from domain.repository import Streams, decide
from domain.sealing.note import VerifierKey
from domain.sealing.sorted_map import MapHead
from domain.streams import Context, Provenance
from infra.clock import Clock
from infra.sealing.standing import Commitment

_COMMITTED = type_of(Genesis.WholenessCommitted)


class OwnStream:
    """See the module. Safe to share between threads."""

    def __init__(self, log: LogReader, streams: Streams, types: EventTypes, clock: Clock, zone: ZoneInfo) -> None:
        self._log = log
        self._streams = streams
        self.types = types
        self._clock = clock
        self._zone = zone

    def keys(self) -> tuple[VerifierKey, ...]:
        """Every key that was announced, the oldest first."""
        genesis = self._streams.find(Genesis, GENESIS_STREAM)
        return () if genesis is None else tuple(VerifierKey.parse(vkey) for vkey in genesis.keys)

    def retired(self) -> frozenset[str]:
        """The vkeys that sign no more."""
        genesis = self._streams.find(Genesis, GENESIS_STREAM)
        return frozenset() if genesis is None else frozenset(genesis.retired)

    def announce(self, vkey: str, reason: str | None, actor: str) -> int:
        """Records that a key signs from now on; the position of the event, 0 where it was recorded before."""
        return self._decide("key", actor, lambda log, now: log.announce_key(vkey, now, reason=reason))

    def retire(self, vkey: str, reason: str | None, actor: str) -> int:
        """Records that a key signs no more; the position of the event, 0 where it was recorded before.

        Raises:
            RuleError: it was never announced, or is the last one that signs.
        """
        return self._decide("key", actor, lambda log, now: log.retire_key(vkey, now, reason=reason))

    def bind(self, upto: int, streams: MapHead, partitions: MapHead, actor: str) -> int:
        """Records the heads of the wholeness maps as of `upto`; the position of the event.

        Raises:
            RuleError: an earlier commitment reaches further.
        """
        return self._decide("wholeness", actor, lambda log, now: log.commit_wholeness(upto, streams, partitions, now))

    def committed(self) -> Commitment | None:
        """The latest commitment, if there is any."""
        for stored in reversed(self._log.read_stream(GENESIS_STREAM)):
            if stored.type == _COMMITTED:
                event: Any = self.types.decode(stored).event
                heads = event.streams.size, event.partitions.size
                return Commitment(stored.position, event.upto, stored.recorded_at, *heads)
        return None

    def is_binding_due(self) -> bool:
        """Whether a local day has ended since the last commitment, or since the log began, and something was recorded after it."""
        last, first = self.committed(), self._log.read(0, 1)
        if not first or (last is not None and self._log.head().position <= last.position):
            return False
        since = first[0].recorded_at if last is None else last.recorded_at
        return since.astimezone(self._zone).date() < self._clock.now().astimezone(self._zone).date()

    def _decide(self, what: str, actor: str, act: Callable[[Genesis, Provenance], None]) -> int:
        def command() -> int:
            log = self._streams.get(Genesis, GENESIS_STREAM)
            now = self._clock.now().astimezone(self._zone)
            act(log, Provenance(occurred=now, received=now))
            if not log.pending_events:
                return 0
            context = Context(actor=actor, correlation=f"{what}-{uuid4()}")
            return self._streams.commit(log, context=context, now=self._clock.played()).positions[-1]

        return decide(command)
