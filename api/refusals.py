"""Why the domain refuses an act, in a few words of both languages, by the rule that the refusal names.

The sentence of the error itself bears the figures; this is what stands above it on a page. A test holds that every rule has words.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.words import Word

REFUSALS: Mapping[str, Word] = {
    # Complaints
    "accepted-is-arrears": Word("已受理入案的投诉只能是欠薪", "A complaint in a case is wage arrears"),
    "accepted-not-refused": Word("已受理入案，不能再不予受理", "What is accepted is not refused"),
    "accepted-once": Word("已在该案中", "It is in that case already"),
    "arrears-are-accepted": Word("须先分类为欠薪才能受理入案", "Only what is classified as wage arrears is accepted"),
    "arrears-are-handled": Word("欠薪投诉须入案办理或书面不予受理", "Wage arrears are handled, or refused in writing"),
    "channel-and-remedy": Word("须告知渠道和救济途径", "Advice names channel and remedy"),
    "classified-after-received": Word("分类不能早于接报", "It is classified after it was received"),
    "classified-anew-differs": Word("已是这一分类", "It is classified so already"),
    "classified-before-answered": Word("须先分类", "It must be classified first"),
    "department-named": Word("须写明主管部门", "The department must be named"),
    "ground-given": Word("须写明依据", "The ground must be given"),
    "handed-to-another": Word("交接须给另一人", "It is handed to somebody else"),
    "in-writing": Word("不予受理须有书面文书", "A refusal is in writing"),
    "joined-after-accepted": Word("须先受理入案", "It must be accepted first"),
    "place-named": Word("须写明属地", "The place must be named"),
    "refused-once": Word("已不予受理", "It is refused already"),
    "return-names-what-is-missing": Word("退回须写明缺少什么", "A return names what is missing"),
    "returned-before-decided": Word("已受理或不予受理，不能退回补正", "It is decided already and not returned"),
    "settled-anew-differs": Word("已如此认定", "It is settled so already"),
    "time-to-complete": Word("补正须留有时间", "Time is needed to bring what is missing"),
    "told-when-and-how": Word("须写明何时、如何告知", "When and how somebody was told must be said"),
    "two-complaints": Word("不能与自身重复", "A complaint is no duplicate of itself"),
    "withdrawn-by-own-statement": Word("撤回须有本人陈述为证", "A withdrawal needs the worker's own statement"),
    "withdrawn-once": Word("已撤回", "It is withdrawn already"),
    # Cases and claim lines
    "claim-adds-up": Word("核实、核减、撤回、争议之和须等于反映金额", "The parts must add up to what is claimed"),
    "closed-once": Word("已办结", "It is closed already"),
    "no-arrears-means-none": Word("有核实欠薪，不能按无欠薪办结", "It was verified to owe something"),
    "rejection-has-ground": Word("核减须有依据", "A rejection bears its ground"),
    "reopen-closed": Word("未办结，无须重新办理", "Only what is closed is reopened"),
    "roster-has-lines": Word("花名册为空", "The roster has no line"),
    "roster-unchanged": Word("申报后花名册已变化", "The roster has changed since it was declared"),
    "two-officers": Word("须由另一人决定", "A second, different officer decides"),
    "unsolved-not-closed": Word("欠薪问题不解决不办结、不销账", "Not solved: not closed, not written off"),
    "written-off-when-closed": Word("须先按已付或无欠薪办结", "It must be closed as paid or without arrears first"),
    # Orders, referrals, backstops
    "another-place": Word("须移送给另一地", "It goes to another place"),
    "backstop-alive": Word("兜底已终止或未获同意", "The backstop has ended or was refused"),
    "decided-once": Word("已作决定", "It is decided already"),
    "due-ahead": Word("期限须在将来", "The due date lies ahead"),
    "escalation-upwards": Word("只能逐级上报", "It is escalated upwards only"),
    "give-up-within-balance": Word("核销不能超过追偿余额", "No more is given up than has to come back"),
    "group-named": Word("须写明上级集团", "The parent group must be named"),
    "group-resort": Word("只有国企集团兜底才由集团督办", "Only a parent group's backstop is supervised by it"),
    "heard-first": Word("须先听取陈述申辩", "The addressee is heard first"),
    "limit-ahead": Word("兜底期限须在将来", "The backstop's due date lies ahead"),
    "limit-within-request": Word("批准不能超过申请", "No more is approved than was asked"),
    "lines-of-the-case": Word("所列明细须属于本案", "The lines must be the case's own"),
    "number-once": Word("编号已被使用", "The number is taken"),
    "order-cites-law": Word("文书须写明法律依据", "An order cites its law"),
    "order-has-addressee": Word("文书须写明对象", "An order has an addressee"),
    "order-in-force": Word("文书已撤销或被替代", "The order is withdrawn or replaced"),
    "package-complete": Word("移送材料不全", "The package is not complete"),
    "payment-order-has-sum": Word("限期支付须写明金额和期限", "An order to pay names sum and day"),
    "reconsider-refusal": Word("只有被拒绝的移送才能申请复议", "Only a refusal is reconsidered"),
    "recovery-has-debtor": Word("追偿须写明对象", "A recovery has a debtor"),
    "recovery-within-paid": Word("追偿不能超过已垫付", "No more is recovered than was paid"),
    "referral-cites-clause": Word("移送须写明条款", "A referral cites its clause"),
    "referral-has-addressee": Word("移送须写明对象", "A referral has an addressee"),
    "replaced-within-case": Word("只能由本案的文书替代", "It is replaced by an order of the same case"),
    "resort-explained": Word("跳过的兜底次序须说明", "Resorts passed over are explained"),
    "shares-make-whole": Word("股比合计须为 100%", "Shares make 100 %"),
    "sum-positive": Word("金额须大于零", "The sum is more than nothing"),
    "team-of-two": Word("须由两名以上人员办理", "Two officers at least form the team"),
    "transfer-names-lines": Word("移送须写明涉及的明细", "The lines concerned must be named"),
    # Projects
    "chain-is-a-tree": Word("承包链不能成环", "The chain of contractors has no circle"),
    "party-is-somebody": Word("参建单位须写明名称", "A party is somebody"),
    "party-known": Word("没有这个参建单位", "There is no such party"),
    "project-once": Word("项目编号已被使用", "The project's number is taken"),
    "showing-known": Word("没有这条保障证明", "There is no such showing"),
    "row-length": Word("该行过长", "The row is too long"),
    # Officers, doors, log
    "thumbnail": Word("照片过大或已损坏，无法缩小显示", "It is too large or damaged, and not shown small"),
    "handle-once": Word("代号已被使用", "The short name is taken"),
    "token-is-issued": Word("没有这个令牌", "There is no such token"),
    "within-own-place": Word("只能办理本属地及下级的事项", "Officers act in their own place, or below it"),
    "late-has-reason": Word("获知一日后才录入的，须写明补录原因", "What is entered a day late needs a reason"),
    "not-in-the-future": Word("时间不能在将来", "It lies in the future"),
    "received-after-occurred": Word("获知不能早于发生", "It was received before it occurred"),
}
