"""The persistence module of an eventsourcing application in memory: `PERSISTENCE_MODULE=infra.memory.persistence`.

Environment: `ORIGINATOR_ID_TYPE` and `CONTIGUOUS_VERSIONS`, as `infra.postgres.persistence`. The library takes the one factory
class that it finds in this module, so no other may be imported here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    StoredEvent,
)
from eventsourcing.utils import resolve_topic, strtobool

from infra.memory.recorder import MemoryLog, MemoryProcessRecorder, MemoryTrackingRecorder
from infra.recorders import OriginatorId, originator_id_type


class MemoryAggregateRecorder(AggregateRecorder):
    """Events of aggregates, or snapshots, in a memory log of their own; the library expects no positions here."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        """See `LogRecorder.insert_events`."""
        self._log.insert_events(stored_events, **kwargs)

    def select_events(
        self,
        originator_id: OriginatorId,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """See `LogRecorder.select_events`."""
        return self._log.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)


class MemoryFactory(InfrastructureFactory[MemoryTrackingRecorder]):
    """Makes recorders in memory; each is empty."""

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """A recorder of its own. Snapshots skip versions, so only events can be held to follow one another."""
        return MemoryAggregateRecorder(MemoryLog(**self._options(contiguous=None if purpose == "events" else False)))

    def application_recorder(self) -> ApplicationRecorder:
        """A log."""
        return MemoryLog(**self._options())

    def tracking_recorder(
        self, tracking_recorder_class: type[MemoryTrackingRecorder] | None = None
    ) -> MemoryTrackingRecorder:
        """A tracking recorder of the given class, else of `TRACKING_RECORDER_TOPIC`, else the plain one."""
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        named = cast("type[MemoryTrackingRecorder]", resolve_topic(topic)) if topic else MemoryTrackingRecorder
        return (tracking_recorder_class or named)()

    def process_recorder(self) -> ProcessRecorder:
        """A log, with tracking."""
        return MemoryProcessRecorder(**self._options())

    def _options(self, *, contiguous: bool | None = None) -> dict[str, Any]:
        if contiguous is None:
            contiguous = bool(strtobool(self.env.get("CONTIGUOUS_VERSIONS", "yes")))
        kind = originator_id_type(self.env.get("ORIGINATOR_ID_TYPE", "uuid"))
        return {"contiguous": contiguous, "originator_id_type": kind}
