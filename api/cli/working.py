"""`work`: the ledgers are folded by a process of their own, or by several that share them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from api.cli.metrics import serve_metrics
from api.cli.options import FORMAT, METRICS_PORT, output
from api.cli.serving import stopped_by_signals
from api.cli.session import Session, session_of
from api.cli.tables import Column, Format, Table
from api.words import Word

_COLUMNS = (
    Column("partitions", Word("分区", "Partitions")),
    Column("position", Word("台账截至位置", "Folded up to"), "integer"),
    Column("head", Word("来源截至位置", "Feed holds up to"), "integer"),
    Column("rebalances", Word("重新分配次数", "Rebalances"), "integer"),
)


class From(StrEnum):
    """Where entries come from."""

    KAFKA = "kafka"
    LOG = "log"


def add_to(app: typer.Typer) -> None:
    """Adds the verb of this module."""
    app.command("work", epilog="Example: qingling work --feed kafka --metrics-port 9401")(work)


def work(
    context: typer.Context,
    feed: Annotated[
        From,
        typer.Option(
            "--feed",
            help="来源：Kafka 主题（多个进程分担）或日志 · the topic, shared by all workers, or the log, alone",
        ),
    ] = From.KAFKA,
    once: Annotated[
        bool, typer.Option("--once", help="汇总到当前日志末尾即止 · until its ledgers hold what the log holds now")
    ] = False,
    metrics_port: METRICS_PORT = None,
    format: FORMAT = Format.TABLE,
) -> None:
    """汇总台账 · Fold the ledgers until Ctrl-C.

    With --feed kafka any number of workers share them, each some partitions of the topic; one that ends or is lost is replaced by the
    others. With --feed log one process folds all, and a second one waits. See docs/operations.md.
    """
    from infra.bootstrap import open_engine, open_worker

    session = session_of(context)
    to = output(session, format, None)
    settings = session.settings()
    with stopped_by_signals():
        if feed is From.KAFKA:
            with open_worker(settings) as worker:
                if metrics_port is not None:
                    _serve_worker(worker, metrics_port)
                try:
                    worker.run(lambda: False, once=once)  # a signal ends it
                finally:
                    status = worker.status()
                    _say(session, status.trouble)
            row: dict[str, object] = {
                "partitions": " ".join(map(str, status.partitions)),
                "position": status.position,
                "head": status.head,
                "rebalances": status.rebalances,
            }
        else:
            with open_engine(settings) as engine:
                if metrics_port is not None:
                    _serve_engine(engine, metrics_port)
                try:
                    if once:
                        engine.run_once()
                    else:
                        engine.run()
                        if engine.failure is not None:
                            raise engine.failure
                finally:
                    _say(session, engine.trouble)
                progress = engine.progress
            row = {
                "position": None if progress is None else progress.position,
                "head": None if progress is None else progress.head,
            }
    to.table(Table(session.say(Word("汇总", "Folding")), _COLUMNS, [row], []), data=row)


def _say(session: Session, trouble: str | None) -> None:
    if trouble is not None:
        typer.echo(f"{session.say(Word('最近一次故障', 'Last trouble'))}: {trouble}", err=True)


def _serve_worker(worker: Any, port: int) -> None:
    def partitions() -> float:
        return len(worker.status().partitions)

    serve_metrics(
        port,
        {
            "qingling_worker_partitions": ("Partitions that are this worker's.", partitions),
            "qingling_worker_position": ("Up to where its parts are folded.", lambda: worker.status().position),
            "qingling_worker_lag": ("Positions that it is behind its partitions.", lambda: worker.status().lag),
            "qingling_worker_rebalances": ("Times that its partitions changed.", lambda: worker.status().rebalances),
            "qingling_worker_trouble": (
                "Whether something is in its way now.",
                lambda: worker.status().trouble is not None,
            ),
        },
    )


def _serve_engine(engine: Any, port: int) -> None:
    def position() -> float | None:
        return None if engine.progress is None else engine.progress.position

    def lag() -> float | None:
        return None if engine.progress is None else engine.progress.head - engine.progress.position

    serve_metrics(
        port,
        {
            "qingling_worker_position": ("Up to where the ledgers are folded.", position),
            "qingling_worker_lag": ("Positions that they are behind the log.", lag),
            "qingling_worker_trouble": ("Whether something is in its way now.", lambda: engine.trouble is not None),
        },
    )
