"""`/healthz`, `/readyz`, `/metrics`: for whoever watches the process. Open, and without any personal data."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import orjson
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission import platform_of
from api.errors import ANSWERS, problem
from api.rest.problems import MEDIA_TYPE
from api.views.status import why_not_ready
from api.words import LEDGER_STATES
from domain.errors import LogMismatchError, NotReadyError, QinglingError, VerificationError

if TYPE_CHECKING:
    from infra.bootstrap import Platform, PlatformStatus, SealingStatus

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the process lives", response_class=Response)
def healthz() -> Response:
    """Answers as long as the process does."""
    return Response(b'{"live":true}', media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get(
    "/readyz", summary="Whether the ledgers are near the head of the log, and sealing goes on", response_class=Response
)
def readyz(request: Request) -> Response:
    """200, or 503 with the reason: a ledger is stopped, paused, or far behind, sealing has stopped, or the database cannot be reached."""
    platform = platform_of(request)
    try:
        reasons = why_not_ready(platform.status(), platform.sealing.status().stopped)
    except QinglingError as error:
        reasons = [str(error)]
    if not reasons:
        return Response(b'{"ready":true}', media_type="application/json", headers={"Cache-Control": "no-store"})
    body = problem(ANSWERS[NotReadyError], "; ".join(reasons), instance="/readyz")
    return Response(
        orjson.dumps(body),
        status_code=503,
        media_type=MEDIA_TYPE,
        headers={"Retry-After": "5", "Cache-Control": "no-store"},
    )


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
def metrics(request: Request) -> Response:
    """Head of the log, what of it is sealed and published, position, lag and state of every ledger, and how long requests took."""
    registry: CollectorRegistry = request.app.state.metrics
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class PlatformMetrics(Collector):
    """Reads the platform's status whenever it is asked for the metrics."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def describe(self) -> Iterable[Metric]:
        """Nothing is read before it is asked for."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The figures as of now."""
        status = self._platform.status()
        yield GaugeMetricFamily("qingling_log_head_position", "Last recorded position", value=status.head.position)
        if status.watermark_age is not None:
            yield GaugeMetricFamily(
                "qingling_watermark_age_seconds",
                "Seconds since the ledgers were last known to be at the head of the log",
                value=status.watermark_age,
            )
        yield from _of_ledgers(status)
        yield from _of_sealing(self._platform)


def _of_sealing(platform: Platform) -> Iterable[Metric]:
    stopped = GaugeMetricFamily("qingling_sealing_stopped", "1 where sealing has stopped and somebody has to look")
    try:
        status = platform.sealing.status()
    except (VerificationError, LogMismatchError):
        stopped.add_metric([], 1.0)
        yield stopped
        return
    stopped.add_metric([], float(bool(status.stopped)))
    yield stopped
    yield GaugeMetricFamily("qingling_log_sealed_size", "Events in the tree", value=status.sealed)
    yield GaugeMetricFamily(
        "qingling_log_published_size", "Events below the published checkpoint", value=status.published
    )
    yield GaugeMetricFamily(
        "qingling_log_publish_lag_seconds",
        "Seconds since the oldest event that is not published was recorded; 0 when all are",
        value=_seconds_behind(platform, status),
    )
    cosigned = GaugeMetricFamily(
        "qingling_witness_cosigned_size", "Size of the published checkpoint that a witness cosigned", labels=["witness"]
    )
    for witness in status.witnesses:
        cosigned.add_metric([witness.name], witness.cosigned or 0)
    yield cosigned


def _seconds_behind(platform: Platform, status: SealingStatus) -> float:
    """In the log's own time: a simulation's clock stands where it was played to."""
    if status.published >= status.recorded:
        return 0.0
    waiting = platform.event(status.published + 1).item.recorded
    return max(0.0, (platform.now() - waiting).total_seconds())


def _of_ledgers(status: PlatformStatus) -> Iterable[Metric]:
    position = GaugeMetricFamily("qingling_ledger_position", "Position folded up to", labels=["ledger"])
    lag = GaugeMetricFamily("qingling_ledger_lag", "Positions behind the log", labels=["ledger"])
    state = GaugeMetricFamily("qingling_ledger_state", "1 for the state that it is in", labels=["ledger", "state"])
    for ledger in status.ledgers:
        position.add_metric([ledger.name], ledger.position)
        lag.add_metric([ledger.name], ledger.lag)
        for name in LEDGER_STATES:
            state.add_metric([ledger.name, name], float(str(ledger.state) == name))
    yield from (position, lag, state)


def metrics_registry(platform: Platform) -> tuple[CollectorRegistry, Histogram]:
    """A registry of one application, and the histogram that its requests are observed in."""
    registry = CollectorRegistry()
    registry.register(PlatformMetrics(platform))
    durations = Histogram(
        "qingling_http_request_seconds",
        "How long requests took",
        ["method", "route", "status"],
        registry=registry,
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30),
    )
    return registry, durations


class Timing:
    """Observes how long every request took, by route and not by address, so that no name ever becomes a label."""

    def __init__(self, app: ASGIApp, durations: Histogram) -> None:
        self._app = app
        self._durations = durations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and takes the time until it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._durations.labels(method, route, str(status)).observe(time.perf_counter() - began)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
