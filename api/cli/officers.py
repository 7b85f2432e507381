"""`officer …`: who may use the doors. A token is shown once; only its digest is kept."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.options import ACTOR, FORMAT, OUTPUT, output
from api.cli.session import officer_of, session_of
from api.cli.tables import Column, Format, Table
from api.views.ledger import Asked, ledger_page
from api.words import Language, Word

app = typer.Typer(rich_markup_mode=None, help="人员与令牌 · Officers, and the tokens that name them.")

HANDLE = Annotated[str, typer.Argument(help="代号 · the short name")]
_COLUMNS = (
    Column("handle", Word("代号", "Handle")),
    Column("jurisdiction", Word("属地", "Jurisdiction")),
    Column("officer", Word("编号", "Id")),
    Column("tokens", Word("有效令牌数", "Tokens in force"), "integer"),
)


@app.command("add", epilog="Example: qingling officer add li-si --jurisdiction 平定县")
def add(
    context: typer.Context,
    handle: HANDLE,
    name: Annotated[str | None, typer.Option(help="姓名（加密保存）· name; kept sealed", show_default=False)] = None,
    jurisdiction: Annotated[
        str | None,
        typer.Option(help="属地 · the place they work for; the log's own where not given", show_default=False),
    ] = None,
    actor: ACTOR = None,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """登记人员 · Enter an officer.

    The first token is shown once.
    """
    session = session_of(context)
    with session.platform() as platform:
        by = officer_of(platform, actor)
        officer, token = platform.add_officer(
            handle, name=name, jurisdiction=jurisdiction, **({} if by is None else {"actor": by})
        )
    output(session, format, file).table(_token_table(handle, officer, token, session.language))


@app.command("token", epilog="Example: qingling officer token li-si --label laptop")
def token(
    context: typer.Context,
    handle: HANDLE,
    label: Annotated[str, typer.Option(help="用途 · what it is for")] = "token",
    actor: ACTOR = None,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """签发令牌 · Issue another token.

    It is shown once.
    """
    session = session_of(context)
    with session.platform() as platform:
        by = officer_of(platform, actor)
        secret = platform.issue_token(handle, label, **({} if by is None else {"actor": by}))
    output(session, format, file).table(_token_table(handle, None, secret, session.language))


@app.command("revoke", epilog="Example: qingling officer revoke li-si --reason left")
def revoke(
    context: typer.Context,
    handle: HANDLE,
    reason: Annotated[str, typer.Option(help="理由 · why")],
    actor: ACTOR = None,
) -> None:
    """吊销令牌 · Take all tokens back.

    None of them names the officer any more.
    """
    session = session_of(context)
    with session.platform() as platform:
        by = officer_of(platform, actor)
        revoked = platform.revoke_tokens(handle, reason, **({} if by is None else {"actor": by}))
    typer.echo(f"{handle}: {revoked} {session.say(Word('个令牌已吊销', 'tokens revoked'))}")


@app.command("list", epilog="Example: qingling officer list --format json")
def list_officers(context: typer.Context, format: FORMAT = Format.TABLE, file: OUTPUT = None) -> None:
    """列出人员 · List officers.

    With how many tokens each has in force, and never the tokens.
    """
    session = session_of(context)
    with session.reading() as reading:
        rows, after = [], None
        while True:
            page = ledger_page(
                reading,
                "officer",
                Asked(after=after, limit=reading.platform.settings.page_limit),
                lambda cursor: cursor,
            )
            rows += [{column.name: row.values[column.name] for column in _COLUMNS} for row in page.rows]
            after = page.after
            if after is None:
                break
    output(session, format, file).table(Table(Word("人员", "Officers").to(session.language), _COLUMNS, rows))


def _token_table(handle: str, officer: str | None, secret: str, language: Language) -> Table:
    columns = [Column("handle", Word("代号", "Handle")), Column("token", Word("令牌", "Token"))]
    row: dict[str, object] = {"handle": handle, "token": secret}
    if officer is not None:
        columns.insert(1, Column("officer", Word("编号", "Id")))
        row["officer"] = officer
    shown_once = Word("令牌只显示这一次，请妥善保管", "The token is shown this once; keep it safe")
    return Table(Word("令牌", "Token").to(language), columns, [row], [shown_once.to(language)])
