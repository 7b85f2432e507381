"""`why`: why a computed word holds of a case or does not, event by event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from api.cli.options import FORMAT, KNOWN_AT, NAMES, OUTPUT, WAS_BY, output
from api.cli.session import session_of
from api.cli.tables import Column, Format, Table
from api.views.case import LineLabel
from api.views.values import OpenedText
from api.views.why import ConditionView, EventRef, MembershipView, TurnView, WhyView, WordView, why_view
from api.words import Language, Word
from domain.money import yuan


class Asked(StrEnum):
    """A computed word, as it is typed."""

    DETERMINED = "determined"
    SOLVED = "solved"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    WRITTEN_OFF = "written-off"


def add_to(app: typer.Typer) -> None:
    """Adds the verb of this module."""
    app.command("why", epilog="Example: qingling why 阳平人社监〔2019〕012号 --word solved")(why)


def why(
    context: typer.Context,
    case: Annotated[str, typer.Argument(metavar="CASE", help="案件编号或案件 · a case's number or id")],
    word: Annotated[
        Asked | None, typer.Option("--word", help="只问一项结论 · only one word", show_default=False)
    ] = None,
    as_known_at: KNOWN_AT = None,
    as_it_was_by: WAS_BY = None,
    names: NAMES = False,
    format: FORMAT = Format.TABLE,
    file: OUTPUT = None,
) -> None:
    """何以如此 · Why a computed word holds, or does not.

    逐项条件，使其成立或不成立的事件，不符的明细 · Every condition, the event that turned it, the claim lines against it.
    """
    session = session_of(context)
    to = output(session, format, file)
    with session.reading() as reading:
        view = why_view(
            reading,
            case,
            as_known_at=as_known_at,
            as_it_was_by=as_it_was_by,
            names=names,
            only=None if word is None else word.value.replace("-", "_"),
        )
    tables = [_word_table(view, each, to.language) for each in view.words]
    if word is None and view.membership:
        tables.append(_membership_table(view.membership, to.language))
    to.tables(tables, data=view, flat=_flat(view, to.language))


_COLUMNS = (
    Column("condition", Word("条件", "Condition")),
    Column("holds", Word("成立", "Holds")),
    Column("against", Word("不符", "Against it")),
    Column("position", Word("位置", "Position"), "integer"),
    Column("event", Word("事件", "Event")),
    Column("occurred", Word("发生", "Occurred")),
    Column("officer", Word("人员", "Officer")),
)


def _word_table(view: WhyView, word: WordView, language: Language) -> Table:
    title = f"{view.number} · {word.title.to(language)}: {_holds(word.holds, language)}"
    return Table(title, _COLUMNS, list(_rows(word, language)), list(_turned(word.turns, language)))


def _rows(word: WordView, language: Language) -> Iterator[dict[str, object]]:
    for condition in word.conditions:
        yield {
            "condition": condition.title.to(language),
            "holds": _holds(condition.holds, language),
            "against": _figure(condition, condition.against),
            **_event(condition.event, language),
        }
        for line in condition.lines:
            yield {
                "condition": f"  {Word('明细', 'line').to(language)} {_label(line.label)}",
                "holds": "",
                "against": _figure(condition, line.against),
                **_event(line.event, language),
            }


def _turned(turns: Sequence[TurnView], language: Language) -> Iterator[str]:
    """How the word came to hold and was undone."""
    for turn in turns:
        event = turn.event
        what = "" if event is None else f" {event.title.to(language)} · {event.occurred}"
        yield f"{Word('位置', 'position').to(language)} {turn.position}: {_holds(turn.holds, language)}{what}"


def _event(event: EventRef | None, language: Language) -> dict[str, object]:
    if event is None:
        return {"position": None, "event": "", "occurred": "", "officer": ""}
    return {
        "position": event.position,
        "event": event.title.to(language),
        "occurred": event.occurred,
        "officer": event.officer or "",
    }


def _holds(holds: bool, language: Language) -> str:
    return Word("是", "yes").to(language) if holds else Word("否", "no").to(language)


def _figure(condition: ConditionView, against: int) -> str:
    return "" if against == 0 else yuan(against) if condition.money else str(against)


def _label(label: LineLabel) -> str:
    name = label.worker.text if isinstance(label.worker, OpenedText) and label.worker.text else ""
    return f"{label.line} {name}".strip()


def _membership_table(cells: Sequence[MembershipView], language: Language) -> Table:
    columns = (
        Column("class", Word("类别", "Class")),
        Column("checkpoint", Word("节点", "Checkpoint")),
        Column("member", Word("计入", "Counted")),
        Column("in_time", Word("按期销账", "Written off in time")),
        Column("in_hand", Word("按期到手", "In hand in time")),
    )
    rows = [
        {
            "class": cell.class_title.to(language),
            "checkpoint": f"{cell.checkpoint_title.to(language)} {cell.day}",
            "member": _holds(cell.member, language),
            "in_time": _holds(cell.written_off_in_time, language),
            "in_hand": _holds(cell.in_hand_in_time, language),
        }
        for cell in cells
    ]
    return Table(Word("清零看板", "Clearance board").to(language), columns, rows)


def _flat(view: WhyView, language: Language) -> Table:
    """One row a condition, for files that hold one table."""
    columns = (Column("word", Word("结论", "Word")), *_COLUMNS)
    rows = [{"word": word.title.to(language), **row} for word in view.words for row in _rows(word, language)]
    return Table(view.number, columns, rows)
