"""A sheet written down in a test, read as a book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.books.mapping import parse_mapping
from domain.books.reading import read_rows
from domain.books.source import Reading, SourceCase
from domain.jurisdictions import JurisdictionTree

TREE = JurisdictionTree.load(
    {
        "140300": {"name_zh": "阳泉市", "name_en": "Yangquan City"},
        "140321": {"name_zh": "平定县", "name_en": "Pingding County", "parent": "140300"},
        "140322": {"name_zh": "盂县", "name_en": "Yuxian County", "parent": "140300"},
    }
)
FIELDS: dict[str, Any] = {
    "number": "编号",
    "jurisdiction": "县区",
    "received": "受理日期",
    "debtor": "单位",
    "headcount": "人数",
    "claimed": "反映金额",
    "verified": "核实金额",
    "paid": "已发金额",
    "outstanding": "余额",
}


class Book:
    """What a sheet was read into."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.cases: list[SourceCase] = list(reading.cases)
        self.by_number = {case.number: case for case in self.cases}
        self.rules = [(reject.row, reject.field, reject.rule) for reject in reading.rejects]


ReadSheet = Callable[..., Book]


@pytest.fixture
def read_sheet() -> ReadSheet:
    """Read rows of cells with a mapping of the common fields, changed by what is given."""

    def read(sheet: Sequence[Sequence[object]], /, *, fields: dict[str, Any] | None = None, **sections: Any) -> Book:
        table = {"name": "test", "header": {"required": []}, "fields": FIELDS | (fields or {}), **sections}
        reading = read_rows(
            lambda: iter(enumerate(sheet, 1)),  # type: ignore[arg-type]
            parse_mapping(table),
            TREE,
            today=date(2020, 1, 1),
            zone=ZoneInfo("Asia/Shanghai"),
        )
        return Book(reading)

    return read
