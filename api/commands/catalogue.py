"""Every command of this release, by the thing that it is about."""

from __future__ import annotations

from collections.abc import Iterator

from api.commands.backstops import BACKSTOPS
from api.commands.cases import CASES
from api.commands.claims import CLAIMS
from api.commands.command import Command, Noun
from api.commands.complaints import COMPLAINTS
from api.commands.custody import CUSTODIES
from api.commands.follow_ups import CALL_LISTS
from api.commands.orders import ORDERS
from api.commands.payments import PAYMENTS
from api.commands.projects import PERMIT_LISTS, PROJECTS
from api.commands.referrals import REFERRALS

NOUNS: tuple[Noun, ...] = (
    COMPLAINTS,
    CASES,
    CLAIMS,
    PAYMENTS,
    CUSTODIES,
    CALL_LISTS,
    ORDERS,
    REFERRALS,
    BACKSTOPS,
    PROJECTS,
    PERMIT_LISTS,
)


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


def noun_of(stream: str) -> Noun | None:
    """The kind of thing that a stream is, if commands are about it; its id begins with the noun's name."""
    return next((noun for noun in NOUNS if stream.startswith(f"{noun.name}-")), None)
