"""The verbs put together, with the global options in front of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from api import VERSION
from api.cli import (
    PROGRAM,
    books,
    commands,
    completing,
    explaining,
    ledgers,
    log,
    officers,
    packing,
    relaying,
    replaying,
    schemas,
    setting_up,
    upkeep,
    verifying,
    witnessing,
    working,
)
from api.cli.failures import EXIT_PIPE
from api.cli.session import Session


class Verbs(TyperGroup):
    """The group of all verbs."""

    def invoke(self, ctx: Any) -> Any:
        """Runs a verb; a reader of its output who goes away is no error of ours."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            # What is still buffered would be written at exit, into the same closed pipe.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_PIPE) from None


app = typer.Typer(
    name=PROGRAM,
    cls=Verbs,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="清零：农民工工资案件的可核验台账。\n\nQingling: an event-sourced audit trail for the fight against wage arrears.",
    epilog="Example: qingling up --sample",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"{PROGRAM} {VERSION}")
        raise typer.Exit


@app.callback()
def _global_options(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option("--data", help="数据文件夹 · data folder (var/main)", show_default=False)
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url", help="数据库地址，代替内嵌数据库 · a PostgreSQL of your own", show_default=False
        ),
    ] = None,
    language: Annotated[str | None, typer.Option("--language", help="zh | en", show_default=False)] = None,
    debug: Annotated[bool, typer.Option("--debug", help="出错时显示调用栈 · show the traceback of an error")] = False,
    version: Annotated[  # noqa: ARG001 - an eager option: its callback answers
        bool, typer.Option("--version", help="版本 · the version", is_eager=True, callback=_version)
    ] = False,
) -> None:
    overrides = {"data": data, "database_url": database_url, "language": language}
    context.obj = Session({name: value for name, value in overrides.items() if value is not None}, debug=debug)


for part in (
    setting_up,
    books,
    ledgers,
    replaying,
    explaining,
    completing,
    packing,
    verifying,
    upkeep,
    schemas,
    relaying,
    working,
):
    part.add_to(app)
for noun, verbs in commands.groups():
    app.add_typer(verbs, name=noun)
app.add_typer(log.app, name="log")
app.add_typer(officers.app, name="officer")
app.add_typer(witnessing.app, name="witness")
