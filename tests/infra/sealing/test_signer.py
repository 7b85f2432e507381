"""The signer signs what extends its last checkpoint and nothing else, whatever happens around it."""

from __future__ import annotations

import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import LogMismatchError, RecordingError, SettingsError
from domain.sealing.checkpoint import Checkpoint, open_checkpoint
from domain.sealing.note import SigningKey
from domain.sealing.tiles import Tile, hash_reader
from domain.sealing.tree import EMPTY_ROOT, consistency_proof, leaf_hash, root_of
from infra.sealing import checkpoints
from infra.sealing.signer import Signer

ORIGIN = "audit.example.org/log1"
SEED = bytes(range(32))


class History:
    """A log of so many leaves; `fork` differs from it from that leaf on."""

    def __init__(self, fork: int = 1_000_000) -> None:
        self.leaves = [leaf_hash(b"%d%s" % (n, b"" if n < fork else b" otherwise")) for n in range(200)]

    def head(self, size: int) -> Checkpoint:
        return Checkpoint(ORIGIN, size, root_of(self.leaves[:size]))

    def proof(self, old: int, new: int) -> list[bytes]:
        def load(tile: Tile) -> bytes:
            return b"".join(self.leaves[: tile.width])

        return consistency_proof(old, new, hash_reader(new, load)) if old < new else []


LOG = History()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "signer"


@pytest.fixture
def signer(folder: Path) -> Signer:
    return Signer.create(folder, ORIGIN, SEED)


def sign(signer: Signer, size: int, log: History = LOG) -> bytes:
    last = signer.last()
    return signer.sign(log.head(size), log.proof(0 if last is None else last.size, size))


# ------------------------------------------------------------------------------------------------------------- signing


def test_the_signed_note_is_the_published_vector(signer: Signer) -> None:
    assert signer.verifiers[0].vkey == "audit.example.org/log1+17846be1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    root = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
    assert signer.sign(Checkpoint(ORIGIN, 8, root), []) == (
        b"audit.example.org/log1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n"
        b"\xe2\x80\x94 audit.example.org/log1 "
        b"F4Rr4XZtMSn4D9GVe8xsw0IwIK2fYlck2FoOn5VfHAdgOXy8lQc9Cju+FyCm18QHg0vI8tZXujC7PxtoxlfAXzw1gg8=\n"
    )


def test_growing_trees_are_signed_and_every_checkpoint_is_kept(signer: Signer) -> None:
    notes = [sign(signer, size) for size in (0, 1, 7, 128, 200)]

    assert signer.last() == LOG.head(200)
    assert [kept.note for kept in signer.history().all(ORIGIN)] == notes
    assert open_checkpoint(notes[-1], signer.verifiers).checkpoint == LOG.head(200)


def test_the_same_checkpoint_gets_the_same_note_and_is_kept_once(signer: Signer) -> None:
    assert sign(signer, 7) == sign(signer, 7)
    assert len(list(signer.history().all(ORIGIN))) == 1


def test_a_smaller_tree_is_refused_naming_both_sizes_and_roots(signer: Signer) -> None:
    sign(signer, 7)

    with pytest.raises(LogMismatchError, match=r"tree of 5 leaves .* of 7 leaves") as refused:
        signer.sign(LOG.head(5), [])
    for head in (LOG.head(5), LOG.head(7)):
        assert b64encode(head.root).decode() in str(refused.value)
    assert signer.last() == LOG.head(7)


def test_another_root_at_the_same_size_is_refused(signer: Signer) -> None:
    sign(signer, 7)

    with pytest.raises(LogMismatchError, match="does not extend"):
        signer.sign(History(fork=6).head(7), [])
    assert len(list(signer.history().all(ORIGIN))) == 1


def test_a_rewritten_history_is_refused_with_any_proof(signer: Signer) -> None:
    sign(signer, 100)
    other = History(fork=40)

    for proof in (other.proof(100, 150), LOG.proof(100, 150), [], [bytes(32)]):
        with pytest.raises(LogMismatchError, match="nothing is signed"):
            signer.sign(other.head(150), proof)
    assert signer.last() == LOG.head(100)
    sign(signer, 150)


