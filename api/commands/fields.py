"""Fields of a command's form: how each is called, shown, typed and read, the same through every door.

A form is a pydantic model; JSON is validated by it as it stands. The console and the command line hand in *texts* (amounts in yuan, days,
local times): `raw_of` turns them into what the model takes, or into faults that name field and rule in both languages. Texts are read by
the readers of ledger books, so that an amount means the same on a form as in a sheet.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum, StrEnum
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from api.words import Word, word
from domain.books.cells import amount_reader, count_reader, day_reader, instant_reader
from domain.books.rules import RULES, Fault
from domain.money import MAX_FEN

LONGEST_LINE: Final = 300
LONGEST_PROSE: Final = 8_000
"""Characters of a text. The longest prose still fits an entry many times over: it is sealed, and stands there as a digest."""
_EARLIEST, _LATEST = date(1990, 1, 1), date(2199, 12, 31)
_NONE: Final = frozenset[str]()

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_LINE)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_PROSE)]
Amount = Annotated[int, Field(ge=0, le=MAX_FEN)]
"""Fen, never negative."""
Positive = Annotated[int, Field(gt=0, le=MAX_FEN)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime.combine(_EARLIEST, time(), UTC), le=datetime.combine(_LATEST, time(), UTC)),
]
Day = Annotated[date, Field(ge=_EARLIEST, le=_LATEST)]


class Kind(StrEnum):
    """How a field is typed and shown."""

    LINE = "line"
    PROSE = "prose"
    MONEY = "money"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"
    LINES = "lines"
    """Several texts, one a line."""
    FILES = "files"
    GROUP = "group"
    """Fields of its own, all of one thing."""
    ROWS = "rows"
    """Several of such groups, one a line, parted by `|` or a tab."""


@dataclass(frozen=True)
class Label:
    """What a field is called, and what is to be known of it. `sealed`: personal, never in clear in an entry."""

    zh: str
    en: str
    hint_zh: str = ""
    hint_en: str = ""
    kind: Kind | None = None
    """Where the type alone does not say it: money is a number, prose a text, files are groups."""
    sealed: bool = False
    layouts: bool = False
    """Whether its rows may come in the layout of a bank."""

    @property
    def title(self) -> Word:
        """Its name."""
        return Word(self.zh, self.en)

    @property
    def hint(self) -> Word:
        """What else there is to know; empty texts where nothing is."""
        return Word(self.hint_zh, self.hint_en)


@dataclass(frozen=True)
class Entry:
    """A field of a form. `path` is its name within the whole form: `told.how`."""

    name: str
    path: str
    label: Label
    kind: Kind
    required: bool
    choices: Mapping[str, Word]
    inner: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class FormFault:
    """What is wrong with a field, in both languages. `row`: of a field with rows, which one, from 1; else 0."""

    field: str
    rule: str
    message: Word
    row: int = 0


def entries_of(form: type[BaseModel], prefix: str = "") -> tuple[Entry, ...]:
    """The fields of a form, in order.

    Raises:
        TypeError: a field bears no `Label`, or a type that no door can ask for; a defect.
    """
    return tuple(_entry(form, name, prefix) for name in form.model_fields)


def _entry(form: type[BaseModel], name: str, prefix: str) -> Entry:
    field = form.model_fields[name]
    label = next((each for each in field.metadata if isinstance(each, Label)), None)
    if label is None:
        raise TypeError(f"{form.__name__}.{name} bears no label")
    kind, choices, model = _shape(field.annotation, label)
    path = prefix + name
    inner = () if model is None or kind is Kind.FILES else entries_of(model, f"{path}.")
    return Entry(name, path, label, kind, field.is_required(), choices, inner)


_Shape = tuple[Kind, Mapping[str, Word], "type[BaseModel] | None"]


def _shape(hint: Any, label: Label) -> _Shape:
    """Kind, choices and model of a field's type."""
    while typing.get_origin(hint) is Annotated:
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        rest = [part for part in typing.get_args(hint) if part is not types.NoneType]
        return _shape(rest[0], label)
    if typing.get_origin(hint) is tuple:
        return _several(typing.get_args(hint)[0], label)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return label.kind or Kind.GROUP, {}, hint
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Kind.CHOICE, {member.value: word(member) for member in hint}, None
    plain = {str: Kind.LINE, int: Kind.NUMBER, bool: Kind.FLAG, date: Kind.DAY, datetime: Kind.MOMENT}
    if hint not in plain and hint is not AwareDatetime:
        raise TypeError(f"no door can ask for a {hint}")
    return label.kind or plain.get(hint, Kind.MOMENT), {}, None


