"""The composition root: the only place where the parts are put together, and all that the doors may import of `infra`.

A real log is created by `initialise`, an explicit act; opening never creates one. Start-up runs what normal running runs: migrations
that are missing, ledgers that are outdated, the same fold engine.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from domain.campaigns.campaign import WINTER_2019, Campaign
from domain.campaigns.genesis import GENESIS_STREAM, Genesis, LogKind
from domain.catalogue import EVENT_TYPES
from domain.errors import LogMismatchError, NotFoundError, RuleError, SettingsError
from domain.jurisdictions import Jurisdiction, JurisdictionTree
from domain.sealing.checkpoint import parse_checkpoint
from domain.sealing.note import parse_note
from domain.sealing.policy import Policy
from domain.streams import Context, Provenance
from infra.books.mapping_files import load_mapping, shipped_mappings
from infra.books.sheet_text import SHEET_BYTES, sheet_text
from infra.clock import Clock
from infra.evidence import FolderEvidence
from infra.folding.engine import Engine
from infra.folding.leader import EngineConfig
from infra.importing import ImportProgress
from infra.jurisdictions import YANGQUAN, load_tree
from infra.keyring import Keyring
from infra.packs.selection import selection_of
from infra.packs.trust import ProofReport, Trusted, small_file, trusted_by, verify_proof
from infra.packs.verify import PackReport, Rule, verify_pack
from infra.packs.writer import MadePack, make_pack
from infra.platform import (
    CaseView,
    EventView,
    ExportReceipt,
    ImportReport,
    LedgerTotals,
    LogInfo,
    Platform,
    PlatformStatus,
    WhyView,
)
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import Pool, connect, translated
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres
from infra.postgres.fsck import Finding, fsck
from infra.postgres.ledger_reader import LedgerReader, Page, VersionedRow
from infra.postgres.ledger_store import LedgerStore
from infra.postgres.migrations import migrate
from infra.postgres.recorder import PostgresLog
from infra.postgres.vault import PostgresVault
from infra.sample.playing import SampleProgress, SampleReport, play
from infra.sealing.findings import TamperFinding, TamperReport
from infra.sealing.own_stream import OwnStream
from infra.sealing.provable_log import ProvableLog
from infra.sealing.publisher import read_policy
from infra.sealing.recovery import RecoveryReport, recover
from infra.sealing.signer import Signer
from infra.sealing.standing import Folders, SealingStatus
from infra.sealing.store import TileStore
from infra.sealing.tamper import tamper_report
from infra.settings import CHECKOUT, Settings
from infra.settings import load as load_settings
from infra.streams import StreamStore
from infra.thumbnail import thumbnail
from infra.witness import WitnessDesk, WitnessedLog
from projections.catalogue import catalogue

if TYPE_CHECKING:
    from infra.folding.feed import Feed
    from infra.kafka.cluster import KafkaConfig  # its client takes long to load, and few need it
    from infra.kafka.relay import Relay
    from infra.kafka.worker import Worker
    from infra.postgres.ledger_store import LedgerSession
    from projections.ledger import Catalogue

__all__ = [
    "CHECKOUT",
    "SHEET_BYTES",
    "YANGQUAN",
    "CaseView",
    "EventView",
    "ExportReceipt",
    "Finding",
    "ImportProgress",
    "ImportReport",
    "LedgerTotals",
    "LogInfo",
    "MadePack",
    "PackReport",
    "Page",
    "Platform",
    "PlatformStatus",
    "ProofReport",
    "RecoveryReport",
    "Rule",
    "SampleProgress",
    "SampleReport",
    "SealingStatus",
    "Settings",
    "TamperFinding",
    "TamperReport",
    "Trusted",
    "VersionedRow",
    "WhyView",
    "WitnessDesk",
    "WitnessedLog",
    "compare_log",
    "initialise",
    "is_initialised",
    "load_mapping",
    "load_settings",
    "make_pack",
    "open_engine",
    "open_platform",
    "open_relay",
    "open_worker",
    "recover_log",
    "run_sample",
    "selection_of",
    "sheet_text",
    "shipped_mappings",
    "small_file",
    "thumbnail",
    "trusted_by",
    "verify_pack",
    "verify_proof",
]

DATABASE = "qingling"
"""Name of the database within the embedded server."""
CAMPAIGNS: dict[str, Campaign] = {WINTER_2019.name: WINTER_2019}
ZONE = "Asia/Shanghai"
_SIMULATED = "-simulation-"
"""Stands in the origin of every simulation, since a checkpoint has no other place for it."""
CURRENCY = "CNY"


def initialise(
    settings: Settings,
    *,
    origin: str,
    kind: LogKind = LogKind.REAL,
    tree: Path = YANGQUAN,
    campaign: str = WINTER_2019.name,
    now: datetime | None = None,
    actor: str = "system",
    succeeds: bytes | None = None,
) -> LogInfo:
    """Creates keys, schema, the log's first event, which never changes, and the key that signs for it. `origin` gets a random suffix.

    `succeeds` is the last signed checkpoint of a log that was lost: the new log cites it.

    Raises:
        RuleError: there is a log already, or a signer of another one.
        NotFoundError: no such campaign.
        SettingsError: the keys are there, but no log.
        VerificationError: `succeeds` is no signed checkpoint.
    """
    if campaign not in CAMPAIGNS:
        raise NotFoundError(f"there is no campaign {campaign!r}; there are {', '.join(CAMPAIGNS)}")
    if (kind is LogKind.SIMULATION) != (now is not None):
        raise RuleError("only a simulation plays its times", rule="simulation-plays", clause="design: genesis")
    jurisdictions = load_tree(tree)
    places = tuple(jurisdictions)
    with ExitStack() as stack:
        dsn = stack.enter_context(_database(settings))
        migrate(dsn)
        log = stack.enter_context(_writer(dsn))
        if log.head().position:
            raise RuleError(
                f"there is a log already in {_where(settings)}", rule="genesis-once", clause="design: genesis"
            )
        _refuse_foreign_keys(settings.signer_path)
        if not settings.keyring_path.exists():
            Keyring.create(settings.keyring_path)
        full_origin = _origin(origin, kind)
        moment = datetime.now(UTC) if now is None else now
        genesis = Genesis(
            id=GENESIS_STREAM,
            kind=kind,
            origin=full_origin,
            root=_root(places),
            places=places,
            timezone=ZONE,
            currency=CURRENCY,
            campaign=CAMPAIGNS[campaign],
            provenance=Provenance(occurred=moment, received=moment),
        )
        if succeeds is not None:
            _cite(genesis, succeeds, moment)
        streams = StreamStore(log, EVENT_TYPES, _source(full_origin))
        streams.commit(genesis, context=Context(actor=actor, correlation="genesis"), now=now)
        info = _info(genesis)
        _provable_log(settings, info, log, streams).rotate_key(None, actor)
        return info


def _refuse_foreign_keys(signer: Path) -> None:
    """Keys that are there already are never overwritten, and never sign for another log."""
    if Signer.origin_of(signer) is not None:
        raise RuleError(
            f"{signer} holds the keys of another log; keep them, and name another folder with the setting `signer`",
            rule="signer-once",
            clause="design: the provable log",
        )


def _cite(genesis: Genesis, note: bytes, moment: datetime) -> None:
    """The new log says where the lost one ended."""
    checkpoint = parse_checkpoint(parse_note(note).text)
    genesis.continue_from(checkpoint, note.decode(), Provenance(occurred=moment, received=moment))


SAMPLE_BEGINS = datetime(2019, 11, 15, 8, 0, tzinfo=ZoneInfo(ZONE))
"""When the sample's log begins: the first morning of the campaign."""


