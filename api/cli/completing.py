"""`completeness`: who is missing in one register and stands in the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from api.cli.options import FORMAT, KNOWN_AT, OUTPUT, output
from api.cli.session import session_of
from api.cli.tables import Column, Format, Table
from api.views.completeness import CompletenessView, ListedView, ProjectView, completeness_view
from api.words import Language, Word


def add_to(app: typer.Typer) -> None:
    """Adds the verb of this module."""
    app.command("completeness", epilog="Example: qingling completeness --jurisdiction 平定县")(completeness)


def completeness(
    context: typer.Context,
    as_known_at: KNOWN_AT = None,
    jurisdiction: Annotated[
        str | None, typer.Option("--jurisdiction", help="属地及其下级 · a place and all below it", show_default=False)
    ] = None,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """查漏 · Show who is missing.

    已受理而未立案的投诉；许可、审批与已登记项目的对照 · Complaints without their case; permits and approvals beside the projects.
    """
    session = session_of(context)
    to = output(session, format, file)
    with session.reading() as reading:
        view = completeness_view(reading, as_known_at=as_known_at, jurisdiction=jurisdiction)
    to.table(_table(view, to.language), data=view)


def _table(view: CompletenessView, language: Language) -> Table:
    columns = (
        Column("finding", Word("情形", "Finding")),
        Column("kind", Word("种类", "Kind")),
        Column("number", Word("编号", "Number")),
        Column("name", Word("名称", "Name")),
        Column("place", Word("属地", "Place")),
        Column("beside", Word("对照", "Beside it")),
    )
    counts = Word(
        f"名单 {view.lists}，所列 {view.listed}，已登记项目 {view.projects}，对上 {view.matched}",
        f"{view.lists} lists, {view.listed} listed, {view.projects} registered projects, {view.matched} matched",
    )
    remarks = [counts.to(language), f"{Word('位置', 'position').to(language)} {view.position}"]
    if not view.lists:
        none = Word(
            "尚未导入任何许可、审批名单，项目底数不明",
            "no list was handed in: how many projects there are is not known",
        )
        remarks.insert(0, none.to(language))
    return Table(Word("查漏", "Who is missing").to(language), columns, list(_rows(view, language)), remarks)


def _rows(view: CompletenessView, language: Language) -> Iterator[dict[str, object]]:
    for orphan in view.orphans:
        said = Word("已受理而未立案", "case never registered").to(language)
        place = orphan.place.to(language)
        yield {"finding": said, "number": orphan.number, "place": place, "beside": orphan.case}
    for row in view.unregistered:
        yield {"finding": Word("未登记", "not registered").to(language), **_listed(row, language)}
    for project in view.unlisted:
        yield {"finding": Word("不在名单", "in no list").to(language), **_project(project, language)}
    for match in view.conflicting:
        differs = "、".join(each.to(language) for each in match.conflicts)
        beside = f"{match.project.number} {match.project.name}: {differs}"
        yield {"finding": Word("不一致", "differs").to(language), **_listed(match.listed, language), "beside": beside}
    for each in view.ambiguous:
        beside = "; ".join(f"{project.number} {project.name}" for project in each.projects)
        yield {
            "finding": Word("几个项目", "several fit").to(language),
            **_listed(each.listed, language),
            "beside": beside,
        }
    for rows in view.listed_twice:
        for row in rows:
            yield {"finding": Word("重复列出", "listed twice").to(language), **_listed(row, language)}


def _listed(row: ListedView, language: Language) -> dict[str, object]:
    return {
        "kind": row.kind_title.to(language),
        "number": row.number or "",
        "name": row.name,
        "place": "" if row.place is None else row.place.to(language),
    }


def _project(project: ProjectView, language: Language) -> dict[str, object]:
    return {"number": project.number, "name": project.name, "place": project.place.to(language)}
