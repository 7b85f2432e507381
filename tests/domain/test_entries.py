"""Entries: every type ever released is read back as it was, and what this release does not know stops it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import rfc8785

from domain.canonical import canonical_bytes
from domain.cases.case import Case
from domain.catalogue import EVENT_TYPES
from domain.entries import EventTypes
from domain.errors import RecordingError, UnknownEventError
from domain.recording import MAX_ENTRY, Draft
from domain.streams import Shape, Stream
from tests.examples import VECTORS, example

STORED = sorted(VECTORS.glob("*.json"))


def test_there_is_a_stored_example_of_every_event_type() -> None:
    stored = {file.name.removesuffix(".full.json") for file in STORED if file.name.endswith(".full.json")}
    assert set(EVENT_TYPES) <= stored, "run `python -m tests.examples` and commit what it adds"


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.name)
def test_a_stored_entry_is_canonical_and_read_by_this_release(file: Path) -> None:
    entry = file.read_bytes()
    recorded = EVENT_TYPES.decode_entry(1, entry)
    assert rfc8785.dumps(json.loads(entry)) == entry
    assert recorded.envelope.version == recorded.event.originator_version == 2


@pytest.mark.parametrize("event_type", list(EVENT_TYPES))
@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
def test_an_entry_made_today_is_the_one_that_was_released(event_type: str, full: bool) -> None:
    file = VECTORS / f"{event_type}.{'full' if full else 'bare'}.json"
    assert example(event_type, full=full) == file.read_bytes()


@pytest.mark.parametrize("event_type", list(EVENT_TYPES))
def test_data_fits_its_published_schema_and_no_field_too_many_does(event_type: str) -> None:
    schema = EVENT_TYPES.schema(event_type)
    data = json.loads(example(event_type, full=True))["data"]
    jsonschema.validate(data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data | {"invented": 1}, schema)


def _entry(**changes: object) -> bytes:
    attributes = json.loads(example("case.closed.v1", full=True))
    attributes.update(changes)
    return canonical_bytes(attributes)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (b"", "holds no entry"),
        (b"\xff\xfe", "holds no entry"),
        (b"{}", "holds no entry"),
        (_entry(type="case.imagined.v1"), "does not know events of type 'case.imagined.v1'"),
        (_entry(data={"outcome": "paid", "extra": 1}), "unknown field"),
        (_entry(data={"outcome": "forgotten"}), "Invalid enum value"),
        (_entry(data={}), "missing required field"),
        (_entry(visibility="everybody"), "Invalid enum value"),
        (_entry(invented=1), "unknown field"),
    ],
)
def test_what_this_release_does_not_know_is_named_with_its_position(entry: bytes, says: str) -> None:
    with pytest.raises(UnknownEventError, match=says) as caught:
        EVENT_TYPES.decode_entry(77, entry)
    assert "77" in str(caught.value)


def test_an_older_version_is_upcast_on_reading_along_its_chain() -> None:
    types = EventTypes((Case,))
    types.upcast("case.closed.v0", "case.closed.v1", lambda data: {"outcome": data["how"]})
    types.upcast("case.ended.v1", "case.closed.v0", lambda data: {"how": data["word"]})
    recorded = types.decode_entry(1, _entry(type="case.ended.v1", data={"word": "paid"}))
    assert recorded.event == EVENT_TYPES.decode_entry(1, _entry(data={"outcome": "paid"})).event
    assert types.class_of("case.ended.v1") is Case.Closed


@pytest.mark.parametrize(
    ("old", "new"), [("case.closed.v1", "case.reopened.v1"), ("a.v1", "a.v1"), ("a.v1", "nowhere.v1")]
)
def test_an_upcast_that_would_hide_a_type_or_lead_nowhere_is_refused(old: str, new: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        EventTypes((Case,)).upcast(old, new, dict)


class _Loose(msgspec.Struct):
    share: float


class _Dated(Shape, frozen=True, kw_only=True):
    count: int = 5


@pytest.mark.parametrize("field", [float, dict[str, str], list[int], Any, _Loose, _Dated, set[str]])
def test_an_event_class_that_json_cannot_carry_for_ever_is_refused(field: Any) -> None:
    class Odd(Stream):
        TOPIC = f"odd-{field}"

        class Created(Stream.Created):
            TOPIC = f"odd-{field}.created.v1"
            __annotations__ = {"value": field}

    with pytest.raises(TypeError):
        EventTypes((Odd,))


def test_an_entry_longer_than_a_bundle_can_count_is_refused() -> None:
    Draft("s", 1, "t", "s", b"x" * MAX_ENTRY, -1)
    with pytest.raises(RecordingError, match="65535"):
        Draft("s", 1, "t", "s", b"x" * (MAX_ENTRY + 1), -1)
