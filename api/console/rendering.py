"""How a page is made from a view model and a template, in the language that stands in its address.

Guarantees: everything is escaped unless it was made here; an undefined name in a template is an error; every page bears its log, and a
simulation says that it is one.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from api.console.charts import board_chart, claim_bars
from api.console.qr import qr_code
from api.reading import Reading
from api.refusals import REFUSALS
from api.views.evidence import has_thumbnail, kind_of
from api.views.ledger import ColumnView
from api.views.timeline import ChangeView
from api.views.values import OpenedText, SealedText
from api.views.view import Said, log_tag, place
from api.words import (
    CLAUSES,
    COLUMN_WORDS,
    ENUMS,
    LANGUAGES,
    MEASURES,
    MONEY_MEASURES,
    Language,
    Word,
    word,
)
from domain.campaigns.genesis import LogKind
from domain.money import yuan
from domain.streams import Visibility

HERE = Path(__file__).parent
LANGUAGE_COOKIE: Final = "qingling_language"
_YEAR: Final = 365 * 86_400
NAVIGATION: Final = (
    ("", Word("清零看板", "Clearance board")),
    ("do/complaint/register", Word("登记投诉", "Register a complaint")),
    ("ledgers", Word("台账", "Ledgers")),
    ("log", Word("可验证日志", "Provable log")),
    ("status", Word("运行状态", "Status")),
    ("api", Word("接口", "API")),
)
"""The sections of the console: path, and title."""


def language_of(request: Request) -> Language:
    """The language that stands first in the address; Chinese elsewhere."""
    first = request.url.path.split("/")[1]
    return next((language for language in LANGUAGES if language == first), LANGUAGES[0])


def path(language: str, /, *parts: object, **query: object) -> str:
    """The address of a page: its parts after the language, and what it is asked; None is left out."""
    asked = {name: value for name, value in query.items() if value not in (None, "")}
    joined = "/".join(quote(str(part), safe="") for part in parts if part != "")
    return f"/{language}/{joined}" + (f"?{urlencode(asked)}" if asked else "")


def render(
    request: Request, read: Reading | None, template: str, *, status_code: int = 200, **context: Any
) -> HTMLResponse:
    """A page. `read` is None where nobody is signed in: then it bears nothing of the log but what it is."""
    language = language_of(request)
    page = _Page(request, read, language)
    html = _ENVIRONMENT.get_template(template).render(**page.context(), **context)
    response = HTMLResponse(html, status_code=status_code)
    response.headers["Cache-Control"] = "private, no-cache" if page.is_simulation else "no-store"
    response.headers["Content-Language"] = "zh-CN" if language == "zh" else "en"
    if request.cookies.get(LANGUAGE_COOKIE) != language:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR, httponly=True, samesite="lax")
    return response


class _Page:
    """What every template can use."""

    def __init__(self, request: Request, read: Reading | None, language: Language) -> None:
        self._request = request
        self._read = read
        self._language = language
        self._platform = request.app.state.platform
        self.is_simulation: bool = self._platform.info.kind is LogKind.SIMULATION

    def context(self) -> dict[str, Any]:
        """Names of the templates; docs/console.md lists them."""
        request = self._request
        return {
            "lang": self._language,
            "say": self.say,
            "both": self.both,
            "title_of": self.title_of,
            "link": self.link,
            "here": self.here,
            "other_language": self.other_language(),
            "shown": self.shown,
            "changed": self.changed,
            "personal": self.personal,
            "place_name": self.place_name,
            "word_for": self.word_for,
            "navigation": NAVIGATION,
            "section": request.url.path.split("/")[2] if request.url.path.count("/") > 1 else "",
            "query": request.query_params,
            "log": log_tag(self._read) if self._read else None,
            "origin": self._platform.info.origin,
            "is_simulation": self.is_simulation,
            "officer": self._read.reader.officer if self._read else None,
            "checkpoints": self._platform.info.campaign.checkpoints,
            "tree": self._platform.info.tree,
        }

    def say(self, zh: str, en: str) -> str:
        """One of two texts."""
        return en if self._language == "en" else zh

    def both(self, zh: str, en: str) -> Markup:
        """Two texts one after the other, the page's own language first: for what goes into the hands of somebody else."""
        texts = [("zh-CN", zh), ("en", en)]
        first, second = texts if self._language == "zh" else reversed(texts)
        return Markup('<span lang="{}">{}</span> <span lang="{}" class="second">{}</span>').format(*first, *second)

    def title_of(self, said: Said | Word) -> str:
        """A word or title in the page's language."""
        return said.to(self._language)

    def link(self, /, *parts: object, **query: object) -> str:
        """The address of another page."""
        return path(self._language, *parts, **query)

    def here(self, **changes: object) -> str:
        """This page's address with other parameters; None takes one away."""
        return self._address(self._request.url.path, changes)

    def other_language(self) -> str:
        """This page in the other language."""
        other = "zh" if self._language == "en" else "en"
        rest = self._request.url.path.split("/", 2)[2] if self._request.url.path.count("/") > 1 else ""
        return self._address(f"/{other}/{rest}", {})

    def _address(self, address: str, changes: Mapping[str, object]) -> str:
        asked = {**self._request.query_params, **changes}
        kept = {name: value for name, value in asked.items() if value not in (None, "")}
        return quote(address) + (f"?{urlencode(kept)}" if kept else "")

    def place_name(self, code: str) -> str:
        """The name of a jurisdiction."""
        return place(self._platform.info, code).to(self._language)

    def word_for(self, ledger: str, column: str, value: str) -> str:
        """The word for a value of a closed list; the value itself where the column has no such list."""
        if column == "jurisdiction":
            return self.place_name(value)
        found = COLUMN_WORDS.get((ledger, column), {}).get(value)
        return value if found is None else found.to(self._language)

    def shown(self, ledger: str, column: ColumnView, value: object) -> Markup:
        """A value of a ledger's column as a page shows it."""
        return self._value(ledger, column.name, column.kind, value)

    def changed(self, change: ChangeView, value: object) -> Markup:
        """What stood, or stands, in the column that an event changed."""
        return self._value(change.ledger, change.column, change.kind, value)

    def _value(self, ledger: str, name: str, kind: str, value: object) -> Markup:
        if value is None or value == []:
            return Markup('<span class="nothing">—</span>')
        if isinstance(value, SealedText | OpenedText):
            return self.personal(value)
        if isinstance(value, list):
            words = (self.word_for(ledger, name, str(item)) for item in value)
            return Markup(" ").join(Markup('<span class="tag">{}</span>').format(text) for text in words)
        if isinstance(value, bool):
            return self._yes_or_no(value)
        if kind == "money":
            return escape(yuan(int(str(value))))
        if kind == "datetime":
            return when(str(value))
        return escape(self.word_for(ledger, name, str(value)))

    def _yes_or_no(self, value: bool) -> Markup:
        said = self.say("是", "yes") if value else self.say("否", "no")
        return Markup('<span class="{}">{}</span>').format("yes" if value else "no", said)

    def personal(self, value: SealedText | OpenedText) -> Markup:
        """A personal field: its text, or that it is sealed or erased."""
        if isinstance(value, SealedText):
            return Markup('<span class="sealed" title="{}">{}</span>').format(
                value.subject, self.say("已加密", "sealed")
            )
        if value.text is None:
            return Markup('<span class="erased">{}</span>').format(self.say("已删除", "erased"))
        return escape(value.text)


