"""What the database itself refuses, whoever asks: the superuser, a replica, the application's own roles."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg2
import pytest

from domain.errors import LogMismatchError, RecordingError
from infra.postgres.config import RecorderConfig
from infra.postgres.recorder import PostgresLog
from tests.drafts import a_batch, a_genesis
from tests.migrated import execute

NOW = "clock_timestamp()"


@pytest.fixture
def recorded(log: PostgresLog, log_url: str) -> str:
    """The URL of a log with three events and a command."""
    log.append(a_genesis("real"))
    log.append(a_batch("case-1", 1, 2, key="k"))
    return log_url


def insert(url: str, *rows: tuple[int, str], stream: str = "case-9", before: str = "") -> None:
    """Insert events past the recorder; each row is a position and an SQL expression of its time."""
    values = ", ".join(
        f"({position}, '{stream}', {number}, 't', {time}, '{stream}', '{{}}')"
        for number, (position, time) in enumerate(rows, 1)
    )
    execute(url, f"{before} insert into qingling.event values {values}")


# ------------------------------------------------------------------------------------------- what is recorded stays so


@pytest.mark.parametrize(
    "statement",
    [
        "update qingling.event set entry = 'altered' where position = 2",
        "delete from qingling.event where position = 3",
        "truncate qingling.event",
        "update qingling.command set digest = 'altered'",
        "delete from qingling.command",
        "truncate qingling.command",
        "insert into qingling.event select * from qingling.event on conflict (position) do update set type = 'altered'",
    ],
)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_the_superuser_cannot_change_what_is_recorded(recorded: str, statement: str, role: str) -> None:
    with pytest.raises(psycopg2.Error, match="what is recorded is never changed") as refusal:
        execute(recorded, f"begin; set local session_replication_role = {role}; {statement}")
    assert refusal.value.pgcode == "QL004"


def test_a_merge_cannot_change_what_is_recorded(recorded: str) -> None:
    with pytest.raises(psycopg2.Error, match="never changed"):
        execute(
            recorded,
            "merge into qingling.event e using (values (2)) v (p) on e.position = v.p when matched then delete",
        )


# --------------------------------------------------------------------------------------------- positions and times


@pytest.mark.parametrize("positions", [(5,), (3,), (4, 6), (5, 4, 7)])
def test_a_gap_in_the_positions_is_refused(recorded: str, positions: tuple[int, ...]) -> None:
    with pytest.raises(psycopg2.Error, match=r"positions are dense|duplicate key"):
        insert(recorded, *((position, f"{NOW} + '{n} us'") for n, position in enumerate(positions)))


@pytest.mark.parametrize(
    "rows",
    [
        [(4, "(select max(recorded_at) from qingling.event)")],
        [(4, "'2019-12-02T16:00:00Z'")],
        [(4, f"{NOW}"), (5, "'2019-12-02T16:00:00Z'")],
        [(4, "now()"), (5, "now()")],
    ],
)
def test_a_time_that_does_not_rise_is_refused(recorded: str, rows: list[tuple[int, str]]) -> None:
    with pytest.raises(psycopg2.Error, match="recorded times rise strictly"):
        insert(recorded, *rows)


def test_a_time_ahead_of_the_clock_is_refused(recorded: str) -> None:
    with pytest.raises(psycopg2.Error, match="ahead of the clock"):
        insert(recorded, (4, f"{NOW} + '6 s'"))
    insert(recorded, (4, f"{NOW} + '4 s'"))


def test_a_clock_that_once_jumped_ahead_does_not_brick_the_log(log: PostgresLog, log_url: str) -> None:
    log.append(a_batch("case-1"))
    insert(log_url, (2, f"{NOW} + '1 year'"), before="set session_replication_role = replica;")
    jumped = log.head().recorded_at
    assert isinstance(jumped, datetime)

    outcome = log.append(a_batch("case-2", 1, 2))
    assert outcome.recorded_at == (jumped + timedelta(microseconds=1), jumped + timedelta(microseconds=2))
    assert [o.recorded_at for o in log.append_bulk([a_batch("case-3")])] == [(jumped + timedelta(microseconds=3),)]


def test_a_replica_loads_rows_without_the_guard_on_inserts(log_url: str) -> None:
    insert(log_url, (7, "'2019-12-02T16:00:00Z'"), before="set session_replication_role = replica;")

    assert execute(log_url, "select position from qingling.event") == [(7,)]


def test_what_the_guard_finds_stops_the_writer(log: PostgresLog, log_url: str) -> None:
    """The recorder never makes a gap itself, so the test puts a guard in its way that finds one."""
    execute(
        log_url,
        "create or replace function qingling.check_appended() returns trigger language plpgsql as "
        "$$ begin raise exception 'positions are dense: not so here' using errcode = 'QL003'; end $$",
    )
    with pytest.raises(LogMismatchError, match="positions are dense"):
        log.append(a_batch("case-1"))
    assert isinstance(log.stopped, LogMismatchError)
    with pytest.raises(LogMismatchError):
        log.append(a_batch("case-1"))


# ---------------------------------------------------------------------------------------------------------------- roles


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("qingling_writer", "update qingling.event set type = 'altered'"),
        ("qingling_writer", "delete from qingling.event"),
        ("qingling_writer", "truncate qingling.event"),
        ("qingling_writer", "update qingling.command set positions = '{}'"),
        ("qingling_writer", "alter table qingling.event disable trigger all"),
        ("qingling_writer", "drop table qingling.event"),
        ("qingling_writer", "create table qingling.mine (n integer)"),
        ("qingling_projector", "insert into qingling.event select * from qingling.event"),
        ("qingling_projector", "select * from qingling.command"),
        ("qingling_reader", "insert into qingling.event select * from qingling.event"),
        ("qingling_reader", "create table ledger.mine (n integer)"),
        ("qingling_reader", "select * from qingling.command"),
    ],
)
def test_a_role_can_do_no_more_than_its_work(recorded: str, role: str, statement: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        execute(recorded, f"begin; set local role {role}; {statement}")


def test_the_projector_owns_its_tables_and_the_reader_sees_them(recorded: str) -> None:
    execute(recorded, "set role qingling_projector; create table ledger.board as select count(*) from qingling.event")

    assert execute(recorded, "set role qingling_reader; select * from ledger.board") == [(3,)]


def test_a_log_opened_as_reader_reads_but_does_not_record(recorded: str) -> None:
    with PostgresLog(recorded, RecorderConfig(role="qingling_reader")) as log:
        assert len(log.read(0, 10)) == 3
        head = log.head().recorded_at
        assert head is not None
        assert log.position_at(head) == 3
        with pytest.raises(RecordingError, match="permission denied") as refusal:
            log.append(a_batch("case-2"))
    assert not refusal.value.may_continue
