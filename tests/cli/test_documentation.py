"""docs/cli.md names every verb and option that there is, and nothing else; every verb's help has an example that can be run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from api.cli import PROGRAM
from api.cli.failures import EXIT_INTERRUPTED, EXIT_PIPE
from api.cli.verbs import app
from api.commands.catalogue import commands as every_command
from api.errors import DOCUMENTED

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text("utf-8")


def commands(command: Any, name: str = PROGRAM) -> Iterator[tuple[str, Any]]:
    """Every verb by its full name."""
    if hasattr(command, "commands"):
        for verb, below in command.commands.items():
            yield from commands(below, f"{name} {verb}")
    else:
        yield name, command


ALL = dict(commands(typer.main.get_command(app)))
OF_COMMANDS = {f"{PROGRAM} {command.noun.name} {command.verb}" for command in every_command()}
VERBS = {name: verb for name, verb in ALL.items() if name not in OF_COMMANDS}
"""Verbs with a section of their own; those made from the declarations of commands stand in docs/commands.md, which is made from them."""


def options_of(command: Any) -> set[str]:
    """What a verb takes, as its help names it: arguments in capitals, options with all their spellings."""
    found = set()
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            found.add((parameter.metavar or parameter.name).upper())
        else:
            found.update((*parameter.opts, *parameter.secondary_opts))
    return found - {"--help"}


def documented(section: str) -> set[str]:
    """The options that a section's table names in its first column."""
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def sections() -> dict[str, str]:
    parts = re.split(r"^### `(.+?)`$", DOCUMENT, flags=re.MULTILINE)
    return {
        name: re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0]
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_every_verb_is_documented_and_no_other():
    assert set(sections()) == set(VERBS)
    assert set(ALL) >= OF_COMMANDS


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_documented_and_no_other(verb: str):
    assert documented(sections()[verb]) == options_of(VERBS[verb])


def test_every_global_option_is_documented_and_no_other():
    front = DOCUMENT.split("\n## ", 1)[0]
    options = {name for name in documented(front) if name.startswith("--")}
    assert options - {"--help"} == options_of(typer.main.get_command(app))


def test_every_exit_code_is_documented_and_no_other():
    rows = {int(code) for code in re.findall(r"^\| (\d+) \|", DOCUMENT, re.MULTILINE)}
    assert rows == {0, EXIT_INTERRUPTED, EXIT_PIPE} | {answer.exit_code for answer in DOCUMENTED}


@pytest.mark.parametrize("verb", ALL)
def test_every_verb_says_in_both_languages_what_it_does_and_gives_an_example_that_parses(verb: str):
    command = ALL[verb]
    assert re.search(r"[\u4e00-\u9fff]", command.help)
    assert re.search(r"[A-Za-z]{4}", command.help)
    example = command.epilog.removeprefix("Example: ")
    assert example.startswith(verb)
    arguments = shlex.split(example)[len(verb.split()) :]
    # Global options are taken off before a verb sees them.
    arguments = [a for a in arguments if not a.startswith("postgresql:") and a != "--database-url"]
    command.make_context(verb, arguments, parent=None)
