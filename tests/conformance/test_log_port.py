"""What `domain/recording.py` promises of a log, held by each of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Timer

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from domain.errors import ConflictError, IdempotencyError, RecordingError
from domain.recording import Batch, CommandKey, Draft, Head, Outcome, time_text
from tests.conformance.conftest import Log
from tests.drafts import a_batch, a_draft, a_genesis

WINTER = datetime(2019, 12, 2, 8, 20, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


# ------------------------------------------------------------------------------------------------- positions and times


def test_an_empty_log_has_position_zero_and_no_time(log: Log) -> None:
    assert log.head() == Head(0, None)
    assert log.read(0, 10) == []
    assert log.position_at(datetime.now(UTC)) == 0


def test_positions_are_dense_and_times_rise_over_batches(log: Log) -> None:
    outcomes = [log.append(a_batch(f"case-{n}", 1, 2)) for n in range(5)]

    assert [position for outcome in outcomes for position in outcome.positions] == list(range(1, 11))
    times = [time for outcome in outcomes for time in outcome.recorded_at]
    assert times == sorted(set(times))
    assert log.head() == Head(10, times[-1])


def test_what_is_read_is_what_was_answered(log: Log) -> None:
    outcome = log.append(Batch([a_draft("case-1"), a_draft("complaint-1", partitionkey="case-1")]))

    first, second = log.read(0, 10)
    assert (first.position, second.position) == outcome.positions
    assert (first.recorded_at, second.recorded_at) == outcome.recorded_at
    assert (second.stream, second.version, second.type, second.partitionkey) == (
        "complaint-1",
        1,
        "test.happened.v1",
        "case-1",
    )


def test_the_recorded_time_is_filled_into_the_entry_and_nothing_else_changes(log: Log) -> None:
    draft = a_draft("case-1", note='"time":"0000-00-00T00:00:00.000000Z" in a text')
    (recorded_at,) = log.append(Batch([draft])).recorded_at

    (stored,) = log.read(0, 1)
    end = draft.time_at + 27
    assert stored.entry == draft.entry[: draft.time_at] + time_text(recorded_at).encode() + draft.entry[end:]


def test_an_entry_without_placeholder_is_kept_byte_for_byte(log: Log) -> None:
    every_byte = bytes(range(256))
    log.append(Batch([Draft("blob", 1, "blob.v1", "blob", every_byte, -1)]))

    assert log.read_stream("blob")[0].entry == every_byte


def test_text_is_kept_character_by_character(log: Log) -> None:
    awkward = '案件-{"a",\\b\'%s}\n\t😀 NULL'
    draft = Draft(awkward, 1, awkward, awkward, b"{}", -1)
    log.append(Batch([draft], CommandKey(awkward, awkward, b"\0\xff")))

    (stored,) = log.read_stream(awkward)
    assert (stored.stream, stored.type, stored.partitionkey) == (awkward, awkward, awkward)
    assert log.append(Batch([draft], CommandKey(awkward, awkward, b"\0\xff"))).replayed


# -------------------------------------------------------------------------------------------------------------- entries


def test_entries_are_the_bytes_of_the_positions_after_another(log: Log) -> None:
    for n in range(7):
        log.append(a_batch(f"case-{n}", 1, 2))
    stored = [entry.entry for entry in log.read(0, 100)]

    assert list(log.entries(0, 100)) == stored
    assert list(log.entries(0, 14)) == stored
    assert list(log.entries(3, 4)) == stored[3:7]
    assert list(log.entries(13, 100)) == stored[13:]
    for after, limit in ((14, 100), (1_000, 1), (3, 0)):
        assert list(log.entries(after, limit)) == []


def test_entries_are_had_byte_for_byte(log: Log) -> None:
    awkward = [bytes(range(256)), b"", b"PGCOPY\n\xff\r\n\0", b"\xff" * 65_535]
    log.append(Batch([Draft("blob", n, "blob.v1", "blob", entry, -1) for n, entry in enumerate(awkward, start=1)]))

    assert list(log.entries(0, 10)) == awkward


# ------------------------------------------------------------------------------------------------------------ conflicts


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_version_that_does_not_follow_the_last_one_conflicts(log: Log, version: int) -> None:
    log.append(a_batch("case-1", 1, 2))

    with pytest.raises(ConflictError, match="case-1"):
        log.append(a_batch("case-1", version))
    assert log.head().position == 2


def test_a_stream_begins_at_version_one(log: Log) -> None:
    with pytest.raises(ConflictError):
        log.append(a_batch("case-1", 2))


def test_a_conflict_undoes_the_whole_batch(log: Log) -> None:
    log.append(a_batch("case-1"))

    with pytest.raises(ConflictError):
        log.append(Batch([a_draft("case-2"), a_draft("case-1")]))
    assert log.read_stream("case-2") == []


def test_versions_follow_each_other_within_a_batch(log: Log) -> None:
    for versions in ((1, 1), (1, 3), (2, 1)):
        with pytest.raises(ConflictError):
            log.append(a_batch("case-1", *versions))
    assert log.head().position == 0


def test_of_many_writers_of_one_version_exactly_one_succeeds(log: Log) -> None:
    def attempt(version: int) -> bool:
        try:
            log.append(a_batch("case-1", version))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        for version in range(1, 11):
            assert sum(threads.map(attempt, [version] * 8)) == 1
    assert [entry.version for entry in log.read_stream("case-1")] == list(range(1, 11))


def test_a_conflict_does_not_hinder_who_is_recorded_beside_it(log: Log) -> None:
    log.append(a_batch("taken"))

    def attempt(number: int) -> Outcome | ConflictError:
        try:
            return log.append(a_batch("taken" if number % 2 else f"case-{number}"))
        except ConflictError as conflict:
            return conflict

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(attempt, range(200)))
    assert [isinstance(answer, ConflictError) for answer in answers] == [bool(n % 2) for n in range(200)]
    assert log.head().position == 101


def test_a_conflict_is_an_integrity_error_of_the_library(log: Log) -> None:
    event = StoredEvent("case-1", 1, "test.happened.v1", b"{}")
    assert log.insert_events([event]) == [1]

    with pytest.raises(IntegrityError):
        log.insert_events([event])


@pytest.mark.parametrize("version", [-1, 2**31])
def test_a_version_that_cannot_be_stored_is_refused(log: Log, version: int) -> None:
    with pytest.raises(RecordingError, match="between 0 and"):
        log.append(a_batch("case-1", version))
    with pytest.raises(RecordingError, match="between 0 and"):
        list(log.append_bulk([a_batch("case-1", version)]))


def test_a_text_that_cannot_be_stored_is_refused_by_itself(log: Log) -> None:
    with pytest.raises(RecordingError, match="NUL"):
        log.append(Batch([Draft("case\0", 1, "t", "case", b"{}", -1)]))
    assert log.append(a_batch("case-1")).positions == (1,)


# ---------------------------------------------------------------------------------------------------------- idempotency


def test_a_repeated_command_gets_the_first_outcome(log: Log) -> None:
    first = log.append(a_batch("case-1", 1, 2, key="k"))
    log.append(a_batch("case-2"))

    again = log.append(a_batch("case-1", 1, 2, key="k"))
    assert again == Outcome(first.positions, first.recorded_at, replayed=True)
    assert log.head().position == 3


def test_the_command_is_looked_up_before_the_versions(log: Log) -> None:
    log.append(a_batch("case-1", 1, key="k"))

    assert log.append(a_batch("case-1", 7, key="k")).replayed


def test_a_command_can_be_looked_up_before_anything_is_decided(log: Log) -> None:
    batch = a_batch("case-1", 1, 2, key="k")
    command = batch.command
    assert command is not None
    assert log.recorded(command) is None
    first = log.append(batch)
    log.append(a_batch("case-2"))
    assert log.recorded(command) == Outcome(first.positions, first.recorded_at, replayed=True)
    assert log.recorded(CommandKey("officer-2", command.key, command.digest)) is None
    with pytest.raises(IdempotencyError, match="'k'"):
        log.recorded(CommandKey(command.actor, command.key, b"another request"))


def test_a_key_used_for_another_request_is_refused(log: Log) -> None:
    log.append(a_batch("case-1", key="k"))

    with pytest.raises(IdempotencyError, match="'k'"):
        log.append(a_batch("case-2", key="k", digest=b"another request"))
    assert log.head().position == 1


def test_a_key_belongs_to_its_actor(log: Log) -> None:
    log.append(a_batch("case-1", key="k"))

    other = Batch([a_draft("case-2")], CommandKey("officer-2", "k", b"another request"))
    assert not log.append(other).replayed


def test_a_refusal_is_not_remembered(log: Log) -> None:
    with pytest.raises(ConflictError):
        log.append(a_batch("case-1", 2, key="k"))

    assert not log.append(a_batch("case-1", 1, key="k")).replayed


def test_a_command_without_events_is_repeatable(log: Log) -> None:
    nothing = Batch([], CommandKey("officer-1", "k", b"request"))

    assert log.append(nothing) == Outcome((), ())
    assert log.append(nothing) == Outcome((), (), replayed=True)


def test_one_command_sent_by_many_threads_at_once_is_recorded_once(log: Log) -> None:
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda _: log.append(a_batch("case-1", 1, 2, key="k")), range(8)))

    assert {outcome.positions for outcome in outcomes} == {(1, 2)}
    assert sum(not outcome.replayed for outcome in outcomes) == 1


# ----------------------------------------------------------------------------------------------------------- simulation


def test_a_real_log_refuses_to_play_its_times(log: Log) -> None:
    with pytest.raises(RecordingError, match="simulation"):
        log.append(a_genesis("real"), now=WINTER)
    log.append(a_genesis("real"))
    with pytest.raises(RecordingError, match="simulation"):
        log.append(a_batch("case-1"), now=WINTER)
    with pytest.raises(RecordingError, match="simulation"):
        list(log.append_bulk([a_batch("case-1")], now=WINTER))
    assert log.append(a_batch("case-1")).positions == (2,)


def test_a_simulation_plays_its_times_and_only_forward(log: Log) -> None:
    log.append(a_genesis("simulation"), now=WINTER)
    later = log.append(a_batch("case-1"), now=WINTER + timedelta(days=3))
    back = log.append(a_batch("case-2", 1, 2), now=WINTER)

    assert later.recorded_at == (WINTER + timedelta(days=3),)
    assert back.recorded_at == (later.recorded_at[0] + MICROSECOND, later.recorded_at[0] + 2 * MICROSECOND)


def test_a_simulation_may_play_the_future(log: Log) -> None:
    future = datetime(2199, 1, 1, tzinfo=UTC)
    log.append(a_genesis("simulation"), now=WINTER)

    assert log.append(a_batch("case-1"), now=future).recorded_at == (future,)
    assert list(log.append_bulk([a_batch("case-2")], now=future)) == [Outcome((3,), (future + MICROSECOND,))]


# -------------------------------------------------------------------------------------------------------------- reading


def test_reading_goes_on_after_a_position_and_stops_at_the_limit(log: Log) -> None:
    log.append(a_batch("case-1", *range(1, 11)))

    assert [entry.position for entry in log.read(3, 4)] == [4, 5, 6, 7]
    assert [entry.position for entry in log.read(8, 4)] == [9, 10]
    assert log.read(10, 4) == []


def test_a_partition_is_read_in_order_of_position_as_far_as_asked(log: Log) -> None:
    log.append(Batch([a_draft("case-1"), a_draft("case-2"), a_draft("payment-1", partitionkey="case-1")]))
    log.append(a_batch("case-1", 2))

    assert [entry.position for entry in log.read_partition("case-1")] == [1, 3, 4]
    assert [entry.position for entry in log.read_partition("case-1", upto=3)] == [1, 3]
    assert [entry.position for entry in log.read_partition("case-1", after=1)] == [3, 4]
    assert [entry.position for entry in log.read_partition("case-1", after=1, upto=3)] == [3]
    assert [entry.position for entry in log.read_partitions(["case-2", "case-1", "case-2"])] == [1, 2, 3, 4]
    assert log.read_partition("case-3") == []


def test_a_stream_is_read_in_order_of_version_as_far_as_asked(log: Log) -> None:
    log.append(a_batch("case-1", 1, 2))
    log.append(a_batch("case-2"))
    log.append(a_batch("case-1", 3))

    assert [(entry.position, entry.version) for entry in log.read_stream("case-1")] == [(1, 1), (2, 2), (4, 3)]
    assert [entry.position for entry in log.read_stream("case-1", upto=3)] == [1, 2]


def test_a_log_is_streamed_in_chunks_without_gaps(log: Log) -> None:
    log.append(a_batch("case-1", *range(1, 26)))

    chunks = [[entry.position for entry in chunk] for chunk in log.stream(2, 24, chunk=10)]
    assert chunks == [list(range(3, 13)), list(range(13, 23)), [23, 24]]


def test_an_instant_is_the_last_position_recorded_by_then(log: Log) -> None:
    log.append(a_genesis("simulation"), now=WINTER)
    for day in range(1, 20):
        log.append(a_batch(f"case-{day}"), now=WINTER + timedelta(days=day))

    assert log.position_at(WINTER - MICROSECOND) == 0
    for day in range(20):
        instant = WINTER + timedelta(days=day)
        assert log.position_at(instant) == day + 1
        assert log.position_at(instant + timedelta(hours=23)) == day + 1
        assert log.position_at(instant - MICROSECOND) == day


# --------------------------------------------------------------------------------------------------------- bulk import


def test_bulk_answers_every_batch_in_order(log: Log) -> None:
    log.append(a_batch("case-0"))

    outcomes = list(log.append_bulk(a_batch(f"case-{n}", 1, 2) for n in range(1, 101)))
    assert [position for outcome in outcomes for position in outcome.positions] == list(range(2, 202))
    times = [time for outcome in outcomes for time in outcome.recorded_at]
    assert times == [entry.recorded_at for entry in log.read(1, 500)] == sorted(set(times))
    assert log.append(a_batch("case-1", 3)).positions == (202,)


def test_bulk_records_the_same_entries_as_appending(log: Log) -> None:
    draft = a_draft("案件-1", note='中文 \\ " \n', partitionkey="案件")
    blob = Draft("blob", 1, "blob.v1", "blob", bytes(range(256)), -1)

    list(log.append_bulk([Batch([draft, blob])]))
    first, second = log.read(0, 2)
    end = draft.time_at + 27
    assert first.entry == draft.entry[: draft.time_at] + time_text(first.recorded_at).encode() + draft.entry[end:]
    assert (first.stream, first.partitionkey, second.entry) == ("案件-1", "案件", blob.entry)


def test_bulk_may_go_on_with_one_stream_over_batches(log: Log) -> None:
    list(log.append_bulk(a_batch("case-1", version) for version in range(1, 21)))

    assert [entry.version for entry in log.read_stream("case-1")] == list(range(1, 21))


def test_bulk_answers_a_command_recorded_before_as_replayed(log: Log) -> None:
    first = log.append(a_batch("case-1", 1, 2, key="one"))

    outcomes = list(
        log.append_bulk(
            [a_batch("case-1", 1, 2, key="one"), a_batch("case-2", key="two"), a_batch("case-2", key="two")]
        )
    )
    assert outcomes[0] == Outcome(first.positions, first.recorded_at, replayed=True)
    assert outcomes[1].positions == (3,)
    assert outcomes[2] == Outcome((3,), outcomes[1].recorded_at, replayed=True)
    assert log.append(a_batch("case-2", key="two")).replayed


def test_bulk_refuses_a_key_used_for_another_request(log: Log) -> None:
    log.append(a_batch("case-1", key="k"))

    with pytest.raises(IdempotencyError):
        list(log.append_bulk([a_batch("case-2", key="k", digest=b"another request")]))
    assert log.head().position == 1


def test_bulk_names_the_stream_and_version_of_a_conflict(log: Log) -> None:
    log.append(a_batch("case-1"))

    with pytest.raises(ConflictError, match="case-1/1"):
        list(log.append_bulk([a_batch("case-1")]))


def test_after_a_failing_source_exactly_what_was_answered_is_recorded(log: Log) -> None:
    def source() -> Iterator[Batch]:
        yield a_batch("case-1")
        yield a_batch("case-2")
        raise ValueError("the book is torn")

    answers: list[Outcome] = []
    with pytest.raises(ValueError, match="torn"):
        answers.extend(log.append_bulk(source()))
    assert log.head().position == len(answers)


# -------------------------------------------------------------------------------------------------------------- waiting


def test_who_waits_is_woken_by_an_append(log: Log) -> None:
    later = Timer(0.1, log.append, [a_batch("case-1")])
    later.start()

    assert log.wait_for_append(0, timeout=10)
    later.join()


def test_waiting_ends_without_an_append(log: Log) -> None:
    log.append(a_batch("case-1"))

    assert log.wait_for_append(0, timeout=0)
    assert not log.wait_for_append(1, timeout=0.05)
