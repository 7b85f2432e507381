"""Commands about orders and notices (责令限期支付等文书, clauses N28 and N30)."""

from __future__ import annotations

from typing import Annotated

from api.commands.cases import CASES
from api.commands.command import Noun, by_number
from api.commands.desk import Desk, claim_of
from api.commands.fields import Amount, Kind, Label, Line, Moment, Prose
from api.commands.forms import Fact, Timed
from api.words import Word
from domain.orders import handlers
from domain.orders.order import Order
from domain.vocabulary import OrderKind, ServiceMethod

ORDERS = Noun(
    "order", "orders", Word("文书", "Order"), Order, by_number(Order, handlers.order_id, "order"), ledger="order"
)


class Issue(Fact):
    """What is ordered, of whom, by which law."""

    number: Annotated[Line, Label("文书号", "Number")]
    kind: Annotated[OrderKind, Label("种类", "Kind")]
    law: Annotated[Line, Label("法律依据", "Law")]
    against: Annotated[Line | None, Label("对象", "Against")] = None
    against_code: Annotated[Line | None, Label("统一社会信用代码", "Credit code")] = None
    person: Annotated[Line | None, Label("自然人对象", "Person", sealed=True)] = None
    amount: Annotated[Amount | None, Label("责令支付（元）", "Sum ordered (yuan)", kind=Kind.MONEY)] = None
    due: Annotated[Moment | None, Label("期限", "Due")] = None
    heard: Annotated[Moment | None, Label("听取陈述申辩", "Heard on")] = None
    claims: Annotated[tuple[Line, ...], Label("涉及明细", "Lines", "每行一个明细号", "their numbers, one a line")] = ()


@CASES.command("issue-order", Word("签发文书", "Issue an order"), clause="N30", group=Word("文书", "Orders"))
def issue(desk: Desk, case: str, form: Issue) -> None:
    """Issues an order or notice in the case: to pay within a limit, to rectify, to stop work, to appear, a penalty …"""
    handlers.issue_order(
        desk.streams,
        origin=desk.origin,
        case=case,
        number=form.number,
        kind=form.kind,
        law=form.law,
        against=form.against,
        against_code=form.against_code,
        person=desk.seal_given(handlers.order_id(desk.origin, form.number), "person", form.person),
        amount=form.amount,
        due=form.due,
        heard=form.heard,
        claims=tuple(claim_of(case, said) for said in form.claims),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N30"),
        **desk.sent,
    )


class Serve(Fact):
    """How and when it reached its addressee."""

    method: Annotated[ServiceMethod, Label("送达方式", "Method")]
    effective: Annotated[Moment | None, Label("生效时间", "Effective")] = None
    due: Annotated[Moment | None, Label("期限", "Due", "自送达起算的", "where it runs from service")] = None
    receiver: Annotated[Line | None, Label("签收人", "Receiver", sealed=True)] = None


@ORDERS.command("serve", Word("登记送达", "Record service"), clause="Judicial interpretation 2013-3, art. 4")
def serve(desk: Desk, order: str, form: Serve) -> None:
    """Records how an order was served; posting counts with a photo or recording only."""
    handlers.serve_order(
        desk.streams,
        order=order,
        method=form.method,
        effective=form.effective,
        due=form.due,
        receiver=desk.seal_given(order, "receiver", form.receiver),
        proof=desk.files(form.evidence),
        provenance=desk.provenance(form, "N30"),
        **desk.sent,
    )


class Words(Fact):
    """What was said."""

    words: Annotated[Prose | None, Label("所言", "Words", kind=Kind.PROSE, sealed=True)] = None


@ORDERS.command("receipt-refused", Word("登记拒收", "Record that receipt was refused"), clause="N30")
def receipt_refused(desk: Desk, order: str, form: Words) -> None:
    """Records that the addressee would not take it."""
    handlers.record_receipt_refused(
        desk.streams,
        order=order,
        words=desk.seal_given(order, "words", form.words),
        proof=desk.files(form.evidence),
        provenance=desk.provenance(form, "N30"),
        **desk.sent,
    )


class Comply(Fact):
    """How much was done; whether all of it."""

    amount: Annotated[Amount | None, Label("履行金额（元）", "Amount done (yuan)", kind=Kind.MONEY)] = None
    partly: Annotated[bool, Label("部分履行", "Only a part")] = False


@ORDERS.command("comply", Word("登记履行", "Record compliance"), clause="N30")
def comply(desk: Desk, order: str, form: Comply) -> None:
    """Records that what an order says was done, or a part of it."""
    record = handlers.record_part_compliance if form.partly else handlers.record_compliance
    record(
        desk.streams,
        order=order,
        amount=form.amount,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N30"),
        **desk.sent,
    )


class Ground(Fact):
    """Why."""

    ground: Annotated[Prose, Label("理由", "Ground", kind=Kind.PROSE, sealed=True)]


@ORDERS.command("refute-compliance", Word("否定履行", "Refute compliance"), clause="N30")
def refute_compliance(desk: Desk, order: str, form: Ground) -> None:
    """Records that what was recorded as done was not."""
    handlers.refute_compliance(
        desk.streams,
        order=order,
        ground=desk.seal(order, "ground", form.ground),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N30"),
        **desk.sent,
    )


@ORDERS.command("refuse", Word("登记拒不履行", "Record a refusal"), clause="N30")
def refuse(desk: Desk, order: str, form: Words) -> None:
    """Records that the addressee refuses to do what it says."""
    handlers.record_refusal(
        desk.streams,
        order=order,
        words=desk.seal_given(order, "words", form.words),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N30"),
        **desk.sent,
    )


class Withdraw(Timed):
    """Why."""

    ground: Annotated[Prose, Label("理由", "Ground", kind=Kind.PROSE, sealed=True)]


@ORDERS.command("withdraw", Word("撤销文书", "Withdraw"), clause="N30")
def withdraw(desk: Desk, order: str, form: Withdraw) -> None:
    """Takes an order back."""
    handlers.withdraw_order(
        desk.streams,
        order=order,
        ground=desk.seal(order, "ground", form.ground),
        provenance=desk.provenance(form, "N30"),
        **desk.sent,
    )


class Replace(Withdraw):
    """By which order, issued before, and why."""

    by: Annotated[Line, Label("替代文书号", "Replaced by")]


@ORDERS.command("replace", Word("替代文书", "Replace"), clause="N30")
def replace(desk: Desk, order: str, form: Replace) -> None:
    """Puts another order of the case in the place of this one."""
    handlers.replace_order(
        desk.streams,
        order=order,
        by=ORDERS.resolve(desk, form.by),
        ground=desk.seal(order, "ground", form.ground),
        provenance=desk.provenance(form, "N30"),
        **desk.sent,
    )