def _several(hint: Any, label: Label) -> _Shape:
    _, choices, model = _shape(hint, label)
    if model is not None:
        return (Kind.FILES if label.kind is Kind.FILES else Kind.ROWS), {}, model
    return (Kind.CHOICES if choices else Kind.LINES), choices, None


# Texts


Texts = Mapping[str, Sequence[str]]
"""What was typed, by path; several where a field takes several."""


def raw_of(entries: Sequence[Entry], texts: Texts, zone: ZoneInfo) -> tuple[dict[str, Any], list[FormFault]]:
    """What a form's model takes, from what was typed; what was left blank is left out. Faults of what cannot be read.

    Fields with rows are left out too: they are sheets (`rows.py`).
    """
    raw: dict[str, Any] = {}
    faults: list[FormFault] = []
    for entry in entries:
        if entry.kind is Kind.ROWS:
            continue
        value, found = _raw(entry, texts, zone)
        faults += found
        if value is not None:
            raw[entry.name] = value
    return raw, faults


def read_field(entry: Entry, text: str, zone: ZoneInfo, row: int) -> tuple[Any, list[FormFault]]:
    """One field of a row."""
    return _one(entry, text, zone, row)


def read_amount(entry: Entry, text: str, unit: int, row: int) -> tuple[Any, list[FormFault]]:
    """One amount of a row, given in so many fen."""
    value = amount_reader(_NONE, unit, MAX_FEN, negative=False)(text)
    return (None, [_fault(entry, value, row)]) if isinstance(value, Fault) else (value, [])


def _raw(entry: Entry, texts: Texts, zone: ZoneInfo) -> tuple[Any, list[FormFault]]:
    if entry.kind is Kind.GROUP:
        value, faults = raw_of(entry.inner, texts, zone)
        return value or None, faults
    typed = [text for text in texts.get(entry.path, ()) if text.strip()]
    if not typed:
        return None, []
    match entry.kind:
        case Kind.CHOICES:
            return typed, []
        case Kind.LINES:
            return [line.strip() for text in typed for line in text.splitlines() if line.strip()], []
        case _:
            return _one(entry, typed[-1], zone)


def _one(entry: Entry, text: str, zone: ZoneInfo, row: int = 0) -> tuple[Any, list[FormFault]]:
    value = _read(entry.kind, text, zone)
    if isinstance(value, Fault):
        return None, [_fault(entry, value, row)]
    return value, []


_read_money = amount_reader(_NONE, 100, MAX_FEN, negative=False)
_read_count = count_reader(_NONE, 1_000_000)
_read_day = day_reader(_NONE, "ymd", _EARLIEST, _LATEST, end="first")
_YES: Final = frozenset({"on", "true", "yes", "1", "是"})


def _read(kind: Kind, text: str, zone: ZoneInfo) -> Any:
    match kind:
        case Kind.MONEY:
            return _read_money(text)
        case Kind.NUMBER:
            return _read_count(text)
        case Kind.DAY:
            return _read_day(text)
        case Kind.MOMENT:
            return _moment(text, zone)
        case Kind.FLAG:
            return text.strip().lower() in _YES
        case _:
            return text.strip()


def _moment(text: str, zone: ZoneInfo) -> datetime | Fault | None:
    """RFC 3339 with an offset as it stands; anything else is local time."""
    try:
        exact = datetime.fromisoformat(text.strip())
    except ValueError:
        exact = None
    if exact is not None and exact.tzinfo is not None:
        return exact
    return instant_reader(_NONE, "ymd", _EARLIEST, _LATEST, zone)(text)


def _fault(entry: Entry, fault: Fault, row: int) -> FormFault:
    said = RULES[fault.rule]
    detail = f" ({fault.detail})" if fault.detail else ""
    return FormFault(entry.path, fault.rule, Word(said.zh + detail, said.en + detail), row)
