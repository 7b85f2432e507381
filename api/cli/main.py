"""`qingling`: the verbs put together, global options, and the one place where errors become exit codes.

Guarantees: no traceback unless `--debug` asks for one; an interrupted verb says so and exits with 130; a closed pipe ends it quietly.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from api.application import VERSION
from api.cli import books, ledgers, officers, replaying, schemas, setting_up, upkeep
from api.cli.failures import EXIT_INTERRUPTED, EXIT_PIPE, EXIT_USAGE, INTERRUPTED, USAGE, sentence
from api.cli.session import Session, warn
from api.errors import answer_to
from domain.errors import QinglingError

PROGRAM = "qingling"
_VALUED = ("--data", "--database-url", "--language")
_FLAGS = ("--debug",)
"""Global options; they may stand anywhere on the command line."""


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


for part in (setting_up, books, ledgers, replaying, upkeep, schemas):
    part.add_to(app)
app.add_typer(officers.app, name="officer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code; see docs/cli.md for the codes."""
    line = hoisted(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = app(line, prog_name=PROGRAM, standalone_mode=False)
    except QinglingError as error:
        return _failed(error, line, answer_to(error).exit_code)
    except typer.TyperException as error:
        return _failed_usage(error, line)
    except Exception as error:  # noqa: BLE001 - the last one who can say it in one line
        return _failed(error, line, answer_to(error).exit_code)
    if code == EXIT_INTERRUPTED:
        warn(INTERRUPTED.to(_language(line)))
    return code if isinstance(code, int) else 0


def _failed(error: BaseException, line: Sequence[str], code: int) -> int:
    if "--debug" in line:
        traceback.print_exception(error, file=sys.stderr)
    warn(sentence(error, _language(line)))
    return code


def _failed_usage(error: typer.TyperException, line: Sequence[str]) -> int:
    """A command line that cannot be read: what is wrong with it, and where help is."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    warn(f"{USAGE.to(_language(line))}: {error.format_message()} ({path} --help)")
    return EXIT_USAGE


def _language(line: Sequence[str]) -> str:
    """The language to complain in, even where the settings are what there is to complain about."""
    said = dict(pairwise(line))
    if "--language" in said:
        return said["--language"]
    try:
        return Session({"data": Path(said["--data"])} if "--data" in said else {}).settings().language
    except QinglingError:
        return os.environ.get("QINGLING_LANGUAGE", "zh")


def hoisted(line: Sequence[str]) -> list[str]:
    """The command line with its global options in front of the verb, wherever they stood; what follows `--` stays."""
    front: list[str] = []
    rest: list[str] = []
    waiting = list(line)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            break
        name, _, value = word.partition("=")
        if name in _VALUED and value:
            front += [name, value]
        elif word in _VALUED and waiting:
            front += [word, waiting.pop(0)]
        elif word in _FLAGS:
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest]


if __name__ == "__main__":
    sys.exit(main())
