"""A platform in memory for the tests of the doors: real streams, real entries, real folds; only store and keys are left out.

`played()` records a small campaign of known cases, so that a test can say what a page must show. The contract is that of
`infra.platform.Platform`; tests/api/test_real_platform.py runs the doors on that one.
"""

from __future__ import annotations

import atexit
import csv
import functools
import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from domain.campaigns.campaign import WINTER_2019, end_of_day
from domain.campaigns.genesis import GENESIS_STREAM, Genesis, LogKind
from domain.cases.case import Case, Named, Particulars, SourceState
from domain.catalogue import EVENT_TYPES
from domain.claims.claim import Claim, Figures
from domain.entries import Recorded, draft
from domain.errors import InputError, NotFoundError, NotReadyError, UnauthorisedError
from domain.jurisdictions import Jurisdiction, JurisdictionTree
from domain.officers.officer import Officer
from domain.payments.bank_layout import BankLayout
from domain.payments.payment import Payment
from domain.recording import Batch, Head
from domain.sealing.personal import Sealed
from domain.streams import Basis, Context, Provenance, Stream, StreamEvent
from domain.vocabulary import (
    Answer,
    CaseClass,
    ClaimKind,
    FollowUpMethod,
    Funding,
    MoneySource,
    Outcome,
    Purpose,
    StatedMeaning,
    Told,
)
from infra.books.bank_layouts import bank_layouts
from infra.evidence import FolderEvidence
from infra.keyring import Keyring
from infra.memory.recorder import MemoryLog
from infra.streams import StreamStore
from infra.vault import MemoryVault
from projections.board import Board, board
from projections.catalogue import catalogue
from projections.clearance import receptions_of
from projections.explaining import explain
from projections.folding import Folding, Rows, fold_all, sums_of
from projections.ledger import Row, SummaryLedger
from projections.replay import TimelineItem, as_it_was_by, case_state, timeline
from tests.api.fake_sealing import FakeSealing

ZONE = ZoneInfo("Asia/Shanghai")
TOKEN = "ql_the-token-of-the-test"
PLACES = (
    Jurisdiction(code="140300", name_zh="阳泉市", name_en="Yangquan City"),
    Jurisdiction(code="140311", name_zh="郊区", name_en="Jiaoqu District", parent="140300"),
    Jurisdiction(code="140321", name_zh="平定县", name_en="Pingding County", parent="140300"),
    Jurisdiction(code="140322", name_zh="盂县", name_en="Yuxian County", parent="140300"),
)


@dataclass(frozen=True)
class VersionedRow:
    key: str
    row: Any
    position: int
    until: int | None = None


@dataclass(frozen=True)
class Page:
    rows: list[VersionedRow]
    next: str | None
    position: int
    complete: int


@dataclass(frozen=True)
class LedgerStatus:
    name: str
    position: int
    head: int
    state: str = "running"
    reason: str | None = None
    generation: int = 1
    fold_version: int = 1
    updated_at: datetime | None = None

    @property
    def lag(self) -> int:
        return self.head - self.position


