"""Which claim line of a case a row of a list means, by who is named in it: id number, then name, then name with telephone.

Names are opened for this by right of the officer who enters the list; nothing of them leaves here but the line's number.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping

from api.commands.rows import Find
from api.reading import Reading
from api.words import Word
from domain.sealing.personal import Sealed

_FIELDS = ("worker_id", "worker", "phone")
"""What tells people apart, the surest first."""


def finder(reading: Reading, case: str) -> Find:
    """Finds lines of a case."""
    index = _index(reading, case)

    def find(who: Mapping[str, str]) -> str | Word:
        found = _meant(index, who)
        if len(found) == 1:
            return next(iter(found))
        if found:
            named = "、".join(sorted(found, key=lambda line: (len(line), line)))
            return Word(f"可能是明细 {named}，请写明细号", f"could be lines {named}; give the line's number")
        return Word("名册中没有此人", "nobody of that name is on the roster")

    return find


_Index = Mapping[tuple[str, str], set[str]]


def _index(reading: Reading, case: str) -> _Index:
    """The lines that carry a value in a field, by field and plain value."""
    items: list[tuple[Sealed, str]] = []
    places: list[tuple[str, str]] = []
    for view in reading.platform.rows("claim", filters={"case": case}):
        for field in _FIELDS:
            sealed = getattr(view.row, field)
            if sealed is not None and not view.row.balance.left:
                items.append((sealed, field))
                places.append((view.row.line, field))
    index: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (line, field), text in zip(places, reading.platform.opened(items), strict=True):
        if text:
            index[field, _plain(text)].add(line)
    return index


def _meant(index: _Index, who: Mapping[str, str]) -> set[str]:
    """The lines that whoever is named may be. A telephone only tells people of one name apart, since it changes."""
    found: set[str] | None = None
    for field in (field for field in _FIELDS if field in who):
        lines = index.get((field, _plain(who[field])), set())
        if found is None:
            found = lines
        elif found & lines or field != "phone":
            found = found & lines
        if field == "worker_id" and len(found) == 1:
            break
    return found or set()


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()
