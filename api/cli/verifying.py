"""`verify`: checks a pack, a proof or a receipt offline. It opens no platform and reads no settings: whoever checks need not have any."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.cli.failures import sentence
from api.cli.options import FORMAT, OUTPUT
from api.cli.progress import LongWork
from api.cli.session import session_of, warn
from api.cli.tables import Column, Count, Format, Output, Table
from api.errors import ANSWERS
from api.words import LANGUAGES, Language, Word
from domain.errors import InputError, VerificationError
from domain.sealing.encoding import base64_of

if TYPE_CHECKING:
    from domain.sealing.policy import Policy
    from infra.bootstrap import PackReport, ProofReport, Rule, Trusted

_RECEIPT: Final = "QL1 "
_PROOF: Final = b"c2sp.org/tlog-proof@"
_SUFFIX: Final = ".tlog-proof"
_ITEMS = (Column("what", Word("项目", "Item")), Column("value", Word("内容", "Value")))
_HOLDS = Word("核验通过", "Verified")
_FAILS = Word("核验不通过", "It does not hold")
_NOBODY = Word(
    "没有要求见证：除日志自身的密钥外，无人证明他人看到的是同一份日志。",
    "No witness was asked for: nobody but the log's own key vouches that others are shown the same log.",
)
_NOT_PROVED: Final = (
    Word("未证明：事件所述属实。", "Not proved: that what the events say is true."),
    Word("未证明：README.html 与 schemas/ 的内容。", "Not proved: what README.html and schemas/ say."),
)
_LATER = Word("未证明：位置 {} 之后的事。", "Not proved: what was recorded behind position {}.")
_FURTHER = Word(
    "未证明：除所列案件外，再无符合所选条件的其他案件。",
    "Not proved: that no further case belongs to what was asked for.",
)
_UNCOVERED = Word(
    "未证明：标为不可复算的 {} 行，其数字依据包外事件。",
    "Not proved: the figures of {} rows that say they are not covered; they rest on events outside the pack.",
)
_WITHHELD = Word(
    "有 {} 条条目依权限不出示，仅计入完整性：位置 {}。",
    "{} entries are withheld by right; they count for wholeness only: positions {}.",
)
_NAMED = 20
"""Withheld positions that are named one by one; JSON has all of them."""


def add_to(app: typer.Typer) -> None:
    """Adds the verb of this module."""
    app.command("verify", epilog="Example: qingling verify 平-1.zip --key log.vkey")(verify)


def verify(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="证据包、.tlog-proof 文件，或回执文本 · a pack, a proof file, or the text of a receipt",
            show_default=False,
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="日志公钥或其文件 · the log's public key, or a file with it", show_default=False),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option("--policy", help="C2SP 策略文件，代替 --key · whom to trust, witnesses too", show_default=False),
    ] = None,
    entry: Annotated[
        Path | None, typer.Option("--entry", help="证明所指的条目 · the entry that a proof is of", show_default=False)
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option("--proof", help="回执的证明文件 · the proof file of a receipt", show_default=False),
    ] = None,
    files_to: Annotated[
        Path | None,
        typer.Option(
            "--files-to",
            help="把证据包里的证据材料解密到此文件夹 · folder to write a pack's evidence files to, opened",
            show_default=False,
        ),
    ] = None,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """核验证据包、证明或回执 · Verify a pack, a proof or a receipt.

    Offline, against a public key got elsewhere; no database, settings or network. Exit code 9 when something does not hold.
    """
    from infra.bootstrap import trusted_by

    to = Output(format, _language(context), file)
    checking = _Checking(to)
    try:
        checking.run(what, trusted_by(key or [], policy), entry=entry, proof=proof, files_to=files_to)
    except VerificationError as error:
        checking.refuse(error)
        raise typer.Exit(ANSWERS[VerificationError].exit_code) from None
    except InputError as error:  # said here, since who else says it would look for the language in the settings
        warn(sentence(error, to.language))
        raise typer.Exit(ANSWERS[InputError].exit_code) from None


def _language(context: typer.Context) -> Language:
    """The language of the command line or the environment; settings are not read."""
    said = str(session_of(context).overrides.get("language") or os.environ.get("QINGLING_LANGUAGE") or "zh")
    for language in LANGUAGES:
        if language == said:
            return language
    raise InputError(f"{said!r} is no language of the doors: zh or en", field="language", rule="value")


class _Checking:
    """One check: which rule it is at, for who is told that one is broken."""

    def __init__(self, to: Output) -> None:
        self._to = to
        self._rule: Rule | None = None

    def run(
        self, subject: str, trusted: Policy, *, entry: Path | None, proof: Path | None, files_to: Path | None
    ) -> None:
        """Checks what was named, and says what was found.

        Raises:
            VerificationError: it does not hold.
            InputError: a file cannot be read, or is missing.
        """
        from infra.bootstrap import small_file, verify_proof

        receipt = _receipt_of(subject)
        if receipt is None and not _is_proof(Path(subject)):
            if entry is not None or proof is not None:
                raise InputError("a pack has its entries and proofs in it", field="entry", rule="pack-is-whole")
            self._pack(Path(subject), trusted, files_to)
            return
        if files_to is not None:
            raise InputError("only a pack has evidence files in it", field="files-to", rule="pack-is-whole")
        if receipt is not None and proof is None:
            raise InputError(
                "a receipt is checked together with its proof file: name it with --proof",
                field="proof",
                rule="proof-file",
            )
        data = small_file(proof if receipt is not None and proof is not None else Path(subject))
        of_entry = None if entry is None else small_file(entry).removesuffix(b"\n")
        self._proof(verify_proof(data, trusted, entry=of_entry, receipt=receipt))

    def refuse(self, error: VerificationError) -> None:
        """Says what does not hold: the rule in the reader's language, then the place."""
        rule, message, language = self._rule, str(error), self._to.language
        if rule is not None:
            message = message.removeprefix(f"rule {rule.number}, {rule.en}: ")
        if self._to.format is Format.JSON:
            number = None if rule is None else rule.number
            self._to.data({"verified": False, "rule": number, "message": message})
        title = (
            ""
            if rule is None
            else Word(f"规则{rule.number}，{rule.zh}：", f"rule {rule.number}, {rule.en}: ").to(language)
        )
        warn(f"{_FAILS.to(language)}{Word('：', ': ').to(language)}{title}{message}")

    def _pack(self, path: Path, trusted: Policy, files_to: Path | None) -> None:
        from infra.bootstrap import verify_pack

        language = self._to.language
        with LongWork(Word("核验", "Verifying").to(language)) as work:

            def show(rule: Rule, done: int, total: int | None) -> None:
                self._rule = rule
                work.show(done, total, f"{rule.number}/8 {rule.zh if language == 'zh' else rule.en}")

            report = verify_pack(path, trusted, files_to=files_to, progress=show)
        tables = [_pack_table(report, path, language), _ledgers_table(report, language)]
        self._to.tables(tables, data=_pack_data(report, language), flat=tables[1])

    def _proof(self, report: ProofReport) -> None:
        language = self._to.language
        rows = [
            _row(Word("日志", "Log"), report.trusted.checkpoint.origin, language),
            _row(Word("位置", "Position"), str(report.position), language),
            _row(Word("叶哈希", "Leaf hash"), base64_of(report.leaf), language),
            _row(Word("检查点", "Checkpoint"), f"{report.trusted.checkpoint.size:,}", language),
            *_trust_rows(report.trusted, language),
        ]
        shown = (
            Word("该条目的全部字节在日志的这一位置。", "The log holds exactly these bytes at this position.")
            if report.entry
            else Word(
                "日志的这一位置有哈希与回执相同的条目；条目内容须以 --entry 另行核对。",
                "The log holds an entry with the receipt's hash at this position; --entry checks its bytes.",
            )
        )
        remarks = [shown.to(language), *_unwitnessed(report.trusted, language), _NOT_PROVED[0].to(language)]
        table = Table(_HOLDS.to(language), _ITEMS, rows, remarks)
        self._to.table(table, data=_proof_data(report))


