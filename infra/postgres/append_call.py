"""One call of the database function `qingling.append`: what goes in, and what its answer means for each batch.

The arrays are handed over as literals, encoded on the callers' own threads: against lists that the driver adapts this halves what
the one thread that makes the call has to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from threading import Lock

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from domain.errors import IdempotencyError, QinglingError
from domain.recording import Batch, Draft, Outcome
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import from_microseconds
from infra.recorders import VersionTakenError, check_batch

_APPEND = (
    "select * from qingling.append(%s::text[], %s::integer[], %s::text[], %s::text[], %s::bytea[], %s::integer[],"
    " %s::integer[], %s::text[], %s::text[], %s::bytea[], %s::integer[], %s, %s, %s, %s)"
)
_RECORDED, _REPLAYED, _TAKEN, _OTHER_REQUEST = range(4)
_MICROSECOND = timedelta(microseconds=1)


class Request:
    """One caller's batch on its way into a round. What can be encoded is, on the caller's own thread."""

    __slots__ = ("_woken", "batch", "columns", "command", "error", "is_doubtful", "leads", "now", "outcome", "streams")

    def __init__(self, batch: Batch, now: datetime | None) -> None:
        self.batch = batch
        self.now = now
        self.streams = check_batch(batch)
        self.columns = [",".join(column) for column in zip(*map(_columns, batch.drafts), strict=True)]
        self.command = _command_columns(batch)
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.is_doubtful = False  # sent on a session that was lost: it may be recorded already
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
