"""An example of every event type, made from its fields' types. Run as a module to store the examples of types that have none yet.

    python -m tests.examples

A stored example is never edited: it is what an entry of that type looked like when the type was released.
"""

from __future__ import annotations

import types
import typing
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from domain.catalogue import EVENT_TYPES
from domain.entries import draft
from domain.recording import filled
from domain.streams import Basis, Context, Provenance, Stream, Visibility

VECTORS = Path(__file__).with_name("vectors")
MOMENT = datetime(2019, 12, 2, 8, 0, tzinfo=UTC)
RECORDED = datetime(2019, 12, 3, 1, 14, 7, 120441, tzinfo=UTC)
_IDENTITY = {"originator_id", "originator_version", "originator_topic", "timestamp", "provenance"}


class _Holder:
    """Stands for the stream of an example: what `draft` asks of it."""

    partitionkey = "case-0000"
    jurisdiction = "140321"
    visibility = Visibility.CASE


def example(event_type: str, *, full: bool) -> bytes:
    """The entry of an example; `full`: with every field that may be absent."""
    event_class = EVENT_TYPES.class_of(event_type)
    hints = typing.get_type_hints(event_class)
    fields = {
        name: None if _optional(hints[name]) and not full else _value(hints[name], name, full=full)
        for name in event_class.__dataclass_fields__
        if name not in _IDENTITY
    }
    event = object.__new__(event_class)
    event.__dict__.update(
        fields,
        originator_id="stream-0000",
        originator_version=2,
        originator_topic=event_type.split(".", maxsplit=1)[0],
        timestamp=RECORDED,
        provenance=_provenance(full=full),
    )
    made = draft(
        typing.cast(Stream, _Holder()),
        event,
        Context(actor="officer-0000", correlation="correlation-0000", causation="book-0000/2" if full else None),
        "urn:qingling:example",
    )
    return filled(made.entry, made.time_at, RECORDED)


def _provenance(*, full: bool) -> Provenance:
    if not full:
        return Provenance(occurred=MOMENT, received=MOMENT)
    return Provenance(
        occurred=MOMENT,
        received=MOMENT,
        basis=Basis.DOCUMENTED,
        clause="N26",
        decidedby="officer-0001",
        approvedby="officer-0002",
    )


def _optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _value(hint: Any, name: str, *, full: bool) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _value(next(arg for arg in typing.get_args(hint) if arg is not type(None)), name, full=full)
    if origin is tuple:
        arguments = typing.get_args(hint)
        if arguments[-1] is Ellipsis:
            return (_value(arguments[0], name, full=full),) if full else ()
        return tuple(_value(argument, name, full=full) for argument in arguments)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint(
            **{
                field.name: _value(field.type, field.name, full=full)
                for field in msgspec.structs.fields(hint)
                if full or field.required
            }
        )
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    plain = {str: f"{name} 值", int: 12_345, bool: True, date: date(2019, 12, 2), datetime: MOMENT}
    return plain[hint]


def main() -> None:
    """Stores what is missing, and touches nothing that is there."""
    for event_type in EVENT_TYPES:
        for full in (True, False):
            file = VECTORS / f"{event_type}.{'full' if full else 'bare'}.json"
            if not file.exists():
                file.write_bytes(example(event_type, full=full))


if __name__ == "__main__":
    main()
