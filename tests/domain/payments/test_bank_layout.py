"""A bank's layout is checked before a file is read by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.errors import InputError
from domain.payments.bank_layout import parse_bank_layout
from domain.payments.handlers import BankResult
from infra.books.bank_layouts import SHIPPED, bank_layouts

LAYOUT: dict[str, Any] = {
    "columns": {"line": "笔号", "worker": ["户名", "姓名"], "result": "状态"},
    "credited": ["成功", "００"],
    "failed": ["失败"],
    "returned": ["退回"],
}


def test_codes_and_headings_are_known_whatever_their_width():
    layout = parse_bank_layout("own", LAYOUT)
    assert layout.codes == {
        "成功": BankResult.CREDITED,
        "00": BankResult.CREDITED,
        "失败": BankResult.FAILED,
        "退回": BankResult.RETURNED,
    }
    assert layout.headings["worker"] == ("户名", "姓名")
    assert (layout.title, layout.unit, layout.skip) == ("own", 100, 0)


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"credit": []}, "credit", "known-key"),
        ({"columns": {"lines": "笔号", "result": "状态"}}, "columns.lines", "known-key"),
        ({"columns": {"line": "笔号"}}, "columns.result", "essential"),
        ({"columns": {"result": "状态", "amount": "金额"}}, "columns", "essential"),
        ({"columns": {"line": 1, "result": "状态"}}, "columns", "one-source"),
        ({"columns": {"line": 0, "result": 1}}, "columns", "one-source"),
        ({"skip": -1}, "skip", "positive"),
        ({"unit": "美元"}, "unit", "type"),
        ({"failed": ["00"]}, "failed", "one-meaning"),
    ],
)
def test_what_a_layout_may_not_say_is_named(changed: dict[str, Any], field: str, rule: str):
    with pytest.raises(InputError) as error:
        parse_bank_layout("own", LAYOUT | changed)
    assert (error.value.field, error.value.rule) == (field, rule)


def test_an_offices_own_layout_goes_before_the_shipped_one(tmp_path: Path):
    assert list(bank_layouts(tmp_path / "none")) == ["standard", *sorted(p.stem for p in SHIPPED.glob("[!s]*.toml"))]
    for name in ("standard", "aaa"):
        (tmp_path / f"{name}.toml").write_text('credited = ["1"]\n[columns]\nline = 1\nresult = 2\n', "utf-8")
    layouts = bank_layouts(tmp_path)
    assert list(layouts)[:2] == ["standard", "aaa"]
    assert layouts["standard"].places == {"line": 0, "result": 1}


def test_a_layout_that_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "bad.toml").write_text("credited = [", "utf-8")
    with pytest.raises(InputError, match=r"bad\.toml is not TOML") as error:
        bank_layouts(tmp_path)
    assert error.value.rule == "is-toml"
