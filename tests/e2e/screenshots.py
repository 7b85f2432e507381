"""Makes docs/screenshots/*.png from the sample campaign, in the machine's own Chromium. Run it as `scripts/screenshots`.

The campaign is played anew into a temporary folder, so the pictures are the same wherever they are made, but for fonts.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fastapi.testclient import TestClient
from playwright.sync_api import Browser

from api.application import create_app
from domain.campaigns.campaign import end_of_day
from infra.bootstrap import Platform
from tests.api.sampled import sampled
from tests.e2e.browser import headless, installed
from tests.e2e.served import served

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "screenshots"
LARGEST = 300_000
"""Bytes that a picture may have."""
WIDE, TALL, PHONE, SHEET = (1280, 900), (1280, 1360), (390, 844), (760, 980)


def paid_case(platform: Platform) -> tuple[str, int]:
    """A case of a few named workers that was paid and written off, and the position before its first payment."""
    client = TestClient(create_app(platform))
    rows = client.get("/v1/ledgers/case?stage=written-off&limit=200").json()["rows"]
    for row in sorted(rows, key=lambda row: row["values"]["number"]):
        if row["values"]["paid"] and row["values"]["confirmed"] and 4 <= row["values"]["lines"] <= 9:
            timeline = client.get(f"/v1/cases/{row['key']}/timeline").json()["timeline"]
            first = next(item["position"] for item in timeline if item["type"] == "payment.recorded.v1")
            return row["key"], first - 1
    raise SystemExit("screenshots: the sample has no case of four to nine workers that was paid and confirmed")


def late_case(platform: Platform) -> str:
    """A case received by the first checkpoint's day that was entered only afterwards."""
    day = platform.info.campaign.checkpoints[0].day
    end = end_of_day(day, platform.info.zone)
    known = {row.key for row in platform.rows("case", as_of=platform.position_at(end))}
    for row in sorted(platform.rows("case"), key=lambda row: row.row.number):
        if row.key not in known and row.row.particulars.received <= end:
            return row.key
    raise SystemExit("screenshots: the sample has no case that was entered late")


def pictures(platform: Platform) -> dict[str, tuple[str, tuple[int, int], str]]:
    """By file name: the address, the size of the screen, and the colour scheme."""
    case, before = paid_case(platform)
    return {
        "board.zh": ("/zh/", TALL, "light"),
        "board.en.dark": ("/en/", WIDE, "dark"),
        "case-now.zh": (f"/zh/cases/{case}", TALL, "light"),
        "case-before-payment.zh": (f"/zh/cases/{case}?as_known_at={before}", TALL, "light"),
        "case-timeline.en": (f"/en/cases/{case}#timeline", WIDE, "light"),
        "case-comparison.zh": (
            f"/zh/cases/{late_case(platform)}/comparison?day={platform.info.campaign.checkpoints[0].day}",
            WIDE,
            "light",
        ),
        "ledger.zh": ("/zh/ledgers/case", WIDE, "light"),
        "event.zh": (f"/zh/events/{before + 1}", TALL, "light"),
        "receipt.zh": (f"/zh/events/{before + 1}/receipt", SHEET, "light"),
        "log.zh": ("/zh/log", TALL, "light"),
        "log.en.dark": ("/en/log", WIDE, "dark"),
        "board-phone.zh": ("/zh/", PHONE, "light"),
        "case-phone.zh": (f"/zh/cases/{case}", PHONE, "light"),
    }


def take(browser: Browser, address: str, page: str, size: tuple[int, int], scheme: str, file: Path) -> None:
    """One picture of what a reader sees first, without JavaScript."""
    context = browser.new_context(
        base_url=address,
        java_script_enabled=False,
        locale="zh-CN",
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": size[0], "height": size[1]},
    )
    shown = context.new_page()
    answer = shown.goto(page)
    if answer is None or not answer.ok:
        raise SystemExit(f"screenshots: {page} was answered with {answer and answer.status}")
    shown.screenshot(path=file)
    context.close()
    if file.stat().st_size > LARGEST:
        raise SystemExit(f"screenshots: {file.name} has {file.stat().st_size} bytes; {LARGEST} are allowed")
    sys.stdout.write(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1000} kB\n")


def main() -> None:
    """Play the sample, serve it, take the pictures."""
    executable = installed()
    if executable is None:
        raise SystemExit("screenshots: no Chromium is installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sampled() as platform, served(create_app(platform)) as address, headless(executable) as browser:
        for name, (page, size, scheme) in pictures(platform).items():
            take(browser, address, page, size, scheme, FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
