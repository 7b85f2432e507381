"""The rules by which a row of a book is read or rejected: a stable name each, and its wording in both languages.

A cell that breaks a rule becomes a `Fault`, a value like any other: faults are collected over all rows of a case and
told together, so that whoever repairs a book sees everything at once. `docs/import.md` lists the rules; a test holds
that list and this one equal.
"""

from __future__ import annotations

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """A cell, or a whole case, breaks `rule`; `detail` says more, in words that need no translation or in both."""

    rule: str
    detail: str = ""


class Wording(msgspec.Struct, frozen=True):
    """How a rule is told to people. Completes "row 7, column X: …"."""

    en: str
    zh: str


RULES: dict[str, Wording] = {
    "required": Wording("is blank, and without it there is no case", "为空，缺此项不能成为案件"),
    "amount": Wording("is not an amount", "不是金额"),
    "whole-fen": Wording("is not a whole number of fen", "不是整分金额"),
    "amount-range": Wording("is an amount beyond the limits", "金额超出允许范围"),
    "amount-once": Wording("differs between the rows of one case", "同一案件各行金额不一致"),
    "headcount": Wording("is not a number of persons", "不是人数"),
    "headcount-range": Wording("is a head-count beyond the limits", "人数超出允许范围"),
    "one-worker": Wording("is the head-count of a line that names one worker", "该行已写明一名工人，人数应为1"),
    "date": Wording("is not a date", "不是日期"),
    "date-range": Wording("is a date beyond the limits", "日期超出允许范围"),
    "period": Wording("is not a period", "不是起止时间"),
    "period-order": Wording("is a period that ends before it begins", "起止时间颠倒"),
    "known-word": Wording("is a word that the mapping does not know", "不是映射文件认识的用语"),
    "known-jurisdiction": Wording("is not in the tree of jurisdictions", "不在行政区划内"),
    "one-jurisdiction": Wording("could be several jurisdictions", "可指多个行政区划"),
    "text-length": Wording("is a text longer than the limit", "文字超出长度限制"),
    "text-control": Wording("holds a control character", "含有控制字符"),
    "digits-lost": Wording(
        "is a code stored as a number that has lost digits; store it as text", "编号被存成数字而丢失位数，请改为文本"
    ),
    "cell-error": Wording("is an error of the spreadsheet", "是电子表格的错误值"),
    "cell-formula": Wording(
        "is a formula whose result is not stored; open and save the book in a spreadsheet program",
        "是未存结果的公式，请用表格软件打开并保存后再导入",
    ),
    "same-number": Wording("stands twice with different content", "同一编号出现多次且内容不同"),
    "rows-agree": Wording("differs between the rows of one case", "同一案件各行内容不一致"),
}
