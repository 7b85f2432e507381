"""A process that folds, or rebuilds, until it is killed or done: python -m … URL fold|rebuild POSITION."""

from __future__ import annotations

import sys
from zoneinfo import ZoneInfo

from domain.campaigns.campaign import WINTER_2019
from domain.catalogue import EVENT_TYPES
from infra.folding.engine import Engine
from infra.folding.leader import EngineConfig
from infra.postgres.config import RecorderConfig
from infra.postgres.ledger_reader import LedgerReader
from infra.postgres.ledger_store import LedgerStore
from infra.postgres.recorder import PostgresLog
from projections.catalogue import catalogue

SMALL = EngineConfig(chunk=50, catch_up_chunk=100, cache_rows=300, rebuild_rows=300, leadership=0.02)


def say(*words: object) -> None:
    """One line, at once."""
    sys.stdout.write(f"{' '.join(map(str, words))}\n")
    sys.stdout.flush()


def main() -> None:
    """Fold up to a position, or rebuild; a line for every look."""
    url, what, position = sys.argv[1:]
    ledgers = catalogue(WINTER_2019, ZoneInfo("UTC"))
    store = LedgerStore(url, RecorderConfig(role="qingling_projector"), ledgers)
    reader = LedgerReader(url, RecorderConfig(role="qingling_reader"), ledgers)
    with PostgresLog(url, RecorderConfig(role="qingling_writer")) as log:
        engine = Engine(log, store, ledgers, EVENT_TYPES, SMALL)
        if what == "rebuild":
            engine.rebuild(progress=lambda at: say(at.stage, at.position))
            return

        def folded() -> bool:
            positions = [status.position for status in reader.status()]
            say(min(positions))
            return min(positions) >= int(position)

        engine.run(until=folded)


if __name__ == "__main__":
    main()
