"""The tree of jurisdictions: names lead to codes, and nothing is guessed."""

from __future__ import annotations

import pytest

from domain.errors import InputError
from domain.jurisdictions import Jurisdiction, JurisdictionTree

TREE = JurisdictionTree.load(
    {
        "140000": {"name_zh": "山西省", "name_en": "Shanxi Province"},
        "140300": {"name_zh": "阳泉市", "name_en": "Yangquan City", "parent": "140000"},
        "140302": {"name_zh": "城区", "name_en": "Chengqu District", "parent": "140300"},
        "140321": {"name_zh": "平定县", "name_en": "Pingding County", "parent": "140300", "aliases": ["平定地区"]},
        "140200": {"name_zh": "大同市", "name_en": "Datong City", "parent": "140000"},
        "140202": {"name_zh": "城区", "name_en": "Chengqu of Datong", "parent": "140200"},
    }
)


@pytest.mark.parametrize(
    "said",
    [
        "140321",
        "平定县",
        "平定",
        " 平 定 县 ",
        "平定地区",
        "Pingding County",
        "pingding",
        "１４０３２１",
        "阳泉市平定县",
        "阳泉平定县",
        "山西省阳泉市平定县",
    ],
)
def test_a_county_is_found_by_code_name_alias_or_path(said):
    assert TREE.find(said).code == "140321"


def test_a_name_that_several_share_is_refused_with_all_it_could_mean_but_found_by_its_path():
    with pytest.raises(InputError, match="140202 城区, 140302 城区") as refused:
        TREE.find("城区")
    assert refused.value.rule == "one-jurisdiction"
    assert TREE.find("阳泉市城区").code == "140302"


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"no jurisdiction '平顶县'.*nearest is 140321 平定县") as refused:
        TREE.find("平顶县")
    assert refused.value.rule == "known-jurisdiction"


def test_a_name_is_not_shortened_to_one_character():
    with pytest.raises(InputError):
        TREE.find("城")


def test_below_and_within_and_the_way_from_the_root():
    assert [node.code for node in TREE.descendants("140300")] == ["140302", "140321"]
    assert TREE.within("140300") == {"140300", "140302", "140321"}
    assert [node.code for node in TREE.children("140000")] == ["140300", "140200"]
    assert [node.name_zh for node in TREE.path("140321")] == ["山西省", "阳泉市", "平定县"]
    with pytest.raises(InputError):
        TREE.descendants("999999")


def test_a_tree_survives_being_dumped_and_loaded():
    assert JurisdictionTree.load(TREE.dump()) == TREE
    assert repr(JurisdictionTree.load(TREE.dump())) == repr(TREE)
    assert [node.code for node in TREE][:2] == ["140000", "140300"]


@pytest.mark.parametrize(
    ("table", "rule", "says"),
    [
        ({}, "not-empty", "no node"),
        ({"1": {"name_zh": "甲", "name_en": "A", "parent": "9"}}, "known-parent", "1 lies below 9"),
        (
            {
                "1": {"name_zh": "甲", "name_en": "A", "parent": "2"},
                "2": {"name_zh": "乙", "name_en": "B", "parent": "1"},
            },
            "no-circle",
            "1, 2",
        ),
        ({"1": {"name_zh": "甲", "nam_en": "A"}}, "known-key", "nearest is 'name_en'"),
        ({"1": {"name_zh": "甲"}}, "shape", "name_en"),
        ({"1": "甲"}, "shape", "not a table"),
    ],
)
def test_a_table_that_makes_no_tree_is_refused(table, rule, says):
    with pytest.raises(InputError, match=says) as refused:
        JurisdictionTree.load(table)
    assert refused.value.rule == rule


def test_a_node_says_no_more_than_it_was_given():
    assert TREE["140000"] == Jurisdiction(code="140000", name_zh="山西省", name_en="Shanxi Province")
