"""The console: every page in both languages, every link leads somewhere, what was seen can be sent as a link."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import quote, urljoin

import pytest
from fastapi.testclient import TestClient

from api.console.rendering import HERE
from tests.api.fake_platform import LATE_CASE, OWING_CASE, PAID_CASE, FakePlatform

PAID_ID = "case-8048ba1b8c7e0dee"
PAGES = [
    "/",
    "/?as_known_at=2019-12-31",
    "/?funding=private&jurisdiction=140321",
    "/board/cases?case_class=in-year&checkpoint=year-end&measure=owing",
    "/ledgers",
    "/ledgers/case",
    "/ledgers/claim?limit=5&order=owing&descending=true",
    "/ledgers/payment",
    "/ledgers/discrepancy",
    "/ledgers/book",
    "/ledgers/officer",
    f"/ledgers/case/rows/{PAID_ID}",
    f"/cases/{PAID_ID}",
    f"/cases/{PAID_ID}?as_known_at=2019-12-19",
    f"/cases/{PAID_ID}?as_it_was_by=2019-12-20",
    f"/cases/{PAID_ID}/comparison?day=2019-12-20",
    f"/cases/{PAID_ID}/why",
    f"/cases/{PAID_ID}/why?as_known_at=2019-12-19",
    f"/cases/{quote(OWING_CASE)}/why?as_it_was_by=2019-12-20",
    f"/cases/{quote(OWING_CASE)}?lines_from=2&events_before=90",
    f"/cases/{quote(OWING_CASE)}",
    f"/cases/{quote(LATE_CASE)}?as_known_at=2019-12-31",
    "/completeness",
    "/completeness?jurisdiction=140321&as_known_at=2019-12-31",
    "/events/1",
    "/events/36",
    "/events/36/receipt",
    "/log",
    "/status",
    "/api",
    "/sign-in",
]


class Page(HTMLParser):
    """What a test asks of a page: its links, its language, its forms and tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.resources: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.found.append((tag, attributes))
        if tag == "a":
            self.links.append(attributes["href"])
        for name in ("src", "action"):
            if name in attributes:
                self.resources.append(attributes[name])
        if tag in ("link", "use"):
            self.resources.append(attributes["href"])

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.found if found == tag]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_shown_in_both_languages_and_says_which_log_it_is(client: TestClient, language, page):
    response = client.get(f"/{language}{page}")
    assert response.status_code == 200
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in response.text
    assert "yangquan-simulation-0badcafe" in response.text
    assert ("模拟" if language == "zh" else "Simulation") in response.text


@pytest.mark.parametrize("page", PAGES)
def test_no_page_needs_a_script_a_style_attribute_or_an_outside_resource(client: TestClient, page):
    html = client.get(f"/zh{page}").text
    found = Page(html)
    assert not found.all("script")
    assert not found.all("style")
    assert not [attributes for _, attributes in found.found if "style" in attributes]
    assert not [name for _, attributes in found.found for name in attributes if name.startswith("on")]
    assert all(address.startswith("/") and not address.startswith("//") for address in found.resources)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_typed_or_tabulated_has_a_name_for_those_who_do_not_see_it(client: TestClient, page):
    html = client.get(f"/zh{page}").text
    found = Page(html)
    assert html.count("<table") == html.count("<caption")
    assert all("alt" in image for image in found.all("img"))
    assert all(svg.get("aria-label") or svg.get("aria-hidden") == "true" for svg in found.all("svg"))
    assert html.count("<h1") == 1
    for field in [*found.all("input"), *found.all("select")]:
        if field.get("type") != "hidden":
            labelled = field.get("id") and f'for="{field["id"]}"' in html
            assert labelled or re.search(rf"<label[^>]*>(?:(?!</label>).)*name=\"{field['name']}\"", html, re.DOTALL)


def test_every_link_of_every_page_leads_somewhere(client: TestClient):
    waiting: list[str] = ["/zh/"]
    seen: set[str] = set()
    while waiting:
        address = waiting.pop().partition("#")[0]
        if address in seen or len(seen) > 400:
            continue
        seen.add(address)
        response = client.get(address)
        assert response.status_code in (200, 303, 307), (address, response.status_code)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            waiting += [urljoin(address, link) for link in Page(response.text).links]
    assert len(seen) > 100


def test_english_pages_hold_no_chinese_but_what_the_data_says(client: TestClient):
    for page in ("/en/ledgers", "/en/status", "/en/log", "/en/api", "/en/sign-in", "/en/nothing"):
        text = re.sub(r"<[^>]+>", " ", client.get(page).text)
        left = set(re.findall(r"[\u4e00-\u9fff]+", text)) - {"清零", "中文"}
        assert not left, (page, left)


def test_templates_say_everything_in_both_languages():
    """Chinese stands in a template only beside its English, in `say(…)` or `both(…)`."""
    for template in (HERE / "templates").glob("*.html"):
        text = re.sub(r'(?:say|both)\(\s*"[^"]*",\s*"[^"]*"\s*\)', "", template.read_text("utf-8"))
        text = text.replace("<strong>清零</strong>", "").replace('"中文"', "")
        assert not re.findall(r"[\u4e00-\u9fff]+", text), template.name


def test_the_front_door_leads_to_the_language_chosen_last(client: TestClient, platform: FakePlatform):
    assert client.get("/").headers["Location"] == "/zh/"
    platform.settings.language = "en"
    assert client.get("/").headers["Location"] == "/en/"
    assert client.get("/", headers={"Cookie": "qingling_language=zh"}).headers["Location"] == "/zh/"


