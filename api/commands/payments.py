"""Commands about payments (clauses N22, N23): a list with its lines and control totals, what the bank says, allocation, grade of basis."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

from api.commands.cases import CASES
from api.commands.command import Noun, by_id
from api.commands.desk import Desk, claim_of
from api.commands.fields import Amount, Count, Kind, Label, Line, Positive
from api.commands.forms import Fact, Form
from api.words import Word
from domain.payments import handlers
from domain.payments.handlers import BankResult
from domain.payments.payment import Payment
from domain.streams import Basis
from domain.vocabulary import MoneySource, PaidTo, Purpose

PAYMENTS = Noun("payment", "payments", Word("支付", "Payment"), Payment, by_id(Payment, "payment"), ledger="payment")
_MONEY = Word("支付", "Money")


class PaidLine(Form):
    """A line of a list. Left blank, the line it pays is not known: it is unallocated, and listed."""

    claim: Annotated[Line | None, Label("明细", "Line", "明细号，对不上可不填", "its number; blank: matches none")] = (
        None
    )
    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
    paid_to: Annotated[PaidTo | None, Label("领取方式", "How it reached the worker")] = None
    headcount: Annotated[Count, Label("人数", "Workers")] = 1


class Pay(Fact):
    """Who paid, out of what, for what; the lines; and the totals as they were counted apart from them."""

    source: Annotated[MoneySource, Label("资金来源", "Source of money")]
    lines: Annotated[tuple[PaidLine, ...], Label("发放明细", "Lines")]
    total_lines: Annotated[Count | None, Label("应有笔数", "Lines, as counted")] = None
    total_amount: Annotated[
        Amount | None,
        Label(
            "应有合计（元）", "Total, as counted (yuan)", "与明细合计核对", "held against the lines", kind=Kind.MONEY
        ),
    ] = None
    purpose: Annotated[Purpose, Label("用途", "Purpose")] = Purpose.WAGE
    payer: Annotated[Line | None, Label("付款方", "Payer")] = None
    instrument: Annotated[Line | None, Label("支付方式", "Instrument")] = None
    voucher: Annotated[Line | None, Label("凭证号", "Voucher")] = None
    backstop: Annotated[Line | None, Label("由兜底支付", "Out of the backstop", "兜底编号", "its number")] = None
    holder: Annotated[Line | None, Label("兜底股东", "Its holder")] = None

    def totals(self) -> handlers.Totals | None:
        """The control totals; a total that was not counted is the lines' own."""
        if self.total_lines is None and self.total_amount is None:
            return None
        lines = len(self.lines) if self.total_lines is None else self.total_lines
        amount = sum(line.amount for line in self.lines) if self.total_amount is None else self.total_amount
        return handlers.Totals(lines, amount)

    def paid(self, case: str) -> list[handlers.PaidLine]:
        """The lines, matched to claims by their numbers."""
        return [
            handlers.PaidLine(
                None if line.claim is None else claim_of(case, line.claim), line.amount, line.headcount, line.paid_to
            )
            for line in self.lines
        ]


def _record(desk: Desk, case: str, form: Pay, *, instructed: bool) -> None:
    from api.commands.backstops import BACKSTOPS

    drawn = None if form.backstop is None else handlers.DrawnOn(BACKSTOPS.resolve(desk, form.backstop), form.holder)
    evidence = desk.files(form.evidence)
    handlers.record_payment(
        desk.streams,
        case=case,
        id=handlers.payment_id(case, form.voucher or str(uuid4())),
        header=handlers.Header(
            source=form.source,
            purpose=form.purpose,
            payer=form.payer,
            instrument=form.instrument,
            voucher=form.voucher,
            evidence=evidence,
        ),
        lines=form.paid(case),
        totals=form.totals(),
        drawn_on=drawn,
        instructed=instructed,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


@CASES.command("pay", Word("登记支付", "Record a payment"), clause="N23", group=_MONEY)
def pay(desk: Desk, case: str, form: Pay) -> None:
    """Records a payment with its lines, all of them or none. Money to a foreman, an agent or a custody account is custody instead."""
    _record(desk, case, form, instructed=False)


@CASES.command("instruct", Word("登记支付指令", "Record an instruction to pay"), clause="N23", group=_MONEY)
def instruct(desk: Desk, case: str, form: Pay) -> None:
    """Records that lines were ordered to be paid: they discharge nothing until the bank says that they were credited."""
    _record(desk, case, form, instructed=True)


class BankRow(Form):
    """What the bank says of a line of the payment."""

    line: Annotated[Count, Label("笔号", "Line of the payment")]
    result: Annotated[BankResult, Label("结果", "Result")]
    amount: Annotated[Positive | None, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)] = None
    reason: Annotated[Line | None, Label("原因", "Reason")] = None