def _receipt_of(subject: str) -> bytes | None:
    """The text of a receipt, however its words are set apart; None where none was named."""
    from infra.bootstrap import small_file

    path = Path(subject)
    if subject.startswith(_RECEIPT):
        return " ".join(subject.split()).encode()
    if not path.is_file():
        raise InputError(f"there is no file {subject}, and it is no receipt", field="what", rule="readable")
    with path.open("rb") as file:
        if file.read(len(_RECEIPT)) != _RECEIPT.encode():
            return None
    return b" ".join(small_file(path).split())


def _is_proof(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == _SUFFIX or file.read(len(_PROOF)) == _PROOF


def _row(what: Word, value: str, language: Language) -> dict[str, object]:
    return {"what": what.to(language), "value": value}


def _trust_rows(trusted: Trusted, language: Language) -> list[dict[str, object]]:
    rows = [_row(Word("签名", "Signed by"), vkey, language) for vkey in trusted.vkeys]
    for each in trusted.cosigned:
        rows.append(_row(Word("见证", "Witnessed by"), f"{each.name} · {_utc(each.time)}", language))
    return rows


def _unwitnessed(trusted: Trusted, language: Language) -> list[str]:
    return [] if trusted.quorum else [_NOBODY.to(language)]


def _pack_table(report: PackReport, path: Path, language: Language) -> Table:
    selection = report.selection
    said = selection.value or (f"{selection.first} … {selection.last}" if selection.first else "")
    kinds = {
        "case": Word("一个案件", "one case"),
        "project": Word("一个项目的案件", "cases of a project"),
        "jurisdiction": Word("属地及其下级的案件", "cases of a place and below"),
        "received": Word("接报日期内的案件", "cases received in these days"),
        "all": Word("全部日志", "the whole log"),
    }
    logs = {"real": Word("正式", "real"), "simulation": Word("模拟", "simulation")}
    seconds = sum(report.seconds.values())
    rows = [
        _row(Word("文件", "File"), str(path), language),
        _row(Word("日志", "Log"), f"{report.origin} ({logs[report.kind].to(language)})", language),
        _row(Word("内容", "Shows"), f"{kinds[selection.kind.value].to(language)} {said}".rstrip(), language),
        _row(Word("截至位置", "As of position"), str(report.upto), language),
        _row(Word("条目", "Entries"), f"{report.entries:,}", language),
        _row(Word("分区", "Partitions"), f"{report.partitions:,}", language),
        _row(Word("案件", "Cases"), f"{report.cases:,}", language),
        _row(Word("证据材料", "Evidence files"), f"{report.files:,}", language),
        _row(Word("完整性承诺", "Wholeness committed"), str(report.wholeness), language),
        _row(Word("制作登记", "Pack announced"), f"{report.made} · {report.made_at:%Y-%m-%d %H:%M:%S}Z", language),
        _row(Word("检查点", "Checkpoint"), f"{report.trusted.checkpoint.size:,}", language),
        *_trust_rows(report.trusted, language),
        _row(Word("用时", "Took"), f"{seconds:.1f} {Word('秒', 's').to(language)}", language),
    ]
    return Table(f"{_HOLDS.to(language)} ✓", _ITEMS, rows, [_proved(report, language), *_not_proved(report, language)])


def _not_proved(report: PackReport, language: Language) -> Sequence[str]:
    uncovered = sum(each.uncovered for each in report.ledgers or ())
    remarks = _unwitnessed(report.trusted, language)
    if report.withheld:
        named = ", ".join(map(str, list(report.withheld)[:_NAMED])) + (" …" if len(report.withheld) > _NAMED else "")
        remarks.append(_WITHHELD.to(language).format(len(report.withheld), named))
    remarks += [word.to(language) for word in _NOT_PROVED]
    remarks.append(_LATER.to(language).format(report.upto))
    if report.selection.kind.value not in ("all", "case"):
        remarks.append(_FURTHER.to(language))
    if uncovered:
        remarks.append(_UNCOVERED.to(language).format(uncovered))
    return remarks


def _proved(report: PackReport, language: Language) -> str:
    return (
        Word(
            "已证明：每条条目在日志的原位，一字未改；所列分区截至位置 {} 完整无缺；台账由这些条目逐行算出，其摘要事先已记入日志。",
            "Proved: every entry stands at its place in the log, byte for byte; each partition listed is whole as of position {};"
            " the ledgers follow row by row from these entries, and the log announced their digests beforehand.",
        )
        .to(language)
        .format(report.upto)
    )


def _ledgers_table(report: PackReport, language: Language) -> Table:
    return Table(
        Word("台账", "Ledgers").to(language),
        (
            Column("name", Word("台账", "Ledger")),
            Column("rows", Word("行数", "Rows"), "integer"),
            Column("uncovered", Word("包内不可复算", "Not covered"), "integer"),
        ),
        [
            {"name": each.name, "rows": Count(each.rows), "uncovered": Count(each.uncovered)}
            for each in report.ledgers or ()
        ],
    )


def _pack_data(report: PackReport, language: Language) -> dict[str, object]:
    selection = report.selection
    given = {"value": selection.value, "first": selection.first, "last": selection.last}
    return {
        "verified": True,
        "what": "pack",
        "origin": report.origin,
        "kind": report.kind,
        "selection": {
            "kind": selection.kind.value,
            **{name: str(value) for name, value in given.items() if value is not None},
        },
        "upto": report.upto,
        "wholeness": report.wholeness,
        "made": report.made,
        "made_at": report.made_at,
        "entries": report.entries,
        "withheld": {str(position): partition for position, partition in report.withheld.items()},
        "partitions": report.partitions,
        "cases": report.cases,
        "office": report.office,
        "files": report.files,
        **_trust_data(report.trusted),
        "ledgers": [
            {"name": each.name, "rows": each.rows, "uncovered": each.uncovered} for each in report.ledgers or ()
        ],
        "bytes": report.bytes,
        "proved": [_proved(report, language)],
        "not_proved": list(_not_proved(report, language)),
        "seconds": {str(number): round(spent, 3) for number, spent in report.seconds.items()},
    }


def _proof_data(report: ProofReport) -> dict[str, object]:
    return {
        "verified": True,
        "what": "proof",
        "origin": report.trusted.checkpoint.origin,
        "position": report.position,
        "leaf": report.leaf.hex(),
        "entry": report.entry,
        **_trust_data(report.trusted),
    }


def _trust_data(trusted: Trusted) -> dict[str, object]:
    return {
        "size": trusted.checkpoint.size,
        "root": trusted.checkpoint.root.hex(),
        "signed_by": list(trusted.vkeys),
        "witnessed": trusted.quorum,
        "cosigned": [{"name": each.name, "vkey": each.vkey, "at": _utc(each.time)} for each in trusted.cosigned],
    }


def _utc(seconds: int) -> str:
    """A POSIX second as a person reads it; the number where no calendar reaches it."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return str(seconds)
