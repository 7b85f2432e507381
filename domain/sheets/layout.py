"""The layout of a list: its columns in their standard order, what each is called and read as. Data only; `table.py` reads by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Shape = Literal["text", "code", "number", "amount", "count", "day-from", "day-to", "period", "instant", "word"]
"""What a cell is read as. `number` is an identity number, telephone or account: digits, kept as text."""


def also(text: str) -> tuple[str, ...]:
    """Words parted by `、`: other headings of a column, other ways to say a word."""
    return tuple(text.split("、"))


@dataclass(frozen=True)
class ListColumn:
    """A column. `aliases` are other headings for it. `words`: for each value what people write for it, the first of which stands in
    templates. `needed`: the list makes no sense without it. `filled`: what a person adds to a prepared list; a row without any such is
    passed over. `given`: prepared for them, and only held against what they write. `guide`: what to write into it."""

    name: str
    zh: str
    en: str
    shape: Shape = "text"
    aliases: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    enum: type[StrEnum] | None = None
    needed: bool = False
    filled: bool = False
    given: bool = False
    guide: tuple[str, str] = ("", "")

    @property
    def headings(self) -> tuple[str, ...]:
        """Everything that it may be called."""
        return (self.zh, self.en, self.name, *self.aliases)


@dataclass(frozen=True)
class Layout:
    """A kind of list. `standard`: names of columns in the order that they are pasted in without headings, the order of the form."""

    name: str
    zh: str
    en: str
    columns: tuple[ListColumn, ...]
    standard: tuple[str, ...]
    ignored: tuple[str, ...] = ("序号", "编号", "no", "no.", "seq", "性别", "sex", "年龄", "age", "民族")
    """Headings that are known and mean nothing here: passed over without a word."""
    others: Literal["told", "passed-over"] = "told"
    """Whether somebody is told of headings that are not known."""
    unit: int = 100
    """Fen in one unit of money, where neither heading nor title row says."""

    def column(self, name: str) -> ListColumn:
        """The column of a name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(column.name for column in self.columns)

    @property
    def amounts(self) -> tuple[str, ...]:
        """Columns of money, which total rows are held against."""
        return tuple(column.name for column in self.columns if column.shape == "amount")


WORKER = ListColumn(
    "worker",
    "姓名",
    "Name",
    aliases=also("农民工姓名、农民工、工人姓名、工人、劳动者姓名、劳动者、worker、full name"),
    guide=("与身份证一致", "As on the identity card"),
)
WORKER_ID = ListColumn(
    "worker_id",
    "身份证号",
    "Id number",
    "number",
    aliases=also("身份证号码、身份证、证件号码、证件号、公民身份号码、id no、id no.、id、identity number"),
    guide=("按文本填写十八位", "Eighteen digits, as text"),
)
PHONE = ListColumn(
    "phone",
    "电话",
    "Telephone",
    "number",
    aliases=also("联系电话、手机、手机号、手机号码、联系方式、电话号码、phone、mobile、tel、telephone number"),
    guide=("按文本填写", "As text"),
)
LINE = ListColumn(
    "line",
    "明细号",
    "Line",
    "code",
    aliases=also("明细、行号、明细编号、claim、line number、line no、line no."),
    guide=("名册中的明细号", "The line's number in the roster"),
)
LAST_FOUR = ListColumn(
    "last_four",
    "后四位",
    "Last four",
    "number",
    aliases=also("身份证后四位、身份证号后四位、手机后四位、手机号后四位、电话后四位、last 4、last four digits"),
    guide=("身份证号或手机号后四位，同名时用", "Of identity number or telephone, where names are the same"),
)
WHO = (LINE, WORKER, WORKER_ID, LAST_FOUR, PHONE)
"""How a list of a case says which line a row means."""
