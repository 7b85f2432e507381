"""`/v1/cases`: a case on either axis, its history, and what was concealed or late."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from tests.api.fake_platform import LATE_CASE, OWING_CASE, PAID_CASE, TOKEN, FakePlatform

PAID, LATE, OWING = (f"/v1/cases/{quote(number)}" for number in (PAID_CASE, LATE_CASE, OWING_CASE))
PAID_ID = "case-8048ba1b8c7e0dee"


def words_of(case: dict) -> dict[str, bool]:
    return {word["name"]: word["holds"] for word in case["computed"]}


def test_a_case_is_found_by_its_number_and_by_its_id(client: TestClient):
    by_number, by_id = client.get(PAID).json(), client.get(f"/v1/cases/{PAID_ID}").json()
    assert by_number == by_id
    assert by_number["number"] == PAID_CASE


def test_before_its_payment_a_case_is_known_as_unpaid_and_now_as_written_off(client: TestClient):
    before, now = client.get(f"{PAID}?as_known_at=2019-12-20").json(), client.get(PAID).json()
    assert (before["values"]["paid"], before["values"]["owing"]) == (0, 2_950_050)
    assert not any(words_of(before).values())
    assert before["payments"] == []
    assert (now["values"]["paid"], now["values"]["owing"]) == (2_950_050, 0)
    assert all(words_of(now).values())


def test_as_it_was_by_a_day_counts_what_was_recorded_only_later(client: TestClient):
    """Paid on the 20th, recorded on the 21st: not known on the 20th, and yet so."""
    known = client.get(f"{PAID}?as_known_at=2019-12-20").json()
    was = client.get(f"{PAID}?as_it_was_by=2019-12-20").json()
    assert (known["values"]["paid"], was["values"]["paid"]) == (0, 2_950_050)
    assert was["axis"] == {"as_known_at": None, "as_it_was_by": "2019-12-20"}


def test_both_axes_at_once_are_refused_with_the_reason(client: TestClient):
    response = client.get(f"{PAID}?as_known_at=2019-12-20&as_it_was_by=2019-12-20")
    assert response.status_code == 400
    assert response.json()["rule"] == "one-axis"
    assert "ask for one of them" in response.json()["detail"]


def test_a_case_that_was_not_known_then_says_so_and_shows_nothing(client: TestClient):
    answer = client.get(f"{LATE}?as_known_at=2019-12-31").json()
    assert answer["known"] is False
    assert (answer["values"], answer["claims"], answer["timeline"]) == ({}, [], [])


def test_the_comparison_lists_what_had_occurred_and_was_recorded_later(client: TestClient):
    answer = client.get(f"{LATE}/comparison?day=2019-12-31").json()
    owing = next(figure for figure in answer["figures"] if figure["name"] == "owing")
    assert (owing["known_then"], owing["was_so"]) == (None, 1_350_000)
    assert [item["type"] for item in answer["later"]].count("claim.stated.v1") == 2
    assert all(item["position"] > answer["position"] for item in answer["later"])


def test_the_timeline_says_who_when_and_what_changed(client: TestClient):
    items = client.get(f"{PAID}/timeline").json()["timeline"]
    positions = [item["position"] for item in items]
    assert positions == sorted(positions)
    credited = next(item for item in items if item["type"] == "payment.line-credited.v2")
    assert credited["actor_handle"] == "li-jing"
    assert credited["basis"] == "documented"
    assert credited["occurred"] == "2019-12-20T10:00:00+08:00"
    assert credited["received"].startswith("2019-12-21T10:00")
    changed = {
        (change["ledger"], change["column"]): (change["before"], change["after"]) for change in credited["changes"]
    }
    assert changed["case", "owing"] == (2_950_050, 1_750_050)


def test_a_late_entry_is_marked_with_its_days(client: TestClient):
    registered = client.get(f"{LATE}/timeline").json()["timeline"][0]
    assert registered["late_entry"] is True
    assert registered["late_by_days"] == 43


def test_following_a_timeline_by_position_shows_the_case_after_each_event(client: TestClient):
    for item in client.get(f"{PAID}/timeline").json()["timeline"]:
        then = client.get(f"{PAID}?as_known_at={item['position']}").json()
        assert then["timeline"][-1]["position"] == item["position"]


def test_why_a_case_is_not_solved_is_said_in_both_languages(client: TestClient):
    solved = next(word for word in client.get(OWING).json()["computed"] if word["name"] == "solved")
    assert {"zh": "1 条明细尚欠 7,000.00 元", "en": "1 lines are owed 7,000.00 yuan"} in solved["why_not"]


def test_what_the_source_says_stays_apart_from_what_is_computed(client: TestClient):
    case = client.get(OWING).json()
    assert case["source"]["state"] == "已办结"
    assert case["source"]["means"] == "closed"
    assert words_of(case)["closed"] is False
    assert case["unallocated"] == 50_000


@pytest.mark.parametrize("case", ["case-0", "没有这个号", "log"])
def test_a_case_that_does_not_exist_is_not_found(client: TestClient, case):
    response = client.get(f"/v1/cases/{quote(case)}")
    assert response.status_code == 404
    assert response.json()["type"] == "urn:qingling:problem:not-found"


def test_a_case_at_a_fixed_position_has_one_entity_tag(client: TestClient, platform: FakePlatform):
    address = f"{PAID}?as_known_at=20"
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_a_part_of_a_case_is_told_as_such(client: TestClient):
    whole = client.get(OWING).json()
    assert len(whole["claims"]) == whole["lines"] == 2
    assert len(whole["timeline"]) == whole["events"] > 4
    part = client.get(f"{OWING}?lines=1&lines_from=2&events=2").json()
    assert part["claims"] == whole["claims"][1:2]
    assert part["timeline"] == whole["timeline"][-2:]
    assert (part["lines"], part["events"]) == (whole["lines"], whole["events"])
    assert part["sealing"] == whole["sealing"]
    before = client.get(f"{OWING}?events=2&events_before={part['timeline'][0]['position']}").json()
    assert before["timeline"] == whole["timeline"][-4:-2]
    assert client.get(f"{OWING}?lines=0&events=0").json()["claims"] == []
    assert client.get(f"{OWING}?lines_from=1000").json()["claims"] == []
    assert client.get(f"{OWING}?events_before=1").json()["timeline"] == []


def test_the_parts_of_a_case_make_the_whole(client: TestClient):
    whole = client.get(OWING).json()
    lines = [client.get(f"{OWING}?lines=1&lines_from={n}").json()["claims"][0] for n in range(1, whole["lines"] + 1)]
    assert lines == whole["claims"]
    events: list[object] = []
    before = 10**9
    while part := client.get(f"{OWING}?events=3&events_before={before}").json()["timeline"]:
        events, before = [*part, *events], part[0]["position"]
    assert events == whole["timeline"]


def test_labels_say_which_lines_the_shown_events_are_about(client: TestClient):
    whole = client.get(f"{OWING}?lines=0").json()
    claims = {item["stream"] for item in whole["timeline"] if item["stream"].startswith("claim-")}
    assert claims <= set(whole["labels"])
    assert client.get(f"{OWING}?events=0").json()["labels"] == {}


def test_parts_of_a_case_have_tags_of_their_own(client: TestClient):
    tags = {client.get(f"{PAID}?as_known_at=20&events={n}").headers["ETag"] for n in (1, 2, 3)}
    assert len(tags) == 3


# Why


@pytest.mark.parametrize("address", [PAID, OWING])
def test_a_word_holds_when_all_of_its_conditions_do_and_as_the_case_says(client: TestClient, address: str):
    why = client.get(f"{address}/why").json()
    assert {word["name"]: word["holds"] for word in why["words"]} == words_of(client.get(address).json())
    for word in why["words"]:
        assert word["holds"] == all(condition["holds"] for condition in word["conditions"])
        assert word["turns"][-1]["holds"] == word["holds"]


def test_what_is_owing_is_told_line_by_line_with_the_event_that_made_it_so(client: TestClient):
    [word] = client.get(f"{OWING}/why?word=solved").json()["words"]
    owing = next(each for each in word["conditions"] if each["name"] == "nothing-owing")
    case = client.get(OWING).json()
    assert owing["against"] == case["values"]["owing"] > 0
    assert owing["money"] is True
    assert {line["claim"]: line["against"] for line in owing["lines"]} == {
        claim["key"]: claim["values"]["owing"] for claim in case["claims"] if claim["values"]["owing"]
    }
    events = {item["position"]: item for item in case["timeline"]}
    for line in owing["lines"]:
        event = events[line["position"]]
        assert line["event"]["type"] == event["type"]
        assert any(
            change["column"] == "owing" and change["key"] == line["claim"] and change["after"] == line["against"]
            for change in event["changes"]
        )


def test_before_its_payment_a_case_was_not_solved_and_the_payment_is_what_turned_it(client: TestClient):
    [word] = client.get(f"{PAID}/why?word=solved").json()["words"]
    turn = word["turns"][-1]
    assert turn["holds"] is True
    [before] = client.get(f"{PAID}/why?word=solved&as_known_at={turn['position'] - 1}").json()["words"]
    assert before["holds"] is False


def test_the_cells_that_a_case_counts_in_are_those_of_the_board(client: TestClient):
    why = client.get(f"{PAID}/why").json()
    assert why["membership"]
    for cell in why["membership"]:
        asked = f"case_class={cell['case_class']}&checkpoint={cell['checkpoint']}&measure=members"
        behind = client.get(f"/v1/clearance/cases?{asked}").json()
        assert (why["case"] in str(behind)) is cell["member"]


def test_why_names_nobody_unless_the_reader_may_and_asks(client: TestClient, platform: FakePlatform):
    closed = client.get(f"{OWING}/why").text
    opened = client.get(f"{OWING}/why?names=true", headers={"Authorization": f"Bearer {TOKEN}"}).text
    assert '"text"' not in closed
    assert '"text"' in opened


@pytest.mark.parametrize("case", ["case-0", "没有这个号"])
def test_of_a_case_that_does_not_exist_nothing_is_explained(client: TestClient, case):
    assert client.get(f"/v1/cases/{quote(case)}/why").status_code == 404


def test_a_word_that_is_none_is_refused(client: TestClient):
    assert client.get(f"{PAID}/why?word=cleared").status_code == 400
