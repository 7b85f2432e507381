"""Whatever is changed in a pack is refused, by the rule that it breaks and with its place: by who only has the pack, by who can make
proofs, and by the office itself with the log's key."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import VerificationError
from domain.sealing.cosignature import Cosigner, with_lines
from domain.sealing.note import SigningKey, VerifierKey, parse_note
from domain.sealing.policy import Policy, parse_policy
from domain.sealing.subset import subset_proof
from domain.sealing.tree import leaf_hash
from infra.packs import layout
from infra.packs.layout import Withheld
from infra.packs.verify import verify_pack
from tests.infra.packs.office import Forgery, Office, altered, key_of, saying, zipped
from tests.interop.small_pack import Files, reader_of, resealed

ROW = b'<row r="9"><c r="A9"><v>1</v></c></row>'
ENTRIES, CSV, XLSX = layout.ENTRIES, "ledgers/claim.csv", "ledgers/claim.xlsx"


@pytest.fixture
def refused(office: Office, tmp_path: Path) -> Callable[..., str]:
    """Verifies files as a pack, and returns why they are refused."""

    def refused(files: Files | bytes, policy: Policy | None = None) -> str:
        pack = tmp_path / "pack.zip"
        pack.write_bytes(files if isinstance(files, bytes) else zipped(files))
        with pytest.raises(VerificationError) as error:
            verify_pack(pack, policy or trusting(office))
        return str(error.value)

    return refused


@pytest.fixture
def holds(office: Office, tmp_path: Path) -> Callable[[Files], None]:
    def holds(files: Files) -> None:
        pack = tmp_path / "good.zip"
        pack.write_bytes(zipped(files))
        verify_pack(pack, trusting(office))

    return holds


def trusting(office: Office) -> Policy:
    return Policy.of_log(VerifierKey.parse(office.vkey))


def lines(files: Files) -> list[bytes]:
    return files[ENTRIES].splitlines(keepends=True)


def of_type(files: Files, event_type: str) -> int:
    """Which of the shown entries is the first of a type."""
    return next(at for at, line in enumerate(lines(files)) if f'"type":"{event_type}"'.encode() in line)


def position_of(files: Files, at: int) -> int:
    manifest = orjson.loads(files[layout.MANIFEST])
    withheld = layout.parse_withheld(files[layout.WITHHELD])
    positions = layout.parse_positions(files[layout.POSITIONS], manifest["entries"] + len(withheld))
    return [position for position in positions if position not in withheld][at]


@pytest.mark.parametrize("name", ["case", "project", "jurisdiction", "all", "all-office"])
def test_a_pack_made_anew_by_honest_hands_holds(office: Office, holds: Callable[[Files], None], name: str) -> None:
    holds(Forgery.of(office, name).files())


# ------------------------------------------------------------------------------------------------ an event is left out


def test_a_removed_event_shows_in_the_manifest(office: Office, refused: Callable[..., str]) -> None:
    files = office.files("case")
    kept = lines(files)
    del kept[of_type(files, "payment.recorded.v1") if b"payment.recorded" in files[ENTRIES] else 3]
    cut = {**files, ENTRIES: b"".join(kept)}
    assert re.search(r"rule 1,.*entries\.jsonl: it has \d+ bytes; the manifest says \d+", refused(cut))
    assert re.search(r"rule 1,.*entries\.jsonl: it does not have the \d+ lines", refused(resealed(cut)))


def cut_short(office: Office, name: str, which: Callable[[list[bytes]], int]) -> tuple[Files, bytes]:
    """A pack without one event, with manifest, positions and proof made anew by who has the log's tiles, and the event."""
    files = office.files(name)
    manifest = orjson.loads(files[layout.MANIFEST])
    positions = layout.parse_positions(files[layout.POSITIONS], manifest["entries"])
    shown = lines(files)
    gone = which(shown)
    removed = shown.pop(gone)
    del positions[gone]
    leaves = [leaf_hash(entry) for entry in office.entries[: manifest["size"]]]
    proof = subset_proof([at - 1 for at in positions], len(leaves), reader_of(leaves))
    repaired = {
        **files,
        ENTRIES: b"".join(shown),
        layout.POSITIONS: b"".join(layout.print_positions(positions)),
        layout.PROOF: layout.print_proof(proof),
    }
    return saying(repaired, {"entries": len(shown)}), removed


def test_a_removed_event_shows_in_the_proof_where_only_the_positions_were_repaired(
    office: Office, refused: Callable[..., str]
) -> None:
    files = office.files("case")
    repaired, _ = cut_short(office, "case", lambda shown: 3)
    why = refused(resealed({**repaired, layout.PROOF: files[layout.PROOF]}))
    assert re.search(r"rule 3,.*proof\.txt: the entries here are not those at their positions", why)


def test_a_removed_event_shows_in_the_wholeness_of_its_case_where_the_proof_was_repaired_too(
    office: Office, refused: Callable[..., str]
) -> None:
    repaired, removed = cut_short(office, "case", lambda shown: 3)
    why = refused(repaired)
    case = key_of(removed)
    assert re.search(rf"rule 5,.*partition {case} has \d+ entries up to position \d+; the pack has \d+ of them", why)


def test_a_stream_cut_short_consistently_shows_in_the_wholeness_of_its_case(
    office: Office, refused: Callable[..., str]
) -> None:
    def last_of_the_payment(shown: list[bytes]) -> int:
        return max(at for at, line in enumerate(shown) if b'"subject":"payment-' in line)

    repaired, removed = cut_short(office, "project", last_of_the_payment)
    assert f"partition {key_of(removed)} has" in refused(repaired)


def test_a_case_left_out_of_a_pack_of_everything_shows_even_where_all_else_was_made_anew(
    office: Office, refused: Callable[..., str]
) -> None:
    forged = Forgery.of(office, "all-office")
    gone = office.cases["盂-1"]
    forged.committed = list(forged.history)
    forged.manifest["partitions"] = [name for name in forged.partitions if name != gone]
    forged.positions = [at for at in forged.positions if key_of(forged.history[at - 1]) != gone]
    assert re.search(r"rule 5,.*holds every position; \d+ is missing", refused(forged.files()))


def test_a_log_rewritten_without_a_case_contradicts_its_commitment(office: Office, refused: Callable[..., str]) -> None:
    forged = Forgery.of(office, "all-office")
    forged.committed = list(forged.history)
    gone = office.cases["盂-1"]
    forged.history = [entry for entry in forged.history if key_of(entry) != gone]
    forged.positions = list(range(1, len(forged.history) + 1))
    forged.manifest["partitions"] = [name for name in forged.partitions if name != gone]
    assert re.search(r"rule 5,.*a pack of everything has every partition; the log has \d+", refused(forged.files()))


def test_a_stream_cut_short_in_a_rewritten_log_contradicts_its_commitment(
    office: Office, refused: Callable[..., str]
) -> None:
    forged = Forgery.of(office, "all-office")
    forged.committed = list(forged.history)
    case = office.cases["盂-1"]
    forged.history.remove([entry for entry in forged.history if key_of(entry) == case][-1])
    forged.positions = list(range(1, len(forged.history) + 1))
    assert f"partition {case} has" in refused(forged.files())


# ------------------------------------------------------------------------------------------------- an event is altered


def replaced_event(office: Office) -> tuple[int, bytes, bytes]:
    """The position of a payment of the first case, its entry, and the entry with another amount."""
    case = office.cases["盂-1"]
    for position, entry in enumerate(office.entries, start=1):
        if key_of(entry) == case and b'"type":"payment.line-credited.v2"' in entry:
            return position, entry, altered(entry, amount=1)
    raise AssertionError("the book holds a payment")


def test_a_replaced_event_is_not_in_the_tree(office: Office, refused: Callable[..., str]) -> None:
    _, before, after = replaced_event(office)
    files = office.files("project")
    changed = {**files, ENTRIES: files[ENTRIES].replace(before, after)}
    assert refused(changed).startswith("rule 1,")
    assert refused(resealed(changed)).startswith("rule 3,")


def test_an_event_replaced_in_a_rewritten_log_contradicts_its_commitment(
    office: Office, refused: Callable[..., str]
) -> None:
    position, _, after = replaced_event(office)
    forged = Forgery.of(office, "project")
    forged.committed = list(forged.history)
    forged.history[position - 1] = after
    assert f"partition {office.cases['盂-1']}: the entries in the pack are not all that it has" in refused(
        forged.files()
    )


def test_an_event_replaced_before_the_commitment_contradicts_the_ledgers(
    office: Office, refused: Callable[..., str]
) -> None:
    position, _, after = replaced_event(office)
    forged = Forgery.of(office, "project")
    forged.history[position - 1] = after
    why = refused(forged.files())
    assert re.search(r"rule 7,.*ledgers/claim\.csv: row \d+ \(claim-.*\), column paid: it says '6000\.00'", why)


def test_an_event_of_another_log_is_refused(office: Office, refused: Callable[..., str]) -> None:
    position, before, _ = replaced_event(office)
    forged = Forgery.of(office, "project")
    forged.history[position - 1] = before.replace(b"urn:qingling:test-", b"urn:qingling:rest-")
    assert re.search(
        rf"rule 4,.*entries\.jsonl, position {position}: its source is not urn:qingling:test-", refused(forged.files())
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda entry: entry.replace(b'"actor"', b' "actor"'), "not canonical JSON"),
        (lambda entry: b"[]", "not canonical JSON"),
        (lambda entry: b"{}", "it has no source"),
        (lambda entry: entry[:-1], "no JSON"),
        (lambda entry: entry[:-1] + b"\xff", "no JSON"),
        (lambda entry: entry.replace(b'"version":1,', b'"version":2,'), "its id is not subject/version"),
        (lambda entry: re.sub(rb'"id":"[^"]*"', b'"id":7', entry), "its id is not subject/version"),
        (lambda entry: re.sub(rb'"partitionkey":"[^"]*"', b'"partitionkey":7', entry), "its partition key is no text"),
        (lambda entry: entry.replace(b'"version":1,', b'"version":1.0,'), "its id is not subject/version"),
    ],
)
def test_an_entry_that_is_not_canonical_or_not_named_after_its_stream_is_refused(
    office: Office, refused: Callable[..., str], change: Callable[[bytes], bytes], why: str
) -> None:
    forged = Forgery.of(office, "case")
    at = next(position for position in forged.positions if b'"version":1,' in forged.history[position - 1])
    forged.committed = list(forged.history)
    forged.history[at - 1] = change(forged.history[at - 1])
    said = refused(forged.files())
    assert said.startswith(("rule 4,", "rule 3,")), said
    assert why in said
    assert f"position {at}" in said


def test_an_event_of_a_type_that_this_release_does_not_know_is_named_never_skipped(
    office: Office, refused: Callable[..., str]
) -> None:
    position, before, _ = replaced_event(office)
    forged = Forgery.of(office, "project")
    forged.history[position - 1] = before.replace(b"payment.line-credited.v2", b"payment.line-credited.v9")
    why = refused(forged.files())
    assert re.search(rf"rule 7,.*payment\.line-credited\.v9.*position {position}", why)


# ------------------------------------------------------------------------------------------------- a figure is altered


def test_a_changed_figure_shows_in_the_manifest_then_in_the_announcement_then_in_the_events(
    office: Office, refused: Callable[..., str]
) -> None:
    files = office.files("case")
    changed = {**files, CSV: files[CSV].replace(b"90000.00", b"90000.01", 1)}
    assert refused(changed) == (
        "rule 1, the zip is exactly what its manifest says: ledgers/claim.csv: its digest is not the one of the manifest"
    )
    assert re.search(
        r"rule 6,.*ledgers/claim\.csv: its digest is not the one announced at position \d+", refused(resealed(changed))
    )
    forged = Forgery.of(office, "case")
    forged.ledger("claim", lambda text: text.replace("90000.00", "90000.01", 1))
    assert re.search(
        r"rule 7,.*ledgers/claim\.csv: row 2 \(claim-\w+\), column verified: it says '90000\.01'; the packed entries make"
        r" '90000\.00'",
        refused(forged.files()),
    )


def test_a_figure_changed_in_the_workbook_alone_is_found_too(office: Office, refused: Callable[..., str]) -> None:
    files = office.files("case")
    changed = {**files, XLSX: reworked(files[XLSX], lambda xml: xml.replace(b"<v>90000</v>", b"<v>90001</v>"))}
    assert refused(changed).startswith("rule 1,")
    assert "ledgers/claim.xlsx: its digest is not the one announced" in refused(resealed(changed))
    forged = Forgery.of(office, "case")
    forged.pack[XLSX] = changed[XLSX]
    assert re.search(
        r"rule 7,.*ledgers/claim\.xlsx, row 2: column verified says 90001\.0, the csv '90000\.00'",
        refused(forged.files()),
    )


def test_figures_changed_in_csv_and_workbook_alike_are_found_by_the_events(
    office: Office, refused: Callable[..., str]
) -> None:
    forged = Forgery.of(office, "case")
    forged.ledger("claim", lambda text: text.replace("90000.00", "90001.00"))
    forged.pack[XLSX] = reworked(forged.pack[XLSX], lambda xml: xml.replace(b"<v>90000</v>", b"<v>90001</v>"))
    assert re.search(r"rule 7,.*ledgers/claim\.csv: row 2 .*column verified", refused(forged.files()))


def rows_of(text: str) -> list[str]:
    return text.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: "".join(rows_of(text)[:-1]), "which the packed entries make, is missing"),
        (lambda text: text + rows_of(text)[-1], "stands out of order, or twice"),
        (lambda text: rows_of(text)[0] + "".join(rows_of(text)[:0:-1]), "which the packed entries make, is missing"),
        (lambda text: text + rows_of(text)[-1].replace("payment-", "payment-z", 1), "no packed entry makes this row"),
        (lambda text: text.replace(",是\r\n", ",否\r\n", 1), "rests on nothing outside the pack"),
        (lambda text: text.replace(",是\r\n", ",yes\r\n", 1), "covered says 'yes'"),
        (lambda text: text.replace("支付编号", "编号", 1), "its headings are not those of the ledger"),
        (lambda text: text.removeprefix("\ufeff"), "it does not begin with the UTF-8 mark"),
        (lambda text: text.removesuffix("\r\n"), "its last line is not ended"),
        (lambda text: text.replace(",是\r\n", ",是,是\r\n", 1), "cells, the ledger"),
        (lambda text: text + '"', "its last line is not ended"),
        (lambda text: text + '"x\r\n', "unexpected end of data"),
    ],
)
def test_a_ledger_with_rows_too_few_too_many_or_otherwise_is_refused(
    office: Office, refused: Callable[..., str], change: Callable[[str], str], why: str
) -> None:
    forged = Forgery.of(office, "all")
    forged.ledger("payment", change)
    said = refused(forged.files())
    assert said.startswith("rule 7, the ledgers follow from the entries: ledgers/payment."), said
    assert why in said


def test_a_row_that_no_packed_event_makes_is_refused(office: Office, refused: Callable[..., str]) -> None:
    forged, other = Forgery.of(office, "case"), office.files("all")
    for format in ("csv", "xlsx"):
        name = layout.ledger_file("payment", format)
        forged.pack[name] = other[name]
    assert "no packed entry makes this row" in refused(forged.files())


def test_a_cell_of_the_board_below_what_the_packed_cases_alone_make_is_refused(
    office: Office, refused: Callable[..., str]
) -> None:
    forged = Forgery.of(office, "case")
    forged.ledger("clearance", lambda text: text.replace("90000.00", "80000.00"))
    assert re.search(
        r"ledgers/clearance\.(csv: row 2 .*the packed cases alone make|xlsx, row 2)", refused(forged.files())
    )


def test_a_board_that_claims_to_be_covered_by_a_few_cases_is_refused(
    office: Office, refused: Callable[..., str]
) -> None:
    forged = Forgery.of(office, "jurisdiction")
    forged.ledger("clearance", lambda text: text.replace(",否\r\n", ",是\r\n"))
    assert "ledgers/clearance." in refused(forged.files())


# --------------------------------------------------------------------------------------------------- what it announces


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"selection": {"kind": "all"}}, "says selection is"),
        ({"upto": 3}, "says upto is 3"),
        ({"wholeness": 3}, "says wholeness is 3"),
        ({"withoffice": True}, "says withoffice is True"),
        ({"withheld": "0" * 64}, "says withheld is 000"),
        ({"cases": 2}, "says 2 cases; the pack lists 1"),
        ({"ledgers": []}, "says ledgers is []"),
        ({"cases": "1"}, "Expected `int`, got `str`"),
        ({"ledgers": None}, "Expected `array`, got `null`"),
    ],
)
def test_an_announcement_that_says_something_else_is_refused(
    office: Office, refused: Callable[..., str], said: dict[str, Any], why: str
) -> None:
    forged = Forgery.of(office, "case")
    forged.said = said
    message = refused(forged.files())
    assert message.startswith("rule 6,")
    assert why in message


def test_rows_counted_otherwise_than_announced_are_refused(office: Office, refused: Callable[..., str]) -> None:
    forged = Forgery.of(office, "case")
    made = orjson.loads(office.entries[forged.manifest["made"] - 1])["data"]["ledgers"]
    forged.said = {"ledgers": [{**each, "rows": 7} for each in made]}
    assert "rows, 0 of them not covered; position" in refused(forged.files())


def test_another_event_in_the_place_of_the_announcement_or_the_commitment_is_refused(
    office: Office, refused: Callable[..., str]
) -> None:
    files = office.files("case")
    manifest = orjson.loads(files[layout.MANIFEST])
    swapped = saying(files, {"made": manifest["wholeness"], "wholeness": manifest["made"]})
    assert "do not follow each other" in refused(swapped)
    forged = Forgery.of(office, "case")
    forged.between = [forged.history[3]]
    good = forged.files()
    wrong = saying(good, {"wholeness": orjson.loads(good[layout.MANIFEST])["wholeness"] + 1})
    assert "rule 5," in refused(wrong)


@pytest.mark.parametrize(
    ("commitment", "why"),
    [
        ({"upto": 2}, "commits the log as of 2"),
        ({"partitions": {"size": 5, "root": "0" * 64}}, ""),
        ({"partitions": {"size": -1, "root": "0" * 64}}, "not a number"),
        ({"partitions": {"size": 3, "root": "xyz"}}, "the root of its map is no hash"),
        ({"partitions": {"size": 3}}, "missing required field"),
        ({"partitions": 3}, "Expected `object`"),
    ],
)
def test_a_commitment_to_something_else_is_refused(
    office: Office, refused: Callable[..., str], commitment: dict[str, Any], why: str
) -> None:
    forged = Forgery.of(office, "case")
    forged.commitment = commitment
    message = refused(forged.files())
    assert message.startswith("rule 5,"), message
    assert why in message


# --------------------------------------------------------------------------------------- which entries, which partitions


def test_an_entry_passed_off_as_withheld_is_refused(office: Office, refused: Callable[..., str]) -> None:
    files = office.files("case")
    shown = lines(files)
    hidden = shown.pop(3).rstrip(b"\n")
    position = position_of(files, 3)
    withheld = layout.print_withheld({position: Withheld(leaf_hash(hidden).hex(), key_of(hidden))})
    faked = saying({**files, ENTRIES: b"".join(shown), layout.WITHHELD: withheld}, {"entries": len(shown)})
    assert re.search(r"rule 6,.*says withheld is", refused(faked))


def test_the_office_that_withholds_an_entry_must_mark_what_rests_on_it(
    office: Office, refused: Callable[..., str]
) -> None:
    position, entry, _ = replaced_event(office)
    forged = Forgery.of(office, "project")
    forged.withheld = {position: Withheld(leaf_hash(entry).hex(), key_of(entry))}
    assert re.search(r"rule 7,.*ledgers/claim\.csv: row \d+ .*column paid", refused(forged.files()))


@pytest.mark.parametrize(
    ("withheld", "why"),
    [
        ({1: ("0" * 64, "log")}, "rule 3,"),
        ({10_000: ("0" * 64, "log")}, "rule 1,"),
    ],
)
def test_a_withheld_entry_must_be_a_packed_one_with_its_own_hash(
    office: Office, refused: Callable[..., str], withheld: dict[int, tuple[str, str]], why: str
) -> None:
    files = office.files("case")
    shown = lines(files)
    listed = layout.print_withheld({at: Withheld(*each) for at, each in withheld.items()})
    changed = saying({**files, ENTRIES: b"".join(shown[1:]), layout.WITHHELD: listed}, {"entries": len(shown) - 1})
    assert refused(changed).startswith(why)


def test_a_withheld_entry_counts_for_its_own_partition_only(office: Office, refused: Callable[..., str]) -> None:
    forged = Forgery.of(office, "all")
    position, each = next(iter(forged.withheld.items()))
    forged.withheld[position] = Withheld(each.leaf, "log")
    assert re.search(r"rule 5,.*partition (log|officer-\w+|book-\w+) has \d+ entries", refused(forged.files()))


def test_an_entry_of_a_partition_that_is_not_listed_is_refused(office: Office, refused: Callable[..., str]) -> None:
    forged = Forgery.of(office, "case")
    other = next(at for at, entry in enumerate(forged.history, start=1) if key_of(entry) == office.cases["盂-1"])
    forged.positions = sorted({*forged.positions, other})
    assert f"holds entries of the partition {office.cases['盂-1']}, which is not listed" in refused(forged.files())


def test_an_entry_behind_the_pack_besides_its_own_two_is_refused(office: Office, refused: Callable[..., str]) -> None:
    forged = Forgery.of(office, "case")
    forged.between = [forged.history[3]]
    files = forged.files()
    manifest = orjson.loads(files[layout.MANIFEST])
    log = [*forged.history, lines(files)[-2].rstrip(b"\n"), forged.history[3], lines(files)[-1].rstrip(b"\n")]
    positions = [*forged.positions, manifest["wholeness"], manifest["wholeness"] + 1, manifest["made"]]
    leaves = [leaf_hash(entry) for entry in log]
    files |= {
        layout.POSITIONS: b"".join(layout.print_positions(positions)),
        layout.PROOF: layout.print_proof(subset_proof([at - 1 for at in positions], len(log), reader_of(leaves))),
        ENTRIES: b"".join(log[at - 1] + b"\n" for at in positions),
    }
    assert "and nothing else" in refused(saying(files, {"entries": len(positions)}))


def test_the_partition_of_the_log_itself_is_never_left_out(office: Office, refused: Callable[..., str]) -> None:
    forged = Forgery.of(office, "case")
    forged.manifest["partitions"] = [office.cases["平-1"]]
    assert "rule 5," in (why := refused(forged.files()))
    assert "partition log is not listed" in why
    forged = Forgery.of(office, "case")
    forged.manifest["partitions"] = [office.cases["平-1"]]
    forged.positions = [at for at in forged.positions if key_of(forged.history[at - 1]) != "log"]
    assert "position 1 must be shown" in refused(forged.files())


def test_a_case_that_was_not_asked_for_is_refused(office: Office, refused: Callable[..., str]) -> None:
    forged = Forgery.of(office, "jurisdiction")
    lie = {"kind": "jurisdiction", "value": "140321"}
    forged.manifest["selection"], forged.said = lie, {"selection": lie}
    assert re.search(r"rule 7,.*partition case-\w+ is no case that the selection asks for", refused(forged.files()))
    lie = {"kind": "jurisdiction", "value": "999999"}
    forged.manifest["selection"], forged.said = lie, {"selection": lie}
    assert re.search(r"rule 7,.*the selection: there is no jurisdiction '999999'", refused(forged.files()))


def test_a_genesis_of_another_origin_or_kind_is_refused(office: Office, refused: Callable[..., str]) -> None:
    files = office.files("case")
    assert "position 1 says that this is" in refused(saying(files, {"kind": "simulation"}))
    forged = Forgery.of(office, "case")
    forged.history[0] = altered(forged.history[0], origin="another-log")
    assert re.search("rule 4,.*position 1 says that this is another-log", refused(forged.files()))


