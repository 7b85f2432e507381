"""Values of ledger columns as JSON carries them, and personal fields opened by right.

Guarantees that no personal plain text reaches a view unless the reader may see it and asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from api.reading import Reading
from api.views.view import View
from domain.sealing.personal import Sealed
from projections.ledger import Column, Row


class SealedText(View):
    """A personal field that stays closed: the reader may not see it, or did not ask."""

    sealed: Literal[True] = True
    subject: str
    """Whose it is: the random id of a person, or of the stream that a text belongs to."""


class OpenedText(View):
    """A personal field that was opened for the reader."""

    sealed: Literal[False] = False
    subject: str
    text: str | None
    """The plain text; null when it was erased."""
    erased: bool


Personal = SealedText | OpenedText
Value = str | int | bool | list[str] | SealedText | OpenedText | None


class Names:
    """Opens personal fields for one reader, all of a view in one call."""

    def __init__(self, reading: Reading, *, asked: bool) -> None:
        self._reading = reading
        self._open = asked and reading.reader.may_see_names
        self._texts: dict[tuple[Sealed, str], str | None] = {}

    def gather(self, items: Iterable[tuple[Sealed, str]]) -> None:
        """Opens these fields, each with the label that it was sealed under."""
        wanted = list(dict.fromkeys(items))
        if self._open and wanted:
            self._texts.update(zip(wanted, self._reading.platform.opened(wanted), strict=True))

    def view(self, sealed: Sealed, field: str) -> Personal:
        """A field as the reader may see it; it must have been gathered."""
        if not self._open:
            return SealedText(subject=sealed.subject)
        text = self._texts[sealed, field]
        return OpenedText(subject=sealed.subject, text=text, erased=text is None)


def sealed_in(columns: Sequence[Column], rows: Iterable[Row]) -> list[tuple[Sealed, str]]:
    """Every personal field of some rows, with its label; for `Names.gather`."""
    personal = [column for column in columns if column.sealed_field]
    return [
        (value, column.sealed_field)
        for row in rows
        for column in personal
        if isinstance(value := column.of(row), Sealed)
    ]


def values_of(columns: Sequence[Column], row: Row, names: Names, zone: ZoneInfo) -> dict[str, Value]:
    """A row's values by column name."""
    return {column.name: value_of(column.of(row), names, column.sealed_field, zone) for column in columns}


def value_of(value: Any, names: Names, field: str, zone: ZoneInfo) -> Value:
    """One value as JSON carries it."""
    if isinstance(value, Sealed):
        return names.view(value, field)
    if isinstance(value, datetime):
        return local(value, zone)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"a column holds a {type(value).__name__}, which no view can show")


def local(moment: datetime, zone: ZoneInfo) -> str:
    """A time in the log's zone, RFC 3339."""
    return moment.astimezone(zone).isoformat()
