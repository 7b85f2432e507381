"""Rows that were read make one source case, or the reasons why they do not. Whole or not at all.

Values of the case must agree between its rows; a blank agrees with everything. Rows fall into claim lines by the
fields of `lines_by`. An amount that the mapping takes `once` belongs to the case: it may be repeated, never differ, and
stands on the first line; one that is a `sum` is added up within each line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.books.cells import Cell, shown
from domain.books.mapping import ESSENTIAL, FIELDS, derivation
from domain.books.mapping import Mapping as BookMapping
from domain.books.rules import RULES, Fault
from domain.books.source import Reject, SourceCase, SourceLine
from domain.money import yuan


class Row:
    """One data row, read: `values` by field, `people` by role, `extra` by heading, and what could not be read."""

    __slots__ = ("at", "extra", "faults", "people", "values")

    def __init__(self, at: int) -> None:
        self.at = at
        self.values: dict[str, Any] = {}
        self.people: dict[str, str] = {}
        self.extra: dict[str, str] = {}
        self.faults: list[tuple[str, str, Cell, Fault]] = []

    def content(self) -> tuple[object, ...]:
        """Everything that the mapping reads of the row: equal for rows that say the same."""
        unread = tuple((field, shown(cell)) for field, _, cell, _ in self.faults)
        return tuple(self.values.items()), tuple(self.people.items()), tuple(self.extra.items()), unread

    def fault(self, field: str, heading: str, cell: Cell, fault: Fault) -> None:
        self.faults.append((field, heading, cell, fault))


class Assembly:
    """Makes source cases of one book. `constants` are fields with the same value in every case."""

    def __init__(
        self, mapping: BookMapping, headings: Mapping[str, str], constants: Mapping[str, Any], people: Mapping[str, str]
    ) -> None:
        self._mapping = mapping
        self._headings = headings
        self._people = dict(people)
        self._case_constants = {name: value for name, value in constants.items() if not FIELDS[name].of_line}
        self._line_constants = {name: value for name, value in constants.items() if FIELDS[name].of_line}
        self._summed = frozenset(
            name
            for name, spec in FIELDS.items()
            if spec.shape in ("amount", "count") and self._combination(name) == "sum"
        )
        self._derived = tuple(
            (name, derivation(rule.derive)) for name, rule in mapping.fields.items() if rule.derive is not None
        )

    def case(self, rows: Sequence[Row]) -> SourceCase | list[Reject]:
        """One case of all its rows, or every reason against it."""
        case_values = dict(self._case_constants)
        people = dict(self._people)
        extra: dict[str, str] = {}
        for row in rows:
            self._merge_case(case_values, row)
            self._merge_plain(people, row.people, row, "people.")
            _merge_texts(extra, row.extra)
        lines = self._lines(rows)
        self._require(case_values, rows[0])
        for line in lines:
            self._derive(line, rows[0])
        outstanding = [line.pop("outstanding") for line in lines if "outstanding" in line]
        made = [self._line(line, rows[0]) for line in lines]
        if any(row.faults for row in rows):
            return self.rejects(rows)
        if "matters" in case_values:
            case_values["matters"] = tuple(case_values["matters"])
        return SourceCase(
            rows=tuple(row.at for row in rows),
            lines=tuple(made),
            outstanding=sum(outstanding) if outstanding else None,
            people=people,
            extra=extra,
            **case_values,
        )

    def rejects(self, rows: Sequence[Row]) -> list[Reject]:
        """Everything that is wrong with the rows of one case."""
        at = tuple(row.at for row in rows)
        number = next((row.values["number"] for row in rows if "number" in row.values), None)
        return [
            reject(row.at, at, number, field, heading, cell, fault)
            for row in rows
            for field, heading, cell, fault in row.faults
        ]

    def _combination(self, name: str) -> str:
        rule = self._mapping.fields.get(name)
        return (rule.combine if rule else None) or self._mapping.rows.amounts

    def _heading(self, field: str) -> str:
        return self._headings.get(field, field)

    def _merge_case(self, into: dict[str, Any], row: Row) -> None:
        for name, value in row.values.items():
            spec = FIELDS[name]
            if spec.of_line:
                continue
            if spec.shape == "texts":
                into.setdefault(name, {})[value] = None
            elif name not in into:
                into[name] = value
            elif spec.shape == "joined":
                _merge_texts(into, {name: value})
            elif into[name] != value:
                row.fault(name, self._heading(name), str(value), Fault("rows-agree", str(into[name])))

    def _merge_plain(self, into: dict[str, str], values: Mapping[str, str], row: Row, prefix: str) -> None:
        for name, value in values.items():
            if into.setdefault(name, value) != value:
                row.fault(prefix + name, self._heading(prefix + name), value, Fault("rows-agree", into[name]))

    def _lines(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Field values by claim line, in order of first appearance; amounts taken once stand on the first line."""
        by: dict[tuple[Any, ...], dict[str, Any]] = {}
        once: dict[str, Any] = {}
        for row in rows:
            key = tuple(row.values.get(name) for name in self._mapping.rows.lines_by)
            line = by.setdefault(key, {})
            for name, value in row.values.items():
                if not FIELDS[name].of_line:
                    continue
                if name in self._summed:
                    line[name] = line.get(name, 0) + value
                    continue
                of_case = FIELDS[name].shape in ("amount", "count")
                into = once if of_case else line
                if into.setdefault(name, value) != value:
                    rule = "amount-once" if of_case else "rows-agree"
                    row.fault(name, self._heading(name), _told(name, value), Fault(rule, _told(name, into[name])))
        lines = list(by.values())
        lines[0].update(once)
        return [self._line_constants | line for line in lines]

    def _derive(self, line: dict[str, Any], row: Row) -> None:
        """Amounts that the mapping computes from others, where the book leaves them blank and states all the others."""
        for name, terms in self._derived:
            if name in line or not all(term in line for _, term in terms):
                continue
            line[name] = amount = sum(sign * line[term] for sign, term in terms)
            if amount < 0 and name not in self._mapping.check.negative:
                rule = self._mapping.fields[name].derive or ""
                row.fault(name, self._heading(name), yuan(amount), Fault("amount-range", rule))

    def _line(self, values: dict[str, Any], row: Row) -> SourceLine:
        """A claim line of its values; what is derived is derived here, from the line alone."""
        if "period" in values:
            values["period_from"], values["period_to"] = values.pop("period")
        begins, ends = values.get("period_from"), values.get("period_to")
        if begins and ends and begins > ends:
            row.fault("period_to", self._heading("period_to"), str(ends), Fault("period-order", str(begins)))
        if "worker" in values:
            if values.get("headcount", 1) not in (0, 1):
                row.fault("headcount", self._heading("headcount"), values["headcount"], Fault("one-worker"))
            values["headcount"] = 1
        return SourceLine(**values)

    def _require(self, values: Mapping[str, Any], row: Row) -> None:
        told = {field for field, *_ in row.faults}
        for name in ESSENTIAL:
            if name not in values and name not in told:
                row.fault(name, self._heading(name), None, Fault("required"))


