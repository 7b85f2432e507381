"""Which claim line of a case a row of a list means, by who is named in it: id number, name, and telephone where two bear one name.

A line is meant by whatever the roster and the row both say, if they say the same; the number of one and the name of another mean nobody.
Names are opened for this by right of the officer who enters the list; nothing of them leaves here but the line's number.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.commands.command import Command
from api.commands.desk import resolving
from api.commands.fields import Kind
from api.commands.rows import Find
from api.reading import Reading
from api.words import Word
from domain.payments.payment import Payment
from domain.sealing.personal import Sealed

_SURE: Final = ("worker_id", "worker")
"""What must agree wherever both say it, the surest first. A telephone changes: it only tells people of one name apart."""


def finder_of(reading: Reading, command: Command, named: str | None) -> Find | None:
    """Finds who is meant in the lists of a command: lines of its case, or of the payment that a bank's file is about; None: it has no list.

    Raises:
        NotFoundError: there is no such thing.
    """
    if command.opens or named is None:
        return None
    asked = {inner.name for entry in command.entries if entry.kind is Kind.ROWS for inner in entry.inner}
    if not asked & {"claim", "line"}:
        return None
    desk = resolving(reading.platform)
    thing: Any = desk.streams.get(command.noun.stream, command.noun.resolve(desk, named))
    if "claim" in asked:
        return finder(reading, thing.partitionkey)
    return _finding(_of_payment(reading, thing)) if isinstance(thing, Payment) else None


def finder(reading: Reading, case: str) -> Find:
    """Finds lines of a case."""
    return _finding({said.line: said.names for said in _roster(reading, case).values()})


_Names = Mapping[str, Mapping[str, str]]
"""Of each line that can be meant, what is said of its worker, plain."""


def _finding(names: _Names) -> Find:
    def find(who: Mapping[str, str]) -> str | Word:
        named = {field: _plain(text) for field, text in who.items()}
        found = _meant(names, named)
        if len(found) == 1:
            return found[0]
        if found:
            lines = "、".join(sorted(found, key=lambda line: (len(line), line)))
            return Word(f"可能是明细 {lines}，请写明细号", f"could be lines {lines}; give the line's number")
        if any(said.get(field) == named[field] for said in names.values() for field in _SURE if field in named):
            return Word(
                "证件号与姓名在名册中不是同一人", "on the roster the id number and the name are not of one person"
            )
        return Word("名册中没有此人", "nobody of that name is on the roster")

    return find


@dataclass(frozen=True)
class _OnRoster:
    line: str
    names: dict[str, str]


def _roster(reading: Reading, case: str) -> dict[str, _OnRoster]:
    """What the roster says of whom, by claim."""
    items: list[tuple[Sealed, str]] = []
    places: list[tuple[str, str]] = []
    roster: dict[str, _OnRoster] = {}
    for view in reading.platform.rows("claim", filters={"case": case}):
        if view.row.balance.left:
            continue
        roster[view.key] = _OnRoster(view.row.line, {})
        for field in (*_SURE, "phone"):
            sealed = getattr(view.row, field)
            if sealed is not None:
                items.append((sealed, field))
                places.append((view.key, field))
    for (claim, field), text in zip(places, reading.platform.opened(items), strict=True):
        if text:
            roster[claim].names[field] = _plain(text)
    return roster


def _of_payment(reading: Reading, payment: Payment) -> _Names:
    """What the roster says of whom a payment's lines pay, by line of the payment."""
    roster = _roster(reading, payment.case)
    claims = {number: line.claim for number, line in {**payment.failed, **payment.instructed}.items()}
    claims |= {number: line.claim for number, line in payment.credited.items()}
    return {str(number): roster[claim].names for number, claim in claims.items() if claim in roster}


def _meant(roster: _Names, who: Mapping[str, str]) -> list[str]:
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
