"""`/v1/sheets`: a spreadsheet, text or bank's return file becomes the rows that a command takes. Nothing is recorded or kept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.admission import Read
from api.commands.catalogue import command_named
from api.commands.command import Command
from api.commands.fields import Entry, Kind
from api.commands.layouts import layout_named
from api.commands.matching import finder_of
from api.commands.rows import rows_of
from api.parameters import NoParameters, Parameters
from api.reading import Reading
from api.rest.answers import JSON, answer
from api.rest.documented import documented
from api.views.evidence import require_officer
from api.views.view import Said, View, said
from domain.errors import InputError, NotFoundError
from infra.bootstrap import SHEET_BYTES, sheet_text

router = APIRouter(prefix="/v1/sheets", tags=["sheets"])
Name = Annotated[str, Path(max_length=60, pattern="^[a-z-]+$")]


class AskedOfSheet(Parameters):
    """What a sheet is read for."""

    of: Annotated[str | None, Query(max_length=200)] = None
    """The id or number of the thing that the command is about: who is named in the sheet is found there."""
    layout: Annotated[str | None, Query(max_length=200)] = None
    """The layout of a bank's file; left out, columns are known by their headings."""
    name: Annotated[str, Query(max_length=200)] = "list.csv"
    """The file's name; its ending says what it is."""


class SheetFault(View):
    """What is wrong in a sheet."""

    field: str
    rule: str
    row: int
    """The line of the sheet, from 1; 0: the whole of it."""
    message: Said


class SheetView(View):
    """The rows of a sheet as the command's field takes them."""

    field: str
    rows: list[dict[str, Any]]
    """Amounts in fen, times with their offset; put them into the command's form."""
    numbers: list[int]
    """Of each row the line of the sheet that it stood on."""
    sums: dict[str, int]
    """Of every column of amounts, in fen."""
    unread: list[str]
    """Headings of columns that the form has no field for."""
    faults: list[SheetFault]


class LayoutView(View):
    """A layout of a bank's return file."""

    name: str
    title: str


class LayoutsView(View):
    """The layouts that there are."""

    layouts: list[LayoutView]


@router.get("/layouts", **documented(LayoutsView, "Layouts of banks' return files"))
def layouts(request: Request, read: Read, _: Annotated[NoParameters, Query()]) -> Response:
    """Those that come with the system, and the office's own."""
    found = [LayoutView(name=name, title=each.title) for name, each in read.platform.bank_layouts().items()]
    return answer(request, LayoutsView(layouts=found), depends_on=None)


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file: xlsx, xls, or text with tabs, commas or bars between its cells.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/{noun}/{verb}", **documented(SheetView, "Reads a sheet for a command"), openapi_extra=_BODY)
async def read_sheet(
    request: Request, noun: Name, verb: Name, read: Read, asked: Annotated[AskedOfSheet, Query()]
) -> Response:
    """Reads the rows that a command takes. Takes a bearer token that names an officer: names are looked up for them alone."""
    require_officer(read)
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > SHEET_BYTES:
            raise InputError(f"no sheet may have more than {SHEET_BYTES >> 20} MiB", field="sheet", rule="too-large")
    view = await run_in_threadpool(_read, read, noun, verb, asked, bytes(content))
    return Response(view.model_dump_json(), media_type=JSON, headers={"Cache-Control": "no-store"})


def _read(reading: Reading, noun: str, verb: str, asked: AskedOfSheet, content: bytes) -> SheetView:
    command = command_named(noun, verb)
    entry = None if command is None else _sheet_of(command)
    if command is None or entry is None:
        raise NotFoundError(f"there is no command {noun}.{verb} that takes a sheet")
    layout = layout_named(reading, asked.layout)
    find = finder_of(reading, command, asked.of)
    read = rows_of(entry, sheet_text(asked.name, content), reading.platform.info.zone, find, layout)
    faults = [
        SheetFault(field=each.field, rule=each.rule, row=each.row, message=said(each.message)) for each in read.faults
    ]
    return SheetView(
        field=entry.name, rows=read.rows, numbers=read.numbers, sums=read.sums, unread=read.unread, faults=faults
    )


def _sheet_of(command: Command) -> Entry | None:
    return next((entry for entry in command.entries if entry.kind is Kind.ROWS), None)
