"""Which events bear evidence, and where in them it stands: known from the types of their fields, so of classes to come too. Pure."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from domain.streams import StreamEvent, fields_of
from domain.vocabulary import Evidence


@cache
def bears_evidence(event_class: type[StreamEvent]) -> bool:
    """Whether an event of this class has a place for evidence."""
    return any(_has_place(hint) for hint in typing.get_type_hints(event_class).values())


def evidence_in(event: StreamEvent) -> Iterator[Evidence]:
    """The files that an event names, in the order of its fields; one that it names twice comes twice."""
    if bears_evidence(type(event)):
        for value in fields_of(event).values():
            yield from _found(value)


def _has_place(hint: Any) -> bool:
    """Whether a value of a field may hold evidence. What stands in an entry is never recursive, so this ends."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint is Evidence or any(_has_place(field.type) for field in msgspec.structs.fields(hint))
    return any(_has_place(argument) for argument in typing.get_args(hint))


def _found(value: Any) -> Iterator[Evidence]:
    if isinstance(value, Evidence):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _found(each)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _found(getattr(value, name))
