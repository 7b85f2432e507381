"""What a door answers when something goes wrong: the one table from errors to HTTP status, problem type, title and exit code.

Guarantees that every class of `domain/errors.py` has an answer of its own, so that REST, console and CLI never disagree, and that a
problem says what was wrong with the input but nothing of the inside. Problem types are URNs, `urn:qingling:problem:<name>`: they are
names to compare, not addresses to open (RFC 9457, section 3.1.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from domain.errors import (
    ClockError,
    ConflictError,
    DistributionError,
    EmbeddedServerError,
    ErasedError,
    FoldError,
    IdempotencyError,
    InputError,
    LogMismatchError,
    NotFoundError,
    NotReadyError,
    QinglingError,
    RecordingError,
    Refused,
    RuleError,
    SettingsError,
    UnauthorisedError,
    UnknownEventError,
    UnreadableBookError,
    VerificationError,
)

PROBLEM_PREFIX = "urn:qingling:problem:"
EXIT_UNEXPECTED = 1
"""Exit code of a failure that no class of the tree describes: a defect."""


class Answer(NamedTuple):
    """How every door answers one kind of error."""

    status: int
    name: str
    zh: str
    en: str
    exit_code: int

    @property
    def type(self) -> str:
        """The problem type, an URN."""
        return PROBLEM_PREFIX + self.name


# Exit codes: 2 what was asked is wrong, 3 refused, 4 not there, 5 not allowed, 6 not ready, 7 not recorded, 8 a ledger stopped,
# 9 a proof does not hold, 10 the deployment is set up wrongly, 11 its database does not start, 12 nothing is distributed.
ANSWERS: Mapping[type[QinglingError], Answer] = {
    QinglingError: Answer(500, "failure", "系统故障", "The request failed", EXIT_UNEXPECTED),
    Refused: Answer(409, "refused", "不予办理，未作记录", "Refused; nothing was recorded", 3),
    RuleError: Answer(422, "rule-not-met", "不符合规则，未作记录", "A rule is not met; nothing was recorded", 3),
    ConflictError: Answer(
        409,
        "conflict",
        "已被他人先行更改，请重新读取后再决定",
        "Somebody else was first; read again and decide again",
        3,
    ),
    IdempotencyError: Answer(
        422, "idempotency-key-reused", "该请求号已用于另一请求", "The idempotency key was used for another request", 3
    ),
    NotFoundError: Answer(404, "not-found", "没有找到", "There is no such thing", 4),
    InputError: Answer(400, "invalid-input", "请求内容有误", "What was asked cannot be read", 2),
    UnreadableBookError: Answer(422, "unreadable-book", "整个文件无法读取", "The whole file cannot be read", 2),
    UnauthorisedError: Answer(401, "unauthorised", "请先登录", "A token that names an officer is needed", 5),
    NotReadyError: Answer(503, "not-ready", "所要求的内容尚未就绪", "What was asked for is not ready yet", 6),
    RecordingError: Answer(503, "not-recorded", "写入失败，未作记录", "Writing failed; nothing was recorded", 7),
    ClockError: Answer(503, "clocks-disagree", "时钟不一致，已停止写入", "The clocks disagree; writing has stopped", 7),
    LogMismatchError: Answer(
        503, "log-mismatch", "事件日志与预期不符，已停止写入", "The log is not the one expected; writing has stopped", 7
    ),
    FoldError: Answer(500, "fold-stopped", "台账停止更新", "A ledger has stopped", 8),
    UnknownEventError: Answer(
        500, "unknown-event", "日志中有本版本不认识的事件", "The log holds an event that this release does not know", 8
    ),
    VerificationError: Answer(500, "verification-failed", "校验不通过", "A proof or a digest does not hold", 9),
    ErasedError: Answer(410, "erased", "个人信息已删除", "The personal data was erased", 4),
    DistributionError: Answer(503, "distribution", "日志分发中断", "The log is not being distributed", 12),
    EmbeddedServerError: Answer(
        503, "embedded-server", "内置数据库无法启动", "The embedded database cannot be started", 11
    ),
    SettingsError: Answer(500, "settings", "部署配置有误", "The deployment is set up wrongly", 10),
}

INTERNAL = Answer(500, "internal", "内部错误", "An error that nobody expected", EXIT_UNEXPECTED)
_PLAIN = {
    404: ANSWERS[NotFoundError],
    405: Answer(405, "method-not-allowed", "不支持这种操作", "This cannot be done here", 2),
    406: Answer(406, "not-acceptable", "没有这种格式", "There is no such format", 2),
}
DOCUMENTED: tuple[Answer, ...] = (*ANSWERS.values(), INTERNAL, _PLAIN[405], _PLAIN[406])
"""Every answer that a door can give."""


def answer_to(error: BaseException) -> Answer:
    """The answer to an error: that of the nearest class above it, or an internal error where it is none of the tree's."""
    for kind in type(error).__mro__:
        if issubclass(kind, QinglingError) and kind in ANSWERS:
            return ANSWERS[kind]
    return INTERNAL


def answer_to_status(status: int) -> Answer:
    """The answer for a bare HTTP status, as the web framework raises it."""
    if status in _PLAIN:
        return _PLAIN[status]
    phrase = HTTPStatus(status).phrase
    return Answer(status, f"http-{status}", phrase, phrase, EXIT_UNEXPECTED)


_MEMBERS = ("field", "row", "rule", "clause", "position", "ledger")
"""Attributes of errors that a problem repeats as members of its own, where they say something."""


def problem(
    answer: Answer, detail: str, *, instance: str, members: Mapping[str, object] | None = None
) -> dict[str, object]:
    """A problem document (RFC 9457). `title_zh` is the title in Chinese; `members` are extension members."""
    return {
        "type": answer.type,
        "title": answer.en,
        "title_zh": answer.zh,
        "status": answer.status,
        "detail": detail,
        "instance": instance,
        **(members or {}),
    }


def is_inside(error: BaseException) -> bool:
    """Whether what happened is nobody's business outside: a defect, or how the deployment is set up."""
    return not isinstance(error, QinglingError) or isinstance(error, SettingsError | EmbeddedServerError)


def detail_of(error: BaseException) -> str:
    """The sentence for the person who asked."""
    if is_inside(error):
        return "The request could not be answered. What happened is in the server's log, under the incident named here."
    return str(error)


def members_of(error: BaseException) -> dict[str, object]:
    """Extension members: field, row, rule, clause, position, ledger, may_continue, as far as the error bears them."""
    found = {name: value for name in _MEMBERS if (value := getattr(error, name, None))}
    if isinstance(error, RecordingError):
        found["may_continue"] = error.may_continue
    return found
