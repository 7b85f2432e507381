"""docs/commands.md, made from the commands themselves. Run as a module to write it anew.

python -m tests.command_page
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from api.cli.commands import example, leaves, option_of
from api.commands.catalogue import NOUNS
from api.commands.command import Command, Noun
from api.commands.fields import Entry
from api.rest.commands import address_of

PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
_HEAD = """\
# Commands

Everything that a person can record. Each command is one REST route, one verb of the command line and one form of the console,
made from one declaration in `api/commands/`; this page is made from the same (`python -m tests.command_page`).

REST takes the fields as JSON: amounts in whole fen, times with an offset, `evidence` as `POST /v1/evidence` answered it. The
command line and the console take amounts in yuan and local times; there a group's field is typed as `--told-how`, and of a
field with rows each row is one line, its parts divided by `|` or a tab, or `@FILE` ([lists](lists.md)).
`--form FILE` takes the JSON of REST.

Every command takes `occurred` and `received` (left out: now) and, where it was received more than a day ago, `late`: why it is
entered only now. It is recorded in the name of the officer whose token or session it comes with, who acts in their own place
and below. `Idempotency-Key` (`--key`) makes it repeatable. `If-Match` with a position refuses it where anything was recorded
about its case since; forms of the console marked † insist on what their page showed.

A field marked * is needed, one marked § is sealed: personal, and never in clear in an entry.
"""


def page() -> str:
    """The page as it must stand."""
    parts = [_HEAD]
    for noun in NOUNS:
        parts += _noun(noun)
    return "\n".join(parts).rstrip() + "\n"


def _noun(noun: Noun) -> Iterator[str]:
    yield f"## {noun.title.en} · {noun.title.zh}\n"
    if not noun.commands:
        yield f"Nothing is recorded about it directly; `GET /v1/{noun.plural}/{{thing}}` shows one.\n"
    for command in noun.commands.values():
        yield from _command(command)


def _command(command: Command) -> Iterator[str]:
    mark = " †" if command.insists else ""
    yield f"### {command.name} · {command.title.zh}{mark}\n"
    yield f"{' '.join(command.explained.split())} Clause: {command.clause}.\n"
    yield f"`POST {address_of(command)}` · `{example(command)}`\n"
    for entry in leaves(command.entries):
        if entry.path not in ("occurred", "received", "late", "basis"):
            yield _field(entry)
    yield ""


def _field(entry: Entry) -> str:
    marks = ("*" if entry.required else "") + ("§" if entry.label.sealed else "")
    said = f"- `{entry.path}`{marks} ({option_of(entry)}) {entry.label.en} · {entry.label.zh}"
    if entry.choices:
        said += ": " + ", ".join(f"`{value}`" for value in entry.choices)
    if entry.inner:
        said += ": " + " | ".join(
            f"`{inner.name}`{'*' if inner.required else ''}{'§' if inner.label.sealed else ''}" for inner in entry.inner
        )
    return said


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
