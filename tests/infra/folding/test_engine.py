"""What stops a ledger, what does not, and how it comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from threading import Thread
from typing import Any

import pytest

from domain.errors import NotFoundError, NotReadyError
from infra.folding.feed import FeedEntry
from infra.folding.status import LedgerState, LedgerStatus
from tests.migrated import execute
from tests.projections.laws import Bench, MemoryFeed, check_as_known, expected
from tests.projections.toys import TYPES, decoded, entry_of, toy_catalogue

FRAGILE = ("fragile", "followers")


def history(*types: str) -> list[FeedEntry]:
    """One entry of each type, all of one thing in one box."""
    data: dict[str, dict[str, Any]] = {
        "thing.placed.v1": {"amount": 1, "label": "a", "tags": []},
        "thing.added.v1": {"amount": 5},
    }
    return [entry_of(i, name, "thing-1", "a-1", **data.get(name, {})) for i, name in enumerate(types, start=1)]


PLACED, ADDED, POISONED, ENDED = "thing.placed.v1", "thing.added.v1", "thing.poisoned.v1", "thing.ended.v1"
POISON_AT_4 = history(PLACED, ADDED, ADDED, POISONED, ADDED, ADDED, ENDED)


def status(bench: Bench) -> dict[str, LedgerStatus]:
    return {one.name: one for one in bench.reader.status()}


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.01)


def test_a_fold_that_raises_stops_its_ledger_and_what_follows_it_at_the_position_before(toys):
    toys.fold(MemoryFeed(POISON_AT_4))

    found = status(toys)
    for name in FRAGILE:
        assert (found[name].state, found[name].position) == (LedgerState.STOPPED, 3)
    assert "position 4" in (found["fragile"].reason or "")
    assert "this is poison" in (found["fragile"].reason or "")
    assert (found["followers"].reason or "").startswith("follows fragile")
    assert {one.position for name, one in found.items() if name not in FRAGILE} == {7}


def test_what_a_stopped_ledger_had_folded_is_still_read_and_nothing_beyond_it(toys):
    toys.fold(MemoryFeed(POISON_AT_4))

    assert [row.row.count for row in toys.reader.page("fragile").rows] == [2]
    with pytest.raises(NotReadyError, match="up to position 3") as refusal:
        toys.reader.page("fragile", as_of=4)
    assert refusal.value.position == 3


def test_a_stopped_ledger_stays_stopped_over_a_restart_and_catches_up_when_it_is_resumed(toys):
    toys.fold(MemoryFeed(POISON_AT_4))
    with closing(Bench(toys.url, toy_catalogue(broken=False), TYPES)) as mended:
        engine = mended.fold(MemoryFeed(POISON_AT_4))
        assert status(mended)["fragile"].state is LedgerState.STOPPED

        engine.resume("fragile")
        mended.fold(MemoryFeed(POISON_AT_4))

        assert {one.state for one in status(mended).values()} == {LedgerState.RUNNING}
        check_as_known(mended, expected(mended.catalogue, decoded(POISON_AT_4)))


def test_a_ledger_that_is_resumed_without_being_mended_stops_where_it_stopped(toys):
    engine = toys.fold(MemoryFeed(POISON_AT_4))
    engine.resume("fragile")
    toys.fold(MemoryFeed(POISON_AT_4))

    assert (status(toys)["fragile"].state, status(toys)["fragile"].position) == (LedgerState.STOPPED, 3)


def test_a_follower_of_a_stopped_ledger_cannot_be_resumed_alone(toys):
    engine = toys.fold(MemoryFeed(POISON_AT_4))

    with pytest.raises(NotReadyError, match="resume that one"):
        engine.resume("followers")


@pytest.mark.parametrize(
    "unreadable",
    [
        entry_of(3, "thing.melted.v1", "thing-1", "a-1"),
        entry_of(3, ADDED, "thing-1", "a-1", amount="five"),
        FeedEntry(3, ADDED, b"no entry at all"),
    ],
    ids=["unknown type", "unknown shape", "no entry"],
)
def test_an_event_that_this_release_cannot_read_stops_every_ledger_before_it(toys, unreadable):
    entries = [*history(PLACED, ADDED), unreadable, *history(PLACED, ADDED, ADDED, ADDED)[3:]]
    toys.fold(MemoryFeed(entries))

    for one in status(toys).values():
        assert (one.state, one.position) == (LedgerState.STOPPED, 2)
        assert "position 3" in (one.reason or "")


def test_a_fold_that_raises_before_an_unreadable_event_stops_only_its_own_ledger_first(toys):
    entries = [*history(PLACED, POISONED), entry_of(3, "thing.melted.v1", "thing-1", "a-1")]
    toys.fold(MemoryFeed(entries), chunk=10, catch_up_chunk=10)

    found = status(toys)
    assert {name: one.position for name, one in found.items()} == {
        name: 1 if name in FRAGILE else 2 for name in toys.catalogue.names()
    }


def test_a_key_that_no_index_takes_stops_its_ledger_where_it_stands(toys):
    endless = "".join(sha256(bytes([i])).hexdigest() for i in range(200))
    entries = [*history(PLACED, ADDED), entry_of(3, PLACED, endless, "a-1", amount=1, label="", tags=[])]
    toys.fold(MemoryFeed(entries), chunk=1, catch_up_chunk=1)

    found = status(toys)
    assert (found["things"].state, found["things"].position) == (LedgerState.STOPPED, 2)
    assert "cannot be stored after position 2" in (found["things"].reason or "")
    assert found["fragile"].position == 3


def test_a_paused_ledger_takes_its_followers_along_and_catches_up_with_them(toys):
    entries = history(PLACED, ADDED, ADDED, ADDED, ADDED)
    engine = toys.fold(MemoryFeed(entries), upto=2)
    engine.pause("boxes")
    toys.fold(MemoryFeed(entries))

    found = status(toys)
    paused = {name for name, one in found.items() if one.state is LedgerState.PAUSED}
    assert paused == {"boxes", "odd", "totals"}
    assert {found[name].position for name in paused} == {2}
    engine.resume("boxes")
    toys.fold(MemoryFeed(entries))
    check_as_known(toys, expected(toys.catalogue, decoded(entries)))


def test_only_ledgers_of_the_catalogue_can_be_paused_resumed_and_rebuilt(toys):
    engine = toys.engine(MemoryFeed([]))
    for act in (engine.pause, engine.resume, lambda name: engine.rebuild([name])):
        with pytest.raises(NotFoundError, match="boxes"):
            act("cases")


def test_a_ledger_of_another_fold_version_is_outdated_until_it_is_rebuilt(toys):
    entries = history(PLACED, ADDED, ADDED)
    toys.fold(MemoryFeed(entries), upto=2)
    with closing(Bench(toys.url, toy_catalogue(version=2), TYPES)) as newer:
        engine = newer.fold(MemoryFeed(entries))

        assert {one.state for one in status(newer).values()} == {LedgerState.OUTDATED}
        assert "version 1" in (status(newer)["things"].reason or "")
        with pytest.raises(NotReadyError, match="rebuild"):
            engine.resume("things")
        engine.rebuild()
        newer.fold(MemoryFeed(entries))

        assert {(one.state, one.position) for one in status(newer).values()} == {(LedgerState.RUNNING, 3)}
        check_as_known(newer, expected(newer.catalogue, decoded(entries)))


def test_an_engine_whose_sessions_are_ended_goes_on_by_itself(toys):
    entries = history(PLACED, *[ADDED] * 60)
    feed = MemoryFeed(entries)
    feed.shown = 10
    engine = toys.engine(feed, chunk=1, catch_up_chunk=1, longest_pause=0.05)
    engine.start()
    try:
        for shown in (30, 50, 61):
            eventually(lambda: status(toys)["things"].position == feed.shown)
            execute(
                toys.url,
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
            )
            feed.shown = shown
        eventually(lambda: {one.position for one in status(toys).values()} == {61} and engine.trouble is None)
    finally:
        engine.stop()
    check_as_known(toys, expected(toys.catalogue, decoded(entries)))


def test_of_two_engines_one_folds_and_the_other_takes_over(toys):
    entries = history(PLACED, *[ADDED] * 30)
    feeds = [MemoryFeed(entries), MemoryFeed(entries)]
    engines = [toys.engine(feed) for feed in feeds]
    for feed in feeds:
        feed.shown = 10
    for engine in engines:
        engine.start()
    try:
        eventually(lambda: any(engine.leading for engine in engines))
        first, second = sorted(engines, key=lambda engine: not engine.leading)
        eventually(lambda: status(toys)["things"].position == 10)
        assert not second.leading
        first.stop()
        for feed in feeds:
            feed.shown = 31
        eventually(lambda: second.leading and status(toys)["things"].position == 31)
    finally:
        for engine in engines:
            engine.stop()
    check_as_known(toys, expected(toys.catalogue, decoded(entries)))


def test_a_feed_that_hangs_is_seen_though_the_lag_reads_nothing(toys):
    class Hanging(MemoryFeed):
        hangs = False

        def head(self) -> int:
            while self.hangs:
                time.sleep(0.01)
            return super().head()

    feed = Hanging(history(PLACED, ADDED))
    engine = toys.engine(feed)
    engine.start()
    try:
        eventually(lambda: status(toys)["things"].position == 2)
        eventually(lambda: (toys.reader.watermark_age() or 9) < 0.5)
        feed.hangs = True
        eventually(lambda: (toys.reader.watermark_age() or 0) > 0.5)
        assert status(toys)["things"].lag == 0
    finally:
        feed.hangs = False
        engine.stop()


def test_whoever_waits_for_a_position_is_served_when_it_is_reached_and_told_why_when_it_is_not(toys):
    feed = MemoryFeed(POISON_AT_4)
    feed.shown = 3
    toys.fold(feed, upto=3)
    toys.reader.wait_for(["things", "fragile"], 3, timeout=0)
    with pytest.raises(NotReadyError, match="position 3, not yet at 7"):
        toys.reader.wait_for(["things"], 7, timeout=0.05)
    later = Thread(target=lambda: toys.fold(MemoryFeed(POISON_AT_4)))
    later.start()
    toys.reader.wait_for(["things"], 7, timeout=20)
    later.join()
    with pytest.raises(NotReadyError, match=r"fragile is stopped at position 3, not yet at 7.*poison"):
        toys.reader.wait_for(["things", "fragile"], 7, timeout=20)
    with pytest.raises(NotFoundError):
        toys.reader.wait_for(["cases"], 1, timeout=0)
