"""Which rows of a sheet are data, and which case number each bears.

Blank rows are passed over. Totals, subtotals, footers and a header printed again on the next page are recognised by the
first thing that stands in the row, and only where no case number stands behind it. Merged cells are filled for the
columns that the mapping names.
"""

from __future__ import annotations

import itertools
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from domain.books.cells import Cell, Read, code_reader, is_blank, plain, shown
from domain.books.header import Header, label
from domain.books.mapping import Mapping
from domain.errors import InputError

Cells = Sequence[Cell]
Rows = Callable[[], Iterator[tuple[int, Cells]]]
"""All rows of a sheet from its first, numbered from 1, blank rows included; called anew for each going through."""

Why = Literal["total", "subtotal", "footer", "header"]


class RowScan:
    """Goes through the rows below the header of one sheet, as often as asked."""

    def __init__(self, rows: Rows, mapping: Mapping, header: Header) -> None:
        self._rows = rows
        self._header = header
        number = header.parts or (header.fields["number"],)
        self._number_at = tuple(column.index for column in number)
        self._number_heading = label(number[0].heading.rsplit("/", 1)[-1])
        self._separator = mapping.fields["number"].separator
        self._read_number: Read[str] = code_reader(frozenset(mapping.cells.blank), mapping.check.text_max)
        self._down = _indexes("rows.fill_down", mapping.rows.fill_down, header)
        self._right = sorted(_indexes("rows.fill_right", mapping.rows.fill_right, header))
        self._special: tuple[tuple[Why, re.Pattern[str]], ...] = (
            ("total", _any_of(mapping.rows.totals)),
            ("subtotal", _any_of(mapping.rows.subtotals)),
            ("footer", _any_of(mapping.rows.footers)),
        )

    def rows(self) -> Iterator[tuple[int, Cells, Why | None]]:
        """Row number, cells and, for a row that is no data, why."""
        last: dict[int, Cell] = {}
        width = self._header.width
        for at, given in self._rows():
            if at <= self._header.row:
                continue
            cells = given if len(given) >= width else [*given, *[None] * (width - len(given))]
            first = next((index for index, cell in enumerate(cells) if not is_blank(cell)), None)
            if first is None:
                continue
            why = self._why(cells, first)
            if why == "subtotal":
                last.clear()
            elif why is None and (self._down or self._right):
                cells = self._filled(cells, last)
            yield at, cells, why

    def number(self, cells: Cells) -> str | None:
        """The case number of a data row; None where it is blank or cannot be read."""
        parts = [self._read_number(cells[index]) for index in self._number_at]
        said = [part for part in parts if isinstance(part, str)]
        return self._separator.join(said) if len(said) == len(parts) else None

    def numbers_apart(self) -> dict[int, int]:
        """By hash: the numbers whose rows lie in several runs, and how many runs. Keeps eight bytes a run."""
        starts = array("q")
        current: str | None = None
        for _, cells, why in self.rows():
            number = None if why else self.number(cells)
            if number is not None and number != current:
                starts.append(hash(number))
                current = number
        ordered = sorted(starts)
        twice = {here for here, after in itertools.pairwise(ordered) if here == after}
        return Counter(start for start in starts if start in twice)

    def _why(self, cells: Cells, first: int) -> Why | None:
        behind = any(not is_blank(cells[index]) for index in self._number_at if index != first)
        if behind or not isinstance(cells[first], str):
            return None
        text = "".join(plain(shown(cells[first])).split())
        for why, pattern in self._special:
            if pattern.fullmatch(text):
                return why
        return "header" if first in self._number_at and label(text) == self._number_heading else None

    def _filled(self, cells: Cells, last: dict[int, Cell]) -> Cells:
        filled = list(cells)
        for index in self._right:
            if index > 0 and is_blank(filled[index]):
                filled[index] = filled[index - 1]
        for index in self._down:
            if is_blank(filled[index]):
                filled[index] = last.get(index)
            else:
                last[index] = filled[index]
        return filled


def _indexes(path: str, names: Sequence[str], header: Header) -> list[int]:
    known = {column.heading: column.index for column in (*header.notes, *header.extra, *header.unmapped, *header.parts)}
    known |= {column.heading: column.index for column in (*header.fields.values(), *header.people.values())}
    known |= {name: column.index for name, column in header.fields.items()}
    known |= {f"people.{role}": column.index for role, column in header.people.items()}
    by_label = {label(name): index for name, index in known.items()}
    missing = [name for name in names if label(name) not in by_label]
    if missing:
        raise InputError(
            f"mapping key {path!r}: the sheet has no column {missing[0]!r}", field=path, row=header.row, rule="header"
        )
    return [by_label[label(name)] for name in names]


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)", re.IGNORECASE)
