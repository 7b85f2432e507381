"""The header of a book, found by its headings below whatever title rows stand above it.

Headings are compared without white space, marks for compulsory columns and differences of width and case. A header of
several lines gives `upper/lower` headings, which may also be named by their lowest line where that is unambiguous.
A unit of money written in a heading (`涉及金额（万元）`) or above the header (`单位：万元`) is believed, and a mapping
that says otherwise is refused: a book read in the wrong unit is wrong by a factor of ten thousand.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping as Table
from collections.abc import Sequence

import msgspec

from domain.books.cells import Cell, is_blank, shown
from domain.books.mapping import FIELDS, UNITS, Mapping
from domain.errors import UnreadableBookError

_UNIT_IN_HEADING = re.compile(r"(.+)\((?:单位:)?(" + "|".join(UNITS) + r")\)")
_UNIT_ABOVE = re.compile(r"(?<!\w)(?:金额)?单位:(?:人民币)?(" + "|".join(UNITS) + r")(?!\w)")


OUR_OWN = "※"
"""Headings that begin so were added by a reject workbook: a book mended there is read as if they were not there."""


class Column(msgspec.Struct, frozen=True):
    """A column of the sheet: its 0-based index and its heading as the sheet has it."""

    index: int
    heading: str


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The header that was found. `row` is 1-based, of its last line; `units` are fen per unit for each amount field."""

    row: int
    width: int
    fields: dict[str, Column]
    parts: tuple[Column, ...]
    people: dict[str, Column]
    notes: tuple[Column, ...]
    extra: tuple[Column, ...]
    unmapped: tuple[Column, ...]
    units: dict[str, int]

    def heading_of(self, field: str) -> str:
        """The heading of a field's column; the field's own name when it has none."""
        if field == "number" and self.parts:
            return "+".join(part.heading for part in self.parts)
        return self.fields[field].heading if field in self.fields else field


def label(text: str) -> str:
    """A heading reduced to what makes two headings the same."""
    return "".join(unicodedata.normalize("NFKC", text).split()).strip("*:").casefold()


def find_header(mapping: Mapping, rows: Sequence[tuple[int, Sequence[Cell]]]) -> Header:
    """The header within the first rows of a sheet (1-based number and cells; blank rows included).

    Raises:
        UnreadableBookError: no row has all required headings, a heading stands twice, or units contradict each other.
    """
    closest: tuple[int, int, list[str], _Headings] | None = None
    for start in range(min(mapping.header.search, len(rows)) - mapping.header.rows + 1):
        headings = _Headings([cells for _, cells in rows[start : start + mapping.header.rows]])
        missing = [name for name in mapping.required() if not headings.holds(mapping, name)]
        row = rows[start + mapping.header.rows - 1][0]
        if not missing:
            return _header(mapping, row, headings, [cells for _, cells in rows[:start]])
        if closest is None or len(missing) < closest[0]:
            closest = len(missing), row, missing, headings
    raise _no_header(mapping, closest)


class _Headings:
    """The headings of one candidate for the header."""

    def __init__(self, lines: Sequence[Sequence[Cell]]) -> None:
        width = max(len(line) for line in lines)
        self.texts = [_stacked(lines, index) for index in range(width)]
        self._whole: dict[str, list[int]] = {}
        self._lowest: dict[str, list[int]] = {}
        for index, parts in enumerate(self.texts):
            if parts and not parts[-1].startswith(OUR_OWN):
                self._whole.setdefault(label("/".join(parts)), []).append(index)
                self._lowest.setdefault(label(parts[-1]), []).append(index)

    def indexes(self) -> list[int]:
        """Every column that has a heading."""
        return sorted(index for found in self._whole.values() for index in found)

    def columns(self, aliases: Sequence[str]) -> list[int]:
        """Indexes of the columns called by the best of the names that occurs at all."""
        for names in (self._whole, self._lowest):
            for alias in aliases:
                if found := names.get(label(alias)):
                    return found
        unitless = {self._without_unit(name): at for names in (self._lowest, self._whole) for name, at in names.items()}
        return next((unitless[label(alias)] for alias in aliases if label(alias) in unitless), [])

    def unit(self, index: int) -> str | None:
        """The unit of money that the heading itself names."""
        found = _UNIT_IN_HEADING.fullmatch(label(self.texts[index][-1]))
        return found[2] if found else None

    def holds(self, mapping: Mapping, field: str) -> bool:
        rule = mapping.fields[field]
        return all(self.columns(aliases) for aliases in rule.parts or ([rule.column] if rule.column else ()))

    def column(self, index: int) -> Column:
        return Column(index, "/".join(self.texts[index]))

    @staticmethod
    def _without_unit(name: str) -> str:
        found = _UNIT_IN_HEADING.fullmatch(name)
        return found[1] if found else name


