"""The eventsourcing library's own suites, on the recorders in PostgreSQL."""

from __future__ import annotations

import os
from contextlib import ExitStack
from unittest import TestCase
from unittest.mock import patch

import eventsourcing.tests.application as application_suites
import eventsourcing.tests.persistence as suites
from eventsourcing.utils import Environment, get_topic

from infra.postgres.config import RecorderConfig
from infra.postgres.connection import Pool
from infra.postgres.library import (
    PostgresAggregateRecorder,
    PostgresProcessRecorder,
    PostgresSnapshotRecorder,
    PostgresTrackingRecorder,
)
from infra.postgres.persistence import PostgresFactory
from infra.postgres.recorder import PostgresLog
from tests.migrated import log_database

ANYWHERE = RecorderConfig(contiguous=False, originator_id_type="uuid")
"""The suites begin streams at any version."""


class OnPostgres(TestCase):
    """Gives each test of a suite a database of its own."""

    def setUp(self) -> None:
        self.opened = ExitStack()
        self.url = self.opened.enter_context(log_database())
        super().setUp()

    def tearDown(self) -> None:
        super().tearDown()
        self.opened.close()

    def open_log(self) -> PostgresLog:
        return self.opened.enter_context(PostgresLog(self.url, ANYWHERE))

    def open_pool(self) -> Pool:
        pool = Pool(self.url, ANYWHERE)
        self.opened.callback(pool.close)
        return pool


class TestApplicationRecorder(OnPostgres, suites.ApplicationRecorderTestCase):
    def create_recorder(self) -> PostgresLog:
        return self.open_log()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregateRecorder(OnPostgres, suites.AggregateRecorderTestCase):
    def create_recorder(self) -> PostgresAggregateRecorder:
        return PostgresAggregateRecorder(self.open_log())


class TestSnapshotRecorder(OnPostgres, suites.AggregateRecorderTestCase):
    def create_recorder(self) -> PostgresSnapshotRecorder:
        return PostgresSnapshotRecorder(self.open_pool())


class TestTrackingRecorder(OnPostgres, suites.TrackingRecorderTestCase):
    def create_recorder(self) -> PostgresTrackingRecorder:
        return PostgresTrackingRecorder(self.open_pool())


class TestProcessRecorder(OnPostgres, suites.ProcessRecorderTestCase):
    def create_recorder(self) -> PostgresProcessRecorder:
        return self.opened.enter_context(PostgresProcessRecorder(self.url, ANYWHERE))


class TestProcessRecorderAsTrackingRecorder(OnPostgres, suites.TrackingRecorderTestCase):
    def create_recorder(self) -> PostgresProcessRecorder:
        return self.opened.enter_context(PostgresProcessRecorder(self.url, ANYWHERE))


class TestNotificationIdsDoNotInterleave(OnPostgres, suites.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> PostgresLog:
        return self.open_log()

    def test(self) -> None:
        for attempt in range(20):
            with self.subTest(attempt=attempt):
                super().test()


class UpstreamTracking(PostgresTrackingRecorder):
    """A tracking recorder that an application brings."""


class TestFactory(suites.InfrastructureFactoryTestCase):
    def setUp(self) -> None:
        with ExitStack() as opened:
            url = opened.enter_context(log_database())
            self.addCleanup(opened.pop_all().close)
        self.env = Environment("TestCase", {"PERSISTENCE_MODULE": "infra.postgres.persistence", "DATABASE_URL": url})
        super().setUp()

    def expected_factory_class(self) -> type:
        return PostgresFactory

    def expected_aggregate_recorder_class(self) -> type:
        return PostgresAggregateRecorder

    def expected_application_recorder_class(self) -> type:
        return PostgresLog

    def expected_tracking_recorder_class(self) -> type:
        return PostgresTrackingRecorder

    def tracking_recorder_subclass(self) -> type:
        return UpstreamTracking

    def expected_process_recorder_class(self) -> type:
        return PostgresProcessRecorder


class TestExampleApplication(OnPostgres, application_suites.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(PostgresFactory)

    def setUp(self) -> None:
        super().setUp()
        environment = {"PERSISTENCE_MODULE": "infra.postgres.persistence", "DATABASE_URL": self.url}
        self.opened.enter_context(patch.dict(os.environ, environment))
