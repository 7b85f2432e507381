"""The zip package of an xlsx workbook, looked at before a workbook reader opens it.

What a package declares about the size of its parts is checked against limits without unpacking anything. Then every
part that will be used is unpacked once, in chunks, which shows a part that holds more or other than it declares. The
chosen sheet is looked through on the way for what the workbook reader would pass over in silence: errors, formulas
without a stored result, and cells so far apart that the sheet between them would not fit into memory.

Source: ECMA-376 part 1, 12.3 (parts), 18.3.1.4 (cells), 18.18.11 (cell types).
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.etree import ElementTree

from domain.books.rules import Fault
from domain.errors import UnreadableBookError

_CHUNK = 1024 * 1024
_LARGEST_INDEX = 16 * 1024 * 1024  # bytes; the list of sheets of a real workbook takes a few kilobytes
_LARGEST_ROW = 64 * 1024 * 1024  # bytes of XML
_BOMB_SIZE, _BOMB_RATIO = 64 * 1024 * 1024, 400  # real sheets pack 5 to 40 to one

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError),
    *(ElementTree.ParseError, ValueError, LookupError, OverflowError),
)
"""What unpacking and parsing raise on bytes that are not what they should be."""

_PREFIX = re.compile(rb"<(\w+:)?worksheet\b")
_ADDRESS = re.compile(rb'\br="([A-Z]{1,3})(\d+)"')
_EMPTY_VALUES = (b"<v></v>", b"<v/>", b"<v />", b"</f></c>", b"/></c>")


@dataclass(frozen=True)
class SheetPart:
    """A worksheet as the workbook lists it."""

    name: str
    part: str
    visible: bool


@dataclass
class SheetScan:
    """What was seen in the XML of one sheet. Rows are 1-based, columns 0-based."""

    faults: dict[int, list[tuple[int, Fault]]] = field(default_factory=dict)
    first_row: int = 0
    last_row: int = 0
    columns: set[bytes] = field(default_factory=set)

    @property
    def cells(self) -> int:
        """Cells in the rectangle around everything that holds a value: what the workbook reader sets memory aside for."""
        indexes = [_column_index(name) for name in self.columns]
        return (self.last_row - self.first_row + 1) * (max(indexes) - min(indexes) + 1) if indexes else 0


class XlsxPackage:
    """A package. `name` is the file's name, for messages.

    Raises:
        UnreadableBookError: from every method, when the package is no workbook, is locked, is damaged or is too large.
    """

    def __init__(self, name: str, content: bytes) -> None:
        self._name = name
        with self._translated():
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        self._parts = {info.filename: info for info in self._zip.infolist()}

    def check_sizes(self, limit: int) -> None:
        """Refuse what declares more than `limit` bytes unpacked, or packs as only a bomb does. Unpacks nothing."""
        if any(info.flag_bits & 1 for info in self._parts.values()):
            raise self._refuse("is locked with a password; save it without one", "locked")
        total = sum(info.file_size for info in self._parts.values())
        if total > limit:
            raise self._refuse(
                f"declares {total / 2**30:.1f} GiB unpacked, more than the limit of {limit / 2**30:.1f} GiB;"
                " split it into several books",
                "too-large",
            )
        for info in self._parts.values():
            if info.file_size > _BOMB_SIZE and info.file_size > _BOMB_RATIO * max(info.compress_size, 1):
                raise self._refuse(
                    f"its part {info.filename} unpacks to more than {_BOMB_RATIO} times its size", "bomb"
                )

    def sheets(self) -> list[SheetPart]:
        """The worksheets, in the order of their tabs."""
        workbook = self._workbook()
        targets = self._targets(workbook, "worksheet")
        return [
            SheetPart(sheet.get("name", ""), targets[link], sheet.get("state", "visible") == "visible")
            for sheet in self._tree(workbook).iter()
            if _local(sheet.tag) == "sheet" and (link := _link_of(sheet)) in targets
        ]

    def scan(self, part: str) -> SheetScan:
        """Go through the XML of one sheet, and unpack what its cells refer to."""
        workbook = self._workbook()
        shared = [self._targets(workbook, kind) for kind in ("sharedStrings", "styles")]
        for used in (path for targets in shared for path in targets.values()):
            for _ in self._chunks(used):
                pass  # unpacking is the check
        scan = SheetScan()
        patterns: _Patterns | None = None
        rest = b""
        for chunk in self._chunks(part):
            if patterns is None:
                patterns = self._patterns(chunk)
            cut = (rest := rest + chunk).rfind(patterns.row_end) + len(patterns.row_end)
            if cut < len(patterns.row_end):
                if len(rest) > _LARGEST_ROW:
                    raise self._refuse("holds a row of more than 64 MiB", "too-large")
                continue
            self._look_through(rest[:cut], patterns, scan)
            rest = rest[cut:]
        return scan

    def _look_through(self, xml: bytes, patterns: _Patterns, scan: SheetScan) -> None:
        rows = [int(row) for row in patterns.row.findall(xml)]
        if rows:
            scan.first_row = scan.first_row or rows[0]
            scan.last_row = max(scan.last_row, *rows)
        else:  # rows may go without numbers, and then count up
            scan.first_row = 1
            scan.last_row += xml.count(patterns.row_end)
        scan.columns.update(patterns.column.findall(xml))
        if b't="e"' not in xml and not any(empty in xml for empty in patterns.empty_values):
            return
        for attributes, body in patterns.cell.findall(xml):
            if fault := _fault(attributes, body, patterns):
                address = _ADDRESS.search(attributes)
                if not address:
                    raise self._refuse(f"holds an error ({fault.detail}) in a cell without an address", fault.rule)
                scan.faults.setdefault(int(address[2]), []).append((_column_index(address[1]), fault))

    def _patterns(self, start: bytes) -> _Patterns:
        found = _PREFIX.search(start)
        if not found:
            raise self._refuse("its sheet is no worksheet in UTF-8", "is-a-workbook")
        return _Patterns(found[1] or b"")

    def _workbook(self) -> str:
        """The part that lists the sheets."""
        roots = self._targets("", "officeDocument") if "_rels/.rels" in self._parts else {}
        part = next(iter(roots.values()), "")
        if part.endswith(".xml") and _local(self._tree(part).tag) == "workbook":
            return part
        if part.endswith(".bin"):
            raise self._refuse("is a binary workbook (xlsb); save it as xlsx", "is-a-workbook")
        if "content.xml" in self._parts:
            raise self._refuse("is an OpenDocument file; save it as xlsx", "is-a-workbook")
        raise self._refuse("is a zip archive, but there is no workbook in it", "is-a-workbook")

    def _targets(self, part: str, kind: str) -> dict[str, str]:
        """Parts of one kind that `part` refers to, by link."""
        path = PurePosixPath(part)
        index = str(path.parent / "_rels" / f"{path.name}.rels") if part else "_rels/.rels"
        if index not in self._parts:
            return {}
        targets = {}
        for link in self._tree(index):
            of_kind = link.get("Type", "").endswith(f"/{kind}")
            target = link.get("Target", "")
            whole = target.lstrip("/") if target.startswith("/") else _resolved(path.parent, target)
            if of_kind and whole in self._parts:
                targets[link.get("Id", "")] = whole
        return targets

    def _tree(self, part: str) -> ElementTree.Element:
        if part not in self._parts:
            raise self._refuse(f"its part {part} is missing", "is-a-workbook")
        if self._parts[part].file_size > _LARGEST_INDEX:
            raise self._refuse(f"its part {part} is too large", "too-large")
        with self._translated():
            return ElementTree.fromstring(self._zip.read(part))

    def _chunks(self, part: str) -> Iterator[bytes]:
        with self._translated(), self._zip.open(part) as unpacked:
            while chunk := unpacked.read(_CHUNK):
                yield chunk

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            raise self._refuse(f"is damaged, or no workbook at all: {error}", "is-a-workbook") from error

    def _refuse(self, fault: str, rule: str) -> UnreadableBookError:
        return UnreadableBookError(f"{self._name} {fault}", field="path", rule=rule)


class _Patterns:
    """What rows and cells look like in a sheet whose elements bear a namespace prefix (mostly none)."""

    def __init__(self, prefix: bytes) -> None:
        self.row_end = b"</" + prefix + b"row>"
        self.row = re.compile(b"<" + prefix + rb'row [^>]*?\br="(\d+)"')
        self.column = re.compile(b"<" + prefix + rb'c [^>]*?\br="([A-Z]{1,3})\d+"(?:[^>]*[^/>])?>')
        self.cell = re.compile(b"<" + prefix + rb"c\b([^>]*[^/>])>(.*?)</" + prefix + b"c>", re.DOTALL)
        self.formula = re.compile(b"<" + prefix + rb"f[ />]")
        self.value = re.compile(b"<" + prefix + rb"v(?: [^>]*)?>([^<]+)<")
        self.empty_values = tuple(
            text.replace(b"</", b"</" + prefix).replace(b"<v", b"<" + prefix + b"v") for text in _EMPTY_VALUES
        )


def _fault(attributes: bytes, body: bytes, patterns: _Patterns) -> Fault | None:
    value = patterns.value.search(body)
    if b't="e"' in attributes:
        return Fault("cell-error", value[1].decode("utf-8", "replace") if value else "")
    if value is None and b't="str"' not in attributes and patterns.formula.search(body):
        return Fault("cell-formula")
    return None


def _column_index(letters: bytes) -> int:
    """`A` → 0, `Z` → 25, `AA` → 26."""
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _link_of(element: ElementTree.Element) -> str:
    """The relationship that an element names (`r:id`), in either of the namespaces in use."""
    return next((value for name, value in element.attrib.items() if name.endswith("relationships}id")), "")


def _resolved(folder: PurePosixPath, target: str) -> str:
    """A relative target, with its `..` steps taken."""
    steps: list[str] = []
    for step in (folder / target).parts:
        if step == "..":
            steps = steps[:-1]
        elif step != ".":
            steps.append(step)
    return "/".join(steps)