def test_reading_in_a_language_is_remembered(client: TestClient):
    assert "qingling_language=en" in client.get("/en/").headers["Set-Cookie"]
    assert client.get("/").headers["Location"] == "/en/"


def test_the_other_language_shows_the_same_moment_of_the_same_page(client: TestClient):
    page = client.get(f"/zh/cases/{PAID_ID}?as_known_at=2019-12-19").text
    assert f'href="/en/cases/{PAID_ID}?as_known_at=2019-12-19"' in page


def test_a_link_to_a_case_as_known_at_reproduces_what_was_seen(client: TestClient):
    before = client.get(f"/zh/cases/{PAID_ID}?as_known_at=2019-12-20").text
    now = client.get(f"/zh/cases/{PAID_ID}").text
    assert "没有支付记录" in before
    assert "没有支付记录" not in now
    assert "回到现在" in before


def test_the_board_shows_the_word_of_every_cell_as_text(client: TestClient):
    page = client.get("/zh/").text
    for word in ("未清零", "无记录"):
        assert f"</i>{word}" in page
    assert "</i>清零到手" in client.get("/zh/?funding=private&jurisdiction=140321").text


def test_a_board_behind_its_log_warns_and_never_says_cleared(client: TestClient, platform: FakePlatform):
    platform.behind["clearance"] = 1
    page = client.get("/zh/?funding=private&jurisdiction=140321").text
    assert "</i>数据不全" in page
    assert "</i>清零" not in page
    assert 'role="alert"' in page


def test_a_page_waits_for_a_position_as_its_data_does(client: TestClient, platform: FakePlatform):
    platform.behind.update(case=1, clearance=1)
    for page in ("/zh/", "/zh/ledgers/case"):
        assert client.get(f"{page}?min_position=55&wait=0").status_code == 503
        assert client.get(f"{page}?min_position=54&wait=0").status_code == 200


def test_each_figure_of_the_board_links_to_the_cases_behind_it(client: TestClient):
    links = [link for link in Page(client.get("/zh/").text).links if link.startswith("/zh/board/cases")]
    assert len(links) > 20
    assert all("as_known_at=55" in link for link in links)


def test_pages_of_a_ledger_lead_forward_and_back(client: TestClient):
    def rows(html: str) -> list[str]:
        return re.findall(r'href="/zh/ledgers/claim/rows/([^"]+)"', html)

    first = client.get("/zh/ledgers/claim?limit=8&order=owing").text
    second = client.get(_rel(first, "next")).text
    third = client.get(_rel(second, "next")).text
    assert len({*rows(first), *rows(second), *rows(third)}) == 20
    assert rows(client.get(_rel(third, "prev")).text) == rows(second)
    assert rows(client.get(_rel(second, "prev")).text) == rows(first)


def _rel(html: str, name: str) -> str:
    return next(str(attributes["href"]) for attributes in Page(html).all("a") if attributes.get("rel") == name)


def test_a_case_is_found_by_the_beginning_of_its_number(client: TestClient):
    assert client.get("/zh/find", params={"number": PAID_CASE}).headers["Location"] == f"/zh/cases/{PAID_ID}"
    several = client.get("/zh/find", params={"number": "平人社监"}).headers["Location"]
    assert several == f"/zh/ledgers/case?prefix={quote('平人社监')}"
    assert client.get("/zh/find?number=").headers["Location"] == "/zh/ledgers/case"


def test_empty_fields_of_a_form_count_as_not_asked(client: TestClient):
    assert client.get("/zh/ledgers/case?prefix=&jurisdiction=&order=&as_known_at=").status_code == 200


def test_a_ledger_is_exported_from_its_page_as_it_is_shown(client: TestClient):
    page = client.get("/zh/ledgers/claim?as_known_at=2019-12-20&jurisdiction=140321").text
    link = next(link for link in Page(page).links if "/export" in link and "format=csv" in link)
    assert "jurisdiction=140321" in link
    response = client.get(link)
    assert response.status_code == 200
    assert "张三" in response.content.decode("utf-8-sig")
    assert response.headers["Qingling-Rows"] == "15"


def test_what_the_source_says_stands_in_a_column_of_its_own(client: TestClient):
    page = client.get(f"/zh/cases/{quote(OWING_CASE)}").text
    assert '<td class="stated">“已办结”' in page
    assert "称已办结仍欠薪" in page


def test_late_entries_are_marked_in_the_timeline(client: TestClient):
    page = client.get(f"/zh/cases/{quote(LATE_CASE)}").text
    assert "迟录 43 天" in page


def test_every_event_of_a_timeline_links_to_what_was_known_after_it(client: TestClient, platform: FakePlatform):
    page = client.get(f"/zh/cases/{PAID_ID}").text
    for item in platform.case(PAID_ID).timeline:
        assert f"/zh/cases/{PAID_ID}?as_known_at={item.position}" in page


def test_money_per_worker_is_drawn_and_said(client: TestClient):
    page = client.get(f"/zh/cases/{quote(OWING_CASE)}").text
    assert 'aria-label="已付 3,000.00，余额 7,000.00"' in page
    assert '<rect class="owing"' in page


def test_pages_are_not_kept_where_names_are_real(client: TestClient, real_client: TestClient):
    from tests.api.fake_platform import TOKEN

    real = real_client.get(f"/zh/cases/{PAID_ID}", headers={"Authorization": f"Bearer {TOKEN}"})
    assert real.headers["Cache-Control"] == "no-store"
    assert "张三" in real.text
    assert client.get("/zh/").headers["Cache-Control"] == "private, no-cache"
