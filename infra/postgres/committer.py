"""Records the rounds of a process's appends: one call of the database and one flush to disk for all callers of a round.

One batch that the database cannot take spoils its round for all, so each then gets a round of its own.

When the session is lost the round's fate is open. The committer opens a new session, takes the append lock (which the lost
transaction held until it was committed or undone), looks for its own bytes, records what is missing, and only then answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import datetime, timedelta

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from domain.errors import ClockError, QinglingError, RecordingError
from domain.recording import Batch, Outcome
from infra.postgres.append_call import Request, call_append
from infra.postgres.connection import Pool, is_lost, transaction, translated
from infra.postgres.lost import find_recorded
from infra.postgres.rounds import Rounds, fail
from infra.recorders import StoreFailedError, StoreUnreachableError

Clock = Callable[[], datetime]


class Committer:
    """Appends for the threads of a process. `announce` is told the new head after every round."""

    def __init__(self, pool: Pool, clock: Clock, announce: Callable[[int], None]) -> None:
        self._pool = pool
        self._config = pool.config
        self._clock = clock
        self._announce = announce
        self._connection: Connection | None = None
        self.rounds = Rounds(self._record_round, pool.config)
        self.stopped: RecordingError | None = None

    def append(self, batch: Batch, now: datetime | None) -> Outcome:
        """Record a batch, perhaps together with others; returns when it is durable. Errors: `LogWriter.append`."""
        self.check_running()
        request = Request(batch, now)
        self.rounds.submit(request)
        return request.answer()

    def check_running(self) -> None:
        """Raise what stopped this writer, if anything did."""
        if self.stopped is not None:
            raise copy(self.stopped)

    def compare_clocks(self) -> None:
        """Stop the writer when host and database disagree about the time by more than the tolerance, after a second look."""
        tolerance = timedelta(seconds=self._config.clock_tolerance)
        for _ in range(2):
            before, database, after = self._pool.read("reading the database's clock", self._read_clocks)
            if before - tolerance <= database <= after + tolerance:
                return
        self.stopped = ClockError(
            f"the host's clock says {after.isoformat()}, the database's {database.isoformat()}: "
            f"more than {self._config.clock_tolerance} s apart, so nothing is recorded until they agree"
        )

    def _read_clocks(self, cursor: Cursor) -> tuple[datetime, datetime, datetime]:
        before = self._clock()
        cursor.execute("select clock_timestamp()")
        ((database,),) = cursor.fetchall()
        return before, database, self._clock()

    def close(self) -> None:
        """Close the session. Who still waits for a round is answered with an error."""
        self.stopped = self.stopped or StoreFailedError("the log is closed")
        self.rounds.close()
        self._drop_session()

    def _drop_session(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _record_round(self, requests: list[Request]) -> None:
        try:
            self._record(requests)
        except BaseException:
            self._drop_session()  # interrupted: what is under way on it is not known
            raise

    def _record(self, requests: list[Request]) -> None:
        """Answer every request of a round."""
        try:
            self.check_running()
            try:
                last = self._record_once(requests)
            except ClockError:  # a call that was held up looks the same, so compare the clocks side by side
                self.compare_clocks()
                self.check_running()
                last = self._record_once(requests)
        except (ClockError, StoreUnreachableError) as error:
            fail(requests, error)
        except (QinglingError, ValueError) as error:
            if len(requests) > 1 and self.stopped is None:
                self._record_each(requests)
                return
            if isinstance(error, RecordingError) and not error.may_continue:
                self.stopped = error
            fail(requests, error)
        else:
            self._announce(last)

    def _record_each(self, requests: Iterable[Request]) -> None:
        """One batch spoils the round for all: give each a round of its own."""
        for request in requests:
            self._record([request])

    def _record_once(self, requests: Sequence[Request]) -> int:
        with translated("recording"):
            if not any(request.is_doubtful for request in requests):
                try:
                    return self._call(requests)
                except psycopg2.Error as error:
                    if self._connection is None or not is_lost(self._connection, error):
                        raise
                for request in requests:
                    request.is_doubtful = True
            return self._look_again(requests)

    def _call(self, requests: Sequence[Request]) -> int:
        if self._connection is None:
            self._connection = self._pool.connect(patience=self._config.reconnect_patience)
        with self._connection.cursor() as cursor:
            return call_append(cursor, requests, self._config, self._clock())

    def _look_again(self, requests: Sequence[Request]) -> int:
        """After a lost session: answer what was recorded after all, record the rest, under one hold of the append lock."""
        deadline = time.monotonic() + self._config.reconnect_patience
        while True:
            looked = False
            try:
                self._drop_session()
                self._connection = self._pool.connect(patience=deadline - time.monotonic())
                with transaction(self._connection) as cursor:
                    cursor.execute("select qingling.lock_log()")
                    missing = [request for request in requests if not _is_found(cursor, request)]
                    looked = True
                    position = call_append(cursor, missing, self._config, self._clock())
            except (psycopg2.Error, StoreUnreachableError) as error:
                _forget_answers(requests)
                if self._connection is not None and isinstance(error, psycopg2.Error):
                    if looked and not is_lost(self._connection, error):
                        raise  # nothing is open: what was not found is not recorded
                    if is_lost(self._connection, error) and time.monotonic() < deadline:
                        continue
                raise StoreUnreachableError(
                    "the session was lost while recording, and the log cannot be asked again: whether this was recorded is"
                    f" not known; send it again with the same key ({str(error).strip()})"
                ) from error
            else:
                return position


def _is_found(cursor: Cursor, request: Request) -> bool:
    """Answer a request whose very bytes are in the log already."""
    request.outcome = find_recorded(cursor, request.batch.drafts)
    return request.outcome is not None


def _forget_answers(requests: Iterable[Request]) -> None:
    for request in requests:
        request.outcome = request.error = None
