"""The service that seals in the background: what it repeats, what stops it, and what it says meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from domain.errors import LogMismatchError, NotReadyError, RecordingError, VerificationError
from domain.recording import Head
from infra.sealing import service as service_module
from infra.sealing.rounds import Rounds
from infra.sealing.service import SealingService

PATIENCE = 5.0


@dataclass
class GrowingLog:
    """A log that only has a length."""

    position: int = 1
    grown: threading.Event = field(default_factory=threading.Event)

    def head(self) -> Head:
        return Head(self.position, None)

    def grow(self) -> None:
        self.position += 1
        self.grown.set()

    def wait_for_append(self, after: int, timeout: float) -> bool:
        if self.position <= after:
            self.grown.wait(timeout)
            self.grown.clear()
        return self.position > after


@dataclass
class Scene:
    """A service over rounds that do as they are told."""

    log: GrowingLog = field(default_factory=GrowingLog)
    failures: list[Exception] = field(default_factory=list)
    beginnings: list[Exception] = field(default_factory=list)
    states: list[Exception | None] = field(default_factory=list)
    published: list[int] = field(default_factory=list)
    days: int = 0
    held: bool = False

    @contextmanager
    def begin(self) -> Iterator[Rounds]:
        if self.beginnings:
            raise self.beginnings.pop(0)
        self.held = True
        try:
            yield cast(Rounds, self)
        finally:
            self.held = False

    def run(self) -> int:
        if self.failures:
            raise self.failures.pop(0)
        self.published.append(self.log.position)
        return self.log.position

    def day(self) -> None:
        self.days += 1

    def service(self, interval: float = 0.0) -> SealingService:
        return SealingService(
            self.log, self.begin, interval=interval, on_state=self.states.append, commit_if_due=self.day
        )


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(service_module, "_WAKE", 0.02)
    monkeypatch.setattr(service_module, "_LOOK_AT_DAY", 0.01)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@contextmanager
def running(service: SealingService) -> Iterator[SealingService]:
    service.start()
    try:
        yield service
    finally:
        service.stop()


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.005)


def test_what_is_recorded_is_published_without_being_asked_for(scene: Scene) -> None:
    with running(scene.service()) as service:
        until(lambda: scene.published == [1])
        assert service.running
        assert service.leading
        scene.log.grow()
        until(lambda: scene.published == [1, 2])
    assert [service.running, scene.held] == [False, False]


def test_nothing_is_done_while_nothing_is_recorded(scene: Scene) -> None:
    with running(scene.service()):
        until(lambda: scene.published == [1])
        time.sleep(0.2)
        assert scene.published == [1]


def test_between_two_checkpoints_lies_the_interval(scene: Scene) -> None:
    with running(scene.service(interval=0.2)):
        until(lambda: scene.published)
        began = time.monotonic()
        scene.log.grow()
        until(lambda: len(scene.published) == 2)
        assert time.monotonic() - began > 0.1


def test_a_missing_quorum_is_waited_for_and_said(scene: Scene) -> None:
    scene.failures = [NotReadyError("two witnesses are silent")] * 3
    with running(scene.service()) as service:
        until(lambda: service.trouble == "two witnesses are silent" or scene.published)
        until(lambda: scene.published)
        until(lambda: service.trouble is None)
        assert service.stopped is None


def test_a_database_that_cannot_be_reached_stops_nothing(scene: Scene) -> None:
    scene.failures = [RecordingError("no connection")]
    with running(scene.service()) as service:
        until(lambda: scene.published == [1])
        assert service.stopped is None


def test_somebody_else_who_seals_is_waited_for(scene: Scene) -> None:
    scene.beginnings = [NotReadyError("another process holds the lock")] * 3
    with running(scene.service()):
        until(lambda: scene.published == [1])
    assert scene.states == [None]


@pytest.mark.parametrize("error", [LogMismatchError("position 7 was rewritten"), VerificationError("a second signer")])
def test_a_contradiction_stops_the_service_with_its_reason_for_all_to_see(scene: Scene, error: Exception) -> None:
    scene.failures = [error]
    with running(scene.service()) as service:
        until(lambda: service.stopped)
        assert service.stopped == str(error)
        assert not service.running
        assert scene.states == [None, error]
        scene.log.grow()
        time.sleep(0.1)
        assert scene.published == []
        assert not scene.held


def test_ended_days_are_looked_for_only_by_the_one_who_seals(scene: Scene) -> None:
    scene.beginnings = [NotReadyError("another process holds the lock")] * 5
    with running(scene.service()) as service:
        until(lambda: scene.days > 0)
        assert service.leading
