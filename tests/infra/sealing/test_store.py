"""The folder of a log: what is in it never changes, and a crash leaves nothing half written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.errors import LogMismatchError, NotFoundError, NotReadyError, RecordingError
from domain.sealing.bundles import encode_bundle
from domain.sealing.checkpoint import Checkpoint, sign_checkpoint
from domain.sealing.growth import TiledEdge
from domain.sealing.note import SigningKey
from domain.sealing.tiles import Bundle, Tile, bundles_at, tiles_at
from domain.sealing.tree import EMPTY_ROOT, leaf_hashes, root_of
from infra.sealing import durable
from infra.sealing.store import Named, TileStore

ORIGIN = "log.example/one"
ENTRIES = [b'{"n":%d}' % n for n in range(70_000)]
LEAVES = leaf_hashes(ENTRIES)
KEY = SigningKey(ORIGIN, bytes(range(32)))


@pytest.fixture
def store(tmp_path: Path) -> TileStore:
    store = TileStore(tmp_path / "log")
    store.create(ORIGIN)
    return store


def head(size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_of(LEAVES[:size]))


def note(size: int) -> bytes:
    return sign_checkpoint(head(size), [KEY])


def bundles(sizes: tuple[int, int]) -> list[tuple[Named, bytes]]:
    had, has = sizes
    first = had // 256
    wanted = [bundle for bundle in bundles_at(has) if bundle.index >= first]
    return [(bundle, encode_bundle(ENTRIES[bundle.leaves.start : bundle.leaves.stop])) for bundle in wanted]


def paths_at(size: int) -> set[str]:
    return {tile.path for tile in tiles_at(size)} | {bundle.path for bundle in bundles_at(size)}


def grow(store: TileStore, *sizes: int) -> None:
    """Writes what sealing at each of the sizes writes."""
    edge = TiledEdge()
    for size in sizes:
        had = edge.size
        edge, tiles = edge.extended(LEAVES[had:size])
        store.write([*bundles((had, size)), *tiles])
        store.write_head(head(size))


# --------------------------------------------------------------------------------------------------------------- tiles


def test_files_have_the_paths_of_the_specification(store: TileStore) -> None:
    grow(store, 70_000)

    files = {path.relative_to(store.folder).as_posix() for path in store.folder.glob("tile/**/*") if path.is_file()}
    assert files == paths_at(70_000)
    assert {named.path for named in store.stored()} == files
    for path in ("tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/x001/000"):
        assert (path in files) == (path != "tile/entries/x001/000")


def test_what_was_written_is_read(store: TileStore) -> None:
    grow(store, 300)

    assert store.read(Tile(0, 0)) == b"".join(LEAVES[:256])
    assert store.read(Tile(0, 1, 44)) == b"".join(LEAVES[256:300])
    assert store.read(Tile(1, 0, 1)) == root_of(LEAVES[:256])
    assert store.read(Bundle(1, 44)) == encode_bundle(ENTRIES[256:300])


def test_a_partial_tile_goes_when_the_full_one_is_there_and_is_cut_from_it(store: TileStore) -> None:
    grow(store, 10, 20)
    assert (store.folder / "tile/0/000.p/10").exists(), "a checkpoint of this size may be out"
    grow(store, 10, 20, 600)

    assert not (store.folder / "tile/0/000.p").exists()
    assert not (store.folder / "tile/entries/000.p").exists()
    assert store.read(Tile(0, 0, 10)) == b"".join(LEAVES[:10])
    assert store.read(Bundle(0, 20)) == encode_bundle(ENTRIES[:20])


def test_a_partial_tile_that_is_missing_is_cut_from_a_wider_partial_one(store: TileStore) -> None:
    grow(store, 300)

    assert store.read(Tile(0, 1, 9)) == b"".join(LEAVES[256:265])
    with pytest.raises(NotFoundError):
        store.read(Tile(0, 1, 45))


@pytest.mark.parametrize("named", [Tile(0, 7), Tile(3, 0, 1), Bundle(7), Bundle(0, 255)])
def test_what_is_not_there_is_not_found(store: TileStore, named: Named) -> None:
    grow(store, 100)

    with pytest.raises(NotFoundError, match=named.path):
        store.read(named)


def test_writing_again_changes_no_file(store: TileStore) -> None:
    grow(store, 300)
    before = {path: path.stat().st_ino for path in store.folder.glob("tile/**/*")}
    grow(store, 300)

    assert {path: path.stat().st_ino for path in store.folder.glob("tile/**/*")} == before


def test_a_tile_with_other_hashes_is_refused_naming_path_and_position(store: TileStore) -> None:
    grow(store, 300)
    other = b"".join([*LEAVES[256:260], bytes(32), *LEAVES[261:300]])

    with pytest.raises(LogMismatchError, match=r"tile/0/001\.p/44 .* the first difference is at position 261$"):
        store.write([(Tile(0, 1, 44), other)])
    with pytest.raises(LogMismatchError, match=r"tile/1/000\.p/1 .* positions 1 to 256 differ"):
        store.write([(Tile(1, 0, 1), bytes(32))])
    assert store.read(Tile(0, 1, 44)) == b"".join(LEAVES[256:300])


def test_a_bundle_with_other_entries_is_refused_naming_path_and_position(store: TileStore) -> None:
    grow(store, 300)
    other = encode_bundle([*ENTRIES[256:299], b"{}"])

    with pytest.raises(LogMismatchError, match=r"tile/entries/001\.p/44 .* the first difference is at position 300"):
        store.write([(Bundle(1, 44), other)])


def test_of_a_batch_with_one_wrong_tile_nothing_is_written(store: TileStore) -> None:
    grow(store, 300)

    with pytest.raises(LogMismatchError):
        store.write([(Tile(5, 0, 1), bytes(32)), (Tile(0, 0), bytes(8192))])
    assert not (store.folder / "tile/5").exists()


def test_many_files_are_written_in_one_call(store: TileStore) -> None:
    grow(store, 70_000)

    assert sum(1 for _ in store.stored()) == len([*tiles_at(70_000), *bundles_at(70_000)])
    assert store.read(Tile(2, 0, 1)) == root_of(LEAVES[:65_536])
    assert list((store.folder / durable.WAITING).iterdir()) == []


def test_a_disk_that_fails_is_said_so(store: TileStore) -> None:
    (store.folder / "tile").write_text("in the way")

    with pytest.raises(RecordingError, match="cannot be written") as failed:
        store.write([(Tile(0, 0, 1), bytes(32))])
    assert failed.value.may_continue


# --------------------------------------------------------------------------------------------------------------- heads


def test_a_new_folder_has_an_empty_tree_and_nothing_published(tmp_path: Path) -> None:
    store = TileStore(tmp_path / "deep" / "log")
    assert store.head() is None
    assert not store.exists()
    store.create(ORIGIN)

    assert store.exists()
    assert store.head() == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert store.published() is None
    assert store.folder.stat().st_mode & 0o077 == 0, "bundles hold entries"


def test_a_folder_is_of_one_log(store: TileStore) -> None:
    grow(store, 5)
    store.create(ORIGIN)
    assert store.head() == head(5)

    with pytest.raises(LogMismatchError, match=r"log\.example/one"):
        store.create("log.example/two")


@pytest.mark.parametrize("content", [b"", b"\xff", b"log.example/one\n5\nAAAA\n", b"log.example/one\n05\n"])
def test_a_damaged_head_is_not_taken_for_an_empty_tree(store: TileStore, content: bytes) -> None:
    (store.folder / "tree").write_bytes(content)

    with pytest.raises(LogMismatchError, match="tree is no head"):
        store.head()


def test_what_is_published_is_kept_in_the_history_too(store: TileStore) -> None:
    for size in (3, 5):
        store.publish(note(size))

    assert store.published() == note(5)
    assert [kept.note for kept in store.history().all(ORIGIN)] == [note(3), note(5)]


def test_what_was_published_is_never_taken_back(store: TileStore) -> None:
    store.publish(note(5))

    with pytest.raises(LogMismatchError, match="5 leaves"):
        store.publish(note(4))
    assert store.published() == note(5)


# ---------------------------------------------------------------------------------------------------------------- lock


def test_of_two_who_want_to_write_one_is_refused(store: TileStore) -> None:
    other = TileStore(store.folder)
    with store.lock():
        assert store.is_locked()
        with pytest.raises(NotReadyError, match=f"process {os.getpid()} "), other.lock():
            pass
        assert not other.is_locked()
    assert not store.is_locked()
    with other.lock(wait=True):
        assert other.is_locked()


def test_the_lock_of_a_process_that_died_is_free(store: TileStore) -> None:
    program = (
        "import os, pathlib, sys, infra.sealing.store as s\n"
        "with s.TileStore(pathlib.Path(sys.argv[1])).lock():\n"
        "    os.write(1, b'held'); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == b"held"
        with pytest.raises(NotReadyError, match=f"process {process.pid} "), store.lock():
            pass
        process.kill()
    with store.lock():
        pass


def test_what_a_crash_left_on_its_way_is_taken_away(store: TileStore) -> None:
    (store.folder / durable.WAITING / "1-1").write_bytes(b"half of a ti")
    with store.lock():
        assert list((store.folder / durable.WAITING).iterdir()) == []


# ------------------------------------------------------------------------------------------------------------- discard


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 300, 65_536, 65_700])
def test_a_shortened_tree_is_the_tree_that_never_grew_further(store: TileStore, tmp_path: Path, size: int) -> None:
    grow(store, 66_000)
    grown = {path.relative_to(store.folder): path.read_bytes() for path in _files(store.folder / "tile")}
    aside = store.discard_unsigned(size)

    never = TileStore(tmp_path / "never")
    never.create(ORIGIN)
    grow(never, size)
    assert store.head() == head(size)
    assert aside == store.folder / "aside-1"
    assert {named: store.read(named) for named in store.stored()} == {
        named: never.read(named) for named in never.stored()
    }
    kept = {path.relative_to(store.folder): path.read_bytes() for path in _files(store.folder / "tile")}
    moved = {path.relative_to(aside): path.read_bytes() for path in _files(aside)}
    assert {**kept, **moved}.items() >= grown.items(), "nothing is deleted"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_tree_goes_on_growing_after_it_was_shortened(store: TileStore) -> None:
    grow(store, 700)
    store.discard_unsigned(300)
    grow(store, 300, 600)

    assert store.head() == head(600)
    assert store.read(Tile(0, 1)) == b"".join(LEAVES[256:512])


def test_a_tree_is_shortened_to_what_it_is_without_moving_anything(store: TileStore) -> None:
    grow(store, 300)

    assert store.discard_unsigned(300) is None
    assert store.head() == head(300)


def test_what_was_published_is_not_discarded(store: TileStore) -> None:
    grow(store, 300)
    store.publish(note(300))

    with pytest.raises(LogMismatchError, match="more than 299 leaves of this log were published"):
        store.discard_unsigned(299)
    with pytest.raises(LogMismatchError, match="does not have 301"):
        store.discard_unsigned(301)
    assert store.head() == head(300)


def test_discarding_again_after_a_crash_in_the_middle_finishes_it(
    store: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(store, 700)
    moves = 0

    def failing(move: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def moved(source: str, target: str) -> None:
            nonlocal moves
            moves += 1
            if moves > 6:
                raise OSError(5, "crash")
            move(source, target)

        return moved

    with monkeypatch.context() as patch:
        patch.setattr(durable, "_move", failing(durable._move))
        with pytest.raises(RecordingError):
            store.discard_unsigned(300)
    store.discard_unsigned(300)

    assert store.head() == head(300)
    assert {named.path for named in store.stored()} == paths_at(300)
