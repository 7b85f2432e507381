"""Follow-up ledger (回头看台账): one row a call list, with how far it has come (N26). Answers are the claim lines' own."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.claims.claim import Claim
from domain.entries import Recorded
from domain.follow_ups.call_list import CallList
from domain.vocabulary import Answer, CallScope
from projections.ledger import Column, Kind, Row, RowLedger, Title

_REACHED = (Answer.RECEIVED, Answer.LESS, Answer.NOT_RECEIVED)


class CallListRow(Row, frozen=True, kw_only=True):
    """A call list. Lines are counted once, whatever number of times somebody called."""

    call_list: str
    number: str
    case: str
    jurisdiction: str
    scope: CallScope
    caller: str
    drawn_on: datetime
    due: datetime | None = None
    claims: tuple[str, ...]
    tried: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    attempts: int = 0
    closed: bool = False


def _count(name: str, zh: str, en: str) -> Column:
    return Column(name, zh, en, Kind.INTEGER, lambda row: len(getattr(row, name)))


def _plain(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Column:
    return Column(name, zh, en, kind, lambda row: getattr(row, name))


call_list_ledger = RowLedger(
    "call-list",
    row=CallListRow,
    version=1,
    title=Title("回头看台账", "Follow-up ledger"),
    columns=(
        _plain("number", "编号", "Number"),
        _plain("call_list", "回访名单", "Call list"),
        _plain("case", "案件", "Case"),
        _plain("jurisdiction", "属地", "Jurisdiction"),
        Column("scope", "范围", "Scope", Kind.TEXT, lambda row: row.scope.value),
        _plain("caller", "回访人", "Caller"),
        _plain("drawn_on", "制表时间", "Drawn on", Kind.TIME),
        _plain("due", "期限", "Due", Kind.TIME),
        _count("claims", "应访", "To be asked"),
        _count("tried", "已拨打", "Tried"),
        _count("reached", "已接通", "Reached"),
        _count("contradicted", "称未足额", "Say that less arrived"),
        _plain("attempts", "拨打次数", "Attempts", Kind.INTEGER),
        _plain("closed", "已结束", "Closed", Kind.BOOLEAN),
    ),
    orders=("drawn_on", "due"),
    filters=("jurisdiction", "case", "caller", "closed"),
    search="number",
)


@call_list_ledger.on(CallList.Created)
def drawn(_: CallListRow | None, recorded: Recorded[CallList.Created]) -> CallListRow:
    """A list was drawn."""
    event = recorded.event
    return CallListRow(
        call_list=recorded.envelope.subject,
        number=event.number,
        case=event.case,
        jurisdiction=event.place,
        scope=event.scope,
        caller=event.caller,
        drawn_on=recorded.envelope.occurred,
        due=event.due,
        claims=event.claims,
    )


@call_list_ledger.on(CallList.HandedOver)
def handed_over(row: CallListRow | None, recorded: Recorded[CallList.HandedOver]) -> CallListRow | None:
    """Somebody else calls from now on."""
    return None if row is None else msgspec.structs.replace(row, caller=recorded.event.caller)


@call_list_ledger.on(CallList.Closed)
def closed(row: CallListRow | None, _: Recorded[CallList.Closed]) -> CallListRow | None:
    """Nobody is called from it any more."""
    return None if row is None else msgspec.structs.replace(row, closed=True)


def _list_of(recorded: Recorded[Claim.FollowedUp]) -> str | None:
    return recorded.event.call_list


@call_list_ledger.on(Claim.FollowedUp, key=_list_of)
def asked(row: CallListRow | None, recorded: Recorded[Claim.FollowedUp]) -> CallListRow | None:
    """A worker of the list was tried."""
    if row is None:
        return None
    claim, answer = recorded.envelope.subject, recorded.event.answer
    falls_short = answer in (Answer.LESS, Answer.NOT_RECEIVED)
    contradicted = tuple(each for each in row.contradicted if each != claim or answer is not Answer.RECEIVED)
    return msgspec.structs.replace(
        row,
        attempts=row.attempts + 1,
        tried=_with(row.tried, claim),
        reached=_with(row.reached, claim) if answer in _REACHED else row.reached,
        contradicted=_with(contradicted, claim) if falls_short else contradicted,
    )


def _with(claims: tuple[str, ...], claim: str) -> tuple[str, ...]:
    return claims if claim in claims else (*claims, claim)
