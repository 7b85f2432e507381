"""The eventsourcing library's own suites, on the recorders in memory."""

from __future__ import annotations

import os
from unittest.mock import patch

import eventsourcing.tests.application as application_suites
import eventsourcing.tests.persistence as suites
from eventsourcing.utils import Environment, get_topic

from infra.memory.persistence import MemoryAggregateRecorder, MemoryFactory
from infra.memory.recorder import MemoryLog, MemoryProcessRecorder, MemoryTrackingRecorder


def log_that_begins_anywhere() -> MemoryLog:
    """The suites begin streams at any version."""
    return MemoryLog(contiguous=False, originator_id_type="uuid")


class TestApplicationRecorder(suites.ApplicationRecorderTestCase):
    def create_recorder(self) -> MemoryLog:
        return log_that_begins_anywhere()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestAggregateRecorder(suites.AggregateRecorderTestCase):
    def create_recorder(self) -> MemoryAggregateRecorder:
        return MemoryAggregateRecorder(log_that_begins_anywhere())


class TestTrackingRecorder(suites.TrackingRecorderTestCase):
    def create_recorder(self) -> MemoryTrackingRecorder:
        return MemoryTrackingRecorder()


class TestProcessRecorder(suites.ProcessRecorderTestCase):
    def create_recorder(self) -> MemoryProcessRecorder:
        return MemoryProcessRecorder(contiguous=False, originator_id_type="uuid")


class TestNotificationIdsDoNotInterleave(suites.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> MemoryLog:
        return log_that_begins_anywhere()

    def test(self) -> None:
        for attempt in range(20):
            with self.subTest(attempt=attempt):
                super().test()


class UpstreamTracking(MemoryTrackingRecorder):
    """A tracking recorder that an application brings."""


class TestFactory(suites.InfrastructureFactoryTestCase):
    def setUp(self) -> None:
        self.env = Environment("TestCase", {"PERSISTENCE_MODULE": "infra.memory.persistence"})
        super().setUp()

    def expected_factory_class(self) -> type:
        return MemoryFactory

    def expected_aggregate_recorder_class(self) -> type:
        return MemoryAggregateRecorder

    def expected_application_recorder_class(self) -> type:
        return MemoryLog

    def expected_tracking_recorder_class(self) -> type:
        return MemoryTrackingRecorder

    def tracking_recorder_subclass(self) -> type:
        return UpstreamTracking

    def expected_process_recorder_class(self) -> type:
        return MemoryProcessRecorder


class TestExampleApplication(application_suites.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(MemoryFactory)

    def setUp(self) -> None:
        super().setUp()
        changed = patch.dict(os.environ, {"PERSISTENCE_MODULE": "infra.memory.persistence"})
        changed.start()
        self.addCleanup(changed.stop)
