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


def finder(reading: Reading, case: str) -> Find:
    """Finds lines of a case."""
    rows = [v.row for v in reading.platform.rows("claim", filters={"case": case}) if not v.row.balance.left]
    items: list[tuple[Sealed, str]] = []
    places: list[tuple[str, str]] = []
    for row in rows:
        for field in ("worker", "worker_id", "phone"):
            sealed = getattr(row, field)
            if sealed is not None:
                items.append((sealed, field))
                places.append((row.line, field))
    index: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (line, field), text in zip(places, reading.platform.opened(items), strict=True):
        if text:
            index[field, _plain(text)].add(line)

    def find(who: Mapping[str, str]) -> str | Word:
        found: set[str] | None = None
        for field in ("worker_id", "worker", "phone"):
            if field not in who:
                continue
            lines = index.get((field, _plain(who[field])), set())
            found = lines if found is None else (found & lines or found if field == "phone" else found & lines)
            if len(found) == 1 and field == "worker_id":
                break
        if found and len(found) == 1:
            return next(iter(found))
        if found:
            named = "、".join(sorted(found, key=lambda line: (len(line), line)))
            return Word(f"可能是明细 {named}，请写明细号", f"could be lines {named}; give the line's number")
        return Word("名册中没有此人", "nobody of that name is on the roster")

    return find


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()
