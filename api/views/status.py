"""Whether the ledgers keep up with the log: positions, lag, states and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.reading import Reading
from api.views.sealing import SealingView, sealing_view
from api.views.values import local
from api.views.view import LogTag, Said, View, log_tag, said
from api.words import LEDGER_STATES, Word

if TYPE_CHECKING:
    from infra.bootstrap import Platform, PlatformStatus

NEAR_HEAD = 1_000
"""Positions that a ledger may be behind the log and still be called near its head."""


class LedgerStatusView(View):
    """Where one ledger stands."""

    name: str
    title: Said
    generation: int
    """Rises with every rebuild."""
    fold_version: int
    state: str
    """running, paused, stopped, or rebuilding."""
    state_title: Said
    reason: str | None
    """Why it is paused or stopped."""
    position: int
    head: int
    lag: int
    """Positions that it is behind the log."""
    updated: str | None


class StatusView(View):
    """The health of the platform."""

    log: LogTag
    head: int
    recorded: str | None
    """When the last event was recorded."""
    folding: bool
    """Whether this process folds the ledgers."""
    watermark_age: float | None
    """Seconds since the ledgers were last known to be at the head of the log; null where this process does not fold."""
    database: str
    ready: bool
    why_not: list[str]
    """What keeps the platform from being ready, one sentence each."""
    sealing: SealingView
    ledgers: list[LedgerStatusView]


def status_view(reading: Reading) -> StatusView:
    """The status of the platform."""
    platform = reading.platform
    status = platform.status()
    zone = platform.info.zone
    sealing = sealing_view(reading)
    reasons = why_not_ready(status, sealing.stopped)
    return StatusView(
        log=log_tag(reading),
        head=status.head.position,
        recorded=None if status.head.recorded_at is None else local(status.head.recorded_at, zone),
        folding=status.folding,
        watermark_age=status.watermark_age,
        database=status.database,
        ready=not reasons,
        why_not=reasons,
        sealing=sealing,
        ledgers=_ledgers(platform, status),
    )


def _ledgers(platform: Platform, status: PlatformStatus) -> list[LedgerStatusView]:
    found = []
    for ledger in status.ledgers:
        title = platform.catalogue[ledger.name].title
        state = str(ledger.state)
        found.append(
            LedgerStatusView(
                name=ledger.name,
                title=Said(zh=title.zh, en=title.en),
                generation=ledger.generation,
                fold_version=ledger.fold_version,
                state=state,
                state_title=said(LEDGER_STATES.get(state, Word(state, state))),
                reason=ledger.reason,
                position=ledger.position,
                head=ledger.head,
                lag=ledger.lag,
                updated=None if ledger.updated_at is None else local(ledger.updated_at, platform.info.zone),
            )
        )
    return found


def why_not_ready(status: PlatformStatus, sealing_stopped: str | None) -> list[str]:
    """What keeps the platform from being relied on; empty when its ledgers are near the head of the log and sealing has not stopped.

    That something waits to be published is no reason: a witness may be away for a while.
    """
    reasons = [] if sealing_stopped is None else [f"sealing has stopped: {sealing_stopped}"]
    for ledger in status.ledgers:
        state = str(ledger.state)
        if state in ("stopped", "paused"):
            why = f": {ledger.reason}" if ledger.reason else ""
            reasons.append(f"ledger {ledger.name} is {state} at position {ledger.position}{why}")
        elif ledger.lag > NEAR_HEAD:
            reasons.append(f"ledger {ledger.name} is {ledger.lag} positions behind the log")
    return reasons
