"""Group commit: who is merged with whom, and what callers learn when the session, the lock or the clock fails them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from domain.errors import ClockError, ConflictError, IdempotencyError, RecordingError
from domain.recording import Batch, CommandKey, Draft, Outcome
from infra.postgres import committer
from infra.postgres.append_call import Request, call_append
from infra.postgres.config import RecorderConfig
from infra.postgres.connection import connect
from infra.postgres.fsck import fsck
from infra.postgres.recorder import PostgresLog
from infra.recorders import StoreUnreachableError
from tests.drafts import a_batch, a_draft
from tests.infra.postgres.broken_wire import BrokenWire, broken_wire
from tests.infra.postgres.conftest import eventually, hold_append_lock
from tests.migrated import execute

APPEND = b"qingling.append("


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as threads:
        yield threads


@pytest.fixture
def wire(log_url: str) -> Iterator[BrokenWire]:
    with broken_wire(log_url) as wire:
        yield wire


def gathered(log: PostgresLog, url: str, threads: ThreadPoolExecutor, *batches: Batch) -> list[Future[Outcome]]:
    """Append the batches so that the first is a round of its own and the others gather behind it."""
    with hold_append_lock(url):
        answers = [threads.submit(log.append, batches[0])]
        eventually(lambda: waiting_for_the_lock(url))
        for number, batch in enumerate(batches[1:], 1):
            answers.append(threads.submit(log.append, batch))
            eventually(partial(has_gathered, log, number))
    return answers


def has_gathered(log: PostgresLog, number: int) -> bool:
    return log._committer.rounds.waiting == number


def waiting_for_the_lock(url: str) -> list[tuple]:
    return execute(
        url,
        "select pid from pg_locks where locktype = 'advisory' and not granted"
        " and database = (select oid from pg_database where datname = current_database())",
    )


def transactions(url: str) -> int:
    return execute(url, "select count(distinct xmin::text) from qingling.event")[0][0]


# -------------------------------------------------------------------------------------------------------------- rounds


def test_who_waits_is_recorded_together(log: PostgresLog, log_url: str, threads: ThreadPoolExecutor) -> None:
    answers = gathered(log, log_url, threads, *(a_batch(f"case-{n}", 1, 2) for n in range(20)))

    assert [answer.result().positions for answer in answers] == [(2 * n + 1, 2 * n + 2) for n in range(20)]
    assert transactions(log_url) == 2
    assert fsck(log_url) == []


def test_each_caller_of_a_round_gets_its_own_answer(
    log: PostgresLog, log_url: str, threads: ThreadPoolExecutor
) -> None:
    log.append(a_batch("taken", key="used"))

    _, new, conflict, other_request, replay, last = gathered(
        log,
        log_url,
        threads,
        a_batch("first"),
        a_batch("case-1", key="new"),
        a_batch("taken"),
        Batch([a_draft("case-2")], CommandKey("officer-2", "used", b"")),
        a_batch("case-3", key="used"),
        a_batch("case-4"),
    )
    assert new.result().positions == (3,)
    with pytest.raises(ConflictError, match="taken/1"):
        conflict.result()
    assert other_request.result().positions == (4,)
    assert replay.result() == Outcome((1,), (log.read(0, 1)[0].recorded_at,), replayed=True)
    assert last.result().positions == (5,)
    assert transactions(log_url) == 3


def test_batches_of_one_stream_do_not_share_a_round(
    log: PostgresLog, log_url: str, threads: ThreadPoolExecutor
) -> None:
    one, two, three, again = gathered(
        log, log_url, threads, *(a_batch("case-1", version) for version in (1, 2, 3)), a_batch("case-1", 3)
    )
    assert [answer.result().positions for answer in (one, two, three)] == [(1,), (2,), (3,)]
    with pytest.raises(ConflictError):
        again.result()


def test_commands_of_one_key_do_not_share_a_round(log: PostgresLog, log_url: str, threads: ThreadPoolExecutor) -> None:
    _, first, second, third = gathered(
        log,
        log_url,
        threads,
        a_batch("first"),
        a_batch("case-1", key="k"),
        a_batch("case-2", key="k"),
        a_batch("case-3", key="k", digest=b"another request"),
    )
    assert first.result().positions == (2,)
    assert second.result() == Outcome((2,), first.result().recorded_at, replayed=True)
    with pytest.raises(IdempotencyError):
        third.result()


def test_a_batch_that_the_database_cannot_take_spoils_nobody_elses(
    log: PostgresLog, log_url: str, threads: ThreadPoolExecutor
) -> None:
    unheard_of = Batch([Draft("case-0", 1, "t", "case-0", b"{}", 2**40)])

    _, good, bad, also_good = gathered(
        log, log_url, threads, a_batch("first"), a_batch("case-1"), unheard_of, a_batch("case-2")
    )
    with pytest.raises(RecordingError, match="out of range"):
        bad.result()
    assert (good.result().positions, also_good.result().positions) == ((2,), (3,))


def test_a_round_holds_no_more_than_it_is_allowed_to(log_url: str, threads: ThreadPoolExecutor) -> None:
    with PostgresLog(log_url, RecorderConfig(merge_batches=4)) as log:
        answers = gathered(log, log_url, threads, *(a_batch(f"case-{n}") for n in range(9)))
        assert [answer.result().positions for answer in answers] == [(n,) for n in range(1, 10)]
    assert transactions(log_url) == 3

    with PostgresLog(log_url, RecorderConfig(merge_events=3)) as log:
        batches = [a_batch("one"), a_batch("many", 1, 2, 3, 4, 5), a_batch("two"), a_batch("three", 1, 2)]
        for answer in gathered(log, log_url, threads, *batches):
            answer.result()
    assert transactions(log_url) == 3 + 3


def test_a_caller_that_is_interrupted_when_it_should_lead_leaves_nobody_waiting(
    log: PostgresLog, log_url: str, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = Request.wait

    def wait_and_be_interrupted(request: Request) -> None:
        wait(request)
        if "interrupted" in request.streams:
            raise KeyboardInterrupt

    monkeypatch.setattr(Request, "wait", wait_and_be_interrupted)
    _, interrupted, last = gathered(log, log_url, threads, a_batch("first"), a_batch("interrupted"), a_batch("last"))
    assert last.result(timeout=10).positions == (2,)
    with pytest.raises(KeyboardInterrupt):
        interrupted.result()


def test_when_who_leads_is_interrupted_the_others_learn_that_it_is_not_known(
    log: PostgresLog, log_url: str, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:

    def append_and_be_interrupted(cursor: Cursor, requests: Sequence[Request], *others: Any) -> int:
        position = call_append(cursor, requests, *others)
        if "leader" in requests[0].streams:
            for request in requests:
                request.outcome = None
            raise KeyboardInterrupt
        return position

    monkeypatch.setattr(committer, "call_append", append_and_be_interrupted)
    _, leader, follower = gathered(
        log, log_url, threads, a_batch("first"), a_batch("leader"), a_batch("follower", key="k")
    )
    with pytest.raises(KeyboardInterrupt):
        leader.result()
    with pytest.raises(RecordingError, match="not known"):
        follower.result()
    assert log.append(a_batch("follower", key="k")).replayed


def test_when_a_round_of_a_crowd_fails_beyond_words_all_learn_of_it_and_the_next_one_runs(
    log: PostgresLog, log_url: str, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append_or_run_out_of_memory(cursor: Cursor, requests: Sequence[Request], *others: Any) -> int:
        if "crowd-0" in requests[0].streams:
            raise MemoryError
        return call_append(cursor, requests, *others)

    monkeypatch.setattr(committer, "call_append", append_or_run_out_of_memory)
    crowd = [a_batch(f"crowd-{n}") for n in range(10)]
    first, *others = gathered(log, log_url, threads, a_batch("first"), *crowd)
    assert first.result().positions == (1,)
    for answer in others:
        with pytest.raises(RecordingError, match="not known"):
            answer.result()
    again = gathered(log, log_url, threads, a_batch("first", 2), *(a_batch(f"more-{n}") for n in range(10)))
    assert [answer.result().positions for answer in again] == [(n,) for n in range(2, 13)]


def test_a_log_that_is_closed_says_so(log_url: str) -> None:
    log = PostgresLog(log_url)
    log.close()

    with pytest.raises(RecordingError, match="closed"):
        log.append(a_batch("case-1"))
    with pytest.raises(RecordingError, match="closed"):
        log.head()


# -------------------------------------------------------------------------------------------------------- lost sessions


@pytest.mark.parametrize("key", ["", "k"])
def test_a_commit_whose_answer_was_lost_is_found_and_not_repeated(log_url: str, wire: BrokenWire, key: str) -> None:
    with PostgresLog(wire.url) as log:
        wire.cut_answer(APPEND)
        outcome = log.append(a_batch("case-1", 1, 2, key=key))
        assert wire.cuts == 1
        assert (outcome.positions, outcome.replayed) == ((1, 2), False)
        assert [entry.recorded_at for entry in log.read(0, 10)] == list(outcome.recorded_at)
        assert log.append(a_batch("case-1", 3)).positions == (3,)
    assert fsck(log_url) == []


@pytest.mark.parametrize("key", ["", "k"])
def test_a_message_that_was_lost_is_sent_again(log_url: str, wire: BrokenWire, key: str) -> None:
    with PostgresLog(wire.url) as log:
        wire.cut_message(APPEND)
        outcome = log.append(a_batch("case-1", 1, 2, key=key))
        assert wire.cuts == 1
        assert (outcome.positions, outcome.replayed) == ((1, 2), False)
        assert log.head().position == 2


def test_everybody_in_a_round_whose_answer_was_lost_is_answered(
    log_url: str, wire: BrokenWire, threads: ThreadPoolExecutor
) -> None:
    with PostgresLog(wire.url) as log:
        log.append(a_batch("taken", key="used"))
        with hold_append_lock(log_url):
            first = threads.submit(log.append, a_batch("first"))
            eventually(lambda: waiting_for_the_lock(log_url))
            wire.cut_answer(APPEND)
            good = [threads.submit(log.append, a_batch(f"case-{n}", 1, 2)) for n in range(10)]
            bad = threads.submit(log.append, Batch([a_draft("taken", note="of somebody else")]))
            old = threads.submit(log.append, a_batch("elsewhere", key="used"))
            eventually(lambda: log._committer.rounds.waiting == 12)
        assert first.result().positions == (2,)
        assert sorted(p for answer in good for p in answer.result().positions) == list(range(3, 23))
        with pytest.raises(ConflictError):
            bad.result()
        assert old.result().replayed
        assert wire.cuts == 1
    assert fsck(log_url) == []


def test_the_commit_of_the_second_look_may_be_lost_too(log_url: str, wire: BrokenWire) -> None:
    with PostgresLog(wire.url) as log:
        wire.cut_message(APPEND)
        strikes = wire.strikes

        def and_then_the_commit(message: bytes) -> bool:
            struck = strikes(message)
            if struck and wire.cuts == 0:
                wire.cut_answer(b"commit\0")
                wire._answer_only = False
            return struck

        wire.strikes = and_then_the_commit  # type: ignore[method-assign]
        assert log.append(a_batch("case-1", 1, 2)).positions == (1, 2)
        assert wire.cuts == 2
    assert fsck(log_url) == []


def test_who_took_the_versions_while_the_session_was_lost_wins(log_url: str, wire: BrokenWire) -> None:
    with PostgresLog(wire.url) as log, PostgresLog(log_url) as other:
        strikes = wire.strikes

        def and_the_other_is_quicker(message: bytes) -> bool:
            struck = strikes(message)
            if struck:
                other.append(Batch([a_draft("case-1", note="the other's")]))
            return struck

        wire.strikes = and_the_other_is_quicker  # type: ignore[method-assign]
        wire.cut_message(APPEND)
        with pytest.raises(ConflictError):
            log.append(a_batch("case-1"))
        assert log.head().position == 1


def test_a_batch_that_the_database_cannot_take_spoils_nobody_elses_in_a_lost_round_either(
    log_url: str, wire: BrokenWire, threads: ThreadPoolExecutor
) -> None:
    unheard_of = Batch([Draft("case-0", 1, "t", "case-0", b"{}", 2**40)])
    with PostgresLog(wire.url) as log:
        with hold_append_lock(log_url):
            first = threads.submit(log.append, a_batch("first"))
            eventually(lambda: waiting_for_the_lock(log_url))
            wire.cut_message(APPEND)
            answers = [
                threads.submit(log.append, batch) for batch in (a_batch("case-1"), unheard_of, a_batch("case-2"))
            ]
            eventually(lambda: log._committer.rounds.waiting == 3)
        assert first.result().positions == (1,)
        with pytest.raises(RecordingError, match="out of range"):
            answers[1].result()
        assert sorted(answers[0].result().positions + answers[2].result().positions) == [2, 3]
        assert wire.cuts == 1


def test_when_the_lock_cannot_be_had_to_look_again_the_answer_is_that_it_is_not_known(
    log_url: str, wire: BrokenWire
) -> None:
    with PostgresLog(wire.url, RecorderConfig(lock_timeout=0.1)) as log, ExitStack() as held:
        log.append(a_batch("case-0"))
        strikes = wire.strikes

        def and_somebody_takes_the_lock(message: bytes) -> bool:
            struck = strikes(message)
            if struck:
                held.enter_context(hold_append_lock(log_url))
            return struck

        wire.strikes = and_somebody_takes_the_lock  # type: ignore[method-assign]
        wire.cut_message(APPEND)
        with pytest.raises(StoreUnreachableError, match="not known"):
            log.append(a_batch("case-1", key="k"))
        held.close()
        assert not log.append(a_batch("case-1", key="k")).replayed


def test_when_nobody_can_be_asked_the_answer_is_that_it_is_not_known(log_url: str, wire: BrokenWire) -> None:
    with PostgresLog(wire.url, RecorderConfig(reconnect_patience=0.2)) as log:
        log.append(a_batch("case-0"))
        wire.cut_answer(APPEND)
        wire.refuses = True
        with pytest.raises(StoreUnreachableError, match="not known") as failure:
            log.append(a_batch("case-1", key="k"))
        assert failure.value.may_continue

        with pytest.raises(StoreUnreachableError, match="cannot be reached"):
            log.append(a_batch("case-2"))
        wire.refuses = False
        assert log.append(a_batch("case-1", key="k")).replayed
        assert log.head().position == 2


def test_a_session_that_died_while_idle_is_replaced(log: PostgresLog, log_url: str) -> None:
    log.append(a_batch("case-1"))
    execute(
        log_url,
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()",
    )

    assert log.append(a_batch("case-1", 2)).positions == (2,)
    assert [entry.position for entry in log.read(0, 10)] == [1, 2]


def test_a_session_killed_while_it_waits_for_the_lock_is_replaced(
    log: PostgresLog, log_url: str, threads: ThreadPoolExecutor
) -> None:
    log.append(a_batch("case-1"))
    with hold_append_lock(log_url):
        answer = threads.submit(log.append, a_batch("case-1", 2))
        eventually(lambda: waiting_for_the_lock(log_url))
        ((pid,),) = waiting_for_the_lock(log_url)
        execute(log_url, f"select pg_terminate_backend({pid}, 5000)")
    assert answer.result().positions == (2,)


def test_a_writer_that_sits_on_the_lock_is_ended_by_the_server(log: PostgresLog, log_url: str) -> None:
    sleeper = connect(log_url, RecorderConfig(idle_in_transaction_timeout=0.3))
    with sleeper.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select qingling.lock_log()")
        assert log.append(a_batch("case-1")).positions == (1,)
    assert execute(log_url, "select count(*) from pg_stat_activity where state like 'idle in transaction%'") == [(0,)]
    sleeper.close()


def test_a_lock_that_cannot_be_had_fails_the_call_and_not_the_writer(log_url: str) -> None:
    with PostgresLog(log_url, RecorderConfig(lock_timeout=0.1)) as log:
        with hold_append_lock(log_url), pytest.raises(RecordingError, match="lock timeout") as failure:
            log.append(a_batch("case-1"))
        assert failure.value.may_continue
        assert log.append(a_batch("case-1")).positions == (1,)


# ---------------------------------------------------------------------------------------------------------------- clocks


def test_a_writer_whose_clock_disagrees_stops_before_it_records(log_url: str) -> None:
    with PostgresLog(log_url, clock=lambda: datetime.now(UTC) + timedelta(hours=8)) as log:
        assert isinstance(log.stopped, ClockError)
        with pytest.raises(ClockError, match="apart"):
            log.append(a_batch("case-1"))
        with pytest.raises(ClockError):
            list(log.append_bulk([a_batch("case-1")]))
        assert log.read(0, 10) == []


@pytest.mark.parametrize("skew", [timedelta(seconds=-30), timedelta(seconds=30)])
def test_a_clock_that_drifts_away_stops_the_writer_for_good(log_url: str, skew: timedelta) -> None:
    drift = timedelta(0)
    with PostgresLog(log_url, clock=lambda: datetime.now(UTC) + drift) as log:
        log.append(a_batch("case-1"))
        drift = skew
        with pytest.raises(ClockError):
            log.append(a_batch("case-1", 2))
        drift = timedelta(0)
        with pytest.raises(ClockError):
            log.append(a_batch("case-1", 2))
        assert log.head().position == 1


def test_a_clock_within_the_tolerance_is_no_matter(log_url: str) -> None:
    with PostgresLog(log_url, clock=lambda: datetime.now(UTC) + timedelta(seconds=3)) as log:
        assert log.append(a_batch("case-1")).positions == (1,)


def test_a_call_that_was_only_held_up_is_made_again(log_url: str) -> None:
    held_up = iter([timedelta(seconds=-20)])
    lags = False
    with PostgresLog(
        log_url, clock=lambda: datetime.now(UTC) + (next(held_up, timedelta(0)) if lags else timedelta(0))
    ) as log:
        lags = True
        assert log.append(a_batch("case-1")).positions == (1,)
        assert next(held_up, None) is None
        assert log.stopped is None
