"""A mapping says how an office's own layout of a ledger book is to be read: data, checked before any book is opened.

`parse_mapping` takes what a TOML file holds, already loaded, and gives a frozen `Mapping`. It refuses a key that does
not exist (naming the nearest that does), a value of the wrong type, a key that means nothing for its field, and words
that the field does not know. Every key is explained in `docs/import.md`; a test holds that page and this module equal.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping as Table
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeVar, get_args

import msgspec

from domain.books.source import CaseClass, Funding, Kind, StateMeaning
from domain.errors import InputError
from domain.jurisdictions import JurisdictionTree

Shape = Literal[
    "text", "code", "texts", "joined", "amount", "count", "instant", "from", "to", "period", "word", "words", "place"
]
"""What a cell of a field is read as. `code` is text that loses its meaning with a digit; `texts` collects the values of
several rows; `joined` puts those of several rows one below the other; `from` and `to` are days that may be given by
the month; `word` and `words` are closed vocabularies; `place` is a jurisdiction."""


class FieldSpec(msgspec.Struct, frozen=True):
    """What the reader knows of a field: its shape, whether it belongs to a claim line, and its words if it has any."""

    shape: Shape
    of_line: bool = False
    words: tuple[str, ...] = ()


FIELDS: dict[str, FieldSpec] = {
    "number": FieldSpec("code"),
    "jurisdiction": FieldSpec("place"),
    "received": FieldSpec("instant"),
    "channel": FieldSpec("text"),
    "project": FieldSpec("text"),
    "funding": FieldSpec("word", words=get_args(Funding)),
    "industry": FieldSpec("text"),
    "debtor": FieldSpec("text"),
    "debtor_code": FieldSpec("code"),
    "contractor": FieldSpec("text"),
    "developer": FieldSpec("text"),
    "cause": FieldSpec("text"),
    "classes": FieldSpec("words", words=get_args(CaseClass)),
    "handed_down_by": FieldSpec("text"),
    "handed_down_number": FieldSpec("code"),
    "handed_down_on": FieldSpec("instant"),
    "matters": FieldSpec("texts"),
    "worker": FieldSpec("text", of_line=True),
    "worker_id": FieldSpec("code", of_line=True),
    "phone": FieldSpec("code", of_line=True),
    "headcount": FieldSpec("count", of_line=True),
    "kind": FieldSpec("word", of_line=True, words=get_args(Kind)),
    "period": FieldSpec("period", of_line=True),
    "period_from": FieldSpec("from", of_line=True),
    "period_to": FieldSpec("to", of_line=True),
    "claimed": FieldSpec("amount", of_line=True),
    "verified": FieldSpec("amount", of_line=True),
    "rejected": FieldSpec("amount", of_line=True),
    "paid": FieldSpec("amount", of_line=True),
    "outstanding": FieldSpec("amount", of_line=True),
    "payment_source": FieldSpec("text"),
    "paid_on": FieldSpec("instant"),
    "voucher": FieldSpec("code"),
    "state": FieldSpec("text"),
    "state_means": FieldSpec("word", words=get_args(StateMeaning)),
    "closed_on": FieldSpec("instant"),
    "written_off": FieldSpec("text"),
    "followed_up_on": FieldSpec("instant"),
    "follow_up": FieldSpec("text"),
    "note": FieldSpec("joined"),
}
"""Every field that a mapping can fill. `period` fills both ends of the period from one column."""

ESSENTIAL = ("number", "jurisdiction", "received")
"""Without these there is no case: a mapping must say where they come from, and a row without one is rejected."""

UNITS: dict[str, int] = {
    "分": 1,
    "fen": 1,
    "cents": 1,
    "元": 100,
    "yuan": 100,
    "dollars": 100,
    "千元": 100_000,
    "万": 1_000_000,
    "万元": 1_000_000,
    "百万元": 100_000_000,
    "亿元": 10_000_000_000,
}
"""Fen in one unit of money. Dollars are read as yuan and cents as fen, where foreign books are tried."""

Unit = Literal["分", "fen", "cents", "元", "yuan", "dollars", "千元", "万", "万元", "百万元", "亿元"]

TOTALS = (r"(合计|总计|共计|累计|总合计)([（(].*[)）])?[:：]?", r"(grand )?totals?:?")
SUBTOTALS = (r"(.{0,12})?小计([（(].*[)）])?[:：]?", r"sub-?totals?:?")
FOOTERS = (
    r"(填报人|填表人|制表人?|审核人?|复核人?|经办人|负责人|单位负责人|分管领导|联系电话|填报单位|填报日期|填报时间|制表日期)[:：].*",
    r"(备注|注|说明|填表说明)[:：].*",
)


class SheetRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sheet of a workbook: by `name`, or by `index` counted from 1; the first sheet when neither is given."""

    name: str | None = None
    index: int | None = None


class HeaderRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the header is found: `rows` lines high, within the first `search` rows, holding every `required` field.

    `required` None means: every field that the mapping takes from a column.
    """

    rows: int = 1
    search: int = 40
    required: tuple[str, ...] | None = None


class RowRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows make cases. Fields are named in `lines_by`; `fill_down` and `fill_right` name fields or headings."""

    case: Literal["one-row", "several-rows"] = "one-row"
    amounts: Literal["once", "sum"] = "once"
    lines_by: tuple[str, ...] = ()
    fill_down: tuple[str, ...] = ()
    fill_right: tuple[str, ...] = ()
    totals: tuple[str, ...] = TOTALS
    subtotals: tuple[str, ...] = SUBTOTALS
    footers: tuple[str, ...] = FOOTERS


class CellRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How cells are read: words that mean "nothing here", the order of day and month, the unit of money."""

    blank: tuple[str, ...] = ("-", "--", "—", "——", "－", "/", "无", "N/A")
    dates: Literal["ymd", "mdy", "dmy"] = "ymd"
    unit: Unit | None = None


class CheckRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits beyond which a cell is a slip of the pen. Amounts in yuan, lengths in characters, days from the import."""

    earliest: date = date(1990, 1, 1)
    days_ahead: int = 366
    amount_max: int = 10_000_000_000
    headcount_max: int = 100_000
    text_max: int = 4_000
    negative: tuple[str, ...] = ("outstanding",)


class FieldRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one field comes from: a `column` (by any of its headings, best first), `parts` of it, or a `constant`."""

    column: tuple[str, ...] = ()
    parts: tuple[tuple[str, ...], ...] = ()
    separator: str = "-"
    constant: Any = None
    values: dict[str, str] = {}
    otherwise: str | None = None
    unit: Unit | None = None
    combine: Literal["once", "sum"] | None = None
    derive: str | None = None
    unreadable: Literal["reject", "keep"] = "reject"


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """How one layout of books is read. Frozen and checked; made by `parse_mapping` only."""

    name: str
    title: str
    sheet: SheetRule
    header: HeaderRule
    rows: RowRule
    cells: CellRule
    check: CheckRule
    fields: dict[str, FieldRule]
    people: dict[str, FieldRule]
    notes: tuple[str, ...]
    extra: tuple[str, ...]
    unmapped: Literal["report", "keep", "refuse"]
    jurisdictions: JurisdictionTree | None

    def required(self) -> tuple[str, ...]:
        """Fields whose column must stand in the header. What no case can do without is always among them."""
        from_columns = tuple(name for name, rule in self.fields.items() if rule.column or rule.parts)
        if self.header.required is None:
            return from_columns
        return tuple(name for name in from_columns if name in ESSENTIAL or name in self.header.required)


TOP_KEYS = (
    "name",
    "title",
    "extends",
    "sheet",
    "header",
    "rows",
    "cells",
    "check",
    "fields",
    "people",
    "notes",
    "extra",
    "unmapped",
    "jurisdictions",
)
"""Keys at the top of a mapping file. `extends` is resolved by whoever loads the file, before `parse_mapping`."""

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "sheet": SheetRule,
    "header": HeaderRule,
    "rows": RowRule,
    "cells": CellRule,
    "check": CheckRule,
}

_WORDED: tuple[Shape, ...] = ("text", "code", "texts", "word", "words", "place")
_APPLIES: dict[str, tuple[Shape, ...]] = {
    "values": _WORDED,
    "otherwise": ("word", "words", "place"),
    "unit": ("amount",),
    "derive": ("amount",),
    "combine": ("amount", "count"),
}

S = TypeVar("S", bound=msgspec.Struct)


def parse_mapping(table: Table[str, Any]) -> Mapping:
    """The mapping that a loaded file describes.

    Raises:
        InputError: `field` is the path of the key at fault (`fields.paid.derive`), `rule` what it breaks.
    """
    _known_keys("", table, TOP_KEYS)
    fields = {
        name: _field_rule(f"fields.{name}", rule, FIELDS[name])
        for name, rule in _table("fields", table.get("fields", {}), tuple(FIELDS)).items()
    }
    people = {role: _person_rule(role, rule) for role, rule in _table("people", table.get("people", {}), None).items()}
    mapping = Mapping(
        name=_convert("name", table.get("name"), str),
        title=_convert("title", table.get("title", ""), str),
        sheet=_section("sheet", table, SheetRule),
        header=_section("header", table, HeaderRule),
        rows=_section("rows", table, RowRule),
        cells=_section("cells", table, CellRule),
        check=_section("check", table, CheckRule),
        fields=fields,
        people=people,
        notes=_convert("notes", table.get("notes", ()), tuple[str, ...]),
        extra=_convert("extra", table.get("extra", ()), tuple[str, ...]),
        unmapped=_convert("unmapped", table.get("unmapped", "report"), Literal["report", "keep", "refuse"]),
        jurisdictions=_tree(table.get("jurisdictions")),
    )
    _check_whole(mapping)
    return mapping


def derivation(expression: str) -> tuple[tuple[int, str], ...]:
    """`verified - outstanding` as ((+1, "verified"), (-1, "outstanding")); empty when it is no such sum."""
    pieces = re.split(r"\s*([+-])\s*", "+" + expression.strip())[1:]
    terms = tuple(
        (1 if sign == "+" else -1, name)
        for sign, name in zip(pieces[::2], pieces[1::2], strict=True)
        if name.isidentifier()
    )
    return terms if len(terms) * 2 == len(pieces) else ()


def _check_whole(mapping: Mapping) -> None:
    for name in ESSENTIAL:
        if name not in mapping.fields:
            raise _fault(f"fields.{name}", "essential", "a mapping must say where this field comes from")
    for path, names, allowed in (
        ("header.required", mapping.header.required or (), tuple(mapping.fields)),
        ("rows.lines_by", mapping.rows.lines_by, tuple(name for name, spec in FIELDS.items() if spec.of_line)),
        ("check.negative", mapping.check.negative, tuple(name for name, s in FIELDS.items() if s.shape == "amount")),
    ):
        for name in names:
            _known(path, name, allowed)
    for kind in ("totals", "subtotals", "footers"):
        for pattern in getattr(mapping.rows, kind):
            _pattern(f"rows.{kind}", pattern)
    if mapping.header.rows < 1 or mapping.header.search < mapping.header.rows:
        raise _fault("header", "positive", "rows must be at least 1 and no more than search")
    if mapping.sheet.index is not None and mapping.sheet.index < 1:
        raise _fault("sheet.index", "positive", "sheets are counted from 1")
    if "period" in mapping.fields and mapping.fields.keys() & {"period_from", "period_to"}:
        raise _fault("fields.period", "one-source", "the period comes from one column or from two, not from both")


def _field_rule(path: str, given: object, spec: FieldSpec) -> FieldRule:
    rule = _source_rule(path, given)
    table = given if isinstance(given, dict) else {}
    for key, shapes in _APPLIES.items():
        if key in table and spec.shape not in shapes:
            raise _fault(f"{path}.{key}", "key-applies", f"means nothing for a field read as {spec.shape}")
    if table.keys() & {"parts", "separator"} and path != "fields.number":
        raise _fault(f"{path}.parts", "key-applies", "only the number of a case is put together from parts")
    if path == "fields.number" and rule.constant is not None:
        raise _fault(f"{path}.constant", "key-applies", "every case has a number of its own")
    if path == "fields.number" and rule.values:
        raise _fault(f"{path}.values", "key-applies", "the number of a case is kept as it stands")
    if rule.unreadable == "keep" and path.removeprefix("fields.") in ESSENTIAL:
        raise _fault(f"{path}.unreadable", "key-applies", "without this field there is no case")
    if spec.words:
        said = [*rule.values.values(), *([rule.otherwise] if rule.otherwise else [])]
        constant = [str(rule.constant)] if rule.constant is not None else []
        for word in [*said, *constant]:
            _known(path, word, spec.words)
    if rule.derive is not None:
        _check_derivation(path, rule.derive)
    return rule


def _person_rule(role: str, given: object) -> FieldRule:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", role):
        raise _fault(f"people.{role}", "role", "a role is a lower-case word such as lead_official")
    rule = _source_rule(f"people.{role}", given)
    for key in given if isinstance(given, dict) else ():
        if key not in ("column", "constant"):
            raise _fault(f"people.{role}.{key}", "key-applies", "a person has a column or a constant, nothing else")
    return rule


def _source_rule(path: str, given: object) -> FieldRule:
    table = given if isinstance(given, dict) else {"column": given}
    _known_keys(path, table, FieldRule.__struct_fields__)
    table = dict(table)
    if isinstance(table.get("column"), str):
        table["column"] = [table["column"]]
    if isinstance(table.get("parts"), list):
        table["parts"] = [[part] if isinstance(part, str) else part for part in table["parts"]]
    rule: FieldRule = _convert(path, table, FieldRule)
    if not isinstance(rule.constant, str | int | float | datetime | date | None):
        raise _fault(f"{path}.constant", "type", "expected a text, a number or a date")
    sources = sum((bool(rule.column), bool(rule.parts), rule.constant is not None))
    if sources > 1 or (sources == 0 and rule.derive is None):
        raise _fault(path, "one-source", "a field comes from a column, from parts, from a constant or is derived")
    return rule


def _check_derivation(path: str, expression: str) -> None:
    terms = derivation(expression)
    if not terms:
        raise _fault(f"{path}.derive", "derivation", f"{expression!r} is not like 'verified - outstanding'")
    amounts = tuple(name for name, spec in FIELDS.items() if spec.shape == "amount" and path != f"fields.{name}")
    for _, name in terms:
        _known(f"{path}.derive", name, amounts)


def _tree(table: object) -> JurisdictionTree | None:
    if table is None:
        return None
    if not isinstance(table, dict):
        raise _fault("jurisdictions", "type", "expected a table of codes")
    return JurisdictionTree.load(table)


def _section(name: str, table: Table[str, Any], struct: type[S]) -> S:
    given = _table(name, table.get(name, {}), struct.__struct_fields__)
    section: S = _convert(name, given, struct)
    return section


def _table(path: str, given: object, allowed: Sequence[str] | None) -> Table[str, Any]:
    if not isinstance(given, dict):
        raise _fault(path, "type", "expected a table")
    if allowed is not None:
        _known_keys(path, given, allowed)
    return given


def _convert(path: str, given: object, wanted: Any) -> Any:
    try:
        return msgspec.convert(given, wanted)
    except msgspec.ValidationError as error:
        raise _fault(path, "type", str(error)) from error


def _known_keys(path: str, table: Table[str, Any], allowed: Sequence[str]) -> None:
    for key in table:
        if key not in allowed:
            where = f"{path}.{key}" if path else key
            near = difflib.get_close_matches(key, allowed, n=1, cutoff=0)[0]
            raise _fault(where, "known-key", f"there is no such key; the nearest is {near!r}")


def _known(path: str, word: str, allowed: Sequence[str]) -> None:
    if word not in allowed:
        near = difflib.get_close_matches(word, allowed, n=1, cutoff=0)
        hint = f"; the nearest is {near[0]!r}" if near else ""
        raise _fault(path, "known-word", f"{word!r} is not known here{hint}")


def _pattern(path: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise _fault(path, "pattern", f"{pattern!r} is no regular expression: {error}") from error


def _fault(path: str, rule: str, message: str) -> InputError:
    return InputError(f"mapping key {path!r}: {message}", field=path, rule=rule)