def run_sample(settings: Settings, progress: Callable[[SampleProgress], None] | None = None) -> SampleReport:
    """Plays the sample campaign into the data folder, which must not be there yet.

    It is played beside it and moved there when it is whole, so that a play that was interrupted leaves no half a winter.

    Raises:
        RuleError: the data folder is there, or the settings name a database: the sample has its own.
    """
    if settings.database_url:
        raise RuleError(
            "the sample is played into a folder, not a configured database",
            rule="sample-folder",
            clause="design: doors",
        )
    if settings.data.exists() and any(settings.data.iterdir()):
        raise RuleError(f"{settings.data} holds something already", rule="sample-once", clause="design: doors")
    beside = settings.data.with_name(f".{settings.data.name}.playing")
    if beside.exists():
        shutil.rmtree(beside)
    played = replace(settings, data=beside, keyring="", evidence="", signer=str(beside) + ".signer")
    _forget_simulated(played.signer_path)
    _forget_simulated(settings.signer_path)
    _refuse_foreign_keys(settings.signer_path)
    info = initialise(played, origin="yangquan", kind=LogKind.SIMULATION, now=SAMPLE_BEGINS)
    with ExitStack() as stack:
        dsn = stack.enter_context(_database(played))
        log = stack.enter_context(_writer(dsn))
        vault = stack.enter_context(_vault(dsn, played))
        report = play(log, StreamStore(log, EVENT_TYPES, _source(info.origin)), vault, info, progress=progress)
    if settings.data.exists():
        settings.data.rmdir()
    settings.signer_path.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(
        played.signer_path, settings.signer_path
    )  # before the data: a signer without a log is thrown away and made again
    beside.rename(settings.data)
    return report


