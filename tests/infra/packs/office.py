"""An office with a small real log, the packs it makes, and what somebody with its key could forge."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from domain.canonical import canonical_bytes, sha256_hex
from domain.packs.pack import Selection, SelectionKind
from domain.sealing.checkpoint import Checkpoint, sign_checkpoint
from domain.sealing.encoding import base64_of
from domain.sealing.note import SigningKey
from domain.sealing.sorted_map import Kind, Tally, WholenessMap
from domain.sealing.subset import subset_proof
from domain.sealing.tree import leaf_hash, root_of
from infra.bootstrap import Platform, Settings, initialise, make_pack, open_platform
from infra.packs import layout
from infra.packs.archive import ArchiveWriter
from infra.packs.layout import Withheld
from infra.postgres.embedded import EmbeddedPostgres
from tests.interop.small_pack import Files, reader_of, resealed
from tests.postgres_server import fresh_database

HEAD = [
    *("案件编号", "属地", "受理日期", "欠薪单位", "项目名称", "欠薪人数", "欠薪金额", "核实金额", "已发金额", "余额"),
    "案件状态",
]
BOOK = [
    ["平-1", "平定县", "2019-11-01", "甲建筑公司", "一号工程", "10", "100000", "90000", "0", "90000", "在办"],
    ["平-2", "平定县", "2018-06-05", "=乙劳务公司", "二号工程", "3", "30000", "30000", "30000", "0", "办结"],
    ["盂-1", "盂县", "2019-11-20", "丙公司", "一号工程", "1", "5000", "5000", "6000", "-1000", "办结"],
    ["盂-2", "盂县", "2019-11-21", "丁公司\n二分部", "", "2", "8000", "8000", "3000", "5000", "在办"],
]

SELECTIONS: dict[str, Callable[[Office], Selection]] = {
    "case": lambda office: Selection(kind=SelectionKind.CASE, value=office.cases["平-1"]),
    "project": lambda _: Selection(kind=SelectionKind.PROJECT, value="一号工程"),
    "jurisdiction": lambda _: Selection(kind=SelectionKind.JURISDICTION, value="140322"),
    "all": lambda _: Selection(kind=SelectionKind.ALL),
    "all-office": lambda _: Selection(kind=SelectionKind.ALL),
}


@dataclass
class Office:
    """A deployment with four cases of two counties, an officer and a book, and some packs of it."""

    settings: Settings
    folder: Path
    cases: dict[str, str] = field(default_factory=dict)
    packs: dict[str, Path] = field(default_factory=dict)
    vkey: str = ""
    entries: list[bytes] = field(default_factory=list)

    @classmethod
    def founded(cls, settings: Settings, folder: Path) -> Office:
        """Records the book, and makes a pack of each selection."""
        initialise(settings, origin="test")
        office = cls(settings, folder)
        with office.opened() as platform:
            platform.add_officer("wang", name="王某")
            platform.import_book(a_book(folder, BOOK), mapping="standard", actor="officer-1")
            office.cases = {each.row.number: each.key for each in platform.rows("case")}
            office.vkey = platform.sealing.status().vkeys[0]
            for name, selection in SELECTIONS.items():
                office.packs[name] = folder / f"{name}.zip"
                make_pack(platform, selection(office), office.packs[name], office=name == "all-office")
            office.entries = [each.entry for each in platform.log.read(0, 10_000)]
        return office

    @classmethod
    def on(cls, server: EmbeddedPostgres, folder: Path) -> Office:
        """One with a database of its own."""
        return cls.founded(Settings(data=folder / "data", database_url=fresh_database(server)), folder)

    @contextmanager
    def opened(self) -> Iterator[Platform]:
        with open_platform(self.settings, folding=True) as platform:
            yield platform

    @property
    def key(self) -> SigningKey:
        """The log's own secret."""
        file = next((self.settings.signer_path / "keys").glob("*.skey"))
        return SigningKey.parse(file.read_text("utf-8").strip())

    def files(self, name: str) -> Files:
        """The files of a pack."""
        return unzipped(self.packs[name].read_bytes())


