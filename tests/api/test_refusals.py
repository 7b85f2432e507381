"""Every rule that the domain may refuse by has its words in both languages, and no others have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import domain
from api.refusals import REFUSALS

ROOT = Path(domain.__file__).parent.parent


def trees(*folders: str) -> Iterator[ast.AST]:
    for folder in folders:
        for file in (ROOT / folder).rglob("*.py"):
            if file.name != "refusals.py":
                yield from ast.walk(ast.parse(file.read_text("utf-8")))


def rules() -> set[str]:
    """The rules that some `RuleError` of the domain names, where they are written."""
    calls = (
        node for node in trees("domain") if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RuleError"
    )
    given = (each.value for call in calls for each in call.keywords if each.arg == "rule")
    return {str(value.value) for value in given if isinstance(value, ast.Constant)}


def test_every_rule_has_words():
    assert rules() - set(REFUSALS) == set()


def test_no_words_are_left_over():
    texts = {node.value for node in trees("domain", "api", "infra") if isinstance(node, ast.Constant)}
    assert set(REFUSALS) - texts == set()


def test_words_are_in_both_languages():
    for word in REFUSALS.values():
        assert any("一" <= letter <= "鿿" for letter in word.zh)
        assert word.en.isascii()
