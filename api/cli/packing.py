"""`pack`: an evidence pack of some cases, or of the whole log, that others check offline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import ACTOR, FORMAT, output
from api.cli.progress import LongWork
from api.cli.session import officer_of, session_of
from api.cli.tables import Column, Count, Format, Table
from api.time_axes import day
from api.words import Language, Word

if TYPE_CHECKING:
    from domain.packs.pack import Selection
    from infra.bootstrap import MadePack, Platform

_STAGES = {
    "entries": Word("读取条目", "reading entries"),
    "ledgers": Word("写台账", "writing ledgers"),
    "binding": Word("完整性承诺", "committing to wholeness"),
    "publishing": Word("公布检查点", "publishing"),
    "writing": Word("打包", "writing"),
    "checking": Word("核验", "verifying"),
}


def add_to(app: typer.Typer) -> None:
    """Adds the verb of this module."""
    app.command("pack", epilog="Example: qingling pack --case 平-1 --output 平-1.zip")(pack)


def pack(
    context: typer.Context,
    case: Annotated[
        str | None, typer.Option("--case", help="案件编号或标识 · one case, by number or id", show_default=False)
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", help="项目名称 · cases of the project of this name", show_default=False)
    ] = None,
    jurisdiction: Annotated[
        str | None,
        typer.Option("--jurisdiction", help="属地及其下级 · cases of a place and all below it", show_default=False),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="接报日期自 · cases received from this day on", show_default=False)
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="接报日期至 · … up to this day", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="全部日志 · the whole log")] = False,
    office: Annotated[
        bool, typer.Option("--office", help="含仅机关可见的事件 · with what only the office sees")
    ] = False,
    files: Annotated[
        bool,
        typer.Option("--with-files", help="含事件所指的证据材料 · with the evidence files that its events name"),
    ] = False,
    target: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="证据包文件 · the zip to write; nothing is overwritten", show_default=False
        ),
    ] = None,
    actor: ACTOR = None,
    format: FORMAT = Format.TABLE,
) -> None:
    """制作证据包 · Make an evidence pack.

    Entries, proofs and ledgers in one zip that anybody checks with the public key alone; see `qingling verify` and docs/packs.md.
    """
    from infra.bootstrap import make_pack, selection_of

    session = session_of(context)
    to = output(session, format, None)
    span = [None if said is None else day(name, said) for name, said in (("from", first), ("to", last))]
    asked = selection_of(
        case=case, project=project, jurisdiction=jurisdiction, first=span[0], last=span[1], everything=everything
    )
    with session.platform() as platform, LongWork(session.say(Word("证据包", "Evidence pack"))) as work:
        by = officer_of(platform, actor)
        made = make_pack(
            platform,
            _resolved(platform, asked),
            target or _beside(asked),
            office=office,
            files=files,
            language=to.language,
            progress=lambda stage, done, total: work.show(done, total, _STAGES[stage].to(to.language)),
            **({} if by is None else {"actor": by}),
        )
    to.table(_table(made, to.language), data=_data_of(made))


def _resolved(platform: Platform, selection: Selection) -> Selection:
    """A case by its id, a place by its code, however they were named."""
    from infra.bootstrap import selection_of

    match selection.kind:
        case "case":
            return selection_of(case=platform.case_id(selection.value or ""))
        case "jurisdiction":
            return selection_of(jurisdiction=platform.info.tree.find(selection.value or "").code)
        case _:
            return selection


def _beside(selection: Selection) -> Path:
    """A name that says what is in the pack, in the folder that one is in."""
    said = [selection.value or "", str(selection.first or ""), str(selection.last or "")]
    words = [re.sub(r"[^\w.-]+", "_", each) for each in said if each]
    return Path("-".join(["pack", selection.kind.value, *words]) + ".zip")


def _table(made: MadePack, language: Language) -> Table:
    report = made.report
    remarks = [
        f"{made.path} · {made.path.stat().st_size:,} B",
        f"{report.origin} · {Word('截至位置', 'as of position').to(language)} {report.upto}"
        f" · {Word('条目', 'entries').to(language)} {report.entries:,}"
        f" · {Word('不出示', 'withheld').to(language)} {len(report.withheld):,}"
        f" · {Word('案件', 'cases').to(language)} {report.cases:,}"
        f" · {made.seconds:.1f} {Word('秒', 's').to(language)}",
        Word(
            "已核验签名、证明与完整性；交付时请另行告知公钥：",
            "Signatures, proofs and wholeness verified. Hand over the key by another way:",
        ).to(language),
        *report.trusted.vkeys,
    ]
    return Table(
        Word("证据包", "Evidence pack").to(language),
        (
            Column("name", Word("台账", "Ledger")),
            Column("rows", Word("行数", "Rows"), "integer"),
            Column("uncovered", Word("包内不可复算", "Not covered"), "integer"),
        ),
        [{"name": each.name, "rows": Count(each.rows), "uncovered": Count(each.uncovered)} for each in made.ledgers],
        remarks,
    )


def _data_of(made: MadePack) -> dict[str, object]:
    """What was made, for machines."""
    report = made.report
    return {
        "file": str(made.path),
        "bytes": made.path.stat().st_size,
        "origin": report.origin,
        "selection": {"kind": report.selection.kind.value, **_members(report.selection)},
        "upto": report.upto,
        "wholeness": report.wholeness,
        "made": report.made,
        "size": report.trusted.checkpoint.size,
        "entries": report.entries,
        "withheld": len(report.withheld),
        "partitions": report.partitions,
        "cases": report.cases,
        "office": report.office,
        "vkeys": list(report.trusted.vkeys),
        "ledgers": [
            {"name": each.name, "rows": each.rows, "uncovered": each.uncovered, "csv": each.csv, "xlsx": each.xlsx}
            for each in made.ledgers
        ],
        "seconds": round(made.seconds, 3),
    }


def _members(selection: Selection) -> dict[str, str]:
    given = {"value": selection.value, "first": selection.first, "last": selection.last}
    return {name: str(value) for name, value in given.items() if value is not None}
