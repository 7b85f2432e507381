"""Exit codes and sentences: one line in the reader's language, a traceback only when asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli import schemas
from api.cli.failures import EXIT_INTERRUPTED, EXIT_PIPE, sentence
from api.cli.main import hoisted
from api.errors import ANSWERS
from domain.errors import InputError, QinglingError, RuleError
from tests.api.fake_platform import FakePlatform
from tests.cli.conftest import Run

CHECKOUT = Path(__file__).resolve().parents[2]


def failing(error: BaseException):
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def made(kind: type[QinglingError]) -> QinglingError:
    return kind("it failed", rule="a-rule", clause="N27") if kind is RuleError else kind("it failed")


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_error_has_its_exit_code_and_one_sentence_in_the_readers_language(
    run: Run, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, kind: type[QinglingError], language: str
):
    monkeypatch.setattr(schemas, "session_of", failing(made(kind)))
    ran = run("schema", "--language", language)
    answer = ANSWERS[kind]
    assert ran.code == answer.exit_code
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert (answer.zh if language == "zh" else answer.en) in ran.err
    assert "it failed" in ran.err


def test_field_row_rule_and_clause_are_named():
    assert sentence(InputError("no", field="paid", row=7, rule="value"), "en").endswith(
        "no [field paid, row 7, rule The value cannot be taken]"
    )
    assert "条款 N27" in sentence(RuleError("no", rule="unsolved-not-closed", clause="N27"), "zh")


def test_an_unexpected_error_is_one_line_and_debug_shows_where(
    run: Run, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(schemas, "session_of", failing(KeyError("lost")))
    quiet, loud = run("schema", "--language", "en"), run("schema", "--debug")
    assert quiet.code == loud.code == 1
    assert quiet.err.count("\n") == 1
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err
    assert "KeyError" in quiet.err


@pytest.mark.parametrize(
    "arguments",
    [("nothing",), ("ledger", "--nothing"), ("ledger", "--limit", "many"), ("officer",), ("export", "case")],
)
def test_a_command_line_that_cannot_be_read_exits_with_2_and_says_where_help_is(
    run: Run, platform: FakePlatform, arguments: tuple[str, ...]
):
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert "--help" in ran.err


def test_an_interrupted_verb_says_so_and_exits_with_130(
    run: Run, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(schemas, "session_of", failing(KeyboardInterrupt()))
    ran = run("schema", "--language", "en")
    assert ran.code == EXIT_INTERRUPTED
    assert ran.err == "Interrupted; what was recorded before is whole\n"


def test_a_reader_who_goes_away_is_no_error():
    """The real thing: a pipe whose reader has closed it before anything was written."""
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "api.cli.main", "schema", "--format", "json"],
        cwd=CHECKOUT,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert process.returncode == EXIT_PIPE
    assert process.stderr == b""


def test_global_options_may_stand_anywhere():
    assert hoisted(["ledger", "case", "--data", "x", "--language=en", "--debug"]) == [
        "--data", "x", "--language", "en", "--debug", "ledger", "case",
    ]  # fmt: skip
    assert hoisted(["replay", "--", "--data"]) == ["replay", "--", "--data"]


def test_a_wrong_language_is_refused(run: Run, platform: FakePlatform):
    ran = run("ledger", "--language", "fr")
    assert ran.code == 2
    assert "zh or en" in ran.err


def test_the_version_is_printed(run: Run):
    ran = run("--version")
    assert ran.code == 0
    assert ran.out.startswith("qingling ")


def test_without_a_verb_there_is_help(run: Run):
    ran = run()
    assert ran.code == 0
    assert "qingling up --sample" in ran.out
