"""`qingling`: one command line in, one exit code out; the one place where errors become sentences and codes.

Guarantees: no traceback unless `--debug` asks for one; an interrupted verb says so and exits with 130, from the first moment on, so
everything that takes time to load is loaded within; a closed pipe ends it quietly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import pairwise

from api.cli import PROGRAM

_VALUED = ("--data", "--database-url", "--language")
_FLAGS = ("--debug",)
"""Global options; they may stand anywhere on the command line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code; see docs/cli.md for the codes."""
    line = hoisted(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = _run(line)
    except KeyboardInterrupt:
        code = 130
    if code == 130:
        _interrupted(line)
    return code


def _run(line: Sequence[str]) -> int:
    import typer

    from api.cli.failures import EXIT_USAGE
    from api.cli.session import warn
    from api.cli.verbs import app
    from api.errors import answer_to

    try:
        code = app(line, prog_name=PROGRAM, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        warn(_wrong_usage(error, _language(line)))
        return EXIT_USAGE
    except Exception as error:  # noqa: BLE001 - the last one who can say it in one line
        _complain(error, line)
        return answer_to(error).exit_code


def _complain(error: Exception, line: Sequence[str]) -> None:
    import traceback

    from api.cli.failures import sentence
    from api.cli.session import warn

    if "--debug" in line:
        traceback.print_exception(error, file=sys.stderr)
    warn(sentence(error, _language(line)))


def _wrong_usage(error: Exception, language: str) -> str:
    """A command line that cannot be read: what is wrong with it, and where help is."""
    from api.cli.failures import USAGE

    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else PROGRAM
    return f"{USAGE.to(language)}: {error} ({path} --help)"


def _interrupted(line: Sequence[str]) -> None:
    from api.cli.failures import INTERRUPTED
    from api.cli.session import warn

    warn(INTERRUPTED.to(_language(line)))


def _language(line: Sequence[str]) -> str:
    """The language to complain in, even where the settings are what there is to complain about."""
    from api.cli.session import Session
    from domain.errors import QinglingError

    said = dict(pairwise(line))
    if "--language" in said:
        return said["--language"]
    try:
        return Session({"data": said["--data"]} if "--data" in said else {}).settings().language
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
