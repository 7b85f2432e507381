"""`log …`: the provable log. How far it is sealed and published, checkpoints, proofs and keys, whether anything was altered, recovery."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import ACTOR, FORMAT, OUTPUT, output
from api.cli.progress import LongWork
from api.cli.session import officer_of, session_of
from api.cli.tables import Column, Format, Output, Table
from api.errors import ANSWERS
from api.views.tampering import finding_row, positions, report_view
from api.words import Language, Word
from domain.errors import InputError, NotReadyError, VerificationError

if TYPE_CHECKING:
    from infra.bootstrap import Platform, RecoveryReport, SealingStatus, TamperReport

app = typer.Typer(
    rich_markup_mode=None, help="可验证日志 · The provable log: checkpoints, proofs, keys, tamper report."
)

FILE = Annotated[
    Path | None, typer.Option("--output", "-o", help="写入文件 · write to a file instead of stdout", show_default=False)
]
_PATIENCE = 60.0  # seconds that a proof is waited for when that is asked for
_ITEMS = (Column("item", Word("项目", "Item")), Column("value", Word("内容", "Value")))
_WITNESSES = (
    Column("name", Word("见证人", "Witness")),
    Column("cosigned", Word("已见证至", "Cosigned up to"), "integer"),
    Column("at", Word("见证时间", "At"), "time"),
    Column("url", Word("地址", "URL")),
    Column("trouble", Word("问题", "Trouble")),
    Column("vkey", Word("公钥", "Key")),
)
_CHECKPOINTS = (
    Column("size", Word("条数", "Size"), "integer"),
    Column("root", Word("根", "Root")),
    Column("kept", Word("保存时间", "Kept at"), "time"),
    Column("note", Word("签名检查点", "Note")),
)
_FINDINGS = (
    Column("title", Word("性质", "Kind")),
    Column("sentence", Word("说明", "Finding")),
    Column("rule", Word("规则", "Rule")),
    Column("position", Word("位置", "Position"), "integer"),
    Column("last", Word("止于", "Last"), "integer"),
    Column("path", Word("文件", "File")),
    Column("stored", Word("现存", "Stored")),
    Column("sealed", Word("当时入树", "Sealed")),
    Column("checkpoint", Word("覆盖的检查点", "Checkpoint"), "integer"),
    Column("cosigners", Word("见证", "Cosigners"), "list"),
)


@app.command("status", epilog="Example: qingling log status --format json")
def status(context: typer.Context, format: FORMAT = Format.TABLE, file: OUTPUT = None) -> None:
    """日志状态 · Show how far the log is sealed and published.

    Keys, sizes, witnesses, and whether sealing runs. Exit code 6 when it has stopped by itself.
    """
    session = session_of(context)
    to = output(session, format, file)
    with session.platform(folding=False) as platform:
        found = platform.sealing.status()
    data = _status_data(found)
    rows = [{"item": _STATUS[name].to(to.language), "value": data[name]} for name in _STATUS]
    main = Table(Word("可验证日志", "The provable log").to(to.language), _ITEMS, rows)
    witnesses = Table(Word("见证人", "Witnesses").to(to.language), _WITNESSES, [w._asdict() for w in found.witnesses])
    to.tables([main, witnesses] if found.witnesses else [main], data=data, flat=main)
    if found.stopped is not None:
        raise typer.Exit(ANSWERS[NotReadyError].exit_code)


@app.command("checkpoint", epilog="Example: qingling log checkpoint --output checkpoint")
def checkpoint(
    context: typer.Context,
    size: Annotated[
        int | None, typer.Option(help="此条数的检查点 · that of this size instead of the latest", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="列出全部 · list all that were published")] = False,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """输出检查点 · Print the published checkpoint.

    A signed note with its cosignatures, byte for byte. With --size also one that was signed and never published.
    """
    session = session_of(context)
    with session.platform(folding=False) as platform:
        if every:
            to = output(session, format, file)
            to.table(
                Table(
                    Word("已公布的检查点", "Published checkpoints").to(to.language),
                    _CHECKPOINTS,
                    list(_published(platform)),
                )
            )
            return
        note = platform.sealing.checkpoint() if size is None else platform.sealing.checkpoint_at(size)
    _hand_out(note, file)


@app.command("proof", epilog="Example: qingling log proof 12 --output 12.tlog-proof")
def proof(
    context: typer.Context,
    position: Annotated[int, typer.Argument(help="位置 · position of the event", show_default=False)],
    wait: Annotated[
        bool, typer.Option("--wait", help="未公布则先公布 · have it published first, and wait for that")
    ] = False,
    file: FILE = None,
) -> None:
    """输出证明 · Print the proof that an event is in the log.

    离线可核验，不含个人信息 · A .tlog-proof file (C2SP), to be checked offline with `qingling verify`; it holds no personal data.
    """
    with session_of(context).platform(folding=False) as platform:
        if wait:
            platform.sealing.publish(_PATIENCE)
        made = platform.sealing.proof(position)
    _hand_out(made.data, file)


@app.command("fsck", epilog="Example: qingling log fsck --format xlsx --output report.xlsx")
def fsck(
    context: typer.Context,
    every_map: Annotated[
        bool,
        typer.Option(
            "--all-maps", help="重算每次完整性承诺 · recompute every commitment to wholeness, not only the last"
        ),
    ] = False,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """查验篡改 · Compare everything stored with what was signed.

    逐条比对数据库、条目文件、哈希块与检查点 · Rows, bundles, tiles and checkpoints. Exit code 9 when anything differs.
    """
    from infra.bootstrap import compare_log

    session = session_of(context)
    to = output(session, format, file)
    with LongWork(session.say(Word("比对", "Comparing"))) as work:
        report = compare_log(session.settings(), work.show, all_commitments=every_map)
    to.table(_report_table(report, to), data=report_view(report, to.language))
    if not report.is_clean:
        raise typer.Exit(ANSWERS[VerificationError].exit_code)


@app.command("recover", epilog="Example: qingling log recover")
def recover(context: typer.Context) -> None:
    """恢复日志 · Bring the log back after an honest loss.

    从条目文件补回恢复旧备份后缺失的记录，或重建丢失的哈希块；先核验，有出入即拒绝 · Entries that a restored database lacks come back out of
    the bundles, tiles that are lost out of the database; checked first, and refused where anything differs.
    """
    from infra.bootstrap import recover_log

    session = session_of(context)
    with LongWork(session.say(Word("恢复", "Recovering"))) as work:
        report = recover_log(session.settings(), work.show)
    for line in _recovered(report, session.language):
        typer.echo(line)


@app.command("rotate-key", epilog="Example: qingling log rotate-key --reason yearly")
def rotate_key(
    context: typer.Context,
    reason: Annotated[str | None, typer.Option(help="理由 · why", show_default=False)] = None,
    actor: ACTOR = None,
) -> None:
    """换用新密钥 · Make another signing key.

    新钥记入日志，此后新旧同签 · It is announced in the log; from then on all keys sign. On a log without a key: the first one.
    """
    session = session_of(context)
    with session.platform(folding=False) as platform:
        by = officer_of(platform, actor) or _SYSTEM
        before, new = platform.sealing.rotate_key(reason, by)
    if before is not None:
        typer.echo(f"{session.say(Word('原公钥', 'Key of before'))}: {before}")
    typer.echo(f"{session.say(Word('新公钥', 'New key'))}: {new}")
    hand_on = Word("请把新公钥交给每一位核验者与见证人", "Hand the new key to every verifier and witness")
    typer.echo(session.say(hand_on))


@app.command("retire-key", epilog="Example: qingling log retire-key VKEY --reason yearly")
def retire_key(
    context: typer.Context,
    vkey: Annotated[str, typer.Argument(help="要停用的公钥 · the key that shall sign no more")],
    reason: Annotated[str | None, typer.Option(help="理由 · why", show_default=False)] = None,
    actor: ACTOR = None,
) -> None:
    """停用密钥 · Let a key sign no more.

    停用记入日志，私钥随即删除；已签者仍有效 · It is recorded, then the secret is removed; what it signed stays signed.
    """
    session = session_of(context)
    with session.platform(folding=False) as platform:
        platform.sealing.retire_key(vkey, reason, officer_of(platform, actor) or _SYSTEM)
    typer.echo(f"{session.say(Word('已停用', 'Signs no more'))}: {vkey}")


@app.command("wholeness", epilog="Example: qingling log wholeness")
def wholeness(context: typer.Context, actor: ACTOR = None) -> None:
    """承诺完整 · Bind the log to every history as of now.

    此后任何一案的历史都不能增删而不被发现；每日自动进行 · From then on no history can be shown shorter, longer or otherwise.
    """
    session = session_of(context)
    with session.platform(folding=False) as platform:
        by = officer_of(platform, actor) or _SYSTEM
        platform.sealing.commit_wholeness(by)
        made = platform.sealing.committed()
    if made is None:
        raise NotReadyError("the commitment was recorded and cannot be read again yet")
    said = Word(
        f"位置 {made.position}：已承诺截至位置 {made.upto} 的 {made.streams} 个事件流、{made.partitions} 个分区",
        f"Position {made.position} binds the log to {made.streams} streams and {made.partitions} partitions as of position {made.upto}",
    )
    typer.echo(session.say(said))


_SYSTEM = "system"

_STATUS = {
    "origin": Word("日志名", "Origin"),
    "recorded": Word("已登记", "Recorded"),
    "sealed": Word("已入树", "Sealed"),
    "published": Word("已公布", "Published"),
    "published_at": Word("公布时间", "Published at"),
    "root": Word("树根", "Root"),
    "witnessed": Word("是否有见证", "Witnessed"),
    "quorum": Word("要求的见证", "Quorum"),
    "running": Word("本进程正在入树", "Sealing in this process"),
    "stopped": Word("停止原因", "Stopped because"),
    "trouble": Word("困难", "Trouble"),
    "committed": Word("最近的完整性承诺（截至）", "Last commitment to wholeness (as of)"),
    "vkeys": Word("公钥", "Keys"),
    "folder": Word("文件夹", "Folder"),
    "signer": Word("签名密钥所在", "Signer"),
}


def _status_data(found: SealingStatus) -> dict[str, object]:
    """For machines, and the values that people read."""
    return {
        "origin": found.origin,
        "recorded": found.recorded,
        "sealed": found.sealed,
        "published": found.published,
        "published_at": found.published_at,
        "root": None if found.root is None else found.root.hex(),
        "witnessed": found.witnessed,
        "quorum": found.quorum,
        "running": found.running,
        "stopped": found.stopped,
        "trouble": found.trouble,
        "committed": None if found.committed is None else found.committed.upto,
        "vkeys": list(found.vkeys),
        "folder": str(found.folder),
        "signer": str(found.signer),
        "witnesses": [witness._asdict() for witness in found.witnesses],
    }


def _published(platform: Platform) -> Iterator[dict[str, object]]:
    for kept in platform.sealing.store.history().all(platform.sealing.origin):
        yield {"size": kept.size, "root": kept.root.hex(), "kept": kept.kept_at, "note": kept.note.decode()}


def _hand_out(data: bytes, file: Path | None) -> None:
    """Bytes as they are, to a file or to stdout."""
    if file is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}", field="output", rule="writable") from error


def _report_table(report: TamperReport, to: Output) -> Table:
    """People read what it is and the sentence; sheets get all the columns."""
    columns = _FINDINGS[:2] if to.format is Format.TABLE else _FINDINGS
    rows = [finding_row(finding, to.language) for finding in report.findings]
    return Table(
        Word("篡改查验报告", "Tamper report").to(to.language), columns, rows, list(_verdict(report, to.language))
    )


def _verdict(report: TamperReport, language: Language) -> Iterator[str]:
    def said(zh: str, en: str) -> str:
        return Word(zh, en).to(language)

    yield f"{report.origin}: " + (
        said("与签名完全相符", "Nothing differs from what was signed")
        if report.is_clean
        else said("与签名不符", "Something differs from what was signed")
    )
    yield (
        f"{said('已登记', 'Recorded')} {report.recorded} · {said('已入树', 'sealed')} {report.sealed} · "
        f"{said('已签名', 'signed')} {report.signed} · {said('已公布', 'published')} {report.published}"
    )
    yield (
        f"{said('核验检查点', 'Checkpoints checked')} {report.checkpoints} · "
        f"{said('重算完整性承诺', 'commitments recomputed')} {report.commitments}"
    )
    if not report.with_signer:
        yield said(
            "签名方不在此处：只以已公布的检查点为准",
            "The signer is not here: only what was published vouches for anything",
        )
    if report.unwitnessed:
        lacking = said(
            "个已公布的检查点没有今日所要求的见证", "published checkpoints lack the witnesses asked for today"
        )
        yield f"{report.unwitnessed} {lacking}"
    if report.omitted:
        yield f"{said('另有未列出的不符之处', 'Further findings, not listed')}: {report.omitted}"


def _recovered(report: RecoveryReport, language: Language) -> Iterator[str]:
    def said(zh: str, en: str) -> str:
        return Word(zh, en).to(language)

    if not report.changed:
        yield said(
            f"日志与已签名的 {report.signed} 条完全相符，无须恢复",
            f"The log holds all {report.signed} entries that were signed; there was nothing to recover",
        )
    if report.refilled:
        first = report.signed - report.refilled + 1
        where = positions(first, report.signed, language)
        yield said(f"{where}已从条目文件补回数据库，逐字节相同", f"Put back out of the bundles, byte for byte: {where}")
        yield said(
            "其请求号不能恢复：同一请求若再次提交会被再次记录",
            "Their idempotency keys do not come back: the same request sent again would be recorded again",
        )
    if report.regrown:
        yield said(
            f"哈希树已由数据库重建 {report.regrown} 条",
            f"Tiles grown again out of the database: {report.regrown} leaves",
        )
    if report.discarded:
        yield said(
            f"有 {report.discarded} 条已入树而未签名、与数据库矛盾，其文件移至 {report.aside}",
            f"{report.discarded} leaves were never signed and the database contradicts them; their files are in {report.aside}",
        )
    if report.lost_fields:
        yield said(
            f"有 {report.lost_fields} 个加密字段没有密文；密文另有备份，请从保管库的备份恢复",
            f"{report.lost_fields} sealed fields have no ciphertext now; ciphertexts come back from the backup of the vault only",
        )
