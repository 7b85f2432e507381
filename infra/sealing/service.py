"""Seals, signs and publishes in the background of a running platform, and binds the log to its histories after each day.

One process of a deployment does so: who holds the lock of the folder. Another one waits until it can take over. What contradicts
itself stops the service, with its reason written down beside the tree for every process to see; a witness or a database that cannot
be reached stops nothing: the service tries again, ever more slowly, and says so (`trouble`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from domain.errors import LogMismatchError, NotReadyError, SettingsError, VerificationError
from infra.folding.feed import WatchedLog
from infra.sealing.rounds import Rounds

_logger = logging.getLogger(__name__)
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_WAKE = 0.5  # seconds that the service sleeps at the most while nothing is recorded
_LOOK_AT_DAY = 30.0  # seconds between two looks at whether a day has ended

STOPPING = (LogMismatchError, VerificationError, SettingsError)
"""What no repetition mends: somebody has to look."""


class SealingService:
    """See the module. `begin` holds the lock while its rounds are in use."""

    def __init__(
        self,
        log: WatchedLog,
        begin: Callable[[], AbstractContextManager[Rounds]],
        *,
        interval: float,
        on_state: Callable[[Exception | None], None],
        commit_if_due: Callable[[], None],
    ) -> None:
        """`interval`: seconds between two checkpoints at the least. `on_state` is told why the service stopped, or None once it runs."""
        self.trouble: str | None = None
        self.stopped: str | None = None
        self.leading = False
        """Whether this process is the one that seals."""
        self._log = log
        self._begin = begin
        self._interval = interval
        self._on_state = on_state
        self._commit_if_due = commit_if_due
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def running(self) -> bool:
        """Whether the service was started and has not stopped by itself."""
        return bool(self._threads) and self.stopped is None

    def start(self) -> None:
        """Begins, in threads of its own."""
        self._ending.clear()
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._seal, "seal"), (self._watch_days, "wholeness"))
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when the round at hand has come to its end."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _seal(self) -> None:
        pause = _FIRST_PAUSE
        while not self._ending.is_set():
            try:
                with self._begin() as rounds:
                    self.leading = True
                    self._on_state(None)
                    self._keep_on(rounds)
            except STOPPING as error:
                self._stop_for(error)
                return
            except NotReadyError as error:
                self.trouble = str(error)  # another process seals
                self._ending.wait(_FIRST_PAUSE)
            except Exception as error:
                self.trouble = f"{type(error).__name__}: {error}"
                _logger.warning("sealing tries again in %.1f s", pause, exc_info=error)
                self._ending.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            finally:
                self.leading = False

    def _keep_on(self, rounds: Rounds) -> None:
        """Rounds until the service is stopped; waits for a quorum in here, so that what is recorded meanwhile is sealed all the same."""
        pause = _FIRST_PAUSE
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                published = rounds.run()
            except NotReadyError as error:
                self.trouble = str(error)
                self._ending.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            self.trouble, pause = None, _FIRST_PAUSE
            self._ending.wait(max(0.0, began + self._interval - time.monotonic()))
            while not self._ending.is_set() and not self._log.wait_for_append(published, _WAKE):
                pass

    def _stop_for(self, error: Exception) -> None:
        self.stopped = str(error)
        self._on_state(error)
        _logger.error("sealing has stopped: %s", error)
        self._ending.set()

    def _watch_days(self) -> None:
        pause = _WAKE
        while not self._ending.wait(pause):
            pause = _LOOK_AT_DAY if self.leading else _WAKE
            if self.leading:
                try:
                    self._commit_if_due()
                except Exception as error:
                    _logger.warning("the histories of the day are not bound yet; tried again soon", exc_info=error)
