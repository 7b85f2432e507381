"""Cases kept folded between requests: what is answered is the replay from the first entry, whatever was kept or forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import cast

import pytest

from domain.catalogue import EVENT_TYPES
from domain.recording import Head, LogReader, StoredEntry
from infra.histories import CaseHistories, Folded
from infra.memory.recorder import MemoryLog
from projections.replay import case_state, timeline
from tests.api.fake_platform import FakePlatform, played


class Shown:
    """A log that ends where it is told to, and counts the entries that were read from it."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.end = log.head().position
        self.read = 0

    def head(self) -> Head:
        return Head(self.end, cast(datetime, self.log.head().recorded_at))

    def read_partition(self, key: str, *, after: int = 0, upto: int | None = None) -> Sequence[StoredEntry]:
        found = self.log.read_partition(key, after=after, upto=upto)
        self.read += len(found)
        return found


@pytest.fixture(scope="module")
def platform() -> FakePlatform:
    return played()


@pytest.fixture
def shown(platform: FakePlatform) -> Shown:
    return Shown(platform.log)


def cases(platform: FakePlatform) -> list[str]:
    return [versioned.key for versioned in platform.rows("case")]


def replayed(shown: Shown, case: str) -> Folded:
    events = [EVENT_TYPES.decode(entry) for entry in shown.log.read_partition(case, upto=shown.end)]
    return Folded(shown.end, case_state(events), timeline(events))


@pytest.mark.parametrize("most", [0, 1_000_000])
def test_a_case_that_grows_is_the_replay_at_every_position(platform: FakePlatform, shown: Shown, most: int) -> None:
    histories = CaseHistories(cast(LogReader, shown), EVENT_TYPES, most)
    for shown.end in range(1, platform.log.head().position + 1):
        for case in cases(platform):
            assert histories.at_head(case) == replayed(shown, case)


def test_only_what_is_new_is_read(platform: FakePlatform, shown: Shown) -> None:
    histories = CaseHistories(cast(LogReader, shown), EVENT_TYPES)
    case = cases(platform)[0]
    events = len(histories.at_head(case).items)
    assert shown.read == events > 0
    histories.at_head(case)
    assert shown.read == events


def test_the_longest_unused_are_forgotten(platform: FakePlatform, shown: Shown) -> None:
    first, second = cases(platform)[:2]
    histories = CaseHistories(cast(LogReader, shown), EVENT_TYPES, 1)
    events = [len(histories.at_head(case).items) for case in (first, second, first, first)]
    assert shown.read == sum(events[:3])


def test_what_one_was_given_does_not_grow(platform: FakePlatform, shown: Shown) -> None:
    histories = CaseHistories(cast(LogReader, shown), EVENT_TYPES)
    case = cases(platform)[0]
    end, shown.end = shown.end, platform.log.read_partition(case)[0].position
    before = histories.at_head(case)
    shown.end = end
    assert len(histories.at_head(case).items) > len(before.items) == 1


def test_after_a_failure_it_begins_again(platform: FakePlatform, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    histories = CaseHistories(cast(LogReader, shown), EVENT_TYPES)
    case = cases(platform)[0]
    whole = platform.log.read_partition(case)

    def cut(key: str, *, after: int = 0, upto: int | None = None) -> list[object]:
        return [*whole[:3], object()]

    with monkeypatch.context() as patched:
        patched.setattr(shown, "read_partition", cut)
        with pytest.raises(Exception, match="object"):
            histories.at_head(case)
    assert histories.at_head(case) == replayed(shown, case)


def test_readers_beside_each_other_are_told_the_same(platform: FakePlatform, shown: Shown) -> None:
    histories = CaseHistories(cast(LogReader, shown), EVENT_TYPES, 1)
    wanted = cases(platform)[:3] * 20
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(histories.at_head, wanted))
    assert found == [replayed(shown, case) for case in wanted]