def _forget_simulated(signer: Path) -> None:
    """Removes the signer of a simulation that is gone: its signatures never meant anything. That of a real log stays, and is refused."""
    if _SIMULATED in (Signer.origin_of(signer) or ""):
        shutil.rmtree(signer)


def is_initialised(settings: Settings) -> bool:
    """Whether a log was created in the data folder, or in the configured database."""
    if not settings.database_url and not (settings.data / "postgres").exists():
        return False
    with _database(settings) as dsn:
        migrate(dsn)
        with _writer(dsn) as log:
            return log.head().position > 0


@contextmanager
def open_relay(settings: Settings) -> Iterator[Relay]:
    """The relay of an existing log to Kafka; it runs where it is told to.

    Raises:
        NotFoundError: there is no log.
        SettingsError: no Kafka is configured, or its client's options cannot be read.
    """
    from infra.kafka.relay import SESSIONS, Relay

    config = _kafka(settings)
    with _existing_log(settings, SESSIONS) as (dsn, log, info):
        yield Relay(log, dsn, config, info.origin)


@contextmanager
def open_worker(settings: Settings) -> Iterator[Worker]:
    """One of the workers that keep the ledgers of an existing log together, fed by Kafka; it runs where it is told to.

    Raises:
        NotFoundError: there is no log.
        SettingsError: no Kafka is configured, its client's options cannot be read, or ledgers cannot be folded from its partitions.
    """
    from infra.kafka.worker import Worker

    config = _kafka(settings)
    with _existing_log(settings) as (dsn, log, info), _ledgers(dsn, info) as (ledgers, store):
        yield Worker(log, config, info.origin, lambda feed: _engine(settings, log, store, ledgers, feed))


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """The fold engine of an existing log, fed by the log itself; it runs where it is told to.

    Raises:
        NotFoundError: there is no log.
    """
    with _existing_log(settings) as (dsn, log, info), _ledgers(dsn, info) as (ledgers, store):
        engine = _engine(settings, log, store, ledgers)
        try:
            yield engine
        finally:
            engine.stop()


def _kafka(settings: Settings) -> KafkaConfig:
    from infra.kafka.cluster import KafkaConfig, client_options

    if not settings.kafka:
        raise SettingsError("no Kafka is configured: set `kafka` to its brokers (host:port)")
    return KafkaConfig(
        settings.kafka,
        settings.kafka_topic,
        settings.kafka_partitions,
        settings.kafka_replicas,
        in_sync=max(1, settings.kafka_replicas - 1),
        options=client_options(settings.kafka_client),
    )


