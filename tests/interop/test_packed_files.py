"""A worked case in a pack, with all its ledgers and its evidence files: both verifiers hold it, and neither holds another file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import VerificationError
from domain.packs.pack import Selection, SelectionKind
from domain.sealing.note import VerifierKey
from domain.sealing.policy import Policy
from infra.bootstrap import make_pack, verify_pack
from infra.packs.layout import EVIDENCE_FILE
from tests.infra.packs.office import unzipped, zipped
from tests.interop.conftest import Check
from tests.interop.small_pack import Files, resealed
from tests.stories.office import YUAN
from tests.stories.real import RealOffice, real_office

VOUCHER = b"%PDF-1.4\nsigned by all of them"


@dataclass(frozen=True)
class Packed:
    """The pack of a case, its key, and the files that it must hold, opened."""

    path: Path
    vkey: str
    contents: set[bytes]

    @property
    def files(self) -> Files:
        """Its members."""
        return unzipped(self.path.read_bytes())

    @property
    def policy(self) -> Policy:
        """Trust in the log's own key."""
        return Policy.of_log(VerifierKey.parse(self.vkey))


def worked(office: RealOffice) -> str:
    """A case with something in every ledger of a pack."""
    case = office.case(500, 300)
    office.verify(case, _1=500, _2=300)
    office.roster(case)
    due = (office.platform.now() + timedelta(days=30)).isoformat()
    office.do("zhao", f"cases/{case}/assign", duty="handler", officer="zhao")
    office.do("zhao", f"cases/{case}/take-custody", number="托1", holder_kind="foreman", holder="刘", amount=100 * YUAN)
    order = {
        "number": "令1",
        "kind": "pay-within-limit",
        "law": "劳动保障监察条例",
        "against": "甲公司",
        "amount": 800 * YUAN,
    }
    office.do("zhao", f"cases/{case}/issue-order", **order, due=due)
    asked = {"number": "兜1", "resort": "wage-deposit", "amount": 300 * YUAN, "ground": "企业无力支付"}
    said = office.do("zhao", f"cases/{case}/request-backstop", **asked)
    backstop = next(event["stream"] for event in said["events"] if event["type"].startswith("backstop."))
    office.do("city", f"backstops/{backstop}/approve", limit=300 * YUAN, due=due)
    lines = [{"claim": "2", "amount": 300 * YUAN, "paid_to": "own-account"}]
    voucher = office.file(case, VOUCHER)
    office.do("zhao", f"cases/{case}/pay", source="wage-deposit", backstop=backstop, lines=lines, evidence=[voucher])
    office.do("zhao", f"backstops/{backstop}/open-recovery", debtor="甲公司", amount=300 * YUAN, due=due)
    office.do("qian", f"cases/{case}/draw-call-list", number="访1", scope="all", caller="sun")
    return case


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packed]:
    folder = tmp_path_factory.mktemp("files")
    with real_office(folder) as office:
        case = worked(office)
        case_file = office.get(f"cases/{case}")
        assert case_file["values"]["owing"] == 500 * YUAN
        office.real.wait_for(office.real.head().position, timeout=60)
        made = make_pack(office.real, Selection(kind=SelectionKind.CASE, value=case), folder / "case.zip", files=True)
        assert {each.name: each.rows > 0 for each in made.ledgers if each.name not in ("discrepancy", "clearance")} == {
            **dict.fromkeys(("claim", "payment", "case", "custody", "order"), True),
            **dict.fromkeys(("backstop", "recovery", "call-list"), True),
            "referral": False,
        }
        yield Packed(made.path, office.real.sealing.status().vkeys[0], {b"%PDF-1.4\n" + VOUCHER})


def test_a_worked_case_with_its_files_holds_for_both_verifiers(packed: Packed, check: Check):
    answers = check(packed.path.read_bytes(), packed.vkey)
    assert answers.codes == (0, 0), answers


def test_the_files_open_offline_to_what_was_handed_in(packed: Packed, tmp_path: Path):
    report = verify_pack(packed.path, packed.policy, files_to=tmp_path / "opened")
    assert report.files == len(packed.contents)
    assert {file.read_bytes() for file in (tmp_path / "opened").iterdir()} == packed.contents


def members(files: Files) -> tuple[str, str]:
    """The sealed file and what opens it."""
    sealed = next(name for name in files if EVIDENCE_FILE.fullmatch(name) and not name.endswith(".json"))
    return sealed, f"{sealed}.json"


def test_another_file_in_its_place_or_beside_it_is_refused_by_both(packed: Packed, check: Check):
    files = packed.files
    sealed, opening = members(files)
    other = b"another file"
    beside = f"files/{hashlib.sha256(other).hexdigest()}"
    without = {name: data for name, data in files.items() if name != opening}
    for changed in (
        {**files, sealed: files[sealed][:-1] + bytes([files[sealed][-1] ^ 1])},
        {**files, beside: other, f"{beside}.json": files[opening]},
        without,
        {name: data for name, data in files.items() if name != sealed},
    ):
        answers = check(zipped(resealed(changed)), packed.vkey)
        assert answers.codes == (9, 9), answers
        assert "rule 8" in answers.go_said


def test_what_opens_it_is_held_against_the_file(packed: Packed, tmp_path: Path):
    files = packed.files
    _, opening = members(files)
    for changed in (
        files[opening].replace(b'"plaintext":"', b'"plaintext":"00', 1),
        files[opening] + b"\n",
        b"{}",
        b"[" * 2_000,
    ):
        (tmp_path / "pack.zip").write_bytes(zipped(resealed({**files, opening: changed})))
        with pytest.raises(VerificationError, match="rule 8"):
            verify_pack(tmp_path / "pack.zip", packed.policy, files_to=tmp_path / "opened")
    assert not (tmp_path / "opened").exists() or not list((tmp_path / "opened").iterdir())
