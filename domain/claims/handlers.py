"""Commands about claim lines: load, ask, commit. `now` plays the clock of a simulation.

A batch is one commit: all of it or nothing. Lines are streams of their own, so two clerks who decide on different lines of one case
never conflict; a command is decided again after a conflict, from loading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Unpack

from domain.cases.case import Case
from domain.cases.file import CaseFile
from domain.claims.claim import Claim, Figures, WorkerSeen, claim_id
from domain.complaints.numbering import next_free
from domain.errors import NotFoundError, RuleError
from domain.money import Fen, yuan
from domain.payments.moving import credited_to, reallocate
from domain.recording import Outcome
from domain.repository import Command, Streams, act, decide_repeatably
from domain.sealing.personal import Sealed
from domain.streams import Provenance
from domain.vocabulary import Answer, ClaimKind, Evidence, FollowUpMethod, Told

MANY_TRIES = 40
"""How often taking the next free lines is tried: as many clerks as that may enter workers of one case at once."""


@dataclass(frozen=True)
class NewLine:
    """A line of a roster, its texts sealed."""

    kind: ClaimKind
    headcount: int
    figures: Figures
    worker: Sealed | None = None
    worker_id: Sealed | None = None
    phone: Sealed | None = None
    period_from: date | None = None
    period_to: date | None = None
    debtor: str | None = None
    seen: WorkerSeen | None = None


@dataclass(frozen=True)
class Decision:
    """How one line is determined. Amounts in fen."""

    claim: str
    verified: Fen
    rejected: Fen = 0
    withdrawn: Fen = 0
    disputed: Fen = 0
    ground: str | None = None
    told: Told | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Said:
    """One attempt to ask one worker, and the answer."""

    claim: str
    answer: Answer
    method: FollowUpMethod
    amount: Fen | None = None
    number_from: str | None = None
    note: Sealed | None = None


def add_lines(
    streams: Streams, *, case: str, lines: Sequence[NewLine], provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """States the lines of a roster under the next free numbers of the case. A fact: a late worker of a closed case is entered, too.

    Raises:
        NotFoundError: there is no such case.
        RuleError: there is no line.
    """
    if not lines:
        raise RuleError(
            "a roster without a line states nothing", rule="roster-has-lines", clause="definitions: claim line"
        )

    def once() -> Outcome:
        of = streams.get(Case, case)
        first = next_free(lambda number: streams.find(Claim, claim_id(case, str(number))) is not None)
        claims = stated(of, lines, first, provenance)
        return streams.commit(*claims, **sent)

    return decide_repeatably(streams, sent.get("command"), once, tries=MANY_TRIES)


def stated(case: Case, lines: Sequence[NewLine], first: int, provenance: Provenance) -> list[Claim]:
    """The streams of new lines, numbered from `first`."""
    claims = []
    for number, line in enumerate(lines, first):
        claim = Claim(
            id=claim_id(case.id, str(number)),
            case=case.id,
            place=case.jurisdiction,
            line=str(number),
            kind=line.kind,
            headcount=line.headcount,
            figures=line.figures,
            worker=line.worker,
            worker_id=line.worker_id,
            phone=line.phone,
            period_from=line.period_from,
            period_to=line.period_to,
            debtor=line.debtor or case.particulars.debtor,
            provenance=provenance,
        )
        if line.seen is not None:
            claim.describe(line.seen, provenance)
        claims.append(claim)
    return claims


def verify_lines(
    streams: Streams, *, case: str, decisions: Sequence[Decision], provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Determines lines of a case (核清), all of them or none.

    Raises:
        NotFoundError: there is no such line, or it is another case's.
        RuleError: see `Claim.verify`.
    """

    def ask(claims: dict[str, Claim]) -> None:
        for decision in decisions:
            claims[decision.claim].verify(
                verified=decision.verified,
                rejected=decision.rejected,
                withdrawn=decision.withdrawn,
                disputed=decision.disputed,
                ground=decision.ground,
                told=decision.told,
                evidence=decision.evidence,
                provenance=provenance,
            )

    return _on_lines(streams, case, [decision.claim for decision in decisions], ask, **sent)


