"""A process that appends until it is killed, and says on standard output what was acknowledged: python … URL NAME [THREADS|bulk]."""

from __future__ import annotations

import itertools
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from domain.recording import Outcome
from infra.postgres.config import RecorderConfig
from infra.postgres.recorder import PostgresLog
from tests.drafts import a_batch


def say(stream: str, number: int, outcome: Outcome) -> None:
    """One line, in one piece."""
    os.write(sys.stdout.fileno(), f"{stream} {number} {outcome.positions[0]}\n".encode())


def write(log: PostgresLog, stream: str) -> None:
    """Two events a command, without end; a line for each answer."""
    for number in itertools.count():
        outcome = log.append(a_batch(stream, 2 * number + 1, 2 * number + 2, key=f"{stream}/{number}"))
        say(stream, number, outcome)


def copy(log: PostgresLog, name: str) -> None:
    """Cases of three events, imported without end; a line for each answer."""
    for number, outcome in enumerate(log.append_bulk(a_batch(f"{name}-{n}", 1, 2, 3) for n in itertools.count())):
        say(f"{name}-{number}", number, outcome)


def main() -> None:
    """Run the writers."""
    url, name, *rest = sys.argv[1:]
    if rest == ["bulk"]:
        with PostgresLog(url, RecorderConfig(bulk_events=60)) as log:
            copy(log, name)
    threads = int(rest[0]) if rest else 1
    with PostgresLog(url) as log, ThreadPoolExecutor(threads) as executor:
        running = [executor.submit(write, log, f"{name}-{n}") for n in range(threads)]
        for writer in running:
            writer.result()


if __name__ == "__main__":
    main()
