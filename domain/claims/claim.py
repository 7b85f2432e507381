"""A claim line is a stream of its own beside its case, so that two clerks who verify two workers never conflict (DECISIONS.md, 5).

A line is what one worker is owed for one period by one debtor, or an unnamed head-count: a book that states only sums. Facts are
recorded whatever they say; the acts (verify, waive, merge, split) are refused when their conditions do not hold. A line that was merged
into another one, or split into its parts, has *left*: nothing more is decided on it, and what still happens to it is recorded.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import NamedTuple

from eventsourcing.domain import event

from domain.errors import RuleError
from domain.money import Fen, yuan
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Shape, Stream
from domain.vocabulary import Answer, ClaimKind, Evidence, FollowUpMethod, Told

CLAIM_LINE = "definitions: claim line"


class Figures(Shape, frozen=True, kw_only=True):
    """What a source says of a line, in fen; a figure that the source does not give is absent, never zero."""

    claimed: Fen | None = None
    verified: Fen | None = None
    rejected: Fen | None = None
    gross: Fen | None = None
    drawn: Fen | None = None
    net: Fen | None = None


class WorkerSeen(Shape, frozen=True, kw_only=True):
    """What is known of a worker who is not identified yet; every text is sealed under the worker's own key."""

    nickname: Sealed | None = None
    crew: Sealed | None = None
    phone: Sealed | None = None
    hometown: Sealed | None = None
    note: Sealed | None = None


class Verdict(NamedTuple):
    """How a line was determined last. Amounts in fen."""

    verified: Fen
    rejected: Fen
    withdrawn: Fen
    disputed: Fen
    ground: str | None
    told: Told | None
    evidence: tuple[Evidence, ...]


class Waiver(NamedTuple):
    """What founded the last waiver of a line."""

    ground: str
    told: Told
    evidence: tuple[Evidence, ...]


def claim_id(case: str, line: str) -> str:
    """The id of the claim with that line of that case: two who enter the same line at once conflict."""
    text = "\x1f".join((case, line))
    return f"claim-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


