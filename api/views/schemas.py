"""The event types of this release."""

from __future__ import annotations

from api.reading import Reading
from api.views.view import LogTag, Said, View, log_tag, said
from api.words import EVENT_TYPES


class EventTypeView(View):
    """An event type."""

    type: str
    title: Said
    schema_at: str
    """Address of the JSON Schema of its `data`."""


class SchemasView(View):
    """Every event type, in alphabetical order."""

    log: LogTag
    types: list[EventTypeView]


def schemas_view(reading: Reading) -> SchemasView:
    """The event types that this release writes."""
    return SchemasView(
        log=log_tag(reading),
        types=[
            EventTypeView(type=name, title=said(EVENT_TYPES[name]), schema_at=f"/v1/schemas/{name}")
            for name in reading.platform.types
        ],
    )
