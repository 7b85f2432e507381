"""News of appends between processes: by NOTIFY at once, by polling at the latest."""

from __future__ import annotations

import socket
import time
from threading import Event, Thread
from typing import Any

import pytest

from infra.postgres.config import RecorderConfig
from infra.postgres.notices import Listener
from infra.postgres.recorder import PostgresLog
from tests.drafts import a_batch
from tests.infra.postgres.conftest import eventually
from tests.migrated import execute

NEVER_POLLS = RecorderConfig(poll_interval=600)
LISTENERS = "select {} from pg_stat_activity where datname = current_database() and query = 'listen qingling_log'"


def listeners(url: str) -> list[tuple]:
    return execute(url, LISTENERS.format("pid"))


def test_who_listens_is_told_of_an_append_of_another_process(log_url: str) -> None:
    with PostgresLog(log_url, NEVER_POLLS) as reader, PostgresLog(log_url) as writer:
        assert not reader.wait_for_append(0, timeout=0)
        eventually(lambda: listeners(log_url))
        writer.append(a_batch("case-1"))
        started = time.monotonic()
        assert reader.wait_for_append(0, timeout=30)
        assert time.monotonic() - started < 5


def test_who_listens_is_told_of_an_import_of_another_process(log_url: str) -> None:
    with PostgresLog(log_url, NEVER_POLLS) as reader, PostgresLog(log_url) as writer:
        assert not reader.wait_for_append(0, timeout=0)
        eventually(lambda: listeners(log_url))
        list(writer.append_bulk([a_batch("case-1", 1, 2, 3)]))
        assert reader.wait_for_append(2, timeout=30)


def test_an_append_that_nobody_announces_is_found_by_polling(log: PostgresLog, log_url: str) -> None:
    assert not log.wait_for_append(0, timeout=0)
    execute(
        log_url,
        "select qingling.append('{case-1}', '{1}', '{t}', '{case-1}', '{{}}', '{-1}', '{1}', '{null}', '{null}', '{null}',"
        " '{1}', true, null, clock_timestamp(), '5 s')".replace("'{{}}'", "array['{}'::bytea]"),
    )
    started = time.monotonic()
    assert log.wait_for_append(0, timeout=30)
    assert time.monotonic() - started < 5


def test_a_subscription_survives_the_death_of_its_listening_session(log_url: str) -> None:
    with PostgresLog(log_url) as reader, PostgresLog(log_url) as writer, reader.subscribe(gt=0) as subscription:
        for number in range(1, 4):
            eventually(lambda: listeners(log_url))
            execute(log_url, LISTENERS.format("pg_terminate_backend(pid, 5000)"))
            writer.append(a_batch(f"case-{number}"))
            assert next(subscription).id == number


def test_a_listening_session_that_died_is_opened_again(log_url: str) -> None:
    with PostgresLog(log_url, NEVER_POLLS) as reader, PostgresLog(log_url) as writer:
        assert not reader.wait_for_append(0, timeout=0)
        eventually(lambda: listeners(log_url))
        ((first,),) = listeners(log_url)
        execute(log_url, LISTENERS.format("pg_terminate_backend(pid, 5000)"))
        eventually(lambda: listeners(log_url) not in ([], [(first,)]))
        writer.append(a_batch("case-1"))
        assert reader.wait_for_append(0, timeout=30)


@pytest.mark.parametrize("appends", [300])
def test_notices_are_fewer_than_appends_and_the_last_is_never_missing(log_url: str, appends: int) -> None:
    with PostgresLog(log_url, NEVER_POLLS) as reader, PostgresLog(log_url) as writer:
        assert not reader.wait_for_append(0, timeout=0)
        eventually(lambda: listeners(log_url))
        for version in range(1, appends + 1):
            writer.append(a_batch("case-1", version))
        assert reader.wait_for_append(appends - 1, timeout=30)


def test_a_listener_that_was_gone_before_the_bell_is_closed_all_the_same():
    alarm, doorbell = socket.socketpair()
    thread = Thread(target=alarm.close)
    thread.start()

    class Seen(Event):
        def set(self) -> None:
            thread.join()
            super().set()

    nobody: Any = None
    listener = Listener(nobody, nobody)
    listener._running = (thread, Seen(), doorbell)
    listener.close()
    assert not thread.is_alive()
