"""`ledger`, `clearance`, `export`: what the ledgers list, what the board says, and any ledger as a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, cast

import typer

from api.cli.options import FORMAT, KNOWN_AT, NAMES, OUTPUT, output
from api.cli.session import session_of, warn
from api.cli.tables import Column, Format, Kind, Table
from api.reading import Reading
from api.time_axes import known_at
from api.views.board import BoardAsked, BoardView, CellView, board_view
from api.views.ledger import (
    Asked,
    CatalogueView,
    ColumnView,
    LedgerPageView,
    catalogue_view,
    ledger_page,
    listed,
    nearest,
    refuse_what_it_is_not_kept_by,
)
from api.words import COLUMN_WORDS, ENUMS, MEASURES, MONEY_MEASURES, Language, Word
from domain.errors import InputError
from domain.vocabulary import CaseClass
from projections.clearance import CellState

SHOWN: Mapping[str, Sequence[str]] = {
    "case": (
        "number", "jurisdiction", "received", "classes", "funding", "debtor", "stage", "headcount", "verified", "paid", "owing",
    ),
    "claim": ("claim", "worker", "headcount", "debtor", "claimed", "verified", "paid", "stated_paid", "owing", "overpaid"),
    "payment": ("payment", "paid_on", "payer", "source", "basis", "lines", "total", "credited", "returned", "remaining"),
    "book": ("name", "jurisdiction", "imports", "last_import", "cases", "doubles", "rejected_rows", "verified", "paid"),
}  # fmt: skip
"""Columns that people are shown where a ledger has more than a screen takes; `--columns` names others, or `all`."""
KINDS: Mapping[str, Kind] = {
    "money": "money",
    "int": "integer",
    "bool": "truth",
    "datetime": "time",
    "date": "time",
    "list": "list",
}


def add_to(app: typer.Typer) -> None:
    """Adds the verbs of this module."""
    app.command("ledger", epilog="Example: qingling ledger case --filter stage=open --order owing --descending")(ledger)
    app.command("clearance", epilog="Example: qingling clearance --as-known-at 2019-12-31")(clearance)
    app.command("export", epilog="Example: qingling export case cases.xlsx --as-known-at 2019-12-31")(export)


def ledger(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="台账名；不写则列出全部台账 · its name; without it, the ledgers there are")
    ] = None,
    filter: Annotated[
        list[str] | None,
        typer.Option("--filter", help="列=值，可多次 · COLUMN=VALUE, may be repeated", show_default=False),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(
            "--prefix", help="按编号或名称开头查找 · what the searched column begins with", show_default=False
        ),
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", help="排序列 · column to order by", show_default=False)
    ] = None,
    descending: Annotated[bool, typer.Option("--descending", help="倒序 · largest first")] = False,
    limit: Annotated[int, typer.Option("--limit", help="行数 · rows")] = 50,
    after: Annotated[
        str | None,
        typer.Option("--after", help="上一页给出的游标 · cursor that the page before ended with", show_default=False),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", help="要显示的列，逗号分隔，或 all · columns to show, or all", show_default=False),
    ] = None,
    as_known_at: KNOWN_AT = None,
    names: NAMES = False,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """查看台账 · List ledgers, or a page of one.

    可筛选、排序、按当时所知 · Filtered, ordered, as known at any time. `export` writes a whole ledger.
    """
    session = session_of(context)
    to = output(session, format, file)
    with session.reading() as reading:
        if name is None:
            view = catalogue_view(reading)
            to.table(_catalogue_table(view, to.language), data=view)
            return
        asked = Asked(
            as_known_at=as_known_at,
            order=order,
            descending=descending,
            after=after,
            limit=limit,
            filters=filters_of(filter),
            prefix=prefix,
            names=names,
        )
        page = ledger_page(reading, name, asked, lambda cursor: f"--after {cursor}")
        to.table(_page_table(reading, page, columns, to.language, people=format is Format.TABLE), data=page)


def filters_of(given: Sequence[str] | None) -> dict[str, str]:
    """`COLUMN=VALUE` as a mapping.

    Raises:
        InputError: there is no equals sign, or one column is named twice.
    """
    found: dict[str, str] = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise InputError(f"{each!r} is no filter; write it as COLUMN=VALUE", field="filter", rule="value")
        if name in found:
            raise InputError(f"the filter {name!r} is given twice", field="filter", rule="value")
        found[name] = value
    return found


def _catalogue_table(view: CatalogueView, language: Language) -> Table:
    rows = [
        {
            "name": each.name,
            "title": each.title.to(language),
            "kind": each.kind,
            "orders": each.orders,
            "filters": each.filters,
            "search": each.search,
        }
        for each in view.ledgers
    ]
    return Table(
        Word("台账目录", "Ledgers").to(language),
        (
            Column("name", Word("名称", "Name")),
            Column("title", Word("题名", "Title")),
            Column("kind", Word("类型", "Kind"), words=_LEDGER_KINDS),
            Column("orders", Word("可排序列", "Ordered by"), "list"),
            Column("filters", Word("可筛选列", "Filtered by"), "list"),
            Column("search", Word("可查找列", "Searched by")),
        ),
        rows,
        _remarks(view.log.kind, view.log.origin, None, language),
    )


_LEDGER_KINDS = {"rows": Word("明细", "rows"), "summary": Word("汇总（见 clearance）", "summary (see clearance)")}


def _page_table(
    reading: Reading, page: LedgerPageView, chosen: str | None, language: Language, *, people: bool
) -> Table:
    places = {node.code: Word(node.name_zh, node.name_en) for node in reading.platform.info.tree} if people else {}
    remarks = _remarks(page.log.kind, page.log.origin, page.position, language)
    if page.after is not None:
        remarks.append(Word("下一页", "Next page").to(language) + f": --after {page.after}")
    return Table(
        page.title.to(language),
        [table_column(page.ledger, each, places) for each in _chosen(page, chosen, people=people)],
        [row.values for row in page.rows],
        remarks,
    )


def _chosen(page: LedgerPageView, chosen: str | None, *, people: bool) -> list[ColumnView]:
    known = {each.name: each for each in page.columns}
    if chosen == "all" or (chosen is None and not (people and page.ledger in SHOWN)):
        return page.columns
    names = list(SHOWN[page.ledger]) if chosen is None else [name.strip() for name in chosen.split(",")]
    for name in names:
        if name not in known:
            raise InputError(
                f"ledger {page.ledger} has no column {name!r}{nearest(name, known)}", field="columns", rule="value"
            )
    return [known[name] for name in names]


def table_column(ledger: str, column: ColumnView, places: Mapping[str, Word]) -> Column:
    """A ledger's column as the command line shows it."""
    words = places if column.name == "jurisdiction" else COLUMN_WORDS.get((ledger, column.name), {})
    return Column(column.name, Word(column.zh, column.en), KINDS.get(column.kind, "text"), words)


