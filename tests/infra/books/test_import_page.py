"""`docs/import.md` and the code say the same: every key, field, unit and rule is there, and none besides."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from domain.books.mapping import FIELDS, SECTIONS, TOP_KEYS, UNITS, FieldRule, parse_mapping
from domain.books.rules import RULES
from infra.books.mapping_files import shipped_mappings
from infra.books.opening import Limits

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "import.md").read_text("utf-8")


def table_under(heading: str) -> dict[str, list[str]]:
    """First column to the other columns of the first table under a heading."""
    section = re.split(r"^#{2,3} ", PAGE.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {row[0].strip("`"): row[1:] for row in rows[2:]}


def test_every_key_of_a_mapping_is_explained_and_no_other():
    assert set(table_under("### Top")) == set(TOP_KEYS)
    for name, section in SECTIONS.items():
        assert set(table_under(f"### `{name}`")) == set(section.__struct_fields__), name
    assert set(table_under("### A field")) == set(FieldRule.__struct_fields__)


def test_every_field_is_explained_and_no_other():
    assert list(table_under("### `fields`")) == list(FIELDS)
    for name, (_, meaning) in table_under("### `fields`").items():
        words = FIELDS[name].words
        assert all(f"`{word}`" in meaning for word in words), name


def test_every_rule_is_explained_and_no_other():
    assert list(table_under("## Rules by which a row is rejected")) == list(RULES)


def test_units_shipped_mappings_and_limits_are_the_ones_in_the_code():
    units = re.search(r"^Units: (.*)\.$", PAGE, re.MULTILINE)
    assert units
    assert re.findall(r"`([^`]+)`", units[1]) == list(UNITS)
    assert all(f"`{name}`" in PAGE for name in shipped_mappings())
    limits = Limits()
    assert f"{limits.file_bytes // 2**20} MiB" in PAGE
    assert f"{limits.unpacked_bytes // 2**30} GiB" in PAGE
    assert f"{limits.cells // 10**6} million cells" in PAGE


@pytest.mark.parametrize("section", ["sheet", "header", "rows", "cells", "check"])
def test_the_defaults_on_the_page_are_the_defaults(section):
    mapping = parse_mapping({"name": "x", "fields": {"number": "a", "jurisdiction": "b", "received": "c"}})
    for key, (shown, _) in table_under(f"### `{section}`").items():
        if re.fullmatch(r"`[^`]+`", shown):
            default = getattr(getattr(mapping, section), key)
            stated = tomllib.loads(f"x = {shown.strip('`')}")["x"] if shown != "`元`" else shown
            assert stated == (list(default) if isinstance(default, tuple) else default), key
            assert isinstance(stated, str | int | list | date)


def test_the_smallest_mapping_on_the_page_is_one():
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    mapping = parse_mapping({"name": "example"} | tomllib.loads(example[1]))
    assert mapping.fields["paid"].derive == "verified - outstanding"
