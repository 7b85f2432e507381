"""No event names a file that nobody has: what a caller hands back is held against the file and against the vault."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from domain.errors import InputError
from domain.evidence.naming import evidence_named
from domain.evidence.sealed_file import NAME_FIELD
from domain.vocabulary import Evidence
from infra.evidence import FolderEvidence
from infra.keyring import Keyring
from infra.vault import MemoryVault
from tests.domain.evidence.material import JPEG


@pytest.fixture
def vault(tmp_path: Path) -> MemoryVault:
    return MemoryVault(Keyring.create(tmp_path / "keys" / "keyring.json"))


@pytest.fixture
def files(tmp_path: Path, vault: MemoryVault) -> FolderEvidence:
    return FolderEvidence(tmp_path / "evidence", vault, vault)


@pytest.fixture
def put(files: FolderEvidence) -> Evidence:
    return files.put("case-1", [JPEG], name="欠条.jpg")


def refused(files: FolderEvidence, given: Evidence, vault: MemoryVault | None = None) -> None:
    with pytest.raises(InputError) as refusal:
        evidence_named(files, given, vault)
    assert (refusal.value.field, refusal.value.rule) == ("evidence", "evidence-is-there")


def test_what_was_put_may_be_named_with_its_name_or_without(files: FolderEvidence, vault: MemoryVault, put: Evidence):
    assert evidence_named(files, put, vault) == put
    nameless = msgspec.structs.replace(put, name=None)
    assert evidence_named(files, nameless, vault) == nameless


@pytest.mark.parametrize("sha256", ["0" * 64, "", "../keys/keyring.json"])
def test_a_file_that_nobody_has_is_not_named(files: FolderEvidence, put: Evidence, sha256: str):
    refused(files, msgspec.structs.replace(put, sha256=sha256))


def test_a_file_is_not_named_as_another_type(files: FolderEvidence, put: Evidence):
    refused(files, msgspec.structs.replace(put, type="application/pdf"))


def test_a_file_of_one_subject_is_not_named_as_anothers(files: FolderEvidence, vault: MemoryVault, put: Evidence):
    name = vault.seal("case-2", NAME_FIELD, "欠条.jpg")
    refused(files, msgspec.structs.replace(put, name=name))


def test_a_name_that_was_never_sealed_is_not_recorded(files: FolderEvidence, vault: MemoryVault, put: Evidence):
    assert put.name is not None
    made_up = msgspec.structs.replace(put.name, sha256="0" * 64)
    refused(files, msgspec.structs.replace(put, name=made_up), vault)
    note = vault.seal("case-1", "note", "欠条.jpg")
    refused(files, msgspec.structs.replace(put, name=note), vault)


def test_a_file_whose_subject_was_erased_is_not_named_any_more(
    files: FolderEvidence, vault: MemoryVault, put: Evidence
):
    vault.erase("case-1")
    refused(files, put, vault)
