"""The port between command handlers and the log: load streams, commit what they decided.

A handler is load, ask, commit, with no `if` about the domain. `Streams` is all it knows of the outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired, Protocol, TypedDict, TypeVar, Unpack

from domain.entries import Recorded
from domain.errors import ConflictError, RuleError
from domain.recording import CommandKey, Outcome
from domain.streams import Context, Stream, StreamEvent

S = TypeVar("S", bound=Stream)
T = TypeVar("T")

MAX_TRIES = 3
"""How often a command is decided again after a conflict, unless the caller insisted on a version (If-Match)."""


@dataclass
class Turn:
    """One's turn at a register of official numbers. `last`: a serial that is known to be taken; whoever takes a later one says so here."""

    last: int = 0


class Streams(Protocol):
    """Loads streams and commits what they decided. Safe to share between threads."""

    def turn(self, register: str) -> AbstractContextManager[Turn]:
        """The turn at a register, one after the other within a process: who waits does not decide in vain. That a number is taken once does
        not rest on it, but on the ids that are made from numbers."""

    def find(self, kind: type[S], stream_id: str) -> S | None:
        """The stream as it stands now, or None when it was never opened."""

    def get(self, kind: type[S], stream_id: str) -> S:
        """As `find`.

        Raises:
            NotFoundError: there is no such stream.
        """

    def get_many(self, kind: type[S], stream_ids: Sequence[str]) -> list[S]:
        """The streams of that kind that are there, in the order asked, in one look at the log; those that are not are left out."""

    def partitions(self, keys: Sequence[str]) -> dict[str, list[Recorded[StreamEvent]]]:
        """By partition key, every recorded event of it in order of position; keys without events are left out."""

    def rebuilt(self, events: Sequence[Recorded[StreamEvent]]) -> dict[str, Stream]:
        """The streams that these events make, by id; the events of each stream must be whole and in order."""

    def recorded(self, command: CommandKey) -> Outcome | None:
        """See `LogWriter.recorded`."""

    def commit(
        self, *streams: Stream, context: Context, command: CommandKey | None = None, now: datetime | None = None
    ) -> Outcome:
        """Records the pending events of all given streams together or not at all.

        Raises:
            ConflictError, IdempotencyError, RecordingError, ClockError: as `LogWriter.append`.
        """


class Command(TypedDict):
    """What every command is recorded with: who sent it, what makes it repeatable, and the played time of a simulation."""

    context: Context
    command: NotRequired[CommandKey | None]
    now: NotRequired[datetime | None]


def decide(command: Callable[[], T], *, tries: int = MAX_TRIES) -> T:
    """Runs a command that loads, asks and commits; runs it again, from loading, when somebody else was first.

    Raises:
        ConflictError: after `tries` conflicts.
    """
    for _ in range(tries - 1):
        try:
            return command()
        except ConflictError:
            continue
    return command()


def decide_repeatably(
    streams: Streams, command: CommandKey | None, once: Callable[[], Outcome], *, tries: int = MAX_TRIES
) -> Outcome:
    """As `decide`, for what commits under a command's key. A command that was recorded before is answered as it was then, without
    deciding: its own effect may be what now refuses it.

    Raises:
        IdempotencyError: the command's key was used for another request.
        ConflictError: as `decide`.
    """
    before = None if command is None else streams.recorded(command)
    return decide(once, tries=tries) if before is None else before


def act(
    streams: Streams,
    kind: type[S],
    stream_id: str,
    ask: Callable[[S], None],
    *,
    context: Context,
    command: CommandKey | None = None,
    now: datetime | None = None,
) -> Outcome:
    """Loads one stream, asks it for one act or fact, and commits what it decided; again, from loading, after a conflict.

    Raises:
        NotFoundError: there is no such stream.
        IdempotencyError: the command's key was used for another request.
        Refused: the act is refused, or somebody else was first `MAX_TRIES` times.
    """

    def once() -> Outcome:
        stream = streams.get(kind, stream_id)
        ask(stream)
        return streams.commit(stream, context=context, command=command, now=now)

    return decide_repeatably(streams, command, once)


def open_once(streams: Streams, stream: Stream, what: str, number: str, **sent: Unpack[Command]) -> None:
    """Commits a stream whose id is made from its official number.

    Raises:
        RuleError: the number is taken; `what` says of what kind.
    """
    try:
        streams.commit(stream, **sent)
    except ConflictError:
        raise RuleError(
            f"there is {what} {number!r} already", rule="number-once", clause="definitions: official numbers"
        ) from None
