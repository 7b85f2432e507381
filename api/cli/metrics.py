"""Figures of a process that serves no doors, for Prometheus, on loopback."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial

from domain.errors import InputError

Figures = Mapping[str, tuple[str, Callable[[], float | None]]]
"""By name: what it is, and what gives it."""


def serve_metrics(port: int, figures: Figures) -> None:
    """Serves gauges. What is not known is no number (`NaN`): a lag of 0 would say that all is well.

    Raises:
        InputError: the port cannot be had.
    """
    from prometheus_client import CollectorRegistry, Gauge, start_http_server

    def now(figure: Callable[[], float | None]) -> float:
        value = figure()
        return math.nan if value is None else float(value)

    registry = CollectorRegistry()
    for name, (what, figure) in figures.items():
        Gauge(name, what, registry=registry).set_function(partial(now, figure))
    try:
        start_http_server(port, addr="127.0.0.1", registry=registry)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot serve metrics on port {port}: {error}", field="metrics-port", rule="port") from error