def tell_workers(
    streams: Streams, *, case: str, claims: Sequence[str], told: Told, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Records that workers were told ground and remedy. Raises NotFoundError: no such line of the case."""

    def ask(found: dict[str, Claim]) -> None:
        for claim in claims:
            found[claim].tell(told, provenance)

    return _on_lines(streams, case, claims, ask, **sent)


def describe_worker(
    streams: Streams, *, claim: str, seen: WorkerSeen, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Records what is known of a worker who is not identified yet. Raises NotFoundError: no such line."""
    return act(streams, Claim, claim, lambda found: found.describe(seen, provenance), **sent)


def identify_worker(
    streams: Streams,
    *,
    claim: str,
    worker: Sealed,
    how: str,
    provenance: Provenance,
    worker_id: Sealed | None = None,
    phone: Sealed | None = None,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Says who the worker is. Raises NotFoundError; RuleError: see `Claim.identify`."""
    return act(
        streams,
        Claim,
        claim,
        lambda found: found.identify(worker, how, provenance, worker_id, phone, evidence),
        **sent,
    )


def waive(
    streams: Streams,
    *,
    claim: str,
    amount: Fen,
    ground: str,
    told: Told,
    evidence: tuple[Evidence, ...],
    provenance: Provenance,
    **sent: Unpack[Command],
) -> Outcome:
    """Records the worker's own signed waiver. Raises NotFoundError; RuleError: see `Claim.waive`."""

    def once() -> Outcome:
        case = streams.get(Claim, claim).case
        file = CaseFile.load(streams, case)
        line = file.claim(claim)
        line.waive(amount, file.balances[claim].owing, ground, told, evidence, provenance)
        return streams.commit(line, **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def refute_waiver(
    streams: Streams,
    *,
    claim: str,
    amount: Fen,
    ground: str,
    provenance: Provenance,
    evidence: tuple[Evidence, ...] = (),
    **sent: Unpack[Command],
) -> Outcome:
    """Records that a waiver was not the worker's own. Raises NotFoundError: no such line."""
    return act(streams, Claim, claim, lambda found: found.refute_waiver(amount, ground, provenance, evidence), **sent)


def merge_lines(
    streams: Streams, *, claim: str, into: str, ground: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Merges a line into another of its case; what was paid to it counts for the other from now on.

    Raises:
        NotFoundError: there is no such line, or the two are of different cases.
        RuleError: see `Claim.merge`; the other has left.
    """

    def once() -> Outcome:
        file = CaseFile.load(streams, streams.get(Claim, claim).case)
        line, other = file.claim(claim), file.claim(into)
        if other.left:
            raise RuleError(
                f"line {other.line} was merged or split itself", rule="line-has-left", clause="definitions: claim line"
            )
        line.merge(into, ground, provenance)
        moved = reallocate(file.payments.values(), claim, [(into, None)], ground, provenance)
        return streams.commit(line, *moved, **sent)

    return decide_repeatably(streams, sent.get("command"), once)


@dataclass(frozen=True)
class Part:
    """A part of a line that is split, and how much of what was paid to the line counts for it (fen)."""

    line: NewLine
    paid: Fen = 0


def split_line(
    streams: Streams, *, claim: str, parts: Sequence[Part], ground: str, provenance: Provenance, **sent: Unpack[Command]
) -> Outcome:
    """Replaces a line by its parts. What was paid to it is dealt out to them as told, in the order of paying.

    Raises:
        NotFoundError: there is no such line.
        RuleError: see `Claim.split`; the parts' paid amounts do not make what was paid to the line.
    """

    def once() -> Outcome:
        file = CaseFile.load(streams, streams.get(Claim, claim).case)
        line = file.claim(claim)
        first = next_free(lambda number: streams.find(Claim, claim_id(file.id, str(number))) is not None)
        made = stated(file.case, [part.line for part in parts], first, provenance)
        line.split(tuple(made), ground, provenance)
        paid, dealt = credited_to(file.payments.values(), claim), sum(part.paid for part in parts)
        if dealt != paid:
            raise RuleError(
                f"{yuan(paid)} yuan were paid to line {line.line}, and its parts name {yuan(dealt)}",
                rule="parts-make-the-paid",
                clause="definitions: claim line",
            )
        shares = [(part.id, each.paid) for part, each in zip(made, parts, strict=True)]
        moved = reallocate(file.payments.values(), claim, shares, ground, provenance)
        return streams.commit(line, *made, *moved, **sent)

    return decide_repeatably(streams, sent.get("command"), once, tries=MANY_TRIES)


def follow_up(
    streams: Streams,
    *,
    case: str,
    said: Sequence[Said],
    asker: str,
    provenance: Provenance,
    call_list: str | None = None,
    **sent: Unpack[Command],
) -> Outcome:
    """Records attempts to ask workers, and their answers; facts, whoever asked. Whether the asker is independent is recorded with them.

    Raises:
        NotFoundError: there is no such line of the case.
    """

    def once() -> Outcome:
        file = CaseFile.load(streams, case)
        independent = asker not in file.dependent
        changed: dict[str, Claim] = {}
        for each in said:
            line = changed.setdefault(each.claim, file.claim(each.claim))
            line.follow_up(
                each.answer,
                each.method,
                provenance,
                independent=independent,
                amount=each.amount,
                number_from=each.number_from,
                call_list=call_list,
                note=each.note,
            )
        return streams.commit(*changed.values(), **sent)

    return decide_repeatably(streams, sent.get("command"), once)


def _on_lines(
    streams: Streams,
    case: str,
    wanted: Sequence[str],
    ask: Callable[[dict[str, Claim]], None],
    **sent: Unpack[Command],
) -> Outcome:
    def once() -> Outcome:
        claims = {claim.id: claim for claim in streams.get_many(Claim, list(dict.fromkeys(wanted)))}
        for claim in wanted:
            if claim not in claims or claims[claim].case != case:
                raise NotFoundError(f"case {case} has no claim line {claim}")
        ask(claims)
        return streams.commit(*claims.values(), **sent)

    return decide_repeatably(streams, sent.get("command"), once)
