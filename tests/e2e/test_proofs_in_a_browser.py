"""What a worker takes home: from the page of an event to a proof that holds without this server, and a sheet of paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from domain.errors import VerificationError
from domain.sealing.note import VerifierKey
from domain.sealing.policy import Policy
from domain.sealing.proof_file import parse_proof
from domain.sealing.receipt import parse_receipt

pytestmark = pytest.mark.browser
POSITION = 30


def policy_of(page: Page) -> Policy:
    """Trust in the key that the page of the log shows."""
    page.goto("/zh/log")
    return Policy.of_log(VerifierKey.parse(page.locator(".keys dd code").first.inner_text()))


def test_a_proof_is_downloaded_and_holds_offline_for_its_event_alone(page: Page, tmp_path: Path):
    policy = policy_of(page)
    page.goto(f"/zh/events/{POSITION}")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载证明文件").click()
    assert download.value.suggested_filename.endswith(f"-{POSITION}.tlog-proof")
    download.value.save_as(tmp_path / "proof")
    proof = parse_proof((tmp_path / "proof").read_bytes())
    entry = page.request.get(f"/v1/events/{POSITION}/entry").body()
    assert proof.verified(entry, policy).checkpoint.size >= POSITION
    with pytest.raises(VerificationError):
        proof.verified(page.request.get(f"/v1/events/{POSITION + 1}/entry").body(), policy)


def test_the_receipt_on_paper_is_that_of_the_proof(page: Page):
    policy = policy_of(page)
    page.goto(f"/zh/events/{POSITION}")
    page.get_by_role("link", name="打印回执").click()
    page.wait_for_url(f"**/zh/events/{POSITION}/receipt")
    expect(page.get_by_role("img", name="二维码")).to_be_visible()
    receipt = parse_receipt(page.locator("figcaption").inner_text().replace("\n", " ").encode())
    proof = parse_proof(page.request.get(f"/v1/events/{POSITION}/proof").body())
    assert receipt.verified(proof, policy).checkpoint.origin == receipt.origin
    assert page.locator(".leaf").inner_text().split() == re.findall("....", receipt.leaf.hex())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("paper", ["A5", "A4"])
def test_a_receipt_fits_on_one_sheet(page: Page, paper: str, language: str):
    page.goto(f"/{language}/events/{POSITION}/receipt")
    printed = page.pdf(format=paper, prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_a_qr_code_stays_dark_on_white_for_who_reads_in_the_dark(page: Page):
    page.emulate_media(color_scheme="dark")
    page.goto(f"/zh/events/{POSITION}/receipt")
    colours = [page.locator(f".qr {part}").evaluate("part => getComputedStyle(part).fill") for part in ("rect", "path")]
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]


def test_every_event_of_a_case_leads_to_its_proof(page: Page):
    page.goto("/zh/ledgers/case")
    page.locator("table.ledger tbody a").first.click()
    page.wait_for_url("**/zh/cases/*")
    expect(page.locator("#sealing")).to_contain_text("所列事件全部在已公布的检查点之内")
    items = page.locator(".timeline > li")
    assert items.count() == page.locator(".timeline > li .at-published").count()
    assert items.count() == page.get_by_role("link", name="证明", exact=True).count()
