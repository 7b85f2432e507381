"""The office at work in a browser: the clerk's minute, the handler's two hundred, the supervisor on a phone, the auditor's *why*.

Without JavaScript, as everything of the console. What a flow starts from is recorded through REST.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from api.application import create_app
from infra.bootstrap import Settings, initialise, open_platform
from infra.postgres.embedded import EmbeddedPostgres
from tests.e2e.served import served
from tests.postgres_server import fresh_database

pytestmark = pytest.mark.browser

PINGDING = "140321"
DESKTOP, PHONE = (1280, 900), (390, 844)
WORKERS = 200


@dataclass(frozen=True)
class Desk:
    """Where the console answers, and the tokens of those who work there."""

    address: str
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def desk(postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An office of one county, its log empty but for its officers."""
    folder = tmp_path_factory.mktemp("desk")
    settings = Settings(data=folder / "data", database_url=fresh_database(postgres_server))
    initialise(settings, origin="test")
    with open_platform(settings, folding=True, sealing=True) as platform:
        tokens = {name: platform.add_officer(name, jurisdiction=PINGDING)[1] for name in ("zhao", "qian", "sun")}
        platform.wait_for(platform.head().position, timeout=30)
        with served(create_app(platform)) as address:
            yield Desk(address, tokens)


Opened = Callable[..., Page]


