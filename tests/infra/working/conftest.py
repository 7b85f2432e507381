"""The broker and the fixtures of the relay's tests: workers fold what it carries."""

from __future__ import annotations

import pytest

from tests.infra.relaying.conftest import config, kafka_broker, log_url
from tests.kafka_broker import Broker

__all__ = ["config", "kafka_broker", "log_url"]


@pytest.fixture(scope="session")
def kafka_address(kafka_broker: Broker) -> str:
    """Where the run's broker is."""
    return kafka_broker.address
