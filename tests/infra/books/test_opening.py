"""A file is looked at before it is trusted: what is no workbook, too large or damaged is refused with its reason."""

from __future__ import annotations

import contextlib
import hashlib
import struct
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.books.mapping import SheetRule
from domain.books.rules import Fault
from domain.errors import UnreadableBookError
from infra.books.opening import Limits, open_book
from tests.infra.books.conftest import HEAD

FIRST = SheetRule()
ROW = ["A1", "盂县", "2019.11.25", "甲", 100.5]


def refused(path, rule: SheetRule = FIRST, **limits) -> UnreadableBookError:
    with pytest.raises(UnreadableBookError) as caught:
        open_book(path, rule, Limits(**limits))
    assert caught.value.field == "path"
    assert path.name in str(caught.value)
    return caught.value


def declaring(path, size: int):
    """The zip at `path`, its directory changed so that every part of a sheet declares `size` bytes."""
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        name_length = struct.unpack_from("<H", content, at + 28)[0]
        if b"worksheets/" in content[at + 46 : at + 46 + name_length]:
            struct.pack_into("<I", content, at + 24, size)
        at = content.find(b"PK\x01\x02", at + 4)
    path.write_bytes(content)
    return path


def zipped(path, parts: dict[str, bytes]):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


def parts_of(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_a_workbook_gives_its_rows_as_often_as_asked_and_its_digest(make_book):
    path = make_book([HEAD, ROW])
    book = open_book(path, FIRST)
    assert book.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert book.sheet == "台账"
    assert list(book.rows()) == list(book.rows()) == [(1, HEAD), (2, ROW)]


def test_what_is_no_workbook_is_refused(tmp_path):
    (tmp_path / "missing.xlsx").unlink(missing_ok=True)
    assert refused(tmp_path / "missing.xlsx").rule == "exists"
    assert refused(tmp_path).rule == "exists"
    for name, content in (("text.xlsx", b"hello"), ("empty.xlsx", b""), ("empty.csv", b""), ("page.xls", b"<html>")):
        path = tmp_path / name
        path.write_bytes(content)
        error = refused(path)
        assert error.rule == "is-a-workbook"
        assert "not a workbook" in str(error)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"readme.txt": b"hello"}, "no workbook in it"),
        ({"content.xml": b"<a/>", "mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, "OpenDocument"),
        (
            {
                "_rels/.rels": b'<R><r Id="1" Type="x/officeDocument" Target="xl/workbook.bin"/></R>',
                "xl/workbook.bin": b"",
            },
            "xlsb",
        ),
        (
            {
                "_rels/.rels": b'<R><r Id="1" Type="x/officeDocument" Target="word/document.xml"/></R>',
                "word/document.xml": b"<document/>",
            },
            "no workbook in it",
        ),
    ],
)
def test_a_zip_without_a_workbook_is_refused(tmp_path, parts, says):
    error = refused(zipped(tmp_path / "archive.xlsx", parts))
    assert error.rule == "is-a-workbook"
    assert says in str(error)


def test_a_sheet_that_declares_two_gigabytes_is_refused_before_it_is_unpacked(make_book):
    error = refused(declaring(make_book([HEAD, ROW]), 2 * 1024**3))
    assert error.rule == "too-large"
    assert "2.0 GiB" in str(error)


def test_a_sheet_that_holds_more_than_it_declares_is_refused(make_book):
    path = make_book([HEAD, *[ROW] * 50])
    assert refused(declaring(path, 300)).rule == "is-a-workbook"


def test_a_file_beyond_the_limit_is_refused(make_book):
    assert refused(make_book([HEAD, ROW]), file_bytes=100).rule == "too-large"


def test_a_bomb_is_refused(make_book, tmp_path):
    parts = parts_of(make_book([HEAD, ROW]))
    parts["xl/theme/theme1.xml"] = bytes(80 * 1024 * 1024)
    assert refused(zipped(tmp_path / "bomb.xlsx", parts)).rule == "bomb"


def test_cells_too_far_apart_to_fit_into_memory_are_refused(make_book):
    far = make_book([HEAD, ROW])
    with xlsxwriter.Workbook(far) as workbook:
        sheet = workbook.add_worksheet("台账")
        sheet.write_string(0, 0, "编号")
        sheet.write_string(1_048_575, 16_383, "x")
    error = refused(far)
    assert error.rule == "too-large"
    assert "17,179,869,184 cells" in str(error)


def test_a_locked_workbook_is_refused(tmp_path, make_book):
    locked = tmp_path / "locked.xlsx"
    locked.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le"))
    assert refused(locked).rule == "locked"
    path = make_book([HEAD, ROW])
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert refused(path).rule == "locked"


