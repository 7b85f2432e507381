"""The words of the doors: every closed list of the domain, every event type and every state of a ledger, in Chinese and English.

Guarantees (tests/api/test_words.py) that no enum value, event type, rule or ledger state is without both. Templates and documents say
nothing of the domain themselves: they ask here, or take the titles that ledgers, columns, checkpoints and jurisdictions bear.
Words for reading only; what is stored, hashed and sent is always the value itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal, NamedTuple

from domain.campaigns.genesis import LogKind
from domain.money import yuan
from domain.sealing.state import State
from domain.streams import Basis, Visibility
from domain.vocabulary import (
    Answer,
    CaseClass,
    ClaimKind,
    Funding,
    MoneySource,
    Outcome,
    Purpose,
    StatedMeaning,
)
from projections.case_ledger import Stage
from projections.clearance import CellState
from projections.discrepancy_ledger import RULES
from projections.ledger import Kind

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")


class Word(NamedTuple):
    """One thing said in the two languages of the doors."""

    zh: str
    en: str

    def to(self, language: str) -> str:
        """The word in a language; Chinese where the language is none of the two."""
        return self.en if language == "en" else self.zh


ENUMS: Mapping[type[Enum], Mapping[str, Word]] = {
    CaseClass: {
        "in-year": Word("年内案件", "In-year"),
        "historical": Word("历史遗存案件", "Historical"),
        "handed-down": Word("转办案件", "Handed down"),
    },
    Funding: {
        "government": Word("政府投资", "Government-funded"),
        "state-owned": Word("国企项目", "State-owned"),
        "private": Word("社会投资", "Private"),
        "other": Word("非工程或未说明", "Not construction, or not stated"),
    },
    ClaimKind: {
        "wage": Word("工资", "Wage"),
        "compensation": Word("赔偿金", "Compensation"),
    },
    MoneySource: {
        "employer": Word("用人单位自付", "Employer"),
        "wage-account": Word("工资专用账户代发", "Dedicated wage account"),
        "general-contractor": Word("总承包单位先行清偿", "General contractor"),
        "developer-advance": Word("建设单位垫付", "Developer's advance"),
        "wage-deposit": Word("工资保证金", "Wage deposit"),
        "revolving-fund": Word("应急周转金", "Emergency revolving fund"),
        "treasury": Word("财政兜底", "Treasury"),
        "parent-group": Word("上级集团兜底", "Parent group"),
        "court": Word("法院执行", "Court enforcement"),
        "other": Word("其他", "Other"),
        "not-stated": Word("未说明", "Not stated"),
    },
    Purpose: {
        "wage": Word("工资", "Wage"),
        "compensation": Word("赔偿金", "Compensation"),
        "living-aid": Word("生活救助", "Living aid"),
    },
    Outcome: {
        "paid": Word("已付清", "Paid"),
        "no-arrears": Word("不欠薪", "No arrears"),
        "merged": Word("并案", "Merged"),
        "transfer-accepted": Word("移送已接收", "Transfer accepted"),
        "judicial": Word("转入司法", "Judicial"),
        "other": Word("其他", "Other"),
    },
    Answer: {
        "received": Word("已足额收到", "Received in full"),
        "less": Word("收到但不足", "Received less"),
        "not-received": Word("未收到", "Not received"),
        "unreachable": Word("联系不上", "Unreachable"),
        "wrong-person": Word("不是本人", "Wrong person"),
        "refused-to-say": Word("拒绝回答", "Refused to say"),
    },
    StatedMeaning: {
        "open": Word("未办结", "Open"),
        "closed": Word("办结", "Closed"),
        "transferred": Word("移送", "Transferred"),
        "judicial": Word("转入司法", "Judicial"),
    },
    Basis: {
        "stated": Word("据称", "Stated"),
        "documented": Word("有凭证", "Documented"),
        "bank-confirmed": Word("银行确认", "Bank-confirmed"),
        "worker-confirmed": Word("本人确认", "Worker-confirmed"),
    },
    Visibility: {
        "case": Word("办案范围", "Those who may see the case"),
        "public": Word("公开", "Everybody"),
        "office": Word("本部署人员", "The deployment's officers"),
        "review": Word("仅问责核查人员", "Those who conduct a review"),
    },
    Stage: {
        "open": Word("办理中", "Open"),
        "determined": Word("核清", "Determined"),
        "solved": Word("解决", "Solved"),
        "closed": Word("办结", "Closed"),
        "written-off": Word("销账", "Written off"),
    },
    CellState: {
        "incomplete": Word("数据不全", "Incomplete"),
        "none-recorded": Word("无记录", "None recorded"),
        "open": Word("未清零", "Open"),
        "cleared": Word("清零", "Cleared"),
        "cleared-in-hand": Word("清零到手", "Cleared, in hand"),
    },
    State: {
        "recorded": Word("已登记", "Recorded"),
        "sealed": Word("已入树", "Sealed"),
        "published": Word("已公布", "Published"),
    },
    LogKind: {
        "real": Word("真实", "Real"),
        "simulation": Word("模拟", "Simulation"),
    },
    Kind: {
        "text": Word("文字", "Text"),
        "money": Word("金额（分）", "Money (fen)"),
        "int": Word("整数", "Whole number"),
        "date": Word("日期", "Date"),
        "datetime": Word("时间", "Time"),
        "bool": Word("是否", "Yes or no"),
        "list": Word("列表", "List"),
        "sealed": Word("个人信息（加密）", "Personal, sealed"),
    },
}
"""By enum, then by value."""

DISCREPANCIES: Mapping[str, Word] = {rule.name: Word(rule.title.zh, rule.title.en) for rule in RULES}
"""The rules of the discrepancy ledger bear their titles themselves."""

EVENT_TYPES: Mapping[str, Word] = {
    "log.continued.v1": Word("接续前日志", "Lost log continued"),
    "log.created.v1": Word("日志建立", "Log created"),
    "log.key-announced.v1": Word("公布签名密钥", "Signing key announced"),
    "log.wholeness-committed.v1": Word("完整性承诺", "Wholeness committed"),
    "pack.made.v1": Word("制作证据包", "Evidence pack made"),
    "log.places-added.v1": Word("增加属地", "Jurisdictions added"),
    "case.registered.v1": Word("案件登记", "Case registered"),
    "case.particulars-amended.v1": Word("案件要素更正", "Particulars amended"),
    "case.source-stated.v1": Word("来源称案件状态", "State as stated by the source"),
    "case.vanished-from-book.v1": Word("案件从账册中消失", "Case vanished from its book"),
    "case.returned-to-book.v1": Word("案件重现于账册", "Case returned to its book"),
    "case.roster-declared.v1": Word("申报名册完整", "Roster declared complete"),
    "case.roster-confirmed.v1": Word("复核名册完整", "Roster confirmed"),
    "case.closing-proposed.v1": Word("提请办结", "Closing proposed"),
    "case.closing-refused.v1": Word("退回办结提请", "Closing refused"),
    "case.closed.v1": Word("批准办结", "Case closed"),
    "case.reopened.v1": Word("重新办理", "Case reopened"),
    "case.written-off.v1": Word("销账", "Case written off"),
    "claim.stated.v1": Word("欠薪明细登记", "Claim line stated"),
    "claim.restated.v1": Word("欠薪明细更正", "Claim line restated"),
    "claim.verified.v1": Word("欠薪明细核实", "Claim line verified"),
    "claim.followed-up.v1": Word("回头看", "Worker followed up"),
    "claim.vanished-from-book.v1": Word("明细从账册中消失", "Claim line vanished from its book"),
    "payment.recorded.v1": Word("支付登记", "Payment recorded"),
    "payment.line-credited.v1": Word("逐笔入账", "Payment line credited"),
    "payment.line-returned.v1": Word("银行退回", "Payment line returned"),
    "payment.line-reversed.v1": Word("冲销", "Payment line reversed"),
    "payment.line-evidenced.v1": Word("支付依据变更", "Basis of a payment line changed"),
    "book.opened.v1": Word("账册建立", "Book opened"),
    "book.import-started.v1": Word("导入开始", "Import started"),
    "book.import-finished.v1": Word("导入完成", "Import finished"),
    "officer.registered.v1": Word("人员登记", "Officer registered"),
    "officer.token-issued.v1": Word("签发令牌", "Token issued"),
    "officer.token-revoked.v1": Word("吊销令牌", "Token revoked"),
}

LEDGER_STATES: Mapping[str, Word] = {
    "running": Word("运行", "Running"),
    "paused": Word("暂停", "Paused"),
    "stopped": Word("停止", "Stopped"),
    "outdated": Word("待重建", "Outdated"),
    "rebuilding": Word("重建中", "Rebuilding"),
    "missing": Word("尚未建立", "Not built yet"),
}

PUBLISHED_UNWITNESSED: Final = Word("已公布（无见证）", "Published, no witness")
"""The state of what stands in a checkpoint that only the log's own key signed: the word *published* never stands there alone."""

