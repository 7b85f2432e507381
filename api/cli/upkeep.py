"""`status`, `fsck`, `rebuild`, `pause`, `resume`: whether the ledgers keep up with the log, and what to do about one that does not."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.options import FORMAT, OUTPUT, output
from api.cli.progress import LongWork
from api.cli.session import Operator, session_of
from api.cli.tables import Column, Format, Table
from api.errors import ANSWERS
from api.reading import Reading
from api.views.status import StatusView, status_view
from api.words import LEDGER_STATES, Language, Word
from domain.errors import NotReadyError, VerificationError

LEDGER = Annotated[str, typer.Argument(help="台账名 · name of the ledger")]


def add_to(app: typer.Typer) -> None:
    """Adds the verbs of this module."""
    app.command("status", epilog="Example: qingling status --format json")(status)
    app.command("fsck", epilog="Example: qingling fsck")(fsck)
    app.command("rebuild", epilog="Example: qingling rebuild case claim")(rebuild)
    app.command("pause", epilog="Example: qingling pause discrepancy")(pause)
    app.command("resume", epilog="Example: qingling resume discrepancy")(resume)


def status(context: typer.Context, format: FORMAT = Format.TABLE, file: OUTPUT = None) -> None:
    """运行状态 · Show where the ledgers stand.

    Head of the log, and position, lag and state of every ledger. Exit code 6 when one cannot be relied on.
    """
    session = session_of(context)
    to = output(session, format, file)
    with session.platform(folding=False) as platform:
        view = status_view(Reading(platform, Operator(None, platform.info.kind)))
    to.table(_status_table(view, to.language), data=view)
    if not view.ready:
        raise typer.Exit(ANSWERS[NotReadyError].exit_code)


def fsck(context: typer.Context, format: FORMAT = Format.TABLE, file: OUTPUT = None) -> None:
    """复核日志 · Check every entry of the log.

    Positions, times, versions, canonical bytes and repeatable commands are read again. Exit code 9 when a law is broken.
    """
    session = session_of(context)
    to = output(session, format, file)
    with session.platform(folding=False) as platform:
        findings = platform.fsck()
        head = platform.head().position
    rows = [{"position": each.position, "law": each.law, "message": each.message} for each in findings]
    verdict = (
        Word("日志守其规则", "The log keeps its laws") if not findings else Word("日志有误", "The log breaks its laws")
    )
    to.table(
        Table(
            Word("复核", "Check").to(to.language),
            (
                Column("position", Word("位置", "Position"), "integer"),
                Column("law", Word("规则", "Law")),
                Column("message", Word("问题", "Finding")),
            ),
            rows,
            [f"{verdict.to(to.language)} · 1 … {head}"],
        ),
        data={"head": head, "findings": rows},
    )
    if findings:
        raise typer.Exit(ANSWERS[VerificationError].exit_code)


def _status_table(view: StatusView, language: Language) -> Table:
    ready = Word("就绪", "Ready") if view.ready else Word("未就绪", "Not ready")
    head = Word("日志末位", "Head of the log").to(language)
    remarks = [
        f"{view.log.origin} · {head} {view.head} ({view.recorded or '-'}) · {view.database}",
        ready.to(language) + "".join(f" · {reason}" for reason in view.why_not),
    ]
    return Table(
        Word("运行状态", "Status").to(language),
        (
            Column("title", Word("台账", "Ledger")),
            Column("name", Word("名称", "Name")),
            Column("state", Word("状态", "State"), words=LEDGER_STATES),
            Column("position", Word("位置", "Position"), "integer"),
            Column("lag", Word("落后", "Lag"), "integer"),
            Column("generation", Word("第几次重建", "Generation"), "integer"),
            Column("updated", Word("更新时间", "Updated"), "time"),
            Column("reason", Word("原因", "Reason")),
        ),
        [{**each.model_dump(), "title": each.title.to(language)} for each in view.ledgers],
        remarks,
    )


def rebuild(
    context: typer.Context,
    ledgers: Annotated[
        list[str] | None, typer.Argument(help="台账名；不写则全部 · names of ledgers; without any, all of them")
    ] = None,
    by_workers: Annotated[
        bool,
        typer.Option(
            "--by-workers", help="由各工作进程分担 · folded by the workers that run (`qingling work`), each its parts"
        ),
    ] = False,
) -> None:
    """重建台账 · Rebuild ledgers.

    From the log, beside the old ones; checked, then swapped in. Readers never wait.
    """
    session = session_of(context)
    with (
        session.platform(folding=False) as platform,
        LongWork(session.say(Word("重建", "Rebuilding"))) as work,
    ):
        report = platform.rebuild(
            ledgers or None,
            lambda at: work.show(at.position, at.head, f"{at.stage.value} {at.events_per_second:,.0f}/s"),
            by_workers=by_workers,
        )
    language = session.language
    stages = (
        (Word("折叠", "folding"), report.seconds_folding),
        (Word("索引", "indexing"), report.seconds_indexing),
        (Word("核对", "checking"), report.seconds_checking),
    )
    spent = " · ".join(f"{stage.to(language)} {seconds:.1f} {_SECONDS.to(language)}" for stage, seconds in stages)
    typer.echo(f"{', '.join(report.ledgers)} · {Word('截至位置', 'as of position').to(language)} {report.position}")
    typer.echo(f"{spent} · {report.events_per_second:,.0f} {Word('事件/秒', 'events/s').to(language)}")
    if report.resumed_from:
        typer.echo(f"{Word('自此位置续建', 'Resumed from position').to(language)} {report.resumed_from}")
    if report.compared:
        equal = Word("与现用台账全部历史一致", "Equal to the live one in its whole history")
        typer.echo(f"{equal.to(language)}: {', '.join(report.compared)}")


_SECONDS = Word("秒", "s")


def pause(context: typer.Context, ledger: LEDGER) -> None:
    """暂停台账更新 · Pause a ledger.

    Nothing is folded into it until it is resumed; a board over it says *incomplete*.
    """
    with session_of(context).platform(folding=False) as platform:
        platform.ledger(ledger)
        platform.pause(ledger)


def resume(context: typer.Context, ledger: LEDGER) -> None:
    """恢复台账更新 · Resume a ledger.

    A paused or stopped ledger catches up with the log.
    """
    with session_of(context).platform(folding=False) as platform:
        platform.ledger(ledger)
        platform.resume(ledger)
