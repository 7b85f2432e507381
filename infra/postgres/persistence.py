"""The persistence module of an eventsourcing application: `PERSISTENCE_MODULE=infra.postgres.persistence`.

Environment: `DATABASE_URL` (a migrated database; nothing is ever created here, whatever `CREATE_TABLE` says),
`ORIGINATOR_ID_TYPE` (uuid or text), `CONTIGUOUS_VERSIONS` (yes, unless the library's suites need to begin anywhere).
The library takes the one factory class that it finds in this module, so no other may be imported here.
"""

from __future__ import annotations

from typing import TypeVar, cast

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
)
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool

from domain.errors import SettingsError
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import Pool
from infra.postgres.library import (
    PostgresAggregateRecorder,
    PostgresProcessRecorder,
    PostgresSnapshotRecorder,
    PostgresTrackingRecorder,
)
from infra.postgres.recorder import PostgresLog
from infra.recorders import originator_id_type

L = TypeVar("L", bound=PostgresLog)


class PostgresFactory(InfrastructureFactory[PostgresTrackingRecorder]):
    """Makes the recorders of one application; `close` closes what they opened."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        dsn = self.env.get("DATABASE_URL")
        if not dsn:
            raise SettingsError("DATABASE_URL does not say which database holds the log")
        self._dsn = dsn
        self._config = RecorderConfig(
            originator_id_type=originator_id_type(self.env.get("ORIGINATOR_ID_TYPE", "uuid")),
            contiguous=bool(strtobool(self.env.get("CONTIGUOUS_VERSIONS", "yes"))),
        )
        self._pool = Pool(dsn, self._config)
        self._logs: list[PostgresLog] = []

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Events go to the log; whatever else the library wants to keep, such as snapshots, beside it."""
        if purpose == "events":
            return PostgresAggregateRecorder(self._log(PostgresLog))
        return PostgresSnapshotRecorder(self._pool)

    def application_recorder(self) -> ApplicationRecorder:
        """The log."""
        return self._log(PostgresLog)

    def tracking_recorder(
        self, tracking_recorder_class: type[PostgresTrackingRecorder] | None = None
    ) -> PostgresTrackingRecorder:
        """A tracking recorder of the given class, else of `TRACKING_RECORDER_TOPIC`, else the plain one."""
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        named = cast("type[PostgresTrackingRecorder]", resolve_topic(topic)) if topic else PostgresTrackingRecorder
        return (tracking_recorder_class or named)(self._pool)

    def process_recorder(self) -> ProcessRecorder:
        """The log, with tracking."""
        return self._log(PostgresProcessRecorder)

    def close(self) -> None:
        """Close every session of every recorder made here."""
        for log in self._logs:
            log.close()
        self._pool.close()

    def _log(self, kind: type[L]) -> L:
        log = kind(self._dsn, self._config)
        self._logs.append(log)
        return log
