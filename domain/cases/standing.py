"""Where a case stands: the computed words of definitions.md, as pure functions of what was folded. Nobody can set one of them.

`Standing` sums the balances of a case's claim lines (never netting one worker's overpayment against another's arrears);
`Procedure` is how far the office's acts have come. The predicates below are the only place where the words are computed; guards,
ledgers and the board all call them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from domain.cases.duties import HeldDuty
from domain.claims.balance import Balance
from domain.money import Fen, yuan
from domain.vocabulary import CaseDuty, Outcome, RecheckResult


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the claim lines of a case. Amounts in fen."""

    lines: int = 0
    headcount: int = 0
    named: int = 0
    claimed: Fen = 0
    verified: Fen = 0
    rejected: Fen = 0
    withdrawn: Fen = 0
    disputed: Fen = 0
    waived: Fen = 0
    paid: Fen = 0
    stated_paid: Fen = 0
    living_aid: Fen = 0
    owing: Fen = 0
    overpaid: Fen = 0
    owing_lines: int = 0
    overpaid_lines: int = 0
    undetermined_lines: int = 0
    untold_lines: int = 0
    """Lines verified to nothing whose worker was not told ground and remedy."""
    confirmed_lines: int = 0
    contradicted_lines: int = 0
    reverified: int = 0
    """How often a line was determined again after it had been, or left: merged or split. It never falls; one more undoes *determined*."""
    instructed: Fen = 0
    """Ordered to be paid, and neither credited nor failed."""
    unreached_lines: int = 0
    """Lines whose worker was tried, and has not said anything that counts."""
    vanished_lines: int = 0
    shrunk: Fen = 0
    """By how much its source states less now than it once did."""


EMPTY = Standing()


def contribution(balance: Balance) -> Standing:
    """What one line adds to its case. One that has left adds only the money that still is on it, or was taken back from it."""
    if balance.left:
        return Standing(
            paid=balance.paid,
            stated_paid=balance.stated_paid,
            living_aid=balance.living_aid,
            owing=balance.owing,
            overpaid=balance.overpaid,
            owing_lines=int(balance.owing > 0),
            overpaid_lines=int(balance.overpaid > 0),
            reverified=max(1, balance.verifications),
            instructed=balance.instructed,
        )
    return Standing(
        lines=1,
        headcount=balance.headcount,
        named=int(balance.named),
        claimed=balance.claimed or 0,
        verified=balance.verified or 0,
        rejected=balance.rejected,
        withdrawn=balance.withdrawn,
        disputed=balance.disputed,
        waived=balance.waived,
        paid=balance.paid,
        stated_paid=balance.stated_paid,
        living_aid=balance.living_aid,
        owing=balance.owing,
        overpaid=balance.overpaid,
        owing_lines=int(balance.owing > 0),
        overpaid_lines=int(balance.overpaid > 0),
        undetermined_lines=int(not balance.determined or balance.pending != 0),
        untold_lines=int(balance.determined and balance.verified == 0 and not balance.told),
        confirmed_lines=int(balance.confirmed),
        contradicted_lines=int(balance.contradicted),
        reverified=max(0, balance.verifications - 1),
        instructed=balance.instructed,
        unreached_lines=int(balance.attempts > 0 and balance.answer is None),
        vanished_lines=int(balance.vanished),
        shrunk=balance.shrunk,
    )


_FIELDS = Standing.__struct_fields__


def plus(standing: Standing, old: Balance | None, new: Balance | None) -> Standing:
    """The standing after one of the case's lines went from `old` to `new` (None: the line was, or is, not there)."""
    before = EMPTY if old is None else contribution(old)
    now = EMPTY if new is None else contribution(new)
    return Standing(**{name: getattr(standing, name) + getattr(now, name) - getattr(before, name) for name in _FIELDS})


class TransferState(StrEnum):
    """How far handing a case over to somebody else has come."""

    SENT = "sent"
    ACCEPTED = "accepted"
    RETURNED = "returned"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer to somebody else. `place`: code, within this deployment; `case`: the receiver's, likewise."""

    to: str
    place: str | None = None
    state: TransferState = TransferState.SENT
    case: str | None = None


class Procedure(msgspec.Struct, frozen=True, kw_only=True):
    """How far the acts of the office have come with a case; folded from the case's own events."""

    roster_declared_by: str | None = None
    roster_confirmed: bool = False
    roster_lines: int = 0
    """Lines of the case when its roster was confirmed complete; one more opens the question again."""
    roster_reverified: int | None = None
    """How often lines had been determined again by then, where that was counted; one more opens the question again."""
    duties: tuple[HeldDuty, ...] = ()
    former_handlers: tuple[str, ...] = ()
    """Officers who once handled the case: they confirm nothing in it (definitions.md, *confirmed*)."""
    facts_verified_at: datetime | None = None
    reported_at: datetime | None = None
    deadline: datetime | None = None
    rechecked: RecheckResult | None = None
    sender_accepted: bool = False
    """Whether who handed it down accepted since the last proposal to close."""
    transfer: Transfer | None = None
    into: str | None = None
    """The case that it is, or was, proposed to be merged into."""
    proposed: Outcome | None = None
    proposed_by: str | None = None
    closed_as: Outcome | None = None
    closed_at: datetime | None = None
    written_off_at: datetime | None = None

    @property
    def handlers(self) -> frozenset[str]:
        """Officers who handle, or ever handled, the case."""
        present = {held.holder.officer for held in self.duties if held.duty is CaseDuty.HANDLER}
        return frozenset(officer for officer in present if officer is not None) | set(self.former_handlers)


