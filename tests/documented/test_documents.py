"""The documents are true: what they list is what the code has."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from domain import errors
from domain.catalogue import EVENT_TYPES
from infra.settings import Settings
from projections.discrepancy_ledger import RULES

ROOT = Path(__file__).resolve().parent.parent.parent


def _table_keys(document: str, heading: str) -> list[str]:
    text = (ROOT / document).read_text("utf-8")
    section = text.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0] if heading else text
    return re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE)


def test_every_setting_is_documented_with_its_default() -> None:
    assert _table_keys("docs/settings.md", "") == [field.name for field in fields(Settings)]
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    for field in fields(Settings):
        shown = "(empty)" if field.default == "" else f"`{field.default}`"
        assert f"| `{field.name}` | {shown} |" in text


def test_every_event_type_is_documented() -> None:
    assert sorted(_table_keys("docs/events.md", "## Types")) == list(EVENT_TYPES)


def test_every_discrepancy_is_documented_with_its_clause() -> None:
    text = (ROOT / "docs/events.md").read_text("utf-8")
    assert _table_keys("docs/events.md", "## Discrepancies") == [rule.name for rule in RULES]
    for rule in RULES:
        assert f"| `{rule.name}` | {rule.title.zh} | {rule.clause} |" in text


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ((?:│   |    )*)(?:├── |└── )?(\w+Error|Refused)\b", line)
        if found:
            depth = len(found.group(1)) // 4 + ("──" in line)
            path[depth:] = [found.group(2)]
            drawn[found.group(2)] = path[depth - 1] if depth else "Exception"
    classes = {
        name: item.__bases__[0].__name__
        for name, item in inspect.getmembers(errors, inspect.isclass)
        if issubclass(item, errors.QinglingError)
    }
    assert drawn == classes


@pytest.mark.parametrize(
    "document", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=lambda f: f.name
)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    text = document.read_text("utf-8")
    named = set(re.findall(r"`((?:domain|projections|infra|api|scripts|tests|docs)/[\w./-]*)`", text))
    named |= set(re.findall(r"\]\(([^)#:]+)\)", text))
    missing = sorted(name for name in named if not (ROOT / name).exists() and not (document.parent / name).exists())
    assert not missing
