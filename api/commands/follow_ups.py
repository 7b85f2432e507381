"""Commands about call lists (回头看, clause N26); answers are commands of the case."""

from __future__ import annotations

from typing import Annotated

from api.commands.cases import CASES
from api.commands.command import Noun, by_number
from api.commands.desk import Desk
from api.commands.fields import Count, Label, Line, Moment
from api.commands.forms import Timed
from api.words import Word
from domain.follow_ups import handlers
from domain.follow_ups.call_list import CallList
from domain.vocabulary import CallScope

CALL_LISTS = Noun(
    "call-list",
    "call-lists",
    Word("回访名单", "Call list"),
    CallList,
    by_number(CallList, handlers.call_list_id, "call list"),
    ledger="call-list",
)


class Draw(Timed):
    """Who is called, and by whom."""

    number: Annotated[Line, Label("编号", "Number")]
    scope: Annotated[CallScope, Label("范围", "Scope")] = CallScope.ALL
    size: Annotated[Count, Label("抽查人数", "Size of the sample")] = 0
    caller: Annotated[Line | None, Label("回访人", "Caller", "不填即本人", "left blank: oneself")] = None
    due: Annotated[Moment | None, Label("期限", "Due")] = None


@CASES.command(
    "draw-call-list", Word("制定回访名单", "Draw a call list"), clause="N26", group=Word("回头看", "Follow-up")
)
def draw(desk: Desk, case: str, form: Draw) -> None:
    """Draws whom to call, everybody or a sample that nobody chose; who handled the case or paid in it does not call."""
    handlers.draw_call_list(
        desk.streams,
        origin=desk.origin,
        case=case,
        number=form.number,
        scope=form.scope,
        size=form.size,
        caller=desk.officer.officer if form.caller is None else desk.officer_id(form.caller),
        due=form.due,
        provenance=desk.provenance(form, "N26"),
        **desk.sent,
    )


class HandOver(Timed):
    """To whom, and why."""

    caller: Annotated[Line, Label("接手人", "Caller", "代号", "short name")]
    reason: Annotated[Line, Label("理由", "Reason")]


@CALL_LISTS.command("hand-over", Word("回访名单交接", "Hand over"), clause="N26")
def hand_over(desk: Desk, call_list: str, form: HandOver) -> None:
    """Somebody else calls from now on; independent, too."""
    handlers.hand_call_list_over(
        desk.streams,
        call_list=call_list,
        caller=desk.officer_id(form.caller),
        reason=form.reason,
        provenance=desk.provenance(form, "N26"),
        **desk.sent,
    )


class Close(Timed):
    """Why workers were never tried, where some were not."""

    ground: Annotated[Line | None, Label("未拨打的原因", "Why some were never tried")] = None


@CALL_LISTS.command("close", Word("结束回访", "End the calling"), clause="N26")
def close(desk: Desk, call_list: str, form: Close) -> None:
    """Ends the calling; while workers were never tried it needs a reason."""
    handlers.close_call_list(
        desk.streams, call_list=call_list, ground=form.ground, provenance=desk.provenance(form, "N26"), **desk.sent
    )
