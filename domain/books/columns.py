"""The columns of one sheet, bound to fields: a raw row in, the values of its fields out, each read as its shape says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta, tzinfo
from typing import Any, Literal

from domain.books.assembly import Row
from domain.books.cells import (
    Cell,
    Read,
    amount_reader,
    code_reader,
    count_reader,
    day_reader,
    instant_reader,
    period_reader,
    place_reader,
    shown,
    text_reader,
    word_reader,
    words_reader,
)
from domain.books.header import Header
from domain.books.mapping import FIELDS, FieldRule, Mapping
from domain.books.rules import Fault
from domain.books.scanning import Cells
from domain.errors import InputError
from domain.jurisdictions import JurisdictionTree


class RowReader:
    """Reads rows of one sheet.

    `constants` are values that the mapping gives to every case, by field; `people` those by role.

    Raises:
        InputError: when made, if a constant cannot be read as its field.
    """

    def __init__(self, mapping: Mapping, header: Header, tree: JurisdictionTree, today: date, zone: tzinfo) -> None:
        self._cells = _CellReaders(mapping, header, tree, today, zone)
        self._separator = mapping.fields["number"].separator
        self._parts = [(column.index, column.heading) for column in header.parts]
        self._keep = {name for name, rule in mapping.fields.items() if rule.unreadable == "keep"}
        self._fields = [
            (name, column.index, column.heading, self._cells.reader(name, mapping.fields[name]))
            for name, column in header.fields.items()
        ]
        text = self._cells.text()
        self._people = [(role, column.index, column.heading, text) for role, column in header.people.items()]
        self._notes = [(column.heading, column.index, column.heading, text) for column in header.notes]
        self._extra = [(column.heading, column.index, column.heading, text) for column in header.extra]
        self._code = self._cells.code()
        self.constants = {
            name: self._constant(name, rule) for name, rule in mapping.fields.items() if rule.constant is not None
        }
        self.people = {role: str(rule.constant) for role, rule in mapping.people.items() if rule.constant is not None}

    def read(self, at: int, cells: Cells) -> Row:
        """Row `at` of the sheet, with what could be read and what could not."""
        row = Row(at)
        values = row.values
        for name, index, heading, read in self._fields:
            value = read(cells[index])
            if value is None:
                continue
            if value.__class__ is not Fault:
                values[name] = value
            elif name in self._keep:
                row.extra[heading] = shown(cells[index])
            else:
                row.fault(name, heading, cells[index], value)
        if self._parts:
            self._read_number(row, cells)
        if self._people or self._notes or self._extra:
            self._read_texts(row, cells)
        return row

    def _read_texts(self, row: Row, cells: Cells) -> None:
        notes: dict[str, str] = {}
        for columns, into, kind in (
            (self._people, row.people, "people"),
            (self._notes, notes, "notes"),
            (self._extra, row.extra, "extra"),
        ):
            for name, index, heading, read in columns:
                text = read(cells[index])
                if isinstance(text, Fault):
                    row.fault(f"{kind}.{name}", heading, cells[index], text)
                elif text is not None:
                    into[name] = text
        if notes:
            told = [row.values["note"]] if "note" in row.values else []
            row.values["note"] = "\n".join([*told, *(f"{heading}：{text}" for heading, text in notes.items())])

    def _read_number(self, row: Row, cells: Cells) -> None:
        said: list[str] = []
        for index, heading in self._parts:
            part = self._code(cells[index])
            if isinstance(part, Fault):
                row.fault("number", heading, cells[index], part)
            elif part is None:
                row.fault("number", heading, None, Fault("required"))
            else:
                said.append(part)
        if len(said) == len(self._parts):
            row.values["number"] = self._separator.join(said)

    def _constant(self, name: str, rule: FieldRule) -> Any:
        value = self._cells.reader(name, rule)(rule.constant)
        if value is None or isinstance(value, Fault):
            reason = value.rule if value else "required"
            raise InputError(
                f"mapping key 'fields.{name}.constant': {rule.constant!r} cannot be read ({reason})",
                field=f"fields.{name}.constant",
                rule=reason,
            )
        return {value: None} if FIELDS[name].shape == "texts" else value


class _CellReaders:
    """The function that reads the cells of a field, by the shape of the field."""

    def __init__(self, mapping: Mapping, header: Header, tree: JurisdictionTree, today: date, zone: tzinfo) -> None:
        self._mapping = mapping
        self._header = header
        self._tree = tree
        self._zone = zone
        self._blanks = frozenset(mapping.cells.blank)
        self._latest = today + timedelta(days=mapping.check.days_ahead)

    def text(self) -> Read[str]:
        return text_reader(self._blanks, self._mapping.check.text_max)

    def code(self) -> Read[str]:
        return code_reader(self._blanks, self._mapping.check.text_max)

    def reader(self, name: str, rule: FieldRule) -> Read[Any]:
        """Text with a value map is translated after it was read; closed words are looked up while they are."""
        spec = FIELDS[name]
        match spec.shape:
            case "text" | "joined" | "texts":
                return _translated(self.text(), rule.values)
            case "code":
                return _translated(self.code(), rule.values)
            case "amount":
                return self._amount(name)
            case "count":
                return count_reader(self._blanks, self._mapping.check.headcount_max)
            case "word":
                return self._word(name, rule)
            case "words":
                return words_reader(self._blanks, rule.values, spec.words, rule.otherwise)
            case "place":
                return place_reader(self._blanks, rule.values, rule.otherwise, self._tree)
            case shape:
                return self._dated(shape)

    def _amount(self, name: str) -> Read[Any]:
        check = self._mapping.check
        per_unit = self._header.units.get(name, 100)
        return amount_reader(self._blanks, per_unit, check.amount_max * 100, negative=name in check.negative)

    def _dated(self, shape: Literal["instant", "from", "to", "period"]) -> Read[Any]:
        earliest, order = self._mapping.check.earliest, self._mapping.cells.dates
        if shape == "instant":
            return instant_reader(self._blanks, order, earliest, self._latest, self._zone)
        if shape == "period":
            return period_reader(self._blanks, earliest, self._latest)
        end: Literal["first", "last"] = "first" if shape == "from" else "last"
        return day_reader(self._blanks, order, earliest, self._latest, end=end)

    def _word(self, name: str, rule: FieldRule) -> Read[str]:
        read = word_reader(self._blanks, rule.values, FIELDS[name].words, rule.otherwise)
        if name != "state_means":
            return read

        def only_what_the_mapping_says(cell: Cell) -> str | Fault | None:
            """What a source calls a state is its own affair: a word that nobody explained means nothing here."""
            means = read(cell)
            return None if isinstance(means, Fault) and means.rule == "known-word" else means

        return only_what_the_mapping_says


def _translated(read: Read[str], values: dict[str, str]) -> Read[str]:
    if not values:
        return read
    translate: Callable[[str, str], str] = values.get

    def translated(cell: Cell) -> str | Fault | None:
        text = read(cell)
        return translate(text, text) if isinstance(text, str) else text

    return translated
