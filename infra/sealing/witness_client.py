"""How a log reaches its witnesses: HTTP with kept connections, short patience, and little trust in what comes back.

Guarantees: an answer is bounded in bytes and in time, however slowly it drips; nothing is followed elsewhere; whatever keeps an answer
from arriving is one `NotReadyError` that says what it was. Safe to share between threads.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

from domain.errors import NotReadyError

MAX_ANSWER: Final = 65_536
"""Bytes of the largest answer that is read: a hundred signature lines are far fewer."""
_PIECE: Final = 4_096
_HEADERS: Final = {"Content-Type": "text/plain; charset=utf-8", "Accept-Encoding": "identity"}


class Reply(NamedTuple):
    """What a witness answered."""

    status: int
    content_type: str
    body: bytes


class Exchange(Protocol):
    """How witnesses are reached."""

    def __call__(self, method: str, url: str, body: bytes | None = None) -> Reply:
        """Sends one request and returns its answer. Raises NotReadyError where none came."""

    def close(self) -> None:
        """Gives up what was kept for the next request."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a witness is waited for, in seconds: to be connected to, and for its whole answer."""

    connect: float = 1.0
    answer: float = 3.0


class WitnessClient:
    """An `Exchange` over HTTP or HTTPS; certificates are checked against those that the machine trusts."""

    def __init__(self, patience: Patience = Patience()) -> None:
        self._patience = patience
        self._pool = urllib3.PoolManager(
            num_pools=64,
            maxsize=4,
            timeout=urllib3.Timeout(connect=patience.connect, read=patience.answer),
            retries=False,
        )

    def __call__(self, method: str, url: str, body: bytes | None = None) -> Reply:
        """Sends one request.

        Raises:
            NotReadyError: no whole answer came in time, or the URL is none.
        """
        if not is_address(url):
            raise NotReadyError(f"{url!r} is no address of HTTP or HTTPS")
        try:
            try:
                return self._sent(method, url, body)
            except ProtocolError:
                # A kept connection that the other side had just given up. The same checkpoint submitted twice is one submission.
                return self._sent(method, url, body)
        except (HTTPError, OSError, UnicodeError) as error:
            raise NotReadyError(f"{url} does not answer: {_said(error)}") from error

    def _sent(self, method: str, url: str, body: bytes | None) -> Reply:
        until = time.monotonic() + self._patience.connect + self._patience.answer
        response = self._pool.request(method, url, body=body, headers=_HEADERS, preload_content=False, redirect=False)
        try:
            answer = _read(response, until)
        except BaseException:
            response.close()  # what is left unread must not be taken for the next answer
            raise
        response.release_conn()
        return Reply(response.status, response.headers.get("Content-Type", ""), answer)

    def close(self) -> None:
        """Closes the connections that were kept."""
        self._pool.clear()


def is_address(url: str) -> bool:
    """Whether a witness could be reached there."""
    return url.startswith(("http://", "https://"))


def submission_url(prefix: str) -> str:
    """Where checkpoints are submitted to the witness with this URL in the policy (C2SP tlog-witness)."""
    return f"{prefix.rstrip('/')}/add-checkpoint"


def monitoring_url(prefix: str, origin: str) -> str:
    """Where the latest checkpoint that a witness cosigned of a log is read (C2SP tlog-witness)."""
    return f"{prefix.rstrip('/')}/{sha256(origin.encode()).hexdigest()}/checkpoint"


def _read(response: urllib3.BaseHTTPResponse, until: float) -> bytes:
    answer = bytearray()
    while piece := response.read1(_PIECE):
        answer += piece
        if len(answer) > MAX_ANSWER:
            raise OSError(f"the answer has more than {MAX_ANSWER} bytes")
        if time.monotonic() > until:
            raise TimeoutError("the answer did not end in time")
    return bytes(answer)


def _said(error: Exception) -> str:
    """The sentence of the innermost cause: urllib3 wraps what the network said in what it was doing."""
    inner = getattr(error, "reason", None)
    shown = inner if isinstance(inner, Exception) else error
    return " ".join(str(shown).split()) or type(shown).__name__