def _stacked(lines: Sequence[Sequence[Cell]], index: int) -> tuple[str, ...]:
    """The heading of a column from top to bottom. A blank upper cell belongs to the merged one at its left."""
    parts: list[str] = []
    lowest = _text(lines[-1], index)
    for line in lines[:-1]:
        here = _text(line, index)
        if not here and lowest:
            here = next((left for at in range(index - 1, -1, -1) if (left := _text(line, at))), "")
        if here:
            parts.append(here)
    if lowest and lowest not in parts:
        parts.append(lowest)
    return tuple(parts)


def _text(line: Sequence[Cell], index: int) -> str:
    return "" if index >= len(line) or is_blank(line[index]) else " ".join(shown(line[index]).split())


def _header(mapping: Mapping, row: int, headings: _Headings, above: Sequence[Sequence[Cell]]) -> Header:
    fields = {
        name: column
        for name, rule in mapping.fields.items()
        if rule.column and (column := _one(headings, name, rule.column, row))
    }
    parts = tuple(column for part in mapping.fields["number"].parts if (column := _one(headings, "number", part, row)))
    people = {
        role: column
        for role, rule in mapping.people.items()
        if rule.column and (column := _one(headings, f"people.{role}", rule.column, row))
    }
    notes = tuple(column for name in mapping.notes if (column := _one(headings, "notes", (name,), row)))
    extra = tuple(column for name in mapping.extra if (column := _one(headings, "extra", (name,), row)))
    taken = {column.index for column in (*fields.values(), *parts, *people.values(), *notes, *extra)}
    free = tuple(headings.column(index) for index in headings.indexes() if index not in taken)
    if free and mapping.unmapped == "refuse":
        names = ", ".join(column.heading for column in free)
        raise UnreadableBookError(
            f"row {row}: the mapping {mapping.name!r} knows no columns {names}", field=names, row=row, rule="unmapped"
        )
    return Header(
        row=row,
        width=len(headings.texts),
        fields=fields,
        parts=parts,
        people=people,
        notes=notes,
        extra=(*extra, *free) if mapping.unmapped == "keep" else extra,
        unmapped=() if mapping.unmapped == "keep" else free,
        units=_units(mapping, row, headings, fields, _unit_above(above)),
    )


def _one(headings: _Headings, field: str, aliases: Sequence[str], row: int) -> Column | None:
    found = headings.columns(aliases)
    if len(found) > 1:
        twice = headings.column(found[0]).heading
        raise UnreadableBookError(
            f"row {row}: the heading {twice!r} ({field}) stands over {len(found)} columns; rename one of them, or name"
            " the column by its whole heading 'upper/lower'",
            field=field,
            row=row,
            rule="heading-twice",
        )
    return headings.column(found[0]) if found else None


def _units(
    mapping: Mapping, row: int, headings: _Headings, fields: Table[str, Column], above: str | None
) -> dict[str, int]:
    units: dict[str, int] = {}
    for name, column in fields.items():
        if FIELDS[name].shape != "amount":
            continue
        of_sheet = headings.unit(column.index) or above
        of_mapping = mapping.fields[name].unit or mapping.cells.unit
        if of_sheet and of_mapping and UNITS[of_sheet] != UNITS[of_mapping]:
            raise UnreadableBookError(
                f"row {row}: the sheet says that {column.heading!r} ({name}) is in {of_sheet},"
                f" the mapping {mapping.name!r} says in {of_mapping}",
                field=name,
                row=row,
                rule="unit-contradiction",
            )
        units[name] = UNITS[of_sheet or of_mapping or "元"]
    return units


def _unit_above(lines: Sequence[Sequence[Cell]]) -> str | None:
    """The unit of money that a title row states: `单位：万元`."""
    for line in lines:
        for cell in line:
            if isinstance(cell, str) and (found := _UNIT_ABOVE.search(label(cell))):
                return found[1]
    return None


def _no_header(mapping: Mapping, closest: tuple[int, int, list[str], _Headings] | None) -> UnreadableBookError:
    if closest is None:
        return UnreadableBookError("the sheet is empty", field="header", rule="header")
    _, row, missing, headings = closest
    present = {label(part): part for parts in headings.texts for part in parts}
    lacks = []
    for name in missing:
        rule = mapping.fields[name]
        wanted = next(iter(rule.column or (rule.parts[0] if rule.parts else (name,))), name)
        near = difflib.get_close_matches(label(wanted), present, n=1, cutoff=0.5)
        lacks.append(f"{wanted!r} ({name})" + (f", is it {present[near[0]]!r}?" if near else ""))
    return UnreadableBookError(
        f"no header: none of the first {mapping.header.search} rows has every heading that the mapping"
        f" {mapping.name!r} needs; row {row} comes closest and lacks {'; '.join(lacks)}",
        field=missing[0],
        row=row,
        rule="header",
    )