def _remarks(kind: str, origin: str, position: int | None, language: Language) -> list[str]:
    """What stands below every table: which log, and the position that it is true at."""
    invented = "【模拟】" if language == "zh" else "[simulation] "
    said = f"{invented if kind == 'simulation' else ''}{origin}"
    if position is not None:
        said += f" · {Word('截至位置', 'as of position').to(language)} {position}"
    return [said]


# The board

_MEASURES = (
    "members", "open", "written_off_in_time", "in_hand", "stated_closed",
    "workers", "verified", "paid", "stated_paid", "owing",
)  # fmt: skip


def clearance(
    context: typer.Context,
    as_known_at: KNOWN_AT = None,
    jurisdiction: Annotated[
        str | None, typer.Option("--jurisdiction", help="属地及其下级 · a place and all below it", show_default=False)
    ] = None,
    funding: Annotated[
        str | None, typer.Option("--funding", help="项目类型 · kind of project", show_default=False)
    ] = None,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """清零看板 · Show the clearance board.

    各属地、各类案件、各节点 · Each place and class at each checkpoint, as known now and as known on its day.
    """
    session = session_of(context)
    to = output(session, format, file)
    with session.reading() as reading:
        board = board_view(reading, BoardAsked(as_known_at, jurisdiction, funding))
        to.table(_board_table(board, to.language), data=board)


def _board_table(board: BoardView, language: Language) -> Table:
    remarks = _remarks(board.log.kind, board.log.origin, board.position, language)
    if not board.complete:
        remarks.insert(0, Word("数据不全", "Incomplete").to(language) + f": {board.reason}")
    checkpoints = {each.name: Word(each.title.zh, each.title.en) for each in board.campaign.checkpoints}
    places = {each.code: Word(each.zh, each.en) for each in board.places} | {"*": Word("合计", "All")}
    states = ENUMS[CellState]
    return Table(
        board.campaign.title.to(language),
        (
            Column("jurisdiction", Word("属地", "Jurisdiction"), words=places),
            Column("case_class", Word("类别", "Class"), words=ENUMS[CaseClass]),
            Column("checkpoint", Word("节点", "Checkpoint"), words=checkpoints),
            Column("state", Word("状态", "State"), words=states),
            Column("state_then", Word("当日所知", "As known then"), words=states),
            *(Column(name, MEASURES[name], "money" if name in MONEY_MEASURES else "integer") for name in _MEASURES),
        ),
        [_board_row(cell) for cell in (*board.cells, *board.totals)],
        remarks,
    )


def _board_row(cell: CellView) -> dict[str, object]:
    return {
        "jurisdiction": cell.jurisdiction,
        "case_class": cell.case_class,
        "checkpoint": cell.checkpoint,
        "state": cell.state.value,
        "state_then": None if cell.state_then is None else cell.state_then.value,
        **{name: getattr(cell.now, name) for name in _MEASURES},
    }


# A whole ledger as a file


def export(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="台账名 · name of the ledger")],
    target: Annotated[Path, typer.Argument(metavar="FILE", help="文件；- 为标准输出 · the file; - for stdout")],
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv | xlsx | jsonl；默认按文件名 · by the file's name where it is not given",
            show_default=False,
        ),
    ] = None,
    filter: Annotated[
        list[str] | None,
        typer.Option("--filter", help="列=值，可多次 · COLUMN=VALUE, may be repeated", show_default=False),
    ] = None,
    as_known_at: KNOWN_AT = None,
    names: NAMES = False,
) -> None:
    """导出整本台账 · Write a whole ledger.

    csv、xlsx 或 JSON 行 · With the position that it is true at and its digest, which is the same in every format.
    """
    session = session_of(context)
    chosen = _export_format(format, target)
    filters = filters_of(filter)
    with session.reading() as reading:
        refuse_what_it_is_not_kept_by(listed(reading, name), Asked(filters=filters))
        position = known_at(reading.platform, as_known_at)

        def written(to: BinaryIO) -> str:
            receipt = reading.platform.export(
                name, to, format=chosen, as_of=position, filters=filters, language=session.language, open_names=names
            )
            rows = Word("行", "rows").to(session.language)
            return f"{target}: {receipt.rows:,} {rows} · position {receipt.position} · sha256:{receipt.digest}"

        warn(_to_stdout(written) if str(target) == "-" else _to_file(target, written))


def _export_format(said: str | None, target: Path) -> Literal["csv", "xlsx", "jsonl"]:
    found = said or target.suffix.removeprefix(".").lower()
    if found not in ("csv", "xlsx", "jsonl"):
        raise InputError(f"{found!r} is no format of an export: csv, xlsx or jsonl", field="format", rule="value")
    return cast(Literal["csv", "xlsx", "jsonl"], found)


def _to_stdout(write: Callable[[BinaryIO], str]) -> str:
    receipt = write(sys.stdout.buffer)
    sys.stdout.flush()
    return receipt


def _to_file(target: Path, write: Callable[[BinaryIO], str]) -> str:
    """Writes beside the file and moves it there when it is whole: what stood there before stays until then."""
    beside = target.with_name(f".{target.name}.part")
    try:
        with beside.open("wb") as file:
            receipt = write(file)
        beside.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}", field="file", rule="writable") from error
    finally:
        beside.unlink(missing_ok=True)
    return receipt
