"""Bulk import: where transactions end, what is lost with them, and what a cut wire does to it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from domain.errors import ConflictError, RecordingError
from domain.recording import Batch, Outcome
from infra.postgres.config import RecorderConfig
from infra.postgres.fsck import fsck
from infra.postgres.recorder import PostgresLog
from infra.recorders import StoreUnreachableError
from tests.drafts import a_batch, a_draft
from tests.infra.postgres.broken_wire import broken_wire
from tests.migrated import execute


def transactions(url: str) -> list[int]:
    """How many events each transaction brought, in order."""
    query = "select count(*) from qingling.event group by xmin::text order by min(position)"
    return [count for (count,) in execute(url, query)]


def cases(first: int, last: int, *versions: int) -> Iterator[Batch]:
    return (a_batch(f"case-{n}", *versions, key=f"row-{n}") for n in range(first, last))


def test_a_transaction_holds_no_more_than_it_may_and_no_batch_is_split(log_url: str) -> None:
    with PostgresLog(log_url, RecorderConfig(bulk_events=10)) as log:
        assert len(list(log.append_bulk(cases(0, 8, 1, 2, 3)))) == 8

    assert transactions(log_url) == [9, 9, 6]
    assert fsck(log_url) == []


def test_a_batch_that_no_transaction_may_hold_is_refused(log_url: str) -> None:
    with PostgresLog(log_url, RecorderConfig(bulk_events=10)) as log:
        with pytest.raises(RecordingError, match="11 events; it is never split"):
            list(log.append_bulk([a_batch("case-1", *range(1, 12))]))
        assert log.head().position == 0


def test_a_conflict_undoes_its_transaction_and_no_other(log_url: str) -> None:
    with PostgresLog(log_url, RecorderConfig(bulk_events=4)) as log:
        log.append(a_batch("case-5"))
        answers: list[Outcome] = []
        with pytest.raises(ConflictError, match="case-5/1"):
            answers.extend(log.append_bulk(cases(0, 20, 1, 2)))
        assert [outcome.positions for outcome in answers] == [(2, 3), (4, 5), (6, 7), (8, 9)]
        assert log.head().position == 9


def test_an_outcome_is_handed_out_when_its_transaction_is_durable(log_url: str) -> None:
    with PostgresLog(log_url, RecorderConfig(bulk_events=4)) as log, PostgresLog(log_url) as other:
        for outcome in log.append_bulk(cases(0, 10, 1, 2)):
            assert other.head().position >= outcome.positions[-1]


def test_others_may_append_between_the_transactions(log_url: str) -> None:
    with PostgresLog(log_url, RecorderConfig(bulk_events=2)) as log:
        for outcome in log.append_bulk(cases(0, 10, 1, 2)):
            log.append(a_batch(f"beside-{outcome.positions[0]}"))
    assert fsck(log_url) == []


def test_an_import_given_up_leaves_the_log_usable(log_url: str) -> None:
    with PostgresLog(log_url, RecorderConfig(bulk_events=2)) as log:
        outcomes = log.append_bulk(cases(0, 10, 1, 2))
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
        assert log.append(a_batch("case-99")).positions[0] % 2 == 1
    assert fsck(log_url) == []


def test_an_import_sent_again_records_nothing_twice(log: PostgresLog) -> None:
    first = list(log.append_bulk(cases(0, 50, 1, 2)))
    again = list(log.append_bulk(cases(0, 60, 1, 2)))

    assert [outcome.positions for outcome in again[:50]] == [outcome.positions for outcome in first]
    assert [outcome.replayed for outcome in again] == [True] * 50 + [False] * 10


def test_without_contiguous_versions_the_unique_key_names_what_is_taken(log_url: str) -> None:
    with PostgresLog(log_url, RecorderConfig(contiguous=False)) as log:
        list(log.append_bulk([a_batch("case-1", 5)]))
        with pytest.raises(ConflictError, match=r"case-1, 5"):
            list(log.append_bulk([a_batch("case-1", 5)]))


def test_what_the_database_refuses_is_named(log: PostgresLog) -> None:
    with pytest.raises(RecordingError, match="NUL"):
        list(log.append_bulk([Batch([a_draft("case-1", type_="a\0b")])]))


@pytest.mark.parametrize("marker", [b"commit\0", b"copy qingling.event", b"lock_log"])
@pytest.mark.parametrize("gets_through", [True, False])
@pytest.mark.parametrize("key", ["", "row-"])
def test_a_cut_wire_loses_and_repeats_nothing(log_url: str, marker: bytes, gets_through: bool, key: str) -> None:
    with broken_wire(log_url) as wire, PostgresLog(wire.url, RecorderConfig(bulk_events=20)) as log:
        book = (a_batch(f"case-{n}", 1, 2, key=f"{key}{n}" if key else "") for n in range(30))
        outcomes = log.append_bulk(book)
        positions = [next(outcomes).positions for _ in range(10)]
        (wire.cut_answer if gets_through else wire.cut_message)(marker)
        rest = list(outcomes)
        positions += [outcome.positions for outcome in rest]
        assert wire.cuts == 1
        assert positions == [(2 * n + 1, 2 * n + 2) for n in range(30)]
        assert not any(outcome.replayed for outcome in rest)
    assert fsck(log_url) == []


@pytest.mark.parametrize("keeps_dying", [True, False])
def test_an_import_that_nobody_can_be_asked_about_says_that_it_is_not_known(log_url: str, keeps_dying: bool) -> None:
    with broken_wire(log_url) as wire, PostgresLog(wire.url, RecorderConfig(reconnect_patience=0.3)) as log:
        strikes = wire.strikes

        def again_and_again(message: bytes) -> bool:
            struck = strikes(message)
            if struck and keeps_dying:
                wire.cut_answer(b"commit\0")
            wire.refuses = wire.refuses or (struck and not keeps_dying)
            return struck

        wire.strikes = again_and_again  # type: ignore[method-assign]
        wire.cut_answer(b"commit\0")
        with pytest.raises(StoreUnreachableError, match="2 events were recorded is not known"):
            list(log.append_bulk([a_batch("case-1", 1, 2, key="k")]))
    with PostgresLog(log_url) as log:
        assert [outcome.replayed for outcome in log.append_bulk([a_batch("case-1", 1, 2, key="k")])] == [True]


def test_memory_does_not_grow_with_the_import(log_url: str) -> None:
    def peak(first: int, last: int) -> int:
        tracemalloc.start()
        assert sum(1 for _ in log.append_bulk(cases(first, last, *range(1, 11)))) == last - first
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    with PostgresLog(log_url, RecorderConfig(bulk_events=500)) as log:
        small = peak(0, 200)
        assert peak(200, 1_400) < 1.5 * small
