"""The pure half of the engine: one event, some ledgers, what changes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from domain.entries import EventTypes, Recorded
from domain.errors import FoldError
from projections.folding import Change, Folding, Summing, fold_all, sums_of
from projections.ledger import Catalogue, RowLedger, SummaryLedger, Title
from tests.projections.toys import TYPES, BoxRow, Thing, decoded, entry_of, toy_catalogue, toy_entries

TOYS: Any = toy_catalogue()


def nothing() -> Any:
    """No rows yet."""
    return {}


def placed(position: int, thing: str = "thing-1", amount: int | None = 1, box: str = "a-1") -> Recorded[Any]:
    return decoded([entry_of(position, "thing.placed.v1", thing, box, amount=amount, label="l", tags=[])])[0]


def added(position: int, amount: int, thing: str = "thing-1") -> Recorded[Any]:
    return decoded([entry_of(position, "thing.added.v1", thing, "a-1", amount=amount)])[0]


def ended(position: int) -> Recorded[Any]:
    return decoded([entry_of(position, "thing.ended.v1", "thing-1", "a-1")])[0]


@given(toy_entries())
def test_keys_names_every_stored_row_that_an_event_changes(entries):
    folding, rows = Folding(TOYS), nothing()
    stored = {ledger.name for ledger in TOYS if isinstance(ledger, RowLedger)}
    for recorded in decoded(entries):
        named = set(folding.keys(recorded))
        assert {(c.ledger, c.key) for c in folding.apply(recorded, rows) if c.ledger in stored} <= named


@given(toy_entries())
def test_a_row_that_no_key_names_is_not_looked_at(entries):
    """So the engine may load the named rows only."""
    whole, narrow, rows = Folding(TOYS), Folding(TOYS), nothing()
    for recorded in decoded(entries):
        seen: dict[str, dict[str, Any]] = {}
        for ledger, key in narrow.keys(recorded):
            seen.setdefault(ledger, {}).update({key: rows[ledger][key]} if key in rows.get(ledger, {}) else {})
        assert narrow.apply(recorded, seen) == whole.apply(recorded, rows)


@given(toy_entries())
def test_changes_chain_each_old_row_is_the_new_one_before(entries):
    folding, rows, latest = Folding(TOYS), nothing(), nothing()
    for recorded in decoded(entries):
        changes = folding.apply(recorded, rows)
        assert len({(c.ledger, c.key) for c in changes}) == len(changes)
        for change in changes:
            assert change.old != change.new
            assert latest.get((change.ledger, change.key)) == change.old
            latest[change.ledger, change.key] = change.new


@given(toy_entries())
def test_what_contributions_add_up_to_is_what_the_rows_contribute(entries):
    totals = TOYS["totals"]
    assert isinstance(totals, SummaryLedger)
    folding, summing, rows, cells = Folding(TOYS), Summing(totals), nothing(), nothing()
    for recorded in decoded(entries):
        for change in folding.apply(recorded, rows):
            if change.ledger == "boxes":
                before, now = summing.both(recorded, change)
                for contributions, sign in ((before, -1), (now, 1)):
                    for cell, sums in contributions:
                        old = cells.get(cell, (0, 0, 0))
                        cells[cell] = tuple(a + sign * b for a, b in zip(old, sums, strict=True))
    assert {cell: sums for cell, sums in cells.items() if any(sums)} == sums_of(totals, rows.get("boxes", {}).values())


def test_an_event_changes_a_row_and_what_follows_and_derives_from_it():
    folding, rows = Folding(TOYS), nothing()
    folding.apply(placed(1, amount=9), rows)
    changes: Any = {(c.ledger, c.key): c for c in folding.apply(added(2, 4), rows)}

    assert changes["things", "thing-1"].new.amount == 13
    assert changes["boxes", "a-1"].old == BoxRow(box="a-1", things=1, amount=9)
    assert changes["boxes", "a-1"].new == BoxRow(box="a-1", things=1, amount=13, additions=1)
    assert changes["odd", "a-1/heavy"] == Change("odd", "a-1/heavy", None, changes["odd", "a-1/heavy"].new)


def test_a_row_that_comes_out_as_it_was_has_not_changed():
    """Adding 0 counts an addition, but the thing stays as it is."""
    folding, rows = Folding([TOYS["things"]]), nothing()
    folding.apply(placed(1), rows)
    assert folding.apply(added(2, 0), rows) == []


def test_two_steps_that_undo_each_other_are_no_change():
    there_and_back = RowLedger("back", row=BoxRow, version=1, title=Title("回", "Back"))

    @there_and_back.on(Thing.Added, key=lambda recorded: recorded.envelope.partitionkey)
    def up(row, recorded):
        return BoxRow(box="a", amount=(row.amount if row else 0) + 1)

    @there_and_back.follows(TOYS["things"], key=lambda recorded: recorded.envelope.partitionkey)
    def down(row, old, new, recorded):
        return None if row is None or row.amount == 1 else msgspec.structs.replace(row, amount=row.amount - 1)

    folding, rows = Folding([TOYS["things"], there_and_back]), nothing()
    folding.apply(placed(1), rows)
    assert [c.ledger for c in folding.apply(added(2, 3), rows)] == ["things"]
    assert rows["back"] == {}


def test_an_event_of_an_older_type_is_folded_as_what_it_is_read_as():
    types = EventTypes((Thing,))
    types.upcast("thing.put.v1", "thing.placed.v1", lambda data: {**data, "tags": []})
    old = decoded([entry_of(1, "thing.put.v1", "thing-1", "a-1", amount=2, label="l")], types)

    rows: Any = fold_all([TOYS["things"]], old)
    assert rows["things"]["thing-1"].amount == 2


def test_an_event_that_nobody_folds_changes_nothing():
    folding = Folding([TOYS["boxes"], TOYS["things"]])
    poisoned = decoded([entry_of(1, "thing.poisoned.v1", "thing-1", "a-1")])[0]
    assert folding.keys(poisoned) == []
    assert folding.apply(poisoned, {}) == []
    assert folding.event_types == {"thing.placed.v1", "thing.added.v1", "thing.ended.v1"}


def _raises(*_: object) -> Any:
    raise LookupError("broken")


@pytest.mark.parametrize("where", ["fold", "key", "derive", "contribute"])
def test_whatever_raises_names_its_ledger_and_the_position(where):
    toys: Any = {ledger.name: ledger for ledger in toy_catalogue()}
    broken: Any = RowLedger("broken", row=BoxRow, version=1, title=Title("坏", "Broken"))
    broken.on(Thing.Created, key=_raises if where == "key" else None)(
        _raises if where == "fold" else lambda row, _: row
    )
    toys["odd"].derive = _raises if where == "derive" else toys["odd"].derive
    toys["totals"].contribute = _raises if where == "contribute" else toys["totals"].contribute
    folding = Folding([*Catalogue(toys.values()), broken])

    def fold(recorded: Recorded[Any]) -> None:
        folding.keys(recorded)
        for change in folding.apply(recorded, nothing()):
            if change.ledger == "boxes":
                Summing(toys["totals"]).both(recorded, change)

    with pytest.raises(FoldError) as failure:
        fold(placed(7))
    assert (failure.value.ledger, failure.value.position) == (
        {"fold": "broken", "key": "broken", "derive": "odd", "contribute": "totals"}[where],
        7,
    )
    assert "LookupError: broken" in str(failure.value)


@given(toy_entries())
def test_an_ended_row_is_gone_and_may_begin_again(entries):
    rows = fold_all(TOYS, [*decoded(entries), placed(98), ended(99)])
    assert "thing-1" not in rows["things"]
    assert "thing-1" in fold_all(TOYS, [*decoded(entries), placed(98), ended(99), placed(100)])["things"]


def test_types_of_the_toys_are_read_back_as_they_were_written():
    (recorded,) = decoded([entry_of(3, "thing.added.v1", "thing-1", "a-1", amount=4)])
    assert (recorded.position, recorded.event.amount, recorded.envelope.partitionkey) == (3, 4, "a-1")
    assert list(TYPES) == ["thing.added.v1", "thing.ended.v1", "thing.placed.v1", "thing.poisoned.v1"]
