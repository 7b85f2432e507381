"""Somebody with every right over database and files alters the log: sealing refuses, or the tamper report says where; an honest loss
is recovered from.

All of it against a real PostgreSQL, as its superuser: triggers switched off, rows changed under them, dumps restored by `pg_restore`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.errors import LogMismatchError, VerificationError
from domain.sealing.bundles import decode_bundle, encode_bundle
from domain.sealing.checkpoint import Checkpoint
from domain.sealing.tree import leaf_hash, verify_consistency
from infra.postgres.embedded import binaries
from infra.postgres.fsck import fsck
from infra.sealing.findings import TamperFinding, TamperRule
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from infra.sealing.tree import SealedTree
from tests.drafts import a_batch
from tests.infra.sealing.deployment import ORIGIN, Deployment
from tests.migrated import execute, log_url

__all__ = ["log_url"]

PAST_THE_GUARDS = """
    alter table qingling.event disable trigger all; {statement};
    alter table qingling.event enable trigger user;
    alter table qingling.event enable always trigger event_is_never_changed;
    alter table qingling.event enable always trigger event_is_never_emptied"""
FAR = 300
"""A position deep in the log: in a full bundle, and signed long ago."""
LAST = 702


@pytest.fixture
def deployment(tmp_path: Path, log_url: str) -> Deployment:
    """702 entries, signed at 302 and 702."""
    deployment = Deployment(tmp_path, log_url)
    deployment.record(299)
    deployment.seal()
    deployment.record(400)
    deployment.seal()
    assert deployment.report().is_clean
    return deployment


def alter(deployment: Deployment, statement: str) -> None:
    execute(deployment.url, PAST_THE_GUARDS.format(statement=statement))


def found(deployment: Deployment) -> list[TamperFinding]:
    """What the report finds beside the broken laws of the database."""
    return [finding for finding in deployment.report().findings if finding.rule is not TamperRule.LAW_BROKEN]


def only(deployment: Deployment) -> TamperFinding:
    (finding,) = found(deployment)
    return finding


def refused(deployment: Deployment, match: str) -> None:
    """The next start of sealing refuses, and signs nothing."""
    last = deployment.signer.last()
    with pytest.raises((LogMismatchError, VerificationError), match=match):
        deployment.seal()
    assert deployment.signer.last() == last


def goes_on(deployment: Deployment) -> None:
    """More is recorded, sealed and published, and the new checkpoint extends the one before."""
    old = deployment.signer.last()
    deployment.record(30)
    deployment.seal()
    new = deployment.signer.last()
    assert old is not None
    assert new is not None
    assert new.size > old.size
    proof = SealedTree(deployment.store).consistency(old.size, new.size)
    verify_consistency(old.size, old.root, new.size, new.root, proof)
    assert deployment.report().is_clean


# -------------------------------------------------------------------------------------------------------- the database


@pytest.mark.parametrize("position", [FAR, LAST])
def test_one_changed_byte_of_an_entry(deployment: Deployment, position: int) -> None:
    before = deployment.entries()[position - 1].entry
    alter(
        deployment,
        f"update qingling.event set entry = set_byte(entry, 20, get_byte(entry, 20) # 1) where position = {position}",
    )

    finding = only(deployment)
    assert (finding.rule, finding.position, finding.last) == (TamperRule.ENTRY_CHANGED, position, position)
    assert finding.intact
    assert finding.vouched
    assert finding.sealed == leaf_hash(before).hex()
    if position == LAST:
        refused(deployment, f"the entry at position {LAST} of the log is not the one that was sealed")


def test_a_deleted_row_with_the_rest_renumbered(deployment: Deployment) -> None:
    alter(
        deployment,
        f"""delete from qingling.event where position = {FAR};
            update qingling.event set position = position + 1000000 where position > {FAR};
            update qingling.event set position = position - 1000001 where position > 1000000""",
    )

    finding = only(deployment)
    assert (finding.rule, finding.position, finding.last) == (TamperRule.ROWS_RENUMBERED, FAR, LAST)
    assert finding.shift == 1
    refused(deployment, "the entry at position 513 of the log is not the one that was sealed")


def test_a_deleted_row_hidden_by_one_that_is_added_at_the_end(deployment: Deployment) -> None:
    alter(
        deployment,
        f"""delete from qingling.event where position = {FAR};
            update qingling.event set position = position + 1000000 where position > {FAR};
            update qingling.event set position = position - 1000001 where position > 1000000""",
    )
    with deployment.log() as log:
        log.append(a_batch("case-new"))

    first, second = found(deployment)
    assert (first.rule, first.position, first.last) == (TamperRule.ROWS_RENUMBERED, FAR, LAST - 1)
    assert (second.rule, second.position) == (TamperRule.ENTRY_REPLACED, LAST)
    refused(deployment, "the entry at position 513 of the log is not the one that was sealed")


def test_a_deleted_row_that_leaves_a_gap(deployment: Deployment) -> None:
    alter(deployment, f"delete from qingling.event where position = {FAR}")

    finding = only(deployment)
    assert (finding.rule, finding.position, finding.last) == (TamperRule.ROW_MISSING, FAR, FAR)
    laws = [each for each in deployment.report().findings if each.rule is TamperRule.LAW_BROKEN]
    assert [(law.position, law.detail) for law in laws] == [(FAR + 1, f"dense positions: follows position {FAR - 1}")]


@pytest.mark.parametrize("other", [FAR + 1, LAST])
def test_two_swapped_rows(deployment: Deployment, other: int) -> None:
    alter(
        deployment,
        f"""update qingling.event set position = 1000000 where position = {FAR};
            update qingling.event set position = {FAR} where position = {other};
            update qingling.event set position = {other} where position = 1000000""",
    )

    finding = only(deployment)
    assert (finding.rule, finding.position, finding.shift) == (TamperRule.ROWS_SWAPPED, FAR, other - FAR)
    if other == LAST:
        refused(deployment, f"position {LAST}")


def test_columns_that_no_longer_say_what_the_entry_says(deployment: Deployment) -> None:
    alter(deployment, f"update qingling.event set stream = 'case-elsewhere' where position = {FAR}")

    findings = deployment.report().findings
    assert {(finding.rule, finding.position) for finding in findings} == {(TamperRule.LAW_BROKEN, FAR)}


# ----------------------------------------------------------------------------------------------------------- the files


@pytest.mark.parametrize(("path", "first", "last"), [("tile/0/001", 257, 257), ("tile/1/000.p/2", 1, 256)])
def test_an_edited_tile(deployment: Deployment, path: str, first: int, last: int) -> None:
    file = deployment.store.folder / path
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])

    finding = only(deployment)
    assert (finding.rule, finding.path) == (TamperRule.TILE_CHANGED, path)
    assert (finding.position, finding.last) == (first, last)
    assert finding.vouched
    if path == "tile/1/000.p/2":
        refused(deployment, "was altered: the tiles at the right edge do not give the root")


@pytest.mark.parametrize(("path", "at"), [("tile/entries/001", 43), ("tile/entries/002.p/190", 0)])
def test_an_edited_bundle(deployment: Deployment, path: str, at: int) -> None:
    file = deployment.store.folder / path
    width = 190 if "190" in path else 256
    entries = decode_bundle(file.read_bytes(), width)
    entries[at] = entries[at].replace(b"case-", b"else-")
    file.write_bytes(encode_bundle(entries))

    position = FAR if at else 513
    finding = only(deployment)
    assert (finding.rule, finding.path) == (TamperRule.BUNDLE_CHANGED, path)
    assert (finding.position, finding.last) == (position, position)
    if not at:
        refused(deployment, f"the first difference is at position {position}")


def test_an_entry_changed_in_database_and_bundle_alike(deployment: Deployment) -> None:
    alter(
        deployment,
        f"update qingling.event set entry = set_byte(entry, 20, get_byte(entry, 20) # 1) where position = {FAR}",
    )
    file = deployment.store.folder / "tile/entries/001"
    entries = decode_bundle(file.read_bytes(), 256)
    entries[FAR - 257] = deployment.entries()[FAR - 1].entry
    file.write_bytes(encode_bundle(entries))

    assert sorted((finding.rule.value, finding.position) for finding in found(deployment)) == [
        ("bundle-changed", FAR),
        ("entry-changed", FAR),
    ]


# ------------------------------------------------------------------------------------------------- yesterday's backup


def run(program: str, *arguments: str | Path) -> None:
    subprocess.run([binaries() / program, *arguments], check=True, env={**os.environ, "LC_ALL": "C"})


@contextmanager
def yesterday(deployment: Deployment, database_url: str, folder: Path) -> Iterator[Path]:
    """A dump taken now; the block records what comes after; then the deployment's database is the restored dump."""
    dump = folder / "dump"
    run("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={deployment.url}")
    yield dump
    run("pg_restore", "--exit-on-error", f"--dbname={database_url}", dump)
    deployment.url = database_url


