"""Group commit: the appends of a process's threads become one call of the database and one flush to disk.

Leader and followers. Whoever calls while nobody records leads a round at once on its own thread, so that a lone caller pays no
hand-over; whoever calls meanwhile waits, and the first of the waiting leads the next round with all that has gathered. Each
caller gets its own outcome or error. Within a round no stream and no command key stands in two batches: such batches wait for
the next round, in their order.

When the session is lost the round's fate is open. The committer opens a new session, takes the append lock (which the lost
transaction held until it was committed or undone), looks for its own bytes, records what is missing, and only then answers.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from datetime import datetime, timedelta
from threading import Lock

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from domain.errors import ClockError, IdempotencyError, QinglingError, RecordingError
from domain.recording import Batch, Draft, Outcome
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import Pool, from_microseconds, is_lost, transaction, translated
from infra.postgres.lost import find_recorded
from infra.recorders import StoreFailedError, StoreUnreachableError, VersionTakenError, check_batch

Clock = Callable[[], datetime]

_APPEND = (
    "select * from qingling.append(%s::text[], %s::integer[], %s::text[], %s::text[], %s::bytea[], %s::integer[],"
    " %s::integer[], %s::text[], %s::text[], %s::bytea[], %s::integer[], %s, %s, %s, %s)"
)
_RECORDED, _REPLAYED, _TAKEN, _OTHER_REQUEST = range(4)
_MICROSECOND = timedelta(microseconds=1)


class Request:
    """One caller's batch on its way into a round. What can be encoded is, on the caller's own thread."""

    __slots__ = ("_woken", "batch", "columns", "command", "error", "leads", "now", "outcome", "streams")

    def __init__(self, batch: Batch, now: datetime | None) -> None:
        self.batch = batch
        self.now = now
        self.streams = check_batch(batch)
        self.columns = [",".join(column) for column in zip(*map(_columns, batch.drafts), strict=True)]
        self.command = _command_columns(batch)
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None
        self.leads = False
        self._woken = Lock()
        self._woken.acquire()

    @property
    def is_answered(self) -> bool:
        """Whether the outcome or the error is there."""
        return self.outcome is not None or self.error is not None

    def wait(self) -> None:
        """Sleep until answered, or until it is this caller's turn to lead."""
        self._woken.acquire()

    def wake(self) -> None:
        """Let the caller go on."""
        self._woken.release()

    def answer(self) -> Outcome:
        """The outcome, or raise the error."""
        if self.error is not None:
            raise self.error
        if self.outcome is None:
            raise RuntimeError("a request was answered with nothing")
        return self.outcome


