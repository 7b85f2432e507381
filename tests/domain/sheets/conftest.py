"""Lists as people paste them, and the day on which they do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.sheets.intake import pasted_rows
from domain.sheets.table import SheetReading

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2020, 1, 6)
WHEN: dict[str, Any] = {"today": TODAY, "zone": ZONE}

ReadPasted = Callable[..., SheetReading[Any]]


@pytest.fixture
def pasted() -> ReadPasted:
    """Read a pasted text with one of the readers."""

    def read(reader: Callable[..., SheetReading[Any]], text: str, **more: Any) -> SheetReading[Any]:
        return reader(pasted_rows(text), **WHEN, **more)

    return read


def rules(found: Any) -> list[tuple[int, str, str]]:
    """Row, column and rule of faults."""
    return [(fault.row, fault.column, fault.rule) for fault in found]