def test_a_restored_backup_that_is_written_on(deployment: Deployment, database_url: str, tmp_path: Path) -> None:
    with yesterday(deployment, database_url, tmp_path):
        deployment.record(100)
        deployment.seal()
    assert deployment.report().recorded == LAST
    with deployment.log() as log:
        list(log.append_bulk(a_batch(f"other-{n}") for n in range(120)))

    refused(deployment, "the entry at position 769 of the log is not the one that was sealed")
    finding = only(deployment)
    assert (finding.rule, finding.position, finding.last) == (TamperRule.ENTRY_REPLACED, LAST + 1, LAST + 100)
    assert finding.vouched
    with pytest.raises(LogMismatchError, match=f"positions {LAST + 1}–{LAST + 100}"):
        deployment.recover()


def test_a_restored_backup_with_the_folder_restored_as_well(
    deployment: Deployment, database_url: str, tmp_path: Path
) -> None:
    shutil.copytree(deployment.store.folder, tmp_path / "folder")
    with yesterday(deployment, database_url, tmp_path):
        deployment.record(100)
        deployment.seal()
    shutil.rmtree(deployment.store.folder)
    shutil.copytree(tmp_path / "folder", deployment.store.folder)
    deployment.store = TileStore(deployment.store.folder)
    with deployment.log() as log:
        list(log.append_bulk(a_batch(f"other-{n}") for n in range(120)))

    refused(deployment, r"position")
    rules = {finding.rule for finding in found(deployment)}
    assert {TamperRule.TREE_BEHIND, TamperRule.CHECKPOINT_ROOT} <= rules


