"""What is wrong with a list, told by row and column in both languages, and the rules by which it is.

Rules of single cells are those of ledger books (`domain/books/rules.py`). A fault stops the whole list, for it is recorded all or none; a
warning is shown and stops nothing: what a list states may be a fact that does not fit. `docs/lists.md` lists the rules; a test holds that
list and this one equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.books.rules import RULES, Fault, Wording

SHEET_RULES: dict[str, Wording] = {
    "required": Wording("is blank, and must be given", "为空，必须填写"),
    "known-word": Wording("is none of the words known here", "不是可识别的用语"),
    "column-missing": Wording("is a column that the list lacks", "缺少此列"),
    "heading-twice": Wording("stands over several columns; rename one of them", "在多列重复出现，请改名"),
    "row-shape": Wording("stands beyond the last column", "超出最后一列"),
    "control-totals": Wording("is not what the rows add up to", "与各行之和不符"),
    "somebody": Wording("the row says neither who nor how many are meant", "该行未写明是谁，也未写人数"),
    "gross-less-drawn": Wording("gross less drawn is not the net amount", "应发减已预支不等于实欠"),
    "drawn-more": Wording("more was drawn than was earned", "已预支大于应发"),
    "same-line": Wording(
        "the same person, period, kind and debtor stand in another row", "同一人同期同类同单位已在另一行"
    ),
    "parts-add-up": Wording(
        "verified, rejected, withdrawn and disputed do not make what is claimed",
        "核实、核减、撤回、争议之和不等于反映金额",
    ),
    "ground-given": Wording("a rejection bears its ground", "核减须写明依据"),
    "told-whole": Wording("telling a worker has a time and a way", "告知须同时写明时间和方式"),
    "positive": Wording("is not more than nothing", "须大于零"),
    "own-hands": Wording(
        "is money that somebody else holds: custody, which discharges nothing until it is passed on",
        "是他人代领代管，属托管，转交本人之前不算已付",
    ),
    "bank-code": Wording("is a result that the mapping of the bank does not know", "不是银行映射中的处理结果"),
    "line-found": Wording("the list of the case has nobody like this", "本案名册中没有此人"),
    "one-line": Wording("could be several lines; give the line's number", "可对应多条明细，请写明细号"),
    "line-agrees": Wording("the row names one line, and somebody else", "所写明细与所写的人不是同一条"),
    "line-once": Wording("the line stands in another row already", "该明细已在另一行"),
    "amount-agrees": Wording("is not the amount of the line", "与该笔金额不一致"),
}
"""Rules that lists have beside those of cells; a rule of cells stands here where a list says it otherwise."""

WARNINGS: dict[str, Wording] = {
    "id-check": Wording(
        "is no identity number: eighteen digits, of which the last checks the others (GB 11643)",
        "不是有效身份证号（十八位，末位校验，GB 11643）",
    ),
    "no-claim": Wording("the row states no amount", "该行未写金额"),
    "same-name": Wording(
        "the same name stands in another row, without identity numbers", "另一行有同名而无身份证号的人"
    ),
    "names-differ": Wording("the line bears another name", "与明细登记的姓名不同"),
    "signed-by-another": Wording("was signed by somebody of another name", "签收人与姓名不同"),
    "more-than-owing": Wording("is more than is owing", "大于欠付余额"),
    "paid-twice": Wording("the line is paid by another row, too", "该明细另有一行发放"),
    "remedy-told": Wording(
        "where nothing is verified, the worker is told ground and remedy", "核实为零须告知依据和救济途径"
    ),
    "how-much": Wording("an answer 'less' says how much arrived", "答复“少收”应写明到手金额"),
    "unallocated": Wording("matches no line, and will be listed as unallocated", "未对应明细，将列为未分配款"),
    "column-unknown": Wording("is a column that is not read", "此列不读取"),
}
"""What is told and stops nothing."""


@dataclass(frozen=True)
class SheetFault:
    """A cell, a row or a whole list breaks `rule`. `row` is 1-based as a person counts, 0 where no one row is meant; `column` is the
    heading that stands over it, or the one that should. Neither text holds anything personal but what the cell itself is refused for."""

    row: int
    column: str
    rule: str
    zh: str
    en: str

    def sentence(self, language: Literal["zh", "en"]) -> str:
        """Where it is and what is wrong."""
        if language == "zh":
            return (
                (f"第{self.row}行" if self.row else "") + (f"“{self.column}”" if self.column else "") + f"：{self.zh}"
            )
        where = ", ".join(part for part in (f"row {self.row}" * (self.row > 0), self.column) if part)
        return f"{where}: {self.en}"


def told(row: int, column: str, fault: Fault, detail_zh: str = "") -> SheetFault:
    """A fault in words. `detail_zh`: the fault's detail in Chinese, where it is not the same in both languages."""
    wording = SHEET_RULES.get(fault.rule) or WARNINGS.get(fault.rule) or RULES[fault.rule]
    zh, en = detail_zh or fault.detail, fault.detail
    return SheetFault(
        row, column, fault.rule, wording.zh + (f"（{zh}）" if zh else ""), wording.en + (f" ({en})" if en else "")
    )


def other_row(row: int, column: str, rule: str, other: int) -> SheetFault:
    """A fault that another row of the list has part in."""
    return told(row, column, Fault(rule, f"row {other}"), f"第{other}行")
