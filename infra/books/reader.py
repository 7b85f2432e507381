"""Reading a ledger book: the one way in, from a file to source cases."""

from __future__ import annotations

from datetime import date, tzinfo
from pathlib import Path

from domain.books.mapping import Mapping
from domain.books.reading import read_rows
from domain.books.source import Reading
from domain.jurisdictions import JurisdictionTree
from infra.books.opening import Limits, open_book


def read_book(
    path: Path,
    mapping: Mapping,
    tree: JurisdictionTree,
    *,
    today: date,
    zone: tzinfo,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
) -> Reading:
    """Read a book. Its rows are read while `cases` of the result is consumed.

    `today` is the day of the import, from which dates may lie ahead as far as the mapping allows; `zone` is the
    deployment's; `tree` names jurisdictions unless the mapping brings its own.

    Raises:
        UnreadableBookError: the file as a whole cannot be used, or its header is not there.
        InputError: the mapping does not fit the tree or the sheet.
    """
    book = open_book(path, mapping.sheet, limits)
    return read_rows(book.rows, mapping, tree, today=today, zone=zone, digest=book.digest, sheet=book.sheet)
