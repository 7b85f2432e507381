"""Evidence ledger (证据材料台账): one row a file and partition that names it; and which files each case, or other partition, has.

Folded from every event whose data hold evidence, whatever its class (`domain/evidence/bearing.py`). A file that two partitions name has
two rows, so that one partition alone ever changes a row. Whether a file is there, is the store's to say (`qingling evidence check`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from domain.catalogue import EVENT_TYPES
from domain.entries import Recorded
from domain.evidence.bearing import bears_evidence, evidence_in
from domain.evidence.media import KINDS
from domain.evidence.sealed_file import NAME_FIELD
from domain.sealing.personal import Sealed
from domain.streams import StreamEvent, Visibility
from domain.vocabulary import Evidence
from projections.ledger import Column, DerivedLedger, Kind, Row, RowLedger, Title

_CASE = "case-"


class NamedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file, its name as it was given first, and the positions of the events that name it, in order."""

    sha256: str
    type: str
    positions: tuple[int, ...]
    name: Sealed | None = None


class DossierRow(Row, frozen=True, kw_only=True):
    """The files that the events of one partition name, in the order in which they came."""

    partition: str
    files: tuple[NamedFile, ...]


def _case_of(partition: str) -> str | None:
    return partition if partition.startswith(_CASE) else None


dossier_ledger = RowLedger(
    "dossier",
    row=DossierRow,
    version=1,
    title=Title("案卷材料目录", "Files of a case"),
    columns=(
        Column("partition", "案卷", "File of", Kind.TEXT, lambda row: row.partition),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: _case_of(row.partition)),
        Column("files", "材料数", "Files", Kind.INTEGER, lambda row: len(row.files)),
        Column("last", "最近附于（位置）", "Named last at", Kind.INTEGER, lambda row: _last(row.files)),
    ),
    orders=("files", "last"),
    filters=("case",),
    search="partition",
)


def _last(files: Iterable[NamedFile]) -> int:
    return max(each.positions[-1] for each in files)


def named(row: DossierRow | None, recorded: Recorded[StreamEvent]) -> DossierRow | None:
    """An event names files, or none."""
    files = {each.sha256: each for each in (() if row is None else row.files)}
    for evidence in evidence_in(recorded.event):
        files[evidence.sha256] = _named_again(files.get(evidence.sha256), evidence, recorded.position)
    if not files:
        return row
    return DossierRow(partition=recorded.envelope.partitionkey, files=tuple(files.values()))


def _named_again(before: NamedFile | None, evidence: Evidence, position: int) -> NamedFile:
    if before is None:
        return NamedFile(sha256=evidence.sha256, type=evidence.type, name=evidence.name, positions=(position,))
    if before.positions[-1] == position:
        return before
    return msgspec.structs.replace(before, name=before.name or evidence.name, positions=(*before.positions, position))


def _partition(recorded: Recorded[StreamEvent]) -> str | None:
    """No row is looked at for an event that names no file, as most do in an import; none is made of what no door hands out."""
    if recorded.envelope.visibility is Visibility.REVIEW or next(evidence_in(recorded.event), None) is None:
        return None
    return recorded.envelope.partitionkey


dossier_ledger.on(
    *dict.fromkeys(each for each in map(EVENT_TYPES.class_of, EVENT_TYPES) if bears_evidence(each)),
    key=_partition,
)(named)


class EvidenceRow(Row, frozen=True, kw_only=True):
    """A file that events of one partition name."""

    partition: str
    file: NamedFile


def _kind(row: EvidenceRow) -> str | None:
    kind = KINDS.get(row.file.type)
    return None if kind is None else kind.value


def _rows(row: DossierRow) -> Mapping[str, EvidenceRow]:
    return {f"{each.sha256}/{row.partition}": EvidenceRow(partition=row.partition, file=each) for each in row.files}


evidence_ledger = DerivedLedger(
    "evidence",
    row=EvidenceRow,
    version=1,
    title=Title("证据材料台账", "Evidence ledger"),
    columns=(
        Column("file", "文件摘要", "File", Kind.TEXT, lambda row: row.file.sha256),
        Column("name", "文件名", "Name", Kind.SEALED, lambda row: row.file.name, sealed_field=NAME_FIELD),
        Column("kind", "种类", "Kind", Kind.TEXT, _kind),
        Column("type", "媒体类型", "Media type", Kind.TEXT, lambda row: row.file.type),
        Column("case", "案件", "Case", Kind.TEXT, lambda row: _case_of(row.partition)),
        Column("partition", "案卷", "File of", Kind.TEXT, lambda row: row.partition),
        Column("first", "首次附于（位置）", "Named first at", Kind.INTEGER, lambda row: row.file.positions[0]),
        Column("last", "最近附于（位置）", "Named last at", Kind.INTEGER, lambda row: row.file.positions[-1]),
        Column("times", "附用次数", "Times named", Kind.INTEGER, lambda row: len(row.file.positions)),
    ),
    orders=("first", "last"),
    filters=("file", "case", "partition", "kind", "type"),
    search="file",
    source=dossier_ledger,
    derive=_rows,
)
