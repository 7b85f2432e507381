"""Commands about backstops and what they recover (兜底与追偿, clause N23)."""

from __future__ import annotations

from typing import Annotated

from api.commands.cases import CASES
from api.commands.command import Noun, by_number
from api.commands.desk import Desk
from api.commands.fields import Count, Kind, Label, Line, Moment, Positive, Prose
from api.commands.forms import Fact, Form, Timed
from api.words import Word
from domain.backstops import handlers
from domain.backstops.backstop import Backstop, PassedOver
from domain.backstops.shares import Holder
from domain.vocabulary import Resort

BACKSTOPS = Noun(
    "backstop",
    "backstops",
    Word("兜底", "Backstop"),
    Backstop,
    by_number(Backstop, handlers.backstop_id, "backstop"),
    ledger="backstop",
)
Money = Annotated[Positive, Label("金额（元）", "Amount (yuan)", kind=Kind.MONEY)]
Ground = Annotated[Prose, Label("理由", "Ground", kind=Kind.PROSE, sealed=True)]


class Passed(Form):
    """A resort that comes first and is not asked, and why."""

    resort: Annotated[Resort, Label("跳过的来源", "Resort")]
    explanation: Annotated[Line, Label("说明", "Why", sealed=True)]


class Request(Fact):
    """Of whom how much is asked, and why."""

    number: Annotated[Line, Label("编号", "Number")]
    resort: Annotated[Resort, Label("兜底来源", "Resort")]
    amount: Money
    ground: Ground
    payer: Annotated[Line | None, Label("出资方", "Payer")] = None
    passed: Annotated[tuple[Passed, ...], Label("跳过的次序", "Resorts passed over")] = ()


