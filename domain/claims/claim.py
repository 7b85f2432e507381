"""A claim line is a stream of its own beside its case, so that two clerks who verify two workers never conflict (DECISIONS.md, 5).

A line is what one worker is owed for one period by one debtor, or an unnamed head-count: a book that states only sums. Facts are
recorded whatever they say; the acts (`verify`) are refused when their conditions do not hold.
"""

from __future__ import annotations

from datetime import date

from eventsourcing.domain import event

from domain.errors import RuleError
from domain.money import Fen
from domain.sealing.personal import Sealed
from domain.streams import Provenance, Shape, Stream
from domain.vocabulary import Answer, ClaimKind, Evidence, Told


class Figures(Shape, frozen=True, kw_only=True):
    """What a source says of a line, in fen; a figure that the source does not give is absent, never zero."""

    claimed: Fen | None = None
    verified: Fen | None = None
    rejected: Fen | None = None
    gross: Fen | None = None
    drawn: Fen | None = None
    net: Fen | None = None


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

    class FollowedUp(Event):
        """A worker was asked whether the money arrived (回头看, clause N26); `decidedby` is who asked."""

        TOPIC = "claim.followed-up.v1"
        answer: Answer
        amount: Fen | None
        method: str
        number_from: str | None
        """Where the number that was called came from."""

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
        self.opened = provenance.occurred
        self.vanished = False

    @property
    def partitionkey(self) -> str:
        return self.case

    @property
    def jurisdiction(self) -> str:
        return self.place

    def restate(self, figures: Figures, headcount: int, reason: str, provenance: Provenance) -> None:
        """Records what the source says now."""
        self._restated(figures=figures, headcount=headcount, reason=reason, provenance=provenance)

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

        Raises:
            RuleError: the parts do not add up to what is claimed, or a rejection bears no ground.
        """
        parts = verified + rejected + withdrawn + disputed
        if self.figures.claimed is not None and parts != self.figures.claimed:
            raise RuleError(
                f"the line claims {self.figures.claimed} fen, but verified, rejected, withdrawn and disputed make {parts}",
                rule="claim-adds-up",
                clause="definitions: determined",
            )
        if min(verified, rejected, withdrawn, disputed) < 0:
            raise RuleError("no part of a claim is negative", rule="claim-adds-up", clause="definitions: determined")
        if rejected and not ground:
            raise RuleError(
                "a rejection bears its ground", rule="rejection-has-ground", clause="definitions: claim line"
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

    def follow_up(
        self,
        answer: Answer,
        method: str,
        provenance: Provenance,
        amount: Fen | None = None,
        number_from: str | None = None,
    ) -> None:
        """Records an answer; a fact, never refused."""
        self._followed_up(answer=answer, amount=amount, method=method, number_from=number_from, provenance=provenance)

    def vanish(self, book: str, provenance: Provenance) -> None:
        """Records that an amended book no longer holds the line."""
        self._vanished_from_book(book=book, provenance=provenance)

    @event(Restated)
    def _restated(self, figures: Figures, headcount: int, reason: str, provenance: Provenance) -> None:
        self.figures = figures
        self.headcount = headcount
        self.vanished = False

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
        """The line's balance is folded in `balance.py`; the stream itself needs none of it to decide."""

    @event(FollowedUp)
    def _followed_up(
        self, answer: Answer, amount: Fen | None, method: str, number_from: str | None, provenance: Provenance
    ) -> None:
        """As above."""

    @event(VanishedFromBook)
    def _vanished_from_book(self, book: str, provenance: Provenance) -> None:
        self.vanished = True