def reject(
    row: int, rows: Iterable[int], number: str | None, field: str, heading: str, cell: Cell, fault: Fault
) -> Reject:
    """One reason, worded in both languages."""
    value, wording = shown(cell), RULES[fault.rule]
    detail_en, detail_zh = (f" ({fault.detail})", f"（{fault.detail}）") if fault.detail else ("", "")
    said_en, said_zh = (f": {value!r}", f"：“{value}”") if value else ("", "")
    return Reject(
        row=row,
        rows=tuple(rows),
        number=number,
        field=field,
        heading=heading,
        value=value,
        rule=fault.rule,
        message=f"row {row}, column {heading!r} ({field}){said_en} {wording.en}{detail_en}",
        message_zh=f"第{row}行“{heading}”{said_zh}{wording.zh}{detail_zh}",
    )


def _merge_texts(into: dict[str, Any], values: Mapping[str, str]) -> None:
    """Texts of several rows, each once, one below the other."""
    for name, value in values.items():
        if name not in into:
            into[name] = value
        elif value not in into[name].split("\n"):
            into[name] += "\n" + value


def _told(name: str, value: object) -> str:
    """An amount as a person reads it, anything else as it stands."""
    if FIELDS[name].shape == "amount" and isinstance(value, int):
        return yuan(value)
    return str(value)
