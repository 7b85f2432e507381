"""Entries: the one sequence of bytes that an event is, everywhere (design.md, laws 1 and 10).

An entry is a CloudEvents 1.0 JSON object (structured mode) in canonical form. `draft` makes it with a placeholder for the recorded
time, `EventTypes.decode` reads it back. Event types are known by their explicit topic alone; no Python path is ever stored. A type
of an older version is *upcast* on reading: its data is rewritten, in memory, into the shape of the next version.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Generic, TypeVar, cast

import msgspec
import orjson

from domain.errors import UnknownEventError
from domain.recording import TIME_PLACEHOLDER, Draft, StoredEntry, time_offset
from domain.streams import Basis, Context, LateReason, Provenance, Shape, Stream, StreamEvent, Visibility, fields_of

SPECVERSION = "1.0"
CONTENT_TYPE = "application/json"
_MINUTE = timedelta(minutes=1)
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER

E = TypeVar("E", bound=StreamEvent)
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The attributes of an entry. Scalars only, as CloudEvents 1.0, section "Type System", demands; lists stand in `data`."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    actor: str
    correlation: str
    jurisdiction: str
    occurred: datetime
    received: datetime
    partitionkey: str
    version: int
    visibility: Visibility
    data: msgspec.Raw
    basis: Basis | None = None
    causation: str | None = None
    clause: str | None = None
    decidedby: str | None = None
    approvedby: str | None = None
    late: LateReason | None = None


class Recorded(Generic[E]):
    """An event with where it stands: its position, its envelope, and the event itself."""

    __slots__ = ("envelope", "event", "position")

    def __init__(self, position: int, envelope: Envelope, event: E) -> None:
        self.position = position
        self.envelope = envelope
        self.event = event

    def __repr__(self) -> str:
        return f"Recorded({self.position}, {self.envelope.id}, {self.envelope.type})"


def draft(stream: Stream, event: StreamEvent, context: Context, source: str) -> Draft:
    """The entry of a new event as canonical bytes, with a placeholder where the recorded time will stand.

    `stream` is the aggregate after its decision: it says the jurisdiction, the partition key and the visibility.

    Raises:
        ValueError: an integer beyond 2^53 − 1, a lone surrogate, or text that is not UTF-8.
        RecordingError: the entry is longer than 65,535 bytes.
    """
    provenance = event.provenance
    attributes: dict[str, object] = {
        "actor": context.actor,
        "correlation": context.correlation,
        "data": msgspec.to_builtins(fields_of(event)),
        "datacontenttype": CONTENT_TYPE,
        "id": f"{event.originator_id}/{event.originator_version}",
        "jurisdiction": stream.jurisdiction,
        "occurred": _instant(provenance.occurred),
        "partitionkey": stream.partitionkey,
        "received": _instant(provenance.received),
        "source": source,
        "specversion": SPECVERSION,
        "subject": event.originator_id,
        "time": TIME_PLACEHOLDER,
        "type": type_of(type(event)),
        "version": event.originator_version,
        "visibility": stream.visibility.value,
    }
    for name, value in (
        ("basis", provenance.basis.value if provenance.basis else None),
        ("causation", context.causation),
        ("clause", provenance.clause),
        ("decidedby", provenance.decidedby),
        ("approvedby", provenance.approvedby),
        ("late", provenance.late.value if provenance.late else None),
    ):
        if value is not None:
            attributes[name] = value
    entry = _encode(attributes)
    return Draft(
        stream=event.originator_id,
        version=event.originator_version,
        type=cast(str, attributes["type"]),
        partitionkey=stream.partitionkey,
        entry=entry,
        time_at=time_offset(entry),
    )


def _encode(attributes: Mapping[str, object]) -> bytes:
    """Canonical bytes without walking the value: `EventTypes` has refused floats and dicts when the class was registered."""
    try:
        return orjson.dumps(attributes, option=_OPTIONS)
    except TypeError as error:
        raise ValueError(f"not canonical JSON: {error}") from error


def _instant(moment: datetime) -> str:
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"{moment} bears no offset from UTC")
    if (
        offset % _MINUTE
    ):  # local mean time, as before 1901: RFC 3339 has no words for it, and nobody could read the entry again
        raise ValueError(f"{moment} is not a whole number of minutes from UTC")
    return moment.isoformat()


def type_of(event_class: type[StreamEvent]) -> str:
    """The explicit topic of an event class, for example `case.registered.v1`."""
    return cast(str, event_class.TOPIC)  # type: ignore[attr-defined]


class EventTypes:
    """Every event type that this release can read and write.

    Built once from the streams of the domain; refuses an event class whose fields canonical JSON cannot carry, so that nothing of
    the kind can ever reach the log.
    """

    def __init__(self, streams: Iterable[type[Stream]]) -> None:
        self._shapes: dict[str, _EventShape] = {}
        self._upcasts: dict[str, tuple[str, Upcaster]] = {}
        self.streams: dict[str, type[Stream]] = {}
        for stream in streams:
            self.streams[cast(str, stream.TOPIC)] = stream  # type: ignore[attr-defined]
            for event_class in _event_classes(stream):
                self._shapes[type_of(event_class)] = _EventShape(event_class, cast(str, stream.TOPIC))  # type: ignore[attr-defined]
        self._envelopes = msgspec.json.Decoder(Envelope)

    def __iter__(self) -> typing.Iterator[str]:
        return iter(sorted(self._shapes))

    def class_of(self, event_type: str) -> type[StreamEvent]:
        """The class that events of this type are read as (of the newest version, where an older type is upcast).

        Raises:
            UnknownEventError: this release does not know the type.
        """
        target = event_type
        while target in self._upcasts:
            target = self._upcasts[target][0]
        try:
            return self._shapes[target].event_class
        except KeyError:
            raise UnknownEventError(f"this release does not know events of type {event_type!r}") from None

    def upcast(self, old: str, new: str, rewrite: Upcaster) -> None:
        """Reads events of type `old` as `new`: `rewrite` turns the old data into the new. Chains are followed.

        Raises:
            ValueError: `old` is still a current type, `new` is unknown, or the chain would go round in a circle.
        """
        if old in self._shapes:
            raise ValueError(f"{old} is a current type; only what no class describes any more is upcast")
        if new != old and new not in self._shapes and new not in self._upcasts:
            raise ValueError(f"{old} cannot become {new}: no such type")
        if new == old:
            raise ValueError(f"{old} cannot become itself")
        self._upcasts[old] = (new, rewrite)

    def schema(self, event_type: str) -> dict[str, Any]:
        """JSON Schema (2020-12) of the `data` of a current type."""
        shape = self._shapes[event_type]
        schema = msgspec.json.schema(shape.payload)
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:qingling:event:{event_type}",
            **schema,
        }

    def decode(self, stored: StoredEntry) -> Recorded[StreamEvent]:
        """The recorded event that a stored entry is.

        Raises:
            UnknownEventError: the bytes are no entry, or of a type or shape that this release does not know.
        """
        return self.decode_entry(stored.position, stored.entry)

    def decode_entry(self, position: int, entry: bytes) -> Recorded[StreamEvent]:
        """As `decode`, from the bytes alone (as they come from Kafka or an evidence pack)."""
        try:
            envelope = self._envelopes.decode(entry)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnknownEventError(f"position {position} holds no entry: {error}", position=position) from error
        shape = self._shapes.get(envelope.type)
        try:
            if shape is not None:
                return Recorded(position, envelope, shape.read(envelope))
            return Recorded(position, envelope, self._read_upcast(envelope))
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise UnknownEventError(
                f"the event at position {position} ({envelope.id}) is not a {envelope.type}: {error}", position=position
            ) from error
        except UnknownEventError as error:
            raise UnknownEventError(f"{error} (position {position}, {envelope.id})", position=position) from None

    def _read_upcast(self, envelope: Envelope) -> StreamEvent:
        event_type = envelope.type
        if event_type not in self._upcasts:
            raise UnknownEventError(f"this release does not know events of type {event_type!r}")
        data = msgspec.json.decode(envelope.data)
        while event_type in self._upcasts:
            event_type, rewrite = self._upcasts[event_type]
            data = rewrite(data)
        return self._shapes[event_type].convert(data, envelope)


class _EventShape:
    """Reads the `data` of one event type into its class."""

    def __init__(self, event_class: type[StreamEvent], originator_topic: str) -> None:
        self.event_class = event_class
        self._originator_topic = originator_topic
        hints = typing.get_type_hints(event_class)
        own = [name for name in event_class.__dataclass_fields__ if name not in _IDENTITY]
        fields: list[Any] = []
        for name in own:
            _refuse_what_json_cannot_carry(hints[name], f"{event_class.__qualname__}.{name}")
            fields.append((name, hints[name], None) if _may_be_absent(hints[name]) else (name, hints[name]))
        self.payload = msgspec.defstruct(
            event_class.__qualname__.replace(".", ""), fields, frozen=True, kw_only=True, forbid_unknown_fields=True
        )
        self._names = tuple(own)
        self._decoder = msgspec.json.Decoder(self.payload)

    def read(self, envelope: Envelope) -> StreamEvent:
        return self._event(self._decoder.decode(envelope.data), envelope)

    def convert(self, data: dict[str, Any], envelope: Envelope) -> StreamEvent:
        return self._event(msgspec.convert(data, self.payload), envelope)

    def _event(self, payload: msgspec.Struct, envelope: Envelope) -> StreamEvent:
        state = msgspec.structs.asdict(payload)
        state["originator_id"] = envelope.subject
        state["originator_version"] = envelope.version
        state["originator_topic"] = self._originator_topic
        state["timestamp"] = envelope.time
        state["provenance"] = Provenance(
            occurred=envelope.occurred,
            received=envelope.received,
            basis=envelope.basis,
            clause=envelope.clause,
            decidedby=envelope.decidedby,
            approvedby=envelope.approvedby,
            late=envelope.late,
        )
        event = object.__new__(self.event_class)
        event.__dict__.update(state)
        return event


_IDENTITY = frozenset({"originator_id", "originator_version", "originator_topic", "timestamp", "provenance"})


def _event_classes(stream: type[Stream]) -> Iterable[type[StreamEvent]]:
    for value in vars(stream).values():
        if isinstance(value, type) and issubclass(value, StreamEvent) and hasattr(value, "TOPIC"):
            yield value


def _may_be_absent(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _refuse_what_json_cannot_carry(hint: Any, where: str) -> None:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union, tuple, typing.Literal, typing.Annotated):
        for argument in typing.get_args(hint):
            if isinstance(argument, type) or typing.get_origin(argument) is not None:
                _refuse_what_json_cannot_carry(argument, where)
        return
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for field in msgspec.structs.fields(hint):
            if issubclass(hint, Shape) and field.default not in (msgspec.NODEFAULT, None, ()):
                raise TypeError(
                    f"{where}: {hint.__name__}.{field.name} has a default that the log would depend on for ever"
                )
            _refuse_what_json_cannot_carry(field.type, f"{where}.{field.name}")
        return
    if isinstance(hint, type) and (hint in (str, int, bool, date, datetime, type(None)) or issubclass(hint, Enum)):
        return
    raise TypeError(
        f"{where}: {hint} cannot stand in an entry; money is integer fen, lists are tuples, mappings are lists of pairs"
    )