@contextmanager
def _existing_log(
    settings: Settings, sessions: RecorderConfig | None = None
) -> Iterator[tuple[str, PostgresLog, LogInfo]]:
    with ExitStack() as stack:
        if not settings.database_url and not (settings.data / "postgres").exists():
            raise NotFoundError(f"there is no log in {settings.data}; `qingling init` creates one")
        dsn = stack.enter_context(_database(settings))
        migrate(dsn)
        log = stack.enter_context(_writer(dsn, sessions))
        genesis = _genesis(log)
        if genesis is None:
            raise NotFoundError(f"there is no log in {_where(settings)}; `qingling init` creates one")
        yield dsn, log, _info(genesis)


@contextmanager
def _ledgers(dsn: str, info: LogInfo) -> Iterator[tuple[Catalogue, LedgerStore]]:
    ledgers = catalogue(info.campaign, info.zone)
    store = LedgerStore(dsn, RecorderConfig(role="qingling_projector"), ledgers)
    try:
        yield ledgers, store
    finally:
        store.close()


def _engine(
    settings: Settings,
    log: PostgresLog,
    store: LedgerStore,
    ledgers: Catalogue,
    feed: Callable[[LedgerSession], Feed] | None = None,
) -> Engine:
    return Engine(log, store, ledgers, EVENT_TYPES, EngineConfig(rebuild_rows=settings.rebuild_rows), feed=feed)


@contextmanager
def open_platform(settings: Settings, *, folding: bool = False, sealing: bool = False) -> Iterator[Platform]:
    """The platform of an existing log. With `folding` the fold engine runs in this process, with `sealing` what seals and publishes,
    each if no other process does so already.

    Raises:
        NotFoundError: there is no log; `qingling init` creates one.
        SettingsError: the keys are missing or readable by others.
    """
    with ExitStack() as stack:
        dsn, log, info = stack.enter_context(_existing_log(settings))
        if not settings.keyring_path.exists():
            raise SettingsError(f"the keys of {info.origin} are not at {settings.keyring_path}")
        ledgers, store = stack.enter_context(_ledgers(dsn, info))
        vault = stack.enter_context(_vault(dsn, settings))
        reader = LedgerReader(dsn, RecorderConfig(role="qingling_reader"), ledgers)
        stack.callback(reader.close)
        engine = _engine(settings, log, store, ledgers)
        if folding:
            engine.start()
        stack.callback(engine.stop)
        streams = StreamStore(log, EVENT_TYPES, _source(info.origin))
        provable = _provable_log(settings, info, log, streams)
        stack.callback(provable.stop)
        provable.check_end()
        if sealing:
            provable.start()
        files = FolderEvidence(settings.evidence_path, vault, vault)
        files.remove_leftovers()
        yield Platform(
            settings,
            info,
            types=EVENT_TYPES,
            catalogue=ledgers,
            log=log,
            streams=streams,
            vault=vault,
            reader=reader,
            engine=engine,
            folding=folding,
            check=partial(fsck, dsn),
            sealing=provable,
            files=files,
        )


def recover_log(settings: Settings, progress: Callable[[int, int], None] | None = None) -> RecoveryReport:
    """Brings a database that was restored, or lost, and a folder of tiles that was lost back to what was signed last.

    See `infra.sealing.recovery`. The signer says which log it is, so the database may be empty.

    Raises:
        SettingsError: there is no signer, or it cannot be used.
        NotReadyError, LogMismatchError, VerificationError, RecordingError: as `recover`.
    """
    origin = Signer.origin_of(settings.signer_path)
    if origin is None:
        raise SettingsError(f"there is no signer at {settings.signer_path}, so nothing says what was signed")
    with ExitStack() as stack:
        signer = Signer.open(settings.signer_path, origin)
        dsn = stack.enter_context(_database(settings))
        migrate(dsn)
        log = stack.enter_context(_writer(dsn))
        return recover(dsn, log, TileStore(settings.tiles_path), signer, progress)


