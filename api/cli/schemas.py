"""`schema`: the JSON Schema of every event type, as published."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.options import FORMAT, OUTPUT, output
from api.cli.session import session_of
from api.cli.tables import Column, Format, Table
from api.views.ledger import nearest
from api.words import EVENT_TYPES as TITLES
from api.words import Word
from domain.catalogue import EVENT_TYPES
from domain.errors import NotFoundError


def add_to(app: typer.Typer) -> None:
    """Adds the verb of this module."""
    app.command("schema", epilog="Example: qingling schema case.registered.v1")(schema)


def schema(
    context: typer.Context,
    type: Annotated[
        str | None, typer.Argument(help="事件类型；不写则列出全部 · an event type; without it, all there are")
    ] = None,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """事件类型 · Print JSON Schemas.

    The event types; the JSON Schema of one; with --format json those of all.
    """
    session = session_of(context)
    to = output(session, format, file)
    if type is not None:
        if type not in TITLES:
            raise NotFoundError(f"there is no event type {type!r}{nearest(type, EVENT_TYPES)}")
        to.data(EVENT_TYPES.schema(type))
        return
    rows: list[dict[str, object]] = [{"type": name, "title": TITLES[name].to(to.language)} for name in EVENT_TYPES]
    table = Table(
        Word("事件类型", "Event types").to(to.language),
        (Column("type", Word("类型", "Type")), Column("title", Word("含义", "Meaning"))),
        rows,
    )
    to.table(table, data={name: EVENT_TYPES.schema(name) for name in EVENT_TYPES})