def test_the_sheet_is_chosen_by_name_by_number_or_the_first_that_is_not_hidden(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        workbook.add_worksheet("选项").hide()
        workbook.add_worksheet("台账").activate()
        workbook.add_worksheet("其他")
    assert open_book(path, SheetRule()).sheet == "台账"
    assert open_book(path, SheetRule(index=3)).sheet == "其他"
    assert open_book(path, SheetRule(name="选项")).sheet == "选项"
    error = refused(path, SheetRule(name="台帐"))
    assert error.rule == "sheet"
    assert "nearest is '台账'" in str(error)
    assert refused(path, SheetRule(index=4)).rule == "sheet"
    with xlsxwriter.Workbook(path) as workbook:
        workbook.add_chartsheet("图")
    assert refused(path).rule == "sheet"


def test_errors_and_formulas_without_a_result_are_seen_and_blank_results_are_blank(tmp_path):
    path = tmp_path / "formulas.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_formula("C2", "=1/0", None, "#DIV/0!")
        sheet.write_formula("D2", "=1+1", None, 2)
        sheet.write_formula("E3", "=1+1", None, "")
    parts = parts_of(path)
    part = "xl/worksheets/sheet1.xml"
    assert b"<v></v>" in parts[part]
    rows = dict(open_book(path, FIRST).rows())
    assert rows[2] == [None, None, Fault("cell-error", "#DIV/0!"), 2.0]
    assert rows[3][4] == Fault("cell-formula")
    parts[part] = parts[part].replace(b'<c r="E3">', b'<c r="E3" t="str">')
    again = dict(open_book(zipped(path, parts), FIRST).rows())
    assert not any(again.get(3, ()))


def test_a_sheet_whose_elements_bear_a_prefix_is_looked_through_as_well(make_book, tmp_path):
    path = tmp_path / "prefixed.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        workbook.add_worksheet().write_formula("B2", "=1/0", None, "#DIV/0!")
    parts = parts_of(path)
    xml = parts["xl/worksheets/sheet1.xml"].decode()
    for tag in ("worksheet", "sheetData", "row", "c", "v", "f", "dimension", "sheetViews", "sheetView", "pageMargins"):
        xml = (
            xml.replace(f"<{tag} ", f"<x:{tag} ").replace(f"<{tag}>", f"<x:{tag}>").replace(f"</{tag}>", f"</x:{tag}>")
        )
    xml = xml.replace("<x:worksheet xmlns=", "<x:worksheet xmlns:x=").replace("sheetFormatPr", "x:sheetFormatPr")
    parts["xl/worksheets/sheet1.xml"] = xml.encode()
    assert dict(open_book(zipped(path, parts), FIRST).rows())[2] == [None, Fault("cell-error", "#DIV/0!")]


# An xls cannot be written with what is kept up today. This one holds HEAD in row 2 and ROW in row 3, from column B on.
XLS = Path(__file__).with_name("book.xls").read_bytes()


def test_an_xls_is_read_with_the_rows_that_a_person_counts(tmp_path):
    path = tmp_path / "book.xls"
    path.write_bytes(XLS)
    book = open_book(path, FIRST)
    assert [(at, cells) for at, cells in book.rows() if any(cells)] == [(2, HEAD), (3, ROW)]
    assert book.sheet == "台账"


def test_a_damaged_xls_is_refused_and_ends_nobody_else(tmp_path):
    path = tmp_path / "book.xls"
    said = set()
    for kept in range(924, len(XLS), 512):
        path.write_bytes(XLS[:kept])
        error = refused(path)
        assert error.rule == "is-a-workbook"
        said.add(str(error).split("; ")[0])
    assert "book.xls is damaged" in said


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(1, 255)), min_size=1, max_size=20),
    st.floats(0.1, 1),
)
def test_a_damaged_xlsx_is_read_or_refused_and_nothing_else(make_book, damage, kept):
    path = make_book([HEAD, ROW])
    content = bytearray(path.read_bytes())
    for where, bits in damage:
        content[8 + int(where * (len(content) - 8))] ^= bits
    path.write_bytes(content[: 8 + int(kept * len(content))])
    with contextlib.suppress(UnreadableBookError):
        assert all(at > 0 for at, _ in open_book(path, FIRST).rows())


def test_only_the_bytes_that_were_digested_are_read(make_book):
    path = make_book([HEAD, ROW])
    book = open_book(path, FIRST)
    path.write_bytes(b"something else")
    assert list(book.rows()) == [(1, HEAD), (2, ROW)]
