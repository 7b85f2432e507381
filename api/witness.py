"""The door of a witness: the protocol of C2SP tlog-witness over HTTP, and nothing else.

    POST /add-checkpoint                     a log submits a checkpoint
    GET  /<SHA-256 of the origin>/checkpoint a monitor reads the latest that was cosigned

Guarantees: an answer leaves only after the desk has kept what it promises; a request is never read further than its limit. Whoever asks
needs no token: the log's signature is what counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain.sealing.witness import MALFORMED, TEXT_TYPE, UNKNOWN_LOG

if TYPE_CHECKING:
    from infra.bootstrap import WitnessDesk

MAX_REQUEST: Final = 65_536
"""Bytes of the largest request that is read: 63 hashes and a checkpoint with a hundred signatures are a fourth of that."""
_TOO_LARGE: Final = 413


def create_witness_app(desk: WitnessDesk, clock: Callable[[], float] = time.time) -> Starlette:
    """The application over an open desk. `clock` gives POSIX seconds; cosignatures bear it."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            body = await _limited(request)
        except ClientDisconnect:
            return _text(MALFORMED, "the request ended before its body")
        if body is None:
            return _text(_TOO_LARGE, f"a request has at most {MAX_REQUEST} bytes")
        answer = await run_in_threadpool(desk.add_checkpoint, body, int(clock()))
        return _response(answer.status, answer.body, answer.content_type)

    async def checkpoint(request: Request) -> Response:
        note = await run_in_threadpool(desk.checkpoint, request.path_params["log"])
        if note is None:
            return _text(UNKNOWN_LOG, "no checkpoint of such a log was cosigned here")
        return _response(200, note, TEXT_TYPE)

    app = Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{log}/checkpoint", checkpoint, methods=["GET"]),
        ]
    )
    app.router.redirect_slashes = False
    return app


async def _limited(request: Request) -> bytes | None:
    """The body; None where it is too large, said or not."""
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or int(said) > MAX_REQUEST:
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_REQUEST:
            return None
    return bytes(body)


def _text(status: int, sentence: str) -> Response:
    return _response(status, f"{sentence}\n".encode(), TEXT_TYPE)


def _response(status: int, body: bytes, content_type: str) -> Response:
    # The type is set as a header: given as a media type, "; charset" would be added to it, and clients compare it letter by letter.
    return Response(
        body,
        status,
        {"Content-Type": content_type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
