"""What an amended book changes: one source case beside what is recorded of it, turned into events. Pure.

A book states facts, of grade *stated*; nothing it says is refused, and nothing recorded is deleted because a book no longer says it.
The same book again gives no event at all. Ids follow from the book and the official number, so that two imports of one case at the
same time conflict instead of recording it twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from domain.books.source import SourceCase, SourceLine
from domain.campaigns.campaign import Campaign, class_by_origin
from domain.cases.case import Case, HandedDown, Named, Particulars, SourceState
from domain.claims.balance import Balance, after
from domain.claims.claim import Claim, Figures, claim_id
from domain.entries import Recorded
from domain.money import Fen
from domain.payments.payment import Payment
from domain.sealing.personal import Sealed
from domain.streams import Basis, Provenance, Stream, StreamEvent
from domain.vocabulary import CaseClass, ClaimKind, Funding, MoneySource, Purpose, StatedMeaning

REASON = "amended book"


class BookContext(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every case of one import. `as_at`: the day that the book speaks of, as an instant."""

    origin: str
    book: str
    as_at: datetime
    campaign: Campaign
    zone: ZoneInfo


class CaseFile:
    """What is recorded of one case: its streams, and the balances of its claim lines."""

    def __init__(self, events: Sequence[Recorded[StreamEvent]], streams: Mapping[str, Stream]) -> None:
        self.case = next((stream for stream in streams.values() if isinstance(stream, Case)), None)
        self.claims = {stream.id: stream for stream in streams.values() if isinstance(stream, Claim)}
        self.payments = {stream.id: stream for stream in streams.values() if isinstance(stream, Payment)}
        self.balances: dict[str, Balance] = {}
        for recorded in events:
            claim = recorded.event.claim if hasattr(recorded.event, "claim") else recorded.envelope.subject
            balance = after(self.balances.get(claim), recorded.event)
            if balance is not None:
                self.balances[claim] = balance


class Slot(NamedTuple):
    """A place for a sealed text in one case: the field label, and which line or role it belongs to."""

    field: str
    part: str


class PersonalText(NamedTuple):
    """A text that must be sealed before the case can be recorded; `known` is what is sealed in that place now."""

    slot: Slot
    subject: str | None
    """Whose key seals it; None: a person who is not known yet."""
    text: str
    known: Sealed | None