@dataclass
class FakePlatform:
    """See the module. `behind` holds ledgers back, `stopped` gives a reason why a ledger stands."""

    kind: LogKind = LogKind.SIMULATION
    behind: dict[str, int] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    genesis: Genesis = field(init=False)

    def __post_init__(self) -> None:
        self.texts: dict[str, str | None] = {}
        self.types = EVENT_TYPES
        self._entries: list[tuple[Recorded[Any], bytes]] = []
        self._clock: datetime | None = None
        self._folding, self._kept, self._folded = Folding(catalogue(WINTER_2019, ZONE)), {}, 0  # type: ignore[var-annotated]
        self._changes: dict[str, list[tuple[str, int, Row | None]]] = {}
        self.catalogue = catalogue(WINTER_2019, ZONE)
        self.settings = SimpleNamespace(page_limit=200, language="zh")
        self.info = SimpleNamespace(
            kind=self.kind,
            origin=f"yangquan-{'simulation' if self.kind is LogKind.SIMULATION else 'office'}-0badcafe",
            root="140300",
            zone=ZONE,
            currency="CNY",
            campaign=WINTER_2019,
            tree=JurisdictionTree(PLACES),
        )
        self.log = MemoryLog(lambda: self._clock or self.now())
        self.streams = StreamStore(self.log, EVENT_TYPES, "urn:qingling:test")
        self.vault = MemoryVault(_keyring())
        self.files = FolderEvidence(_folder("evidence"), self.vault, self.vault)
        self.sealing = FakeSealing(self)

    # Recording

    @property
    def entries(self) -> list[tuple[Recorded[Any], bytes]]:
        known = len(self._entries)
        for stored in self.log.read(known, 10**6):
            self._entries.append((EVENT_TYPES.decode_entry(stored.position, stored.entry), stored.entry))
        return self._entries

    def record(self, stream: Stream, at: datetime, actor: str = "system") -> None:
        self._clock = at
        for event in stream.collect_events():
            assert isinstance(event, StreamEvent)
            context = Context(actor=actor, correlation=f"act-{self.log.head().position + 1}")
            self.log.append(Batch([draft(stream, event, context, "urn:qingling:test")]))
        self._clock = None

    def played_now(self) -> datetime | None:
        return None if self.kind is LogKind.REAL else self.now()

    def seal(self, text: str, subject: str) -> Sealed:
        digest = hashlib.sha256(f"{subject}/{text}".encode()).hexdigest()
        self.texts[digest] = text
        return Sealed(subject, digest, digest)

    # Positions

    def now(self) -> datetime:
        return self.entries[-1][0].envelope.time + timedelta(seconds=4)

    def head(self) -> Head:
        last = self.entries[-1][0]
        return Head(last.position, last.envelope.time)

    def position_at(self, instant: datetime) -> int:
        return max((r.position for r, _ in self.entries if r.envelope.time <= instant), default=0)

    def position_at_end_of(self, day: date) -> int:
        return self.position_at(end_of_day(day, ZONE))

    def wait_for(self, position: int, *, timeout: float, ledgers: Sequence[str] | None = None) -> None:
        for name in ledgers or self.catalogue.names():
            if self._position(name) < position:
                raise NotReadyError(f"ledger {name} stands at {self._position(name)}", position=self._position(name))

    def _position(self, ledger: str) -> int:
        return self.head().position - self.behind.get(ledger, 0)

    # Ledgers

    def ledger(self, name: str) -> Any:
        found = self.catalogue[name] if name in self.catalogue else None  # noqa: SIM401 - a catalogue is no dict
        if found is None or isinstance(found, SummaryLedger):
            raise NotFoundError(f"there is no ledger {name!r}")
        return found

    def _history(self, ledger: str) -> list[tuple[str, int, Row | None]]:
        for recorded, _ in self.entries[self._folded :]:
            for change in self._folding.apply(recorded, self._kept):
                self._changes.setdefault(change.ledger, []).append((change.key, recorded.position, change.new))
            self._folded += 1
        return self._changes.get(ledger, [])

    def _rows(self, ledger: str, as_of: int) -> list[VersionedRow]:
        rows: dict[str, VersionedRow] = {}
        for key, position, row in self._history(ledger):
            if position <= as_of:
                rows.pop(key, None)
                if row is not None:
                    rows[key] = VersionedRow(key, row, position)
        return sorted(rows.values(), key=lambda versioned: versioned.key)

    def page(
        self,
        ledger: str,
        *,
        as_of: int | None = None,
        order: str | None = None,
        descending: bool = False,
        after: str | None = None,
        limit: int = 50,
        filters: Mapping[str, str] | None = None,
        prefix: str | None = None,
    ) -> Page:
        found: Any = self.catalogue[ledger]
        position = self._position(ledger) if as_of is None else as_of
        rows = list(self.rows(ledger, as_of=position, filters=filters))
        if prefix:
            rows = [r for r in rows if str(found.column(found.search).of(r.row)).startswith(prefix)]
        if order is not None:
            rows.sort(key=lambda r: found.column(order).of(r.row))
        if descending:
            rows.reverse()
        if after is not None and not after.isdigit():
            raise InputError(f"{after!r} is no cursor", field="after", rule="cursor")
        start = int(after or 0)
        end = start + limit
        return Page(rows[start:end], str(end) if end < len(rows) else None, position, position)

    def rows(
        self, ledger: str, *, as_of: int | None = None, filters: Mapping[str, str] | None = None
    ) -> Iterator[VersionedRow]:
        columns: Any = self.catalogue[ledger]
        for versioned in self._rows(ledger, self._position(ledger) if as_of is None else as_of):
            shown = {name: columns.column(name).of(versioned.row) for name in filters or {}}
            if all(_text(shown[name]) == value for name, value in (filters or {}).items()):
                yield versioned

    def row(self, ledger: str, key: str, *, as_of: int | None = None) -> VersionedRow:
        for versioned in self.rows(ledger, as_of=as_of):
            if versioned.key == key:
                return versioned
        raise NotFoundError(f"ledger {ledger} has no row {key!r}")

    def versions(self, ledger: str, key: str) -> list[VersionedRow]:
        own = [(position, row) for k, position, row in self._history(ledger) if k == key]
        ends = [*(position for position, _ in own[1:]), None][: len(own)]
        return [VersionedRow(key, row, p, end) for (p, row), end in zip(own, ends, strict=True) if row is not None]

    def board(self, *, as_of: int | None = None) -> Board:
        wanted = self.head().position if as_of is None else as_of
        position = min(wanted, self._position("clearance"))
        then = {
            c.name: self._cells(self.position_at_end_of(c.day))
            for c in WINTER_2019.checkpoints
            if end_of_day(c.day, ZONE) <= self.entries[-1][0].envelope.time
            and self.position_at_end_of(c.day) <= position
        }
        incomplete = None if position == wanted else f"ledger clearance is running at position {position} of {wanted}"
        came = {
            name: self._receptions(self.position_at_end_of(c.day)) for c in WINTER_2019.checkpoints for name in [c.name]
        }
        return board(
            WINTER_2019,
            position,
            self._cells(position),
            {} if incomplete else then,
            incomplete=incomplete,
            receptions=self._receptions(position),
            receptions_then={name: came[name] for name in then},
        )

    def orphans(self, *, as_of: int | None = None) -> list[VersionedRow]:
        cases = {versioned.key for versioned in self.rows("case", as_of=as_of)}
        return [row for row in self.rows("acceptance", as_of=as_of) if row.row.case not in cases]

    def _receptions(self, as_of: int) -> Any:
        summary = self.catalogue["receptions"]
        assert isinstance(summary, SummaryLedger)
        sums = sums_of(summary, (versioned.row for versioned in self._rows("reception", as_of)))
        return receptions_of(sums, [row.row for row in self.orphans(as_of=as_of)], WINTER_2019, ZONE)

    def _cells(self, as_of: int) -> dict[tuple[str, ...], tuple[int, ...]]:
        summary = self.catalogue["clearance"]
        assert isinstance(summary, SummaryLedger)
        return sums_of(summary, (versioned.row for versioned in self._rows("case", as_of)))

    # Replay

    def case(self, case: str, *, as_of: int | None = None, by: date | None = None) -> SimpleNamespace:
        case_id = next((r.key for r in self._rows("case", 10**9) if case in (r.key, r.row.number)), None)
        if case_id is None:
            raise NotFoundError(f"there is no case {case!r}")
        events = self._partition(case_id, as_of)
        counted = events if by is None else as_it_was_by(events, end_of_day(by, ZONE))
        state = case_state(counted)
        return SimpleNamespace(
            number=state.case.number if state.case else case_id,
            case=case_id,
            state=state,
            position=self.head().position if as_of is None else as_of,
            by=by,
            timeline=timeline(counted),
        )

    def why(self, case: str, *, as_of: int | None = None, by: date | None = None) -> SimpleNamespace:
        found = self.case(case, as_of=as_of, by=by)
        events = self._partition(found.case, as_of)
        counted = events if by is None else as_it_was_by(events, end_of_day(by, ZONE))
        return SimpleNamespace(
            case=found.case,
            state=found.state,
            position=found.position,
            words=explain(counted),
            envelopes={each.position: each.envelope for each in counted},
        )

    def _partition(self, key: str, upto: int | None) -> list[Recorded[Any]]:
        return [r for r, _ in self.entries if r.envelope.partitionkey == key and r.position <= (upto or 10**9)]

    def event(self, position: int) -> SimpleNamespace:
        recorded, entry = self.entries[position - 1]
        items = timeline(self._partition(recorded.envelope.partitionkey, position))
        return SimpleNamespace(item=items[-1], entry=entry, partitionkey=recorded.envelope.partitionkey)

    def stream(self, stream: str, *, upto: int | None = None) -> list[TimelineItem]:
        own = [r for r, _ in self.entries if r.envelope.subject == stream and r.position <= (upto or 10**9)]
        if not own:
            raise NotFoundError(f"there is no stream {stream!r}")
        items = timeline(self._partition(own[0].envelope.partitionkey, own[-1].position))
        return [item for item in items if item.stream == stream]

    def opened(self, items: Sequence[tuple[Sealed, str]]) -> list[str | None]:
        made_up = [self.texts.get(sealed.sha256) for sealed, _ in items]
        kept = iter(self.vault.open_many([item for item in items if item[0].sha256 not in self.texts]))
        return [
            text if sealed.sha256 in self.texts else next(kept)
            for text, (sealed, _) in zip(made_up, items, strict=True)
        ]

    def case_id(self, case: str) -> str:
        return str(self.case(case).case)

    def erase(self, text: str) -> None:
        self.texts = {digest: None if kept == text else kept for digest, kept in self.texts.items()}

    # State, officers, exports

    def status(self) -> SimpleNamespace:
        head = self.head()
        return SimpleNamespace(
            head=head,
            ledgers=[
                LedgerStatus(
                    name,
                    self._position(name),
                    head.position,
                    state="stopped" if name in self.stopped else "running",
                    reason=self.stopped.get(name),
                    updated_at=head.recorded_at,
                )
                for name in self.catalogue.names()
            ],
            folding=True,
            watermark_age=0.25,
            database="18.0",
        )

    def bank_layouts(self) -> Mapping[str, BankLayout]:
        return bank_layouts(Path("none of an office's own"))

    def authenticate(self, token: str) -> Any:
        digest = hashlib.sha256(token.encode()).hexdigest()
        for versioned in self.rows("officer"):
            if digest in versioned.row.tokens:
                return versioned.row
        raise UnauthorisedError("the token names no officer")

    def export(
        self,
        ledger: str,
        target: BinaryIO,
        *,
        format: str,
        as_of: int | None = None,
        filters: Mapping[str, str] | None = None,
        language: str = "zh",
        open_names: bool = False,
    ) -> SimpleNamespace:
        listed: Any = self.catalogue[ledger]
        columns = listed.columns
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([c.zh if language == "zh" else c.en for c in columns])
        rows = list(self.rows(ledger, as_of=as_of, filters=filters))
        for versioned in rows:
            writer.writerow([_text(self._plain(c.of(versioned.row), open_names)) for c in columns])
        content = text.getvalue().encode("utf-8-sig")
        target.write(content)
        position = self._position(ledger) if as_of is None else as_of
        return SimpleNamespace(position=position, rows=len(rows), digest=hashlib.sha256(content).hexdigest())

    def _plain(self, value: object, open_names: bool) -> object:
        if not isinstance(value, Sealed):
            return value
        return self.texts[value.sha256] if open_names else value.subject


