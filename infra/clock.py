"""The present of a deployment: the clock's, or in a simulation the time that it has been played to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.campaigns.genesis import LogKind
from domain.recording import LogReader


class Clock:
    """See the module."""

    def __init__(self, log: LogReader, kind: LogKind) -> None:
        self._log = log
        self._kind = kind

    def now(self) -> datetime:
        """The present, aware."""
        if self._kind is LogKind.REAL:
            return datetime.now(UTC)
        recorded_at = self._log.head().recorded_at
        return datetime.now(UTC) if recorded_at is None else recorded_at + timedelta(milliseconds=1)

    def played(self) -> datetime | None:
        """What to hand an append as its clock: nothing on a real log."""
        return None if self._kind is LogKind.REAL else self.now()
