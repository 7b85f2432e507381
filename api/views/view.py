"""What every view model is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from api.reading import Reading
from api.words import Word
from domain.errors import InputError

if TYPE_CHECKING:
    from infra.bootstrap import LogInfo


class View(BaseModel):
    """Base of the view models. Amounts are whole fen, times RFC 3339 in the log's local time."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Said(View):
    """A word or title in Chinese and English."""

    zh: str
    en: str

    def to(self, language: str) -> str:
        """The text in a language; Chinese where the language is neither."""
        return self.en if language == "en" else self.zh


def said(word: Word) -> Said:
    """A word as a view."""
    return Said(zh=word.zh, en=word.en)


class LogTag(View):
    """Which log an answer comes from; it stands on every answer and every page."""

    origin: str
    """The log's name, for ever the same."""
    kind: str
    """`real`, or `simulation`: a simulation's times were played."""


def log_tag(reading: Reading) -> LogTag:
    """The tag of the platform's log."""
    info = reading.platform.info
    return LogTag(origin=info.origin, kind=info.kind.value)


class Place(View):
    """A jurisdiction."""

    code: str
    zh: str
    en: str

    def to(self, language: str) -> str:
        """Its name in a language."""
        return self.en if language == "en" else self.zh


def place(info: LogInfo, code: str) -> Place:
    """The jurisdiction of a code; one that the tree does not know is shown by its code."""
    try:
        node = info.tree[code]
    except InputError:
        return Place(code=code, zh=code, en=code)
    return Place(code=code, zh=node.name_zh, en=node.name_en)


class KnownAt(View):
    """What an answer was known at."""

    asked: str | None = None
    """As it was asked for; null: now."""
    position: int = Field(ge=0)
    """The position that it means: ask for it again and the answer is the same."""
