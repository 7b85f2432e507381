"""Books on disk, made cell by cell, and a short way to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from domain.books.mapping import parse_mapping
from domain.books.source import Reading
from infra.books.reader import read_book
from infra.jurisdictions import load_tree

HEAD = ["编号", "县区", "受理日期", "单位", "反映金额"]
MAPPING: dict[str, Any] = {
    "name": "office",
    "fields": {
        "number": "编号",
        "jurisdiction": "县区",
        "received": "受理日期",
        "debtor": "单位",
        "claimed": "反映金额",
    },
}

MakeBook = Callable[..., Path]
ReadFile = Callable[..., Reading]


@pytest.fixture
def make_book(tmp_path: Path) -> MakeBook:
    """A workbook with the given rows."""

    def make(rows: Iterable[Sequence[object]], name: str = "book.xlsx", sheet: str = "台账") -> Path:
        path = tmp_path / name
        with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as workbook:
            page = workbook.add_worksheet(sheet)
            for at, row in enumerate(rows):
                for index, cell in enumerate(row):
                    if isinstance(cell, datetime | date):
                        page.write_datetime(at, index, cell)
                    elif cell is not None:
                        page.write(at, index, cell)
        return path

    return make


@pytest.fixture
def read_file() -> ReadFile:
    """Read a file with the office's mapping, changed by what is given, on 1 January 2020."""

    def read(path: Path, **sections: Any) -> Reading:
        mapping = parse_mapping(MAPPING | sections)
        return read_book(path, mapping, load_tree(), today=date(2020, 1, 1), zone=ZoneInfo("Asia/Shanghai"))

    return read
