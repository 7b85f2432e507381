"""`init`, `up`, `serve`: a log is created by an explicit act, and served until somebody stops it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.progress import LongWork
from api.cli.serving import serve_until_stopped
from api.cli.session import SAMPLE_FOLDER, Session, session_of
from api.words import Word, word
from domain.errors import InputError, SettingsError

if TYPE_CHECKING:
    from infra.bootstrap import LogInfo, Settings

HOST = Annotated[
    str | None, typer.Option("--host", help="监听地址 · address to listen on (127.0.0.1)", show_default=False)
]
PORT = Annotated[int | None, typer.Option("--port", help="监听端口 · port to listen on (8000)", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Adds the verbs of this module."""
    app.command("init", epilog="Example: qingling init --origin yangquan")(init)
    app.command("up", epilog="Example: qingling up --sample --port 8080")(up)
    app.command("serve", epilog="Example: qingling serve --database-url postgresql://db/qingling --host 0.0.0.0")(serve)


def init(
    context: typer.Context,
    origin: Annotated[
        str, typer.Option(help="日志名称，将加随机后缀 · name of the log; gets a random suffix")
    ] = "yangquan",
    jurisdictions: Annotated[
        Path | None, typer.Option(help="属地表（TOML）· a tree of jurisdictions of your own", show_default=False)
    ] = None,
    campaign: Annotated[str, typer.Option(help="专项行动 · the campaign")] = "winter-2019",
    succeeds: Annotated[
        Path | None,
        typer.Option(
            help="接续已丢失的日志：其最后检查点文件 · checkpoint of a lost log that this one continues",
            show_default=False,
        ),
    ] = None,
) -> None:
    """建立真实日志 · Create a real log.

    密钥、数据库、首条事件 · Keys, database, and the first event, which says what the log is and never changes.
    """
    from infra.bootstrap import YANGQUAN, initialise

    session = session_of(context)
    settings = session.settings()
    info = initialise(
        settings,
        origin=origin,
        campaign=campaign,
        tree=jurisdictions or YANGQUAN,
        succeeds=None if succeeds is None else _read(succeeds),
    )
    for line in _created(session, settings, info):
        typer.echo(line)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", field="succeeds", rule="readable") from error


def _created(session: Session, settings: Settings, info: LogInfo) -> list[str]:
    tree = info.tree[info.root]
    place = Word(tree.name_zh, tree.name_en)
    where = "database" if settings.database_url else str(settings.data)
    return [
        f"{session.say(Word('已建立日志', 'Created the log'))} {info.origin} "
        f"({session.say(word(info.kind))}, {session.say(place)}, {info.zone.key}, {info.currency})",
        f"  {session.say(Word('数据', 'Data'))}: {where}",
        f"  {session.say(Word('密钥', 'Keys'))}: {settings.keyring_path}  "
        + session.say(Word("（请另行备份，勿与数据库同放）", "(back them up, and not together with the database)")),
        f"  {session.say(Word('签名密钥', 'Signing key'))}: {settings.signer_path}  "
        + session.say(
            Word(
                "（日志由它签名；须与数据及数据库分开存放，不随其备份恢复）",
                "(signs for the log; keep it apart from data and database, and never restore it with them)",
            )
        ),
        f"  {session.say(Word('下一步', 'Next'))}: qingling officer add HANDLE · qingling import FILE · qingling up",
    ]


def up(
    context: typer.Context,
    sample: Annotated[
        bool, typer.Option("--sample", help="模拟：演练一个冬季行动 · a simulation: a played winter campaign")
    ] = False,
    host: HOST = None,
    port: PORT = None,
) -> None:
    """启动全部服务 · Run everything until Ctrl-C.

    数据库、台账、接口、看板 · Database, ledgers, REST and console in one process.
    """
    from infra.bootstrap import CHECKOUT

    session = session_of(context)
    if sample and "data" not in session.overrides:
        session = Session({**session.overrides, "data": CHECKOUT / SAMPLE_FOLDER}, debug=session.debug)
    settings = session.settings(host=host, port=port)
    if sample:
        _play_sample(session, settings)
    serve_until_stopped(session, settings)


def _play_sample(session: Session, settings: Settings) -> None:
    """Plays the campaign into a folder that has no log yet."""
    from infra.bootstrap import is_initialised, run_sample

    if is_initialised(settings):
        return
    with LongWork(session.say(Word("演练冬季行动", "Playing the winter campaign"))) as work:
        run_sample(settings, lambda at: work.show(at.done, at.total, at.at.strftime("%Y-%m-%d")))


def serve(
    context: typer.Context,
    host: HOST = None,
    port: PORT = None,
    fold: Annotated[
        bool,
        typer.Option(
            "--fold/--no-fold", help="本进程是否汇总台账 · whether this process folds the ledgers, or workers do"
        ),
    ] = True,
) -> None:
    """用已有数据库提供服务 · Serve from a database of your own.

    不启动内嵌数据库 · REST, console and ledgers as with `up`, without the embedded database.
    """
    session = session_of(context)
    settings = session.settings(host=host, port=port)
    if not settings.database_url:
        raise SettingsError("serve needs --database-url or the setting database_url; `qingling up` brings a database")
    serve_until_stopped(session, settings, folding=fold)
