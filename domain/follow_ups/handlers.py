"""Commands about call lists: load, ask, commit. `now` plays the clock of a simulation."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Unpack

from domain.cases.file import CaseFile
from domain.claims.claim import Claim
from domain.follow_ups.call_list import CallList
from domain.recording import Outcome
from domain.repository import Command, Streams, decide_repeatably, open_once
from domain.streams import Provenance
from domain.vocabulary import CallScope


def call_list_id(origin: str, number: str) -> str:
    """The id of the call list with that number in that log: a number is taken once."""
    return f"call-list-{hashlib.sha256(f'{origin} {number}'.encode()).hexdigest()[:32]}"


def draw_call_list(
    streams: Streams,
    *,
    origin: str,
    case: str,
    number: str,
    scope: CallScope,
    caller: str,
    provenance: Provenance,
    size: int = 0,
    due: datetime | None = None,
    **sent: Unpack[Command],
) -> CallList:
    """Draws a call list over the named lines of a case; those whose worker said that something is missing are always on it.

    Raises:
        NotFoundError: there is no such case.
        RuleError: the number is taken, or `CallList.drawn` refuses.
    """
    file = CaseFile.load(streams, case)
    lines = {line for line, balance in file.balances.items() if balance.named and not balance.left}
    call_list = CallList.drawn(
        id=call_list_id(origin, number),
        case=case,
        place=file.case.jurisdiction,
        number=number,
        scope=scope,
        size=size,
        lines=lines,
        always={line for line in lines if file.balances[line].contradicted},
        caller=caller,
        dependent=file.dependent,
        due=due,
        provenance=provenance,
    )
    open_once(streams, call_list, "a call list", number, **sent)
    return call_list


def hand_call_list_over(
    streams: Streams, *, call_list: str, caller: str, reason: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Somebody else calls from now on. Raises NotFoundError; RuleError: see `CallList.hand_over`."""

    def once() -> Outcome:
        found = streams.get(CallList, call_list)
        dependent = CaseFile.load(streams, found.case).dependent
        found.hand_over(caller, reason, dependent, provenance)
        return streams.commit(found, **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def close_call_list(
    streams: Streams, *, call_list: str, provenance: Provenance, ground: str | None = None, **sent: Unpack[Command]
) -> Outcome:
    """Ends the calling. Raises NotFoundError; RuleError: see `CallList.close`."""

    def once() -> Outcome:
        found = streams.get(CallList, call_list)
        tried = {
            recorded.event.originator_id
            for recorded in CaseFile.load(streams, found.case).events
            if isinstance(recorded.event, Claim.FollowedUp) and recorded.event.call_list == call_list
        }
        found.close(len(set(found.claims) - tried), ground, provenance)
        return streams.commit(found, **sent)

    return decide_repeatably(streams, sent.get("command"), once)
