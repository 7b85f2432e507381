"""The verbs of the provable log on a real platform: what they hand out, what they find, and how they bring a log back."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from api.views.tampering import finding_sentence
from api.words import TAMPER_RULES, TAMPER_SENTENCES
from domain.errors import VerificationError
from domain.sealing.checkpoint import open_checkpoint
from domain.sealing.note import VerifierKey
from domain.sealing.policy import Policy
from domain.sealing.proof_file import parse_proof
from domain.sealing.receipt import parse_receipt
from infra.sealing.findings import Cover, TamperFinding, TamperRule
from tests.cli.conftest import Run
from tests.migrated import execute

PAST_THE_GUARDS = """
    alter table qingling.event disable trigger all; {statement};
    alter table qingling.event enable trigger user;
    alter table qingling.event enable always trigger event_is_never_changed;
    alter table qingling.event enable always trigger event_is_never_emptied"""
CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Office:
    """A deployment whose database the tests may alter as its superuser."""

    def __init__(self, run: Run, data: Path, url: str) -> None:
        self.data, self.url = data, url
        self._run = run

    def __call__(self, *arguments: str, language: str = "en") -> str:
        """What a verb says, which must go well."""
        code, out, err = self.ran(*arguments, language=language)
        assert code == 0, err
        return out

    def ran(self, *arguments: str, language: str = "en") -> tuple[int, str, str]:
        ran = self._run(*arguments, "--data", str(self.data), "--database-url", self.url, "--language", language)
        return ran.code, ran.out, ran.err

    def alter(self, statement: str) -> None:
        execute(self.url, PAST_THE_GUARDS.format(statement=statement))

    @property
    def log(self) -> Path:
        return self.data / "log"


@pytest.fixture
def office(run: Run, tmp_path: Path, database_url: str) -> Office:
    """Six events, all published."""
    office = Office(run, tmp_path / "data", database_url)
    office("init", "--origin", "test")
    for handle in ("zhang", "wang"):
        office("officer", "add", handle)
    office("log", "proof", "6", "--wait")
    return office


def status(office: Office) -> dict[str, Any]:
    return json.loads(office("log", "status", "--format", "json"))


def test_the_status_says_how_far_the_log_has_come_and_whose_keys_it_has(office: Office) -> None:
    found = status(office)

    assert (found["recorded"], found["sealed"], found["published"]) == (6, 6, 6)
    assert found["witnessed"] is False
    assert found["stopped"] is None
    assert str(found["vkeys"][0]).startswith(f"{found['origin']}+")
    assert "Published\t6\n" in office("log", "status")
    assert "已公布\t6\n" in office("log", "status", language="zh")


def test_the_checkpoint_is_handed_out_byte_for_byte(office: Office, tmp_path: Path) -> None:
    note = (office.log / "checkpoint").read_bytes()

    assert office("log", "checkpoint").encode() == note
    office("log", "checkpoint", "--output", str(tmp_path / "note"))
    assert (tmp_path / "note").read_bytes() == note
    assert office("log", "checkpoint", "--size", "6").encode() == note
    (vkey,) = status(office)["vkeys"]
    assert open_checkpoint(note, [VerifierKey.parse(vkey)]).checkpoint.size == 6


def test_every_published_checkpoint_is_listed(office: Office) -> None:
    office("log", "wholeness")
    office("log", "proof", "7", "--wait")

    listed = json.loads(office("log", "checkpoint", "--all", "--format", "json"))
    assert [each["size"] for each in listed] == [6, 7]
    assert listed[0]["note"] == office("log", "checkpoint", "--size", "6")


def test_a_size_that_was_never_signed_has_no_checkpoint(office: Office) -> None:
    code, out, err = office.ran("log", "checkpoint", "--size", "5")
    assert (code, out) == (4, "")
    assert "5 leaves" in err


def test_a_proof_is_a_file_that_the_public_key_alone_verifies(office: Office, tmp_path: Path) -> None:
    (vkey,) = status(office)["vkeys"]
    office("log", "proof", "3", "--output", str(tmp_path / "3.tlog-proof"))

    proof = parse_proof((tmp_path / "3.tlog-proof").read_bytes())
    receipt = parse_receipt(proof.extra)
    assert receipt.position == 3
    assert receipt.verified(proof, Policy.of_log(VerifierKey.parse(vkey))).checkpoint.size == 6


def test_a_proof_of_what_is_not_published_yet_is_refused_until_it_is(office: Office) -> None:
    office("log", "wholeness")
    code, out, err = office.ran("log", "proof", "7")
    assert (code, out) == (6, "")
    assert "not published yet" in err
    assert office("log", "proof", "7", "--wait").startswith("c2sp.org/tlog-proof@v1\n")


def test_a_file_that_cannot_be_written_is_an_error_of_the_caller(office: Office, tmp_path: Path) -> None:
    code, _, err = office.ran("log", "proof", "3", "--output", str(tmp_path / "no" / "where"))
    assert code == 2
    assert "cannot write" in err


def test_a_new_key_is_announced_and_signs_beside_the_old_one(office: Office) -> None:
    (old,) = status(office)["vkeys"]
    said = office("log", "rotate-key", "--reason", "yearly")

    assert f"Key of before: {old}" in said
    office("log", "proof", "7", "--wait")
    _, new = status(office)["vkeys"]
    assert f"New key: {new}" in said
    note = office("log", "checkpoint").encode()
    for vkey in (old, new):
        assert open_checkpoint(note, [VerifierKey.parse(vkey)]).checkpoint.size == 7
    assert "Nothing differs" in office("log", "fsck")


def test_a_retired_key_signs_no_more_and_the_report_stays_clean(office: Office) -> None:
    (old,) = status(office)["vkeys"]
    code, _, err = office.ran("log", "retire-key", old)
    assert code == 3
    assert "only key" in err
    office("log", "rotate-key")
    assert f"Signs no more: {old}" in office("log", "retire-key", old, "--reason", "yearly")
    office("log", "proof", "8", "--wait")
    note = office("log", "checkpoint").encode()
    with pytest.raises(VerificationError):
        open_checkpoint(note, [VerifierKey.parse(old)])
    assert "Nothing differs" in office("log", "fsck")


def test_wholeness_is_bound_as_of_now(office: Office) -> None:
    assert re.match(
        r"Position 7 binds the log to \d+ streams and \d+ partitions as of position 6\n", office("log", "wholeness")
    )
    assert status(office)["committed"] == 6


# -------------------------------------------------------------------------------------------------------------- fsck


def test_a_log_that_was_not_touched_has_a_clean_report(office: Office) -> None:
    office("log", "wholeness")
    office("log", "proof", "7", "--wait")

    said = office("log", "fsck", "--all-maps")
    assert "Nothing differs from what was signed" in said
    assert "commitments recomputed 1" in said
    report = json.loads(office("log", "fsck", "--format", "json"))
    assert report["clean"] is True
    assert report["findings"] == []


def test_a_changed_entry_is_reported_in_words_that_can_be_quoted(office: Office) -> None:
    office.alter(
        "update qingling.event set entry = convert_to(replace(convert_from(entry, 'UTF8'), 'system', 'nobody'), 'UTF8')"
        " where position = 3"
    )

    code, out, _ = office.ran("log", "fsck")
    assert code == 9
    assert "The entry at position 3 was changed in the database" in out
    assert 'Difference: actor: "system" → "nobody"' in out
    assert "Bundle and tile still hold what was sealed" in out
    assert "Covered by the checkpoint of size 6" in out
    assert "published, no witness" in out
    code, out, _ = office.ran("log", "fsck", language="zh")
    assert code == 9
    assert "位置 3 的条目在数据库中被改动" in out


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
def test_a_report_can_be_had_as_a_file(office: Office, tmp_path: Path, format: str) -> None:
    office.alter("update qingling.event set entry = entry || ' ' where position = 3")
    file = tmp_path / f"report.{format}"

    assert office.ran("log", "fsck", "--format", format, "--output", str(file))[0] == 9
    assert file.stat().st_size > 100


@pytest.mark.parametrize("path", ["tile/0/000.p/6", "tile/entries/000.p/6", "tree", "checkpoint", "published.sqlite"])
@pytest.mark.parametrize("damage", ["removed", "rubbish"])
def test_whatever_happened_to_a_file_the_report_is_made(office: Office, path: str, damage: str) -> None:
    file = office.log / path
    if damage == "removed":
        file.unlink()
    else:
        file.write_bytes(b"rubbish" * 200)

    code, out, err = office.ran("log", "fsck", "--format", "json")
    assert code == 9, err
    assert json.loads(out)["findings"]


def test_a_first_event_that_cannot_be_read_hinders_no_report(office: Office) -> None:
    office.alter("update qingling.event set entry = 'rubbish' where position = 1")

    assert office.ran("status")[0] != 0
    code, out, err = office.ran("log", "fsck")
    assert code == 9, err
    assert "The entry at position 1 was changed in the database" in out


def test_without_its_signer_the_report_says_so(office: Office) -> None:
    shutil.rmtree(office.data.with_name("data.signer"))

    assert "The signer is not here" in office("log", "fsck")


# ----------------------------------------------------------------------------------------------------------- recovery


def test_an_older_database_is_brought_back(office: Office) -> None:
    before = execute(office.url, "select * from qingling.event order by position")
    office.alter("delete from qingling.event where position > 4")

    code, out, _ = office.ran("log", "fsck")
    assert code == 9
    assert "what was sealed at positions 5–6 is not in it" in out
    assert "Put back out of the bundles, byte for byte: positions 5–6" in office("log", "recover")
    assert execute(office.url, "select * from qingling.event order by position") == before
    assert "there was nothing to recover" in office("log", "recover")
    assert "Nothing differs" in office("log", "fsck")
    office("log", "wholeness")
    office("log", "proof", "7", "--wait")


def test_an_empty_database_is_brought_back(office: Office) -> None:
    before = execute(office.url, "select * from qingling.event order by position")
    execute(office.url, "drop schema qingling cascade")
    execute(office.url, "drop schema vault cascade")
    execute(office.url, "drop schema ledger cascade")
    execute(office.url, "drop schema qingling_migration cascade")

    said = office("log", "recover")
    assert "positions 1–6" in said
    assert execute(office.url, "select * from qingling.event order by position") == before
    assert "Nothing differs" in office("log", "fsck")


def test_a_lost_folder_is_grown_again(office: Office) -> None:
    shutil.rmtree(office.log)

    assert "Tiles grown again out of the database: 6 leaves" in office("log", "recover")
    assert office.ran("log", "fsck")[0] == 0


def test_a_dishonest_restore_is_refused_with_the_positions(office: Office) -> None:
    office.alter("delete from qingling.event where position > 4")
    office.alter(
        "insert into qingling.event select 5, 'other', 1, type, recorded_at + interval '1 second', 'other', entry"
        " from qingling.event where position = 4"
    )

    code, out, err = office.ran("log", "recover")
    assert (code, out) == (7, "")
    assert "at position 5" in err


def test_where_there_is_no_log_there_is_nothing_to_compare(run: Run, tmp_path: Path) -> None:
    ran = run("log", "fsck", "--data", str(tmp_path / "nothing"))
    assert ran.code == 4
    assert not (tmp_path / "nothing").exists()


def test_without_a_signer_nothing_says_what_there_was(run: Run, tmp_path: Path) -> None:
    ran = run("log", "recover", "--data", str(tmp_path / "nothing"))
    assert ran.code == 10
    assert not (tmp_path / "nothing").exists()


# -------------------------------------------------------------------------------------------------------------- words


def test_every_rule_has_a_title_and_a_sentence_in_both_languages() -> None:
    assert {rule.value for rule in TamperRule} == set(TAMPER_RULES) == set(TAMPER_SENTENCES)
    for words in (TAMPER_RULES, TAMPER_SENTENCES):
        assert all(CHINESE.search(word.zh) and not CHINESE.search(word.en) for word in words.values())


@pytest.mark.parametrize("rule", TamperRule)
def test_a_finding_of_every_rule_is_a_whole_sentence_that_names_place_and_cover(rule: TamperRule) -> None:
    cover = Cover(302, "ab" * 32, True, ["province", "audit"])
    finding = TamperFinding(
        rule, 7, 9, "tile/0/000", "cd" * 32, "ef" * 32, shift=2, vouched=False, detail="data.total: 1 → 2", cover=cover
    )

    zh, en = finding_sentence(finding, "zh"), finding_sentence(finding, "en")
    assert CHINESE.search(zh)
    assert not CHINESE.search(en)
    for said in (zh, en):
        assert "{" not in said
        assert "7" in said or rule is TamperRule.TREE_HEAD or rule is TamperRule.KEY_UNANNOUNCED
        assert "302" in said
        assert "province" in said
        assert "data.total: 1 → 2" in said


@pytest.mark.parametrize(
    ("shift", "unmoved", "said"),
    [
        (
            1,
            1,
            "what was sealed at position 300 is no longer there, and what stands at positions 300–701 was sealed at"
            " positions 301–702;",
        ),
        (
            2,
            0,
            "what was sealed at positions 300–301 is no longer there, and what stands at positions 300–702 was sealed at"
            " positions 302–704;",
        ),
        (
            -2,
            2,
            "something was put in at positions 300–301, and what stands at positions 302–702 was sealed at positions"
            " 300–700;",
        ),
        (-2, 0, "numbered anew: what stands at positions 300–702 was sealed at positions 298–700;"),
    ],
)
def test_renumbered_rows_say_what_went_and_what_came(shift: int, unmoved: int, said: str) -> None:
    finding = TamperFinding(TamperRule.ROWS_RENUMBERED, 300, 702, shift=shift, unmoved=unmoved)

    assert said in finding_sentence(finding, "en")
    assert "位置 300" in finding_sentence(finding, "zh")


def test_a_broken_law_of_no_position_says_so() -> None:
    finding = TamperFinding(TamperRule.LAW_BROKEN, detail="commands point into the log: …")

    assert finding_sentence(finding, "en") == (
        "The log breaks a law of its own (at no single position). Reason: commands point into the log: …."
    )


def test_every_rule_is_explained_under_its_words() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "tamper.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| [^|]{20,} \|$", text, flags=re.MULTILINE)
    assert rows == [(rule.value, *TAMPER_RULES[rule.value]) for rule in TamperRule]
