"""Every command of this release."""

from __future__ import annotations

from collections.abc import Iterator

from api.commands.command import Command, Noun
from api.commands.complaints import COMPLAINTS

NOUNS: tuple[Noun, ...] = (COMPLAINTS,)


def commands() -> Iterator[Command]:
    """All of them, noun by noun."""
    for noun in NOUNS:
        yield from noun.commands.values()


def command_named(noun: str, verb: str) -> Command | None:
    """The command of that name, if there is one; `noun` is its name or plural."""
    for each in NOUNS:
        if noun in (each.name, each.plural):
            return each.commands.get(verb)
    return None
