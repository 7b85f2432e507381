"""Performing a command: the same steps for every door, from who asks to what was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from api.commands.command import Command
from api.commands.desk import Desk
from api.commands.forms import Form
from api.reading import Reading
from api.views.sealing import progress
from api.views.view import LogTag, Said, View, log_tag, said
from api.words import EVENT_TYPES, Word
from domain.canonical import canonical_bytes
from domain.errors import UnauthorisedError
from domain.recording import Outcome, StoredEntry


@dataclass(frozen=True)
class Asking:
    """What a caller asks for besides the form: repeatability (an idempotency key) and insistence (If-Match, a position)."""

    key: str | None = None
    unchanged_since: int | None = None


class RecordedEvent(View):
    """One of the events that a command recorded."""

    position: int
    id: str
    type: str
    title: Said
    stream: str
    state: str
    """recorded, sealed, or published."""


class RecordedView(View):
    """What came of a command. The events are recorded whatever follows."""

    log: LogTag
    command: str
    thing: str
    """The id of what the command was about, or began."""
    number: str | None
    """Its official number, where it has one."""
    position: int
    """The last position that was recorded, or the log's head where there was nothing new to record; ask a read for `min_position`."""
    replayed: bool
    """Whether the same command had been recorded before: then nothing was added now."""
    events: list[RecordedEvent]


def perform(
    reading: Reading, command: Command, named: str | None, form: Form, asking: Asking | None = None
) -> RecordedView:
    """Gives a command in the name of the officer who reads.

    Raises:
        UnauthorisedError: nobody is named; recording needs an officer, on a simulation too.
        InputError, NotFoundError, Refused, RecordingError: as the command; nothing was recorded.
    """
    officer = reading.reader.officer
    if officer is None:
        raise UnauthorisedError("recording needs a token that names an officer")
    asked = asking or Asking()
    desk = Desk(
        reading.platform,
        officer,
        correlation=f"{command.name}-{uuid4()}",
        key=asked.key,
        request=_request(command, named, form),
        unchanged_since=asked.unchanged_since,
    )
    if command.opens:
        if not desk.was_recorded():
            command.run(desk, form)
        return _recorded(reading, command, desk, None)
    thing = command.noun.resolve(desk, named or "")
    if desk.was_recorded():
        return _recorded(reading, command, desk, thing)
    if not command.anywhere:
        desk.require_place(desk.streams.get(command.noun.stream, thing).jurisdiction)
    command.run(desk, thing, form)
    return _recorded(reading, command, desk, thing)


def _request(command: Command, named: str | None, form: Form) -> bytes:
    """What is asked, as bytes of which a keyed digest tells two requests under one key apart."""
    said = form.model_dump(mode="json", exclude_defaults=True)
    return canonical_bytes({"command": command.name, "of": named or "", "form": said})


def _recorded(reading: Reading, command: Command, desk: Desk, thing: str | None) -> RecordedView:
    outcome = desk.streams.outcome or Outcome((), ())
    entries = reading.platform.log.read(outcome.positions[0] - 1, len(outcome.positions)) if outcome.positions else ()
    own = thing or next((e.stream for e in entries if e.type.startswith(f"{command.noun.stream.TOPIC}.")), "")  # type: ignore[attr-defined]
    reached = progress(reading)
    return RecordedView(
        log=log_tag(reading),
        command=command.name,
        thing=own,
        number=_number(desk, command, own),
        position=outcome.positions[-1] if outcome.positions else reading.platform.head().position,
        replayed=outcome.replayed,
        events=[_event(entry, reached.state(entry.position).value) for entry in entries],
    )


def _number(desk: Desk, command: Command, thing: str) -> str | None:
    found = desk.streams.find(command.noun.stream, thing) if thing else None
    number = getattr(found, "number", None)
    return number if isinstance(number, str) else None


def _event(entry: StoredEntry, state: str) -> RecordedEvent:
    return RecordedEvent(
        position=entry.position,
        id=f"{entry.stream}/{entry.version}",
        type=entry.type,
        title=said(EVENT_TYPES.get(entry.type, Word(entry.type, entry.type))),
        stream=entry.stream,
        state=state,
    )
