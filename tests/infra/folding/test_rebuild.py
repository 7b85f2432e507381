"""Rebuilding: beside what is read, resumable, checked before it is swapped in."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest

from domain.errors import FoldError, NotReadyError
from infra.folding.rebuild import RebuildProgress, Stage
from tests.infra.folding.test_engine import ADDED, ENDED, PLACED, POISON_AT_4, eventually, history, status
from tests.migrated import execute
from tests.projections.laws import Bench, MemoryFeed, check_as_known, expected
from tests.projections.toys import TYPES, decoded, toy_catalogue

LONG = history(PLACED, *[ADDED] * 30, ENDED, PLACED, *[ADDED] * 10)


class Killed(BaseException):
    """What a test stops a rebuild with."""


def killed_after(folded: int):
    def progress(at: RebuildProgress) -> None:
        if at.position >= folded:
            raise Killed

    return progress


def generations(bench: Bench) -> dict[str, int]:
    return {one.name: one.generation for one in bench.reader.status()}


def test_a_rebuild_makes_the_same_rows_in_new_tables_and_says_what_it_did(toys):
    engine = toys.fold(MemoryFeed(LONG))
    before = toys.stored()
    stages: list[Stage] = []

    report = engine.rebuild(progress=lambda at: stages.append(at.stage))

    assert toys.stored() == before
    assert set(generations(toys).values()) == {2}
    assert list(dict.fromkeys(stages)) == [Stage.FOLDING, Stage.INDEXING, Stage.CHECKING, Stage.SWAPPING]
    assert (report.position, report.resumed_from) == (len(LONG), 0)
    assert list(report.ledgers) == list(report.compared) == toys.catalogue.names()


def test_what_follows_a_rebuilt_ledger_is_rebuilt_with_it_and_what_it_follows_is_not(toys):
    engine = toys.fold(MemoryFeed(LONG))
    before = toys.stored()

    report = engine.rebuild(["boxes"])

    assert list(report.ledgers) == ["boxes", "odd", "totals"]
    assert {name for name, number in generations(toys).items() if number == 2} == {"boxes", "odd", "totals"}
    assert toys.stored() == before


def test_a_killed_rebuild_goes_on_where_it_stood(toys):
    engine = toys.fold(MemoryFeed(LONG))
    before = toys.stored()
    with pytest.raises(Killed):
        engine.rebuild(progress=killed_after(20))

    report = engine.rebuild()

    assert 0 < report.resumed_from <= 20
    assert toys.stored() == before


def test_a_killed_rebuild_of_another_fold_version_is_begun_again(toys):
    engine = toys.fold(MemoryFeed(LONG))
    with pytest.raises(Killed):
        engine.rebuild(progress=killed_after(20))
    with closing(Bench(toys.url, toy_catalogue(version=2), TYPES)) as newer:
        report = newer.engine(MemoryFeed(LONG)).rebuild()

        assert report.resumed_from == 0
        assert report.compared == []
        check_as_known(newer, expected(newer.catalogue, decoded(LONG)))


def test_nothing_is_swapped_when_a_ledger_of_the_same_fold_comes_out_otherwise(toys):
    engine = toys.fold(MemoryFeed(LONG))
    execute(toys.url, "update ledger.things_g1_past set row = '{}' where from_position = 5")

    with pytest.raises(FoldError, match=r"things_g2.*digest"):
        engine.rebuild()
    assert set(generations(toys).values()) == {1}

    engine.rebuild(accept_differences=True)
    assert set(generations(toys).values()) == {2}
    check_as_known(toys, expected(toys.catalogue, decoded(LONG)))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("update ledger.things_g2_past set to_position = to_position + 1 where from_position = 5", "overlap"),
        ("update ledger.totals_g2_open set m0 = m0 + 1", "does not sum"),
    ],
    ids=["versions that overlap", "wrong sums"],
)
def test_nothing_is_swapped_when_a_new_fold_makes_what_can_be_no_history(toys, monkeypatch, damage, said):
    monkeypatch.setattr("infra.postgres.ledger_tables.MARK", 4)
    toys.fold(MemoryFeed(LONG))

    def damages(at: RebuildProgress) -> None:
        if at.stage is Stage.CHECKING:
            execute(toys.url, damage)

    with closing(Bench(toys.url, toy_catalogue(version=2), TYPES)) as newer:
        with pytest.raises(FoldError, match=said):
            newer.engine(MemoryFeed(LONG)).rebuild(progress=damages)
        assert set(generations(newer).values()) == {1}


def test_a_fold_that_raises_leaves_the_live_ledgers_as_they_are(toys):
    engine = toys.fold(MemoryFeed(POISON_AT_4))

    with pytest.raises(FoldError, match="position 4"):
        engine.rebuild()
    assert set(generations(toys).values()) == {1}
    assert status(toys)["things"].position == 7


def test_a_rebuild_brings_back_what_was_stopped(toys):
    toys.fold(MemoryFeed(POISON_AT_4))
    with closing(Bench(toys.url, toy_catalogue(broken=False), TYPES)) as mended:
        mended.engine(MemoryFeed(POISON_AT_4)).rebuild(["fragile"])

        assert {(one.state, one.position) for one in status(mended).values()} == {("running", 7)}
        check_as_known(mended, expected(mended.catalogue, decoded(POISON_AT_4)))


def test_what_follows_a_ledger_that_does_not_fold_is_not_rebuilt_without_it(toys):
    engine = toys.fold(MemoryFeed(LONG))
    engine.pause("things")

    with pytest.raises(NotReadyError, match="things"):
        engine.rebuild(["boxes"])


def test_two_rebuilds_do_not_run_at_once(toys):
    engine = toys.fold(MemoryFeed(LONG))
    refusals: list[str] = []

    def another(at: RebuildProgress) -> None:
        if not refusals:
            with pytest.raises(NotReadyError) as refusal:
                engine.rebuild()
            refusals.append(str(refusal.value))

    engine.rebuild(progress=another)
    assert refusals == ["another rebuild runs; it must end first"]


def test_readers_and_the_live_engine_go_on_while_ledgers_are_rebuilt_and_swapped(toys):
    entries = history(PLACED, *[ADDED] * 400)
    states = expected(toys.catalogue, decoded(entries))
    feed = MemoryFeed(entries)
    feed.shown = 50
    engine = toys.engine(feed, chunk=5, catch_up_chunk=20)
    engine.start()
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                page = toys.reader.page("things")
                assert [row.row for row in page.rows] == list(states[page.position].rows["things"].values())
                assert toys.reader.cells("totals", as_of=40) == states[40].sums["totals"]
                feed.shown = min(feed.shown + 3, len(entries))
        except BaseException as error:
            failures.append(error)
            raise

    eventually(lambda: status(toys)["things"].position == 50)
    reading = threading.Thread(target=read)
    reading.start()
    try:
        for _ in range(3):
            engine.rebuild()
        feed.shown = len(entries)
        eventually(lambda: {one.position for one in status(toys).values()} == {len(entries)})
    finally:
        done.set()
        reading.join()
        engine.stop()
    assert not failures
    assert set(generations(toys).values()) == {4}
    check_as_known(toys, states)


def test_replaced_tables_are_dropped_later_and_never_while_somebody_reads_them(toys):
    engine = toys.fold(MemoryFeed(LONG))
    rows = toys.reader.stream_rows("things")
    assert next(rows).key == "thing-1"
    engine.rebuild()

    toys.fold(MemoryFeed(LONG))
    retired = "select ledger from ledger.generation where state = 'retired'"
    assert execute(toys.url, retired) == [("things",)]
    assert list(rows) == []
    toys.fold(MemoryFeed(LONG))
    assert execute(toys.url, retired) == []
    assert execute(toys.url, "select count(*) from pg_tables where tablename like '%\\_g1%'") == [(0,)]
