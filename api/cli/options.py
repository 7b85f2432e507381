"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.session import Session
from api.cli.tables import Format, Output

FORMAT = Annotated[
    Format,
    typer.Option("--format", help="table 供人阅读，json/csv/xlsx 供程序 · table for people, the others for machines"),
]
OUTPUT = Annotated[
    Path | None, typer.Option("--output", "-o", help="写入文件 · write to a file instead of stdout", show_default=False)
]
KNOWN_AT = Annotated[
    str | None,
    typer.Option(
        "--as-known-at",
        help="按当时所知：日期、时刻或位置 · as known at a day (its end), an instant, or a position",
        show_default=False,
    ),
]
WAS_BY = Annotated[
    str | None,
    typer.Option(
        "--as-it-was-by",
        help="按现在所知，截至某日的实情 · as it was by a day, with what is known now",
        show_default=False,
    ),
]
ACTOR = Annotated[
    str | None, typer.Option("--as", help="以哪位人员的名义 · handle of the officer who acts", show_default=False)
]
METRICS_PORT = Annotated[
    int | None,
    typer.Option("--metrics-port", help="在本机此端口提供指标 · serve metrics here, on loopback", show_default=False),
]
NAMES = Annotated[bool, typer.Option("--names", help="显示个人信息明文 · show personal texts in clear")]


def output(session: Session, format: Format, file: Path | None) -> Output:
    """Where the answer goes."""
    return Output(format, session.language, file)
