"""What the relay's verb tells Prometheus: nothing that it does not know."""

from __future__ import annotations

import socket
import urllib.request
from types import SimpleNamespace

import pytest

from api.cli.metrics import serve_metrics
from api.cli.relaying import _figures
from domain.errors import InputError
from infra.kafka.relay import RelayStatus
from tests.kafka_broker import free_ports


def test_a_lag_that_is_not_known_is_no_lag_of_none():
    status = RelayStatus(head=9, errors=2)
    [port] = free_ports(1)
    serve_metrics(port, _figures(SimpleNamespace(status=lambda: status)))

    def said() -> list[str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return [line for line in answer.read().decode().splitlines() if not line.startswith("#")]

    assert {"qingling_relay_lag NaN", "qingling_relay_trouble 0.0"} <= set(said())
    status.position, status.trouble = 7, "the database cannot be reached"
    assert {"qingling_relay_lag 2.0", "qingling_relay_position 7.0", "qingling_relay_errors 2.0"} <= set(said())
    assert "qingling_relay_trouble 1.0" in said()
    status.head_known = False
    assert "qingling_relay_lag NaN" in said()


def test_a_port_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="cannot serve metrics"):
        serve_metrics(taken.getsockname()[1], _figures(SimpleNamespace(status=RelayStatus)))
