"""`/v1/clearance`: the words of the board, and the cases behind each figure."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.api.fake_platform import LATE_CASE, FakePlatform


def cell(board: dict, jurisdiction: str, case_class: str, checkpoint: str, part: str = "cells") -> dict:
    return next(
        c
        for c in board[part]
        if (c["jurisdiction"], c["case_class"], c["checkpoint"]) == (jurisdiction, case_class, checkpoint)
    )


def test_a_case_entered_only_in_january_makes_the_year_end_look_different_now_than_then(client: TestClient):
    found = cell(client.get("/v1/clearance").json(), "140322", "in-year", "year-end")
    assert (found["state"], found["state_then"]) == ("open", "none-recorded")
    assert (found["now"]["members"], found["then"]["members"]) == (1, 0)


def test_a_cell_whose_cases_were_all_written_off_in_time_is_cleared(client: TestClient):
    board = client.get("/v1/clearance?funding=private&jurisdiction=140321").json()
    found = cell(board, "140321", "in-year", "year-end")
    assert found["state"] == "cleared-in-hand"
    assert found["now"]["open"] == 0


def test_a_jurisdiction_without_any_case_stands_on_the_board_and_is_never_cleared(client: TestClient):
    board = client.get("/v1/clearance").json()
    assert {place["code"] for place in board["places"]} == {"140311", "140321", "140322"}
    assert cell(board, "140322", "historical", "year-end")["state"] == "none-recorded"


def test_a_checkpoint_that_is_not_over_has_no_then(client: TestClient):
    found = cell(client.get("/v1/clearance").json(), "140321", "in-year", "spring-festival")
    assert (found["then"], found["state_then"]) == (None, None)


def test_a_board_behind_its_log_says_incomplete_everywhere_and_why(client: TestClient, platform: FakePlatform):
    platform.behind["clearance"] = 2
    board = client.get("/v1/clearance").json()
    assert board["complete"] is False
    assert "position 53 of 55" in board["reason"]
    assert {c["state"] for part in ("cells", "totals", "by_funding") for c in board[part]} == {"incomplete"}


def test_the_board_is_known_at_any_day(client: TestClient):
    board = client.get("/v1/clearance?as_known_at=2019-12-05").json()
    assert cell(board, "140321", "in-year", "year-end")["now"]["owing"] == 2_950_050
    assert board["as_known_at"]["asked"] == "2019-12-05"


def test_a_jurisdiction_may_be_asked_by_name_and_counts_what_lies_below_it(client: TestClient):
    whole = client.get("/v1/clearance", params={"jurisdiction": "阳泉市"}).json()
    county = client.get("/v1/clearance", params={"jurisdiction": "平定县"}).json()
    assert whole["totals"] == client.get("/v1/clearance").json()["totals"]
    assert [place["code"] for place in county["places"]] == ["140321"]
    assert cell(county, "*", "in-year", "year-end", "totals")["now"]["members"] == 2


def test_kinds_of_project_add_up_to_the_total(client: TestClient):
    board = client.get("/v1/clearance").json()
    for total in board["totals"]:
        parts = [
            c
            for c in board["by_funding"]
            if (c["case_class"], c["checkpoint"]) == (total["case_class"], total["checkpoint"])
        ]
        assert len(parts) == 4
        for measure, figure in total["now"].items():
            assert sum(part["now"][measure] for part in parts) == figure


@pytest.mark.parametrize("measure", ["members", "open", "owing", "paid", "verified", "written_off_in_time", "workers"])
@pytest.mark.parametrize("where", [{}, {"jurisdiction": "140321"}, {"funding": "private"}, {"jurisdiction": "140300"}])
def test_every_figure_opens_to_cases_that_add_up_to_it(client: TestClient, measure, where):
    board = client.get("/v1/clearance", params=where).json()
    for total in board["totals"]:
        answer = client.get(
            "/v1/clearance/cases",
            params={**where, "case_class": total["case_class"], "checkpoint": total["checkpoint"], "measure": measure},
        ).json()
        assert answer["figure"] == total["now"][measure]
        assert sum(row["adds"] for row in answer["rows"]) == answer["figure"]
        assert answer["next"] is None


def test_the_stretches_behind_a_figure_add_up_to_it_too(client: TestClient, platform: FakePlatform, monkeypatch):
    monkeypatch.setattr("api.views.board.ENOUGH", 1)
    platform.settings.page_limit = 1
    address, adds = "/v1/clearance/cases?case_class=in-year&checkpoint=year-end", []
    while address:
        answer = client.get(address).json()
        adds += [row["adds"] for row in answer["rows"]]
        assert answer["figure"] == 3
        address = answer["next"]
    assert adds == [1, 1, 1]


def test_a_figure_that_the_board_does_not_have_is_refused_with_the_nearest(client: TestClient):
    asked = {"case_class": "in-year", "checkpoint": "year-end"}
    for field, value, hint in (
        ("measure", "oweing", "owing"),
        ("checkpoint", "yearend", "year-end"),
        ("case_class", "in-years", "in-year"),
        ("funding", "goverment", "government"),
        ("jurisdiction", "平顶县", "平定县"),
    ):
        response = client.get("/v1/clearance/cases", params={**asked, field: value})
        assert response.status_code == 400
        assert response.json()["field"] == field
        assert hint in response.json()["detail"]


def test_the_late_case_is_behind_the_figure_that_was_concealed(client: TestClient):
    answer = client.get(
        "/v1/clearance/cases?case_class=in-year&checkpoint=year-end&jurisdiction=140322&measure=owing"
    ).json()
    assert [row["values"]["number"] for row in answer["rows"]] == [LATE_CASE]
