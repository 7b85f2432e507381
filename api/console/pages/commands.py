"""The form of every command: one page a command, made from its fields. What was typed stays; a second click records nothing twice.

A page bears a key of its own. Who sends it twice gives the same command under the same key, which is answered as the first time. A command
that is refused says rule and clause above what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from uuid import uuid4

import orjson
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile

from api.commands.catalogue import command_named
from api.commands.command import Command
from api.commands.desk import resolving
from api.commands.fields import Entry, FormFault, Kind, raw_of
from api.commands.forms import checked
from api.commands.layouts import layout_named
from api.commands.matching import finder_of
from api.commands.performing import Asking, RecordedView, perform
from api.commands.rows import Rows, rows_of
from api.console.rendering import language_of, path, render
from api.console.writing import SignedIn, Write
from api.errors import Answer, answer_to, members_of
from api.reading import Reading, is_text
from api.views.evidence import put_upload
from domain.errors import InputError, NotFoundError, QinglingError, RecordingError, Refused
from infra.bootstrap import sheet_text
from projections.case_ledger import CaseRow

router = APIRouter(prefix="/do")
Name = Annotated[str, Path(max_length=60, pattern="^[a-z-]+$")]
_OF, _KEY, _SEEN = "of", "key", "seen"
"""Names of the form's own fields: the thing that it is about, the key, and the position that its page was made at."""