class BankReturn(Fact):
    """A bank's return file, row by row."""

    rows: Annotated[tuple[BankRow, ...], Label("回盘明细", "Rows", layouts=True)]


@PAYMENTS.command(
    "bank-return", Word("登记银行回盘", "Record a bank's return file"), clause="definitions: grade of basis"
)
def bank_return(desk: Desk, payment: str, form: BankReturn) -> None:
    """Records what the bank says of the lines: credited, failed, returned. Its word is bank-confirmed."""
    handlers.apply_bank_return(
        desk.streams,
        payment=payment,
        outcomes=[handlers.BankOutcome(r.line, r.result, r.amount, r.reason or "") for r in form.rows],
        file=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Credit(Fact):
    """Which instructed lines; none named: all that wait."""

    lines: Annotated[tuple[Count, ...], Label("笔号", "Lines of the payment", kind=Kind.LINES)] = ()
    paid_to: Annotated[PaidTo | None, Label("领取方式", "How it reached the worker")] = None


@PAYMENTS.command("credit", Word("登记到账", "Record that lines were credited"), clause="definitions: paid")
def credit(desk: Desk, payment: str, form: Credit) -> None:
    """Records that instructed lines reached their workers, where no file of the bank says so."""
    handlers.carry_out_lines(
        desk.streams,
        payment=payment,
        lines=list(form.lines),
        paid_to=form.paid_to,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class GiveBack(Fact):
    """Which line, how much of it, and why."""

    line: Annotated[Count, Label("笔号", "Line of the payment")]
    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
    reason: Annotated[Line, Label("原因", "Reason")]
    by_bank: Annotated[bool, Label("银行退回", "Returned by the bank")] = False


@PAYMENTS.command("give-back", Word("登记退回冲销", "Record a return or reversal"), clause="definitions: paid")
def give_back(desk: Desk, payment: str, form: GiveBack) -> None:
    """Records that a credited line, or a part of it, was returned by the bank or reversed."""
    handlers.give_back(
        desk.streams,
        payment=payment,
        line=form.line,
        amount=form.amount,
        reason=form.reason,
        by_bank=form.by_bank,
        provenance=desk.provenance(form, "N26"),
        **desk.sent,
    )


class Regrade(Fact):
    """Which lines; none named: all that were credited."""

    lines: Annotated[tuple[Count, ...], Label("笔号", "Lines of the payment", kind=Kind.LINES)] = ()


@PAYMENTS.command("evidence", Word("补充支付凭证", "Prove lines"), clause="definitions: grade of basis")
def evidence(desk: Desk, payment: str, form: Regrade) -> None:
    """Records a better basis for lines, with what proves it."""
    handlers.evidence_lines(
        desk.streams,
        payment=payment,
        lines=list(form.lines),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N26", form.basis or Basis.DOCUMENTED),
        **desk.sent,
    )


@PAYMENTS.command("refute", Word("否定支付凭证", "Refute what proved lines"), clause="definitions: grade of basis")
def refute(desk: Desk, payment: str, form: Regrade) -> None:
    """Records that what proved lines does not: their grade falls back to *stated*, and the case is not solved."""
    handlers.refute_lines(
        desk.streams,
        payment=payment,
        lines=list(form.lines),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N26"),
        **desk.sent,
    )


class Allocate(Fact):
    """Which line counts for which claim."""

    line: Annotated[Count, Label("笔号", "Line of the payment")]
    claim: Annotated[Line | None, Label("明细", "Claim line", "不填即不对应", "blank: for none")] = None
    amount: Annotated[
        Positive | None, Label("金额（元）", "Amount (yuan)", "不填即全部", "blank: all of it", kind=Kind.MONEY)
    ] = None
    reason: Annotated[Line, Label("理由", "Reason")]


@PAYMENTS.command("allocate", Word("对应明细", "Allocate a line"), clause="definitions: facts are recorded")
def allocate(desk: Desk, payment: str, form: Allocate) -> None:
    """Says which claim line a credited line counts for; until then it is unallocated."""
    case = desk.streams.get(Payment, payment).case
    handlers.allocate_line(
        desk.streams,
        payment=payment,
        line=form.line,
        claim=None if form.claim is None else claim_of(case, form.claim),
        amount=form.amount,
        reason=form.reason,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )
