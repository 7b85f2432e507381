"""Mapping files: the shipped ones are sound, an office's own may build on them, and mistakes name the file."""

from __future__ import annotations

import pytest

from domain.errors import InputError
from infra.books.mapping_files import load_mapping, shipped_mappings
from infra.jurisdictions import load_tree


def test_the_shipped_mappings_are_sound():
    assert shipped_mappings() == ("new-jersey", "standard", "standard-roster", "washington")
    for name in shipped_mappings():
        mapping = load_mapping(name)
        assert mapping.name == name
        assert mapping.title


def test_a_file_builds_on_another_and_takes_keys_away(tmp_path):
    (tmp_path / "ours.toml").write_text(
        'extends = "standard"\ntitle = "本县"\n[fields]\nrejected = false\n[fields.claimed]\ncolumn = "金额"\nunit = "万元"\n',
        "utf-8",
    )
    (tmp_path / "more.toml").write_text('extends = "ours.toml"\n[sheet]\nname = "一月"\n', "utf-8")
    ours, more = load_mapping(tmp_path / "ours.toml"), load_mapping(tmp_path / "more.toml")
    assert (ours.name, ours.title, ours.fields["claimed"].column) == ("ours", "本县", ("金额",))
    assert "rejected" not in ours.fields
    assert ours.fields["verified"] == load_mapping("standard").fields["verified"]
    assert (more.name, more.sheet.name, more.fields["claimed"].unit) == ("more", "一月", "万元")


@pytest.mark.parametrize(
    ("content", "field", "rule", "says"),
    [
        ("name = ", "path", "is-toml", "is not TOML"),
        ('extends = "standart"', "mapping", "known-mapping", "nearest is 'standard'"),
        ("extends = 1", "extends", "type", "name of a mapping"),
        ('extends = "own.toml"', "extends", "no-circle", "extends itself"),
        ('extends = "gone.toml"', "path", "readable", "gone.toml"),
        ('extends = "standard"\n[fields.debtor]\ncolum = "x"', "fields.debtor.colum", "known-key", "'column'"),
    ],
)
def test_a_mistake_in_a_file_is_refused(tmp_path, content, field, rule, says):
    (tmp_path / "own.toml").write_text(content, "utf-8")
    with pytest.raises(InputError, match=says) as refused:
        load_mapping(tmp_path / "own.toml")
    assert (refused.value.field, refused.value.rule) == (field, rule)


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="nearest is 'washington'"):
        load_mapping("washingtom")


def test_the_shipped_tree_is_yangquan_in_2019():
    tree = load_tree()
    assert [node.code for node in tree.descendants("140300")] == ["140302", "140303", "140311", "140321", "140322"]
    assert tree.find("阳泉市郊区").code == tree.find("Jiaoqu").code == "140311"
    assert tree.path("140322")[0].name_zh == "山西省"


@pytest.mark.parametrize(("content", "rule"), [("[", "is-toml"), ('[1]\nname_zh = "甲"', "shape"), (None, "readable")])
def test_a_tree_that_cannot_be_read_is_refused(tmp_path, content, rule):
    path = tmp_path / "tree.toml"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(InputError) as refused:
        load_tree(path)
    assert refused.value.rule == rule
