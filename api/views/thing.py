"""A thing that commands are about, other than a case: its row, its history, and what can be done with it."""

from __future__ import annotations

from typing import Any

from api.commands.command import Command, Noun
from api.reading import Reading
from api.views.ledger import ColumnView, column_views
from api.views.timeline import TimelineItemView, timeline_views
from api.views.values import Names, Value, sealed_in, values_of
from api.views.view import LogTag, Said, View, log_tag, said
from domain.errors import NotFoundError


class CommandView(View):
    """A command that can be given."""

    name: str
    verb: str
    title: Said
    clause: str


class ThingView(View):
    """A complaint, a claim line, a payment, an order, a referral, a project …"""

    log: LogTag
    noun: str
    title: Said
    """What kind of thing it is."""
    thing: str
    """Its id."""
    number: str | None
    """Its official number, where it has one."""
    case: str | None
    """The case that it belongs to, where it does."""
    place: str
    position: int
    """The position that the answer is true at."""
    columns: list[ColumnView]
    values: dict[str, Value]
    """Its row of its ledger; empty where it has none."""
    commands: list[CommandView]
    timeline: list[TimelineItemView]


def thing_view(reading: Reading, noun: Noun, named: str, *, names: bool) -> ThingView:
    """A thing by its id or official number, as known now.

    Raises:
        NotFoundError: there is none, or none that the reader may see.
    """
    from api.commands.desk import resolving

    desk = resolving(reading.platform)
    thing = noun.resolve(desk, named)
    stream: Any = desk.streams.get(noun.stream, thing)
    if not reading.reader.may_see(stream.visibility):
        raise NotFoundError(f"there is no {noun.name} {named!r}")
    columns, values = _row(reading, noun, thing, names=names)
    number = getattr(stream, "number", None)
    case = getattr(stream, "case", None)
    return ThingView(
        log=log_tag(reading),
        noun=noun.name,
        title=said(noun.title),
        thing=thing,
        number=number if isinstance(number, str) else None,
        case=case if isinstance(case, str) else None,
        place=stream.jurisdiction,
        position=reading.platform.head().position,
        columns=columns,
        values=values,
        commands=command_views(noun),
        timeline=timeline_views(reading, reading.platform.stream(thing), names=names),
    )


def command_views(noun: Noun) -> list[CommandView]:
    """The commands about a thing of this kind."""
    return [command_view(command) for command in noun.commands.values() if not command.opens]


def command_view(command: Command) -> CommandView:
    """A command as an answer or page offers it."""
    return CommandView(name=command.name, verb=command.verb, title=said(command.title), clause=command.clause)


def _row(reading: Reading, noun: Noun, thing: str, *, names: bool) -> tuple[list[ColumnView], dict[str, Value]]:
    platform = reading.platform
    if noun.ledger is None or noun.ledger not in platform.catalogue:
        return [], {}
    ledger = platform.ledger(noun.ledger)
    try:
        row = platform.row(noun.ledger, thing).row
    except NotFoundError:
        return [], {}
    opened = Names(reading, asked=names)
    opened.gather(sealed_in(ledger.columns, [row]))
    return column_views(ledger.columns), values_of(ledger.columns, row, opened, platform.info.zone)