@pytest.fixture
def signed_in(chromium: Browser, desk: Desk) -> Iterator[Opened]:
    """Opens a browser of its own for an officer, who signs in with the token."""
    contexts = []

    def signed_in(officer: str, size: tuple[int, int] = DESKTOP, touch: bool = False) -> Page:
        context = chromium.new_context(
            java_script_enabled=False,
            locale="zh-CN",
            base_url=desk.address,
            viewport={"width": size[0], "height": size[1]},
            has_touch=touch,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.goto("/zh/sign-in")
        page.get_by_label(re.compile("令牌")).fill(desk.tokens[officer])
        page.get_by_role("button", name="登录").click()
        page.wait_for_url("**/zh/")
        return page

    yield signed_in
    for context in contexts:
        context.close()


def post(page: Page, desk: Desk, officer: str, address: str, form: dict[str, Any]) -> dict[str, Any]:
    """A command through REST."""
    answer = page.request.post(f"/v1/{address}", data=form, headers={"Authorization": f"Bearer {desk.tokens[officer]}"})
    assert answer.ok, answer.text()
    return dict(answer.json())


def rows(page: Page, ledger: str, **asked: str) -> list[dict[str, Any]]:
    """What a ledger says, in the browser's own session."""
    answer = page.request.get(f"/v1/ledgers/{ledger}", params={"limit": "200", **asked})
    assert answer.ok, answer.text()
    return [row["values"] for row in answer.json()["rows"]]


def field(page: Page, name: str) -> Locator:
    """The field of a form by its name; its label is checked elsewhere."""
    return page.locator(f'.filling [name="{name}"]')


def paid_case(page: Page, desk: Desk) -> str:
    """A case of two workers, paid in full with a voucher, its closing proposed."""
    case = str(post(page, desk, "zhao", "cases", {"debtor": "甲公司", "funding": "private"})["thing"])
    lines = [{"worker": "张三", "claimed": 300_000}, {"worker": "李四", "claimed": 200_000}]
    post(page, desk, "zhao", f"cases/{case}/add-lines", {"lines": lines})
    verified = [{"claim": "1", "verified": 300_000}, {"claim": "2", "verified": 200_000}]
    post(page, desk, "zhao", f"cases/{case}/verify-lines", {"lines": verified})
    post(page, desk, "zhao", f"cases/{case}/declare-roster", {})
    post(page, desk, "qian", f"cases/{case}/confirm-roster", {})
    voucher = page.request.post(
        f"/v1/evidence?subject={case}",
        multipart={"file": {"name": "voucher.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\nsigned"}},
        headers={"Authorization": f"Bearer {desk.tokens['zhao']}"},
    )
    assert voucher.ok, voucher.text()
    paid = [
        {"claim": "1", "amount": 300_000, "paid_to": "own-account"},
        {"claim": "2", "amount": 200_000, "paid_to": "own-account"},
    ]
    post(page, desk, "zhao", f"cases/{case}/pay", {"source": "employer", "lines": paid, "evidence": [voucher.json()]})
    post(page, desk, "zhao", f"cases/{case}/propose-closing", {"outcome": "paid", "ground": "工资已付清"})
    return case


def test_the_clerks_minute_a_complaint_is_registered_once_though_clicked_twice(desk: Desk, signed_in: Opened):
    page = signed_in("zhao")
    page.get_by_role("link", name="登记投诉").click()
    field(page, "channel").select_option("visit")
    field(page, "complainant").fill("张三")
    field(page, "debtor").fill("甲建筑公司")
    field(page, "headcount").fill("两个")
    field(page, "amount").fill("12000.50")
    page.locator(".send button").click()
    expect(page.locator(".alarm")).to_contain_text("还没有记录")
    expect(field(page, "headcount")).to_have_attribute("aria-invalid", "true")
    expect(field(page, "complainant")).to_have_value("张三")
    assert rows(page, "reception", channel="visit") == []

    field(page, "headcount").fill("2")
    page.locator(".send button").dblclick()
    page.wait_for_url("**/zh/complaints/*")
    expect(page.get_by_role("status")).to_contain_text("已登记")
    number = page.get_by_role("heading", level=1).inner_text()
    [complaint] = rows(page, "reception", channel="visit")
    assert (complaint["number"], complaint["amount"], complaint["headcount"]) == (number, 1_200_050, 2)

    page.get_by_role("status").get_by_role("link").click()
    expect(page.get_by_role("link", name="打印回执")).to_be_visible()


def sheet(*rows: tuple[object, ...]) -> str:
    """Rows as a spreadsheet puts them on the clipboard."""
    return "\n".join("\t".join(map(str, row)) for row in rows)


def word(page: Page, title: str) -> Locator:
    """What a case's page says of a computed word, which leads to the reasons."""
    heading = page.get_by_role("rowheader", name=title, exact=True)
    return page.locator("table.words tr", has=heading).get_by_role("link").first


def name(i: int) -> str:
    return f"工人{i:03}"


def as_csv(*rows: tuple[object, ...]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode("utf-8-sig")


def as_xlsx(folder: Path, *rows: tuple[object, ...]) -> Path:
    import xlsxwriter

    path = folder / "发放表.xlsx"
    with xlsxwriter.Workbook(path) as book:
        written = book.add_worksheet()
        for number, row in enumerate(rows):
            written.write_row(number, 0, row)
    return path


def test_the_handlers_two_hundred_are_pasted_verified_and_paid_from_sheets(
    desk: Desk, signed_in: Opened, tmp_path: Path
):
    page = signed_in("zhao")
    case = post(page, desk, "zhao", "cases", {"debtor": "乙劳务公司", "funding": "government"})["thing"]
    page.goto(f"/zh/cases/{case}")

    page.get_by_role("link", name="录入名册", exact=True).click()
    entered = [(name(i), f"139{i:08}", "6000.00") for i in range(1, WORKERS + 1)]
    wrong = [*entered[:6], (name(7), "13900000007", "六千"), *entered[7:]]
    field(page, "lines").fill(sheet(("姓名", "电话", "欠薪金额"), *wrong))
    page.get_by_role("button", name="预览核对").click()
    expect(page.locator(".preview .faults li")).to_have_count(1)
    expect(page.locator(".preview .faults li")).to_contain_text("第 8 行")
    expect(page.locator(".send button")).to_have_count(1)
    field(page, "lines").fill(sheet(("姓名", "电话", "欠薪金额"), *entered))
    page.get_by_role("button", name="预览核对").click()
    expect(page.locator(".preview h2")).to_contain_text("200 行")
    expect(page.locator(".preview h2")).to_contain_text("1,200,000.00")
    expect(page.locator(".preview tbody tr")).to_have_count(WORKERS)
    page.get_by_role("button", name="录入名册").dblclick()
    page.wait_for_url("**/zh/cases/*recorded=*")
    expect(page.locator(".tiles .claimed dd")).to_have_text("1,200,000.00")
    expect(page.locator("#claims")).to_contain_text("200 条明细")

    page.get_by_role("link", name="逐人核定", exact=True).click()
    checked = as_csv(("姓名", "核定金额"), *((name(i), "6000") for i in range(1, WORKERS + 1)))
    page.locator('[name="lines.sheet"]').set_input_files(
        {"name": "核定.csv", "mimeType": "text/csv", "buffer": checked}
    )
    page.get_by_role("button", name="预览核对").click()
    expect(page.locator(".preview h2")).to_contain_text("1,200,000.00")
    page.get_by_role("button", name="逐人核定").click()
    page.wait_for_url("**/zh/cases/*recorded=*")
    expect(page.locator(".tiles .verified dd")).to_have_text("1,200,000.00")

    page.get_by_role("link", name="登记支付", exact=True).click()
    field(page, "source").select_option("employer")
    page.locator('[name="evidence"]').set_input_files(
        {"name": "签收.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4\nall of them signed"}
    )
    paid = as_xlsx(tmp_path, ("姓名", "实付金额", "收款方式"), *((name(i), 6000, "本人账户") for i in range(1, 201)))
    page.locator('[name="lines.sheet"]').set_input_files(paid)
    page.get_by_role("button", name="预览核对").click()
    expect(page.locator(".preview h2")).to_contain_text("1,200,000.00")
    page.get_by_role("button", name="登记支付").click()
    page.wait_for_url("**/zh/cases/*recorded=*")
    expect(page.locator(".tiles .paid dd")).to_have_text("1,200,000.00")
    expect(page.locator(".tiles .owing dd")).to_have_text("0.00")
    expect(page.locator(".claims svg").first).to_be_visible()


def test_a_supervisor_approves_a_closing_on_a_phone_and_nobody_their_own(desk: Desk, signed_in: Opened):
    page = signed_in("zhao", PHONE, touch=True)
    case = paid_case(page, desk)
    approve = f"/zh/do/case/approve-closing?of={case}"
    page.goto(approve)
    page.locator(".send button").tap()
    expect(page.locator(".alarm .members")).to_contain_text("条款")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]

    page = signed_in("qian", PHONE, touch=True)
    page.goto(f"/zh/cases/{case}")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    proposal = page.locator(".proposal")
    expect(proposal).to_contain_text("已提请办结")
    approval = proposal.get_by_role("link", name="批准办结")
    assert approval.evaluate("link => getComputedStyle(link).color") == "rgb(255, 255, 255)", "readable on its button"
    approval.tap()
    page.wait_for_url("**/zh/do/case/approve-closing?of=*")
    expect(page.get_by_role("heading", level=1)).to_have_text("批准办结")
    expect(page.locator(".about .owing dd")).to_have_text("0.00")
    expect(page.locator("main .moment.warn")).to_contain_text("已付清")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    page.locator(".send button").tap()
    page.wait_for_url("**/zh/cases/*recorded=*")
    expect(word(page, "办结")).to_contain_text("是")
    expect(page.locator(".proposal")).to_have_count(0)
    page.goto(approve)
    page.locator(".send button").tap()
    expect(page.locator(".alarm")).to_contain_text("规则")


def test_what_workers_say_confirms_a_case_when_somebody_else_than_who_paid_asks_them(desk: Desk, signed_in: Opened):
    case = paid_case(signed_in("zhao"), desk)
    answers = sheet(("姓名", "答复"), ("张三", "已足额收到"), ("李四", "已足额收到"))
    for officer, confirmed in (("zhao", "否"), ("sun", "是")):
        page = signed_in(officer)
        page.goto(f"/zh/cases/{case}")
        page.get_by_role("link", name="登记回访", exact=True).click()
        field(page, "answers").fill(answers)
        page.get_by_role("button", name="预览核对").click()
        expect(page.locator(".preview h2")).to_contain_text("2 行")
        page.get_by_role("button", name="登记回访").click()
        page.wait_for_url("**/zh/cases/*recorded=*")
        expect(word(page, "到手")).to_contain_text(confirmed)


def test_an_auditor_is_told_why_down_to_the_event_its_file_and_who_recorded_it(desk: Desk, signed_in: Opened):
    case = paid_case(signed_in("zhao"), desk)
    page = signed_in("sun")
    page.goto(f"/zh/cases/{case}")
    word(page, "解决").click()
    page.wait_for_url("**/why*#solved")
    expect(page.locator("#solved")).to_contain_text("是")
    condition = page.locator(".why[aria-labelledby=solved] tr", has=page.get_by_role("rowheader", name="没有余额"))
    condition.locator("td > a").click()
    page.wait_for_url("**/zh/events/*")
    expect(page.locator("main")).to_contain_text("经手 zhao")
    expect(page.locator("h1")).to_contain_text("逐笔入账")
    page.locator(".facts a[href*='/payments/']").click()
    page.wait_for_url("**/zh/payments/*")
    page.get_by_role("link", name="PDF 文件").first.click()
    page.wait_for_url("**/zh/evidence/*")

    page.goto(f"/zh/cases/{case}")
    word(page, "销账").click()
    page.wait_for_url("**/why*#written_off")
    expect(page.locator("#written_off")).to_contain_text("否")
