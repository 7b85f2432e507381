"""A wire between client and server that can be cut at the worst moment: when the server has committed and nobody knows."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit, urlunsplit

_SOCKET = ".s.PGSQL.5432"


class BrokenWire:
    """Passes bytes between clients at `url` and the server; once armed it cuts the connection that sends a marked message.

    `cuts` counts how often it did. While `refuses` is set, nobody gets through.
    """

    def __init__(self, url: str, folder: Path) -> None:
        parts = urlsplit(url)
        self.url = urlunsplit(parts._replace(query=f"host={folder}&port=5432"))
        self.cuts = 0
        self.refuses = False
        self._server = f"{parse_qs(parts.query)['host'][0]}/{_SOCKET}"
        self._marker: bytes | None = None
        self._answer_only = True
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _SOCKET))
        self._listener.listen()
        self._threads: list[Thread] = []
        self._start(self._accept)

    def cut_answer(self, marker: bytes) -> None:
        """Let the next message with `marker` through; cut when the server answers, and swallow the answer."""
        self._answer_only, self._marker = True, marker

    def cut_message(self, marker: bytes) -> None:
        """Cut before the next message with `marker` gets through."""
        self._answer_only, self._marker = False, marker

    def close(self) -> None:
        """Refuse new connections, and wait until those there were are gone."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client = self._listener.accept()[0]
                if self.refuses:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                connection = _Connection(self, client, server)
                self._start(connection.up)
                self._start(connection.down)

    def strikes(self, message: bytes) -> bool:
        """Whether this is the message to cut at."""
        if self._marker is None or self._marker not in message:
            return False
        self._marker = None
        return True

    @property
    def answer_only(self) -> bool:
        """Whether the message itself still gets through."""
        return self._answer_only


class _Connection:
    def __init__(self, wire: BrokenWire, client: socket.socket, server: socket.socket) -> None:
        self._wire = wire
        self._client = client
        self._server = server
        self._swallow = False

    def up(self) -> None:
        with self._client, contextlib.suppress(OSError):
            while message := self._client.recv(1 << 20):
                if self._wire.strikes(message):
                    if not self._wire.answer_only:
                        self._wire.cuts += 1
                        break
                    self._swallow = True
                self._server.sendall(message)
        self._end()

    def down(self) -> None:
        with self._server, contextlib.suppress(OSError):
            while answer := self._server.recv(1 << 20):
                if self._swallow:
                    self._wire.cuts += 1
                    break
                self._client.sendall(answer)
        self._end()

    def _end(self) -> None:
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def broken_wire(url: str) -> Iterator[BrokenWire]:
    """A wire to the server of `url`; not cut yet."""
    with tempfile.TemporaryDirectory() as folder:
        wire = BrokenWire(url, Path(folder))
        try:
            yield wire
        finally:
            wire.close()
