"""What a check of the log finds after a restore, a replica or a hand brought rows in past the guards."""

from __future__ import annotations

import tracemalloc

import pytest

from domain.recording import Batch
from infra.postgres.fsck import Finding, fsck
from infra.postgres.recorder import PostgresLog
from tests.drafts import a_batch, a_draft, a_genesis
from tests.migrated import execute

PAST_THE_GUARDS = """
    alter table qingling.event disable trigger all; {statement};
    alter table qingling.event enable trigger user;
    alter table qingling.event enable always trigger event_is_never_changed;
    alter table qingling.event enable always trigger event_is_never_emptied"""


@pytest.fixture
def recorded(log: PostgresLog, log_url: str) -> str:
    """The URL of a log that keeps its laws."""
    log.append(a_genesis("real"))
    log.append(a_batch("case-1", 1, 2, 3, key="k"))
    log.append(Batch([a_draft("案件-2", note="中文"), a_draft("payment-1", partitionkey="案件-2")]))
    list(log.append_bulk(a_batch(f"case-{n}", 1, 2, key=f"row-{n}") for n in range(10, 20)))
    return log_url


def laws(url: str) -> list[tuple[int, str]]:
    return [(finding.position, finding.law) for finding in fsck(url)]


def test_a_log_that_was_only_appended_to_keeps_its_laws(recorded: str) -> None:
    assert fsck(recorded) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "delete from qingling.event where position = 3",
            [(4, "dense positions"), (4, "contiguous versions")],
        ),
        (
            "update qingling.event set recorded_at = recorded_at - interval '1 day' where position = 3",
            [(3, "rising times"), (3, "entry and columns agree")],
        ),
        (
            "update qingling.event set entry = convert_to(replace(convert_from(entry, 'UTF8'), '中文', '英文'), 'UTF8')"
            " where position = 5",
            [],
        ),
        (
            "update qingling.event set entry = entry || ' ' where position = 3",
            [(3, "canonical bytes")],
        ),
        (
            """update qingling.event set entry = '{"id":1,"id":2}' where position = 3""",
            [(3, "canonical bytes"), *[(3, "entry and columns agree")] * 6],
        ),
        (
            "update qingling.event set entry = '{' where position = 3",
            [(3, "canonical bytes")],
        ),
        (
            "update qingling.event set entry = '[1.5]' where position = 3",
            [(3, "canonical bytes")],
        ),
        (
            "update qingling.event set version = 9 where position = 4",
            [(4, "entry and columns agree"), (4, "entry and columns agree"), (4, "contiguous versions")],
        ),
        ("update qingling.event set partitionkey = 'case-2' where position = 3", [(3, "entry and columns agree")]),
        ("update qingling.event set type = 'other.v1' where position = 3", [(3, "entry and columns agree")]),
        (
            "insert into qingling.command values ('officer-1', 'stray', '', array[2, 99])",
            [(0, "commands point into the log")],
        ),
    ],
)
def test_every_broken_law_is_found_where_it_is_broken(
    recorded: str, statement: str, expected: list[tuple[int, str]]
) -> None:
    execute(recorded, PAST_THE_GUARDS.format(statement=statement))

    assert laws(recorded) == expected


def test_a_finding_says_what_differs(recorded: str) -> None:
    execute(recorded, PAST_THE_GUARDS.format(statement="update qingling.event set type = 'x' where position = 2"))

    assert fsck(recorded) == [
        Finding(2, "entry and columns agree", "type is 'test.happened.v1' in the entry and 'x' beside it")
    ]


def test_no_more_findings_are_gathered_than_asked_for(recorded: str) -> None:
    execute(recorded, PAST_THE_GUARDS.format(statement="update qingling.event set entry = '{'"))

    assert len(fsck(recorded, limit=5)) == 5


def test_memory_does_not_grow_with_the_log(log: PostgresLog, log_url: str) -> None:
    list(log.append_bulk(a_batch(f"case-{n}", *range(1, 11), key=f"{n}") for n in range(2_000)))
    tracemalloc.start()
    assert fsck(log_url) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000  # bytes; the entries alone are four times that
