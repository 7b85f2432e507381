"""Text books: the encoding is proved on the whole file, the delimiter found, and rows come one at a time."""

from __future__ import annotations

import tracemalloc

import pytest

from domain.books.mapping import SheetRule
from domain.errors import UnreadableBookError
from infra.books.opening import open_book

TEXT = '编号,单位,金额\r\nA1,"甲，\n乙",1.5\r\nA2,丙,2\r\n'
ROWS = [(1, ["编号", "单位", "金额"]), (2, ["A1", "甲，\n乙", "1.5"]), (3, ["A2", "丙", "2"])]


def opened(path, content: bytes):
    path.write_bytes(content)
    return open_book(path, SheetRule())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encodings_of_the_field_are_told_apart(tmp_path, encoding):
    assert list(opened(tmp_path / "book.csv", TEXT.encode(encoding)).rows()) == ROWS


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    lines = "标题：2019年，台账\n" + "\n".join(
        delimiter.join((f"A{n}", "甲,乙" if delimiter != "," else "甲", "1")) for n in range(5)
    )
    rows = list(opened(tmp_path / "book.tsv", lines.encode()).rows())
    assert [len(cells) for _, cells in rows[1:]] == [3] * 5


def test_rows_can_be_gone_through_again_unless_the_file_was_changed(tmp_path):
    path = tmp_path / "book.csv"
    book = opened(path, TEXT.encode())
    assert list(book.rows()) == list(book.rows())
    path.write_bytes(TEXT.encode() + b"A3,x,1\r\n")
    with pytest.raises(UnreadableBookError, match="was changed") as refused:
        list(book.rows())
    assert refused.value.rule == "stable"


def test_what_is_in_no_known_encoding_is_refused(tmp_path):
    with pytest.raises(UnreadableBookError, match="neither UTF-8 nor GB18030") as refused:
        opened(tmp_path / "book.csv", b"a,b\n\xff\xff\x00,1\n")
    assert refused.value.rule == "encoding"


def test_a_quotation_mark_without_its_other_half_is_refused_with_its_row(tmp_path):
    book = opened(tmp_path / "book.csv", b'a,b\n1,2\n"3,4\n')
    with pytest.raises(UnreadableBookError, match="row 3") as refused:
        list(book.rows())
    assert (refused.value.row, refused.value.rule) == (3, "quotes")


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(lines: int) -> int:
        path = tmp_path / f"{lines}.csv"
        path.write_text("编号,单位\n" + "".join(f"A{n},甲公司\n" for n in range(lines)), "utf-8")
        tracemalloc.start()
        assert sum(1 for _ in open_book(path, SheetRule()).rows()) == lines + 1
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(100_000) < 2 * peak(5_000) + 4_000_000
