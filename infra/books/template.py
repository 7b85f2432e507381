"""The workbook that an office fills in: the columns of a mapping, typed and checked, and a sheet that explains them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from domain.books.mapping import ESSENTIAL, FIELDS, FieldRule, Mapping, Shape
from domain.jurisdictions import JurisdictionTree

ROWS = 5_000
"""Rows below the header that are prepared for entries."""

_FORMATS: dict[Shape, str] = {"code": "@", "amount": "#,##0.00", "count": "0", "instant": "yyyy-mm-dd"}
_LONGEST_LIST = 255  # characters of a list that a workbook keeps in a cell check

GUIDE: dict[str, tuple[str, str]] = {
    "number": ("案件的正式编号，全册唯一", "Official number of the case, once in the book"),
    "jurisdiction": ("县区名称或行政区划代码", "Name or code of the county or district"),
    "received": ("机关获知之日，如 2019-11-25", "Day on which the office learned of it, such as 2019-11-25"),
    "channel": ("投诉、转办、排查、审计等", "Complaint, handed down, inspection, audit …"),
    "project": ("工程项目全称", "Full name of the project"),
    "funding": ("政府投资、国企、社会投资或其他", "Who pays for the project"),
    "industry": ("所属行业", "Industry"),
    "debtor": ("认定的用工主体", "Employer who owes"),
    "debtor_code": ("统一社会信用代码", "Unified social credit code of the debtor"),
    "contractor": ("施工总承包单位", "General contractor"),
    "developer": ("建设单位", "Developer"),
    "cause": ("欠薪原因", "Cause of the arrears"),
    "classes": ("年内、历史、转办，可多选，用顿号分开；不填则按受理日期确定", "Classes, several with 、 between; derived when blank"),
    "handed_down_by": ("转办机关", "Office that handed the case down"),
    "handed_down_number": ("转办文号", "Its document number"),
    "handed_down_on": ("转办日期", "Day on which it was handed down"),
    "matters": ("违法事项", "Violation"),
    "worker": ("一行写一名工人时填写", "Name, where a row stands for one worker"),
    "worker_id": ("按文本填写，不得成为数字", "Identity number, as text"),
    "phone": ("按文本填写", "Telephone, as text"),
    "headcount": ("欠薪人数", "Number of workers owed"),
    "kind": ("工资或赔偿金", "Wage or compensation"),
    "period": ("如 2019.3-2019.10", "Period owed for, such as 2019.3-2019.10"),
    "period_from": ("欠薪起始日", "First day owed for"),
    "period_to": ("欠薪截止日", "Last day owed for"),
    "claimed": ("反映金额", "Amount claimed"),
    "verified": ("核实金额", "Amount verified"),
    "rejected": ("不予认定金额", "Amount not accepted"),
    "paid": ("已发金额，多发亦照实填写", "Amount paid, also where it is too much"),
    "outstanding": ("余额，仅作核对", "Balance, used as a control figure only"),
    "payment_source": ("已发金额的资金来源", "Where the money paid came from"),
    "paid_on": ("支付日期", "Day of payment"),
    "voucher": ("支付凭证号", "Voucher number"),
    "state": ("本单位的用语，原样保留", "The office's own word, kept as it stands"),
    "state_means": ("本单位用语的含义", "What the office's word means"),
    "closed_on": ("办结日期", "Day of closing as the office states it"),
    "written_off": ("是否销账，原样保留", "Whether written off, as the office says"),
    "followed_up_on": ("回头看日期", "Day of the follow-up"),
    "follow_up": ("回头看结论", "Outcome of the follow-up"),
    "note": ("备注", "Remarks"),
}  # fmt: skip
"""What to write into the column of each field, in Chinese and English."""


@dataclass(frozen=True)
class _Heading:
    text: str
    shape: Shape
    essential: bool
    choices: tuple[str, ...]
    guide: tuple[str, str]


def write_template(path: Path, mapping: Mapping, tree: JurisdictionTree | None = None) -> None:
    """An empty book that `mapping` reads. With a tree, the jurisdictions are offered for choice."""
    with xlsxwriter.Workbook(path) as workbook:
        headings = list(_headings(mapping, mapping.jurisdictions or tree))
        _table(workbook, mapping, headings)
        _explanation(workbook, mapping, headings)


def _headings(mapping: Mapping, tree: JurisdictionTree | None) -> Iterator[_Heading]:
    """One a column; fields that share a column share its heading."""
    seen: set[str] = set()
    for name, spec in FIELDS.items():
        rule = mapping.fields.get(name)
        if rule is None:
            continue
        unit = f"（{rule.unit or mapping.cells.unit or '元'}）" if spec.shape == "amount" else ""
        for aliases in rule.parts or ((rule.column,) if rule.column else ()):
            if aliases[0] not in seen:
                seen.add(aliases[0])
                choices = _choices(name, rule, tree)
                yield _Heading(aliases[0] + unit, spec.shape, name in ESSENTIAL, choices, GUIDE[name])
    for rule in mapping.people.values():
        if rule.column:
            yield _Heading(rule.column[0], "code", False, (), ("姓名或电话，封存保管", "Name or number; kept sealed"))
    for text in mapping.notes:
        yield _Heading(text, "joined", False, (), ("文字说明，封存保管", "Free text; kept sealed"))
    for text in mapping.extra:
        yield _Heading(text, "text", False, (), ("原样保留", "Kept as it stands"))


def _choices(name: str, rule: FieldRule, tree: JurisdictionTree | None) -> tuple[str, ...]:
    """The words that a cell may hold: for each meaning the first word that the mapping gives it."""
    if name == "jurisdiction":
        leaves = [node for node in tree or () if tree and not tree.children(node.code)]
        return tuple(node.name_zh for node in leaves)
    first: dict[str, str] = {}
    for said, means in rule.values.items():
        first.setdefault(means, said)
    return tuple(first.values()) if FIELDS[name].shape in ("word", "words") else ()


def _table(workbook: xlsxwriter.Workbook, mapping: Mapping, headings: list[_Heading]) -> None:
    sheet: Worksheet = workbook.add_worksheet((mapping.sheet.name or "案件台账")[:31])
    plain, strong = ({"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter"} for _ in range(2))
    optional = workbook.add_format({**plain, "bg_color": "#E7EEF7"})
    essential = workbook.add_format({**strong, "bg_color": "#F8CBAD"})
    formats = {shape: workbook.add_format({"num_format": number}) for shape, number in _FORMATS.items()}
    for index, heading in enumerate(headings):
        mark = "*" if heading.essential else ""
        sheet.write_string(0, index, heading.text + mark, essential if heading.essential else optional)
        sheet.set_column(index, index, max(12, 2 * len(heading.text) + 3), formats.get(heading.shape))
        if check := _check(mapping, heading):
            sheet.data_validation(1, index, ROWS, index, check)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, ROWS, len(headings) - 1)


def _check(mapping: Mapping, heading: _Heading) -> dict[str, Any] | None:
    """What a spreadsheet program refuses or warns of while somebody types."""
    said: dict[str, Any] = {"input_title": heading.text[:32], "input_message": heading.guide[0][:255]}
    if heading.shape == "amount":
        limit = mapping.check.amount_max
        return {**said, "validate": "decimal", "criteria": "between", "minimum": -limit, "maximum": limit}
    if heading.shape == "count":
        return {
            **said,
            "validate": "integer",
            "criteria": "between",
            "minimum": 0,
            "maximum": mapping.check.headcount_max,
        }
    if heading.shape == "instant":
        return {**said, "validate": "date", "criteria": ">=", "value": mapping.check.earliest}
    if heading.choices and len(",".join(heading.choices)) <= _LONGEST_LIST:
        several = heading.shape == "words"
        return {
            **said,
            "validate": "list",
            "source": list(heading.choices),
            "error_type": "information" if several else "stop",
        }
    return None


def _explanation(workbook: xlsxwriter.Workbook, mapping: Mapping, headings: list[_Heading]) -> None:
    sheet: Worksheet = workbook.add_worksheet("填写说明 Instructions")
    head = workbook.add_format({"bold": True, "bottom": 1})
    wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
    lines = [
        mapping.title or mapping.name,
        *(
            ("一行一案。", "One row a case.")
            if mapping.rows.case == "one-row"
            else ("一案可有多行，编号相同。", "A case may stand on several rows with the same number.")
        ),
        "带*的列必须填写；日期写作 2019-11-25；合计行、填报人行可保留，导入时跳过并核对合计。",
        "Columns marked * are compulsory. Days are written 2019-11-25. Total and signature rows may stay: they are passed"
        " over, and totals are compared.",
        "编号、身份证号、电话请按文本填写。导入只记录台账所述，不因此认定已付、办结或销账。",
        "Write numbers of documents, identities and telephones as text. Importing records what the book states; it"
        " settles nothing.",
    ]
    for at, line in enumerate(lines):
        sheet.write_string(at, 0, line)
    first = len(lines) + 1
    for index, text in enumerate(("列 Column", "必填 Compulsory", "填写内容", "What to write", "可选值 Choices")):
        sheet.write_string(first, index, text, head)
    for at, heading in enumerate(headings, first + 1):
        sheet.write_string(at, 0, heading.text)
        sheet.write_string(at, 1, "是 yes" if heading.essential else "")
        sheet.write_string(at, 2, heading.guide[0], wrap)
        sheet.write_string(at, 3, heading.guide[1], wrap)
        sheet.write_string(at, 4, "、".join(heading.choices), wrap)
    for index, width in enumerate((24, 12, 44, 56, 40)):
        sheet.set_column(index, index, width)
