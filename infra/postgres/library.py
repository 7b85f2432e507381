"""The eventsourcing library's other recorders in PostgreSQL: aggregates, snapshots, tracking, process applications.

They exist so that an application written with the library runs on the log unchanged. Qingling's own ledgers keep their feed
position with their rows and do not use them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    IntegrityError,
    ProcessRecorder,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extras import execute_values

from domain.recording import CommandKey
from infra.postgres.append_call import Request, call_append
from infra.postgres.connection import Pool, transaction, translated
from infra.postgres.recorder import PostgresLog
from infra.recorders import OriginatorId, batch_of


class PostgresAggregateRecorder(AggregateRecorder):
    """Events of aggregates, in the log; the library expects no positions here."""

    def __init__(self, log: PostgresLog) -> None:
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


class PostgresSnapshotRecorder(AggregateRecorder):
    """Snapshots: a cache in a table of its own, no part of the record."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> None:
        """Keep snapshots.

        Raises:
            VersionTakenError: there is one of this version.
        """
        rows = [
            (str(event.originator_id), event.originator_version, event.topic, event.state) for event in stored_events
        ]
        statement = "insert into qingling.snapshot (stream, version, type, state) values %s"
        with translated("keeping a snapshot"), self._pool.session() as connection, transaction(connection) as cursor:
            if rows:
                execute_values(cursor, statement, rows)

    def select_events(
        self,
        originator_id: OriginatorId,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The snapshots of one aggregate by version."""
        order = "desc" if desc else "asc"
        rows = self._pool.rows(
            "reading snapshots",
            "select version, type, state from qingling.snapshot where stream = %s and version > %s and version <= %s"
            f" order by version {order} limit %s",
            (str(originator_id), -1 if gt is None else gt, 2**31 - 1 if lte is None else lte, limit),
        )
        known_as = self._originator_id(originator_id)
        return [StoredEvent(known_as, version, type_, bytes(state)) for version, type_, state in rows]

    def _originator_id(self, given: OriginatorId) -> OriginatorId:
        return UUID(str(given)) if self._pool.config.originator_id_type == "uuid" else str(given)


class PostgresTrackingRecorder(TrackingRecorder):
    """How far each upstream application's notifications were processed."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def insert_tracking(self, tracking: Tracking) -> None:
        """Move on to a notification.

        Raises:
            IntegrityError: it is not after the last one.
        """
        with translated("tracking"), self._pool.session() as connection, connection.cursor() as cursor:
            move_on(cursor, tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """The last notification processed, or None."""
        query = "select notification_id from qingling.tracking where application = %s"
        rows = self._pool.rows("reading the tracking", query, (application_name,))
        return rows[0][0] if rows else None


class PostgresProcessRecorder(PostgresLog, ProcessRecorder):
    """Records events and how far an upstream log was read in one transaction. Such inserts are not merged."""

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        command: CommandKey | None = None,
        partitionkeys: Mapping[OriginatorId, str] | None = None,
        now: datetime | None = None,
        tracking: Tracking | None = None,
        **kwargs: Any,
    ) -> Sequence[int] | None:
        """See `LogRecorder.insert_events`; with `tracking` in the same transaction.

        Raises:
            IntegrityError: `tracking` is not after the last one, or a version is taken.
        """
        if tracking is None:
            return super().insert_events(stored_events, command=command, partitionkeys=partitionkeys, now=now, **kwargs)
        self.check_running()
        request = Request(batch_of(stored_events, command=command, partitionkeys=partitionkeys), now)
        with (
            translated("recording and tracking"),
            self._pool.session() as connection,
            transaction(connection) as cursor,
        ):
            position = call_append(cursor, [request], self.config, self._clock())
            outcome = request.answer()
            move_on(cursor, tracking)
        self._announce(position)
        return list(outcome.positions)

    def insert_tracking(self, tracking: Tracking) -> None:
        """See `PostgresTrackingRecorder.insert_tracking`."""
        PostgresTrackingRecorder(self._pool).insert_tracking(tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """See `PostgresTrackingRecorder.max_tracking_id`."""
        return PostgresTrackingRecorder(self._pool).max_tracking_id(application_name)


def move_on(cursor: Cursor, tracking: Tracking) -> None:
    """Track a notification in the cursor's transaction, or raise `IntegrityError` when it is not after the last one."""
    cursor.execute(
        "insert into qingling.tracking as t values (%s, %s) on conflict (application) do update"
        " set notification_id = excluded.notification_id where t.notification_id < excluded.notification_id",
        (tracking.application_name, tracking.notification_id),
    )
    if cursor.rowcount == 0:
        raise IntegrityError(
            f"notification {tracking.notification_id} of {tracking.application_name} is not after the last one"
        )
