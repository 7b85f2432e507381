"""A restored database gets back what it lacks: through the guards, byte for byte, once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import psycopg2
import pytest

from domain.canonical import canonical_bytes
from domain.errors import LogMismatchError
from domain.recording import StoredEntry
from infra.postgres.config import RecorderConfig
from infra.postgres.fsck import fsck
from infra.postgres.recorder import PostgresLog
from infra.postgres.refill import Unopenable, refill, stored_entry, unopenable
from infra.recorders import VersionTakenError
from tests.drafts import a_batch, a_genesis
from tests.migrated import execute, log_database

SMALL = RecorderConfig(role="qingling_writer", bulk_events=7)


@pytest.fixture
def whole(log: PostgresLog) -> Sequence[StoredEntry]:
    """The entries of the log that there was."""
    log.append(a_genesis("real"))
    for n in range(10):
        log.append(a_batch(f"case-{n}", 1, 2, 3, key=f"row-{n}"))
    return log.read(0, 1_000)


@pytest.fixture
def restored_url() -> Iterator[str]:
    """A database with an empty log."""
    with log_database() as url:
        yield url


def test_what_is_refilled_is_the_log_that_there_was(whole: Sequence[StoredEntry], restored_url: str) -> None:
    assert refill(restored_url, whole[:12], config=SMALL) == 12
    assert refill(restored_url, whole[12:], config=SMALL) == len(whole) - 12

    assert fsck(restored_url) == []
    with PostgresLog(restored_url) as restored:
        assert restored.read(0, 1_000) == whole
        assert restored.append(a_batch("case-3", 4)).positions == (len(whole) + 1,)


def test_a_row_is_read_out_of_its_entry(whole: Sequence[StoredEntry]) -> None:
    assert [stored_entry(each.position, each.entry) for each in whole] == whole


@pytest.mark.parametrize(
    "entry",
    [
        b"{",
        b"[]",
        b'{"subject":"case-1"}',
        canonical_bytes({"partitionkey": "a", "subject": "a", "time": "2019-12-03", "type": "t", "version": 1}),
        canonical_bytes(
            {"partitionkey": "a", "subject": "a", "time": "2019-12-03T01:14:07.120441Z", "type": "t", "version": "1"}
        ),
    ],
)
def test_what_does_not_say_where_it_belongs_is_no_entry(entry: bytes) -> None:
    with pytest.raises(LogMismatchError, match="position 9 "):
        stored_entry(9, entry)


def test_progress_is_told_after_each_transaction(whole: Sequence[StoredEntry], restored_url: str) -> None:
    told: list[int] = []
    refill(restored_url, whole, told.append, config=SMALL)
    assert told == [7, 14, 21, 28, 31]


def test_what_was_committed_before_an_interruption_is_gone_on_from(
    whole: Sequence[StoredEntry], restored_url: str
) -> None:
    def interrupted() -> Iterator[StoredEntry]:
        yield from whole[:10]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refill(restored_url, interrupted(), config=SMALL)
    with PostgresLog(restored_url) as restored:
        head = restored.head().position
        assert head == 7
        refill(restored_url, whole[head:], config=SMALL)
        assert restored.read(0, 1_000) == whole


def test_nothing_is_refilled_that_does_not_follow_the_head(whole: Sequence[StoredEntry], restored_url: str) -> None:
    refill(restored_url, whole[:5])
    with pytest.raises(LogMismatchError, match="position 7 cannot be refilled: the log ends at 5"):
        refill(restored_url, whole[6:])
    with pytest.raises(LogMismatchError, match="position 5 cannot be refilled: the log ends at 5"):
        refill(restored_url, whole[4:])
    with PostgresLog(restored_url) as restored:
        assert restored.head().position == 5


def test_the_guards_of_the_table_hold_for_what_is_refilled(whole: Sequence[StoredEntry], restored_url: str) -> None:
    gap = [*whole[:3], *whole[4:6]]
    with pytest.raises(LogMismatchError, match="positions are dense"):
        refill(restored_url, gap)
    refill(restored_url, whole[:5])
    earlier = whole[5].__class__(6, "late", 1, "t", whole[0].recorded_at - timedelta(seconds=1), "late", whole[5].entry)
    with pytest.raises(LogMismatchError, match="times rise"):
        refill(restored_url, [earlier])
    twice = whole[5].__class__(6, whole[4].stream, whole[4].version, "t", whole[5].recorded_at, "late", whole[5].entry)
    with pytest.raises(VersionTakenError):
        refill(restored_url, [twice])
    with pytest.raises(psycopg2.Error, match="never changed"):
        execute(restored_url, "delete from qingling.event")


def test_sealed_fields_without_a_ciphertext_are_counted_apart_from_those_of_the_erased(restored_url: str) -> None:
    def sealed(subject: str, digest: str) -> dict[str, str]:
        return {"commit": "0" * 64, "sha256": digest * 64, "subject": subject}

    data = {
        "worker": sealed("person-a", "a"),
        "phone": sealed("person-a", "b"),
        "witnesses": [{"name": sealed("person-b", "c")}, {"name": sealed("person-c", "d")}],
    }
    entry = canonical_bytes(
        {
            "data": data,
            "partitionkey": "a",
            "subject": "a",
            "time": "2019-12-03T01:14:07.120441Z",
            "type": "t",
            "version": 1,
        }
    )
    execute(
        restored_url,
        "insert into vault.subject_key (subject, wrapped, kek, destroyed_at)"
        " values ('person-a', '', 1, null), ('person-b', null, 1, now())",
    )
    execute(restored_url, "insert into vault.ciphertext values (decode(repeat('a', 64), 'hex'), 'person-a', '')")

    assert unopenable(restored_url, [stored_entry(1, entry)]) == Unopenable(lost=2, erased=1)
    assert unopenable(restored_url, []) == Unopenable()
