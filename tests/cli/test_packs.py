"""`pack` and `verify` as a person types them: what is said, in both languages, and the exit codes."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from api.cli.session import Session
from domain.sealing.cosignature import Cosigner, with_lines
from domain.sealing.note import parse_note
from domain.sealing.proof_file import ProofFile
from infra.packs import layout
from infra.packs.tables import OF_CASES
from infra.postgres.embedded import EmbeddedPostgres
from tests.cli.conftest import Run
from tests.infra.packs.office import Office, zipped
from tests.interop.small_pack import resealed

HOLDS, BROKEN, WRONG_USAGE, NOT_THERE = 0, 9, 2, 4


@pytest.fixture(scope="module")
def office(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office with some packs."""
    return Office.on(postgres_server, tmp_path_factory.mktemp("office"))


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, without settings, database or network."""

    def none(*_: object, **__: object) -> Any:
        raise AssertionError("who verifies needs no settings, database or network")

    monkeypatch.setattr(Session, "settings", none)
    monkeypatch.setattr(Session, "platform", none)
    monkeypatch.setattr(socket, "socket", none)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pack(office: Office, alone: Path) -> Path:
    """A pack of one county in the empty folder, and the key beside it."""
    (alone / "log.vkey").write_text(office.vkey + "\n", "utf-8")
    (alone / "pack.zip").write_bytes(office.packs["jurisdiction"].read_bytes())
    return Path("pack.zip")


def test_a_pack_is_verified_in_an_empty_folder_with_the_key_alone(run: Run, pack: Path) -> None:
    zh = run("verify", str(pack), "--key", "log.vkey")
    assert zh.code == HOLDS
    assert "核验通过" in zh.out
    assert "没有要求见证" in zh.out
    assert "未证明" in zh.out
    en = run("verify", str(pack), "--key", "log.vkey", "--language", "en")
    assert en.code == HOLDS
    for said in (
        "Verified",
        "As of position",
        "No witness was asked for",
        "Not proved: that no further case",
        "not covered",
    ):
        assert said in en.out


def test_machines_are_told_what_was_proved_and_by_whom(run: Run, pack: Path, office: Office) -> None:
    said = json.loads(run("verify", str(pack), "--key", office.vkey, "--format", "json").out)
    assert said["verified"] is True
    assert said["selection"] == {"kind": "jurisdiction", "value": "140322"}
    assert said["signed_by"] == [office.vkey]
    assert said["witnessed"] is False
    assert {each["name"] for each in said["ledgers"]} == {*OF_CASES, "clearance"}
    assert len(said["proved"]) == 1
    assert any("README.html" in each for each in said["not_proved"])
    assert set(said["seconds"]) == {"1", "2", "3", "4", "5", "6", "7", "8"}
    rows = run("verify", str(pack), "--key", office.vkey, "--format", "csv").out
    assert "clearance" in rows


def test_a_broken_pack_says_the_rule_in_the_readers_language_and_the_place(
    run: Run,
    pack: Path,
    office: Office,
) -> None:
    files = office.files("jurisdiction")
    changed = {**files, "ledgers/case.csv": files["ledgers/case.csv"].replace("盂-1".encode(), "盂-9".encode())}
    pack.write_bytes(zipped(resealed(changed)))
    zh = run("verify", str(pack), "--key", "log.vkey")
    assert zh.code == BROKEN
    assert "核验不通过：规则6，账目摘要已先记入日志：ledgers/case.csv" in zh.err
    en = run("verify", str(pack), "--key", "log.vkey", "--language", "en")
    assert "It does not hold: rule 6, the log announced the ledgers of this pack: ledgers/case.csv" in en.err
    machine = run("verify", str(pack), "--key", "log.vkey", "--format", "json")
    assert machine.code == BROKEN
    said = json.loads(machine.out)
    assert (said["verified"], said["rule"]) == (False, 6)
    assert said["message"].startswith("ledgers/case.csv: its digest")


def test_without_a_key_got_elsewhere_nothing_is_verified(run: Run, pack: Path) -> None:
    ran = run("verify", str(pack), "--language", "en")
    assert ran.code == WRONG_USAGE
    assert "name whom you trust" in ran.err
    both = run("verify", str(pack), "--key", "log.vkey", "--policy", "log.vkey", "--language", "en")
    assert both.code == WRONG_USAGE
    assert run("verify", "none.zip", "--key", "log.vkey").code == WRONG_USAGE
    assert run("verify", str(pack), "--key", "nonsense+key").code == BROKEN
    assert run("verify", str(pack), "--key", "log.vkey", "--entry", "log.vkey").code == WRONG_USAGE
    assert run("verify", "log.vkey", "--key", "log.vkey").code == BROKEN


def test_a_policy_asks_for_witnesses_and_the_answer_names_them(
    run: Run,
    pack: Path,
    office: Office,
    alone: Path,
) -> None:
    witness = Cosigner("witness.example.org/w1", bytes(range(32)))
    policy = alone / "policy"
    policy.write_text(f"log {office.vkey}\nwitness w1 {witness.verifier.vkey}\nquorum w1\n", "utf-8")
    refused = run("verify", str(pack), "--policy", "policy", "--language", "en")
    assert refused.code == BROKEN
    assert "0 of 1 witnesses cosigned" in refused.err
    files = office.files("jurisdiction")
    note = parse_note(files[layout.CHECKPOINT])
    cosigned = with_lines(note, [witness.signature_line(note.text, 1_767_225_600)])
    pack.write_bytes(zipped(resealed({**files, layout.CHECKPOINT: cosigned})))
    held = run("verify", str(pack), "--policy", "policy", "--language", "en")
    assert held.code == HOLDS
    assert "witness.example.org/w1 · 2026-01-01T00:00:00Z" in held.out
    assert "No witness" not in held.out


@pytest.fixture(scope="module")
def proven(office: Office) -> ProofFile:
    """What the office gives out of position 3, from before the network is taken away: its log listens by a socket."""
    with office.opened() as platform:
        platform.sealing.publish()
        return platform.sealing.proof(3)


@pytest.fixture
def proof(office: Office, proven: ProofFile, alone: Path) -> Path:
    """The proof of position 3, its entry and the key, in the empty folder."""
    (alone / "log.vkey").write_text(office.vkey + "\n", "utf-8")
    (alone / "3.json").write_bytes(office.entries[2] + b"\n")
    (alone / "3.receipt").write_bytes(proven.extra + b"\n")
    (alone / "3.tlog-proof").write_bytes(proven.data)
    return Path("3.tlog-proof")


def test_a_proof_a_receipt_file_and_a_receipt_typed_off_its_code_are_verified(run: Run, proof: Path) -> None:
    key = ("--key", "log.vkey", "--language", "en")
    whole = run("verify", str(proof), "--entry", "3.json", *key)
    assert whole.code == HOLDS
    assert "holds exactly these bytes" in whole.out
    assert "holds an entry with the receipt's hash" in run("verify", str(proof), *key).out
    assert run("verify", "3.receipt", "--proof", str(proof), *key).code == HOLDS
    typed = Path("3.receipt").read_text("utf-8").strip().replace(" ", "  ")
    assert run("verify", typed, "--proof", str(proof), *key).code == HOLDS
    said = json.loads(run("verify", str(proof), "--key", "log.vkey", "--format", "json").out)
    assert (said["what"], said["position"], said["entry"]) == ("proof", 3, False)


def test_a_receipt_without_its_proof_or_with_a_wrong_entry_is_not_verified(run: Run, proof: Path) -> None:
    key = ("--key", "log.vkey", "--language", "en")
    lacking = run("verify", "3.receipt", *key)
    assert lacking.code == WRONG_USAGE
    assert "together with its proof file" in lacking.err
    Path("4.json").write_bytes(b"{}")
    assert run("verify", str(proof), "--entry", "4.json", *key).code == BROKEN
    proof.write_bytes(proof.read_bytes()[:-20])
    assert run("verify", str(proof), *key).code == BROKEN


def test_a_pack_is_made_and_then_verified(
    run: Run,
    office: Office,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    deployment = (
        "--data",
        str(office.settings.data),
        "--database-url",
        office.settings.database_url,
        "--language",
        "en",
    )
    made = run("pack", "--case", "平-1", "--output", "平-1.zip", *deployment)
    assert made.code == HOLDS, made.err
    assert office.vkey in made.out
    assert run("verify", "平-1.zip", "--key", office.vkey).code == HOLDS
    named = run("pack", "--jurisdiction", "盂县", "--as", "wang", "--format", "json", *deployment)
    assert named.code == HOLDS, named.err
    said = json.loads(named.out)
    assert said["file"] == "pack-jurisdiction-盂县.zip"
    assert said["cases"] == 2
    assert run("verify", said["file"], "--key", office.vkey).code == HOLDS
    assert run("pack", "--jurisdiction", "盂县", *deployment).code == WRONG_USAGE, "nothing is overwritten"
    assert run("pack", *deployment).code == WRONG_USAGE
    assert run("pack", "--case", "none", *deployment).code == NOT_THERE
    assert run("pack", "--from", "2019-13-01", "--to", "2019-12-01", *deployment).code == WRONG_USAGE
    span = run("pack", "--from", "2019-11-20", "--to", "2019-11-20", "--format", "json", *deployment)
    assert json.loads(span.out)["cases"] == 1


def test_evidence_files_are_of_packs_alone(run: Run, proof: Path, pack: Path) -> None:
    key = ("--key", "log.vkey", "--language", "en")
    asked = run("verify", str(proof), "--files-to", "opened", *key)
    assert asked.code == WRONG_USAGE
    assert "only a pack has evidence files" in asked.err
    none = run("verify", str(pack), "--files-to", "opened", *key)
    assert none.code == HOLDS
    assert "Evidence files" in none.out
    assert not Path("opened").exists()
