"""What a reader does in a browser: from the board to a case, back to before its payment, and to now again."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def go_to_a_case_that_was_paid(page: Page) -> None:
    """Through the ledger, as a person goes: the section, the ledger, a filter, the first case with a payment."""
    page.get_by_role("link", name="台账", exact=True).click()
    page.get_by_role("link", name="欠薪案件台账").click()
    page.get_by_label("办理阶段").select_option(label="销账")
    page.get_by_role("button", name="查看").click()
    page.wait_for_url("**stage=written-off**")
    headings = page.locator("table.ledger thead th").all_inner_texts()
    paid = headings.index("已付金额")
    for row in page.locator("table.ledger tbody tr").all():
        if row.locator("td").nth(paid).inner_text() != "0.00":
            row.locator("a").first.click()
            page.wait_for_url("**/zh/cases/*")
            return
    raise AssertionError("no case on the page was paid")


def day_before_its_first_payment(page: Page) -> str:
    """The local day before the one on which the first payment was recorded."""
    credited = page.locator(".timeline > li", has=page.get_by_role("heading", name="逐笔入账")).first
    recorded = credited.locator(".times div", has_text="登记").locator("time").get_attribute("datetime")
    assert recorded is not None
    return (date.fromisoformat(recorded[:10]) - timedelta(days=1)).isoformat()


def tile(page: Page, name: str) -> str:
    return page.locator(f".tiles .{name} dd").inner_text().strip()


def test_a_case_is_seen_unpaid_as_known_before_its_payment_and_paid_as_known_now(page: Page):
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/zh/$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("清零看板")
    go_to_a_case_that_was_paid(page)
    assert tile(page, "owing") == "0.00"
    paid = tile(page, "paid")
    assert paid != "0.00"
    before = day_before_its_first_payment(page)

    page.get_by_label("当时所知（日期或位置）").fill(before)
    page.get_by_role("button", name="看当时所知").click()
    page.wait_for_url(f"**/zh/cases/*?as_known_at={before}")
    assert tile(page, "paid") == "0.00"
    assert tile(page, "owing") != "0.00"
    expect(page.get_by_text("没有支付记录。")).to_be_visible()

    page.get_by_role("link", name="回到现在").click()
    page.wait_for_url(lambda address: "?" not in address)
    assert (tile(page, "paid"), tile(page, "owing")) == (paid, "0.00")


def test_the_address_of_what_was_seen_shows_it_again(page: Page):
    page.goto("/zh/")
    go_to_a_case_that_was_paid(page)
    first = page.get_by_role("link", name="看此事件登记后所知").first
    first.click()
    page.wait_for_url("**/zh/cases/*?as_known_at=*")
    seen, address = page.locator("main").inner_text(), page.url
    page.goto("/zh/status")
    page.goto(address)
    assert page.locator("main").inner_text() == seen


def test_every_figure_of_the_board_opens_to_cases_that_open_to_events(page: Page):
    page.goto("/zh/")
    page.locator("table.board tfoot a").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("案件")
    page.locator("tbody a").first.click()
    page.wait_for_url("**/zh/cases/*")
    case = page.url.split("?")[0].rsplit("/", 1)[1]
    page.locator(".timeline a.position").first.click()
    page.wait_for_url("**/zh/events/*")
    expect(page.locator("pre")).to_contain_text(f'"partitionkey": "{case}"')


def test_the_console_can_be_read_in_english_from_the_same_place(page: Page):
    page.goto("/zh/ledgers/case?order=owing")
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(re.compile(r"/en/ledgers/case\?order=owing$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Case ledger")


def test_what_is_mistyped_is_told_clearly(page: Page):
    page.goto("/zh/")
    page.get_by_label("当时所知（日期或位置）").fill("昨天")
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_role("alert")).to_contain_text("时间写法不对")


@pytest.mark.parametrize(
    "shown",
    [
        "/zh/",
        "/zh/ledgers",
        "/zh/ledgers/case",
        "/zh/status",
        "/zh/log",
        "/zh/events/30",
        "/zh/events/30/receipt",
        "/en/api",
    ],
)
def test_on_a_phone_no_page_is_wider_than_the_screen(page: Page, shown: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(shown)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_on_a_phone_no_case_is_wider_than_the_screen(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/zh/")
    go_to_a_case_that_was_paid(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_case_can_be_reached_with_the_keyboard_alone(page: Page):
    page.goto("/zh/ledgers/case")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到正文")
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if "/zh/cases/" in (page.locator(":focus").get_attribute("href") or ""):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/zh/cases/"))