class Committer:
    """Records the batches of many threads; see the module. `announce` is told the new head after every round."""

    def __init__(self, pool: Pool, clock: Clock, announce: Callable[[int], None]) -> None:
        self._pool = pool
        self._config = pool.config
        self._clock = clock
        self._announce = announce
        self._connection: Connection | None = None
        self._gate = Lock()
        self._waiting: deque[Request] = deque()
        self._led = False
        self.stopped: RecordingError | None = None

    def append(self, batch: Batch, now: datetime | None) -> Outcome:
        """Record a batch, perhaps together with others; returns when it is durable. Errors: `LogWriter.append`."""
        self.check_running()
        request = Request(batch, now)
        with self._gate:
            self._waiting.append(request)
            follows, self._led = self._led, True
        if follows:
            self._follow(request)
        if not request.is_answered:
            self._lead()
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
        """Close the session. A round under way loses it, and answers its callers with an error."""
        self.stopped = self.stopped or StoreFailedError("the log is closed")
        self._drop_session()

    def _drop_session(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

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

    def _lead(self) -> None:
        with self._gate:
            requests = self._take_round()
        try:
            self._record(requests)
        except BaseException as error:
            self._drop_session()
            _fail(
                requests,
                RecordingError(f"the writer was interrupted; whether this was recorded is not known: {error!r}"),
            )
            raise
        finally:
            self._hand_over()
            for request in requests[1:]:
                request.wake()

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

    def _hand_over(self) -> None:
        with self._gate:
            self._led = bool(self._waiting)
            successor = self._waiting[0] if self._waiting else None
            if successor is not None:
                successor.leads = True
        if successor is not None:
            successor.wake()

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
            _fail(requests, error)
        except (QinglingError, ValueError) as error:
            if len(requests) > 1 and self.stopped is None:
                self._record_each(requests)
                return
            if isinstance(error, RecordingError) and not error.may_continue:
                self.stopped = error
            _fail(requests, error)
        else:
            self._announce(last)

    def _record_each(self, requests: Iterable[Request]) -> None:
        """One batch spoils the round for all: give each a round of its own."""
        for request in requests:
            self._record([request])

    def _record_once(self, requests: Sequence[Request]) -> int:
        with translated("recording"):
            if self._connection is None:
                self._connection = self._pool.connect(patience=self._config.reconnect_patience)
            try:
                with self._connection.cursor() as cursor:
                    return call_append(cursor, requests, self._config, self._clock())
            except psycopg2.Error as error:
                if not is_lost(self._connection, error):
                    raise
                lost = error
        return self._look_again(requests, lost)

    def _look_again(self, requests: Sequence[Request], lost: psycopg2.Error) -> int:
        """After a lost session: answer what was recorded after all, record the rest, under one hold of the append lock."""
        deadline = time.monotonic() + self._config.reconnect_patience
        while True:
            self._connection = None
            try:
                self._connection = self._pool.connect(patience=deadline - time.monotonic())
                with transaction(self._connection) as cursor:
                    cursor.execute("select qingling.lock_log()")
                    missing = [request for request in requests if not _is_found(cursor, request)]
                    position = call_append(cursor, missing, self._config, self._clock())
            except (psycopg2.Error, StoreUnreachableError) as error:
                _forget_answers(requests)
                if time.monotonic() > deadline or isinstance(error, StoreUnreachableError):
                    raise StoreUnreachableError(
                        "the session was lost while recording, and the database cannot be asked again: whether this was"
                        f" recorded is not known; send it again with the same key ({str(lost).strip()})"
                    ) from error
            else:
                return position


def call_append(cursor: Cursor, requests: Sequence[Request], config: RecorderConfig, host_clock: datetime) -> int:
    """Record the requests with one call of the database and answer them; returns the log's last position.

    What is raised is an error of the driver: nothing was recorded, unless the session is lost.
    """
    cursor.execute(_APPEND, _arguments(requests, config, host_clock))
    ((outcomes, subjects, position, first_time, *replayed),) = cursor.fetchall()
    replays = _replays(*replayed)
    moment = from_microseconds(first_time)
    for number, (request, outcome, subject) in enumerate(zip(requests, outcomes, subjects, strict=True), start=1):
        if outcome == _RECORDED:
            count = len(request.batch.drafts)
            request.outcome = Outcome(
                tuple(range(position, position + count)), tuple(moment + i * _MICROSECOND for i in range(count))
            )
            position += count
            moment += count * _MICROSECOND
        elif outcome == _REPLAYED:
            request.outcome = replays.get(number, Outcome((), (), replayed=True))
        else:
            request.error = _refusal(request, outcome, subject)
    return int(position) - 1


def _arguments(requests: Sequence[Request], config: RecorderConfig, host_clock: datetime) -> tuple[object, ...]:
    columns = [
        _array(column) for column in zip(*(request.columns for request in requests if request.columns), strict=True)
    ]
    numbers = (
        ",".join([str(n)] * len(request.batch.drafts)) for n, request in enumerate(requests, 1) if request.columns
    )
    commands = zip(*(request.command for request in requests), strict=True)
    return (
        *(columns or ["{}"] * 6),
        _array(numbers),
        *map(_array, commands if requests else ((), (), ())),
        _array(str(len(request.batch.drafts)) for request in requests),
        config.contiguous,
        requests[0].now if requests else None,
        host_clock,
        timedelta(seconds=config.clock_tolerance),
    )


def _array(elements: Iterable[str]) -> str:
    return "{" + ",".join(elements) + "}"


def _quoted(text: str) -> str:
    """An element of an array literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _columns(draft: Draft) -> tuple[str, ...]:
    return (
        _quoted(draft.stream),
        str(draft.version),
        _quoted(draft.type),
        _quoted(draft.partitionkey),
        _bytes(draft.entry),
        str(draft.time_at),
    )


def _bytes(data: bytes) -> str:
    return '"\\\\x' + data.hex() + '"'


def _command_columns(batch: Batch) -> tuple[str, str, str]:
    if batch.command is None:
        return "NULL", "NULL", "NULL"
    return _quoted(batch.command.actor), _quoted(batch.command.key), _bytes(batch.command.digest)


def _claims(request: Request) -> set[object]:
    command = request.batch.command
    return {*request.streams} if command is None else {*request.streams, (command.actor, command.key)}


def _refusal(request: Request, outcome: int, subject: str | None) -> QinglingError:
    if outcome == _TAKEN:
        return VersionTakenError(
            f"{subject} is taken or does not follow the stream's last version: it has moved on since it was read"
        )
    if outcome == _OTHER_REQUEST and request.batch.command is not None:
        return IdempotencyError(f"the key {request.batch.command.key!r} was used before for another request")
    raise RuntimeError(f"the database answered with the unknown outcome {outcome}")


def _replays(
    batches: Sequence[int] | None, positions: Sequence[int] | None, times: Sequence[int] | None
) -> dict[int, Outcome]:
    found: dict[int, Outcome] = {}
    for number, position, moment in zip(batches or (), positions or (), times or (), strict=True):
        before = found.get(number, Outcome((), ()))
        found[number] = Outcome(
            (*before.positions, position), (*before.recorded_at, from_microseconds(moment)), replayed=True
        )
    return found


def _is_found(cursor: Cursor, request: Request) -> bool:
    """Answer a request whose very bytes are in the log already."""
    request.outcome = find_recorded(cursor, request.batch.drafts)
    return request.outcome is not None


def _forget_answers(requests: Iterable[Request]) -> None:
    for request in requests:
        request.outcome = request.error = None


def _fail(requests: Iterable[Request], error: BaseException) -> None:
    for request in requests:
        if not request.is_answered:
            request.error = copy(error)  # one of its own for each thread that raises it
            request.error.__cause__ = error.__cause__
