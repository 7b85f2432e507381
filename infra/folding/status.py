"""How a ledger is doing, as doors and operators see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from projections.ledger import Title


class LedgerState(StrEnum):
    """What a ledger does now."""

    RUNNING = "running"
    PAUSED = "paused"
    """An operator stopped it, or one that it follows."""
    STOPPED = "stopped"
    """Its fold, or that of one that it follows, raised; `reason` says where."""
    OUTDATED = "outdated"
    """It was folded by another version of its fold, or of one that it follows, and must be rebuilt."""
    REBUILDING = "rebuilding"
    """As outdated, and a new generation of it is being built."""
    MISSING = "missing"
    """It was never folded."""


@dataclass(frozen=True)
class LedgerStatus:
    """One ledger. `lag`: positions that it is behind the log. `updated_at`: when it last was known to stand at `position`."""

    name: str
    title: Title
    generation: int
    fold_version: int
    state: LedgerState
    reason: str | None
    position: int
    head: int
    lag: int
    updated_at: datetime | None
