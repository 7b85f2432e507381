"""`import`, `template`, `mappings`: ledger books come in, and what they came to is laid beside the ledger to the fen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from api.cli.options import ACTOR, FORMAT, OUTPUT, output
from api.cli.progress import LongWork
from api.cli.session import officer_of, session_of, wait_for_ledgers
from api.cli.tables import Column, Count, Format, Table
from api.errors import ANSWERS
from api.time_axes import day
from api.words import Language, Word
from domain.errors import InputError

if TYPE_CHECKING:
    from infra.bootstrap import ImportProgress, ImportReport

NAMED = 20
"""Doubles, rejects and differences that are named one by one; the reject workbook and JSON have all of them."""
REJECTED = ANSWERS[InputError].exit_code
"""Exit code when rows of a book were rejected: what could be read is recorded all the same."""


def add_to(app: typer.Typer) -> None:
    """Adds the verbs of this module."""
    app.command("import", epilog="Example: qingling import 台账.xlsx --book 平定县欠薪案件台账 --dry-run")(import_book)
    app.command("template", epilog="Example: qingling template empty.xlsx --mapping standard-roster")(template)
    app.command("mappings", epilog="Example: qingling mappings")(mappings)


def import_book(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="账册：xlsx、xls、csv · the book")],
    mapping: Annotated[
        str, typer.Option(help="映射：名称或 .toml 文件 · a shipped mapping, or a file of your own")
    ] = "standard",
    book: Annotated[
        str | None,
        typer.Option(
            help="账册系列名称 · name of the series of books; the mapping's where not given", show_default=False
        ),
    ] = None,
    partial: Annotated[
        bool,
        typer.Option(
            "--partial", help="只是部分案件，缺少的不算消失 · only some cases: what is missing has not vanished"
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="只试读，不记录 · say what would happen, record nothing")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="退回工作簿 · workbook for rejected rows; beside the book where not given", show_default=False
        ),
    ] = None,
    as_at: Annotated[
        str | None, typer.Option("--as-at", help="账册所述日期 · the day that the book speaks of", show_default=False)
    ] = None,
    actor: ACTOR = None,
    format: FORMAT = Format.TABLE,
    report_file: OUTPUT = None,
) -> None:
    """导入账册 · Import a ledger book.

    账册合计与台账合计逐分对照 · Its sums are laid beside the ledger's, to the fen. Exit code 2 when rows were rejected.
    """
    session = session_of(context)
    to = output(session, format, report_file)
    spoken_of = None if as_at is None else day("as_at", as_at)
    with (
        session.platform() as platform,
        LongWork(session.say(Word("导入", "Importing")) + f" {file.name}") as work,
    ):
        wait_for_ledgers(platform)
        by = officer_of(platform, actor)
        report = platform.import_book(
            file,
            mapping=mapping,
            book=book,
            whole=not partial,
            dry_run=dry_run,
            rejects=rejects or _beside(file),
            as_at=spoken_of,
            progress=lambda at: work.show(at.cases, None, _so_far(at, to.language)),
            **({} if by is None else {"actor": by}),
        )
    totals = _totals_table(report, to.language)
    to.tables([totals, *_further_tables(report, to.language)], data=_data_of(report), flat=totals)
    if report.rejects:
        raise typer.Exit(REJECTED)


def _so_far(at: ImportProgress, language: Language) -> str:
    return f"{Word('案件', 'cases').to(language)}, {at.events:,} {_EVENTS.to(language)}"


def _beside(book: Path) -> Path:
    """A name for the reject workbook that no file has: an earlier one may be under repair by a clerk."""
    names = (
        book.with_name(f"{book.stem}.rejects{number}.xlsx") for number in ("", *(f"-{n}" for n in range(2, 1_000)))
    )
    return next(name for name in names if not name.exists())


_TOTALS = (
    ("cases", Word("案件", "Cases"), "cases", False),
    ("lines", Word("明细", "Claim lines"), "lines", False),
    ("headcount", Word("人数", "Workers"), "headcount", False),
    ("claimed", Word("反映金额", "Claimed"), "claimed", True),
    ("verified", Word("核实金额", "Verified"), "verified", True),
    ("paid", Word("已付金额", "Paid"), "paid", True),
    ("overpaid", Word("多付", "Overpaid"), "overpaid", True),
)
"""Of the source; heading; of the ledger; whether it is money."""


def _totals_table(report: ImportReport, language: Language) -> Table:
    """Source beside ledger. A ledger that holds later payments than the book differs, and the difference is shown, not hidden."""
    return Table(
        Word("控制合计", "Control totals").to(language) + f" · {report.book}",
        (
            Column("what", Word("项目", "Total")),
            Column("source", Word("账册", "Source"), "money"),
            Column("ledger", Word("台账", "Ledger"), "money"),
            Column("difference", Word("相差", "Difference"), "money"),
        ),
        list(_totals(report, language)),
        list(_outcome(report, language)),
    )


def _totals(report: ImportReport, language: Language) -> Iterator[dict[str, object]]:
    source, ledger = report.totals, report.ledger
    for name, heading, of_ledger, money in _TOTALS:
        kept = None if ledger is None else getattr(ledger, of_ledger)
        yield _total(heading, getattr(source, name), kept, language, money=money)
    balance = None if ledger is None else ledger.owing - ledger.overpaid
    unpaid = Word("余额：核实减已付", "Balance: verified less paid")
    yield _total(unpaid, source.verified - source.paid, balance, language)
    if source.outstanding:
        yield _total(Word("余额：账册所称", "Balance: as the book states it"), source.outstanding, balance, language)


def _total(
    heading: Word, source: int, ledger: int | None, language: Language, *, money: bool = True
) -> dict[str, object]:
    difference = None if ledger is None else ledger - source
    amounts = {"source": source, "ledger": ledger, "difference": difference}
    return {
        "what": heading.to(language),
        **{key: Count(value) if value is not None and not money else value for key, value in amounts.items()},
    }


def _outcome(report: ImportReport, language: Language) -> Iterator[str]:
    done = report.imported
    if report.dry_run:
        yield Word("试读：没有记录任何内容", "Dry run: nothing was recorded").to(language)
    counts = (
        (Word("读入行", "rows read"), report.totals.rows_read),
        (Word("新案件", "new cases"), done.new_cases),
        (Word("有变化", "changed"), done.changed_cases),
        (Word("无变化", "unchanged"), done.unchanged_cases),
        (Word("从账册消失", "vanished"), done.vanished_cases),
        (Word("重复行", "double rows"), report.totals.doubles),
        (Word("退回行", "rejected rows"), report.totals.rejected_rows),
        (_EVENTS, done.events),
    )
    yield " · ".join(f"{word.to(language)} {count:,}" for word, count in counts)
    yield from report.notes
    yield _pace(report, language)
    if report.rejects_file is not None:
        yield Word("退回工作簿", "Reject workbook").to(language) + f": {report.rejects_file}"


def _pace(report: ImportReport, language: Language) -> str:
    """How long reading and recording took, and until when the ledgers had followed."""
    recording, seconds = report.imported.seconds, Word("秒", "s").to(language)
    rate = report.imported.events / recording if recording else 0.0
    return (
        f"{Word('记录', 'recorded in').to(language)} {recording:.1f} {seconds} · {rate:,.0f} {_EVENTS.to(language)}/{seconds}"
        f" · {Word('台账更新后共', 'with the ledgers').to(language)} {report.seconds:.1f} {seconds}"
    )


_EVENTS = Word("事件", "events")


def _further_tables(report: ImportReport, language: Language) -> Iterator[Table]:
    """Differences by kind, doubles and rejects, where there are any."""
    kinds = {kind: count for kind, count in sorted(report.imported.kinds.items()) if kind != "new case"}
    if kinds:
        yield Table(
            Word("与已记录的不同", "Differences from what was recorded").to(language),
            (
                Column("kind", Word("类别", "Kind"), words=_DIFFERENCES),
                Column("count", Word("数量", "Count"), "integer"),
            ),
            [{"kind": kind, "count": count} for kind, count in kinds.items()],
        )
    if report.doubles:
        yield Table(
            Word("重复行（只计一次）", "Doubles (counted once)").to(language),
            (
                Column("number", Word("案件编号", "Case number")),
                Column("kept_row", Word("保留行", "Row kept"), "integer"),
                Column("dropped_rows", Word("重复行", "Rows dropped"), "list"),
            ),
            [msgspec.structs.asdict(each) for each in report.doubles[:NAMED]],
            _more(len(report.doubles), language),
        )
    if report.rejects:
        yield Table(
            Word("退回", "Rejected").to(language),
            (
                Column("row", Word("行", "Row"), "integer"),
                Column("number", Word("案件编号", "Case number")),
                Column("heading", Word("列", "Column")),
                Column("rule", Word("规则", "Rule")),
                Column("reason", Word("理由", "Reason")),
            ),
            [
                {**msgspec.structs.asdict(each), "reason": each.message_zh if language == "zh" else each.message}
                for each in report.rejects[:NAMED]
            ],
            _more(len(report.rejects), language),
        )


_DIFFERENCES = {
    "particulars": Word("要素", "Particulars"),
    "state": Word("来源称状态", "State as stated"),
    "returned to book": Word("重现于账册", "Returned to the book"),
    "new line": Word("新增明细", "New line"),
    "line vanished": Word("明细消失", "Line vanished"),
    "figures": Word("金额更正", "Figures"),
    "paid more": Word("又付", "Paid more"),
    "paid less": Word("付款减少", "Paid less"),
    "vanished": Word("案件消失", "Vanished"),
}


def _more(count: int, language: Language) -> Sequence[str]:
    return [f"… {count - NAMED:,} {Word('条未列出', 'more').to(language)}"] if count > NAMED else []


def _data_of(report: ImportReport) -> dict[str, object]:
    """The whole report for machines; amounts in fen."""
    done = report.imported
    return {
        "book": report.book,
        "file": str(report.file),
        "digest": report.digest,
        "dry_run": report.dry_run,
        "source": msgspec.to_builtins(report.totals),
        "source_with_doubles": msgspec.to_builtins(report.totals_with_doubles),
        "ledger": None if report.ledger is None else msgspec.to_builtins(report.ledger),
        "new_cases": done.new_cases,
        "changed_cases": done.changed_cases,
        "unchanged_cases": done.unchanged_cases,
        "vanished_cases": done.vanished_cases,
        "events": done.events,
        "position": done.position,
        "kinds": done.kinds,
        "differences": msgspec.to_builtins(done.differences),
        "doubles": msgspec.to_builtins(report.doubles),
        "rejects": msgspec.to_builtins(report.rejects),
        "rejects_file": None if report.rejects_file is None else str(report.rejects_file),
        "notes": report.notes,
        "seconds_recording": round(done.seconds, 3),
        "seconds": round(report.seconds, 3),
    }


def template(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="要写的工作簿 · the workbook to write")],
    mapping: Annotated[str, typer.Option(help="映射：名称或 .toml 文件 · whose headings it gets")] = "standard",
) -> None:
    """空白账册模板 · Write an empty book.

    A workbook with the headings of a mapping, to be filled in and imported.
    """
    session = session_of(context)
    with session.platform(folding=False) as platform:
        platform.write_template(file, mapping)
    typer.echo(str(file))


def mappings(context: typer.Context, format: FORMAT = Format.TABLE, file: OUTPUT = None) -> None:
    """随附的映射 · List the shipped mappings.

    docs/import.md says how to write one.
    """
    from infra.bootstrap import load_mapping, shipped_mappings

    session = session_of(context)
    rows: list[dict[str, object]] = [
        {"name": name, "title": (loaded := load_mapping(name)).title, "fields": len(loaded.fields)}
        for name in shipped_mappings()
    ]
    columns = (
        Column("name", Word("名称", "Name")),
        Column("title", Word("适用账册", "Books")),
        Column("fields", Word("字段数", "Fields"), "integer"),
    )
    output(session, format, file).table(Table(Word("映射", "Mappings").to(session.language), columns, rows))