def a_book(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    file = folder / "book.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        csv.writer(target).writerows([HEAD, *rows])
    return file


def unzipped(data: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Files) -> bytes:
    """The zip of these files, the manifest first, as the writer makes it."""
    target = io.BytesIO()
    archive = ArchiveWriter(target)
    for name in [layout.MANIFEST, *(name for name in files if name != layout.MANIFEST)]:
        if name in files:
            archive.add(name, [files[name]])
    archive.finish()
    return target.getvalue()


def key_of(entry: bytes) -> str:
    """The partition key of an entry."""
    key: str = orjson.loads(entry)["partitionkey"]
    return key


def altered(entry: bytes, **data: object) -> bytes:
    """An entry whose data say something else."""
    attributes = orjson.loads(entry)
    attributes["data"].update(data)
    return canonical_bytes(attributes)


@dataclass
class Forgery:
    """A pack made anew by who has the log's key, honest in all but what a test changes before `files`.

    `history` are the entries up to P; `committed` what the commitment is made over, where that is not the same.
    """

    office: Office
    history: list[bytes]
    pack: Files
    manifest: dict[str, Any]
    committed: list[bytes] | None = None
    positions: list[int] = field(default_factory=list)
    withheld: dict[int, Withheld] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    commitment: dict[str, Any] = field(default_factory=dict)
    key: SigningKey | None = None
    between: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, office: Office, name: str) -> Forgery:
        """A forgery that is the honest pack still."""
        pack = office.files(name)
        manifest = orjson.loads(pack[layout.MANIFEST])
        withheld = layout.parse_withheld(pack[layout.WITHHELD])
        count = manifest["entries"] + len(withheld)
        positions = layout.parse_positions(pack[layout.POSITIONS], count)
        return cls(
            office,
            office.entries[: manifest["upto"]],
            pack,
            manifest,
            positions=[position for position in positions if position <= manifest["upto"]],
            withheld=withheld,
        )

    @property
    def partitions(self) -> list[str]:
        names: list[str] = self.manifest["partitions"]
        return names

    def map(self) -> WholenessMap:
        tally = Tally(Kind.PARTITION)
        for entry in self.history if self.committed is None else self.committed:
            tally.add(key_of(entry), leaf_hash(entry))
        return tally.map()

    def ledger(self, name: str, change: Callable[[str], str]) -> None:
        """Changes the text of a csv."""
        file = layout.ledger_file(name, "csv")
        before = self.pack[file].decode()
        after = change(before)
        assert after != before, "the change changes nothing"
        self.pack[file] = after.encode()

    def _ledger(self, announced: dict[str, Any]) -> dict[str, Any]:
        """What is announced of a ledger, with the digests of the files as they are now."""
        name = announced["name"]
        digests = {each: sha256_hex(self.pack[layout.ledger_file(name, each)]) for each in ("csv", "xlsx")}
        return {**announced, **digests}

    def files(self) -> Files:
        """Everything that follows, made anew."""
        original, manifest = self.office.entries, dict(self.manifest)
        partitions = self.map()
        upto = len(self.history)
        hidden = layout.print_withheld(self.withheld)
        commitment = altered(
            original[self.manifest["wholeness"] - 1],
            **{
                "upto": upto,
                "partitions": {"size": partitions.head.size, "root": partitions.head.root.hex()},
                **self.commitment,
            },
        )
        ledgers = [self._ledger(each) for each in orjson.loads(original[self.manifest["made"] - 1])["data"]["ledgers"]]
        wholeness = upto + 1
        made = wholeness + len(self.between) + 1
        announced = altered(
            original[self.manifest["made"] - 1],
            **{
                "upto": upto,
                "wholeness": wholeness,
                "withheld": sha256_hex(hidden),
                "ledgers": ledgers,
                **self.said,
            },
        )
        log = [*self.history, commitment, *self.between, announced]
        leaves = [leaf_hash(entry) for entry in log]
        packed = [*self.positions, wholeness, made]
        key = self.office.key if self.key is None else self.key
        note = sign_checkpoint(Checkpoint(key.name, len(log), root_of(leaves)), [key])
        proof = subset_proof([at - 1 for at in packed], len(log), reader_of(leaves))
        presence = partitions.prove_together(self.partitions)
        self.pack |= {
            layout.CHECKPOINT: note,
            layout.PROOF: "".join(base64_of(node) + "\n" for node in proof).encode(),
            layout.POSITIONS: b"".join(layout.print_positions(packed)),
            layout.ENTRIES: b"".join(log[at - 1] + b"\n" for at in packed if at not in self.withheld),
            layout.WITHHELD: hidden,
            layout.WHOLENESS: layout.print_wholeness(self.partitions, presence),
        }
        manifest |= {
            "entries": len(packed) - len(self.withheld),
            "made": made,
            "size": len(log),
            "upto": upto,
            "wholeness": wholeness,
        }
        return resealed(self.pack, manifest)


def saying(files: Files, changes: Mapping[str, Any]) -> Files:
    """The files under a manifest that says something else, its digests in order."""
    return resealed(files, {**orjson.loads(files[layout.MANIFEST]), **changes})
