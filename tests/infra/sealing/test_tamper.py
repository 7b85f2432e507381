"""Whatever somebody with all rights alters, the tamper report names it, where it is, and which place still holds what was sealed."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from domain.catalogue import EVENT_TYPES
from domain.sealing.bundles import decode_bundle, encode_bundle
from domain.sealing.checkpoint import Checkpoint, sign_checkpoint
from domain.sealing.note import SigningKey
from domain.sealing.tree import leaf_hash
from infra.postgres.fsck import Finding
from infra.sealing.findings import TamperFinding, TamperReport, TamperRule
from infra.sealing.tamper import tamper_report
from tests.drafts import a_batch
from tests.infra.sealing.sealed_log import ORIGIN, SealedLog


@pytest.fixture
def sealed(tmp_path: Path) -> SealedLog:
    """A log of 702 entries: two full blocks and a part, signed at 302, 502 and 702."""
    log = SealedLog(tmp_path)
    log.grow(300, 200, 200)
    assert log.size == 702
    return log


def named(report: TamperReport) -> list[tuple[str, int, int]]:
    return [(finding.rule.value, finding.position, finding.last) for finding in report.findings]


def only(report: TamperReport) -> TamperFinding:
    (finding,) = report.findings
    return finding


def test_a_log_that_was_not_touched_has_no_findings(sealed: SealedLog) -> None:
    report = sealed.report()

    assert report.is_clean
    assert (report.origin, report.recorded, report.sealed, report.signed, report.published) == (ORIGIN, *[702] * 4)
    assert report.checkpoints == 6  # three that were signed, three that were published


def test_an_empty_log_has_no_findings(tmp_path: Path) -> None:
    assert SealedLog(tmp_path).report().is_clean


# ------------------------------------------------------------------------------------------------------- the database


@pytest.mark.parametrize("position", [1, 2, 256, 257, 302, 303, 702])
def test_a_changed_entry_is_found_and_said_to_be_changed_in_the_database_alone(
    sealed: SealedLog, position: int
) -> None:
    before = sealed.rows.known[position].entry
    sealed.rows.change(position, amount=5)

    finding = next(each for each in sealed.report().findings if each.position == position)
    assert (finding.rule, finding.last) == (TamperRule.ENTRY_CHANGED, position)
    assert finding.stored == leaf_hash(sealed.rows.known[position].entry).hex()
    assert finding.sealed == leaf_hash(before).hex()
    assert finding.intact
    assert finding.vouched
    assert finding.detail == "data.amount: null → 5"


def test_changed_bytes_with_the_same_content_are_found(sealed: SealedLog) -> None:
    row = sealed.rows.known[400]
    sealed.rows.put(400, replace(row, entry=row.entry + b" "))

    finding = only(sealed.report())
    assert (finding.rule, finding.position) == (TamperRule.ENTRY_CHANGED, 400)
    assert finding.detail == f"byte {len(row.entry) + 1}"


def test_a_deleted_row_is_found(sealed: SealedLog) -> None:
    sealed.rows.delete(400, 401, 500)

    assert named(sealed.report()) == [("row-missing", 400, 401), ("row-missing", 500, 500)]


def test_a_row_that_was_deleted_and_closed_up_over_is_one_finding(sealed: SealedLog) -> None:
    sealed.rows.delete(300)
    sealed.rows.renumber(300, -1)

    finding = only(sealed.report())
    assert (finding.rule, finding.position, finding.last, finding.shift) == (TamperRule.ROWS_RENUMBERED, 300, 702, 1)
    assert finding.unmoved == 1


def test_a_log_that_was_closed_up_and_cut_is_two_findings(sealed: SealedLog) -> None:
    sealed.rows.delete(300)
    sealed.rows.renumber(300, -1)
    sealed.rows.delete(*range(697, 702))

    assert named(sealed.report()) == [("rows-renumbered", 300, 697), ("log-ends-early", 698, 702)]


def test_rows_that_were_put_in_are_one_finding_with_the_ones_behind_them(sealed: SealedLog) -> None:
    sealed.rows.renumber(299, 2)
    strange = sealed.rows.known[299]
    sealed.rows.put(300, replace(strange, entry=strange.entry.replace(b"case-", b"else-")))
    sealed.rows.put(301, replace(strange, entry=strange.entry.replace(b"case-", b"elsewhere-")))

    finding = only(sealed.report())
    assert (finding.rule, finding.position, finding.last, finding.shift) == (TamperRule.ROWS_RENUMBERED, 300, 702, -2)
    assert finding.unmoved == 2


@pytest.mark.parametrize(("one", "other"), [(310, 311), (310, 400), (3, 702)])
def test_swapped_rows_are_one_finding(sealed: SealedLog, one: int, other: int) -> None:
    sealed.rows.swap(one, other)

    finding = only(sealed.report())
    assert (finding.rule, finding.position, finding.shift) == (TamperRule.ROWS_SWAPPED, one, other - one)
    assert finding.intact


def test_a_backup_that_was_written_on_is_one_finding_from_where_histories_part(sealed: SealedLog) -> None:
    for position in range(601, 703):
        row = sealed.rows.known[position]
        other = row.stream.replace("case-", "new-")
        sealed.rows.put(position, replace(row, stream=other, entry=row.entry.replace(b"case-", b"new-")))

    finding = only(sealed.report())
    assert (finding.rule, finding.position, finding.last) == (TamperRule.ENTRY_REPLACED, 601, 702)
    assert finding.detail == 'id: "case-199/2" → "new-199/2"'


def test_a_database_that_ends_early_is_found(sealed: SealedLog) -> None:
    sealed.rows.delete(*range(650, 703))

    report = sealed.report()
    assert named(report) == [("log-ends-early", 650, 702)]
    assert report.recorded == 649


def test_an_empty_database_is_found(sealed: SealedLog) -> None:
    sealed.rows.delete(*range(1, 703))

    assert ("log-ends-early", 1, 702) in named(sealed.report())


def test_what_was_recorded_and_not_sealed_yet_is_no_finding(sealed: SealedLog) -> None:
    sealed.append(50)

    report = sealed.report()
    assert report.is_clean
    assert (report.recorded, report.sealed) == (752, 702)


def test_each_of_many_changes_is_found(sealed: SealedLog) -> None:
    changed = [2, 5, 256, 257, 303, 511, 513, 702]
    for position in changed:
        sealed.rows.change(position)

    changes = [(f.position, f.last) for f in sealed.report().findings if f.rule is TamperRule.ENTRY_CHANGED]
    assert changes == [(2, 2), (5, 5), (256, 257), (303, 303), (511, 511), (513, 513), (702, 702)]


# ---------------------------------------------------------------------------------------------------------- the files


@pytest.mark.parametrize(
    ("path", "at", "first", "last"),
    [
        ("tile/0/000", 0, 1, 1),
        ("tile/0/001", 8_191, 512, 512),
        ("tile/0/002.p/190", 189 * 32, 702, 702),
        ("tile/1/000.p/2", 32, 257, 512),
    ],
)
def test_a_flipped_bit_in_a_tile_is_found_with_the_positions_it_stands_for(
    sealed: SealedLog, path: str, at: int, first: int, last: int
) -> None:
    sealed.flip(path, at)

    finding = only(sealed.report())
    assert (finding.rule, finding.path) == (TamperRule.TILE_CHANGED, path)
    assert (finding.position, finding.last) == (first, last)
    assert finding.vouched


def test_every_bit_of_a_bundle_is_guarded(sealed: SealedLog) -> None:
    path = "tile/entries/001"
    data = sealed.file(path).read_bytes()
    for at in range(0, len(data), 997):
        sealed.flip(path, at)
        findings = sealed.report().findings
        assert {(finding.rule, finding.path) for finding in findings} == {(TamperRule.BUNDLE_CHANGED, path)}
        sealed.file(path).write_bytes(data)
    assert sealed.report().is_clean


def test_a_changed_entry_in_a_bundle_is_found_where_it_is(sealed: SealedLog) -> None:
    file = sealed.file("tile/entries/001")
    entries = decode_bundle(file.read_bytes(), 256)
    entries[43] = entries[43].replace(b"case-", b"else-")
    file.write_bytes(encode_bundle(entries))

    finding = only(sealed.report())
    assert (finding.rule, finding.position, finding.last) == (TamperRule.BUNDLE_CHANGED, 300, 300)
    assert finding.stored == leaf_hash(entries[43]).hex()


def test_a_bundle_that_is_no_bundle_says_why(sealed: SealedLog) -> None:
    sealed.file("tile/entries/000").write_bytes(b"\0")

    finding = only(sealed.report())
    assert (finding.rule, finding.position, finding.last) == (TamperRule.BUNDLE_CHANGED, 1, 256)
    assert "cut short" in finding.detail


def test_missing_files_side_by_side_are_one_finding_a_kind(sealed: SealedLog) -> None:
    for path in ("tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001", "tile/entries/002.p/190"):
        sealed.file(path).unlink()

    assert named(sealed.report()) == [("bundle-missing", 1, 702), ("tile-missing", 1, 512)]


def test_a_row_and_its_bundle_changed_alike_are_told_from_the_tile(sealed: SealedLog) -> None:
    sealed.rows.change(300)
    file = sealed.file("tile/entries/001")
    entries = decode_bundle(file.read_bytes(), 256)
    entries[43] = sealed.rows.known[300].entry
    file.write_bytes(encode_bundle(entries))

    report = sealed.report()
    assert sorted(named(report)) == [("bundle-changed", 300, 300), ("entry-changed", 300, 300)]
    assert not next(each for each in report.findings if each.rule is TamperRule.ENTRY_CHANGED).intact


def test_row_bundle_and_tile_may_each_be_wrong_elsewhere(sealed: SealedLog) -> None:
    sealed.rows.change(310)
    sealed.flip("tile/0/001", 60 * 32)
    file = sealed.file("tile/entries/001")
    entries = decode_bundle(file.read_bytes(), 256)
    entries[70] = entries[70].replace(b"case-", b"else-")
    file.write_bytes(encode_bundle(entries))

    report = sealed.report()
    assert named(report) == [("entry-changed", 310, 310), ("tile-changed", 317, 317), ("bundle-changed", 327, 327)]
    assert all(finding.vouched for finding in report.findings)


def test_a_history_rewritten_in_all_three_places_meets_no_signed_root(sealed: SealedLog, tmp_path: Path) -> None:
    other = SealedLog(tmp_path / "other")
    other.append(400)
    for position in range(403, 703):
        other.memory.append(a_batch(f"forged-{position}"))
    other.seal()
    forged = other.rows.known
    sealed.rows.rows = {position: forged[position] for position in range(1, 703)}
    for each in ("tile/0/000", "tile/0/001", "tile/0/002.p/190", "tile/1/000.p/2"):
        sealed.file(each).write_bytes(other.file(each).read_bytes())
    for each in ("tile/entries/000", "tile/entries/001", "tile/entries/002.p/190"):
        sealed.file(each).write_bytes(other.file(each).read_bytes())
    sealed.file("tree").write_bytes(other.file("tree").read_bytes())

    report = sealed.report()
    finding = next(each for each in report.findings if each.rule is TamperRule.CHECKPOINT_ROOT)
    assert (finding.position, finding.last) == (303, 702)
    assert not finding.vouched
    assert finding.cover is not None
    assert finding.cover.size == 502


def test_a_changed_head_of_the_tree_is_found(sealed: SealedLog) -> None:
    head = sealed.store.head()
    assert head is not None
    sealed.store.write_head(replace(head, root=bytes(32)))
    assert only(sealed.report()).rule is TamperRule.TREE_HEAD
    sealed.store.write_head(replace(head, origin="log.example/other"))
    assert only(sealed.report()).rule is TamperRule.TREE_HEAD


def test_a_tree_that_is_shorter_than_what_was_signed_is_found(sealed: SealedLog) -> None:
    sealed.store.write_head(Checkpoint(ORIGIN, 502, _root_at(sealed, 502)))

    assert named(sealed.report()) == [("tree-behind", 503, 702)]


def test_what_is_in_no_place_is_lost(sealed: SealedLog) -> None:
    sealed.rows.delete(*range(600, 703))
    sealed.store.write_head(Checkpoint(ORIGIN, 502, _root_at(sealed, 502)))

    assert ("entry-lost", 600, 702) in named(sealed.report())


def test_a_narrower_partial_tile_that_was_changed_is_found(sealed: SealedLog) -> None:
    sealed.grow(10)
    sealed.file("tile/0/002.p/190").parent.mkdir(exist_ok=True)
    assert sealed.file("tile/0/002.p/190").exists()
    sealed.flip("tile/0/002.p/190", 5)

    finding = only(sealed.report())
    assert (finding.rule, finding.path) == (TamperRule.TILE_CHANGED, "tile/0/002.p/190")


# ------------------------------------------------------------------------------------------------------ unsigned tail


def test_a_tail_that_is_not_signed_yet_is_no_finding(sealed: SealedLog) -> None:
    sealed.append(40)
    sealed.seal()

    report = sealed.report()
    assert report.is_clean
    assert (report.sealed, report.signed) == (742, 702)


def test_a_tail_that_the_log_contradicts_is_told_apart_from_what_was_signed(sealed: SealedLog) -> None:
    sealed.append(40)
    sealed.seal()
    sealed.rows.change(700)
    sealed.rows.change(710)
    sealed.rows.delete(742)

    report = sealed.report()
    assert named(report) == [("entry-changed", 700, 700), ("unsigned-tail", 710, 710), ("unsigned-tail", 742, 742)]
    assert [finding.vouched for finding in report.findings] == [True, False, False]


# -------------------------------------------------------------------------------------------------------- checkpoints


def _root_at(sealed: SealedLog, size: int) -> bytes:
    kept = sealed.signer.history().at(ORIGIN, size)
    assert kept is not None
    return kept.root


def _in_journal(path: Path, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.execute("drop trigger checkpoint_is_never_altered")
        journal.execute("drop trigger checkpoint_is_never_deleted")
        journal.execute(statement, parameters)


def test_a_kept_checkpoint_whose_signature_does_not_verify_is_found(sealed: SealedLog) -> None:
    other = SigningKey(ORIGIN, bytes(32))
    note = sign_checkpoint(Checkpoint(ORIGIN, 502, _root_at(sealed, 502)), [other])
    _in_journal(sealed.signer.folder / "signed.sqlite", "update checkpoint set note = ? where size = 502", note)

    finding = only(sealed.report())
    assert (finding.rule, finding.path, finding.position) == (TamperRule.CHECKPOINT_UNSOUND, "signed.sqlite", 502)


def test_a_kept_checkpoint_that_says_another_root_than_its_note_is_found(sealed: SealedLog) -> None:
    _in_journal(sealed.store.folder / "published.sqlite", "update checkpoint set root = ? where size = 302", bytes(32))

    finding = only(sealed.report())
    assert (finding.rule, finding.path) == (TamperRule.CHECKPOINT_UNSOUND, "published.sqlite")


def test_a_published_checkpoint_that_the_signer_forgot_is_found(sealed: SealedLog) -> None:
    _in_journal(sealed.signer.folder / "signed.sqlite", "delete from checkpoint where size = 702")

    report = sealed.report()
    assert [finding.rule for finding in report.findings] == [TamperRule.CHECKPOINT_UNKNOWN]
    assert only(report).position == 702


def test_a_published_note_that_was_exchanged_is_found(sealed: SealedLog) -> None:
    sealed.file("checkpoint").write_bytes(b"nothing\n")
    assert only(sealed.report()).rule is TamperRule.CHECKPOINT_UNSOUND
    sealed.file("checkpoint").unlink()
    assert only(sealed.report()).rule is TamperRule.CHECKPOINT_UNSOUND
    key = SigningKey(ORIGIN, bytes(range(32)))
    forged = sign_checkpoint(Checkpoint(ORIGIN, 650, bytes(32)), [key])
    sealed.file("checkpoint").write_bytes(forged)
    assert only(sealed.report()).rule is TamperRule.CHECKPOINT_UNKNOWN


def test_a_damaged_journal_is_found(sealed: SealedLog) -> None:
    sealed.file("published.sqlite").write_bytes(b"no database, but long enough to be taken for one" * 100)

    assert {finding.rule for finding in sealed.report().findings} == {
        TamperRule.CHECKPOINT_UNSOUND,
        TamperRule.CHECKPOINT_UNKNOWN,
    }


def test_a_published_checkpoint_without_its_quorum_is_found_and_earlier_ones_are_counted(sealed: SealedLog) -> None:
    assert sealed.report().unwitnessed == 0
    sealed.policy = SealedLog(sealed.store.folder / "unused", cosigned=True).policy

    report = sealed.report()
    assert only(report).rule is TamperRule.CHECKPOINT_UNWITNESSED
    assert report.unwitnessed == 3


def test_a_finding_names_the_checkpoint_that_covers_it_and_who_cosigned_that(tmp_path: Path) -> None:
    sealed = SealedLog(tmp_path, cosigned=True)
    sealed.grow(300, 200)
    sealed.append(10)
    sealed.seal()
    sealed.policy = replace(sealed.policy)
    sealed.rows.change(303)
    sealed.rows.change(10)

    first, second = sealed.report().findings
    assert first.cover is not None
    assert second.cover is not None
    assert (first.cover.size, second.cover.size) == (302, 502)
    assert first.cover.root == _root_at(sealed, 302).hex()
    assert first.cover.published
    assert first.cover.cosigners == ["one"]


# ------------------------------------------------------------------------------------------------------ keys and maps


def test_a_key_that_the_log_never_announced_is_found(sealed: SealedLog) -> None:
    _, new = sealed.signer.add_key()

    finding = only(sealed.report())
    assert (finding.rule, finding.detail) == (TamperRule.KEY_UNANNOUNCED, new.vkey)


def test_an_announced_key_that_the_signer_does_not_hold_is_found(sealed: SealedLog) -> None:
    old, _ = sealed.signer.add_key()
    sealed.signer.retire(old.vkey)

    rules = {finding.rule for finding in sealed.report().findings}
    assert rules == {TamperRule.KEY_UNANNOUNCED, TamperRule.KEY_NOT_HELD}


def test_a_retired_key_need_not_be_held_and_what_it_signed_stays(sealed: SealedLog) -> None:
    old, new = sealed.signer.add_key()
    sealed.announce(new.vkey)
    sealed.retire(new.vkey)
    sealed.grow(5)
    assert sealed.report().is_clean
    _, newest = sealed.signer.add_key()
    sealed.announce(newest.vkey)
    sealed.retire(old.vkey)
    sealed.grow(5)
    assert sealed.report().is_clean


def test_without_its_signer_a_log_is_held_against_what_was_published(sealed: SealedLog) -> None:
    sealed.rows.change(303)
    report = tamper_report(sealed.rows, sealed.store, None, sealed.policy, EVENT_TYPES)
    assert named(report) == [("entry-changed", 303, 303)]
    assert only(report).vouched


def test_a_commitment_to_wholeness_is_made_again(sealed: SealedLog) -> None:
    position = sealed.bind()
    sealed.seal()
    sealed.sign()
    report = sealed.report()
    assert report.is_clean
    assert report.commitments == 1

    row = sealed.rows.known[300]
    sealed.rows.put(300, replace(row, stream="case-elsewhere"))
    findings = sealed.report().findings
    assert {(finding.rule, finding.position) for finding in findings} == {(TamperRule.WHOLENESS_DIFFERS, position)}


def test_every_commitment_is_made_again_when_asked_for(sealed: SealedLog) -> None:
    for _ in range(2):
        sealed.bind()
        sealed.seal()
        sealed.sign()

    assert sealed.report().commitments == 1
    assert sealed.report(all_commitments=True).commitments == 2


# ------------------------------------------------------------------------------------------------------------- report


def test_laws_of_the_database_are_taken_in(sealed: SealedLog) -> None:
    finding = only(sealed.report(laws=[Finding(7, "rising times", "it is not")]))

    assert (finding.rule, finding.position) == (TamperRule.LAW_BROKEN, 7)
    assert finding.detail == "rising times: it is not"


def test_what_is_beyond_the_limit_is_counted(sealed: SealedLog) -> None:
    for position in range(4, 104, 2):
        sealed.rows.change(position)

    report = sealed.report(limit=10)
    assert (len(report.findings), report.omitted) == (10, 40)
    assert not report.is_clean


def test_more_runs_than_are_kept_are_counted(sealed: SealedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.sealing.comparison._RUNS", 5)
    for position in range(4, 104, 2):
        sealed.rows.change(position)

    report = sealed.report()
    assert (len(report.findings), report.omitted) == (5, 45)


def test_progress_reaches_the_end(sealed: SealedLog) -> None:
    told: list[tuple[int, int]] = []
    sealed.report(progress=lambda at, end: told.append((at, end)))

    assert told == sorted(told)
    assert told[-1] == (702, 702)


def test_a_log_that_grows_meanwhile_has_no_findings(sealed: SealedLog) -> None:
    grown = threading.Event()

    def grow() -> None:
        for _ in range(60):
            sealed.grow(7)
        grown.set()

    growing = threading.Thread(target=grow)
    growing.start()
    reports = []
    while not grown.is_set():
        reports.append(sealed.report())
    growing.join()
    assert len({report.signed for report in reports}) > 2
    assert [report.findings for report in reports if not report.is_clean] == []


def test_a_log_that_grows_between_two_looks_has_no_findings(sealed: SealedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    head, last, published = sealed.store.head, sealed.signer.last, sealed.store.published

    def growing(look: Callable[[], object]) -> Callable[[], object]:
        def looked() -> object:
            with monkeypatch.context() as unhindered:
                unhindered.setattr(sealed.store, "head", head)
                unhindered.setattr(sealed.signer, "last", last)
                sealed.grow(3)
            return look()

        return looked

    monkeypatch.setattr(sealed.store, "head", growing(head))
    monkeypatch.setattr(sealed.signer, "last", growing(last))
    monkeypatch.setattr(sealed.store, "published", growing(published))
    assert sealed.report().is_clean


def test_nothing_is_changed(sealed: SealedLog) -> None:
    def contents() -> dict[str, bytes]:
        return {
            str(file): file.read_bytes()
            for folder in (sealed.store.folder, sealed.signer.folder)
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }

    before = contents()
    sealed.rows.change(300)
    sealed.report()
    assert contents() == before


def test_a_folder_without_anything_is_left_without_anything(sealed: SealedLog) -> None:
    shutil.rmtree(sealed.store.folder)

    report = sealed.report()
    assert {finding.rule for finding in report.findings} == {TamperRule.TREE_BEHIND}
    assert not sealed.store.folder.exists()
