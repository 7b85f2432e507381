"""Commands about custody: money to a foreman, an agent or a custody account, and its passing on (definitions.md, *payment*)."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

from api.commands.cases import CASES
from api.commands.command import Noun, by_number
from api.commands.desk import Desk, claim_of
from api.commands.fields import Amount, Count, Kind, Label, Line, Positive
from api.commands.forms import Fact, Form
from api.words import Word
from domain.custody import handlers
from domain.custody.custody import Custody
from domain.payments.handlers import PaidLine, Totals, payment_id
from domain.vocabulary import HolderKind, MoneySource, PaidTo, Purpose

CUSTODIES = Noun(
    "custody",
    "custodies",
    Word("托管代领", "Custody"),
    Custody,
    by_number(Custody, handlers.custody_id, "custody"),
    ledger="custody",
)


class Take(Fact):
    """Who took how much for workers of the case, from whom."""

    number: Annotated[Line, Label("编号", "Number", "收据或凭证号", "of the receipt or voucher")]
    holder_kind: Annotated[HolderKind, Label("持有方", "Held by")]
    holder: Annotated[Line | None, Label("持有人姓名", "Holder's name", sealed=True)] = None
    account: Annotated[Line | None, Label("托管账户单位", "Keeper of the account")] = None
    payer: Annotated[Line | None, Label("付款方", "Payer")] = None
    source: Annotated[MoneySource, Label("资金来源", "Source of money")] = MoneySource.EMPLOYER
    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
    purpose: Annotated[Purpose, Label("用途", "Purpose")] = Purpose.WAGE


@CASES.command(
    "take-custody", Word("登记托管代领", "Record money in custody"), clause="N23", group=Word("支付", "Money")
)
def take(desk: Desk, case: str, form: Take) -> None:
    """Records that a foreman, an agent or a custody account took money for workers. It discharges nothing."""
    handlers.open_custody(
        desk.streams,
        origin=desk.origin,
        case=case,
        number=form.number,
        holder_kind=form.holder_kind,
        holder=desk.seal_given(handlers.custody_id(desk.origin, form.number), "holder", form.holder),
        account=form.account,
        payer=form.payer,
        source=form.source,
        purpose=form.purpose,
        amount=form.amount,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Authorise(Fact):
    """Whose authorisations."""

    claims: Annotated[tuple[Line, ...], Label("明细", "Lines", "每行一个明细号", "their numbers, one a line")]


@CUSTODIES.command("authorise", Word("登记工人授权", "Record authorisations"), clause="definitions: payment")
def authorise(desk: Desk, custody: str, form: Authorise) -> None:
    """Records that workers authorised the holder to take their money."""
    case = desk.streams.get(Custody, custody).case
    handlers.authorise(
        desk.streams,
        custody=custody,
        claims=[claim_of(case, said) for said in form.claims],
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class HandedOver(Form):
    """What one worker was handed."""

    claim: Annotated[Line, Label("明细", "Line", "明细号", "its number")]
    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]


class PassOn(Fact):
    """To which workers it was handed on, and whether the signed list is back."""

    lines: Annotated[tuple[HandedOver, ...], Label("发放明细", "Lines")]
    list_back: Annotated[
        bool, Label("签字表已收回", "The signed list is back", "附于证据材料", "attached to the evidence")
    ] = False
    total_lines: Annotated[Count | None, Label("应有笔数", "Lines, as counted")] = None
    total_amount: Annotated[Amount | None, Label("应有合计（元）", "Total, as counted (yuan)", kind=Kind.MONEY)] = None
    voucher: Annotated[Line | None, Label("凭证号", "Voucher")] = None


@CUSTODIES.command("pass-on", Word("登记托管款发放", "Record that it was passed on"), clause="definitions: payment")
def pass_on(desk: Desk, custody: str, form: PassOn) -> None:
    """Records that money in custody was handed on to workers. It counts as documented only where the worker had authorised the holder, and
    the signed list is back; else it is only stated."""
    case = desk.streams.get(Custody, custody).case
    amount = sum(line.amount for line in form.lines)
    counted = form.total_lines is not None or form.total_amount is not None
    totals = Totals(
        len(form.lines) if form.total_lines is None else form.total_lines,
        amount if form.total_amount is None else form.total_amount,
    )
    handlers.pass_on(
        desk.streams,
        custody=custody,
        payment=payment_id(case, form.voucher or str(uuid4())),
        lines=[PaidLine(claim_of(case, line.claim), line.amount, paid_to=PaidTo.HANDED_OVER) for line in form.lines],
        evidence=desk.files(form.evidence),
        list_back=form.list_back,
        voucher=form.voucher,
        totals=totals if counted else None,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class ListBack(Fact):
    """The signed list, and of which passing on it is."""

    payment: Annotated[Line | None, Label("支付", "Payment")] = None


@CUSTODIES.command("list-back", Word("登记收回签字表", "Record that the list is back"), clause="definitions: payment")
def list_back(desk: Desk, custody: str, form: ListBack) -> None:
    """Records that the list that workers signed came back to the office; proving the lines is a command of the payment."""
    handlers.bring_list_back(
        desk.streams,
        custody=custody,
        payment=form.payment,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Return(Fact):
    """How much went back to whom, and why."""

    amount: Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
    to: Annotated[Line, Label("退给", "To")]
    reason: Annotated[Line, Label("理由", "Reason")]


@CUSTODIES.command("give-back", Word("登记托管款退回", "Record that it went back"), clause="definitions: payment")
def give_back(desk: Desk, custody: str, form: Return) -> None:
    """Records that money in custody went back to who paid it, or elsewhere."""
    handlers.give_back(
        desk.streams,
        custody=custody,
        amount=form.amount,
        to=form.to,
        reason=form.reason,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )
