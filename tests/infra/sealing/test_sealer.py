"""What is recorded is sealed as the specification says, and what was altered afterwards gets no signature."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.errors import LogMismatchError, NotReadyError
from domain.recording import Batch
from domain.sealing.checkpoint import Checkpoint, open_checkpoint
from domain.sealing.encoding import base64_of
from domain.sealing.tiles import parse_path
from infra.postgres.recorder import PostgresLog
from infra.sealing.sealer import Sealer
from infra.sealing.signer import Signer
from infra.sealing.store import TileStore
from tests.drafts import a_draft
from tests.infra.sealing.material import ORIGIN, SEED, ListedLog, files_at, head_of, rows
from tests.migrated import execute, log_database


class Desk:
    """A log and where it is sealed."""

    def __init__(self, folder: Path, count: int = 0) -> None:
        self.log = ListedLog(rows(count))
        self.tree = folder / "log"
        self.secret = folder / "signer"
        self.signer = Signer.create(self.secret, ORIGIN, SEED)

    @property
    def store(self) -> TileStore:
        return TileStore(self.tree)

    @contextmanager
    def sealer(self, chunk: int = 100) -> Iterator[Sealer]:
        """A sealer that was started, as a new process would."""
        store = self.store
        with store.lock():
            sealer = Sealer(self.log, store, Signer.open(self.secret, ORIGIN), chunk=chunk)
            sealer.start()
            yield sealer

    def seal(self, size: int, *, publish: bool = False) -> bytes:
        """Records as many entries as it takes, seals and signs them."""
        self.log.rows += rows(size)[len(self.log.rows) :]
        with self.sealer() as sealer:
            assert sealer.integrate().size == size
            note = sealer.sign()
        if publish:
            self.store.publish(note)
        return note

    def start(self) -> Checkpoint:
        with self.sealer() as sealer:
            return sealer.head

    def attempt(self) -> bytes:
        """A signature of whatever is recorded."""
        with self.sealer() as sealer:
            sealer.integrate()
            return sealer.sign()

    def files(self) -> dict[str, bytes]:
        return {named.path: self.store.read(named) for named in self.store.stored()}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# ------------------------------------------------------------------------------------------------------------- sealing


@pytest.mark.parametrize("chunk", [7, 256, 1_000])
def test_the_files_are_those_of_the_definition_however_the_log_grew(desk: Desk, chunk: int) -> None:
    everything = rows(900)
    with desk.sealer(chunk) as sealer:
        for size in (0, 1, 2, 255, 256, 257, 511, 512, 777, 900):
            desk.log.rows[:] = everything[:size]
            assert sealer.integrate() == desk.store.head() == head_of(everything, size)
            for path, data in files_at(everything, size).items():
                assert desk.store.read(parse_path(path)) == data, path

    wanted, stored = files_at(everything, 900), desk.files()
    assert {path: data for path, data in stored.items() if path in wanted} == wanted


def test_a_tree_of_three_levels_is_sealed_in_one_go(desk: Desk) -> None:
    desk.log.rows = rows(66_000)
    with desk.sealer(20_000) as sealer:
        sealer.integrate()

    wanted = files_at(desk.log.rows, 66_000)
    stored = desk.files()
    assert {path: stored[path] for path in wanted} == wanted
    assert all(".p/" in path for path in stored.keys() - wanted.keys())


def test_every_size_that_was_signed_can_still_be_served(desk: Desk) -> None:
    sizes = sorted(random.Random(4).sample(range(1, 800), 20))
    for size in sizes:
        desk.seal(size)

    for size in sizes:
        for path, data in files_at(rows(800), size).items():
            assert desk.store.read(parse_path(path)) == data


def test_the_note_is_the_signed_head(desk: Desk) -> None:
    for size in (5, 5, 300):
        note = desk.seal(size)
        assert open_checkpoint(note, desk.signer.verifiers).checkpoint == head_of(rows(size), size)
    assert [kept.size for kept in desk.signer.history().all(ORIGIN)] == [5, 300]


def test_an_empty_log_has_an_empty_tree_that_can_be_signed(desk: Desk) -> None:
    assert open_checkpoint(desk.seal(0), desk.signer.verifiers).checkpoint.size == 0
    desk.seal(3)


def test_sealing_stops_at_the_position_asked_for(desk: Desk) -> None:
    desk.log.rows = rows(1_000)
    with desk.sealer() as sealer:
        assert [sealer.integrate(upto).size for upto in (0, 50, 50, 20, 350, 2_000)] == [0, 50, 50, 50, 350, 1_000]


def test_a_round_without_news_writes_nothing(desk: Desk) -> None:
    desk.log.rows = rows(300)
    with desk.sealer() as sealer:
        head = sealer.integrate()
        before = {path: path.stat().st_ino for path in desk.tree.rglob("*")}
        assert sealer.integrate() == head
    assert {path: path.stat().st_ino for path in desk.tree.rglob("*")} == before


def test_a_log_in_postgresql_is_sealed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with log_database() as url, PostgresLog(url) as log:
        list(log.append_bulk(Batch([a_draft(f"case-{n}")]) for n in range(700)))
        entries = [stored.entry for stored in log.read(0, 1_000)]
        with desk.store.lock(), pytest.raises(RuntimeError):
            Sealer(log, desk.store, desk.signer).start()
        store = desk.store
        with store.lock():
            sealer = Sealer(log, store, desk.signer)
            sealer.start()
            assert sealer.integrate() == head_of(entries, 700)
            sealer.sign()
            _as_superuser(url, "delete from qingling.event where position = 699")
            with pytest.raises(LogMismatchError, match="the log has no position 699"):
                Sealer(log, store, desk.signer).start()
    assert desk.files() == files_at(entries, 700)


def _as_superuser(url: str, statement: str) -> None:
    execute(url, "alter table qingling.event disable trigger all")
    execute(url, statement)


# ------------------------------------------------------------------------------------------------- what a start refuses


def test_a_log_that_ends_before_the_tree_is_refused_and_the_way_back_is_named(desk: Desk) -> None:
    desk.seal(300)
    del desk.log.rows[299:]

    with pytest.raises(LogMismatchError, match=r"ends at position 299, and 300 .* `qingling log recover`"):
        desk.start()


def test_a_log_that_lost_all_is_refused(desk: Desk) -> None:
    desk.seal(300)
    desk.log.rows.clear()

    with pytest.raises(LogMismatchError, match="ends at position 0, and 300"):
        desk.start()


@pytest.mark.parametrize(("size", "position"), [(300, 300), (300, 257), (512, 512), (256, 1), (1, 1)])
def test_an_entry_at_the_end_of_the_tree_that_is_another_one_is_refused_naming_its_position(
    desk: Desk, size: int, position: int
) -> None:
    desk.seal(size)
    desk.log.rows[position - 1] = b'{"n":-1}'

    with pytest.raises(
        LogMismatchError, match=f"entry at position {position} of the log is not the one that was sealed"
    ):
        desk.start()


def test_a_right_edge_that_was_altered_in_any_tile_is_refused(desk: Desk) -> None:
    desk.seal(600)
    for path in ("tile/0/002.p/88", "tile/1/000.p/2"):
        file = desk.tree / path
        good = file.read_bytes()
        for at in range(0, len(good), 31):
            file.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            with pytest.raises(LogMismatchError, match=r"tree of 600 leaves .* was altered"):
                desk.start()
        file.write_bytes(good[:-1])
        with pytest.raises(LogMismatchError, match=path):
            desk.start()
        file.unlink()
        with pytest.raises(LogMismatchError, match=path):
            desk.start()
        file.write_bytes(good)
    assert desk.start().size == 600


def test_a_full_tile_at_the_edge_that_was_altered_is_refused(desk: Desk) -> None:
    desk.seal(512)
    file = desk.tree / "tile/0/001"
    file.write_bytes(bytes(32) + file.read_bytes()[32:])

    with pytest.raises(LogMismatchError, match="position 257"):
        desk.start()


def test_a_head_with_another_root_is_refused(desk: Desk) -> None:
    desk.seal(300)
    desk.store.write_head(Checkpoint(ORIGIN, 300, bytes(32)))

    with pytest.raises(LogMismatchError, match="300 leaves"):
        desk.start()


def test_a_bundle_at_the_edge_that_was_altered_is_refused_naming_path_and_position(desk: Desk) -> None:
    desk.seal(300)
    file = desk.tree / "tile/entries/001.p/44"
    file.write_bytes(file.read_bytes()[:-1] + b" ")

    with pytest.raises(LogMismatchError, match=r"tile/entries/001\.p/44 .* position 300"):
        desk.start()


def test_a_bundle_at_the_edge_that_was_lost_is_written_again(desk: Desk) -> None:
    desk.seal(300)
    shutil.rmtree(desk.tree / "tile/entries/001.p")
    desk.start()

    assert desk.files() == files_at(rows(300), 300)


def test_a_file_beyond_the_tree_with_other_bytes_is_refused_and_not_overwritten(desk: Desk) -> None:
    desk.seal(300)
    foreign = desk.tree / "tile/0/001.p/45"
    foreign.write_bytes(bytes(45 * 32))
    desk.log.rows = rows(301)

    with desk.sealer() as sealer:
        with pytest.raises(LogMismatchError, match=r"tile/0/001\.p/45 .* first difference is at position 257"):
            sealer.integrate()
        assert sealer.head.size == 300
    assert foreign.read_bytes() == bytes(45 * 32)
    assert desk.store.head() == head_of(rows(300), 300)


def test_a_folder_of_another_log_is_refused(desk: Desk) -> None:
    desk.store.create("log.example/other")

    with pytest.raises(LogMismatchError, match=r"log\.example/other"):
        desk.start()


def test_a_second_sealer_is_refused(desk: Desk) -> None:
    desk.seal(10)
    with desk.sealer(), pytest.raises(NotReadyError, match="only one at a time"), desk.sealer():
        pass


def test_nobody_seals_without_the_lock(desk: Desk) -> None:
    with pytest.raises(RuntimeError, match="lock"):
        Sealer(desk.log, desk.store, desk.signer).start()
    with desk.sealer() as sealer:
        pass
    with pytest.raises(RuntimeError, match="lock"):
        sealer.integrate()


def test_a_sealer_is_started_before_it_is_used(desk: Desk) -> None:
    store = desk.store
    with store.lock(), pytest.raises(RuntimeError, match="started"):
        Sealer(desk.log, store, desk.signer).integrate()


# ------------------------------------------------------------------------------------------------ what a round refuses


def test_a_log_that_is_cut_short_between_two_rounds_is_refused_in_the_next(desk: Desk) -> None:
    desk.log.rows = rows(300)
    with desk.sealer() as sealer:
        sealer.integrate()
        del desk.log.rows[250:]
        with pytest.raises(LogMismatchError, match="ends at position 250, and 300"):
            sealer.integrate()


def test_a_log_that_is_rewritten_at_its_end_between_two_rounds_is_refused_in_the_next(desk: Desk) -> None:
    desk.log.rows = rows(300)
    with desk.sealer() as sealer:
        sealer.integrate()
        desk.log.rows[299:] = [b"other", b"and more"]
        with pytest.raises(LogMismatchError, match="position 300"):
            sealer.integrate()
        assert sealer.head.size == 300


# ------------------------------------------------------------------------------------------- against what was signed


def test_a_tree_that_was_rebuilt_of_a_rewritten_log_gets_no_signature(tmp_path: Path, desk: Desk) -> None:
    """Somebody with all rights but the signer's makes log and folder anew, in agreement with each other."""
    signed = base64_of(head_of(rows(300), 300).root)
    desk.seal(300)
    (tmp_path / "forger").mkdir()
    forger = Desk(tmp_path / "forger")
    forger.log.rows = [b"forged", *rows(400)[1:]]
    with forger.sealer() as sealer:
        sealer.integrate()
    shutil.rmtree(desk.tree)
    shutil.copytree(forger.tree, desk.tree)
    desk.log = forger.log

    with pytest.raises(
        LogMismatchError, match=f"does not extend the one of 300 leaves with root {signed.replace('+', '.')}"
    ):
        desk.start()
    assert desk.signer.last() == head_of(rows(300), 300)


@pytest.mark.parametrize("published", [True, False])
def test_a_tree_is_held_against_what_was_published_where_the_signer_was_restored(
    tmp_path: Path, desk: Desk, published: bool
) -> None:
    desk.seal(100)
    shutil.copytree(desk.secret, tmp_path / "copy")
    desk.seal(300, publish=published)
    shutil.rmtree(desk.secret)
    shutil.copytree(tmp_path / "copy", desk.secret)
    for name in ("tree", "tile"):
        path = desk.tree / name
        path.unlink() if path.is_file() else shutil.rmtree(path)
    desk.log.rows[200] = b"forged"

    if published:
        with pytest.raises(LogMismatchError, match="positions 101 to 300 of the log are not what was sealed"):
            desk.start()
    else:
        assert desk.start().size == 100, "nobody outside has seen more"


def test_a_published_file_that_was_altered_is_refused(desk: Desk) -> None:
    desk.seal(100, publish=True)
    (desk.tree / "checkpoint").write_bytes(b"anything")

    with pytest.raises(LogMismatchError, match="checkpoint was altered"):
        desk.start()


# -------------------------------------------------------------------------------------------- a folder that was lost


def _lost(desk: Desk, tmp_path: Path) -> None:
    shutil.rmtree(desk.tree)


def _emptied(desk: Desk, tmp_path: Path) -> None:
    shutil.rmtree(desk.tree)
    desk.tree.mkdir(mode=0o700)


def _without_head(desk: Desk, tmp_path: Path) -> None:
    (desk.tree / "tree").unlink()


def _restored(desk: Desk, tmp_path: Path) -> None:
    shutil.rmtree(desk.tree)
    shutil.copytree(tmp_path / "copy", desk.tree)


@pytest.mark.parametrize("lose", [_lost, _emptied, _without_head, _restored])
def test_a_folder_that_was_lost_is_regrown_to_exactly_the_signed_roots(
    desk: Desk, tmp_path: Path, lose: Callable[[Desk, Path], None]
) -> None:
    desk.seal(257)
    shutil.copytree(desk.tree, tmp_path / "copy")
    for size in (300, 301, 700):
        desk.seal(size)
    lose(desk, tmp_path)
    desk.log.rows = rows(800)

    assert desk.start() == head_of(rows(700), 700), "no further than was signed"
    assert desk.seal(800)
    stored, wanted = desk.files(), files_at(rows(800), 800)
    assert {path: stored[path] for path in wanted} == wanted


@pytest.mark.parametrize("restored", [False, True])
def test_no_rewritten_entry_below_the_signed_size_ever_gets_a_signature(
    desk: Desk, tmp_path: Path, restored: bool
) -> None:
    desk.seal(11)
    shutil.copytree(desk.tree, tmp_path / "copy")
    for size in (20, 29, 40):
        desk.seal(size)
    signed = [kept.note for kept in desk.signer.history().all(ORIGIN)]
    for position in range(1, 41):
        shutil.rmtree(desk.tree)
        if restored:
            shutil.copytree(tmp_path / "copy", desk.tree)
        desk.log.rows = rows(60)
        desk.log.rows[position - 1] = b'{"n":-1}'
        with pytest.raises(LogMismatchError, match=r"not (what|the one that) was sealed"):
            desk.attempt()
        kept = desk.store.head()
        assert kept is not None
        assert kept.size == (11 if restored else 0), "nothing of another log was written"
    assert [kept.note for kept in desk.signer.history().all(ORIGIN)] == signed


def test_the_refusal_says_between_which_signed_checkpoints_the_log_was_rewritten(desk: Desk) -> None:
    for size in (10, 20, 300, 700):
        desk.seal(size)
    shutil.rmtree(desk.tree)
    desk.log.rows[150] = b"forged"

    with pytest.raises(LogMismatchError, match="positions 21 to 300 of the log are not what was sealed") as refused:
        desk.start()
    assert base64_of(head_of(rows(300), 300).root) in str(refused.value)


@pytest.mark.parametrize("left", [0, 299, 699])
def test_a_log_that_is_shorter_than_what_was_signed_is_refused_though_the_tree_is_gone(desk: Desk, left: int) -> None:
    desk.seal(700)
    shutil.rmtree(desk.tree)
    del desk.log.rows[left:]

    with pytest.raises(LogMismatchError, match=f"ends at position {left}, and 700 .*recover"):
        desk.start()
    assert not list(desk.store.stored())


def test_tiles_of_another_tree_in_the_folder_are_not_overwritten_by_one_that_is_regrown(desk: Desk) -> None:
    desk.seal(300)
    (desk.tree / "tree").unlink()
    tile = desk.tree / "tile/0/000"
    tile.write_bytes(bytes(8_192))

    with pytest.raises(LogMismatchError, match=r"tile/0/000 .* position 1$"):
        desk.start()
    assert tile.read_bytes() == bytes(8_192)
