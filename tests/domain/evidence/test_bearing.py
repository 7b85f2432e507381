"""Every event that has a place for evidence is known, and every file that it names is found."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from domain.catalogue import EVENT_TYPES
from domain.evidence.bearing import bears_evidence, evidence_in
from domain.payments.payment import Payment

VECTORS = Path(__file__).parents[2] / "vectors"


def files_of(value: object) -> list[str]:
    """Digests of all that looks like evidence, however deep it lies."""
    if isinstance(value, dict):
        own = [value["sha256"]] if {"sha256", "type"} <= value.keys() <= {"sha256", "type", "name"} else []
        return own + [each for inner in value.values() for each in files_of(inner)]
    return [each for inner in value for each in files_of(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("vector", sorted(VECTORS.glob("*.json")), ids=lambda path: path.stem)
def test_what_an_entry_names_is_what_its_event_names(vector: Path):
    entry = vector.read_bytes()
    event = EVENT_TYPES.decode_entry(1, entry).event
    found = [each.sha256 for each in evidence_in(event)]
    assert sorted(found) == sorted(files_of(orjson.loads(entry)["data"]))
    assert bears_evidence(type(event)) or not found


def test_evidence_is_found_within_a_list_of_shapes_too():
    assert bears_evidence(EVENT_TYPES.class_of("referral.sent.v1"))
    assert not bears_evidence(Payment.LineInstructed)
