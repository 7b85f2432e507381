"""Rounds: which callers are recorded together, and which thread does it.

Whoever calls while nobody records leads a round at once on its own thread, so that a lone caller pays no hand-over. Whoever calls
meanwhile waits; the first of the waiting leads the next round, with all that has gathered. In a crowd a thread of its own leads,
since it goes on to the next round while those just answered are still waking up. Measured on two cores, against only callers
leading and only a thread leading: 1 caller 2,060 (2,160, 2,030) events/s, 4 callers 4,110 (3,910, 3,570), 16 callers 8,790
(7,820, 8,730), 64 callers 17,740 (14,310, 18,170). To wait a little for more to gather slowed every number of callers.

Each caller gets its own answer. No stream and no command key stands in two batches of a round: such batches wait for the next one,
in their order.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from copy import copy
from queue import SimpleQueue
from threading import Lock, Thread

from domain.errors import RecordingError
from infra.postgres.append_call import Request
from infra.postgres.config import RecorderConfig

CROWD = 4
"""Callers that wait at the end of a round for a thread of its own to lead."""


class Rounds:
    """Brings callers together. `record` answers every request of a round; it is never called by two threads at once."""

    def __init__(self, record: Callable[[list[Request]], None], config: RecorderConfig) -> None:
        self._record = record
        self._config = config
        self._gate = Lock()
        self._waiting: deque[Request] = deque()
        self._is_led = False
        self._is_closed = False
        self._turns: SimpleQueue[bool] = SimpleQueue()
        self._leader: Thread | None = None

    @property
    def waiting(self) -> int:
        """How many callers wait for a round."""
        return len(self._waiting)

    def submit(self, request: Request) -> None:
        """Return when the request is answered, by this thread or another one."""
        with self._gate:
            self._waiting.append(request)
            follows, self._is_led = self._is_led, True
        if follows:
            self._follow(request)
        if not request.is_answered:
            self._lead(request)

    def close(self) -> None:
        """End the thread. Who still waits is led by one of themselves."""
        with self._gate:
            self._is_closed = True
            leader = self._leader
            self._turns.put(False)
        if leader is not None:
            leader.join()

    def _follow(self, request: Request) -> None:
        try:
            request.wait()
        except BaseException:  # interrupted: nobody must wait for this caller to lead
            with self._gate:
                if request in self._waiting:
                    self._waiting.remove(request)
            if request.leads:
                self._hand_over()
            raise

    def _lead(self, own: Request | None) -> None:
        """Lead one round. What `record` raises is known to all of the round, and raised here too."""
        with self._gate:
            requests = self._take_round()
        try:
            if requests:
                self._record(requests)
        except BaseException as error:
            unknown = f"the writer was interrupted; whether this was recorded is not known: {error!r}"
            fail(requests, RecordingError(unknown))
            raise
        finally:
            self._hand_over()
            for request in requests:
                if request is not own:
                    request.wake()

    def _lead_the_crowd(self) -> None:
        while self._turns.get():
            with contextlib.suppress(Exception):  # every caller of the round has been told
                self._lead(None)

    def _hand_over(self) -> None:
        with self._gate:
            self._is_led = bool(self._waiting)
            if len(self._waiting) >= CROWD and not self._is_closed:
                self._turns.put(True)
                if self._leader is None:
                    self._leader = Thread(target=self._lead_the_crowd, name="qingling-committer", daemon=True)
                    self._leader.start()
            elif self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].wake()

    def _take_round(self) -> list[Request]:
        """The first of the waiting, and all after it that can share its transaction; the others keep their order."""
        taken: list[Request] = []
        passed: list[Request] = []
        claimed: set[object] = set()
        events = 0
        while self._waiting and len(taken) < self._config.merge_batches:
            request = self._waiting.popleft()
            claims = _claims(request)
            count = events + len(request.batch.drafts)
            if not taken or (
                count <= self._config.merge_events and request.now == taken[0].now and claimed.isdisjoint(claims)
            ):
                taken.append(request)
                events = count
            else:
                passed.append(request)
            claimed |= claims
        self._waiting.extendleft(reversed(passed))
        return taken


def _claims(request: Request) -> set[object]:
    command = request.batch.command
    return {*request.streams} if command is None else {*request.streams, (command.actor, command.key)}


def fail(requests: Iterable[Request], error: BaseException) -> None:
    """Answer with an error whoever has no answer yet."""
    for request in requests:
        if not request.is_answered:
            request.error = copy(error)  # one of its own for each thread that raises it
            request.error.__cause__ = error.__cause__