def compare_log(
    settings: Settings, progress: Callable[[int, int], None] | None = None, *, all_commitments: bool = False
) -> TamperReport:
    """Everything that is stored, compared with everything else and with what was signed; see `infra.sealing.tamper`.

    Opens no platform, since what is damaged may be what a platform begins with. Where the signer is not, the log is held against
    what was published.

    Raises:
        NotFoundError: there is no database.
        SettingsError: the signer, or the policy of the witnesses, cannot be used.
        StoreUnreachableError, StoreFailedError: the database cannot be read.
    """
    if not settings.database_url and not (settings.data / "postgres").exists():
        raise NotFoundError(f"there is no log in {settings.data}; `qingling init` creates one")
    origin = Signer.origin_of(settings.signer_path)
    with ExitStack() as stack:
        signer = None if origin is None else Signer.open(settings.signer_path, origin)
        dsn = stack.enter_context(_database(settings))
        migrate(dsn)
        log = stack.enter_context(_writer(dsn))
        return tamper_report(
            log,
            TileStore(settings.tiles_path),
            signer,
            read_policy(Path(settings.witnesses)) if settings.witnesses else Policy(),
            EVENT_TYPES,
            laws=fsck(dsn),
            all_commitments=all_commitments,
            progress=progress,
        )


def _provable_log(settings: Settings, info: LogInfo, log: PostgresLog, streams: StreamStore) -> ProvableLog:
    return ProvableLog(
        log,
        OwnStream(log, streams, EVENT_TYPES, Clock(log, info.kind), info.zone),
        Folders(settings.tiles_path, settings.signer_path, Path(settings.witnesses) if settings.witnesses else None),
        origin=info.origin,
        interval=settings.seal_interval / 1000,
    )


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The libpq URL of the deployment's database, the embedded server started if it is that."""
    if settings.database_url:
        yield settings.database_url
        return
    settings.data.mkdir(parents=True, exist_ok=True)
    with EmbeddedPostgres(EmbeddedConfig(data=settings.data)) as server:
        _create_database(server.url())
        yield server.url(database=DATABASE)


def _create_database(dsn: str) -> None:
    connection = connect(dsn, RecorderConfig())
    try:
        connection.autocommit = True
        with translated("creating the database"), connection.cursor() as cursor:
            cursor.execute("select 1 from pg_database where datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"create database {DATABASE}")
    finally:
        connection.close()


def _writer(dsn: str, config: RecorderConfig | None = None) -> PostgresLog:
    return PostgresLog(dsn, replace(config or RecorderConfig(), role="qingling_writer"))


@contextmanager
def _vault(dsn: str, settings: Settings) -> Iterator[PostgresVault]:
    pool = Pool(dsn, RecorderConfig(role="qingling_writer"))
    try:
        yield PostgresVault(pool, Keyring.open(settings.keyring_path))
    finally:
        pool.close()


def _genesis(log: PostgresLog) -> Genesis | None:
    stored = log.read_stream(GENESIS_STREAM)
    if not stored:
        if log.head().position:
            raise LogMismatchError("the log has events, but does not begin with what it is")
        return None
    genesis: Genesis | None = None
    for entry in stored:
        event = EVENT_TYPES.decode(entry).event
        genesis = event.mutate(genesis)
    return genesis


def _info(genesis: Genesis) -> LogInfo:
    return LogInfo(
        kind=genesis.kind,
        origin=genesis.origin,
        root=genesis.root,
        zone=ZoneInfo(genesis.timezone),
        currency=genesis.currency,
        campaign=genesis.campaign,
        tree=genesis.tree,
    )


def _origin(name: str, kind: LogKind) -> str:
    """The log's name for ever: a random suffix parts two logs of one name, and a simulation says that it is one."""
    middle = _SIMULATED if kind is LogKind.SIMULATION else "-"
    return f"{name}{middle}{secrets.token_hex(4)}"


def _source(origin: str) -> str:
    return f"urn:qingling:{origin}"


def _where(settings: Settings) -> str:
    return "the configured database" if settings.database_url else str(settings.data)


def _root(places: tuple[Jurisdiction, ...]) -> str:
    """The jurisdiction that the deployment is for: the deepest one that all others lie under or above."""
    tree = JurisdictionTree(places)
    root = next(place for place in tree if place.parent is None)
    while len(children := tree.children(root.code)) == 1:
        root = children[0]
    return root.code