# -------------------------------------------------------------------------------------------------------- checkpoint


def test_a_checkpoint_of_another_size_is_refused(office: Office, refused: Callable[..., str]) -> None:
    files, later = office.files("case"), office.files("all-office")
    swapped = resealed({**files, layout.CHECKPOINT: later[layout.CHECKPOINT]})
    size = orjson.loads(later[layout.MANIFEST])["size"]
    assert re.search(rf"rule 2,.*its tree has {size} leaves; the manifest says \d+", refused(swapped))
    assert refused(saying(swapped, {"size": size})).startswith("rule 3,")


def test_a_checkpoint_by_another_key_is_refused(office: Office, refused: Callable[..., str]) -> None:
    forged = Forgery.of(office, "case")
    forged.key = SigningKey(office.key.name, bytes(32))
    assert refused(forged.files()).startswith("rule 2,")
    other = replace(forged, key=SigningKey("another.example/log", bytes(32)))
    assert refused(other.files()).startswith("rule 2,")


def test_a_checkpoint_of_another_origin_is_refused_by_who_trusts_both_keys(
    office: Office, refused: Callable[..., str]
) -> None:
    forged = Forgery.of(office, "case")
    forged.key = SigningKey("another.example/log", bytes(32))
    both = Policy.of_log(VerifierKey.parse(office.vkey), forged.key.verifier)
    assert re.search("rule 2,.*it is of another.example/log, the manifest of test-", refused(forged.files(), both))


def test_a_cosignature_that_the_policy_asks_for_must_be_there_and_hold(
    office: Office, refused: Callable[..., str], tmp_path: Path
) -> None:
    witness = Cosigner("witness.example.org/w1", bytes(range(32)))
    policy = parse_policy(f"log {office.vkey}\nwitness w1 {witness.verifier.vkey}\nquorum w1\n".encode())
    files = office.files("case")
    note = parse_note(files[layout.CHECKPOINT])
    cosigned = with_lines(note, [witness.signature_line(note.text, 1_767_225_600)])
    pack = tmp_path / "cosigned.zip"
    pack.write_bytes(zipped(resealed({**files, layout.CHECKPOINT: cosigned})))
    trusted = verify_pack(pack, policy).trusted
    assert [(each.name, each.time) for each in trusted.cosigned] == [(witness.name, 1_767_225_600)]
    assert trusted.quorum
    assert re.search("rule 2,.*0 of 1 witnesses cosigned the checkpoint, which is no quorum", refused(files, policy))
    older = cosigned.replace(b"\xe2\x80\x94 witness", b"\xe2\x80\x94 witness", 1)[:-10] + b"AAAAAAAA=\n"
    assert refused(resealed({**files, layout.CHECKPOINT: older}), policy).startswith("rule 2,")


# ------------------------------------------------------------------------------------------------------------ workbooks


def reworked(workbook: bytes, change: Callable[[bytes], bytes], part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook with one of its parts changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            before = source.read(name)
            after = change(before) if name == part else before
            if name == part:
                assert after != before, "the change changes nothing"
            made.writestr(name, after)
    return target.getvalue()


@pytest.mark.parametrize(
    ("part", "change", "why"),
    [
        ("xl/workbook.xml", lambda xml: xml.replace(b'sheetId="2"', b'sheetId="2" state="hidden"'), "hidden sheet"),
        ("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v>90000</v>", b"<f>1+1</f><v>90000</v>"), "a formula"),
        ("xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</sheetData>", ROW + b"</sheetData>"), "more rows than the csv"),
        ("xl/worksheets/sheet1.xml", lambda xml: re.sub(rb'<row r="2".*</row>', b"", xml), "fewer rows than the csv"),
        ("xl/worksheets/sheet2.xml", lambda xml: xml.replace(b"test-", b"rest-"), "its last sheet says something else"),
        ("xl/worksheets/sheet1.xml", lambda xml: b"<x", "cannot be read"),
        ("xl/workbook.xml", lambda xml: b"", "cannot be read"),
    ],
)  # fmt: skip
def test_a_workbook_that_shows_something_else_than_its_csv_is_refused(
    office: Office, refused: Callable[..., str], part: str, change: Callable[[bytes], bytes], why: str
) -> None:
    forged = Forgery.of(office, "case")
    forged.pack[XLSX] = reworked(forged.pack[XLSX], change, part)
    message = refused(forged.files())
    assert message.startswith("rule 7, the ledgers follow from the entries: ledgers/claim.xlsx"), message
    assert why in message


