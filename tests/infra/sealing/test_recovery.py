"""After an honest loss the log is brought back byte for byte; whatever is not an honest loss is refused, and nothing is changed."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from domain.errors import LogMismatchError, NotReadyError, VerificationError
from domain.recording import StoredEntry
from domain.sealing.checkpoint import Checkpoint
from infra.postgres.config import RecorderConfig
from infra.postgres.fsck import fsck
from infra.postgres.refill import refill
from infra.sealing.recovery import recover
from infra.sealing.store import TileStore
from tests.drafts import a_batch
from tests.infra.sealing.deployment import ORIGIN, Deployment
from tests.migrated import log_database, log_url

__all__ = ["log_url"]


@pytest.fixture
def deployment(tmp_path: Path, log_url: str) -> Deployment:
    """702 entries, signed at 302 and 702."""
    deployment = Deployment(tmp_path, log_url)
    deployment.record(299)
    deployment.seal()
    deployment.record(400)
    deployment.seal()
    return deployment


@contextmanager
def restored(deployment: Deployment, upto: int, *more: StoredEntry) -> Iterator[str]:
    """The deployment with a database as it was at position `upto`."""
    kept, url = deployment.entries()[:upto], deployment.url
    with log_database() as older:
        refill(older, kept)
        deployment.url = older
        yield older
        deployment.url = url


@pytest.mark.parametrize("upto", [0, 1, 255, 256, 257, 302, 400, 701])
def test_a_restored_database_gets_back_all_that_was_signed_byte_for_byte(deployment: Deployment, upto: int) -> None:
    before = deployment.entries()
    with restored(deployment, upto) as older:
        report = deployment.recover()

        assert (report.refilled, report.signed, report.recorded, report.regrown) == (702 - upto, 702, 702, 0)
        assert deployment.entries() == before
        assert fsck(older) == []
        deployment.record(5)
        deployment.seal()
        assert deployment.published() == 707


def test_recovering_again_changes_nothing(deployment: Deployment) -> None:
    with restored(deployment, 500):
        assert deployment.recover().changed
        before = deployment.entries()
        report = deployment.recover()
        assert not report.changed
        assert deployment.entries() == before


def test_a_recovery_that_was_interrupted_is_gone_on_from(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = RecorderConfig(role="qingling_writer", bulk_events=50)
    monkeypatch.setattr("infra.sealing.recovery.refill", partial(refill, config=small))
    before = deployment.entries()

    def interrupt(position: int, end: int) -> None:
        if position == 600:
            raise KeyboardInterrupt

    with restored(deployment, 500):
        with pytest.raises(KeyboardInterrupt):
            deployment.recover(interrupt)
        assert len(deployment.entries()) == 600
        assert deployment.recover().refilled == 102
        assert deployment.entries() == before


def test_progress_goes_up_to_what_was_signed(deployment: Deployment) -> None:
    told: list[tuple[int, int]] = []
    with restored(deployment, 500):
        deployment.recover(lambda at, end: told.append((at, end)))
    assert told[-1] == (702, 702)


def test_what_does_not_come_back_is_said(deployment: Deployment) -> None:
    with restored(deployment, 1):
        report = deployment.recover()
        assert (report.lost_fields, report.erased_fields) == (1, 0)
        with deployment.log() as log:
            assert not log.append(a_batch("case-900", key="key-5")).replayed  # command keys are lost


def test_without_anything_signed_nothing_says_what_there_was(tmp_path: Path, log_url: str) -> None:
    with pytest.raises(NotReadyError, match="ever signed"):
        Deployment(tmp_path, log_url).recover()


def test_nobody_recovers_while_somebody_seals(deployment: Deployment) -> None:
    with deployment.store.lock(), pytest.raises(NotReadyError):
        TileStoreUser(deployment).recover()


class TileStoreUser:
    """Another process on the same folder."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def recover(self) -> None:
        with self._deployment.log() as log:
            recover(self._deployment.url, log, TileStore(self._deployment.store.folder), self._deployment.signer)


# ------------------------------------------------------------------------------------------------------------- refusals


def refused(deployment: Deployment, kind: type[Exception], match: str) -> None:
    """Recovery is refused, and neither database nor folder is changed."""
    entries, files = deployment.entries(), contents(deployment.store.folder)
    with pytest.raises(kind, match=match):
        deployment.recover()
    assert deployment.entries() == entries
    assert contents(deployment.store.folder) == files


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_a_backup_that_was_written_on_is_refused_with_the_positions(deployment: Deployment) -> None:
    with restored(deployment, 500):
        with deployment.log() as log:
            list(log.append_bulk(a_batch(f"other-{n}") for n in range(10)))
        refused(deployment, LogMismatchError, "at positions 501–510")


