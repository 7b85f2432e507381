"""docs/proofs.md is true: every claim says what it shows and what not, and names tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "proofs.md").read_text("utf-8")
CLAIMS = {
    section.split("\n", 1)[0]: section
    for section in re.split(r"^### ", DOCUMENT.split("\n## Claims\n", 1)[1], flags=re.M)[1:]
}
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_there_are_claims() -> None:
    assert len(CLAIMS) >= 9


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_says_what_it_shows_what_it_does_not_and_which_tests_try_to_break_it(claim: str) -> None:
    section = CLAIMS[claim]
    parts = [section.find(f"**{part}**") for part in ("Shows", "Does not show", "Tries to break it")]
    assert -1 not in parts
    assert parts == sorted(parts)
    assert NAMED.search(section[parts[2] :])


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(DOCUMENT))))
def test_every_test_that_the_document_names_is_there(path: str, name: str) -> None:
    assert name in names_in(path)
