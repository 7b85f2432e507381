"""The logs that benchmarks run on are as real as they are large."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from domain.campaigns.campaign import WINTER_2019
from domain.cases.standing import written_off
from projections.case_ledger import case_ledger
from projections.catalogue import catalogue
from projections.folding import fold_all
from tests.synthetic import as_recorded, synthetic_batches


@pytest.mark.parametrize("cases", [1, 150, 1_000])
def test_a_synthetic_log_has_as_many_cases_as_asked_for_and_about_ten_events_each(cases: int):
    events = list(as_recorded(synthetic_batches(cases)))
    opened = [each for each in events if each.envelope.type == "case.registered.v1"]
    assert len(opened) == cases
    assert 7 <= len(events) / cases <= 14


def test_the_same_seed_yields_the_same_bytes_and_another_seed_other_streams():
    def entries(seed: int) -> list[bytes]:
        return [each.entry for batch in synthetic_batches(50, seed) for each in batch.drafts]

    assert entries(1) == entries(1)
    assert not set(entries(1)) & set(entries(2))


def test_versions_follow_each_other_in_every_stream():
    seen: Counter[str] = Counter()
    for batch in synthetic_batches(400):
        for each in batch.drafts:
            seen[each.stream] += 1
            assert each.version == seen[each.stream]


def test_synthetic_cases_fold_into_every_stage_that_a_benchmark_looks_at():
    ledgers = catalogue(WINTER_2019, ZoneInfo("Asia/Shanghai"))
    rows = [
        row
        for row in fold_all(ledgers, as_recorded(synthetic_batches(300)))["case"].values()
        if isinstance(row, case_ledger.row)
    ]
    off = [row for row in rows if written_off(row.procedure, row.standing)]
    assert 0.7 <= len(off) / len(rows) <= 0.9
    assert any(row.standing.owing for row in rows)
    assert any(row.standing.confirmed_lines for row in rows)