WAITS_FOR: Mapping[str, Word] = {
    "key": Word(
        "本日志还没有签名密钥，由管理员运行 qingling log rotate-key 生成。",
        "This log has no signing key yet; an administrator makes the first one with qingling log rotate-key.",
    ),
    "stopped": Word(
        "入树与公布已停止，须由管理员查明原因。",
        "Sealing has stopped; an administrator has to find out why.",
    ),
    "tree": Word(
        "正等待写入哈希树，通常不到一秒。",
        "It waits to be put into the tree, which takes less than a second as a rule.",
    ),
    "checkpoint": Word(
        "已写入哈希树，正等待签名检查点。",
        "It is in the tree and waits for the checkpoint to be signed.",
    ),
    "quorum": Word(
        "已写入哈希树，正等待足够的见证人共签检查点。",
        "It is in the tree and waits until enough witnesses have cosigned the checkpoint.",
    ),
}
"""What keeps an event from being published."""

MEASURES: Mapping[str, Word] = {
    "members": Word("案件", "Cases"),
    "open": Word("未清", "Open"),
    "stated_closed": Word("来源称办结", "Stated closed"),
    "determined": Word("核清", "Determined"),
    "solved": Word("解决", "Solved"),
    "closed": Word("办结", "Closed"),
    "written_off": Word("销账", "Written off"),
    "written_off_in_time": Word("按期销账", "Written off in time"),
    "in_hand": Word("到手", "In hand"),
    "in_hand_in_time": Word("按期到手", "In hand, in time"),
    "workers": Word("人数", "Workers"),
    "claimed": Word("反映金额", "Claimed"),
    "verified": Word("核实金额", "Verified"),
    "paid": Word("已付金额", "Paid"),
    "stated_paid": Word("其中仅据称已付", "Of it only stated"),
    "owing": Word("余额", "Owing"),
    "overpaid": Word("多付", "Overpaid"),
}
"""The board's measures, and `open`: members not written off in time."""

