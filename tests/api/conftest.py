"""Clients of the doors, over the played campaign in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.application import create_app
from domain.campaigns.genesis import LogKind
from tests.api.fake_platform import FakePlatform, played

_DOCUMENTS: dict[LogKind, dict[str, Any]] = {}
"""The description of the interface, by kind of log: making it takes seconds, and every test has an application of its own."""


def client_of(platform: Any, **options: Any) -> TestClient:
    """A client that takes answers as they come: redirects are not followed, errors are answers."""
    app = create_app(platform)
    describe, kind = app.openapi, platform.info.kind

    def described() -> dict[str, Any]:
        if kind not in _DOCUMENTS:
            _DOCUMENTS[kind] = describe()
        return _DOCUMENTS[kind]

    app.openapi = described  # type: ignore[method-assign]
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False, **options)


@pytest.fixture
def platform() -> FakePlatform:
    """A simulation: open to read."""
    return played()


@pytest.fixture
def client(platform: FakePlatform) -> Iterator[TestClient]:
    with client_of(platform) as client:
        yield client


@pytest.fixture
def real_platform() -> FakePlatform:
    """A real log: read by officers only."""
    return played(LogKind.REAL)


@pytest.fixture
def real_client(real_platform: FakePlatform) -> Iterator[TestClient]:
    with client_of(real_platform) as client:
        yield client
