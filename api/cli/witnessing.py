"""`witness …`: an independent witness for whoever is not the office: a province, an audit firm. It needs a folder and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import FORMAT, OUTPUT, output
from api.cli.session import session_of
from api.cli.tables import Column, Format, Table
from api.words import Word
from domain.sealing.encoding import base64_of

app = typer.Typer(rich_markup_mode=None, help="独立见证人 · An independent witness of logs.")

STATE = Annotated[Path, typer.Option("--state", help="见证人的文件夹 · folder of the witness")]
_COLUMNS = (
    Column("origin", Word("日志", "Log")),
    Column("size", Word("已见证条数", "Leaves cosigned"), "integer"),
    Column("root", Word("根", "Root")),
    Column("at", Word("见证时间", "Cosigned at"), "time"),
    Column("vkeys", Word("日志公钥", "Keys of the log"), "list"),
    Column("url", Word("地址", "URL")),
)


@app.command("init", epilog="Example: qingling witness init --state var/witness --name witness.example.org/province")
def init(
    context: typer.Context,
    state: STATE,
    name: Annotated[
        str, typer.Option(help="名称，宜用不带协议的网址 · name; best a URL without its scheme", show_default=False)
    ],
) -> None:
    """建立见证人 · Make a witness with a key of its own.

    公钥交给日志方与核验者，私钥不出此文件夹 · The public key goes to logs and verifiers; the secret stays in the folder.
    """
    from infra.bootstrap import WitnessDesk

    session = session_of(context)
    desk = WitnessDesk.create(state, name)
    typer.echo(desk.vkey)
    kept = Word("私钥在此，请勿复制他处", "The secret lies here; never run it in a second place")
    typer.echo(f"{session.say(kept)}: {desk.key_file}", err=True)


@app.command(
    "add-log", epilog="Example: qingling witness add-log --state var/witness VKEY --url https://audit.example.org/log1"
)
def add_log(
    context: typer.Context,
    state: STATE,
    vkey: Annotated[str, typer.Argument(help="日志公钥 · the log's public key")],
    url: Annotated[str, typer.Option(help="日志网址，供人查阅 · where the log is; for people")] = "",
) -> None:
    """登记日志 · Cosign the checkpoints that this key signs.

    运行中的见证服务随即生效；同一日志换钥时再登记新钥 · A running server knows it at once; a log that changes keys is added again.
    """
    from infra.bootstrap import WitnessDesk

    added = WitnessDesk.open(state).add_log(vkey, url)
    typer.echo(f"{session_of(context).say(Word('已登记', 'Known from now on'))}: {added.key.name}")


@app.command("serve", epilog="Example: qingling witness serve --state var/witness --host 0.0.0.0 --port 7380")
def serve(
    context: typer.Context,
    state: STATE,
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="监听端口 · port to listen on")] = 7380,
) -> None:
    """运行见证服务 · Answer logs and monitors until stopped.

    只看到日志名、条数与根，看不到任何内容 · It sees names, sizes and roots of logs, and never an entry.
    """
    from api.cli.serving import answer_requests, listening, stopped_by_signals
    from api.witness import create_witness_app
    from infra.bootstrap import WitnessDesk

    session = session_of(context)
    desk = WitnessDesk.open(state)
    with listening(host, port) as listener, stopped_by_signals():
        shown = f"[{host}]" if ":" in host else host
        lines = [
            desk.vkey,
            f"  {session.say(Word('提交', 'Submission'))}: http://{shown}:{listener.getsockname()[1]}/add-checkpoint",
            f"  {session.say(Word('按 Ctrl-C 停止', 'Ctrl-C stops it'))}",
        ]
        answer_requests(create_witness_app(desk), listener, lines)
    typer.echo(session.say(Word("已停止", "Stopped")), err=True)


@app.command("status", epilog="Example: qingling witness status --state var/witness --format json")
def status(context: typer.Context, state: STATE, format: FORMAT = Format.TABLE, file: OUTPUT = None) -> None:
    """见证情况 · Show the logs that are known, and what was cosigned of each."""
    from infra.bootstrap import WitnessDesk

    session = session_of(context)
    to = output(session, format, file)
    desk = WitnessDesk.open(state)
    rows = [
        {
            "origin": log.origin,
            "size": log.size,
            "root": None if log.root is None else base64_of(log.root),
            "at": log.at,
            "vkeys": list(log.vkeys),
            "url": log.url,
        }
        for log in desk.logs()
    ]
    title = Word("见证人", "Witness").to(to.language)
    to.table(
        Table(title, _COLUMNS, rows, [desk.vkey, str(desk.key_file)]),
        data={"vkey": desk.vkey, "key_file": str(desk.key_file), "logs": rows},
    )
