"""The log folded by parts: by engines that share them, by one that takes them over, beside a part in which a ledger is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

import pytest

from domain.errors import LogMismatchError, NotReadyError
from infra.folding.arrangement import Together, arranged
from infra.folding.engine import Engine
from infra.folding.feed import EVERY_PART, UNDIVIDED, FeedEntry, Parts
from infra.folding.leader import OutdatedReleaseError
from infra.folding.status import LedgerState
from tests.infra.folding.test_engine import ADDED, ENDED, FRAGILE, PLACED, POISONED, eventually, status
from tests.migrated import execute
from tests.projections.laws import Bench, MemoryFeed, check_as_known, check_pages, empty, expected
from tests.projections.toys import TYPES, decoded, entry_of, toy_catalogue

HALVES = EVERY_PART[:8], EVERY_PART[8:]


def in_boxes(*types: str, boxes: int = 12) -> list[FeedEntry]:
    """Entries of things in boxes, which are the partition keys, in turn."""
    found = []
    for at, name in enumerate(types * boxes):
        box = f"b-{at % boxes}"
        data: dict[str, object] = {"amount": at + 1}
        if name == PLACED:
            data |= {"label": "a", "tags": [box]}
        found.append(entry_of(at + 1, name, f"thing-{box}", box, **(data if name in (PLACED, ADDED) else {})))
    return found


def busy(boxes: int = 12) -> list[FeedEntry]:
    """A history in which every box sees placing, adding, ending, placing again."""
    found: list[FeedEntry] = []
    for name in (PLACED, ADDED, ADDED, ENDED, PLACED, ADDED):
        for entry in in_boxes(name, boxes=boxes):
            position = len(found) + 1
            box = f"b-{entry.position % boxes}"
            data: dict[str, object] = {"amount": position} if name in (PLACED, ADDED) else {}
            if name == PLACED:
                data |= {"label": "a", "tags": [box]}
            found.append(entry_of(position, name, f"thing-{box}", box, **data))
    return found


def shard(entry: FeedEntry) -> int:
    (found,) = MemoryFeed([entry]).entries
    return found.shard


@contextmanager
def folding(bench: Bench, entries: Sequence[FeedEntry], *parts: Parts) -> Iterator[list[Engine]]:
    """Engines that share the parts, each in a thread of its own."""
    with ExitStack() as stack:
        engines = [bench.engine(MemoryFeed(entries, each), longest_pause=0.05) for each in parts]
        for engine in engines:
            stack.callback(engine.stop)
            engine.start()
        yield engines


def reached(bench: Bench, position: int) -> Callable[[], bool]:
    return lambda: {one.position for one in status(bench).values()} == {position}


def stand(bench: Bench) -> dict[int, set[int]]:
    """By part: where live ledgers stand in it."""
    found: dict[int, set[int]] = {}
    for part, position in execute(
        bench.url,
        "select p.part, p.position from ledger.progress as p join ledger.generation as g on g.id = p.generation where g.state = 'live'",
    ):
        found.setdefault(part, set()).add(position)
    return found


def test_two_that_share_the_parts_make_the_versions_that_one_makes_which_folds_all(toys):
    entries = busy()
    toys.fold(MemoryFeed(entries))
    whole = toys.stored()
    with closing(Bench(toys.url, toy_catalogue(), TYPES)) as shared:
        empty(toys.url)
        with folding(shared, entries, *HALVES):
            eventually(reached(shared, len(entries)))

        assert shared.stored() == whole
        states = expected(shared.catalogue, decoded(entries))
        check_as_known(shared, states)
        check_pages(shared, states)


def test_parts_change_hands_and_whoever_folds_all_again_joins_them(toys):
    entries = busy()
    with folding(toys, entries[:20], EVERY_PART):
        eventually(reached(toys, 20))
    with folding(toys, entries[:50], *HALVES):
        eventually(reached(toys, 50))
    with folding(toys, entries[:60], HALVES[0]):  # the other half is nobody's
        eventually(lambda: all(stand(toys)[part] == {60} for part in HALVES[0]))
    assert all(stand(toys)[part] == {50} for part in HALVES[1])
    assert {one.position for one in status(toys).values()} == {50}

    with folding(toys, entries, UNDIVIDED):
        eventually(lambda: stand(toys) == {-1: {len(entries)}})
    check_as_known(toys, expected(toys.catalogue, decoded(entries)))


def test_a_ledger_is_read_as_of_where_its_hindmost_part_stands(toys):
    entries = busy()
    states = expected(toys.catalogue, decoded(entries))
    with folding(toys, entries[:30], EVERY_PART):
        eventually(reached(toys, 30))
    with folding(toys, entries[:60], HALVES[1]):
        eventually(lambda: all(stand(toys)[part] == {60} for part in HALVES[1]))

    for name in ("things", "boxes"):
        page = toys.reader.page(name, limit=100)
        assert (page.position, page.complete) == (30, 30)
        assert {row.key: row.row for row in page.rows} == states[30].rows[name]
        assert {row.key: row.row for row in toys.reader.stream_rows(name)} == states[30].rows[name]
        for key, row in states[30].rows[name].items():
            found = toys.reader.row(name, key)
            assert found is not None
            assert found.row == row
        with pytest.raises(NotReadyError, match="up to position 30"):
            toys.reader.page(name, as_of=31)
    assert toys.reader.cells("totals") == states[30].sums["totals"]
    with pytest.raises(NotReadyError):
        toys.reader.wait_for(["things"], 31, timeout=0.05)


def test_poison_stops_its_ledger_in_its_part_and_the_rest_folds_on(toys):
    entries = busy(boxes=24)
    at = 40
    poisoned = entry_of(at, POISONED, "thing-b-1", "b-1")
    entries[at - 1] = poisoned
    mine = shard(poisoned)
    with folding(toys, entries, *HALVES) as engines:
        eventually(
            lambda: (
                set(stand(toys)) == set(EVERY_PART)
                and all(max(stood) == len(entries) for stood in stand(toys).values())
                and status(toys)["fragile"].state is LedgerState.STOPPED
            )
        )
        eventually(lambda: all(stood == {len(entries)} for part, stood in stand(toys).items() if part != mine))

        found = status(toys)
        assert {name for name, one in found.items() if one.state is LedgerState.STOPPED} == set(FRAGILE)
        assert (found["fragile"].position, found["things"].position) == (at - 1, len(entries))
        assert f"position {at}" in (found["fragile"].reason or "")
        assert f"in part {mine} of 16" in (found["fragile"].reason or "")
        page = toys.reader.page("fragile", limit=100)
        assert (page.position, page.complete) == (len(entries), at - 1)
        others = {entry_key(entry) for entry in entries if shard(entry) != mine}
        states = expected(toy_catalogue(broken=False), decoded(entries))
        assert {r.key: r.row for r in page.rows if r.key in others} == {
            key: row for key, row in states[-1].rows["fragile"].items() if key in others
        }
        with pytest.raises(NotReadyError, match=f"up to position {at - 1}"):
            toys.reader.page("fragile", as_of=at)
        with pytest.raises(NotReadyError, match="resume that one"):
            engines[0].resume("followers")

    with closing(Bench(toys.url, toy_catalogue(broken=False), TYPES)) as mended:
        mended.engine(MemoryFeed(entries)).resume("fragile")
        with folding(mended, entries, *HALVES):
            eventually(reached(mended, len(entries)))
        check_as_known(mended, states)


def entry_key(entry: FeedEntry) -> str:
    (recorded,) = decoded([entry])
    return recorded.envelope.partitionkey


def test_what_cannot_be_read_stops_every_ledger_in_its_part_alone(toys):
    entries = busy()
    entries[29] = entry_of(30, "thing.melted.v1", "thing-b-3", "b-3")
    mine = shard(entries[29])
    with folding(toys, entries, *HALVES):
        eventually(lambda: set(stand(toys)) == set(EVERY_PART) and stand(toys)[mine] == {29})
        eventually(lambda: all(stood == {len(entries)} for part, stood in stand(toys).items() if part != mine))
    assert {(one.state, one.position) for one in status(toys).values()} == {(LedgerState.STOPPED, 29)}


def test_a_paused_ledger_is_paused_in_all_parts(toys):
    entries = busy()
    with folding(toys, entries[:20], *HALVES) as engines:
        eventually(reached(toys, 20))
        engines[0].pause("boxes")
    with folding(toys, entries, *HALVES) as engines:
        eventually(lambda: status(toys)["things"].position == len(entries))
        assert (status(toys)["boxes"].state, status(toys)["boxes"].position) == (LedgerState.PAUSED, 20)
        assert toys.reader.page("boxes").position == 20
        engines[1].resume("boxes")
        eventually(reached(toys, len(entries)))
    check_as_known(toys, expected(toys.catalogue, decoded(entries)))


def test_who_folds_all_waits_for_those_that_share_and_they_for_it(toys):
    entries = busy()
    alone = toys.engine(MemoryFeed(entries))
    with folding(toys, entries[:10], *HALVES):
        eventually(reached(toys, 10))
        alone.start()
        try:
            threading.Event().wait(0.2)
            assert not alone.leading
        except BaseException:
            alone.stop()
            raise
    try:
        eventually(lambda: alone.leading)
        with folding(toys, entries, *HALVES) as engines:
            eventually(lambda: all("another engine folds all" in (each.trouble or "") for each in engines))
    finally:
        alone.stop()


def test_two_that_both_believe_a_part_to_be_theirs_double_nothing(toys):
    entries = busy()
    with folding(toys, entries, EVERY_PART, EVERY_PART, HALVES[0]):
        eventually(reached(toys, len(entries)))
    check_as_known(toys, expected(toys.catalogue, decoded(entries)))


@pytest.mark.parametrize("version", [1, 3])
def test_one_of_another_release_folds_nothing_and_stops_nobody(toys, version):
    entries = busy()
    with closing(Bench(toys.url, toy_catalogue(version=2), TYPES)) as current:
        with folding(current, entries[:10], EVERY_PART):
            eventually(reached(current, 10))
            with (
                closing(Bench(toys.url, toy_catalogue(version=version), TYPES)) as other,
                folding(other, entries, HALVES[0]) as (engine,),
            ):
                eventually(lambda: engine.failure is not None)
                assert isinstance(engine.failure, OutdatedReleaseError)
                assert "version 2" in str(engine.failure)
                assert f"version {version}" in str(engine.failure)
        assert {(one.state, one.position) for one in status(current).values()} == {(LedgerState.RUNNING, 10)}


def test_one_that_does_not_know_a_ledger_which_others_fold_is_refused(toys):
    entries = busy()
    with folding(toys, entries[:10], EVERY_PART):
        eventually(reached(toys, 10))
    execute(toys.url, "update ledger.generation set ledger = 'newest' where ledger = 'odd'")
    with folding(toys, entries, EVERY_PART) as (engine,):
        eventually(lambda: engine.failure is not None)
    assert "newest" in str(engine.failure)


def test_a_feed_of_another_log_ends_the_engine_with_its_reason(toys):
    class Foreign(MemoryFeed):
        def head(self) -> int:
            raise LogMismatchError("the topic is filled by another log")

    engine = toys.engine(Foreign(busy(), EVERY_PART))
    engine.run()
    assert "another log" in str(engine.failure)


# Rebuilding


def test_those_that_share_the_parts_rebuild_together_what_one_then_swaps_in(toys):
    entries = busy()
    with folding(toys, entries, *HALVES):
        eventually(reached(toys, len(entries)))
        before = toys.stored()
        report = toys.engine(MemoryFeed(entries)).rebuild(by_workers=True)

        assert list(report.compared) == toys.catalogue.names()
        assert {one.generation for one in status(toys).values()} == {2}
        assert set(stand(toys)) == set(EVERY_PART)
        eventually(reached(toys, len(entries)))
    assert toys.stored() == before


def test_a_rebuild_from_the_log_is_swapped_in_beside_those_that_share(toys):
    entries = busy()
    with folding(toys, entries, *HALVES):
        eventually(reached(toys, len(entries)))
        before = toys.stored()
        toys.engine(MemoryFeed(entries)).rebuild(["boxes"])
        assert set(stand(toys)) == set(EVERY_PART)
        assert status(toys)["boxes"].generation == 2
        eventually(lambda: not any(one.lag for one in status(toys).values()))
    assert toys.stored() == before


def test_a_rebuild_by_workers_says_why_it_cannot_end(toys, monkeypatch):
    entries = busy()
    with folding(toys, entries, EVERY_PART):
        eventually(reached(toys, len(entries)))
    monkeypatch.setattr("infra.folding.rebuild._PATIENCE", 0.2)
    with pytest.raises(NotReadyError, match="qingling work"):
        toys.engine(MemoryFeed(entries)).rebuild(by_workers=True)

    with folding(toys, entries, *HALVES):
        toys.engine(MemoryFeed(entries)).rebuild(by_workers=True)
    assert {one.generation for one in status(toys).values()} == {2}


# Arrangement


def test_what_stands_together_is_folded_together():
    stands = {("a", 0): 5, ("b", 0): 5, ("a", 1): 5, ("b", 1): 5, ("a", 2): 3, ("b", 2): None, ("a", 3): 5, ("b", 3): 2}
    assert arranged((0, 1, 2, 3), ("a", "b"), lambda name, part: stands[name, part]) == [
        Together(5, (0, 1), ("a", "b")),
        Together(5, (3,), ("a",)),
        Together(3, (2,), ("a",)),
        Together(2, (3,), ("b",)),
    ]
