"""The words of the doors: every closed list of the domain, every event type and every state of a ledger, in Chinese and English.

Guarantees (tests/api/test_words.py) that no enum value, event type, rule or ledger state is without both. Templates and documents say
nothing of the domain themselves: they ask here, or take the titles that ledgers, columns, checkpoints and jurisdictions bear.
Words for reading only; what is stored, hashed and sent is always the value itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal, NamedTuple

from domain.backstops.standing import BackstopState
from domain.campaigns.genesis import LogKind
from domain.cases.standing import Reason, TransferState
from domain.complaints.reception import ReceptionStage
from domain.evidence.media import EvidenceKind
from domain.money import yuan
from domain.orders.standing import OrderState
from domain.payments.handlers import BankResult
from domain.projects.particulars import DepositForm, Duty, Industry, PartyRole, ProjectState, Safeguard
from domain.projects.permit_list import ListKind
from domain.projects.reconciliation import MatchRule, Particular
from domain.projects.standing import Lamp, Liability
from domain.referrals.clocks import Step
from domain.referrals.crime import Verdict
from domain.referrals.milestones import PaymentMoment
from domain.referrals.standing import ReferralState
from domain.sealing.state import State
from domain.streams import Basis, LateReason, Visibility
from domain.vocabulary import (
    Answer,
    ArrearsCause,
    CallScope,
    CaseClass,
    CaseDuty,
    ClaimKind,
    ComplaintClass,
    Conclusion,
    DuplicateRule,
    FollowUpMethod,
    Funding,
    HolderKind,
    Level,
    Milestone,
    MissingItem,
    MoneySource,
    OrderKind,
    Outcome,
    PaidTo,
    PaperKind,
    Purpose,
    ReceptionChannel,
    RecheckResult,
    ReferralKind,
    ReportKind,
    Resort,
    ServiceMethod,
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
    ReceptionChannel: {
        "visit": Word("来访", "Visit"),
        "letter": Word("来信", "Letter"),
        "call": Word("来电", "Telephone call"),
        "web": Word("网上", "Web"),
        "message": Word("短信、微信", "Message"),
        "forwarded": Word("上级或其他机关转送", "Forwarded by another office"),
        "leader-instruction": Word("领导批示", "Leader's instruction"),
        "inspection": Word("检查发现", "Found by an inspection"),
        "other": Word("其他", "Other"),
    },
    ComplaintClass: {
        "wage-arrears": Word("属欠薪", "Wage arrears"),
        "other-matter": Word("不属欠薪", "Not wage arrears"),
        "repeat-petition": Word("重复信访", "Repeat petition"),
    },
    MissingItem: {
        "employer": Word("用人单位名称", "Name of the employer"),
        "amount": Word("欠薪金额", "Amount owed"),
        "period": Word("欠薪时间", "Period of the arrears"),
        "identity": Word("身份证明", "Proof of identity"),
        "contact": Word("联系方式", "How to reach the complainant"),
        "evidence": Word("证据材料", "Evidence"),
        "other": Word("其他", "Other"),
    },
    ReceptionStage: {
        "open": Word("未分类", "Open"),
        "classified": Word("已分类", "Classified"),
        "returned": Word("待补正", "Returned for completion"),
        "withdrawn": Word("本人撤回", "Withdrawn"),
        "advised": Word("已告知途径", "Advised"),
        "handed-on": Word("已转办", "Handed on"),
        "refused": Word("不予受理", "Refused"),
        "accepted": Word("已受理", "Accepted"),
    },
    DuplicateRule: {
        "same-lead": Word("同一转办机关同一文号", "Same sender and number"),
        "same-person": Word("同一反映人", "Same complainant"),
        "same-project-and-amount": Word("同一项目同一金额", "Same project and amount"),
        "same-debtor-and-amount": Word("同一欠薪单位同一金额", "Same debtor and amount"),
        "same-project-and-day": Word("同一项目同一天", "Same project and day"),
        "same-debtor-and-day": Word("同一欠薪单位同一天", "Same debtor and day"),
    },
    OrderState: {
        "open": Word("已发出未送达", "Issued, not served"),
        "served": Word("已送达", "Served"),
        "due": Word("期限内", "Within its limit"),
        "overdue": Word("逾期未履行", "Overdue"),
        "complied": Word("已履行", "Complied with"),
        "refused": Word("拒不履行", "Refused"),
        "withdrawn": Word("已撤销", "Withdrawn"),
        "replaced": Word("已变更", "Replaced"),
    },
    OrderKind: {
        "pay-within-limit": Word("责令限期支付", "Pay within a limit"),
        "rectify": Word("责令改正", "Rectify"),
        "stop-work": Word("停工整顿", "Stop work"),
        "inquiry-notice": Word("询问通知", "Notice to appear and answer"),
        "penalty-notice": Word("行政处罚事先告知", "Notice of a penalty"),
        "hearing-notice": Word("听证告知", "Notice of a hearing"),
        "handling-decision": Word("行政处理决定", "Handling decision"),
        "penalty-decision": Word("行政处罚决定", "Penalty decision"),
        "demand-notice": Word("履行催告", "Demand before enforcement"),
        "other": Word("其他文书", "Other"),
    },
    ServiceMethod: {
        "in-person": Word("直接送达", "In person"),
        "left": Word("留置送达", "Left in place"),
        "post": Word("邮寄送达", "By post"),
        "by-proxy": Word("委托送达", "By proxy"),
        "electronic": Word("电子送达", "Electronically"),
        "announcement": Word("公告送达", "By announcement"),
        "posted-with-recording": Word("张贴并拍照录像", "Posted, with photo or recording"),
    },
    ReferralState: {
        "sent": Word("已移送", "Sent"),
        "acknowledged": Word("已签收", "Acknowledged"),
        "accepted": Word("已受理", "Accepted"),
        "refused": Word("不予受理", "Refused"),
        "returned": Word("已退回", "Returned"),
        "concluded": Word("已办结", "Concluded"),
    },
    Step: {
        "head-decides": Word("负责人审批", "The head decides"),
        "move": Word("批准后移送", "Moved to the police"),
        "forward": Word("转送有管辖权的机关", "Forwarded to the competent police"),
        "police-decide": Word("公安决定是否立案", "The police decide"),
        "ask-reconsideration": Word("提请复议或立案监督", "Reconsideration asked"),
        "hand-over": Word("移交涉案物品材料", "Things and papers handed over"),
    },
    PaymentMoment: {
        "before-case-filed": Word("刑事立案前支付", "Before a case was filed"),
        "before-prosecution": Word("提起公诉前支付", "Before prosecution"),
        "before-first-judgment": Word("一审宣判前支付", "Before the first judgment"),
        "after-first-judgment": Word("一审宣判后支付", "After the first judgment"),
        "needs-decision": Word("须人工认定", "Needs a decision"),
    },
    Verdict: {
        "met": Word("符合", "Met"),
        "not-met": Word("不符合", "Not met"),
        "needs-decision": Word("须人工认定", "Needs a decision"),
    },
    ReferralKind: {
        "police": Word("移送公安（涉罪）", "Police, for a suspected crime"),
        "early-intervention": Word("公安提前介入", "Police, to step in early"),
        "competent-department": Word("移送主管部门", "Competent department"),
        "arbitration": Word("劳动仲裁", "Arbitration"),
        "court": Word("法院", "Court"),
        "another-place": Word("移送其他属地", "Another place"),
        "superior": Word("提请上级督办", "Superior, by escalation"),
        "discipline": Word("移送纪检监察", "Discipline inspection"),
    },
    PaperKind: {
        "transfer-letter": Word("案件移送书", "Transfer letter"),
        "investigation-report": Word("调查报告", "Investigation report"),
        "list-of-items": Word("涉案物品清单", "List of items"),
        "expert-report": Word("检验鉴定意见", "Expert report"),
        "evidence": Word("其他材料", "Other material"),
    },
    Milestone: {
        "case-filed": Word("刑事立案", "Criminal case filed"),
        "prosecuted": Word("提起公诉", "Prosecuted"),
        "first-judgment": Word("一审宣判", "First judgment"),
    },
    Conclusion: {
        "established": Word("认定属实", "Established"),
        "not-established": Word("不予认定", "Not established"),
        "settled": Word("调解和解", "Settled"),
        "discontinued": Word("终止", "Discontinued"),
        "other": Word("其他", "Other"),
    },
    Level: {
        "county": Word("县级", "County"),
        "city": Word("市级", "City"),
        "province": Word("省级", "Province"),
        "state": Word("国家级", "State"),
    },
    BackstopState: {
        "requested": Word("已提请", "Requested"),
        "approved": Word("已批准", "Approved"),
        "refused": Word("未获同意", "Refused"),
        "ended": Word("已终止", "Ended"),
    },
    Resort: {
        "wage-deposit": Word("工资保证金", "Wage deposit"),
        "revolving-fund": Word("应急周转金", "Emergency revolving fund"),
        "treasury": Word("同级财政", "Treasury"),
        "parent-group": Word("上级集团", "Parent group"),
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
    FollowUpMethod: {
        "phone": Word("电话", "By telephone"),
        "in-person": Word("当面", "In person"),
        "video": Word("视频", "By video"),
        "bank-confirmation": Word("银行查询", "By asking the bank"),
        "message": Word("短信微信", "By message"),
        "through-others": Word("他人转述", "Through others"),
        "other": Word("其他方式", "In another way"),
    },
    BankResult: {
        "credited": Word("已入账", "Credited"),
        "failed": Word("失败", "Failed"),
        "returned": Word("退回", "Returned"),
    },
    PaidTo: {
        "own-account": Word("本人账户", "To the worker's own account"),
        "handed-over": Word("本人签领", "Handed over against signature"),
        "proxy": Word("有授权的代领人", "To a documented proxy"),
        "heir": Word("继承人", "To an heir"),
    },
    HolderKind: {
        "foreman": Word("班组长", "A foreman"),
        "agent": Word("代理人", "An agent"),
        "custody-account": Word("托管账户", "A custody account"),
    },
    CaseDuty: {
        "county-supervisor": Word("县级监管责任人", "County supervisor"),
        "lead-official": Word("包案领导", "Lead official"),
        "handler": Word("办案责任人", "Handler"),
        "contact": Word("联系人", "Contact"),
    },
    ReportKind: {
        "progress": Word("进展报告", "Progress"),
        "sweep": Word("项目排查", "Sweep of the project"),
        "written-report": Word("书面报告", "Written report"),
        "final": Word("办结报告", "Final report"),
    },
    RecheckResult: {
        "solved": Word("确已解决", "Solved"),
        "not-solved": Word("未解决", "Not solved"),
        "partly": Word("部分解决", "Partly solved"),
    },
    ArrearsCause: {
        "project-money-unpaid": Word("拖欠工程款", "Project money unpaid"),
        "illegal-subcontracting": Word("违法转分包", "Illegal subcontracting"),
        "affiliation": Word("挂靠", "Affiliation"),
        "no-money": Word("资金链断裂", "No money"),
        "labour-dispute": Word("劳务纠纷", "Labour dispute"),
        "fled": Word("欠薪逃匿", "Fled"),
        "other": Word("其他原因", "Another cause"),
    },
    CallScope: {
        "all": Word("全部", "Everybody"),
        "sample": Word("抽查", "A sample"),
    },
    TransferState: {
        "sent": Word("已移送", "Sent"),
        "accepted": Word("已接收", "Accepted"),
        "returned": Word("被退回", "Returned"),
    },
    LateReason: {
        "handed-in-late": Word("他人迟交", "Handed in late by somebody else"),
        "no-connection": Word("无网络或系统停用", "No connection, or the system was down"),
        "holiday": Word("节假日", "Holiday"),
        "found-on-review": Word("复查时发现漏登", "Found missing on review"),
        "correction": Word("更正", "Correction"),
        "other": Word("其他", "Other"),
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
        "hindered": Word("有投诉未分类，未清零", "Hindered by a reception"),
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
    Industry: {
        "housing": Word("住建", "Housing and construction"),
        "transport": Word("交通", "Transport"),
        "water": Word("水利", "Water"),
        "energy": Word("能源", "Energy"),
        "other": Word("其他", "Other"),
    },
    PartyRole: {
        "developer": Word("建设单位", "Developer"),
        "general-contractor": Word("施工总承包单位", "General contractor"),
        "subcontractor": Word("分包单位", "Subcontractor"),
        "crew": Word("班组", "Crew"),
        "supervisor": Word("监理单位", "Building supervisor"),
        "labour-supervisor": Word("劳务监管单位", "Labour supervisor"),
        "other": Word("其他", "Other"),
    },
    Duty: {
        "project-lead": Word("建设单位项目负责人", "Developer's project lead"),
        "project-manager": Word("项目经理", "Project manager"),
        "labour-officer": Word("劳资专管员", "Labour officer"),
        "crew-leader": Word("班组长", "Crew leader"),
        "other": Word("其他", "Other"),
    },
    ProjectState: {
        "not-begun": Word("未开工", "Not begun"),
        "building": Word("在建", "Building"),
        "suspended": Word("停工", "Suspended"),
        "completed": Word("竣工", "Completed"),
        "abandoned": Word("终止", "Abandoned"),
    },
    Safeguard: {
        "real-name": Word("实名制管理", "Real names"),
        "dedicated-account": Word("工资专用账户", "Dedicated wage account"),
        "bank-payroll": Word("银行代发工资", "Payroll by the bank"),
        "deposit": Word("工资保证金", "Wage deposit"),
        "notice-board": Word("维权信息公示", "Notice board"),
    },
    DepositForm: {
        "cash": Word("现金", "Cash"),
        "guarantee": Word("保函", "Letter of guarantee"),
    },
    Lamp: {
        "shown": Word("已落实", "Shown"),
        "missing": Word("缺失", "Missing"),
        "expired": Word("已过期", "Expired"),
        "refuted": Word("不属实", "Refuted"),
    },
    Liability: {
        "contracts": Word("直接发包", "Contracts with the crew"),
        "pays-first": Word("先行清偿", "Pays first"),
        "within-unpaid": Word("以未结清工程款为限垫付", "Advances within unpaid project money"),
        "between": Word("中间环节", "Between"),
    },
    EvidenceKind: {
        "photo": Word("照片", "Photo"),
        "pdf": Word("PDF 文件", "PDF"),
        "office": Word("办公文档", "Office file"),
        "text": Word("文本", "Text"),
        "audio": Word("录音", "Recording"),
        "video": Word("录像", "Video"),
    },
    ListKind: {
        "permit": Word("施工许可", "Building permits"),
        "approval": Word("立项审批", "Project approvals"),
    },
    MatchRule: {
        "number": Word("编号相同", "Same number"),
        "name-and-place": Word("名称和属地相同", "Same name and place"),
    },
    Particular: {
        "number": Word("编号", "Number"),
        "name": Word("名称", "Name"),
        "place": Word("属地", "Place"),
        "developer": Word("建设单位", "Developer"),
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
    "backstop.approved.v1": Word("批准兜底", "Backstop approved"),
    "backstop.ended.v1": Word("兜底终止", "Backstop ended"),
    "backstop.giving-up-proposed.v1": Word("提请核销追偿", "Giving up proposed"),
    "backstop.giving-up-refused.v1": Word("不同意核销追偿", "Giving up refused"),
    "backstop.group-supervision-opened.v1": Word("上级集团督办", "Group supervision opened"),
    "backstop.paid.v1": Word("兜底资金支付", "Backstop paid"),
    "backstop.payment-returned.v1": Word("兜底资金退回", "Backstop payment returned"),
    "backstop.recovery-given-up.v1": Word("核销追偿", "Recovery given up"),
    "backstop.recovery-opened.v1": Word("启动追偿", "Recovery opened"),
    "backstop.recovery-received.v1": Word("追偿到账", "Recovery received"),
    "backstop.recovery-reversed.v1": Word("追偿冲销", "Recovery reversed"),
    "backstop.refused.v1": Word("不同意兜底", "Backstop refused"),
    "backstop.requested.v1": Word("提请兜底", "Backstop requested"),
    "book.import-finished.v1": Word("导入完成", "Import finished"),
    "book.import-started.v1": Word("导入开始", "Import started"),
    "book.opened.v1": Word("账册建立", "Book opened"),
    "call-list.closed.v1": Word("回访结束", "Calling ended"),
    "call-list.drawn.v1": Word("制定回访名单", "Call list drawn"),
    "call-list.handed-over.v1": Word("回访名单交接", "Call list handed over"),
    "case.absorbed.v1": Word("并入明细", "Lines of another case carried over here"),
    "case.cause-recorded.v1": Word("登记欠薪原因", "Cause recorded"),
    "case.class-entered.v1": Word("归入清零类别", "Entered a class"),
    "case.class-left.v1": Word("移出清零类别", "Left a class"),
    "case.closed.v1": Word("批准办结", "Case closed"),
    "case.closing-proposed.v2": Word("提请办结", "Closing proposed"),
    "case.closing-refused.v1": Word("退回办结提请", "Closing refused"),
    "case.closing-withdrawn.v1": Word("撤回办结提请", "Proposal to close withdrawn"),
    "case.deadline-set.v1": Word("设定办结时限", "Deadline set"),
    "case.duty-assigned.v1": Word("指定责任人", "Duty assigned"),
    "case.duty-handed-over.v1": Word("责任人交接", "Duty handed over"),
    "case.duty-relieved.v1": Word("解除责任", "Relieved of a duty"),
    "case.employer-responded.v1": Word("企业答复", "Employer responded"),
    "case.facts-verified.v1": Word("核清案情", "Facts verified"),
    "case.handed-down.v1": Word("上级转办", "Handed down"),
    "case.instalments-agreed.v1": Word("分期支付协议", "Instalments agreed"),
    "case.particulars-amended.v1": Word("案件要素更正", "Particulars amended"),
    "case.progress-reported.v1": Word("报告进展", "Progress reported"),
    "case.rechecked.v1": Word("复核", "Rechecked"),
    "case.registered.v1": Word("案件登记", "Case registered"),
    "case.reopened.v1": Word("重新办理", "Case reopened"),
    "case.returned-to-book.v1": Word("案件重现于账册", "Case returned to its book"),
    "case.roster-confirmed.v2": Word("复核名册完整", "Roster confirmed"),
    "case.roster-declared.v1": Word("申报名册完整", "Roster declared complete"),
    "case.sender-answered.v1": Word("转办机关意见", "Sender answered"),
    "case.source-stated.v1": Word("来源称案件状态", "State as stated by the source"),
    "case.split.v1": Word("拆分案件", "Case split"),
    "case.transfer-accepted.v1": Word("移送被接收", "Transfer accepted"),
    "case.transfer-returned.v1": Word("移送被退回", "Transfer returned"),
    "case.transfer-sent.v1": Word("移送他地", "Transfer sent"),
    "case.vanished-from-book.v1": Word("案件从账册中消失", "Case vanished from its book"),
    "case.written-off.v1": Word("销账", "Case written off"),
    "claim.followed-up.v2": Word("回头看", "Worker followed up"),
    "claim.identified.v1": Word("核实身份", "Worker identified"),
    "claim.merged.v1": Word("明细合并", "Claim line merged"),
    "claim.restated.v1": Word("欠薪明细更正", "Claim line restated"),
    "claim.split.v1": Word("明细拆分", "Claim line split"),
    "claim.stated.v1": Word("欠薪明细登记", "Claim line stated"),
    "claim.vanished-from-book.v1": Word("明细从账册中消失", "Claim line vanished from its book"),
    "claim.verified.v1": Word("欠薪明细核实", "Claim line verified"),
    "claim.waived.v1": Word("本人放弃", "Waived by the worker"),
    "claim.waiver-refuted.v1": Word("放弃被否定", "Waiver refuted"),
    "claim.worker-described.v1": Word("补充工人情况", "Worker described"),
    "claim.worker-told.v1": Word("告知工人", "Worker told"),
    "complaint.accepted.v1": Word("受理立案", "Complaint accepted into a case"),
    "complaint.advised.v1": Word("告知途径", "Right channel and remedy told"),
    "complaint.classified.v1": Word("投诉分类", "Complaint classified"),
    "complaint.completed.v1": Word("补正", "Complaint completed"),
    "complaint.department-answered.v1": Word("主管部门答复", "Department answered"),
    "complaint.department-ordered.v1": Word("责成主管部门处理", "Department ordered"),
    "complaint.duplicate-hinted.v1": Word("疑似重复提示", "Duplicate hinted"),
    "complaint.duplicate-settled.v1": Word("重复件认定", "Duplicate settled"),
    "complaint.first-officer-handed-over.v1": Word("首问责任人交接", "First officer handed over"),
    "complaint.handed-to-local-government.v1": Word("交属地专人办理", "Handed to the local government"),
    "complaint.joined.v1": Word("并入另案", "Complaint joined to a further case"),
    "complaint.particulars-amended.v1": Word("投诉要素更正", "Particulars of a complaint amended"),
    "complaint.refused.v1": Word("书面不予受理", "Complaint refused in writing"),
    "complaint.registered.v1": Word("投诉登记", "Complaint registered"),
    "complaint.returned-for-completion.v1": Word("告知补正", "Complaint returned for completion"),
    "complaint.withdrawn.v1": Word("本人撤回", "Complaint withdrawn"),
    "custody.authorised.v1": Word("工人授权代领", "Custody authorised by workers"),
    "custody.list-brought-back.v1": Word("收回签字表", "Signed list brought back"),
    "custody.opened.v1": Word("托管代领登记", "Money taken into custody"),
    "custody.passed-on.v1": Word("托管款发放", "Money in custody passed on"),
    "custody.returned.v1": Word("托管款退回", "Money in custody given back"),
    "log.continued.v1": Word("接续前日志", "Lost log continued"),
    "log.created.v1": Word("日志建立", "Log created"),
    "log.key-announced.v1": Word("公布签名密钥", "Signing key announced"),
    "log.key-retired.v1": Word("停用签名密钥", "Signing key retired"),
    "log.places-added.v1": Word("增加属地", "Jurisdictions added"),
    "log.wholeness-committed.v1": Word("完整性承诺", "Wholeness committed"),
    "officer.registered.v1": Word("人员登记", "Officer registered"),
    "officer.token-issued.v1": Word("签发令牌", "Token issued"),
    "officer.token-revoked.v1": Word("吊销令牌", "Token revoked"),
    "order.compliance-refuted.v1": Word("履行情况不实", "Compliance refuted"),
    "order.complied.v1": Word("已履行", "Order complied with"),
    "order.issued.v1": Word("发出文书", "Order issued"),
    "order.partly-complied.v1": Word("部分履行", "Order complied with in part"),
    "order.receipt-refused.v1": Word("拒收文书", "Receipt of an order refused"),
    "order.refused.v1": Word("拒不履行", "Order refused"),
    "order.replaced.v1": Word("变更文书", "Order replaced"),
    "order.served.v1": Word("送达", "Order served"),
    "order.withdrawn.v1": Word("撤销文书", "Order withdrawn"),
    "pack.made.v1": Word("制作证据包", "Evidence pack made"),
    "payment.line-credited.v2": Word("逐笔入账", "Payment line credited"),
    "payment.line-evidenced.v1": Word("支付依据变更", "Basis of a payment line changed"),
    "payment.line-failed.v1": Word("支付失败", "Payment line failed"),
    "payment.line-instructed.v1": Word("支付指令", "Payment line instructed"),
    "payment.line-moved-away.v1": Word("支付移出", "Payment moved away"),
    "payment.line-moved-here.v1": Word("支付移入", "Payment moved here"),
    "payment.line-returned.v1": Word("银行退回", "Payment line returned"),
    "payment.line-reversed.v1": Word("冲销", "Payment line reversed"),
    "payment.recorded.v1": Word("支付登记", "Payment recorded"),
    "permit-list.edition-handed-in.v1": Word("清单报送", "Edition of a list handed in"),
    "permit-list.opened.v1": Word("许可审批清单建立", "Permit list opened"),
    "permit-list.rows-listed.v1": Word("清单明细", "Rows of a list"),
    "project.amended.v1": Word("项目信息更正", "Project amended"),
    "project.entered-real-name-platform.v1": Word("录入实名制平台", "Entered in the real-name platform"),
    "project.funds-arranged.v1": Word("资金安排", "Funds arranged"),
    "project.funds-disbursed.v1": Word("资金拨付", "Funds disbursed"),
    "project.party-entered.v1": Word("参建方登记", "Party entered"),
    "project.party-left.v1": Word("参建方退场", "Party left"),
    "project.party-placed.v1": Word("承包关系更正", "Place of a party in the chain put right"),
    "project.registered.v1": Word("项目登记", "Project registered"),
    "project.safeguard-evidenced.v1": Word("保障措施举证", "Safeguard evidenced"),
    "project.safeguard-refuted.v1": Word("保障措施不属实", "Safeguard refuted"),
    "project.shares-held.v1": Word("股权比例登记", "Shares recorded"),
    "project.state-entered.v1": Word("施工状态变更", "State of the building"),
    "referral.accepted.v1": Word("对方受理", "Referral accepted"),
    "referral.acknowledged.v1": Word("签收回执", "Referral acknowledged"),
    "referral.concluded.v1": Word("办结反馈", "Referral concluded"),
    "referral.forwarded.v1": Word("转送", "Referral forwarded"),
    "referral.material-handed-over.v1": Word("移交材料", "Material handed over"),
    "referral.progressed.v1": Word("答复与进展", "Referral progressed"),
    "referral.reconsideration-asked.v1": Word("提请复议或立案监督", "Reconsideration asked"),
    "referral.refused.v1": Word("对方不予受理", "Referral refused"),
    "referral.returned.v1": Word("退回", "Referral returned"),
    "referral.sent.v1": Word("移送转办", "Referral sent"),
    "referral.supervision-set.v1": Word("分级督办", "Supervision set"),
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
    "files": Word(
        "可验证日志的文件与应有的不符，须由管理员运行 qingling log fsck 查明。",
        "The files of the provable log are not what they should be; an administrator has to look, with qingling log fsck.",
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

TAMPER_RULES: Mapping[str, Word] = {
    "entry-changed": Word("条目被改动", "Entry changed"),
    "entry-replaced": Word("条目被替换", "Entry replaced"),
    "row-missing": Word("记录被删除", "Row missing"),
    "log-ends-early": Word("日志提前结束", "Log ends early"),
    "rows-swapped": Word("记录互换位置", "Rows swapped"),
    "rows-renumbered": Word("记录被重新编号", "Rows renumbered"),
    "unsigned-tail": Word("未签名部分矛盾", "Unsigned tail contradicts"),
    "entry-lost": Word("条目丢失", "Entry lost"),
    "bundle-changed": Word("条目文件被改动", "Bundle changed"),
    "bundle-missing": Word("条目文件缺失", "Bundle missing"),
    "tile-changed": Word("哈希块被改动", "Tile changed"),
    "tile-missing": Word("哈希块缺失", "Tile missing"),
    "tree-head": Word("树头不符", "Head of the tree differs"),
    "tree-behind": Word("哈希树短于已签名", "Tree shorter than signed"),
    "checkpoint-root": Word("与已签名的根不符", "Signed root not met"),
    "checkpoint-unsound": Word("检查点无效", "Checkpoint unsound"),
    "checkpoint-unknown": Word("签名方不认识的检查点", "Checkpoint unknown to the signer"),
    "checkpoint-unwitnessed": Word("检查点见证不足", "Checkpoint lacks its witnesses"),
    "wholeness-differs": Word("完整性承诺不符", "Wholeness differs"),
    "key-unannounced": Word("密钥未经公告", "Key not announced"),
    "key-not-held": Word("公告的密钥不在签名方", "Announced key not held"),
    "law-broken": Word("日志违反自身规则", "Law of the log broken"),
}
"""Rules of the tamper report (docs/tamper.md)."""

TAMPER_SENTENCES: Mapping[str, Word] = {
    "entry-changed": Word(
        "{where} 的条目在数据库中被改动：现存 {stored}，当时入树 {sealed}。",
        "The entry at {where} was changed in the database: {stored} is stored, {sealed} was sealed.",
    ),
    "entry-replaced": Word(
        "数据库在{where} 存放的不是当时入树的事件：现存 {stored}，当时入树 {sealed}。",
        "The database holds other events at {where} than were sealed there: {stored} is stored, {sealed} was sealed.",
    ),
    "row-missing": Word(
        "数据库缺少{where} 的记录，当时入树 {sealed}。",
        "The database has nothing at {where}; {sealed} was sealed there.",
    ),
    "log-ends-early": Word(
        "数据库提前结束：{where} 已入树而库中没有，当时入树 {sealed}。",
        "The database ends too early: what was sealed at {where} is not in it; {sealed} was sealed first there.",
    ),
    "rows-swapped": Word(
        "数据库{where} 与{other} 的记录互换了位置：现存 {stored}，当时入树 {sealed}。",
        "In the database {where} and {other} hold each other's entries: {stored} is stored, {sealed} was sealed.",
    ),
    "rows-renumbered": Word(
        "数据库自位置 {position} 起被重新编号：{cause}在{where} 的是当时入树于{moved} 的记录；"
        "位置 {position} 现存 {stored}，当时入树 {sealed}。",
        "From position {position} on the database was numbered anew: {cause}what stands at {where} was sealed at {moved};"
        " at position {position} {stored} is stored, {sealed} was sealed.",
    ),
    "unsigned-tail": Word(
        "{where} 只入树、未签名，与数据库矛盾：现存 {stored}，树中 {sealed}；没有签名能说明哪个是真。",
        "What is in the tree at {where} was never signed, and the database contradicts it: {stored} is stored, {sealed} is in"
        " the tree; nothing signed says which is right.",
    ),
    "entry-lost": Word(
        "{where} 已经签名，但数据库与文件中都没有。",
        "What was signed at {where} is neither in the database nor in the files.",
    ),
    "bundle-changed": Word(
        "条目文件 {path} 在{where} 被改动：现存 {stored}，当时入树 {sealed}。",
        "The entry bundle {path} was changed at {where}: it holds {stored}, {sealed} was sealed.",
    ),
    "bundle-missing": Word(
        "缺少条目文件（自 {path} 起），涉及{where}。",
        "Entry bundles are missing, from {path} on, of {where}.",
    ),
    "tile-changed": Word(
        "哈希块 {path} 在{where} 被改动：现存 {stored}，应为 {sealed}。",
        "The tile {path} was changed at {where}: it holds {stored}, the sealed entries give {sealed}.",
    ),
    "tile-missing": Word("缺少哈希块（自 {path} 起），涉及{where}。", "Tiles are missing, from {path} on, of {where}."),
    "tree-head": Word(
        "文件 {path} 所说的树头与树不符：现存 {stored}，应为 {sealed}。",
        "The file {path} is not the head of the tree: it says {stored}, the leaves give {sealed}.",
    ),
    "tree-behind": Word(
        "磁盘上的哈希树短于已签名的检查点，缺{where}。",
        "The tree on disk is shorter than what was signed; it lacks {where}.",
    ),
    "checkpoint-root": Word(
        "现存的任何数据都得不出已签名的根：此前各位置与签名相符，{where} 之间有改动；算得 {stored}，已签名 {sealed}。",
        "Nothing that is stored gives the signed root: all before is as it was signed, something at {where} is not;"
        " {stored} was computed, {sealed} was signed.",
    ),
    "checkpoint-unsound": Word(
        "{path} 中的检查点无效（大小 {position}）。", "A checkpoint in {path} is unsound (size {position})."
    ),
    "checkpoint-unknown": Word(
        "公布过大小 {position}、根 {stored} 的检查点，签名方的记录是 {sealed}：另有签名方，或签名方的记录被换回旧的。",
        "A checkpoint of size {position} with root {stored} was published; the signer remembers {sealed}:"
        " there is a second signer, or this one's memory was put back.",
    ),
    "checkpoint-unwitnessed": Word(
        "已公布的检查点（大小 {position}）没有部署所要求的见证。",
        "The published checkpoint (size {position}) lacks the witnesses that the deployment asks for.",
    ),
    "wholeness-differs": Word(
        "{where} 的事件所承诺的完整性，与现存日志重算的结果不符：算得 {stored}，承诺 {sealed}。",
        "The event at {where} binds the log to histories that are not those of the stored log:"
        " {stored} was computed, {sealed} was committed to.",
    ),
    "key-unannounced": Word(
        "签名方持有一把日志从未公告的密钥。",
        "The signer holds a key that the log never announced.",
    ),
    "key-not-held": Word(
        "{where} 公告的最新密钥不在签名方。",
        "The key that the log announced last, at {where}, is not the signer's.",
    ),
    "law-broken": Word("日志违反自身规则（{where}）。", "The log breaks a law of its own ({where})."),
}
"""What a finding of the tamper report says, with the places of its own; hashes are leaf hashes and roots in hexadecimal."""

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
    "N29": Word("处罚、问责、公布惩戒到位", "penalty, accountability and publicity in place"),
    "N30": Word("责令后拒不改正的处置", "what follows when an order is refused"),
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
    "one-selection": Word("请只用一种方式选定案件", "Say in one way which cases"),
    "span-of-days": Word("起止日期须成对、按先后", "A span of days has a first and a last, in this order"),
    "new-file": Word("文件已存在，不会覆盖", "There is such a file already, and nothing is written over"),
    "key-or-policy": Word("请给出公钥或见证策略，只用其一", "Name a key or a policy, one of the two"),
    "proof-file": Word("回执须连同证明文件核对", "A receipt is checked together with its proof file"),
    "pack-is-whole": Word("台账与事件不符，未制作", "A ledger does not follow from its events; nothing was packed"),
    "pack-size": Word("证据包超过 4 GiB", "A pack is smaller than 4 GiB"),
    "readable": Word("文件无法读取", "The file cannot be read"),
    "writable": Word("文件无法写入", "The file cannot be written"),
    "same-site": Word("请从本站的登录页提交", "Send this form from the sign-in page itself"),
    "evidence-empty": Word("文件是空的", "The file is empty"),
    "evidence-type": Word("不收这种文件", "This kind of file is not taken"),
    "evidence-size": Word("文件过大", "The file is too large"),
    "archive": Word("办公文档不可靠（加密、损坏或异常）", "The office file is unsound"),
    "evidence-is-there": Word("没有这份证据材料，或与所称不符", "There is no such evidence file, or it is another one"),
}
"""Why the doors refuse what was asked, by the `rule` of the error. Rules of other parts are shown as they are."""

Vocabulary = Mapping[str, Word]

COLUMN_WORDS: Mapping[tuple[str, str], Vocabulary] = {
    ("reception", "channel"): ENUMS[ReceptionChannel],
    ("reception", "stage"): ENUMS[ReceptionStage],
    ("reception", "class"): ENUMS[ComplaintClass],
    ("reception", "missing"): ENUMS[MissingItem],
    ("reception", "late_because"): ENUMS[LateReason],
    ("order", "kind"): ENUMS[OrderKind],
    ("referral", "kind"): ENUMS[ReferralKind],
    ("referral", "state"): ENUMS[ReferralState],
    ("referral", "supervision"): ENUMS[Level],
    ("referral", "conclusion"): ENUMS[Conclusion],
    ("backstop", "resort"): ENUMS[Resort],
    ("backstop", "state"): ENUMS[BackstopState],
    ("recovery", "resort"): ENUMS[Resort],
    ("custody", "holder_kind"): ENUMS[HolderKind],
    ("custody", "source"): ENUMS[MoneySource],
    ("call-list", "scope"): ENUMS[CallScope],
    ("duty", "duty"): ENUMS[CaseDuty],
    ("case", "proposed"): ENUMS[Outcome],
    ("case", "outcome"): ENUMS[Outcome],
    ("case", "transfer"): ENUMS[TransferState],
    ("claim", "answer"): ENUMS[Answer],
    ("project", "funding"): ENUMS[Funding],
    ("project", "industry"): ENUMS[Industry],
    ("project", "state"): ENUMS[ProjectState],
    ("safeguard", "safeguard"): ENUMS[Safeguard],
    ("permit-list", "kind"): ENUMS[ListKind],
    ("permit", "kind"): ENUMS[ListKind],
    ("evidence", "kind"): ENUMS[EvidenceKind],
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


HINDRANCES: Mapping[str, Word] = {
    "reverified": Word(
        "花名册复核后又有 {number} 条明细重新核定、合并或拆分",
        "{number} lines were determined again, merged or split since the roster was confirmed",
    ),
    "roster-unconfirmed": Word(
        "名册尚未申报完整并经另一人复核", "the roster is not declared complete and confirmed by another officer"
    ),
    "roster-changed": Word(
        "名册复核时为 {before} 条明细，现有 {number} 条",
        "the roster was confirmed with {before} lines and has {number} now",
    ),
    "undetermined": Word("{number} 条明细尚未核清", "{number} lines are not determined"),
    "owing": Word("{number} 条明细尚欠 {amount} 元", "{number} lines are owed {amount} yuan"),
    "disputed": Word("{amount} 元因争议移送", "{amount} yuan are referred as disputed"),
    "only-stated": Word("{amount} 元仅据称已付，没有凭证", "{amount} yuan are paid only as stated, without a document"),
    "contradicted": Word(
        "{number} 名农民工称未足额收到或未收到", "{number} workers say that they received less or nothing"
    ),
    "untold": Word("{number} 名农民工未被告知理由和救济途径", "{number} workers were not told ground and remedy"),
}
"""What keeps a case from being solved, with places for its figures."""


def reason(why: Reason) -> Word:
    """A reason why a case is not solved in both languages, with amounts in yuan."""
    figures = {"number": why.number, "before": why.before, "amount": yuan(why.amount)}
    return Word(*(text.format(**figures) for text in HINDRANCES[why.hindrance]))


CONDITIONS: Mapping[str, Word] = {
    "has-lines": Word("案件有欠薪明细", "the case has claim lines"),
    "roster-confirmed": Word(
        "名册已申报完整并经另一人复核", "its roster is declared complete, and confirmed by another officer"
    ),
    "roster-unchanged": Word("复核后明细没有增减", "no line came or went since the roster was confirmed"),
    "not-reverified": Word(
        "复核后没有明细重新核定、合并或拆分",
        "no line was determined again, merged or split since the roster was confirmed",
    ),
    "nothing-pending": Word("每条明细都已核清", "every line is determined, and nothing of it pending"),
    "determined": Word("已核清", "it is determined"),
    "nothing-owing": Word("没有余额", "nothing is owing"),
    "nothing-disputed": Word("没有因争议移送的金额", "nothing is referred as disputed"),
    "nothing-only-stated": Word("每笔支付都有凭证", "every payment has a document"),
    "nobody-contradicts": Word("没有农民工称未足额收到", "no worker says that they received less or nothing"),
    "everybody-told": Word(
        "核减为零的农民工都已告知理由和救济途径", "whoever is owed nothing was told ground and remedy"
    ),
    "everybody-named": Word("每条明细都有姓名", "every line is named"),
    "everybody-confirmed": Word("每名农民工都已确认到手", "every worker confirmed"),
    "closing-approved": Word("办结已由另一人批准", "its closing was approved by another officer"),
    "solved": Word("已解决", "it is solved"),
    "closed-as-paid": Word("以已付清或无欠薪办结", "it is closed as paid, or as no arrears"),
    "writing-off-recorded": Word("领导小组办公室已销账", "the leading-group office wrote it off"),
}
"""What each computed word asks for (`projections/explaining.py`)."""
