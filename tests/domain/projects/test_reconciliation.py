"""Permits and approvals beside the register: who is missing, on which ground two are called the same, and that order never matters."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.projects.particulars import PartyRole
from domain.projects.permit_list import ListedRow, ListKind
from domain.projects.reconciliation import (
    Ambiguous,
    Listed,
    Match,
    MatchRule,
    Particular,
    Registered,
    listed,
    normal_name,
    normal_number,
    reconcile,
    registered,
)
from tests.domain.projects.material import DAY, WHEN, project


def row(number: str | None, name: str = "冠山安置房", place: str | None = "140321", **more) -> Listed:
    fields: dict[str, Any] = {"list": "permit-list-1", "row": 1, "kind": ListKind.PERMIT, "developer": None} | more
    return Listed(number=number, name=name, place=place, **fields)


def known(project: str, name: str = "冠山安置房", place: str = "140321", **more) -> Registered:
    return Registered(project=project, name=name, place=place, **({"developer": None} | more))


def test_a_row_is_matched_by_its_number_however_the_number_is_written():
    found = reconcile([row("１４０３-01 （a）", name="别的名字", place="140300")], [known("p-1", permits=("140301A",))])
    assert [(match.project, match.rule) for match in found.matched] == [("p-1", MatchRule.NUMBER)]
    assert found.matched[0].conflicts == (Particular.NAME, Particular.PLACE)
    assert found.conflicting == found.matched


def test_a_permit_is_not_matched_by_the_number_of_an_approval():
    found = reconcile([row("7", name="甲")], [known("p-1", name="乙", approvals=("7",))])
    assert [each.row for each in found.unregistered] == [1]
    assert found.unlisted == ("p-1",)


def test_a_row_without_a_number_is_matched_by_name_and_place():
    found = reconcile(
        [row(None, name="冠山 安置房（三期）建设工程")], [known("p-1", name="冠山安置房三期项目", permits=("9",))]
    )
    assert [(match.rule, match.conflicts) for match in found.matched] == [(MatchRule.NAME_AND_PLACE, ())]


def test_a_name_in_another_place_is_another_project():
    found = reconcile([row(None, place="140322"), row(None, place=None, row=2)], [known("p-1")])
    assert len(found.unregistered) == 2
    assert found.unlisted == ("p-1",)


def test_matched_by_name_another_number_and_another_developer_are_conflicts():
    found = reconcile([row("8", developer="城投公司")], [known("p-1", permits=("9",), developer="交投公司")])
    assert found.matched[0].conflicts == (Particular.NUMBER, Particular.DEVELOPER)


def test_what_one_side_leaves_out_is_no_conflict():
    found = reconcile([row("8", place=None)], [known("p-1", developer="交投公司", permits=("8",))])
    assert [match.rule for match in found.matched] == [MatchRule.NUMBER]
    assert found.conflicting == ()


def test_a_number_that_two_projects_bear_is_shown_and_not_chosen_between():
    found = reconcile([row("8")], [known("p-2", permits=("8",)), known("p-1", permits=("8",))])
    assert found.ambiguous == (Ambiguous(row("8"), MatchRule.NUMBER, ("p-1", "p-2")),)
    assert (found.matched, found.unregistered, found.unlisted) == ((), (), ())


def test_a_name_that_two_projects_of_a_place_bear_is_ambiguous():
    found = reconcile([row(None)], [known("p-1"), known("p-2")])
    assert found.ambiguous[0].rule is MatchRule.NAME_AND_PLACE


def test_listed_twice_is_by_number_or_without_one_by_name_and_place_and_within_one_kind():
    rows = [
        row("8", row=1),
        row("８", row=2, name="换了名字"),
        row(None, row=3),
        row(None, row=4, list="permit-list-2"),
        row("8", row=5, kind=ListKind.APPROVAL),
        row("9", row=6),
    ]
    twice = reconcile(rows, []).listed_twice
    assert [[(each.list, each.row) for each in group] for group in twice] == [
        [("permit-list-1", 1), ("permit-list-1", 2)],
        [("permit-list-1", 3), ("permit-list-2", 4)],
    ]


def test_names_without_a_letter_match_nothing():
    found = reconcile([row(None, name="——"), row(None, name="…", row=2)], [known("p-1", name="***")])
    assert len(found.unregistered) == 2
    assert found.listed_twice == ()


def test_a_name_is_compared_without_what_only_says_that_it_is_a_project():
    assert normal_name("阳泉一中 迁建项目建设工程") == normal_name("阳泉一中迁建")
    assert normal_name("工程项目") != ""
    assert normal_number(None) == normal_number(" - ") == ""


def test_rows_of_a_list_without_a_place_are_of_the_lists_own_and_projects_bring_their_developer():
    built = project()
    built.enter_party(PartyRole.DEVELOPER, DAY, WHEN, organisation="城投")
    rows = listed("permit-list-1", ListKind.PERMIT, (ListedRow(name="冠山安置房三期", developer="交投"),), "140321")
    found = reconcile(rows, [registered("p-1", built.standing)])
    assert found.matched == (
        Match(rows[0], "p-1", MatchRule.NAME_AND_PLACE, (Particular.DEVELOPER,)),
    )  # fmt: skip


NAMES = st.sampled_from(("甲", "甲工程", "乙", "乙 项目", "丙", "—"))
NUMBERS = st.sampled_from(("1", "１", "2", "3", "-"))
PLACES = st.sampled_from(("140321", "140322"))
ROWS = st.lists(
    st.builds(
        Listed,
        list=st.sampled_from(("l-1", "l-2")),
        row=st.integers(1, 30),
        kind=st.sampled_from(ListKind),
        number=st.none() | NUMBERS,
        name=NAMES,
        place=st.none() | PLACES,
        developer=st.none() | NAMES,
    ),
    max_size=12,
    unique_by=lambda each: (each.list, each.row),
)
PROJECTS = st.lists(
    st.builds(
        Registered,
        project=st.integers(1, 30).map(lambda i: f"p-{i}"),
        name=NAMES,
        place=PLACES,
        developer=st.none() | NAMES,
        permits=st.lists(NUMBERS, max_size=2).map(tuple),
        approvals=st.lists(NUMBERS, max_size=2).map(tuple),
    ),
    max_size=8,
    unique_by=lambda each: each.project,
)


@given(ROWS, PROJECTS)
def test_every_row_and_every_project_is_accounted_for_exactly_once(rows, projects):
    found = reconcile(rows, projects)
    placed = [*(m.row for m in found.matched), *found.unregistered, *(a.row for a in found.ambiguous)]
    assert Counter(placed) == Counter(rows)
    touched = {m.project for m in found.matched} | {p for a in found.ambiguous for p in a.projects}
    assert touched | set(found.unlisted) == {p.project for p in projects}
    assert not touched & set(found.unlisted)


@given(ROWS, PROJECTS, st.randoms(use_true_random=False))
def test_the_order_in_which_anything_is_handed_in_changes_nothing(rows, projects, chance):
    expected = reconcile(rows, projects)
    chance.shuffle(rows)
    chance.shuffle(projects)
    assert reconcile(rows, projects) == expected


@given(ROWS, PROJECTS)
def test_a_match_is_what_looking_at_every_pair_finds(rows, projects):
    found = reconcile(rows, projects)
    matches = {(m.row.list, m.row.row): (m.project, m.rule) for m in found.matched}
    for each in rows:
        number, name = normal_number(each.number), normal_name(each.name)
        by_number = [
            p.project for p in projects if number and number in {normal_number(n) for n in p.numbers(each.kind)}
        ]
        by_name = [p.project for p in projects if name and name == normal_name(p.name) and p.place == each.place]
        rule, fits = (MatchRule.NUMBER, by_number) if by_number else (MatchRule.NAME_AND_PLACE, by_name)
        assert matches.get((each.list, each.row)) == ((fits[0], rule) if len(fits) == 1 else None)
        assert (each in found.unregistered) == (not fits)