def test_a_workbook_that_is_none_or_has_more_parts_than_it_may_is_refused(
    office: Office, refused: Callable[..., str]
) -> None:
    for data, why in ((b"", "no workbook"), (b"PK\x03\x04 nonsense", "no workbook"), (bytes(1_000), "no workbook")):
        forged = Forgery.of(office, "case")
        forged.pack[XLSX] = data
        assert why in refused(forged.files())
    forged = Forgery.of(office, "case")
    target = io.BytesIO(forged.pack[XLSX])
    with zipfile.ZipFile(target, "a") as made:
        made.writestr("xl/vbaProject.bin", b"")
    forged.pack[XLSX] = target.getvalue()
    assert "a part 'xl/vbaProject.bin'" in refused(forged.files())
    forged = Forgery.of(office, "case")
    target = io.BytesIO(forged.pack[XLSX])
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/worksheets/sheet3.xml", bytes(2**26))
    forged.pack[XLSX] = target.getvalue()
    assert "more room than a workbook of this csv can need" in refused(forged.files())


# ------------------------------------------------------------------------------- an office that records what nobody would

STRANGE: list[object] = [
    *(
        None,
        True,
        -1,
        0,
        2**53 - 1,
        10**19,
        "",
        "x",
        "\x00",
        "=1+1",
        "9999-12-31T23:59:59+00:00",
        "0001-01-01T00:00:00+14:00",
    ),
    *("2019-01-01T00:00:00", "../../etc/passwd", "Mars/Olympus", [], ["x"], [[]], {}, {"x": 1}, 1.5, "x" * 40_000),
]


def strange(value: Any, data: st.DataObject) -> Any:
    """A JSON value with something strange in one place."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 4)):
        name = data.draw(st.sampled_from(sorted(value)))
        return {**value, name: strange(value[name], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 4)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], strange(value[at], data), *value[at + 1 :]]
    return data.draw(st.sampled_from(STRANGE))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_an_office_records_a_pack_of_it_holds_or_is_refused_with_one_kind_of_error(
    office: Office, tmp_path: Path, data: st.DataObject
) -> None:
    forged = Forgery.of(office, data.draw(st.sampled_from(["case", "project", "all-office"])))
    at = data.draw(st.sampled_from(forged.positions)) - 1
    attributes = strange(orjson.loads(forged.history[at]), data)
    if not isinstance(attributes, dict) or not isinstance(attributes.get("partitionkey"), str):
        return
    forged.history[at] = orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS)
    forged.manifest["partitions"] = sorted({key_of(forged.history[at - 1]) for at in forged.positions}, key=str.encode)
    forged.said = {"cases": len(forged.partitions) - 1}
    pack = tmp_path / "pack.zip"
    pack.write_bytes(zipped(forged.files()))
    with suppress(VerificationError):
        verify_pack(pack, trusting(office))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"timezone": "Mars/Olympus"}, "there is no time zone 'Mars/Olympus'"),
        ({"timezone": "../../etc/passwd"}, "there is no time zone"),
        ({"places": []}, "there is no node"),
        (
            {
                "places": [
                    {"code": str(at), "name_zh": "x", "name_en": "x", **({"parent": str(at - 1)} if at else {})}
                    for at in range(400)
                ]
            },
            "",
        ),
    ],
)
def test_a_genesis_that_no_log_has_is_refused(
    office: Office, refused: Callable[..., str], change: dict[str, Any], why: str
) -> None:
    forged = Forgery.of(office, "jurisdiction")
    forged.history[0] = altered(forged.history[0], **change)
    message = refused(forged.files())
    assert message.startswith("rule 7,")
    assert why in message
