"""What a command is: which kind of thing it is about, what it asks for, and the function that hands it to the domain.

A noun declares its commands with decorators; a command that *opens* begins a new thing, every other one is about one that is there. The
three doors are made from the declarations, so that none of them has a command that the others lack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from api.commands.desk import Desk, Resolving
from api.commands.fields import Entry, entries_of
from api.commands.forms import Form
from api.words import Word
from domain.errors import NotFoundError
from domain.streams import Stream

Run = Callable[..., object]
_LAST = {"evidence": 1, "basis": 2, "occurred": 3, "received": 4, "late": 5}
Resolve = Callable[[Desk | Resolving, str], str]


@dataclass(frozen=True)
class Command:
    """One command. `run(desk, form)` where it opens, else `run(desk, id, form)`; what it returns is not used: the desk's outcome is."""

    noun: Noun
    verb: str
    title: Word
    form: type[Form]
    run: Run
    clause: str
    opens: bool
    insists: bool
    """Whether who gives it on a page decides on what that page showed: it is refused where the case has changed since."""
    anywhere: bool
    """Whether officers of other places may give it: the receiver of a transfer, for one. The command then looks itself."""
    group: Word | None = None
    """Under which heading a page lists it; None: the noun's first."""

    @property
    def name(self) -> str:
        """`complaint.classify`."""
        return f"{self.noun.name}.{self.verb}"

    @property
    def explained(self) -> str:
        """What it does, in English: the function's docstring."""
        return (self.run.__doc__ or "").strip()

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The fields that it asks for: its own first, those that are needed before the others, then files and grade, and last the times."""
        return tuple(sorted(entries_of(self.form), key=lambda entry: (_LAST.get(entry.name, 0), not entry.required)))


@dataclass(frozen=True)
class Noun:
    """A kind of thing that commands are about."""

    name: str
    plural: str
    """As it stands in addresses: `/v1/{plural}`."""
    title: Word
    stream: type[Stream]
    resolve: Resolve
    """The id of the thing that a person names by its id or official number; raises NotFoundError."""
    ledger: str | None = None
    """The ledger whose row it is."""
    commands: dict[str, Command] = field(default_factory=dict)

    def opening(
        self, verb: str, title: Word, *, clause: str, anywhere: bool = False, group: Word | None = None
    ) -> Callable[[Run], Run]:
        """Declares a command that begins a new thing: `run(desk, form)`."""
        return self._declare(verb, title, clause, opens=True, insists=False, anywhere=anywhere, group=group)

    def command(
        self,
        verb: str,
        title: Word,
        *,
        clause: str,
        insists: bool = False,
        anywhere: bool = False,
        group: Word | None = None,
    ) -> Callable[[Run], Run]:
        """Declares a command about a thing that is there: `run(desk, id, form)`."""
        return self._declare(verb, title, clause, opens=False, insists=insists, anywhere=anywhere, group=group)

    def _declare(self, verb: str, title: Word, clause: str, **rest: Any) -> Callable[[Run], Run]:
        def declare(run: Run) -> Run:
            if verb in self.commands:
                raise ValueError(f"{self.name}.{verb} is declared twice")
            self.commands[verb] = Command(
                noun=self, verb=verb, title=title, form=_form_of(run), run=run, clause=clause, **rest
            )
            return run

        return declare


def _form_of(run: Run) -> type[Form]:
    """The form that a command's function takes, from its annotation."""
    from typing import get_type_hints

    form = get_type_hints(run)["form"]
    if not (isinstance(form, type) and issubclass(form, Form)):
        raise TypeError(f"{run.__name__} takes no form")
    return form


def by_number(stream: type[Stream], id_of: Callable[[str, str], str], word: str) -> Resolve:
    """Resolves what has an id made from the log's origin and an official number."""

    def resolve(desk: Desk | Resolving, said: str) -> str:
        for candidate in (said, id_of(desk.origin, said)):
            if desk.streams.find(stream, candidate) is not None:
                return candidate
        raise NotFoundError(f"there is no {word} {said!r}")

    return resolve


def by_id(stream: type[Stream], word: str) -> Resolve:
    """Resolves what has no number of its own."""

    def resolve(desk: Desk | Resolving, said: str) -> str:
        if desk.streams.find(stream, said) is None:
            raise NotFoundError(f"there is no {word} {said!r}")
        return said

    return resolve
