"""`complaint register`, `case propose-closing`, …: every command of `api/commands` as a verb, its options the fields of its form.

Amounts are typed in yuan, times in local time or RFC 3339, as on the console; `--form` takes the JSON that REST takes instead. Whoever
runs the command line says in whose name they act (`--as`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.cli.options import FORMAT, OUTPUT, output
from api.cli.session import Operator, officer_of, session_of, warn
from api.cli.tables import Column, Format, Table
from api.commands.catalogue import NOUNS
from api.commands.command import Command, Noun
from api.commands.desk import resolving
from api.commands.fields import Entry, Kind, Texts, raw_of
from api.commands.forms import Form, checked, refusal
from api.commands.layouts import layout_named
from api.commands.matching import finder_of
from api.commands.performing import Asking, RecordedView, perform
from api.commands.rows import rows_of
from api.reading import Reading
from api.words import Language, Word
from domain.errors import InputError

_MANY = frozenset({Kind.CHOICES, Kind.LINES, Kind.ROWS, Kind.FILES})
_EXAMPLES = {
    Kind.MONEY: "1200.00",
    Kind.NUMBER: "3",
    Kind.DAY: "2019-12-20",
    Kind.MOMENT: "2019-12-02T16:00",
    Kind.FLAG: "true",
    Kind.FILES: "photo.jpg",
}
_AS = Annotated[str, typer.Option("--as", help="以哪位人员的名义 · handle of the officer who acts")]
_FORM = Annotated[
    Path | None,
    typer.Option(
        "--form", help="从 JSON 文件读取（与接口相同） · the form as JSON, as REST takes it", show_default=False
    ),
]
_KEY = Annotated[
    str | None,
    typer.Option("--key", help="请求号：同号同内容只记一次 · makes the command repeatable", show_default=False),
]
_LAYOUT = Annotated[
    str | None,
    typer.Option("--layout", help="银行文件格式的名称 · name of the layout of a bank's file", show_default=False),
]
_THING = Annotated[str, typer.Argument(help="编号 · its id or official number")]


def groups() -> Iterator[tuple[str, typer.Typer]]:
    """One group of verbs a noun."""
    for noun in NOUNS:
        yield noun.name, _group(noun)


def leaves(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The fields that are typed: those of a group stand for it."""
    for entry in entries:
        if entry.kind is Kind.GROUP:
            yield from leaves(entry.inner)
        else:
            yield entry


def option_of(entry: Entry) -> str:
    """`told.how` is typed as `--told-how`."""
    return "--" + entry.path.replace(".", "-").replace("_", "-")


def _group(noun: Noun) -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None, help=f"{noun.title.zh} · {noun.title.en}.")
    for command in noun.commands.values():
        app.command(command.verb, help=_help(command), epilog=f"Example: {example(command)}")(_verb(command))
    return app


def _help(command: Command) -> str:
    return f"{command.title.zh} · {command.title.en}.\n\n{command.explained}\n\nClause: {command.clause}."


def example(command: Command) -> str:
    """A command line that gives all that is required."""
    words = ["qingling", command.noun.name, command.verb]
    if not command.opens:
        words.append("140321-201912-0001LF")
    words += ["--as", "li-si"]
    for entry in leaves(command.entries):
        if entry.required:
            words += [option_of(entry), _typed(entry)]
    return " ".join(words)


def _typed(entry: Entry) -> str:
    if entry.choices:
        return next(iter(entry.choices))
    if entry.kind is Kind.ROWS:
        return '"' + "|".join(_typed(inner) for inner in entry.inner) + '"'
    return _EXAMPLES.get(entry.kind, "…")


def _verb(command: Command) -> Callable[..., None]:
    """The verb's function; typer reads its options from the signature."""

    def verb(**given: Any) -> None:
        _run(command, given)

    verb.__signature__ = inspect.Signature(list(_parameters(command)))  # type: ignore[attr-defined]
    verb.__annotations__ = {name: each.annotation for name, each in inspect.signature(verb).parameters.items()}
    verb.__name__ = command.name
    return verb


def _parameters(command: Command) -> Iterator[inspect.Parameter]:
    yield _parameter("context", typer.Context)
    if not command.opens:
        yield _parameter("thing", _THING)
    yield _parameter("officer", _AS)
    for entry in leaves(command.entries):
        many = entry.kind in _MANY
        option = typer.Option(option_of(entry), help=_option_help(entry), show_default=False)
        hint = Annotated[list[str] | None if many else str | None, option]  # type: ignore[valid-type]
        yield _parameter(_name(entry), hint, None)
    if any(entry.label.layouts for entry in command.entries):
        yield _parameter("layout", _LAYOUT, None)
    yield _parameter("form", _FORM, None)
    yield _parameter("key", _KEY, None)
    yield _parameter("format", FORMAT, Format.TABLE)
    yield _parameter("file", OUTPUT, None)


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _name(entry: Entry) -> str:
    return "field_" + entry.path.replace(".", "__")


