"""A network between a client and a server that a test can cut, slow down and heal: a proxy on the loopback, in threads.

Two ways to cut. `reset`: connections are ended at once and new ones refused, as when a host goes down in order or a firewall rejects.
`blackhole`: nothing is said any more and nothing arrives, connections stay open, new ones are taken and never answered, as when packets are
dropped or the peer hangs; what was under way when it was cut arrives after `heal`, as TCP sends it again.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal

from psycopg2.extensions import make_dsn, parse_dsn

Target = tuple[str, int] | str
"""Host and port, or the path of a Unix socket."""
Cut = Literal["reset", "blackhole"]
_CHUNK: Final = 1 << 16
_TICK: Final = 0.05
"""Seconds after which a thread looks again whether it should end."""
_ENDED_HARD: Final = struct.pack("ii", 1, 0)
"""SO_LINGER: on, no seconds: closing sends a reset."""


class Network:
    """Forwards a port of the loopback to another address, or to a Unix socket. `address` is what the client is told."""

    def __init__(self, target: Target = "") -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(_TICK)
        self.host, self.port = self._listener.getsockname()
        self.address = f"{self.host}:{self.port}"
        self.bytes = 0
        """What passed, in both directions."""
        self._delay = 0.0
        self._cut: Cut | None = None
        self._passing = threading.Event()
        self._passing.set()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self._accept, name="network", daemon=True)
        self._accepting.start()

    def cut(self, how: Cut) -> None:
        """Nothing passes from now on."""
        with self._lock:
            self._cut = how
        if how == "blackhole":
            self._passing.clear()
        else:
            self._end_all()
            self._passing.set()  # what was held back finds its connection ended

    def slow(self, delay: float) -> None:
        """Everything that passes takes so many seconds longer, a chunk after the other."""
        self._delay = delay

    def heal(self) -> None:
        """All passes again, at once."""
        self._cut = None
        self._delay = 0.0
        self._passing.set()

    def close(self) -> None:
        """Ends it, and every connection."""
        self._closing.set()
        self._accepting.join()
        self._listener.close()
        self._end_all()
        self._passing.set()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                client, _ = self._listener.accept()
                client.settimeout(None)
                if self._cut == "reset":
                    _end(client)
                else:
                    threading.Thread(target=self._carry, args=(client,), name="network", daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        """One connection: until one side ends it."""
        self._passing.wait()
        held = [client]
        with suppress(OSError):  # the server is not there: the client is told by the end of its connection
            server = _connected(self.target)
            held.append(server)
            if self._opened(held):
                back = threading.Thread(target=self._pump, args=(server, client), name="network", daemon=True)
                back.start()
                self._pump(client, server)
                back.join()
        with self._lock:
            self._open -= set(held)
        for each in held:
            _end(each)

    def _opened(self, held: list[socket.socket]) -> bool:
        with self._lock:
            if self._cut == "reset" or self._closing.is_set():
                return False
            self._open |= set(held)
            return True

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                time.sleep(self._delay)
                self._passing.wait()
                sink.sendall(chunk)
                self.bytes += len(chunk)
        self._passing.wait()  # that a side is gone is not heard either
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _end_all(self) -> None:
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ENDED_HARD)
                    each.shutdown(socket.SHUT_RDWR)


def _connected(target: Target) -> socket.socket:
    if isinstance(target, tuple):
        return socket.create_connection(target)
    made = socket.socket(socket.AF_UNIX)
    made.connect(target)
    return made


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ENDED_HARD)
    each.close()


@contextmanager
def network(target: Target = "") -> Iterator[Network]:
    """A network to an address; ended afterwards."""
    made = Network(target)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def network_to_database(url: str) -> Iterator[tuple[Network, str]]:
    """A network to a database of a server on a Unix socket, and the URL that leads through it."""
    said = parse_dsn(url)
    with network(f"{said['host']}/.s.PGSQL.{said['port']}") as made:
        yield made, make_dsn(**said | {"host": made.host, "port": str(made.port)})