MONEY_MEASURES: Final = frozenset({"claimed", "verified", "paid", "stated_paid", "owing", "overpaid"})

CLAUSES: Mapping[str, Word] = {
    "N11": Word("年内案件按期清零", "in-year cases cleared in time"),
    "N12": Word("历史案件按期办结", "historical cases closed in time"),
    "N20": Word("当日登记、核查、分类", "registered and classified the same day"),
    "N21": Word("分流处理并告知途径", "handled, or told the right channel"),
    "N22": Word("当日核实处理", "verified and dealt with the same day"),
    "N23": Word("先行兜底", "backstop first"),
    "N24": Word("转办案件限时核清报告", "handed-down cases: facts and report in time"),
    "N25": Word("已解决的转办案件复核", "handed-down cases re-checked"),
    "N26": Word("回头看到每一名农民工", "followed up to every worker"),
    "N27": Word("不解决不销账", "not solved, not written off"),
    "N28": Word("涉罪及时移送", "referred to police in time"),
}
"""What the clauses that events cite are about, in a few words of our own."""

INPUT_RULES: Mapping[str, Word] = {
    "known-parameter": Word("没有这个查询参数", "There is no such parameter"),
    "given-once": Word("同一参数只能给一次", "A parameter can be given once only"),
    "time-axis": Word("时间写法不对", "This is no position, day or instant"),
    "recorded-position": Word("这个序号还没有记录", "This position is not recorded yet"),
    "one-axis": Word("两个时间轴不能同时使用", "Only one of the two time axes can be asked for"),
    "value": Word("取值不对", "The value cannot be taken"),
    "printable": Word("含有不可见字符", "Holds a character that cannot be printed"),
    "known-order": Word("不能按这一列排序", "The ledger is not kept in this order"),
    "cursor": Word("翻页标记无效", "This is no cursor of the page before"),
    "same-site": Word("请从本站的登录页提交", "Send this form from the sign-in page itself"),
}
"""Why the doors refuse what was asked, by the `rule` of the error. Rules of other parts are shown as they are."""