class Claim(Stream):
    """One claim line."""

    TOPIC = "claim"

    class Event(Stream.Event):
        """Base of a claim line's events."""

    class Created(Event, Stream.Created):
        """A line was stated: by the worker, a list, or a source ledger."""

        TOPIC = "claim.stated.v1"
        case: str
        place: str
        """Code of the jurisdiction that answers for the case."""
        line: str
        """What tells this line from the others of its case in its source; stable over amended books."""
        kind: ClaimKind
        headcount: int
        """Workers that the line stands for: 1 for a named worker, 0 where the source does not say."""
        figures: Figures
        worker: Sealed | None
        worker_id: Sealed | None
        phone: Sealed | None
        period_from: date | None
        period_to: date | None
        debtor: str | None

    class Restated(Event):
        """The source gives other figures now. A correction: it bears the date of what it corrects."""

        TOPIC = "claim.restated.v1"
        figures: Figures
        headcount: int
        reason: str

    class WorkerDescribed(Event):
        """What is known of a worker who is not identified yet: nickname, crew, telephone."""

        TOPIC = "claim.worker-described.v1"
        seen: WorkerSeen

    class Identified(Event):
        """Who the worker is. Another person than before is a correction of identity: what the former answered is void."""

        TOPIC = "claim.identified.v1"
        worker: Sealed
        worker_id: Sealed | None
        phone: Sealed | None
        how: str
        evidence: tuple[Evidence, ...]

    class Verified(Event):
        """An officer determined the line: claimed = verified + rejected + withdrawn + referred as disputed."""

        TOPIC = "claim.verified.v1"
        verified: Fen
        rejected: Fen
        withdrawn: Fen
        disputed: Fen
        ground: str | None
        told: Told | None
        evidence: tuple[Evidence, ...]

    class ToldWorker(Event):
        """The worker was told ground and remedy."""

        TOPIC = "claim.worker-told.v1"
        told: Told

    class Waived(Event):
        """The worker gave up a part, by a statement that they signed themselves (definitions.md, *owing*)."""

        TOPIC = "claim.waived.v1"
        amount: Fen
        ground: str
        told: Told
        evidence: tuple[Evidence, ...]

    class WaiverRefuted(Event):
        """A waiver, or a part of one, was not the worker's own."""

        TOPIC = "claim.waiver-refuted.v1"
        amount: Fen
        ground: str
        evidence: tuple[Evidence, ...]

    class Merged(Event):
        """The line is the same as another one, or was carried over into another case: it leaves every sum."""

        TOPIC = "claim.merged.v1"
        into: str
        ground: str

    class Split(Event):
        """The line is replaced by its parts: it leaves every sum."""

        TOPIC = "claim.split.v1"
        into: tuple[str, ...]
        ground: str

    class FollowedUp(Event):
        """A worker was asked whether the money arrived (回头看, clause N26); `decidedby` is who asked."""

        TOPIC = "claim.followed-up.v2"
        answer: Answer
        amount: Fen | None
        method: FollowUpMethod
        independent: bool
        """Whether who asked is neither handler nor payer of the case, as of then."""
        number_from: str | None
        """Where the number that was called came from."""
        call_list: str | None
        said_method: str | None
        """What an earlier release recorded in place of `method`."""
        note: Sealed | None

    class VanishedFromBook(Event):
        """An amended book no longer holds the line. It stays claimed: nothing is deleted."""

        TOPIC = "claim.vanished-from-book.v1"
        book: str

    @event(Created)
    def __init__(
        self,
        id: str,
        case: str,
        place: str,
        line: str,
        kind: ClaimKind,
        headcount: int,
        figures: Figures,
        provenance: Provenance,
        worker: Sealed | None = None,
        worker_id: Sealed | None = None,
        phone: Sealed | None = None,
        period_from: date | None = None,
        period_to: date | None = None,
        debtor: str | None = None,
    ) -> None:
        self.case = case
        self.place = place
        self.line = line
        self.kind = kind
        self.headcount = headcount
        self.figures = figures
        self.worker = worker
        self.worker_id = worker_id
        self.phone = phone
        self.period = (period_from, period_to)
        self.debtor = debtor
        self.opened = provenance.occurred
        self.vanished = False
        self.left = False
        self.seen: WorkerSeen | None = None
        self.verdict: Verdict | None = None
        self.waived: Fen = 0
        self.last_waiver: Waiver | None = None

    @property
    def partitionkey(self) -> str:
        return self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    # Facts

    def restate(self, figures: Figures, headcount: int, reason: str, provenance: Provenance) -> None:
        """Records what the source says now."""
        self._restated(figures=figures, headcount=headcount, reason=reason, provenance=provenance)

    def describe(self, seen: WorkerSeen, provenance: Provenance) -> None:
        """Records what is known of a worker who is not identified yet; nothing when it is nothing new."""
        if seen not in (self.seen, WorkerSeen()):
            self._worker_described(seen=seen, provenance=provenance)

    def tell(self, told: Told, provenance: Provenance) -> None:
        """Records that the worker was told ground and remedy."""
        self.trigger_event(Claim.ToldWorker, told=told, provenance=provenance)

    def refute_waiver(
        self, amount: Fen, ground: str, provenance: Provenance, evidence: tuple[Evidence, ...] = ()
    ) -> None:
        """Records that a waiver, or a part of it, was not the worker's own."""
        self._waiver_refuted(amount=amount, ground=ground, evidence=evidence, provenance=provenance)

    def follow_up(
        self,
        answer: Answer,
        method: FollowUpMethod,
        provenance: Provenance,
        *,
        independent: bool,
        amount: Fen | None = None,
        number_from: str | None = None,
        call_list: str | None = None,
        note: Sealed | None = None,
    ) -> None:
        """Records an answer, or an attempt; a fact, never refused. Whether it confirms is computed (`balance.py`)."""
        self.trigger_event(
            Claim.FollowedUp,
            answer=answer,
            amount=amount,
            method=method,
            independent=independent,
            number_from=number_from,
            call_list=call_list,
            said_method=None,
            note=note,
            provenance=provenance,
        )

    def vanish(self, book: str, provenance: Provenance) -> None:
        """Records that an amended book no longer holds the line."""
        self._vanished_from_book(book=book, provenance=provenance)

    # Acts

    def identify(
        self,
        worker: Sealed,
        how: str,
        provenance: Provenance,
        worker_id: Sealed | None = None,
        phone: Sealed | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Says who the worker is.

        Raises:
            RuleError: the line stands for several workers, and is to be split first; or it has left.
        """
        self._refuse_if_left()
        if self.headcount > 1:
            raise RuleError(
                f"line {self.line} stands for {self.headcount} workers: split it, and identify its parts",
                rule="one-worker-identified",
                clause=CLAIM_LINE,
            )
        self._identified(
            worker=worker, worker_id=worker_id, phone=phone, how=how, evidence=evidence, provenance=provenance
        )

    def verify(
        self,
        *,
        verified: Fen,
        provenance: Provenance,
        rejected: Fen = 0,
        withdrawn: Fen = 0,
        disputed: Fen = 0,
        ground: str | None = None,
        told: Told | None = None,
        evidence: tuple[Evidence, ...] = (),
    ) -> None:
        """Determines the line (核清).

        A reduction of what was verified before, or of what the source calls verified, is a rejection by another name.

        Raises:
            RuleError: it has left; the parts do not add up to what is claimed; a rejection or reduction bears no ground, or does not say
                when and how the worker was told; something is withdrawn without the worker's own statement.
        """
        self._refuse_if_left()
        parts = verified + rejected + withdrawn + disputed
        if self.figures.claimed is not None and parts != self.figures.claimed:
            raise RuleError(
                f"line {self.line} claims {yuan(self.figures.claimed)} yuan, but verified, rejected, withdrawn and disputed make "
                f"{yuan(parts)}",
                rule="claim-adds-up",
                clause="definitions: determined",
            )
        if min(verified, rejected, withdrawn, disputed) < 0:
            raise RuleError("no part of a claim is negative", rule="claim-adds-up", clause="definitions: determined")
        reduced = rejected > 0 or parts < self._verified_before
        if reduced and not (ground or "").strip():
            raise RuleError(
                f"line {self.line}: a rejection or reduction bears its ground",
                rule="rejection-has-ground",
                clause=CLAIM_LINE,
            )
        if reduced and not _says_when_and_how(told):
            raise RuleError(
                f"line {self.line}: a rejection or reduction says how and when the worker was told",
                rule="rejection-told",
                clause=CLAIM_LINE,
            )
        if withdrawn and not evidence:
            raise RuleError(
                f"line {self.line}: what is withdrawn needs the worker's own statement among the evidence",
                rule="withdrawn-by-own-statement",
                clause=CLAIM_LINE,
            )
        self._verified(
            verified=verified,
            rejected=rejected,
            withdrawn=withdrawn,
            disputed=disputed,
            ground=ground,
            told=told,
            evidence=evidence,
            provenance=provenance,
        )

    def waive(
        self,
        amount: Fen,
        owing: Fen,
        ground: str,
        told: Told,
        evidence: tuple[Evidence, ...],
        provenance: Provenance,
    ) -> None:
        """Gives up a part of what is owing, for the worker who signed it. `owing`: the line's balance now.

        Raises:
            RuleError: the line has left or names no worker; the statement is not attached; no ground; how the worker was told is
                missing; the amount is nothing, or more than is owing.
        """
        self._refuse_if_left()
        if self.worker is None:
            raise RuleError(
                f"line {self.line} names no worker who could waive anything",
                rule="waived-by-the-worker",
                clause=CLAIM_LINE,
            )
        if not evidence:
            raise RuleError(
                "a waiver is the worker's own, signed, and is to be attached",
                rule="waived-by-the-worker",
                clause=CLAIM_LINE,
            )
        if not (ground.strip() and _says_when_and_how(told)):
            raise RuleError(
                "a waiver bears its ground, and how and when the worker was told", rule="waiver-told", clause=CLAIM_LINE
            )
        if not 0 < amount <= owing:
            raise RuleError(
                f"line {self.line} owes {yuan(owing)} yuan; {yuan(amount)} cannot be waived",
                rule="waived-within-owing",
                clause="definitions: owing",
            )
        self._waived(amount=amount, ground=ground, told=told, evidence=evidence, provenance=provenance)

    def merge(self, into: str, ground: str, provenance: Provenance) -> None:
        """Says that the line is the same as another, or was carried over. Moving its money is the handler's.

        Raises:
            RuleError: no ground; the other is this one; or it has left already.
        """
        self._refuse_if_left()
        _refuse_blank(ground, "merging two lines")
        if into == self.id:
            raise RuleError("a line is not merged into itself", rule="two-lines", clause=CLAIM_LINE)
        self._merged(into=into, ground=ground, provenance=provenance)

    def split(self, parts: tuple[Claim, ...], ground: str, provenance: Provenance) -> None:
        """Replaces the line by its parts.

        Raises:
            RuleError: no ground; fewer than two parts; their claimed figures or head-counts do not make the line's; or it has left.
        """
        self._refuse_if_left()
        _refuse_blank(ground, "splitting a line")
        if len(parts) < 2:
            raise RuleError("a line is split into two parts at least", rule="split-in-two", clause=CLAIM_LINE)
        claimed = sum(part.figures.claimed or 0 for part in parts)
        if self.figures.claimed is not None and claimed != self.figures.claimed:
            raise RuleError(
                f"line {self.line} claims {yuan(self.figures.claimed)} yuan, its parts {yuan(claimed)}",
                rule="parts-make-the-line",
                clause=CLAIM_LINE,
            )
        heads = sum(part.headcount for part in parts)
        if self.headcount and heads != self.headcount:
            raise RuleError(
                f"line {self.line} stands for {self.headcount} workers, its parts for {heads}",
                rule="parts-make-the-line",
                clause=CLAIM_LINE,
            )
        self._split(into=tuple(part.id for part in parts), ground=ground, provenance=provenance)

    @property
    def _verified_before(self) -> Fen:
        return (self.figures.verified or 0) if self.verdict is None else self.verdict.verified

    def _refuse_if_left(self) -> None:
        if self.left:
            raise RuleError(
                f"line {self.line} was merged or split: decide on the lines that stand for it now",
                rule="line-has-left",
                clause=CLAIM_LINE,
            )

    # Applying: runs again on every replay, and never refuses

    @event(Restated)
    def _restated(self, figures: Figures, headcount: int, reason: str, provenance: Provenance) -> None:
        self.figures = figures
        self.headcount = headcount
        self.vanished = False

    @event(WorkerDescribed)
    def _worker_described(self, seen: WorkerSeen, provenance: Provenance) -> None:
        self.seen = seen

    @event(Identified)
    def _identified(
        self,
        worker: Sealed,
        worker_id: Sealed | None,
        phone: Sealed | None,
        how: str,
        evidence: tuple[Evidence, ...],
        provenance: Provenance,
    ) -> None:
        another = self.worker is not None and self.worker.subject != worker.subject
        self.worker = worker
        self.worker_id = worker_id if another else worker_id or self.worker_id
        self.phone = phone if another else phone or self.phone

    @event(Verified)
    def _verified(
        self,
        verified: Fen,
        rejected: Fen,
        withdrawn: Fen,
        disputed: Fen,
        ground: str | None,
        told: Told | None,
        evidence: tuple[Evidence, ...],
        provenance: Provenance,
    ) -> None:
        """The line's balance is folded in `balance.py`; the stream keeps what carrying it over needs."""
        self.verdict = Verdict(verified, rejected, withdrawn, disputed, ground, told, evidence)

    @event(Waived)
    def _waived(
        self, amount: Fen, ground: str, told: Told, evidence: tuple[Evidence, ...], provenance: Provenance
    ) -> None:
        self.waived += amount
        self.last_waiver = Waiver(ground, told, evidence)

    @event(WaiverRefuted)
    def _waiver_refuted(self, amount: Fen, ground: str, evidence: tuple[Evidence, ...], provenance: Provenance) -> None:
        self.waived = max(0, self.waived - amount)

    @event(Merged)
    def _merged(self, into: str, ground: str, provenance: Provenance) -> None:
        self.left = True

    @event(Split)
    def _split(self, into: tuple[str, ...], ground: str, provenance: Provenance) -> None:
        self.left = True

    @event(VanishedFromBook)
    def _vanished_from_book(self, book: str, provenance: Provenance) -> None:
        self.vanished = True


def _says_when_and_how(told: Told | None) -> bool:
    return told is not None and bool(told.on.strip() and told.how.strip())


def _refuse_blank(ground: str, act: str) -> None:
    if not ground.strip():
        raise RuleError(f"{act} bears its ground", rule="ground-given", clause=CLAIM_LINE)
