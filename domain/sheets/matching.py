"""Which line of a case each row of a list means: by the line's number, the identity number, the name, the name with four digits.

The strongest that a row gives decides, and what else it gives must not contradict. Nothing is guessed: a row that could mean several
lines is a fault that names them by number, a row that means none is one, too, unless it is a payment that may stay unallocated
(definitions.md, facts are recorded). Messages name lines, never people.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from domain.books.cells import plain
from domain.books.rules import Fault
from domain.money import Fen
from domain.sheets.faults import SheetFault, other_row, told
from domain.sheets.identity import is_masked, last_four, plain_number, same_identity
from domain.sheets.intake import folded

By = Literal["line", "id", "name", "name-and-last-four"]


@dataclass(frozen=True)
class CaseLine:
    """A claim line of the case with its texts opened by right of whoever enters the list. Amounts in fen, for lists to fill in."""

    claim: str
    line: str
    worker: str | None = field(default=None, repr=False)
    worker_id: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    claimed: Fen | None = None
    verified: Fen | None = None
    owing: Fen | None = None


class Named(Protocol):
    """A row that says who is meant."""

    @property
    def row(self) -> int: ...
    @property
    def line(self) -> str | None: ...
    @property
    def worker(self) -> str | None: ...
    @property
    def worker_id(self) -> str | None: ...
    @property
    def last_four(self) -> str | None: ...
    @property
    def phone(self) -> str | None: ...


@dataclass(frozen=True)
class Match:
    """The line that a row means, and by what it was found. `claim` absent: the row stays unallocated."""

    row: int
    claim: str | None
    line: str | None
    by: By | None


@dataclass(frozen=True)
class Matching:
    """One match for each row that has one; with faults the list must not be recorded."""

    matches: tuple[Match, ...]
    faults: tuple[SheetFault, ...]
    warnings: tuple[SheetFault, ...]

    def claim_of(self, row: int) -> str | None:
        """The claim that a row means."""
        return next((match.claim for match in self.matches if match.row == row), None)


def match_rows(
    rows: Iterable[Named],
    lines: Sequence[CaseLine],
    headings: Mapping[str, str],
    *,
    unmatched: Literal["fault", "unallocated"] = "fault",
    twice: Literal["fault", "warning", "allowed"] = "fault",
) -> Matching:
    """Matches rows to lines. `headings` as a reading has them, for messages. `twice`: what two rows for one line are: a fault in a
    verification, to be looked at in a payment, usual among answers."""
    finder = _Finder(lines, headings)
    matches: list[Match] = []
    faults: list[SheetFault] = []
    warnings: list[SheetFault] = []
    seen: dict[str, int] = {}
    for row in rows:
        found = finder.find(row)
        if isinstance(found, SheetFault):
            if unmatched == "unallocated" and found.rule == "line-found":
                matches.append(Match(row.row, None, None, None))
                warnings.append(told(row.row, found.column, Fault("unallocated")))
            else:
                faults.append(found)
            continue
        match, warning = found
        matches.append(match)
        warnings += [warning] if warning else []
        first = seen.setdefault(match.line or "", match.row)
        if first != match.row and twice == "fault":
            faults.append(other_row(row.row, finder.column("line"), "line-once", first))
        elif first != match.row and twice == "warning":
            warnings.append(other_row(row.row, finder.column("line"), "paid-twice", first))
    return Matching(tuple(matches), tuple(faults), tuple(warnings))


_TITLES: Final = {"line": "明细号", "worker": "姓名", "worker_id": "身份证号", "last_four": "后四位", "phone": "电话"}


class _Finder:
    """The lines of a case, by all that tells them apart."""

    def __init__(self, lines: Sequence[CaseLine], headings: Mapping[str, str]) -> None:
        self._headings = headings
        self._numbers: dict[str, CaseLine] = {_number(line.line): line for line in lines}
        self._ids: dict[str, list[CaseLine]] = defaultdict(list)
        self._short_ids: dict[str, list[CaseLine]] = defaultdict(list)
        self._names: dict[str, list[CaseLine]] = defaultdict(list)
        for line in lines:
            if line.worker_id:
                number = plain_number(line.worker_id)
                self._ids[number].append(line)
                self._short_ids[_short(number)].append(line)
            if line.worker:
                self._names[folded(line.worker)].append(line)

    def column(self, name: str) -> str:
        """The heading that a message names."""
        return self._headings.get(name, _TITLES[name])

    def find(self, row: Named) -> tuple[Match, SheetFault | None] | SheetFault:
        """The line that the row means, with what is to be looked at; or why none can be told."""
        if row.line is not None:
            line = self._numbers.get(_number(row.line))
            if line is not None:
                return self._by(row, line, "line")
            if _number(row.line).isdecimal() or row.worker or row.worker_id:
                return self._none(row, "line")
        number = plain_number(row.worker_id) if row.worker_id else ""
        if number and not is_masked(number) and (same := self._of_identity(number)):
            return self._by(row, same[0], "id") if len(same) == 1 else self._of_several(row, same, "worker_id")
        name = row.worker or row.line
        if not name:
            return self._none(row, "worker_id" if number else "worker")
        return self._of_name(row, name, number)

    def _of_identity(self, number: str) -> list[CaseLine]:
        return self._ids.get(number) or [
            line
            for line in self._short_ids.get(_short(number), ())
            if same_identity(plain_number(line.worker_id or ""), number)
        ]

    def _of_name(self, row: Named, name: str, number: str) -> tuple[Match, SheetFault | None] | SheetFault:
        """By name, where the numbers that the row gives do not say that it is somebody else."""
        column = "worker" if row.worker else "line"
        named = self._names.get(folded(name), [])
        if not named:
            return self._none(row, column, name)
        fours = {last_four(text) for text in (number, row.last_four, row.phone) if text}
        told_apart = [line for line in named if fours & _fours(line)]
        if number:
            told_apart = [line for line in told_apart if not _contradicts(line, number)]
            if not told_apart and all(_contradicts(line, number) for line in named):
                return told(
                    row.row, self.column("worker_id"), Fault("line-agrees", _said(named)), _said(named, zh=True)
                )
        if len(named) == 1:
            return self._by(row, named[0], "name")
        if len(told_apart) == 1:
            return self._by(row, told_apart[0], "name-and-last-four")
        return self._of_several(row, told_apart or named, column)

    def _of_several(
        self, row: Named, lines: list[CaseLine], column: str
    ) -> tuple[Match, SheetFault | None] | SheetFault:
        return told(row.row, self.column(column), Fault("one-line", _said(lines)), _said(lines, zh=True))

    def _by(self, row: Named, line: CaseLine, by: By) -> tuple[Match, SheetFault | None] | SheetFault:
        """A match, unless what else the row says is somebody else's."""
        match = Match(row.row, line.claim, line.line, by)
        other_number = row.worker_id is not None and _contradicts(line, plain_number(row.worker_id))
        other_name = bool(row.worker and line.worker) and folded(row.worker or "") != folded(line.worker or "")
        if other_number or (other_name and by == "line"):
            column = self.column("worker_id" if other_number else "worker")
            return told(row.row, column, Fault("line-agrees", _said([line])), _said([line], zh=True))
        if other_name:
            return match, told(
                row.row, self.column("worker"), Fault("names-differ", _said([line])), _said([line], zh=True)
            )
        return match, None

    def _none(self, row: Named, column: str, name: str = "") -> SheetFault:
        near = difflib.get_close_matches(folded(name), self._names, n=1, cutoff=0.6) if len(name) < 50 else []
        lines = self._names[near[0]] if near else []
        detail = f"the nearest: {_said(lines)}" if lines else ""
        return told(
            row.row,
            self.column(column),
            Fault("line-found", detail),
            f"最接近：{_said(lines, zh=True)}" if lines else "",
        )


def _contradicts(line: CaseLine, number: str) -> bool:
    """Whether the number, or as much of it as is told, is another than the line's."""
    if not line.worker_id:
        return False
    known = plain_number(line.worker_id)
    return last_four(known) != last_four(number) if is_masked(number) else not same_identity(known, number)


def _fours(line: CaseLine) -> set[str]:
    return {last_four(text) for text in (line.worker_id, line.phone) if text}


def _short(number: str) -> str:
    """A number of either generation as the digits that both have."""
    return number[:6] + number[8:17] if len(number) == 18 else number


def _number(line: str) -> str:
    """A line's number without width, blanks and the zeros that some put in front."""
    text = plain(line).casefold()
    return (text.lstrip("0") or "0") if text.isdecimal() else text


def _said(lines: Sequence[CaseLine], *, zh: bool = False) -> str:
    """Lines by number, the first six of them."""
    numbers = sorted((line.line for line in lines), key=lambda line: (len(line), line))
    more = "…" if len(numbers) > 6 else ""
    return ("明细" if zh else "line ") + ("、" if zh else ", ").join(numbers[:6]) + more