Vocabulary = Mapping[str, Word]

COLUMN_WORDS: Mapping[tuple[str, str], Vocabulary] = {
    ("case", "classes"): ENUMS[CaseClass],
    ("case", "funding"): ENUMS[Funding],
    ("case", "stage"): ENUMS[Stage],
    ("claim", "kind"): ENUMS[ClaimKind],
    ("payment", "source"): ENUMS[MoneySource],
    ("payment", "purpose"): ENUMS[Purpose],
    ("payment", "basis"): ENUMS[Basis],
    ("discrepancy", "kind"): DISCREPANCIES,
}
"""(ledger, column) whose values are words of a closed list."""


def word(value: Enum) -> Word:
    """The word for a value of an enum.

    Raises:
        KeyError: the enum has no words; the tests hold that every one has.
    """
    return ENUMS[type(value)][str(value.value)]


class _Reason(NamedTuple):
    """How one sentence of `why_not_solved` is said: what it matches, and what to say with the numbers found in it."""

    pattern: re.Pattern[str]
    zh: str
    en: str
    money: tuple[int, ...] = ()
    """Which of the numbers are fen, to be said in yuan."""


def _reason(pattern: str, zh: str, en: str, *, money: tuple[int, ...] = ()) -> _Reason:
    return _Reason(re.compile(pattern.replace("#", r"(\d+)")), zh, en, money)


_REASONS: tuple[_Reason, ...] = (
    _reason(
        "the roster is not declared complete and confirmed by another officer",
        "名册尚未申报完整并经另一人复核",
        "the roster is not declared complete and confirmed by another officer",
    ),
    _reason(
        "the roster was confirmed with # lines and has # now",
        "名册复核时为 {0} 条明细，现有 {1} 条",
        "the roster was confirmed with {0} lines and has {1} now",
    ),
    _reason("# lines are not determined", "{0} 条明细尚未核清", "{0} lines are not determined"),
    _reason("# lines are owed # fen", "{0} 条明细尚欠 {1} 元", "{0} lines are owed {1} yuan", money=(1,)),
    _reason(
        "# fen are referred as disputed", "{0} 元因争议移送", "{0} yuan are referred as disputed", money=(0,)
    ),
    _reason(
        "# fen are paid only as stated, without a document",
        "{0} 元仅据称已付，没有凭证",
        "{0} yuan are paid only as stated, without a document",
        money=(0,),
    ),
    _reason(
        "# workers say that they received less or nothing",
        "{0} 名农民工称未足额收到或未收到",
        "{0} workers say that they received less or nothing",
    ),
    _reason(
        "# workers were not told ground and remedy",
        "{0} 名农民工未被告知理由和救济途径",
        "{0} workers were not told ground and remedy",
    ),
)  # fmt: skip


def reason(sentence: str) -> Word:
    """A sentence of `domain.cases.standing.why_not_solved` in both languages, with amounts in yuan.

    A sentence that no pattern knows is shown as it stands, in both: an unknown reason must never be hidden.
    """
    for known in _REASONS:
        found = known.pattern.fullmatch(sentence)
        if found is not None:
            said = [_said(number, i in known.money) for i, number in enumerate(found.groups())]
            return Word(known.zh.format(*said), known.en.format(*said))
    return Word(sentence, sentence)


def _said(number: str, is_money: bool) -> str:
    return yuan(int(number)) if is_money else number
