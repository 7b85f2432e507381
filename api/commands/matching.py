"""Which claim line of a case a row of a list means, by who is named in it: id number, name, and telephone where two bear one name.

A line is meant by whatever the roster and the row both say, if they say the same; the number of one and the name of another mean nobody.
Names are opened for this by right of the officer who enters the list; nothing of them leaves here but the line's number.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from api.commands.rows import Find
from api.reading import Reading
from api.words import Word
from domain.sealing.personal import Sealed

_SURE: Final = ("worker_id", "worker")
"""What must agree wherever both say it, the surest first. A telephone changes: it only tells people of one name apart."""


def finder(reading: Reading, case: str) -> Find:
    """Finds lines of a case."""
    roster = _roster(reading, case)

    def find(who: Mapping[str, str]) -> str | Word:
        named = {field: _plain(text) for field, text in who.items()}
        found = _meant(roster, named)
        if len(found) == 1:
            return found[0]
        if found:
            lines = "、".join(sorted(found, key=lambda line: (len(line), line)))
            return Word(f"可能是明细 {lines}，请写明细号", f"could be lines {lines}; give the line's number")
        if any(said.get(field) == named[field] for said in roster.values() for field in _SURE if field in named):
            return Word("证件号与姓名在名册中不是同一人", "on the roster the id number and the name are not of one person")
        return Word("名册中没有此人", "nobody of that name is on the roster")

    return find


_Roster = Mapping[str, Mapping[str, str]]
"""Of each line that can be meant, what the roster says of the worker, plain."""


def _roster(reading: Reading, case: str) -> _Roster:
    items: list[tuple[Sealed, str]] = []
    places: list[tuple[str, str]] = []
    for view in reading.platform.rows("claim", filters={"case": case}):
        for field in (*_SURE, "phone"):
            sealed = getattr(view.row, field)
            if sealed is not None and not view.row.balance.left:
                items.append((sealed, field))
                places.append((view.row.line, field))
    roster: dict[str, dict[str, str]] = defaultdict(dict)
    for (line, field), text in zip(places, reading.platform.opened(items), strict=True):
        if text:
            roster[line][field] = _plain(text)
    return roster


def _meant(roster: _Roster, who: Mapping[str, str]) -> list[str]:
    """The lines that whoever is named may be."""
    number = who.get("worker_id")
    numbered = [line for line, said in roster.items() if number is not None and said.get("worker_id") == number]
    found = [
        line
        for line in numbered or roster
        if any(roster[line].get(field) == who[field] for field in _SURE if field in who)
        and all(roster[line].get(field, who[field]) == who[field] for field in _SURE if field in who)
    ]
    reached = [line for line in found if "phone" in who and roster[line].get("phone") == who["phone"]]
    return reached or found


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()