@functools.cache
def _folder(name: str) -> Path:
    """A folder of the test run; removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="qingling-test-doors-"))
    folder.chmod(0o700)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / name


@functools.cache
def _keyring() -> Keyring:
    return Keyring.create(_folder("keys") / "keyring.json")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# ------------------------------------------------------------------------------------------------- the played campaign


def moment(month: int, day: int, hour: int = 10, year: int | None = None) -> datetime:
    """A time of the winter: November and December 2019, January 2020."""
    return datetime(year or (2019 if month > 6 else 2020), month, day, hour, tzinfo=ZONE)


def at(
    when: datetime,
    *,
    received: datetime | None = None,
    basis: Basis | None = None,
    clause: str | None = None,
    by: str | None = None,
    approved: str | None = None,
) -> Provenance:
    """A provenance."""
    return Provenance(
        occurred=when, received=received or when, basis=basis, clause=clause, decidedby=by, approvedby=approved
    )


class Desk:
    """Registers, verifies, pays and closes in a few words."""

    def __init__(self, platform: FakePlatform) -> None:
        self.platform = platform

    def officer(self, number: int, handle: str, name: str, place: str = "140300") -> str:
        officer = Officer(
            id=f"officer-{number:08d}",
            handle=handle,
            place=place,
            name=self.platform.seal(name, f"person-officer{number}"),
            provenance=at(moment(11, 15, 8)),
        )
        if number == 1:
            officer.issue_token(hashlib.sha256(TOKEN.encode()).hexdigest(), "desk", at(moment(11, 15, 8)))
        self.platform.record(officer, moment(11, 15, 8))
        return officer.id

    def case(
        self,
        number: str,
        when: datetime,
        *,
        place: str,
        classes: tuple[CaseClass, ...] = (CaseClass.IN_YEAR,),
        funding: Funding = Funding.PRIVATE,
        debtor: str,
        workers: Sequence[tuple[str, int]],
        recorded: datetime | None = None,
        verified: bool = True,
    ) -> tuple[Case, list[Claim]]:
        stream = "case-" + hashlib.sha256(number.encode()).hexdigest()[:16]
        case = Case(
            id=stream,
            number=number,
            particulars=Particulars(
                jurisdiction=place,
                received=when,
                funding=funding,
                classes=classes,
                class_ground="N11",
                channel="来访",
                project=f"{debtor[:4]}安置小区二期",
                debtor=debtor,
                cause="拖欠工程款",
                people=(Named(role="办案责任人", name=self.platform.seal("赵建国", stream)),),
                note=self.platform.seal("班组长代为反映，电话已核", stream),
                extra=(("备注栏", "第3册"),),
            ),
            provenance=at(when, basis=Basis.STATED, clause="N20"),
        )
        self.platform.record(case, recorded or when, "officer-00000001")
        claims = []
        for i, (name, amount) in enumerate(workers, 1):
            claim = Claim(
                id=f"claim-{stream[5:]}-{i}",
                case=stream,
                place=place,
                line=str(i),
                kind=ClaimKind.WAGE,
                headcount=1,
                figures=Figures(claimed=amount),
                worker=self.platform.seal(name, f"person-{stream[5:]}-{i}"),
                debtor=debtor,
                period_from=date(2019, 6, 1),
                period_to=date(2019, 10, 31),
                provenance=at(when, basis=Basis.STATED),
            )
            if verified:
                claim.verify(verified=amount, provenance=at(when, by="officer-00000001", clause="N20"))
            self.platform.record(claim, recorded or when, "officer-00000001")
            claims.append(claim)
        return case, claims

    def pay(self, case: Case, lines: Sequence[tuple[Claim | None, int]], when: datetime, recorded: datetime) -> Payment:
        payment = Payment(
            id=f"payment-{case.id[5:]}-{when:%m%d}",
            case=case.id,
            place=case.particulars.jurisdiction,
            source=MoneySource.WAGE_DEPOSIT,
            purpose=Purpose.WAGE,
            lines=len(lines),
            headcount=len(lines),
            total=sum(amount for _, amount in lines),
            voucher=f"晋付{when:%m%d}号",
            payer=case.particulars.debtor,
            provenance=at(when, received=recorded, basis=Basis.DOCUMENTED),
        )
        for claim, amount in lines:
            payment.credit(
                None if claim is None else claim.id,
                amount,
                1,
                at(when, received=recorded, basis=Basis.DOCUMENTED),
            )
        self.platform.record(payment, recorded, "officer-00000001")
        return payment

    def close(self, case: Case, claims: Sequence[Claim], when: datetime) -> None:
        standing = self.platform.case(case.id).state.case.standing
        case.declare_roster(standing, at(when, by="officer-00000001", clause="N20"))
        case.confirm_roster(standing, at(when, by="officer-00000002", clause="N20"))
        case.propose_closing(Outcome.PAID, "全部付清", standing, at(when, by="officer-00000001", clause="N27"))
        case.approve_closing(standing, at(when, by="officer-00000002", approved="officer-00000002", clause="N27"))
        case.write_off(
            "清零销账", standing, at(when + timedelta(hours=2), by="officer-00000002", clause="N27"), leading_group=True
        )
        self.platform.record(case, when, "officer-00000002")
        for claim in claims:
            claim.follow_up(
                Answer.RECEIVED,
                FollowUpMethod.PHONE,
                at(when + timedelta(days=1), by="officer-00000002", clause="N26"),
                independent=True,
            )
            self.platform.record(claim, when + timedelta(days=1), "officer-00000002")

    def reject(self, case: Case, when: datetime, recorded: datetime) -> None:
        rejected = Claim(
            id="claim-rejected-13",
            case=case.id,
            place=case.particulars.jurisdiction,
            line="13",
            kind=ClaimKind.COMPENSATION,
            headcount=1,
            figures=Figures(claimed=200_000),
            provenance=at(when, basis=Basis.STATED),
        )
        rejected.verify(
            verified=0,
            rejected=200_000,
            ground="无劳动关系",
            told=Told(on="2019-12-19T17:00:00+08:00", how="书面", remedy="仲裁"),
            provenance=at(when, by="officer-00000001", clause="N21"),
        )
        self.platform.record(rejected, recorded, "officer-00000001")


PAID_CASE = "平人社监〔2019〕017号"
"""Three workers, paid on 20 December (recorded on the 21st), written off on the 22nd: cleared."""
LATE_CASE = "盂人社监〔2019〕003号"
"""Received in November, entered only in January: concealed at year end."""
OPEN_CASE = "平人社监〔2019〕021号"
"""Twelve workers, none verified; one more line rejected with remedy."""
OWING_CASE = "郊人社监〔2018〕041号"
"""Historical and handed down; called closed by its source, and still owing."""


def played(kind: LogKind = LogKind.SIMULATION) -> FakePlatform:
    """A small campaign whose every figure a test may rely on; all of it is published."""
    platform = FakePlatform(kind)
    desk = Desk(platform)
    genesis = Genesis(
        id=GENESIS_STREAM,
        kind=kind,
        origin=platform.info.origin,
        root="140300",
        places=PLACES,
        timezone="Asia/Shanghai",
        currency="CNY",
        campaign=WINTER_2019,
        provenance=at(moment(11, 15, 8)),
    )
    platform.record(genesis, moment(11, 15, 8))
    platform.genesis = genesis
    desk.officer(1, "li-jing", "李静")
    desk.officer(2, "wang-tao", "王涛")
    owing, owing_claims = desk.case(
        OWING_CASE,
        moment(11, 20, year=2018),
        recorded=moment(11, 25),
        place="140311",
        classes=(CaseClass.HISTORICAL, CaseClass.HANDED_DOWN),
        funding=Funding.GOVERNMENT,
        debtor="阳泉市鑫达路桥工程有限公司",
        workers=[("赵六", 2_500_000), ("钱七", 1_000_000)],
    )
    paid, claims = desk.case(
        PAID_CASE,
        moment(12, 2),
        place="140321",
        debtor="山西恒通建筑劳务有限公司",
        workers=[("张三", 1_200_000), ("李四", 800_050), ("王五", 950_000)],
    )
    desk.pay(
        owing, [(owing_claims[0], 2_500_000), (owing_claims[1], 300_000), (None, 50_000)], moment(12, 9), moment(12, 12)
    )
    owing.state(
        SourceState(state="已办结", means=StatedMeaning.CLOSED, closed_on=moment(12, 10), outstanding=0),
        at(moment(12, 10), basis=Basis.STATED),
    )
    platform.record(owing, moment(12, 12), "officer-00000001")
    open_case, _ = desk.case(
        OPEN_CASE,
        moment(12, 18),
        place="140321",
        funding=Funding.STATE_OWNED,
        debtor="晋东矿建集团第三分公司",
        workers=[(f"工人{i}", 300_000 + i * 45_000) for i in range(1, 13)],
        verified=False,
    )
    desk.pay(paid, [(claims[0], 1_200_000), (claims[1], 800_050), (claims[2], 950_000)], moment(12, 20), moment(12, 21))
    desk.close(paid, claims, moment(12, 22))
    _, late_claims = late = desk.case(
        LATE_CASE,
        moment(11, 28),
        recorded=moment(1, 10),
        place="140322",
        debtor="盂县宏远装饰工程队",
        workers=[("孙八", 640_000), ("周九", 710_000)],
    )
    desk.reject(open_case, moment(12, 19), moment(1, 10))
    desk.pay(late[0], [(late_claims[0], 700_000)], moment(1, 15), moment(1, 15, 15))
    platform.sealing.publish()
    return platform


def folded(platform: FakePlatform) -> Rows:
    """Every row of every ledger, computed from nothing."""
    return fold_all(platform.catalogue, [recorded for recorded, _ in platform.entries])
