"""Evidence files in a folder: kept whole or not at all, unreadable without the vault, gone for good when the subject is erased."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.errors import ErasedError, InputError, NotFoundError, RecordingError, VerificationError
from domain.evidence.ports import EvidenceFiles, StoredFile
from domain.evidence.sealed_file import CHUNK_BYTES, HEADER_BYTES, KEY_FIELD, NAME_FIELD, open_shown, read_header
from infra.evidence import FolderEvidence
from infra.keyring import Keyring
from infra.vault import MemoryVault

SUBJECT = "case-1"
RECORDING = b"#!AMR\n" + os.urandom(5 * CHUNK_BYTES)
NAME = "张三 工资欠条.amr"


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


@pytest.fixture
def vault(keyring: Keyring) -> MemoryVault:
    return MemoryVault(keyring)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


@pytest.fixture
def files(folder: Path, vault: MemoryVault) -> FolderEvidence:
    return FolderEvidence(folder, vault, vault)


def pieces(content: bytes, size: int = 10_000) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def everything_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_a_file_comes_back_as_it_was_put_and_says_what_it_is(files, vault):
    port: EvidenceFiles = files
    evidence = port.put(SUBJECT, pieces(RECORDING), name=NAME)
    assert b"".join(port.open(evidence.sha256)) == RECORDING
    assert port.about(evidence.sha256) == StoredFile("audio/amr", len(RECORDING), SUBJECT)
    assert evidence.type == "audio/amr"
    assert evidence.name is not None
    assert vault.open_many([(evidence.name, NAME_FIELD)]) == [NAME]
    assert port.has(evidence.sha256)
    port.check(evidence.sha256)


def test_a_file_without_a_name_has_none(files):
    assert files.put(SUBJECT, [b"text"]).name is None


def test_a_file_lies_under_the_digest_of_what_is_stored_readable_by_its_owner_alone(files, folder):
    evidence = files.put(SUBJECT, pieces(RECORDING))
    (path,) = everything_in(folder)
    assert path == folder / evidence.sha256[:2] / evidence.sha256
    assert hashlib.sha256(path.read_bytes()).hexdigest() == evidence.sha256
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert {stat.S_IMODE(each.stat().st_mode) for each in (folder, path.parent)} == {0o700}


def test_nothing_of_the_plain_file_is_on_the_disk(files, folder):
    files.put(SUBJECT, pieces(RECORDING), name=NAME)
    stored = everything_in(folder)[0].read_bytes()
    assert all(RECORDING[at : at + 32] not in stored for at in range(0, len(RECORDING), CHUNK_BYTES))
    assert NAME.encode() not in stored


def test_the_same_file_put_twice_has_two_names_that_betray_nothing(files):
    names = {files.put(SUBJECT, pieces(RECORDING)).sha256 for _ in range(2)}
    assert len(names) == 2
    assert list(files.stored()) == sorted(names)
    assert hashlib.sha256(RECORDING).hexdigest() not in names


def test_an_erased_subjects_files_cannot_be_opened_and_their_digests_still_hold(files, vault):
    evidence = files.put(SUBJECT, pieces(RECORDING))
    vault.erase(SUBJECT)
    with pytest.raises(ErasedError):
        files.open(evidence.sha256)
    files.check(evidence.sha256)
    with pytest.raises(ErasedError):
        files.put(SUBJECT, pieces(RECORDING))


def test_a_deleted_file_is_gone_and_deleting_it_again_says_so(files):
    evidence, other = files.put(SUBJECT, pieces(RECORDING)), files.put(SUBJECT, [b"text"])
    assert files.delete(evidence.sha256)
    assert not files.delete(evidence.sha256)
    assert not files.has(evidence.sha256)
    assert list(files.stored()) == [other.sha256]
    with pytest.raises(NotFoundError):
        files.open(evidence.sha256)


@pytest.mark.parametrize("name", ["0" * 64, "../../keys/keyring.json", "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_what_names_no_file_is_not_found(files, name):
    assert not files.has(name)
    assert not files.delete(name)
    for ask in (files.open, files.about, files.sealed, files.check):
        with pytest.raises(NotFoundError):
            ask(name)


def test_no_name_leads_out_of_the_folder(files, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"another's")
    assert not files.has(str(outside))
    assert not files.delete(str(outside))
    with pytest.raises(NotFoundError):
        files.check(str(outside))
    assert outside.exists()


def alter(folder: Path, sha256: str, change) -> None:
    path = folder / sha256[:2] / sha256
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data[: -(CHUNK_BYTES + 16)],
        lambda data: data + b"\0",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    ],
)
def test_a_file_that_was_changed_on_the_disk_is_refused(files, folder, change):
    evidence = files.put(SUBJECT, pieces(RECORDING))
    alter(folder, evidence.sha256, change)
    with pytest.raises(VerificationError):
        list(files.open(evidence.sha256))
    with pytest.raises(VerificationError):
        files.check(evidence.sha256)


def test_one_whole_file_in_the_place_of_another_is_refused(files, folder):
    evidence, other = files.put(SUBJECT, pieces(RECORDING)), files.put(SUBJECT, pieces(RECORDING[:-9]))
    alter(folder, evidence.sha256, lambda _: (folder / other.sha256[:2] / other.sha256).read_bytes())
    with pytest.raises(VerificationError, match="not the evidence file"):
        list(files.open(evidence.sha256))


def test_a_file_that_is_no_sealed_file_is_refused(files, folder):
    evidence = files.put(SUBJECT, pieces(RECORDING))
    alter(folder, evidence.sha256, lambda _: b"something else")
    for ask in (files.open, files.about, files.sealed):
        with pytest.raises(VerificationError):
            ask(evidence.sha256)


def test_what_is_refused_leaves_nothing(files, folder):
    with pytest.raises(InputError):
        files.put(SUBJECT, [b"MZ\x90\x00program"])
    assert everything_in(folder) == []


def test_an_upload_that_breaks_off_leaves_nothing(files, folder):
    def broken() -> Iterator[bytes]:
        yield RECORDING
        raise ConnectionResetError("the phone is gone")

    with pytest.raises(ConnectionResetError):
        files.put(SUBJECT, broken())
    assert everything_in(folder) == []


@pytest.mark.parametrize("step", ["write", "fsync", "rename", "fsync of the folder"])
def test_a_disk_that_fails_leaves_nothing_that_could_be_found_and_the_next_try_succeeds(
    files, folder, monkeypatch, step
):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        if step == "write":
            broken.setattr("infra.evidence._write_all", fail)
        elif step == "fsync":
            broken.setattr("infra.evidence.os.fsync", fail)
        elif step == "rename":
            broken.setattr(Path, "rename", fail)
        else:
            broken.setattr("infra.sealing.durable.sync_folder", fail)
        with pytest.raises(RecordingError):
            files.put(SUBJECT, pieces(RECORDING))
        named = list(files.stored())
    assert not (folder / "new").exists() or everything_in(folder / "new") == []
    for sha256 in named:  # moved, but perhaps not durable: an orphan that is whole
        files.check(sha256)
    assert b"".join(files.open(files.put(SUBJECT, pieces(RECORDING)).sha256)) == RECORDING


def test_what_a_crash_left_is_no_file_and_is_taken_away(files, folder):
    (folder / "new" / "left").write_bytes(b"half")
    assert list(files.stored()) == []
    files.remove_leftovers()
    assert everything_in(folder) == []


def test_what_another_process_is_writing_is_not_taken_away(files, folder, vault):
    def interrupted() -> Iterator[bytes]:
        yield RECORDING
        FolderEvidence(folder, vault, vault).remove_leftovers()
        yield RECORDING

    evidence = files.put(SUBJECT, interrupted())
    assert b"".join(files.open(evidence.sha256)) == RECORDING * 2


def test_files_are_put_by_several_threads_at_once(files):
    with ThreadPoolExecutor(8) as threads:
        contents = [RECORDING[: 1_000 * i] for i in range(1, 17)]
        put = list(threads.map(lambda content: files.put(SUBJECT, pieces(content)), contents))
    assert [b"".join(files.open(each.sha256)) for each in put] == contents


def test_the_sealed_form_and_the_key_shown_open_one_file_to_an_auditor(files, vault):
    evidence, other = files.put(SUBJECT, pieces(RECORDING)), files.put(SUBJECT, [b"text"])
    header = read_header(b"".join(files.sealed(evidence.sha256))[:HEADER_BYTES])
    (shown,) = vault.openings([(header.head.key, KEY_FIELD)])
    assert b"".join(open_shown(shown, files.sealed(evidence.sha256), evidence.sha256)) == RECORDING
    with pytest.raises(VerificationError):
        list(open_shown(shown, files.sealed(other.sha256), other.sha256))


def test_a_folder_that_cannot_be_made_is_an_error_of_recording(tmp_path, vault):
    (tmp_path / "evidence").write_bytes(b"a file")
    with pytest.raises(RecordingError):
        FolderEvidence(tmp_path / "evidence", vault, vault)