def test_the_empty_tree_has_one_root(signer: Signer) -> None:
    with pytest.raises(LogMismatchError):
        signer.sign(Checkpoint(ORIGIN, 0, bytes(32)), [])
    assert signer.sign(Checkpoint(ORIGIN, 0, EMPTY_ROOT), [])


def test_another_log_is_not_signed_for(signer: Signer) -> None:
    with pytest.raises(LogMismatchError, match=r"not for 'log\.example/other'"):
        signer.sign(Checkpoint("log.example/other", 1, bytes(32)), [])


def test_what_it_signed_binds_the_signer_after_it_was_opened_anew(signer: Signer, folder: Path) -> None:
    note = sign(signer, 100)
    again = Signer.open(folder, ORIGIN)

    assert again.last() == LOG.head(100)
    assert sign(again, 100) == note
    with pytest.raises(LogMismatchError):
        sign(again, 150, History(fork=99))


def test_two_processes_that_sign_two_histories_get_one_of_them_signed(signer: Signer, folder: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from tests.infra.sealing.test_signer import History, Signer, ORIGIN, sign\n"
        "from domain.errors import LogMismatchError\n"
        "signer, log = Signer.open(pathlib.Path(sys.argv[1]), ORIGIN), History(fork=int(sys.argv[2]))\n"
        "for size in range(1, 25):\n"
        "    try:\n"
        "        sign(signer, size, log)\n"
        "    except LogMismatchError:\n"
        "        pass\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(folder), fork]) for fork in ("0", "1000")]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]

    kept = list(signer.history().all(ORIGIN))
    assert [each.size for each in kept] == sorted({each.size for each in kept})
    histories = (LOG, History(fork=0))
    assert any(all(each.checkpoint == history.head(each.size) for each in kept) for history in histories)


@pytest.mark.parametrize("takes_effect", [False, True])
def test_a_crash_at_the_commit_gives_no_signature_and_binds_to_nothing_else(
    signer: Signer, monkeypatch: pytest.MonkeyPatch, takes_effect: bool
) -> None:
    sign(signer, 5)
    commit: Callable[..., None] = checkpoints._commit

    def crash(session: object) -> None:
        if takes_effect:
            commit(session)
        raise RecordingError("crash")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_commit", crash)
        with pytest.raises(RecordingError):
            sign(signer, 9)
    assert signer.last() == LOG.head(9 if takes_effect else 5)
    if takes_effect:
        with pytest.raises(LogMismatchError):
            sign(signer, 9, History(fork=8))
    assert open_checkpoint(sign(signer, 9), signer.verifiers).checkpoint == LOG.head(9)


# --------------------------------------------------------------------------------------------------------------- keys


def test_after_a_rotation_both_keys_sign_and_after_a_retirement_only_the_new_one(signer: Signer, folder: Path) -> None:
    other = Signer.open(folder, ORIGIN)
    old, new = signer.add_key()
    assert list(signer.verifiers) == [old, new]
    note = sign(other, 3)
    for key in (old, new):
        assert open_checkpoint(note, [key]).checkpoint == LOG.head(3)

    signer.retire(old.vkey)
    assert signer.verifiers == other.verifiers == (new,)
    assert {verified.key for verified in open_checkpoint(sign(other, 4), [old, new]).by} == {new}
    assert (folder / "keys" / "1.vkey").read_text() == f"{old.vkey}\n"
    assert not (folder / "keys" / "1.skey").exists()
    assert Signer.open(folder, ORIGIN).verifiers == (new,)


def test_a_checkpoint_that_the_old_key_signed_is_signed_again_with_both(signer: Signer) -> None:
    before = sign(signer, 3)
    old, new = signer.add_key()
    after = sign(signer, 3)

    assert before != after
    assert {verified.key for verified in open_checkpoint(after, [old, new]).by} == {old, new}
    assert sign(signer, 3) == after
    assert [kept.note for kept in signer.history().all(ORIGIN)] == [before, after]


def test_a_number_of_a_retired_key_is_not_given_again(signer: Signer, folder: Path) -> None:
    _, second = signer.add_key()
    signer.retire(second.vkey)
    signer.add_key()

    assert sorted(path.name for path in (folder / "keys").glob("*.*key")) == ["1.skey", "2.vkey", "3.skey"]


def test_the_only_key_is_not_retired_nor_one_that_is_not_there(signer: Signer) -> None:
    with pytest.raises(SettingsError, match="only key"):
        signer.retire(signer.verifiers[0].vkey)
    with pytest.raises(SettingsError, match="no key"):
        signer.retire(SigningKey(ORIGIN, bytes(32)).verifier.vkey)


def test_two_signers_that_are_made_without_a_seed_have_different_keys(tmp_path: Path) -> None:
    assert Signer.create(tmp_path / "a", ORIGIN).verifiers != Signer.create(tmp_path / "b", ORIGIN).verifiers


# -------------------------------------------------------------------------------------------------------------- folder


def test_the_folder_and_all_in_it_is_for_its_owner_alone(signer: Signer, folder: Path) -> None:
    sign(signer, 3)

    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("name", [".", "keys", "keys/1.skey", "signed.sqlite"])
def test_a_signer_that_others_can_read_is_not_used(signer: Signer, folder: Path, name: str) -> None:
    path = folder / name
    path.chmod(path.stat().st_mode | 0o040)

    with pytest.raises(SettingsError, match="open to others") as refused:
        Signer.open(folder, ORIGIN)
    assert str(path) in str(refused.value)


def test_a_missing_signer_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no signer at .*/nowhere"):
        Signer.open(tmp_path / "nowhere", ORIGIN)


def test_a_signer_of_another_log_is_not_used(signer: Signer, folder: Path) -> None:
    with pytest.raises(SettingsError, match=rf"of the log '{ORIGIN}', not of 'log\.example/other'"):
        Signer.open(folder, "log.example/other")


def test_a_signer_that_forgot_what_it_signed_is_not_used(signer: Signer, folder: Path) -> None:
    (folder / "signed.sqlite").unlink()

    with pytest.raises(SettingsError, match="forgot"):
        Signer.open(folder, ORIGIN)
    assert not (folder / "signed.sqlite").exists()


def test_a_memory_without_keys_gets_no_new_ones(signer: Signer, folder: Path) -> None:
    sign(signer, 3)
    (folder / "keys" / "1.skey").unlink()

    with pytest.raises(SettingsError, match="lost the keys"):
        Signer.create(folder, ORIGIN)


def test_a_signer_is_not_made_twice(signer: Signer, folder: Path) -> None:
    before = (folder / "keys" / "1.skey").read_bytes()

    with pytest.raises(SettingsError, match="never overwritten"):
        Signer.create(folder, ORIGIN)
    assert (folder / "keys" / "1.skey").read_bytes() == before


def test_a_signer_whose_making_was_cut_short_is_made_again(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "signed.sqlite").touch(0o600)

    assert sign(Signer.create(folder, ORIGIN), 3)


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"PRIVATE+KEY+x", b"0" * 5_000])
def test_a_damaged_key_is_refused_without_showing_it(signer: Signer, folder: Path, content: bytes) -> None:
    (folder / "keys" / "1.skey").write_bytes(content)

    with pytest.raises(SettingsError, match=r"1\.skey is damaged$") as refused:
        Signer.open(folder, ORIGIN)
    assert refused.value.__cause__ is None


def test_a_link_is_not_read_as_a_key(signer: Signer, folder: Path, tmp_path: Path) -> None:
    key = folder / "keys" / "1.skey"
    key.rename(tmp_path / "elsewhere.skey")
    key.symlink_to(tmp_path / "elsewhere.skey")

    with pytest.raises(SettingsError, match="cannot be read"):
        Signer.open(folder, ORIGIN)


def test_no_key_is_shown(signer: Signer) -> None:
    assert SEED.hex() not in repr(signer.__dict__)


def test_a_folder_says_whose_keys_it_holds(signer: Signer, folder: Path, tmp_path: Path) -> None:
    assert Signer.origin_of(folder) == signer.origin
    assert Signer.origin_of(tmp_path / "nothing") is None
