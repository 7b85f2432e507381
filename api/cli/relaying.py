"""`relay`: copies of the log are carried to Kafka, by one relay at a time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.metrics import Figures, serve_metrics
from api.cli.options import FORMAT, output
from api.cli.serving import stopped_by_signals
from api.cli.session import Session, session_of
from api.cli.tables import Column, Format, Table
from api.words import Word

_COLUMNS = (
    Column("position", Word("主题截至位置", "Topic holds up to"), "integer"),
    Column("head", Word("日志截至位置", "Log ends at"), "integer"),
    Column("sent", Word("本次发送", "Sent now"), "integer"),
)


def add_to(app: typer.Typer) -> None:
    """Adds the verb of this module."""
    app.command("relay", epilog="Example: qingling relay --metrics-port 9400")(relay)


def relay(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="送到当前日志末尾即止 · until the topic holds what the log holds now")
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            "--metrics-port", help="在本机此端口提供指标 · serve metrics here, on loopback", show_default=False
        ),
    ] = None,
    format: FORMAT = Format.TABLE,
) -> None:
    """把日志送往 Kafka · Carry the log to Kafka until Ctrl-C.

    Entry bytes unchanged, in the log's order, each once; one relay at a time, a second one waits and takes over. See docs/operations.md.
    """
    from infra.bootstrap import open_relay

    session = session_of(context)
    to = output(session, format, None)
    with stopped_by_signals(), open_relay(session.settings()) as running:
        if metrics_port is not None:
            serve_metrics(metrics_port, _figures(running))
        try:
            running.run(lambda: False, once=once)  # a signal ends it
        finally:
            _say(session, running)
        status = running.status()
    row = {"position": status.position, "head": status.head, "sent": status.sent}
    to.table(Table(session.say(Word("转送", "Relay")), _COLUMNS, [row], []), data=row)


def _say(session: Session, running: Any) -> None:
    status = running.status()
    if status.trouble is not None:
        typer.echo(f"{session.say(Word('最近一次故障', 'Last trouble'))}: {status.trouble}", err=True)


def _figures(running: Any) -> Figures:
    return {
        "qingling_relay_position": ("Last position that the topic holds.", lambda: running.status().position),
        "qingling_relay_lag": ("Entries that the topic does not hold yet.", lambda: running.status().lag),
        "qingling_relay_errors": ("Times that relaying failed and was tried again.", lambda: running.status().errors),
        "qingling_relay_active": ("Whether this process is the relay.", lambda: running.status().active),
        "qingling_relay_trouble": (
            "Whether something is in its way now.",
            lambda: running.status().trouble is not None,
        ),
    }