def test_an_honest_restore_is_recovered_from(deployment: Deployment, database_url: str, tmp_path: Path) -> None:
    with yesterday(deployment, database_url, tmp_path):
        deployment.record(100)
        deployment.seal()
        before = deployment.entries()

    refused(deployment, f"the log ends at position {LAST}, and {LAST + 100} positions .*`qingling log recover`")
    finding = only(deployment)
    assert (finding.rule, finding.position, finding.last) == (TamperRule.LOG_ENDS_EARLY, LAST + 1, LAST + 100)

    report = deployment.recover()

    assert (report.refilled, report.recorded) == (100, LAST + 100)
    assert deployment.entries() == before
    assert fsck(deployment.url) == []
    assert deployment.report().is_clean
    goes_on(deployment)


def test_a_restore_whose_unsigned_tail_is_gone_is_recovered_from(
    deployment: Deployment, database_url: str, tmp_path: Path
) -> None:
    with yesterday(deployment, database_url, tmp_path):
        deployment.record(100)
        deployment.seal(sign=False)

    findings = found(deployment)
    assert [(each.rule, each.position, each.last) for each in findings] == [
        (TamperRule.UNSIGNED_TAIL, LAST + 1, LAST + 100)
    ]
    report = deployment.recover()
    assert (report.refilled, report.discarded) == (0, 100)
    assert deployment.report().is_clean
    goes_on(deployment)


# ------------------------------------------------------------------------------------------------------ second signer


def test_a_signer_refuses_what_its_copy_has_signed(deployment: Deployment, log_url: str, tmp_path: Path) -> None:
    """Two signers with the same state part ways; each refuses the other's history. Only a witness tells which the world has seen."""
    copy = tmp_path / "copied"
    shutil.copytree(deployment.signer.folder, copy / "signer")
    shutil.copytree(deployment.store.folder, copy / "log")
    deployment.record(50)
    deployment.seal()

    second = Signer.open(copy / "signer", ORIGIN)
    hidden = Checkpoint(ORIGIN, LAST + 60, bytes(32))
    with pytest.raises(LogMismatchError, match=f"does not extend the last one that was signed, of {LAST + 50} leaves"):
        deployment.signer.sign(hidden, [])
    with pytest.raises(LogMismatchError, match=f"does not extend the last one that was signed, of {LAST} leaves"):
        second.sign(hidden, [])


def test_a_checkpoint_of_a_second_signer_that_was_published_here_is_found(
    deployment: Deployment, database_url: str, tmp_path: Path
) -> None:
    shutil.copytree(deployment.signer.folder, tmp_path / "copied")
    with yesterday(deployment, database_url, tmp_path):
        deployment.record(50)
        deployment.seal()
    own = deployment.signer
    folder = deployment.store.folder
    shutil.copytree(folder, tmp_path / "apart")

    with deployment.log() as log:
        list(log.append_bulk(a_batch(f"other-{n}") for n in range(80)))
        _seal_apart(log, tmp_path / "apart", tmp_path / "copied")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "apart", folder)
    deployment.store = TileStore(folder)

    refused(deployment, "does not extend")
    deployment.signer = own
    findings = {finding.rule: finding for finding in found(deployment)}
    assert findings[TamperRule.CHECKPOINT_ROOT].position == LAST + 1
    assert findings[TamperRule.CHECKPOINT_UNKNOWN].position == LAST + 80


def _seal_apart(log: object, folder: Path, copied: Path) -> None:
    """Somebody else grows the tree of the restored database with a copy of the signer."""
    for each in ("tile", "tree", "checkpoint", "published.sqlite"):
        target = folder / each
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    store, signer = TileStore(folder), Signer.open(copied, ORIGIN)
    with store.lock():
        sealer = Sealer(log, store, signer)  # type: ignore[arg-type]
        sealer.start()
        sealer.integrate()
        store.publish(sealer.sign())
