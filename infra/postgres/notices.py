"""News of appends between processes: NOTIFY after commit, LISTEN with polling as the floor.

A NOTIFY inside the append transaction would make commits queue for a lock of the whole server, so it is sent afterwards, from a
session of its own, and appends that happen meanwhile share one. A notice may be lost or late; whoever waits polls as well.
"""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from threading import Event, Lock, Thread

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

from infra.postgres.connection import Pool
from infra.recorders import StoreFailedError, Wakeups

CHANNEL = "qingling_log"
_PAUSE = 0.01  # seconds between two notices: what readers are behind at most, and what appends need not pay for
_RETRY = 0.5  # seconds between two attempts to reach the server


class Announcer:
    """Sends the log's head to whoever listens, at most every 10 ms."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._position = 0
        self._pending = Event()
        self._closing = Event()
        self._starting = Lock()
        self._thread: Thread | None = None

    def announce(self, position: int) -> None:
        """Say that the log reaches `position`; returns at once."""
        self._position = max(self._position, position)
        if not self._pending.is_set():
            self._pending.set()
            if self._thread is None:
                self._start()

    def close(self) -> None:
        """End the thread; a notice that is pending is still sent if the server is there."""
        self._closing.set()
        self._pending.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._closing.is_set():
                self._thread = Thread(target=self._run, name="qingling-announcer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        connection: Connection | None = None
        sent = 0
        while not (self._closing.is_set() and sent == self._position):
            self._pending.wait()
            self._pending.clear()
            try:
                connection = connection or self._connected()
                sent = self._send(connection)
            except (psycopg2.Error, StoreFailedError):
                connection = None  # a notice is a convenience: readers poll, and the next append announces again
                if self._closing.wait(_RETRY):
                    return
            self._closing.wait(_PAUSE)
        if connection is not None:
            connection.close()

    def _connected(self) -> Connection:
        connection = self._pool.connect()
        with connection.cursor() as cursor:
            cursor.execute("set synchronous_commit = off")  # a notice need not be durable
        return connection

    def _send(self, connection: Connection) -> int:
        position = self._position
        with connection.cursor() as cursor:
            cursor.execute("select pg_notify(%s, %s)", (CHANNEL, str(position)))
        return position


class Listener:
    """Passes the notices of other processes on to `wakeups`, from a session of its own, reopened when it dies."""

    def __init__(self, pool: Pool, wakeups: Wakeups) -> None:
        self._pool = pool
        self._wakeups = wakeups
        self._closed = False
        self._lock = Lock()
        self._running: tuple[Thread, Event, socket.socket] | None = None

    def start(self) -> None:
        """Listen from now on; does nothing when it does already."""
        with self._lock:
            if self._running is None and not self._closed:
                closing = Event()
                alarm, doorbell = socket.socketpair()
                thread = Thread(target=self._run, args=(closing, alarm), name="qingling-listener", daemon=True)
                self._running = thread, closing, doorbell
                thread.start()

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._closed = True
            running, self._running = self._running, None
        if running is not None:
            thread, closing, doorbell = running
            closing.set()
            with doorbell:
                with suppress(BrokenPipeError):  # it saw the sign before the bell, and is gone
                    doorbell.send(b"\0")
                thread.join()

    def _run(self, closing: Event, alarm: socket.socket) -> None:
        with alarm:
            while not closing.is_set():
                try:
                    self._listen(closing, alarm)
                except (psycopg2.Error, StoreFailedError):
                    closing.wait(_RETRY)  # those who wait poll meanwhile

    def _listen(self, closing: Event, alarm: socket.socket) -> None:
        connection = self._pool.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"listen {CHANNEL}")
            self._wakeups.announce(0)  # something may have been recorded before the ear was open
            while not closing.is_set():
                select.select([connection.fileno(), alarm.fileno()], [], [])
                connection.poll()
                self._pass_on(connection)
        finally:
            connection.close()

    def _pass_on(self, connection: Connection) -> None:
        if connection.notifies:
            position = max(int(notice.payload) for notice in connection.notifies)
            connection.notifies.clear()
            self._wakeups.announce(position)