@functools.lru_cache(maxsize=10_000)
def when(moment: str) -> Markup:
    """A time as a person reads it, to the minute; a day alone where it is one."""
    if "T" not in moment:
        return Markup('<time datetime="{0}">{0}</time>').format(moment)
    shown = datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M")
    return Markup('<time datetime="{}">{}</time>').format(moment, shown)


def to_second(moment: str) -> Markup:
    """A time to the second, with its distance from UTC: for what is read far from here."""
    read = datetime.fromisoformat(moment)
    offset = read.strftime("%z")
    return Markup('<time datetime="{}">{} (UTC{}:{})</time>').format(
        moment, read.strftime("%Y-%m-%d %H:%M:%S"), offset[:3], offset[3:]
    )


def _as_json(value: object) -> str:
    """As JSON for a hidden field; the template escapes it."""
    return orjson.dumps(value).decode()


def short(identifier: str) -> Markup:
    """A long id, cut where a person stops reading; the whole stands in its title."""
    kind, _, rest = identifier.partition("-")
    if len(rest) <= 12:
        return escape(identifier)
    return Markup('<span title="{}">{}-{}…</span>').format(identifier, kind, rest[:8])


OWN_NAMES: Final = frozenset({"case", "claim", "payment", "number"})
"""Columns that only repeat which row it is."""


@dataclass(frozen=True)
class RowChanges:
    """What an event changed in one row of a ledger."""

    ledger: str
    key: str
    changes: list[ChangeView]

    @property
    def columns(self) -> int:
        """Lines that showing it takes; a discrepancy is told in one sentence, beside the others."""
        return 0 if self.ledger == "discrepancy" else len(self.changes)

    @property
    def rule(self) -> str:
        """The rule of a discrepancy, which its key ends with."""
        return self.key.rpartition("/")[2]

    @property
    def amount(self) -> ChangeView | None:
        """The change of a discrepancy's amount, if it has one."""
        return next((c for c in self.changes if c.column == "amount" and (c.before or c.after)), None)

    @property
    def began(self) -> bool:
        """Whether the row came to be."""
        return any(change.column in _OF_EVERY_ROW and change.before is None for change in self.changes)

    @property
    def ended(self) -> bool:
        """Whether the row is no more."""
        return any(change.column in _OF_EVERY_ROW and change.after is None for change in self.changes)


_OF_EVERY_ROW: Final = frozenset({"jurisdiction", "kind"})


def by_row(changes: Iterable[ChangeView]) -> list[RowChanges]:
    """Changes by the row that they are of, the case itself first.

    Columns that began at nothing (0, no, an empty list) are left out: a new row has many, and they say nothing.
    """
    found: dict[tuple[str, str], list[ChangeView]] = {}
    for change in changes:
        if change.column not in OWN_NAMES and (change.before is not None or change.after):
            found.setdefault((change.ledger, change.key), []).append(change)
    rows = [RowChanges(ledger, key, kept) for (ledger, key), kept in found.items()]
    return sorted(rows, key=lambda row: row.ledger != "case")


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(yuan=yuan, when=when, to_second=to_second, short=short, json=_as_json)
_ENVIRONMENT.globals.update(
    word=word,
    visibilities=ENUMS[Visibility],
    measures=MEASURES,
    money_measures=MONEY_MEASURES,
    board_chart=board_chart,
    claim_bars=claim_bars,
    by_row=by_row,
    qr_code=qr_code,
    clauses=CLAUSES,
    refusal_words=REFUSALS,
    evidence_kind=kind_of,
    has_thumbnail=has_thumbnail,
)
