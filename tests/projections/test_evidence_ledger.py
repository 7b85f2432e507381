"""The evidence ledger: which files are named, by which case, how often, and where first."""

from __future__ import annotations

from typing import cast

from domain.catalogue import EVENT_TYPES
from domain.evidence.bearing import bears_evidence
from domain.sealing.personal import Sealed
from domain.vocabulary import Evidence, ReportKind
from projections.evidence_ledger import EvidenceRow, dossier_ledger, evidence_ledger
from projections.folding import Folding, Rows
from tests.histories import History

NAMED = Evidence(sha256="1" * 64, type="image/jpeg", name=Sealed("case-1", "a" * 64, "b" * 64))
NAMELESS = Evidence(sha256="1" * 64, type="image/jpeg")
LETTER = Evidence(sha256="2" * 64, type="application/pdf")
UNKNOWN = Evidence(sha256="3" * 64, type="application/x-of-a-later-release")


def report(history: History, *evidence: Evidence) -> int:
    """Records an event that names these files; its position."""
    case = history.case
    history.act(lambda: case.report_progress("140300", next(iter(ReportKind)), history.when(), evidence=evidence), case)
    assert not history.refused
    return len(history.recorded)


def folded(*histories: History) -> Rows:
    """The two ledgers after these histories."""
    folding, rows = Folding([dossier_ledger, evidence_ledger]), Rows()
    derived: dict = {}
    for history in histories:
        for recorded in history.recorded:
            for change in folding.apply(recorded, rows):
                if change.ledger == "evidence":
                    derived[change.key] = change.new
    return {**rows, "evidence": derived}


def values(ledger, row) -> dict:
    return {column.name: column.of(row) for column in ledger.columns}


def test_a_file_has_a_row_with_where_it_was_named_first_and_how_often():
    history = History()
    first = report(history, NAMELESS, LETTER)
    again = report(history, NAMED)
    row = folded(history)["evidence"][f"{'1' * 64}/case-1"]
    assert values(evidence_ledger, row) == {
        "file": "1" * 64,
        "name": NAMED.name,
        "kind": "photo",
        "type": "image/jpeg",
        "case": "case-1",
        "partition": "case-1",
        "first": first,
        "last": again,
        "times": 2,
    }


def test_an_event_that_names_a_file_twice_counts_once():
    history = History()
    position = report(history, NAMED, NAMED)
    rows = folded(history)
    assert [cast(EvidenceRow, row).file.positions for row in rows["evidence"].values()] == [(position,)]


def test_a_file_that_two_cases_name_has_a_row_in_each():
    one, other = History("case-1"), History("case-2")
    report(one, NAMED)
    report(other, NAMED, LETTER)
    rows = folded(one, other)
    assert set(rows["evidence"]) == {f"{'1' * 64}/case-1", f"{'1' * 64}/case-2", f"{'2' * 64}/case-2"}
    assert values(dossier_ledger, rows["dossier"]["case-2"]) == {
        "partition": "case-2",
        "case": "case-2",
        "files": 2,
        "last": 2,
    }


def test_an_event_without_evidence_leaves_no_row():
    history = History()
    report(history)
    assert folded(history) == {"evidence": {}}


def test_a_file_of_a_kind_that_is_not_known_is_shown_all_the_same():
    history = History()
    report(history, UNKNOWN)
    assert values(evidence_ledger, folded(history)["evidence"][f"{'3' * 64}/case-1"])["kind"] is None


def test_every_event_class_with_a_place_for_evidence_is_folded():
    bearing = {each for each in EVENT_TYPES if bears_evidence(EVENT_TYPES.class_of(each))}
    assert set(dossier_ledger.folds) == bearing
    assert len(bearing) > 40