@dataclass
class Sheet:
    """A form as a page shows it: what was typed by path, the files put so far, and everything that is wrong."""

    command: Command
    of: str
    key: str
    seen: int
    texts: dict[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: list[FormFault] = field(default_factory=list)
    refused: QinglingError | None = None
    rows: dict[str, Rows] = field(default_factory=dict)
    """By field: what was read of the sheets; empty before anything was sent."""

    @property
    def has_sheets(self) -> bool:
        """Whether some field takes rows: they are looked at before they are recorded."""
        return any(entry.kind is Kind.ROWS for entry in self.command.entries)

    @property
    def may_be_recorded(self) -> bool:
        """Whether what was sent was looked at, and nothing is wrong with it."""
        return not self.has_sheets or bool(self.rows and not self.faults and any(r.rows for r in self.rows.values()))

    @property
    def answer(self) -> Answer | None:
        """How doors answer to what was refused."""
        return None if self.refused is None else answer_to(self.refused)

    @property
    def members(self) -> dict[str, object]:
        """Rule and clause of what was refused."""
        return {} if self.refused is None else members_of(self.refused)

    def text(self, path: str) -> str:
        """What was typed into a field."""
        return next(iter(self.texts.get(path, ())), "")

    def faults_of(self, path: str) -> list[FormFault]:
        """What is wrong with a field."""
        return [fault for fault in self.faults if fault.field == path]

    @property
    def misplaced(self) -> list[FormFault]:
        """Faults that stand at no field of the page."""
        known = set(_paths(self.command.entries))
        return [fault for fault in self.faults if fault.field not in known]


def _paths(entries: tuple[Entry, ...]) -> list[str]:
    return [path for entry in entries for path in (entry.path, *_paths(entry.inner))]


@router.get("/{noun}/{verb}", response_class=Response)
def form(request: Request, noun: Name, verb: Name, read: SignedIn) -> Response:
    """The empty form; parameters of the address fill its fields."""
    command = _command(noun, verb)
    asked = {name: request.query_params.getlist(name) for name in request.query_params if name != _OF}
    sheet = Sheet(command, request.query_params.get(_OF, ""), str(uuid4()), read.platform.head().position, asked)
    return _page(request, read, sheet)


@router.post("/{noun}/{verb}", response_class=Response)
async def give(request: Request, noun: Name, verb: Name, write: Write) -> Response:
    """Gives the command; to where its effect is seen, else the form again with what was typed."""
    from starlette.concurrency import run_in_threadpool

    async with request.form(
        max_files=50, max_fields=2_000
    ) as sent:  # what was uploaded is gone from the disk with the answer
        return await run_in_threadpool(_given, request, write, _command(noun, verb), sent)


def _given(request: Request, write: Reading, command: Command, sent: FormData) -> Response:
    sheet = _sheet(command, sent)
    try:
        raw, sheet.faults = raw_of(command.entries, sheet.texts, write.platform.info.zone)
        sheet.files = _files(write, sheet, sent)
        raw |= {name: kept for name, kept in sheet.files.items() if kept}
        raw |= _sheets(write, sheet, sent)
        found = checked(command.form, raw)
        if isinstance(found, list):
            known = {(fault.field, fault.row) for fault in sheet.faults}
            sheet.faults += [f for fault in found if ((f := _on_its_line(sheet, fault)).field, f.row) not in known]
        if sheet.faults or isinstance(found, list):
            return _page(request, write, sheet, 400)
        if sheet.has_sheets and sent.get("act") != "record":
            return _page(request, write, sheet)
        insisted = sheet.seen if command.insists else None
        view = perform(write, command, sheet.of or None, found, Asking(sheet.key, insisted))
    except (Refused, InputError, NotFoundError, RecordingError) as error:
        sheet.refused = error
        return _page(request, write, sheet, answer_to(error).status)
    return RedirectResponse(seen_at(language_of(request), command, view), status_code=303)


def _sheets(write: Reading, sheet: Sheet, sent: FormData) -> dict[str, Any]:
    """The rows of every field that takes some: pasted, or read from a file, which then stands in the page as if it had been pasted."""
    entries = [entry for entry in sheet.command.entries if entry.kind is Kind.ROWS]
    if not entries:
        return {}
    find = finder_of(write, sheet.command, sheet.of or None)
    raw: dict[str, Any] = {}
    for entry in entries:
        upload = sent.get(f"{entry.path}.sheet")
        if isinstance(upload, UploadFile) and upload.filename:
            sheet.texts[entry.path] = [sheet_text(upload.filename, upload.file.read())]
        layout = layout_named(write, sheet.text(f"{entry.path}.layout"))
        read = rows_of(entry, sheet.text(entry.path), write.platform.info.zone, find, layout)
        sheet.rows[entry.name] = read
        sheet.faults += read.faults
        if read.rows:
            raw[entry.name] = read.rows
    return raw


def _on_its_line(sheet: Sheet, fault: FormFault) -> FormFault:
    """A fault of the n-th row, at the line of the sheet that it stands on."""
    read = sheet.rows.get(fault.field.split(".")[0])
    if read is None or not 0 < fault.row <= len(read.numbers):
        return fault
    return replace(fault, row=read.numbers[fault.row - 1])


def seen_at(language: str, command: Command, view: RecordedView) -> str:
    """Where what was recorded is seen."""
    if command.noun.name == "case":
        return path(language, "cases", view.thing, recorded=view.position)
    return path(language, command.noun.plural, view.thing, recorded=view.position)


def _command(noun: str, verb: str) -> Command:
    command = command_named(noun, verb)
    if command is None:
        raise NotFoundError(f"there is no command {noun}.{verb}")
    return command


def _sheet(command: Command, sent: FormData) -> Sheet:
    """What was sent, as texts.

    Raises:
        InputError: a text holds a character that cannot be printed.
    """
    texts: dict[str, list[str]] = {}
    for name, value in sent.multi_items():
        if isinstance(value, str):
            if not is_text(value.replace("\r", "").replace("\n", "").replace("\t", "")):
                raise InputError(f"{name} holds a character that cannot be printed", field=name, rule="printable")
            texts.setdefault(name, []).append(value)
    seen = "".join(texts.pop(_SEEN, ["0"])[:1])
    return Sheet(
        command,
        "".join(texts.pop(_OF, [""])[:1]),
        "".join(texts.pop(_KEY, [""])[:1])[:200] or str(uuid4()),
        int(seen) if seen.isdigit() and len(seen) < 17 else 0,
        texts,
    )


def _files(write: Reading, sheet: Sheet, sent: FormData) -> dict[str, list[dict[str, Any]]]:
    """By field: the files that were put with an earlier try, and those that come with this one."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in sheet.command.entries:
        if entry.kind is not Kind.FILES:
            continue
        kept = [orjson.loads(text) for text in sheet.texts.get(f"{entry.path}.kept", ())]
        uploads = [each for each in sent.getlist(entry.path) if isinstance(each, UploadFile) and each.filename]
        known = uploads and not sheet.command.opens
        subject = sheet.command.noun.resolve(resolving(write.platform), sheet.of) if known else None
        found[entry.name] = kept + [put_upload(write, subject, each).named for each in uploads]
    return found


@dataclass(frozen=True)
class About:
    """What a command is about, as its page says before it asks anything: the case with its figures, or the thing's number."""

    address: tuple[str, str]
    number: str
    case: CaseRow | None


def _about(read: Reading, sheet: Sheet) -> About | None:
    """None for a command that begins something, or is about nothing that is there: giving it says so."""
    command = sheet.command
    if command.opens or not sheet.of:
        return None
    desk = resolving(read.platform)
    try:
        thing = command.noun.resolve(desk, sheet.of)
        stream: Any = desk.streams.get(command.noun.stream, thing)
        key = stream.partitionkey
        row = read.platform.row("case", key).row if key.startswith("case-") else None
    except NotFoundError:
        return None
    number = getattr(stream, "number", None)
    case = row if isinstance(row, CaseRow) else None
    if case is not None:
        return About(("cases", case.case), case.number, case)
    return About((command.noun.plural, thing), number if isinstance(number, str) else thing, None)


def _page(request: Request, read: Reading, sheet: Sheet, status: int = 200) -> Response:
    layouts = read.platform.bank_layouts() if any(entry.label.layouts for entry in sheet.command.entries) else {}
    return render(
        request,
        read,
        "command.html",
        status_code=status,
        sheet=sheet,
        command=sheet.command,
        layouts=layouts,
        about=_about(read, sheet),
    )