class MatchedLine(NamedTuple):
    """A line of the book and the claim that it is, or None for a new one. `part` names it within its case."""

    part: str
    source: SourceLine
    claim: Claim | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What an import records of one case, for the report: `what` names the kind, with the values before and after."""

    number: str
    row: int
    what: str
    field: str = ""
    before: str = ""
    after: str = ""


def case_id(origin: str, book: str, number: str) -> str:
    """The id of the case with that official number in that book of that log; no personal data goes into it."""
    return f"case-{_digest(origin, book, number)}"


def book_id(origin: str, book: str) -> str:
    """The id of a series of books in that log."""
    return f"book-{_digest(origin, book)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def match_lines(source: SourceCase, file: CaseFile | None, names: Mapping[str, str | None]) -> list[MatchedLine]:
    """Which claim each line of the book is. `names`: the opened worker of each recorded claim by id (None: erased).

    A named line is known by worker, kind and period; an unnamed one by kind, period and order. Claims whose worker was erased take
    the named lines that are left, in order, since nobody can tell them apart any more.
    """
    claims = [] if file is None else list(file.claims.values())
    waiting: dict[tuple[object, ...], list[Claim]] = {}
    erased = []
    for known in claims:
        if known.worker is not None and names.get(known.id) is None:
            erased.append(known)
        else:
            waiting.setdefault((names.get(known.id), known.kind, *known.period), []).append(known)
    matched: list[tuple[SourceLine, Claim | None]] = []
    for line in source.lines:
        same = waiting.get((line.worker, ClaimKind(line.kind), line.period_from, line.period_to))
        claim = same.pop(0) if same else None
        if claim is None and line.worker is not None and erased:
            claim = erased.pop(0)
        matched.append((line, claim))
    numbers = Counter(claim.line for _, claim in matched if claim is not None)
    free = (
        str(n)
        for n in range(1, len(claims) + len(source.lines) + 1)
        if str(n) not in {c.line for c in claims} | set(numbers)
    )
    return [MatchedLine(claim.line if claim is not None else next(free), line, claim) for line, claim in matched]


def personal_texts(
    source: SourceCase, file: CaseFile | None, lines: Iterable[MatchedLine], case: str
) -> Iterator[PersonalText]:
    """Every personal text of a source case, with what is sealed in its place now."""
    recorded = None if file is None or file.case is None else file.case
    people = {} if recorded is None else {person.role: person.name for person in recorded.particulars.people}
    for role, name in source.people.items():
        yield PersonalText(Slot("person", role), case, name, people.get(role))
    if source.note:
        yield PersonalText(Slot("note", ""), case, source.note, None if recorded is None else recorded.particulars.note)
    if source.follow_up:
        state = None if recorded is None else recorded.source_state
        yield PersonalText(Slot("follow_up", ""), case, source.follow_up, None if state is None else state.follow_up)
    for line in lines:
        for field in ("worker", "worker_id", "phone"):
            text = getattr(line.source, field)
            if text:
                known = None if line.claim is None else getattr(line.claim, field)
                yield PersonalText(Slot(field, line.part), None if known is None else known.subject, text, known)


def decide(
    source: SourceCase,
    file: CaseFile | None,
    lines: Sequence[MatchedLine],
    sealed: Mapping[Slot, Sealed],
    context: BookContext,
) -> Iterator[list[Stream]]:
    """The streams of the case with what the book changes pending on them, group after group as they are to be recorded.

    The caller takes the pending events of a group before it asks for the next. What the source calls the state comes last, after the
    payments that its balance speaks of, so that no position shows the one without the other for no reason.
    """
    particulars = _particulars(source, sealed, context)
    source_state = _source_state(source, sealed)
    stated = Provenance(occurred=source.received, received=source.received, basis=Basis.STATED)
    now = Provenance(occurred=context.as_at, received=context.as_at, basis=Basis.STATED)
    if file is None or file.case is None:
        case = Case(
            id=case_id(context.origin, context.book, source.number),
            number=source.number,
            book=context.book,
            particulars=particulars,
            provenance=stated,
        )
        known_claims: dict[str, Claim] = {}
    else:
        case = file.case
        known_claims = file.claims
        if case.vanished:
            case.come_back(context.book, now)
        case.amend(particulars, REASON, _correcting(case.opened, context))
    streams: list[Stream] = [case]
    claims: list[tuple[Claim, SourceLine]] = []
    for line in lines:
        claim = _stated_claim(case, line, source, sealed, stated) if line.claim is None else line.claim
        if line.claim is not None:
            _restate(claim, line.source, _correcting(claim.opened, context))
        claims.append((claim, line.source))
        streams.append(claim)
    seen = {claim.id for claim, _ in claims}
    for claim in known_claims.values():
        if claim.id not in seen and not claim.vanished:
            claim.vanish(context.book, now)
            streams.append(claim)
    streams += _payments(case, source, claims, file, context)
    yield [stream for stream in streams if stream.pending_events]
    if source_state != SourceState():
        case.state(source_state, _stated_at(source, context))
        yield [stream for stream in (case,) if stream.pending_events]


def _correcting(opened: datetime, context: BookContext) -> Provenance:
    """A correction takes the date of what it corrects (design.md 6); the office learned of it with this book."""
    return Provenance(occurred=opened, received=context.as_at, basis=Basis.STATED)


def _stated_at(source: SourceCase, context: BookContext) -> Provenance:
    occurred = source.closed_on if source.closed_on is not None else context.as_at
    return Provenance(occurred=min(occurred, context.as_at), received=context.as_at, basis=Basis.STATED)


def _particulars(source: SourceCase, sealed: Mapping[Slot, Sealed], context: BookContext) -> Particulars:
    classes, ground = _classes(source, context)
    handed_down = HandedDown(by=source.handed_down_by, number=source.handed_down_number, on=source.handed_down_on)
    return Particulars(
        jurisdiction=source.jurisdiction,
        received=source.received,
        funding=Funding(source.funding or "other"),
        classes=classes,
        class_ground=ground,
        channel=source.channel,
        project=source.project,
        industry=source.industry,
        debtor=source.debtor,
        debtor_code=source.debtor_code,
        contractor=source.contractor,
        developer=source.developer,
        cause=source.cause,
        handed_down=None if handed_down == HandedDown() else handed_down,
        matters=source.matters,
        people=tuple(Named(role=role, name=sealed[Slot("person", role)]) for role in source.people),
        note=sealed.get(Slot("note", "")),
        extra=tuple(source.extra.items()),
    )


def _classes(source: SourceCase, context: BookContext) -> tuple[tuple[CaseClass, ...], str]:
    if source.classes:
        return tuple(CaseClass(name) for name in source.classes), "stated by the book"
    by_origin, clause = class_by_origin(source.received, context.campaign, context.zone)
    if source.handed_down_by or source.handed_down_number:
        return (by_origin, CaseClass.HANDED_DOWN), f"{clause}, N24"
    return (by_origin,), clause


def _source_state(source: SourceCase, sealed: Mapping[Slot, Sealed]) -> SourceState:
    return SourceState(
        state=source.state,
        means=None if source.state_means is None else StatedMeaning(source.state_means),
        closed_on=source.closed_on,
        written_off=source.written_off,
        followed_up_on=source.followed_up_on,
        follow_up=sealed.get(Slot("follow_up", "")),
        outstanding=source.outstanding,
    )


def _figures(line: SourceLine) -> Figures:
    return Figures(claimed=line.claimed, verified=line.verified, rejected=line.rejected)


def _stated_claim(
    case: Case, line: MatchedLine, source: SourceCase, sealed: Mapping[Slot, Sealed], provenance: Provenance
) -> Claim:
    return Claim(
        id=claim_id(case.id, line.part),
        case=case.id,
        place=case.jurisdiction,
        line=line.part,
        kind=ClaimKind(line.source.kind),
        headcount=line.source.headcount,
        figures=_figures(line.source),
        worker=sealed.get(Slot("worker", line.part)),
        worker_id=sealed.get(Slot("worker_id", line.part)),
        phone=sealed.get(Slot("phone", line.part)),
        period_from=line.source.period_from,
        period_to=line.source.period_to,
        debtor=source.debtor,
        provenance=provenance,
    )


def _restate(claim: Claim, line: SourceLine, provenance: Provenance) -> None:
    figures = _figures(line)
    if figures != claim.figures or line.headcount != claim.headcount or claim.vanished:
        claim.restate(figures, line.headcount, REASON, provenance)


def _payments(
    case: Case,
    source: SourceCase,
    claims: Sequence[tuple[Claim, SourceLine]],
    file: CaseFile | None,
    context: BookContext,
) -> list[Stream]:
    """What the book says was paid beyond, or short of, what is recorded as paid per line.

    More becomes a payment of its own, dated by the book. Less reverses what was only stated; a documented payment is never reversed
    because a book does not know of it.
    """
    balances: Mapping[str, Balance] = {} if file is None else file.balances
    payments = {} if file is None else file.payments
    more: list[tuple[Claim, Fen, int]] = []
    touched: dict[str, Payment] = {}
    for claim, line in claims:
        if line.paid is None:
            continue
        recorded = balances[claim.id].paid if claim.id in balances else 0
        if line.paid > recorded:
            more.append((claim, line.paid - recorded, line.headcount))
        elif line.paid < recorded:
            for payment in _reverse_stated(claim, recorded - line.paid, payments.values(), context):
                touched[payment.id] = payment
    if more:
        touched["new"] = _payment(case, source, more, len(payments) + 1, context)
    return list(touched.values())


def _payment(
    case: Case, source: SourceCase, lines: Sequence[tuple[Claim, Fen, int]], ordinal: int, context: BookContext
) -> Payment:
    occurred = source.paid_on if source.paid_on is not None else context.as_at
    provenance = Provenance(occurred=min(occurred, context.as_at), received=context.as_at, basis=Basis.STATED)
    payment = Payment(
        id=f"payment-{_digest(case.id, 'payment', str(ordinal))}",
        case=case.id,
        place=case.jurisdiction,
        source=_money_source(source.payment_source),
        purpose=Purpose.WAGE,
        lines=len(lines),
        headcount=sum(headcount for _, _, headcount in lines),
        total=sum(amount for _, amount, _ in lines),
        voucher=source.voucher,
        provenance=provenance,
    )
    for claim, amount, headcount in lines:
        payment.credit(claim.id, amount, headcount, provenance)
    return payment


_SOURCE_WORDS: Mapping[str, MoneySource] = {
    "企业自付": MoneySource.EMPLOYER,
    "企业": MoneySource.EMPLOYER,
    "专户代发": MoneySource.WAGE_ACCOUNT,
    "专户": MoneySource.WAGE_ACCOUNT,
    "总包先行清偿": MoneySource.GENERAL_CONTRACTOR,
    "总包": MoneySource.GENERAL_CONTRACTOR,
    "建设单位垫付": MoneySource.DEVELOPER_ADVANCE,
    "建设单位": MoneySource.DEVELOPER_ADVANCE,
    "工资保证金": MoneySource.WAGE_DEPOSIT,
    "保证金": MoneySource.WAGE_DEPOSIT,
    "应急周转金": MoneySource.REVOLVING_FUND,
    "周转金": MoneySource.REVOLVING_FUND,
    "财政兜底": MoneySource.TREASURY,
    "财政": MoneySource.TREASURY,
    "国企集团": MoneySource.PARENT_GROUP,
    "股比": MoneySource.PARENT_GROUP,
    "法院执行": MoneySource.COURT,
    "法院": MoneySource.COURT,
}


def _money_source(said: str | None) -> MoneySource:
    if not said:
        return MoneySource.NOT_STATED
    word = said.strip()
    if word in MoneySource.__members__.values():
        return MoneySource(word)
    return _SOURCE_WORDS.get(word, MoneySource.OTHER)


def _reverse_stated(claim: Claim, amount: Fen, payments: Iterable[Payment], context: BookContext) -> Iterator[Payment]:
    left = amount
    for payment in reversed(list(payments)):
        for number, line in reversed(payment.credited.items()):
            if line.claim != claim.id or line.basis is not Basis.STATED or line.amount <= 0 or left <= 0:
                continue
            back = min(left, line.amount)
            payment.give_back(number, back, REASON, _correcting(payment.opened, context))
            left -= back
            yield payment


def differences(source: SourceCase, streams: Sequence[Stream], file: CaseFile) -> Iterator[Difference]:
    """What the pending events of a group of `decide` say of a case that was recorded before, one line each, for the report."""
    row = source.rows[0] if source.rows else 0
    for stream in streams:
        for event in stream.pending_events:
            for what, field, before, now in _changes(event, file):
                yield Difference(number=source.number, row=row, what=what, field=field, before=before, after=now)


def _changes(event: object, file: CaseFile) -> Iterator[tuple[str, str, str, str]]:
    """(what, field, before, after) of an event of an amended book."""
    match event:
        case Case.ParticularsAmended():
            yield from (("particulars", name, "", _plain(event.particulars, name)) for name in event.changed)
        case Case.SourceStated():
            yield "state", "state", "", str(event.source_state.state or "")
        case Case.ReturnedToBook():
            yield "returned to book", "", "", ""
        case Claim.Created():
            yield "new line", event.line, "", ""
        case Claim.VanishedFromBook():
            yield "line vanished", file.claims[event.originator_id].line, "", ""
        case Claim.Restated():
            yield from _changed_figures(event, file.balances.get(event.originator_id))
        case Payment.LineCredited():
            yield "paid more", "paid", "", _amount(event.amount)
        case Payment.LineReversed():
            yield "paid less", "paid", "", _amount(-event.amount)


def _changed_figures(event: Claim.Restated, balance: Balance | None) -> Iterator[tuple[str, str, str, str]]:
    for name in ("claimed", "verified", "rejected"):
        was = None if balance is None else getattr(balance, name)
        now = getattr(event.figures, name)
        if (was or 0) != (now or 0):
            yield "figures", name, _amount(was), _amount(now)


def _plain(particulars: Particulars, name: str) -> str:
    value = getattr(particulars, name)
    return "(sealed)" if name in ("people", "note") else str(value if value is not None else "")


def _amount(value: Fen | None) -> str:
    return "" if value is None else str(value)