NOT_BEGUN = Procedure()


def determined(procedure: Procedure, standing: Standing) -> bool:
    """核清: the roster is declared complete and confirmed by another officer, and nothing of any line is pending."""
    return (
        procedure.roster_confirmed
        and standing.lines > 0
        and standing.lines == procedure.roster_lines
        and procedure.roster_reverified in (None, standing.reverified)
        and standing.undetermined_lines == 0
    )


def solved(procedure: Procedure, standing: Standing) -> bool:
    """解决: determined, nothing owing, nothing disputed, every payment documented or better, nobody says otherwise; whoever is
    owed nothing was told ground and remedy."""
    return (
        determined(procedure, standing)
        and standing.owing == 0
        and standing.disputed == 0
        and standing.stated_paid == 0
        and standing.contradicted_lines == 0
        and standing.untold_lines == 0
    )


def closed(procedure: Procedure) -> bool:
    """办结: proposed and approved by a different officer, and not reopened."""
    return procedure.closed_as is not None


def closed_to_be_written_off(procedure: Procedure) -> bool:
    """Closed with an outcome that can be written off: paid, or no arrears."""
    return procedure.closed_as in (Outcome.PAID, Outcome.NO_ARREARS)


def written_off(procedure: Procedure, standing: Standing) -> bool:
    """销账: written off by the leading-group office, still closed so, and still solved. Losing *solved* returns the case by itself."""
    return procedure.written_off_at is not None and closed_to_be_written_off(procedure) and solved(procedure, standing)


def confirmed(standing: Standing) -> bool:
    """到手 for the whole case: every line named, and every worker confirmed."""
    return standing.lines > 0 and standing.named == standing.lines and standing.confirmed_lines == standing.lines


def leaves_the_count(procedure: Procedure) -> bool:
    """Merged, duplicate and transfer-accepted cases are not members of a board cell (definitions.md, *cleared*)."""
    return procedure.closed_as in (Outcome.MERGED, Outcome.TRANSFER_ACCEPTED)


class Hindrance(StrEnum):
    """What keeps a case from being solved."""

    ROSTER_UNCONFIRMED = "roster-unconfirmed"
    ROSTER_CHANGED = "roster-changed"
    REVERIFIED = "reverified"
    UNDETERMINED = "undetermined"
    OWING = "owing"
    DISPUTED = "disputed"
    ONLY_STATED = "only-stated"
    CONTRADICTED = "contradicted"
    UNTOLD = "untold"


class Reason(NamedTuple):
    """A hindrance with its figures. `number` is lines or workers, `before` lines of the confirmed roster, `amount` fen."""

    hindrance: Hindrance
    number: int = 0
    before: int = 0
    amount: Fen = 0

    def __str__(self) -> str:
        """A sentence for a refusal; doors say it in the reader's language (`api/words.py`)."""
        return _SENTENCES[self.hindrance].format(number=self.number, before=self.before, amount=yuan(self.amount))


_SENTENCES = {
    Hindrance.ROSTER_UNCONFIRMED: "the roster is not declared complete and confirmed by another officer",
    Hindrance.ROSTER_CHANGED: "the roster was confirmed with {before} lines and has {number} now",
    Hindrance.REVERIFIED: "{number} lines were determined again, merged or split since the roster was confirmed",
    Hindrance.UNDETERMINED: "{number} lines are not determined",
    Hindrance.OWING: "{number} lines are owed {amount} yuan",
    Hindrance.DISPUTED: "{amount} yuan are referred as disputed",
    Hindrance.ONLY_STATED: "{amount} yuan are paid only as stated, without a document",
    Hindrance.CONTRADICTED: "{number} workers say that they received less or nothing",
    Hindrance.UNTOLD: "{number} workers were not told ground and remedy",
}


def why_not_solved(procedure: Procedure, standing: Standing) -> list[Reason]:
    """What keeps a case from being solved; empty when it is solved."""
    reasons = []
    if not procedure.roster_confirmed:
        reasons.append(Reason(Hindrance.ROSTER_UNCONFIRMED))
    elif standing.lines != procedure.roster_lines:
        reasons.append(Reason(Hindrance.ROSTER_CHANGED, number=standing.lines, before=procedure.roster_lines))
    elif procedure.roster_reverified not in (None, standing.reverified):
        again = standing.reverified - (procedure.roster_reverified or 0)
        reasons.append(Reason(Hindrance.REVERIFIED, number=again))
    if standing.undetermined_lines:
        reasons.append(Reason(Hindrance.UNDETERMINED, number=standing.undetermined_lines))
    if standing.owing:
        reasons.append(Reason(Hindrance.OWING, number=standing.owing_lines, amount=standing.owing))
    if standing.disputed:
        reasons.append(Reason(Hindrance.DISPUTED, amount=standing.disputed))
    if standing.stated_paid:
        reasons.append(Reason(Hindrance.ONLY_STATED, amount=standing.stated_paid))
    if standing.contradicted_lines:
        reasons.append(Reason(Hindrance.CONTRADICTED, number=standing.contradicted_lines))
    if standing.untold_lines:
        reasons.append(Reason(Hindrance.UNTOLD, number=standing.untold_lines))
    return reasons
