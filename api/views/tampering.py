"""What a tamper report says to people: each finding as a sentence that can be quoted, with who vouches for what was sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.words import TAMPER_RULES, TAMPER_SENTENCES, Language, Word

if TYPE_CHECKING:
    from infra.bootstrap import TamperFinding, TamperReport

_OF_ROWS = frozenset(
    {"entry-changed", "entry-replaced", "row-missing", "log-ends-early", "rows-swapped", "rows-renumbered"}
)
_NOTHING = Word("无", "nothing")
_INTACT = Word("条目文件与哈希块仍是当时入树的内容。", "Bundle and tile still hold what was sealed.")
_NOT_INTACT = Word("条目文件或哈希块也不是当时入树的内容。", "Bundle or tile do not hold what was sealed either.")
_DIFFERENCE = Word("差异：{detail}。", "Difference: {detail}.")
_REASON = Word("原因：{detail}。", "Reason: {detail}.")
_BYTE = Word("第 {number} 个字节", "byte {number}")
_TAKEN_OUT = Word("当时入树于{gone} 的记录已不在原处，", "what was sealed at {gone} is no longer there, and ")
_PUT_IN = Word("{gone} 是插入的记录，", "something was put in at {gone}, and ")
_NOWHERE = Word("不在某一位置", "at no single position")
_UNVOUCHED = Word("没有已签名的根能确认当时入树的内容。", "No signed root confirms what was sealed.")
_COVER = Word(
    "由检查点覆盖：大小 {size}，根 {root}，{who}。", "Covered by the checkpoint of size {size}, root {root}, {who}."
)
_COSIGNED = Word("见证：{names}", "cosigned by {names}")
_UNWITNESSED = Word("已公布，无见证", "published, no witness")
_SIGNED_ONLY = Word("仅签名，未公布", "signed, not published")


def finding_sentence(finding: TamperFinding, language: Language) -> str:
    """The whole finding, in words."""
    parts = [_what(finding, language)]
    if finding.rule in _OF_ROWS:
        parts.append((_INTACT if finding.intact else _NOT_INTACT).to(language))
    if finding.detail:
        label = _DIFFERENCE if finding.rule in _OF_ROWS else _REASON
        parts.append(label.to(language).format(detail=_detail(finding.detail, language)))
    if finding.position and not finding.vouched:
        parts.append(_UNVOUCHED.to(language))
    if finding.cover is not None:
        parts.append(_cover(finding, language))
    return ("" if language == "zh" else " ").join(parts)


def _what(finding: TamperFinding, language: Language) -> str:
    first, last = finding.position, finding.last or finding.position
    cause, where, moved = "", positions(first, last, language), ""
    if finding.rule == "rows-renumbered":
        cause, where, moved = _renumbered(finding, language)
    nothing = _NOTHING.to(language)
    return (
        TAMPER_SENTENCES[finding.rule]
        .to(language)
        .format(
            where=where,
            other=positions(first + finding.shift, last + finding.shift, language),
            cause=cause,
            moved=moved,
            position=first,
            path=finding.path,
            stored=finding.stored or nothing,
            sealed=finding.sealed or nothing,
        )
    )


def _renumbered(finding: TamperFinding, language: Language) -> tuple[str, str, str]:
    """Why rows are numbered anew, where they are now, and where they were sealed."""
    first, last, shift = finding.position, finding.last, finding.shift
    cause = ""
    if shift > 0:
        cause = _TAKEN_OUT.to(language).format(gone=positions(first, first + shift - 1, language))
        last -= finding.unmoved
    elif finding.unmoved:
        cause = _PUT_IN.to(language).format(gone=positions(first, first + finding.unmoved - 1, language))
        first += finding.unmoved
    return cause, positions(first, last, language), positions(first + shift, last + shift, language)


def _detail(detail: str, language: Language) -> str:
    number = detail.removeprefix("byte ")
    return _BYTE.to(language).format(number=number) if number != detail and number.isdecimal() else detail


def positions(first: int, last: int, language: Language) -> str:
    """One position, a stretch of them, or none."""
    if first == 0:
        return _NOWHERE.to(language)
    span = str(first) if first == last else f"{first}–{last}"
    if language == "zh":
        return f"位置 {span}"
    return f"position {span}" if first == last else f"positions {span}"


def _cover(finding: TamperFinding, language: Language) -> str:
    cover = finding.cover
    assert cover is not None
    if not cover.published:
        who = _SIGNED_ONLY.to(language)
    elif cover.cosigners:
        names = ("、" if language == "zh" else ", ").join(cover.cosigners)
        who = _COSIGNED.to(language).format(names=names)
    else:
        who = _UNWITNESSED.to(language)
    return _COVER.to(language).format(size=cover.size, root=cover.root, who=who)


def finding_row(finding: TamperFinding, language: Language) -> dict[str, object]:
    """The finding as one row, for tables and machines."""
    cover = finding.cover
    return {
        "rule": finding.rule.value,
        "title": TAMPER_RULES[finding.rule].to(language),
        "position": finding.position,
        "last": finding.last,
        "path": finding.path,
        "stored": finding.stored,
        "sealed": finding.sealed,
        "shift": finding.shift,
        "unmoved": finding.unmoved,
        "intact": finding.intact,
        "vouched": finding.vouched,
        "detail": finding.detail,
        "checkpoint": None if cover is None else cover.size,
        "cosigners": [] if cover is None else list(cover.cosigners),
        "sentence": finding_sentence(finding, language),
    }


def report_view(report: TamperReport, language: Language) -> dict[str, object]:
    """The whole report for machines."""
    return {
        "origin": report.origin,
        "clean": report.is_clean,
        "recorded": report.recorded,
        "sealed": report.sealed,
        "signed": report.signed,
        "published": report.published,
        "checkpoints": report.checkpoints,
        "unwitnessed": report.unwitnessed,
        "commitments": report.commitments,
        "with_signer": report.with_signer,
        "omitted": report.omitted,
        "findings": [finding_row(finding, language) for finding in report.findings],
    }
