"""The run's broker, and a topic of its own for each test, as the relay's tests have them."""

from __future__ import annotations

from tests.infra.relaying.conftest import config, kafka_broker

__all__ = ["config", "kafka_broker"]