def test_a_changed_entry_is_refused_with_its_position(deployment: Deployment) -> None:
    entries = deployment.entries()
    forged = replace(entries[299], entry=b'{"id":"forged"}')
    with log_database() as older:
        refill(older, [*entries[:299], forged, *entries[300:500]])
        deployment.url = older
        refused(deployment, LogMismatchError, r"sealed at position 300\.")


def test_a_changed_bundle_is_not_refilled_from(deployment: Deployment) -> None:
    file = deployment.store.folder / "tile/entries/002.p/190"
    file.write_bytes(file.read_bytes().replace(b"case-650", b"case-651"))
    with restored(deployment, 500):
        refused(deployment, VerificationError, r"position 65\d cannot be refilled: tile/entries/002")


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("tile/0/000", "do not give the tree of 702 leaves"),
        ("tile/0/002.p/190", "the entry of position 513 cannot be refilled"),
    ],
)
def test_a_changed_tile_is_not_relied_on(deployment: Deployment, path: str, match: str) -> None:
    file = deployment.store.folder / path
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    with restored(deployment, 500):
        refused(deployment, VerificationError, match)


def test_tiles_and_bundles_forged_alike_do_not_give_the_signed_root(deployment: Deployment, tmp_path: Path) -> None:
    with log_database() as url:
        forged = Deployment(tmp_path / "forged", url)
        forged.record(699)
        with forged.log() as log:
            log.append(a_batch("case-forged"))
        forged.seal()
        shutil.rmtree(deployment.store.folder / "tile")
        shutil.copytree(forged.store.folder / "tile", deployment.store.folder / "tile")
    with restored(deployment, 0):
        refused(deployment, VerificationError, "do not give the tree of 702 leaves")


def test_where_both_are_lost_the_way_on_is_said(deployment: Deployment) -> None:
    deployment.lose_folder()
    with restored(deployment, 500), pytest.raises(LogMismatchError, match=r"qingling init --succeeds"):
        deployment.recover()


# ------------------------------------------------------------------------------------------------- the folder of tiles


def test_a_lost_folder_grows_again_out_of_the_database(deployment: Deployment) -> None:
    files = contents(deployment.store.folder / "tile")
    deployment.lose_folder()

    report = deployment.recover()

    assert (report.regrown, report.refilled) == (702, 0)
    grown = contents(deployment.store.folder / "tile")
    assert grown.items() <= files.items()  # partial tiles of earlier checkpoints are cut from these
    assert len(grown) == 7
    deployment.record(5)
    deployment.seal()
    assert deployment.published() == 707


def test_a_lost_folder_does_not_grow_out_of_another_log(deployment: Deployment) -> None:
    deployment.lose_folder()
    with restored(deployment, 701):
        with deployment.log() as log:
            log.append(a_batch("case-other"))
        with pytest.raises(LogMismatchError, match="are not what was sealed"):
            deployment.recover()


def test_a_lost_head_of_the_tree_is_written_again_from_what_was_signed(deployment: Deployment) -> None:
    (deployment.store.folder / "tree").unlink()
    with restored(deployment, 500):
        assert deployment.recover().refilled == 202
        head = deployment.store.head()
        assert head == deployment.signer.last()


def test_a_tail_that_the_restored_log_contradicts_is_moved_aside(deployment: Deployment) -> None:
    deployment.record(60)
    deployment.seal(sign=False)
    with restored(deployment, 700):
        report = deployment.recover()

        assert (report.refilled, report.discarded) == (2, 60)
        assert report.aside is not None
        assert (report.aside / "tile/entries/002.p/250").is_file()
        assert deployment.store.head() == Checkpoint(ORIGIN, 702, deployment.signer.last().root)  # type: ignore[union-attr]
        deployment.record(5)
        deployment.seal()
        assert deployment.published() == 707


def test_a_tail_that_the_log_agrees_with_stays(deployment: Deployment) -> None:
    deployment.record(60)
    deployment.seal(sign=False)

    report = deployment.recover()

    assert not report.changed
    head = deployment.store.head()
    assert head is not None
    assert head.size == 762


@pytest.mark.slow
def test_memory_of_report_and_recovery_does_not_grow_with_the_log(tmp_path: Path, log_url: str) -> None:
    deployment = Deployment(tmp_path, log_url)
    deployment.record(9_997)
    deployment.seal()
    first = _peaks(deployment)
    deployment.record(20_000)
    deployment.seal()
    second = _peaks(deployment)

    assert all(after < before * 1.3 for before, after in zip(first, second, strict=True)), (first, second)


def _peaks(deployment: Deployment) -> list[int]:
    """Bytes that a report, and a recovery into an empty database, take at the most."""
    peaks = []
    for work in (deployment.report, deployment.recover):
        with log_database() if work == deployment.recover else nullcontext(deployment.url) as url:
            before, deployment.url = deployment.url, url
            tracemalloc.start()
            work()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            deployment.url = before
    return peaks
