"""The witness's folder: one decision at a time on it, from however many processes, and nothing is answered before it is kept."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InputError, RecordingError, SettingsError
from domain.sealing.cosignature import CosignerKey
from domain.sealing.note import SigningKey, parse_note
from domain.sealing.policy import parse_policy
from domain.sealing.submission import accepted_cosignatures, parse_size, print_submission
from domain.sealing.tree import consistency_proof, leaf_hash, root_of
from domain.sealing.witness import Answer
from infra.sealing.checkpoints import CheckpointJournal
from infra.witness import WitnessDesk
from tests.domain.sealing.material import LOG, SEED, TIME, leaves, reader_of, signed

LEAVES = leaves(40)
NAME = "witness.example.org/w1"
SECOND_KEY = SigningKey(LOG.name, bytes(range(100, 132)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A witness that knows one log."""
    WitnessDesk.create(tmp_path / "w", NAME).add_log(LOG.verifier.vkey, "https://audit.example.org/log1")
    return tmp_path / "w"


def submitted(
    desk: WitnessDesk, old: int, size: int, hashes: Sequence[bytes] = LEAVES, *, key: SigningKey = LOG, time: int = TIME
) -> Answer:
    proof = consistency_proof(old, size, reader_of(hashes)) if 0 < old < size else []
    return desk.add_checkpoint(print_submission(old, proof, signed(hashes[:size], key=key)), time)


def cosigned_at(desk: WitnessDesk, answer: Answer, note: bytes) -> int:
    [cosignature] = accepted_cosignatures(note, answer.body, [CosignerKey.parse(desk.vkey)])
    return cosignature.time


# ---------------------------------------------------------------------------------------------------------- the folder


def test_a_witness_has_a_key_of_its_own_that_only_its_owner_reads(tmp_path: Path) -> None:
    desk = WitnessDesk.create(tmp_path / "w", NAME)
    assert CosignerKey.parse(desk.vkey).name == NAME
    assert stat.S_IMODE(desk.key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o700
    assert SigningKey.parse(desk.key_file.read_text("utf-8").strip()).name == NAME
    assert WitnessDesk.open(tmp_path / "w").vkey == desk.vkey
    assert WitnessDesk.create(tmp_path / "other", NAME).vkey != desk.vkey


def test_a_witness_that_is_there_is_never_made_anew(folder: Path) -> None:
    before = WitnessDesk.open(folder).vkey
    with pytest.raises(SettingsError, match="already"):
        WitnessDesk.create(folder, "another.example")
    assert WitnessDesk.open(folder).vkey == before
    assert [log.origin for log in WitnessDesk.open(folder).logs()] == [LOG.name]


@pytest.mark.parametrize("name", ["", "two words", "plus+plus", "line\nbreak", "\u3000"])
def test_a_witness_cannot_bear_a_name_that_no_key_bears(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as refused:
        WitnessDesk.create(tmp_path / "w", name)
    assert refused.value.field == "name"
    assert not (tmp_path / "w").exists()


def test_a_folder_or_key_that_others_can_use_is_not_used(folder: Path) -> None:
    for path, mode in ((folder / "witness.skey", 0o640), (folder, 0o750)):
        kept = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode)
        with pytest.raises(SettingsError, match="open to others"):
            WitnessDesk.open(folder)
        path.chmod(kept)
    WitnessDesk.open(folder)


@pytest.mark.parametrize("content", [b"", b"PRIVATE+KEY+", b"\xff\xfe", b"secret words"])
def test_a_damaged_key_is_refused_and_not_shown(folder: Path, content: bytes) -> None:
    (folder / "witness.skey").write_bytes(content)
    with pytest.raises(SettingsError, match="damaged") as refused:
        WitnessDesk.open(folder)
    assert "secret words" not in str(refused.value)


def test_no_witness_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="qingling witness init"):
        WitnessDesk.open(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_witness_that_lost_its_memory_cosigns_nothing_any_more(folder: Path) -> None:
    submitted(WitnessDesk.open(folder), 0, 5)
    (folder / "witnessed.sqlite").unlink()
    with pytest.raises(SettingsError, match="forgot what it cosigned"):
        WitnessDesk.open(folder)
    assert not (folder / "witnessed.sqlite").exists()


def test_a_memory_gets_no_new_key(folder: Path) -> None:
    submitted(WitnessDesk.open(folder), 0, 5)
    (folder / "witness.skey").unlink()
    with pytest.raises(SettingsError, match="lost the key"):
        WitnessDesk.create(folder, NAME)


def test_a_making_that_was_killed_is_made_again(tmp_path: Path) -> None:
    desk = WitnessDesk.create(tmp_path / "w", NAME)
    desk.key_file.rename(desk.folder / "witness.new")  # killed before the key got its name
    again = WitnessDesk.create(tmp_path / "w", NAME)
    assert again.vkey != desk.vkey
    assert not (desk.folder / "witness.new").exists()


# ------------------------------------------------------------------------------------------------------------- the logs


def test_the_logs_that_a_witness_knows_are_a_policy_file(folder: Path) -> None:
    policy = parse_policy((folder / "logs").read_bytes())
    assert [(log.key, log.url) for log in policy.logs] == [(LOG.verifier, "https://audit.example.org/log1")]


def test_a_log_that_is_added_is_known_by_a_desk_that_is_open_already(folder: Path) -> None:
    desk = WitnessDesk.open(folder)
    other = SigningKey("other.example/log", SEED[::-1])
    assert submitted(desk, 0, 5, key=other).status == 404
    WitnessDesk.open(folder).add_log(other.verifier.vkey)
    assert submitted(desk, 0, 5, key=other).status == 200


def test_a_log_that_changes_keys_is_known_by_both_and_its_history_is_one(folder: Path) -> None:
    desk = WitnessDesk.open(folder)
    assert submitted(desk, 0, 5).status == 200
    assert submitted(desk, 5, 9, key=SECOND_KEY).status == 403
    desk.add_log(SECOND_KEY.verifier.vkey)
    assert submitted(desk, 5, 9, key=SECOND_KEY).status == 200
    assert submitted(desk, 9, 11).status == 200
    [log] = desk.logs()
    assert (log.size, log.vkeys) == (11, (LOG.verifier.vkey, SECOND_KEY.verifier.vkey))


@pytest.mark.parametrize("url", ["", "https://a.example"])
def test_what_is_no_new_key_of_a_log_is_not_added(folder: Path, url: str) -> None:
    desk = WitnessDesk.open(folder)
    own = SigningKey.parse(desk.key_file.read_text("utf-8").strip()).verifier.vkey
    before = (folder / "logs").read_bytes()
    for vkey in (
        "",
        "nonsense",
        LOG.verifier.vkey,
        LOG.verifier.vkey[:-2],
        desk.vkey,
        own,
        f"{SECOND_KEY.verifier.vkey}\nquorum x",
    ):
        with pytest.raises(InputError, match="not added"):
            desk.add_log(vkey, url)
    for wrong in ("two words", "line\nlog x"):
        with pytest.raises(InputError, match="not added"):
            desk.add_log(SECOND_KEY.verifier.vkey, wrong)
    assert (folder / "logs").read_bytes() == before


def test_a_list_of_logs_that_cannot_be_read_is_a_wrong_setting(folder: Path) -> None:
    desk = WitnessDesk.open(folder)
    (folder / "logs").write_text("log nonsense\nquorum none\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="line 1"):
        submitted(desk, 0, 5)
    (folder / "logs").unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        submitted(desk, 0, 5)


def test_it_shows_what_it_cosigned_of_each_log(folder: Path) -> None:
    desk = WitnessDesk.open(folder)
    [log] = desk.logs()
    assert (log.origin, log.url, log.size, log.root, log.at) == (
        LOG.name,
        "https://audit.example.org/log1",
        None,
        None,
        None,
    )
    submitted(desk, 0, 5)
    [log] = desk.logs()
    assert (log.size, log.root) == (5, root_of(LEAVES[:5]))
    assert log.at is not None


# --------------------------------------------------------------------------------------------------------- cosigning


def test_what_was_cosigned_is_shown_to_monitors_with_both_signatures(folder: Path) -> None:
    desk = WitnessDesk.open(folder)
    name = sha256(LOG.name.encode()).hexdigest()
    assert desk.checkpoint(name) is None
    submitted(desk, 0, 5)
    submitted(desk, 5, 9)
    shown = desk.checkpoint(name)
    assert shown is not None
    assert [signature.name for signature in parse_note(shown).signatures] == [LOG.name, NAME]
    assert parse_note(shown).text == parse_note(signed(LEAVES[:9])).text
    assert desk.checkpoint(name.upper()) is None
    assert desk.checkpoint("") is None


def test_what_was_cosigned_is_known_after_a_restart(folder: Path) -> None:
    submitted(WitnessDesk.open(folder), 0, 5)
    again = WitnessDesk.open(folder)
    forged = [leaf_hash(b"forged"), *LEAVES[1:]]
    assert parse_size(submitted(again, 0, 5).body) == 5
    assert submitted(again, 5, 9, forged).status == 422
    assert submitted(again, 5, 5, forged).status == 422
    assert submitted(again, 5, 9).status == 200


def test_an_answer_that_was_lost_on_its_way_is_given_again(folder: Path) -> None:
    note = signed(LEAVES[:9])
    submitted(WitnessDesk.open(folder), 0, 9)  # kept; then the power went
    again = WitnessDesk.open(folder)
    assert (submitted(again, 0, 9).status, submitted(again, 0, 9).body) == (409, b"9\n")
    answer = submitted(again, 9, 9, time=TIME + 60)
    assert cosigned_at(again, answer, note) == TIME + 60


def test_a_checkpoint_submitted_again_and_again_takes_no_room(folder: Path) -> None:
    desk = WitnessDesk.open(folder)
    submitted(desk, 0, 9)
    for second in range(5):
        assert submitted(desk, 9, 9, time=TIME + second).status == 200
    assert len(list(CheckpointJournal(folder / "witnessed.sqlite").all(LOG.name))) == 1


def test_nothing_is_answered_that_could_not_be_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = WitnessDesk.open(folder)

    def full(*_: object) -> None:
        raise RecordingError("the disk is full")

    monkeypatch.setattr(CheckpointJournal, "add", full)
    with pytest.raises(RecordingError):
        submitted(desk, 0, 5)
    monkeypatch.undo()
    assert submitted(desk, 0, 7).status == 200


def test_a_refusal_leaves_everything_as_it_was_and_waits_for_nobody_unless_the_log_signed(folder: Path) -> None:
    desk = WitnessDesk.open(folder)
    submitted(desk, 0, 5)
    with closing(sqlite3.connect(folder / "witnessed.sqlite", isolation_level=None)) as other:
        other.execute("begin immediate")
        stranger = SigningKey(LOG.name, SEED[::-1])
        assert submitted(desk, 5, 9, key=stranger).status == 403
        assert submitted(desk, 5, 9, key=SigningKey("unknown.example", SEED)).status == 404
        assert desk.add_checkpoint(b"nonsense", TIME).status == 400
        other.execute("rollback")
    assert desk.logs()[0].size == 5


# ---------------------------------------------------------------------------------------------------- several at once


def _race(folder: Path, number: int, rounds: int, barrier: Barrier, answers: Any) -> None:
    """A process that submits one of two histories, the shared beginning first, as fast as it can."""
    desk = WitnessDesk.open(folder)
    hashes = [*LEAVES[:1], *(leaf_hash(b"%d %d" % (number, leaf)) for leaf in range(1, rounds + 1))]
    taken = []
    for size in range(2, rounds + 2):
        barrier.wait(30)
        answer = submitted(desk, size - 1, size, hashes)
        taken.append((size, answer.status))
    answers.put((number, taken))


def test_of_two_processes_with_two_histories_only_one_is_cosigned(folder: Path) -> None:
    desk = WitnessDesk.open(folder)
    assert submitted(desk, 0, 1).status == 200
    rounds = 12
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_race, args=(folder, number, rounds, barrier, answers)) for number in range(2)]
    for process in processes:
        process.start()
    outcome = dict(answers.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    winner = next(number for number, taken in outcome.items() if taken[0][1] == 200)
    assert [status for _, status in outcome[winner]] == [200] * rounds
    assert {status for _, status in outcome[1 - winner]} <= {409, 422}
    kept = [checkpoint.size for checkpoint in CheckpointJournal(folder / "witnessed.sqlite").all(LOG.name)]
    assert kept == list(range(1, rounds + 2))