def _option_help(entry: Entry) -> str:
    label = entry.label
    said = f"{label.zh} · {label.en}"
    if entry.choices:
        said += f": {' | '.join(entry.choices)}"
    elif entry.kind is Kind.ROWS:
        said += f": {' | '.join(inner.name for inner in entry.inner)}; @FILE"
    elif label.hint_en:
        said += f" ({label.hint_en})"
    return said + (" *" if entry.required else "")


def _run(command: Command, given: dict[str, Any]) -> None:
    session = session_of(given["context"])
    with session.platform(folding=True) as platform:
        by = officer_of(platform, given["officer"])
        row = platform.row("officer", str(by)).row
        reading = Reading(platform, Operator(row, platform.info.kind))
        form = _filled(command, given, reading)
        view = perform(reading, command, given.get("thing"), form, Asking(given["key"]))
    output(session, given["format"], given["file"]).table(_table(view, session.language), data=view)
    if view.replayed:
        warn(
            session.say(Word("同一请求此前已记录，未重复记录", "The same command had been recorded; nothing was added"))
        )


def _filled(command: Command, given: dict[str, Any], reading: Reading) -> Form:
    """The form, from a file or from the options.

    Raises:
        InputError: it cannot be read, or something in it is wrong.
    """
    if given["form"] is not None:
        raw = _json(given["form"])
    else:
        texts = _texts(command, given)
        raw, faults = raw_of(command.entries, texts, reading.platform.info.zone)
        for entry in command.entries:
            if entry.kind is Kind.ROWS and (lines := given[_name(entry)]):
                find = finder_of(reading, command, given.get("thing"))
                layout = layout_named(reading, given.get("layout"))
                read = rows_of(entry, _sheet(lines), reading.platform.info.zone, find, layout)
                raw[entry.name] = read.rows
                faults += read.faults
        if faults:
            raise refusal(faults)
        _put_files(command, given, raw, reading)
    form = checked(command.form, raw)
    if isinstance(form, list):
        raise refusal(form)
    return form


def _texts(command: Command, given: dict[str, Any]) -> Texts:
    found: dict[str, list[str]] = {}
    for entry in leaves(command.entries):
        value = given[_name(entry)]
        if value is not None and entry.kind is not Kind.FILES:
            found[entry.path] = value if isinstance(value, list) else [value]
    return found


def _sheet(lines: list[str]) -> str:
    """Rows as they were typed, or those of a file that is named with @ before it."""
    if len(lines) == 1 and lines[0].startswith("@"):
        from infra.bootstrap import sheet_text

        file = Path(lines[0][1:])
        try:
            return sheet_text(file.name, file.read_bytes())
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror}", field="form", rule="readable") from None
    return "\n".join(lines)


def _json(file: Path) -> Any:
    try:
        return orjson.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", field="form", rule="readable") from None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{file} is no JSON: {error}", field="form", rule="value") from None


def _put_files(command: Command, given: dict[str, Any], raw: dict[str, Any], reading: Reading) -> None:
    """Puts the files that the options name, so that the form can name what was put."""
    from api.views.evidence import put_file

    for entry in command.entries:
        if entry.kind is Kind.FILES and (named := given[_name(entry)]):
            raw[entry.name] = [put_file(reading, _subject(command, given, reading), Path(each)).named for each in named]


def _subject(command: Command, given: dict[str, Any], reading: Reading) -> str | None:
    """Whose key a file is sealed under: the thing's, or a new one where the thing is only beginning."""
    return None if command.opens else command.noun.resolve(resolving(reading.platform), given["thing"])


_COLUMNS = (
    Column("position", Word("位置", "Position"), "integer"),
    Column("event", Word("事件", "Event")),
    Column("type", Word("类型", "Type")),
    Column("id", Word("编号", "Id")),
    Column("state", Word("状态", "State")),
)


def _table(view: RecordedView, language: Language) -> Table:
    rows = [
        {"position": e.position, "event": e.title.to(language), "type": e.type, "id": e.id, "state": e.state}
        for e in view.events
    ]
    return Table(view.number or view.thing, _COLUMNS, rows, [view.thing])