@CASES.command("request-backstop", Word("提请兜底", "Ask a backstop"), clause="N23", group=Word("兜底", "Backstops"))
def request(desk: Desk, case: str, form: Request) -> None:
    """Asks that somebody else pays what the debtor does not pay today; leaving the order of resort is explained."""
    stream = handlers.backstop_id(desk.origin, form.number)
    handlers.request_backstop(
        desk.streams,
        origin=desk.origin,
        case=case,
        number=form.number,
        resort=form.resort,
        amount=form.amount,
        ground=desk.seal(stream, "ground", form.ground),
        payer=form.payer,
        passed=tuple(
            PassedOver(resort=each.resort, explanation=desk.seal(stream, "explanation", each.explanation))
            for each in form.passed
        ),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Approve(Timed):
    """Up to how much, and until when."""

    limit: Annotated[Positive, Label("批准限额（元）", "Limit (yuan)", kind=Kind.MONEY)]
    due: Annotated[Moment, Label("期限", "Due")]
    document: Annotated[Line | None, Label("文号", "Document")] = None


@BACKSTOPS.command("approve", Word("批准兜底", "Approve"), clause="N23", insists=True)
def approve(desk: Desk, backstop: str, form: Approve) -> None:
    """A different officer approves, up to a limit and until a day."""
    handlers.approve_backstop(
        desk.streams,
        backstop=backstop,
        limit=form.limit,
        due=form.due,
        document=form.document,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Refuse(Timed):
    """Why."""

    ground: Ground
    document: Annotated[Line | None, Label("文号", "Document")] = None


@BACKSTOPS.command("refuse", Word("不同意兜底", "Refuse"), clause="N23", insists=True)
def refuse(desk: Desk, backstop: str, form: Refuse) -> None:
    """A different officer refuses."""
    handlers.refuse_backstop(
        desk.streams,
        backstop=backstop,
        ground=desk.seal(backstop, "ground", form.ground),
        document=form.document,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Share(Form):
    """A holder and its share."""

    name: Annotated[Line, Label("股东", "Holder")]
    share: Annotated[Count, Label("股比（万分之一）", "Share (basis points)")]


class Group(Timed):
    """The group, and who holds which part; all parts make 10,000 basis points."""

    group: Annotated[Line, Label("上级集团", "Parent group")]
    holders: Annotated[tuple[Share, ...], Label("股比", "Shares")]
    due: Annotated[Moment | None, Label("期限", "Due")] = None
    document: Annotated[Line | None, Label("文号", "Document")] = None


@BACKSTOPS.command("open-group-supervision", Word("上级集团督办", "Put the parent group in charge"), clause="N23")
def open_group_supervision(desk: Desk, backstop: str, form: Group) -> None:
    """The parent group supervises, and its holders cover the sum by their shares."""
    handlers.open_group_supervision(
        desk.streams,
        backstop=backstop,
        group=form.group,
        holders=tuple(Holder(name=each.name, share=each.share) for each in form.holders),
        due=form.due,
        document=form.document,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class End(Timed):
    """Why."""

    ground: Ground


@BACKSTOPS.command("end", Word("兜底终止", "End"), clause="N23")
def end(desk: Desk, backstop: str, form: End) -> None:
    """Nothing more is paid out of it; what was paid is still recovered."""
    handlers.end_backstop(
        desk.streams,
        backstop=backstop,
        ground=desk.seal(backstop, "ground", form.ground),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class PaymentReturned(Fact):
    """Of which payment how much went back."""

    payment: Annotated[Line, Label("支付", "Payment")]
    amount: Money
    holder: Annotated[Line | None, Label("股东", "Holder")] = None


@BACKSTOPS.command("payment-returned", Word("登记兜底资金退回", "Record that money went back"), clause="N23")
def payment_returned(desk: Desk, backstop: str, form: PaymentReturned) -> None:
    """Records that a part of a payment out of it went back."""
    handlers.record_backstop_payment_returned(
        desk.streams,
        backstop=backstop,
        payment=form.payment,
        amount=form.amount,
        holder=form.holder,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Recover(Timed):
    """From whom, how much, by when."""

    debtor: Annotated[Line, Label("追偿对象", "From whom")]
    amount: Money
    due: Annotated[Moment, Label("期限", "Due")]
    document: Annotated[Line | None, Label("文号", "Document")] = None


@BACKSTOPS.command("open-recovery", Word("启动追偿", "Ask it back"), clause="N23")
def open_recovery(desk: Desk, backstop: str, form: Recover) -> None:
    """Asks somebody to give back what was paid, by a day."""
    handlers.open_recovery(
        desk.streams,
        backstop=backstop,
        debtor=form.debtor,
        amount=form.amount,
        due=form.due,
        document=form.document,
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Received(Fact):
    """How much came back, from whom."""

    amount: Money
    debtor: Annotated[Line | None, Label("来自", "From")] = None


@BACKSTOPS.command("recovery-received", Word("登记追偿到账", "Record that money came back"), clause="N23")
def recovery_received(desk: Desk, backstop: str, form: Received) -> None:
    """Records that money came back."""
    handlers.record_recovery_received(
        desk.streams,
        backstop=backstop,
        amount=form.amount,
        debtor=form.debtor,
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class Reversed(Timed):
    """How much went away again, and why."""

    amount: Money
    ground: Ground


@BACKSTOPS.command("recovery-reversed", Word("登记追偿冲销", "Record that it went away again"), clause="N23")
def recovery_reversed(desk: Desk, backstop: str, form: Reversed) -> None:
    """Records that money which had come back went away again, or never came."""
    handlers.record_recovery_reversed(
        desk.streams,
        backstop=backstop,
        amount=form.amount,
        ground=desk.seal(backstop, "ground", form.ground),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


class GiveUp(Fact):
    """How much need not come back, and why."""

    amount: Money
    ground: Ground


@BACKSTOPS.command("propose-giving-up", Word("提请核销追偿", "Propose to give up"), clause="N23")
def propose_giving_up(desk: Desk, backstop: str, form: GiveUp) -> None:
    """Proposes to give up a part of what has to come back."""
    handlers.propose_giving_up(
        desk.streams,
        backstop=backstop,
        amount=form.amount,
        ground=desk.seal(backstop, "ground", form.ground),
        evidence=desk.files(form.evidence),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


@BACKSTOPS.command("refuse-giving-up", Word("不同意核销追偿", "Refuse to give up"), clause="N23", insists=True)
def refuse_giving_up(desk: Desk, backstop: str, form: End) -> None:
    """A different officer refuses."""
    handlers.refuse_giving_up(
        desk.streams,
        backstop=backstop,
        ground=desk.seal(backstop, "ground", form.ground),
        provenance=desk.provenance(form, "N23"),
        **desk.sent,
    )


@BACKSTOPS.command("give-up", Word("核销追偿", "Give up"), clause="N23", insists=True)
def give_up(desk: Desk, backstop: str, form: Timed) -> None:
    """A different officer approves: it need not come back."""
    handlers.give_up_recovery(desk.streams, backstop=backstop, provenance=desk.provenance(form, "N23"), **desk.sent)
