"""Discrepancies (疑点台账): every rule with a name, over the row of one case. A row stands here for as long as its rule holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.cases.standing import TransferState, closed, solved
from domain.money import Fen
from domain.vocabulary import CaseClass
from projections.case_ledger import CaseRow, case_ledger
from projections.ledger import Column, DerivedLedger, Kind, Row, Title


class DiscrepancyRow(Row, frozen=True, kw_only=True):
    """Something about a case that does not agree. `amount`: the fen in question, where there are any."""

    kind: str
    case: str
    number: str
    jurisdiction: str
    debtor: str | None = None
    received: datetime
    amount: Fen = 0
    clause: str


_YES = frozenset({"是", "已销账", "yes", "y", "true", "1"})
"""Words of a source that say *written off*."""


@dataclass(frozen=True)
class Rule:
    """A kind of discrepancy: when it holds (the amount in question, or None), and the clause or definition it rests on."""

    name: str
    title: Title
    clause: str
    holds: Callable[[CaseRow], Fen | None]


def _when(
    condition: Callable[[CaseRow], bool], amount: Callable[[CaseRow], Fen] = lambda _: 0
) -> Callable[[CaseRow], Fen | None]:
    return lambda row: amount(row) if condition(row) else None


def _stated_balance_differs(row: CaseRow) -> Fen | None:
    if row.source is None or row.source.outstanding is None:
        return None
    difference = (row.standing.owing - row.standing.overpaid) - row.source.outstanding
    return abs(difference) if difference else None


RULES: tuple[Rule, ...] = (
    Rule(
        "closed-but-owing",
        Title("称已办结仍欠薪", "Stated closed, but owing"),
        "N27",
        _when(lambda row: row.stated_closed and row.standing.owing > 0, lambda row: row.standing.owing),
    ),
    Rule(
        "overpaid",
        Title("已付多于应付", "Paid more than owed"),
        "definitions: owing",
        _when(lambda row: row.standing.overpaid > 0, lambda row: row.standing.overpaid),
    ),
    Rule(
        "closed-without-evidence",
        Title("称已办结但支付无凭证", "Stated closed without evidence of payment"),
        "N26",
        _when(lambda row: row.stated_closed and row.standing.stated_paid > 0, lambda row: row.standing.stated_paid),
    ),
    Rule(
        "written-off-as-stated-but-unsolved",
        Title("来源称已销账但未解决", "Stated written off, but not solved"),
        "N27",
        _when(
            lambda row: (
                row.source is not None
                and row.source.written_off is not None
                and row.source.written_off.strip().lower() in _YES
                and not solved(row.procedure, row.standing)
            ),
            lambda row: row.standing.owing,
        ),
    ),
    Rule(
        "settled-but-open",
        Title("已无余额仍未办结", "Nothing owing, but not closed"),
        "N12",
        _when(
            lambda row: (
                row.standing.verified > 0
                and row.standing.owing == 0
                and not row.stated_closed
                and not closed(row.procedure)
            )
        ),
    ),
    Rule(
        "solved-no-longer",
        Title("办结后又欠薪", "Closed as paid, but no longer solved"),
        "N26",
        _when(
            lambda row: row.procedure.closed_as in ("paid", "no-arrears") and not solved(row.procedure, row.standing),
            lambda row: row.standing.owing,
        ),
    ),
    Rule(
        "worker-says-less",
        Title("农民工称未足额到手", "A worker says that less arrived"),
        "N26",
        _when(lambda row: row.standing.contradicted_lines > 0),
    ),
    Rule(
        "balance-differs",
        Title("余额与来源所称不符", "Balance differs from the one stated"),
        "definitions: owing",
        _stated_balance_differs,
    ),
    Rule(
        "vanished",
        Title("从账册中消失", "Vanished from its book"),
        "N20",
        _when(lambda row: row.vanished, lambda row: row.standing.owing),
    ),
    Rule(
        "line-vanished",
        Title("明细从账册中消失", "A claim line vanished from its book"),
        "N20",
        _when(lambda row: row.standing.vanished_lines > 0),
    ),
    Rule(
        "shrunk",
        Title("账册所称金额变小", "Its book states less than it once did"),
        "N20",
        _when(lambda row: row.standing.shrunk > 0, lambda row: row.standing.shrunk),
    ),
    Rule(
        "closed-without-sender",
        Title("转办案件未经转办机关同意办结", "Handed down, and closed without the sender's acceptance"),
        "N24",
        _when(
            lambda row: (
                CaseClass.HANDED_DOWN in row.particulars.classes
                and closed(row.procedure)
                and not row.procedure.sender_accepted
            )
        ),
    ),
    Rule(
        "transfer-accepted-open",
        Title("移送已被接收仍未办结", "Taken over by another place, but not closed"),
        "definitions: closed",
        _when(
            lambda row: (
                row.procedure.transfer is not None
                and row.procedure.transfer.state is TransferState.ACCEPTED
                and not closed(row.procedure)
            )
        ),
    ),
    Rule(
        "disputed-without-referral",
        Title("争议未移送裁决", "Disputed, and referred to nobody who decides it"),
        "definitions: determined",
        _when(lambda row: row.standing.disputed > 0 and row.disputes_referred == 0, lambda row: row.standing.disputed),
    ),
    Rule(
        "custody-overdrawn",
        Title("托管款发放多于收取", "More passed on from custody than was taken"),
        "definitions: payment",
        _when(lambda row: row.custody_overdrawn > 0, lambda row: row.custody_overdrawn),
    ),
    Rule(
        "closed-with-custody",
        Title("办结仍有托管款未发放", "Closed as paid, and money still in custody"),
        "N26",
        _when(lambda row: row.procedure.closed_as == "paid" and row.custody > 0, lambda row: row.custody),
    ),
    Rule(
        "unallocated-payment",
        Title("支付对应不到明细", "Paid to the case, but to no claim line"),
        "definitions: facts are recorded",
        _when(lambda row: row.unallocated != 0, lambda row: row.unallocated),
    ),
)
RULE_BY_NAME: Mapping[str, Rule] = {rule.name: rule for rule in RULES}


def discrepancies_of(row: CaseRow) -> Mapping[str, DiscrepancyRow]:
    """The discrepancies of one case, by key (`case/rule`)."""
    found = {}
    for rule in RULES:
        amount = rule.holds(row)
        if amount is not None:
            found[f"{row.case}/{rule.name}"] = DiscrepancyRow(
                kind=rule.name,
                case=row.case,
                number=row.number,
                jurisdiction=row.particulars.jurisdiction,
                debtor=row.particulars.debtor,
                received=row.particulars.received,
                amount=amount,
                clause=rule.clause,
            )
    return found


discrepancy_ledger = DerivedLedger(
    "discrepancy",
    row=DiscrepancyRow,
    version=2,
    title=Title("疑点台账", "Discrepancies"),
    columns=(
        Column("kind", "疑点", "Kind", Kind.TEXT, lambda row: row.kind),
        Column("number", "案件编号", "Case number", Kind.TEXT, lambda row: row.number),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: row.case),
        Column("jurisdiction", "属地", "Jurisdiction", Kind.TEXT, lambda row: row.jurisdiction),
        Column("debtor", "欠薪单位", "Debtor", Kind.TEXT, lambda row: row.debtor),
        Column("received", "接报时间", "Received", Kind.TIME, lambda row: row.received),
        Column("amount", "涉及金额", "Amount in question", Kind.MONEY, lambda row: row.amount),
        Column("clause", "条款", "Clause", Kind.TEXT, lambda row: row.clause),
    ),
    orders=("amount", "received"),
    filters=("jurisdiction", "kind", "case"),
    search="number",
    source=case_ledger,
    derive=discrepancies_of,
)
