"""Sessions with PostgreSQL: how they are opened, kept, and how the driver's errors become ours.

Guarantees: every session runs in autocommit, UTC, with the configured limits and `synchronous_commit` on. `translated` is the
only place where an error of psycopg2 becomes one of Qingling's. A pool's sessions may die with the server; `Pool.read` then
tries again on a new one, because reading twice does no harm.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import BoundedSemaphore, Event, Lock, Timer
from typing import Any, TypeVar

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - the driver's class has a lower-case name
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extensions import make_dsn, parse_dsn

from domain.errors import ClockError, LogMismatchError, QinglingError
from infra.postgres.config import RecorderConfig
from infra.recorders import StoreFailedError, StoreUnreachableError, VersionTakenError

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCKS_DISAGREE = "QL001"
NO_SIMULATION = "QL002"
LAW_BROKEN = "QL003"
_NOT_MIGRATED = {"3F000", "42P01", "42883"}  # no such schema, table, function
_PASSING = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.DataError, psycopg2.IntegrityError)
# A dead peer is noticed in 25 s, by either side: the server would keep a dead client's locks for hours, and what a client sent is otherwise
# sent again for a quarter of an hour.
_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
_KEEPALIVE_OF_SERVER = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn every error of the driver into one of `domain/errors.py`. `doing` completes "failed while …"."""
    try:
        yield
    except psycopg2.Error as error:
        raise translation(error, doing) from error


def translation(error: psycopg2.Error, doing: str) -> QinglingError:
    """What an error of the driver means. Unless it passes by itself, or is one request's own, the process may not go on."""
    said = (error.diag.message_primary or str(error)).strip()
    code = error.pgcode or ""
    if code == "23505":
        return VersionTakenError(f"somebody else was first: {error.diag.message_detail or said}")
    if code == CLOCKS_DISAGREE:
        return ClockError(said)
    if code == LAW_BROKEN:
        return LogMismatchError(said)
    if code in _NOT_MIGRATED:
        return StoreFailedError(
            f"the database holds no log, or an older one; migrate it first ({said})", may_continue=False
        )
    passing = code == NO_SIMULATION or isinstance(error, _PASSING)
    return StoreFailedError(f"failed while {doing}: {said}", may_continue=passing)


def is_lost(connection: Connection, error: psycopg2.Error) -> bool:
    """Whether the session is gone, so that the fate of its last statement is open."""
    return connection.closed != 0 or (isinstance(error, psycopg2.OperationalError) and error.pgcode is None)


def from_microseconds(value: int) -> datetime:
    """A time given as whole microseconds since 1970, as the database hands it out without rounding."""
    seconds, rest = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def connect(dsn: str, config: RecorderConfig, *, patience: float = 0.0) -> Connection:
    """A new session. While the server cannot be reached it is tried again for `patience` seconds."""
    deadline = time.monotonic() + patience
    pause = 0.02
    while True:
        try:
            return _opened(dsn, config)
        except psycopg2.OperationalError as error:
            if time.monotonic() + pause > deadline:
                raise StoreUnreachableError(f"the database cannot be reached: {str(error).strip()}") from error
        time.sleep(pause)
        pause = min(pause * 2, 0.5)


def _opened(dsn: str, config: RecorderConfig) -> Connection:
    settings: dict[str, Any] = {
        "connect_timeout": config.connect_timeout,
        "application_name": "qingling",
        **_KEEPALIVE,
        **parse_dsn(dsn),
    }
    settings["options"] = " ".join([settings.get("options", ""), *_session_options(config)]).strip()
    connection = psycopg2.connect(make_dsn(**settings))
    connection.autocommit = True
    return connection


def _session_options(config: RecorderConfig) -> Iterator[str]:
    yield "-c synchronous_commit=on"
    yield "-c timezone=UTC"
    yield f"-c statement_timeout={config.statement_timeout * 1000:.0f}"
    yield f"-c lock_timeout={config.lock_timeout * 1000:.0f}"
    yield f"-c idle_in_transaction_session_timeout={config.idle_in_transaction_timeout * 1000:.0f}"
    yield from (f"-c {name}={value}" for name, value in _KEEPALIVE_OF_SERVER.items())
    if config.role is not None:
        yield f"-c role={config.role}"


@contextmanager
def answered_within(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Gives a session up, with the driver's error, when the block takes longer: the server, or the network, went silent."""
    if seconds is None:
        yield
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as ours:
        given_up = Event()

        def give_up() -> None:
            given_up.set()
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)

        timer = Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        except psycopg2.Error as error:
            if given_up.is_set():
                raise psycopg2.OperationalError(f"the server did not answer for {seconds:.0f} s") from error
            raise
        finally:
            timer.cancel()
            timer.join()


@contextmanager
def transaction(connection: Connection) -> Iterator[Cursor]:
    """BEGIN … COMMIT on a session in autocommit; rolled back, if the session is still there, when the block raises."""
    with connection.cursor() as cursor:
        cursor.execute("begin")
        try:
            yield cursor
        except BaseException:
            if connection.closed == 0:
                cursor.execute("rollback")
            raise
        cursor.execute("commit")


class Pool:
    """Sessions that threads borrow one at a time. Opened when needed, at most `config.pool_size` at once."""

    def __init__(self, dsn: str, config: RecorderConfig) -> None:
        self.dsn = dsn
        self.config = config
        self._idle: list[Connection] = []
        self._lock = Lock()
        self._free = BoundedSemaphore(config.pool_size)
        self._closed = False

    def connect(self, *, patience: float = 0.0) -> Connection:
        """A new session that the caller closes; it does not count as one of the pool's."""
        return connect(self.dsn, self.config, patience=patience)

    @contextmanager
    def session(self, *, patience: float = 0.0) -> Iterator[Connection]:
        """Borrow a session. One that is gone, or still within a transaction, afterwards is not kept."""
        if not self._free.acquire(timeout=self.config.pool_patience):
            raise StoreFailedError(
                f"all {self.config.pool_size} sessions were in use for {self.config.pool_patience} s"
            )
        try:
            connection = self._borrowed(patience)
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._free.release()

    def read(self, doing: str, query: Callable[[Cursor], T]) -> T:
        """Run a reading `query` with a cursor; once more on a new session when the first one is lost."""
        with translated(doing):
            with self.session(patience=self.config.reconnect_patience) as connection:
                try:
                    return self._answered(connection, query)
                except psycopg2.Error as error:
                    if not is_lost(connection, error):
                        raise
            self._forget_idle()
            with self.session(patience=self.config.reconnect_patience) as connection:
                return self._answered(connection, query)

    def _answered(self, connection: Connection, query: Callable[[Cursor], T]) -> T:
        with answered_within(connection, self.config.answer_timeout), connection.cursor() as cursor:
            return query(cursor)

    def rows(self, doing: str, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a reading query."""

        def run(cursor: Cursor) -> list[tuple[Any, ...]]:
            cursor.execute(query, parameters)
            return cursor.fetchall()

        return self.read(doing, run)

    def close(self) -> None:
        """Close what is idle, and what is borrowed as soon as it comes back."""
        self._closed = True
        self._forget_idle()

    def _borrowed(self, patience: float) -> Connection:
        if self._closed:
            raise StoreFailedError("the log is closed")
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self.connect(patience=patience)

    def _give_back(self, connection: Connection) -> None:
        usable = connection.closed == 0 and connection.info.transaction_status == 0
        if usable and not self._closed:
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()

    def _forget_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
