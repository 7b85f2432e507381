"""What the command line says when something goes wrong: one line in the reader's language, and the exit code of `api/errors.py`."""

from __future__ import annotations

from api.errors import ANSWERS, answer_to
from api.words import INPUT_RULES, Word
from domain.errors import InputError, QinglingError

EXIT_USAGE = ANSWERS[InputError].exit_code
EXIT_INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
EXIT_PIPE = 141
"""128 + SIGPIPE: whoever read the output went away."""

INTERRUPTED = Word("已按要求中断；已记录的内容保持完整", "Interrupted; what was recorded before is whole")
USAGE = Word("命令行有误", "The command line cannot be read")
_ERROR = Word("错误", "Error")
_UNEXPECTED = Word("出现未预料的错误，加 --debug 可查看详情", "An error that nobody expected; --debug shows where")
_MEMBERS = {
    "field": Word("字段", "field"),
    "row": Word("行", "row"),
    "rule": Word("规则", "rule"),
    "clause": Word("条款", "clause"),
    "ledger": Word("台账", "ledger"),
    "position": Word("位置", "position"),
}


def sentence(error: BaseException, language: str) -> str:
    """The line for an error: what kind it is, what happened, and which field, row, rule or clause."""
    colon = "：" if language == "zh" else ": "
    if not isinstance(error, QinglingError):
        said = f"{_UNEXPECTED.to(language)} ({type(error).__name__}: {error})"
        return f"{_ERROR.to(language)}{colon}{said}"
    answer = answer_to(error)
    title = answer.zh if language == "zh" else answer.en
    return f"{_ERROR.to(language)}{colon}{title}{colon}{error}{_members(error, language)}"


def _members(error: BaseException, language: str) -> str:
    said = []
    for name, word in _MEMBERS.items():
        value = getattr(error, name, None)
        if value:
            shown = INPUT_RULES[value].to(language) if name == "rule" and value in INPUT_RULES else value
            said.append(f"{word.to(language)} {shown}")
    separator = "，" if language == "zh" else ", "
    return f" [{separator.join(said)}]" if said else ""
