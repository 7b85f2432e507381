"""Serves doors until somebody stops them, then closes everything in order: of a platform the doors, the fold engine, the database."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import typer
import uvicorn
from starlette.types import ASGIApp

from api.cli.session import Session
from api.words import Word, word
from domain.campaigns.genesis import LogKind
from domain.errors import InputError

if TYPE_CHECKING:
    from infra.bootstrap import LogInfo, Settings

PATIENCE = 5
"""Seconds that open requests are waited for when the server stops."""
_BACKLOG = 512


def serve_until_stopped(session: Session, settings: Settings, *, folding: bool = True) -> None:
    """Opens the platform and answers requests until SIGINT or SIGTERM; with `folding` the ledgers are folded here, too.

    Raises:
        NotFoundError: there is no log.
        InputError: the port is taken.
    """
    from api.application import create_app
    from infra.bootstrap import open_platform

    with (
        listening(settings.host, settings.port) as listener,
        stopped_by_signals(),
        open_platform(settings, folding=folding, sealing=True) as platform,
    ):
        lines = _where_to_look(session, settings, platform.info, listener.getsockname()[1])
        answer_requests(create_app(platform), listener, lines)
        typer.echo(session.say(Word("正在停止……", "Stopping …")), err=True)
    typer.echo(session.say(Word("已停止", "Stopped")), err=True)


def answer_requests(app: ASGIApp, listener: socket.socket, lines: list[str]) -> None:
    """Answers requests until SIGINT or SIGTERM; says `lines` once it does."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    _Server(config, lines).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says where to look as soon as it answers."""

    def __init__(self, config: uvicorn.Config, lines: list[str]) -> None:
        super().__init__(config)
        self._lines = lines

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            for line in self._lines:
                typer.echo(line)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops the server at the first signal and does not raise it again: what was opened around it has to be closed."""
        handlers = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in handlers.items():
                signal.signal(each, handler)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM ends this process as Ctrl-C does, also while what is served is still being opened or already being closed."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket on the address of the doors, taken before anything is started.

    Raises:
        InputError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: only then does asyncio switch Nagle's delay off, which holds the body of an answer back for 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except (OSError, OverflowError) as error:
            raise InputError(
                f"cannot listen on {host}:{port}: {error}; name another port with --port",
                field="port",
                rule="free-port",
            ) from error
        listener.listen(_BACKLOG)
        yield listener


def _where_to_look(session: Session, settings: Settings, info: LogInfo, port: int) -> list[str]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    root = f"http://{host}:{port}"
    lines = [
        f"清零 Qingling · {session.say(word(info.kind))} · {info.origin}",
        f"  {session.say(Word('看板', 'Console'))}: {root}/",
        f"  {session.say(Word('接口', 'REST'))}: {root}/v1  ({root}/openapi.json)",
        f"  {session.say(Word('可验证日志', 'Provable log'))}: {root}/log/checkpoint",
        f"  {session.say(Word('数据', 'Data'))}: {'database' if settings.database_url else settings.data}",
    ]
    if info.kind is LogKind.REAL:
        sign_in = Word("登录需令牌", "Signing in takes a token")
        lines.append(f"  {session.say(sign_in)}: qingling officer add HANDLE")
    return [*lines, f"  {session.say(Word('按 Ctrl-C 停止', 'Ctrl-C stops it'))}"]
