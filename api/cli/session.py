"""What every verb starts from: the settings of this command line, the language, and the platform it opens.

Who runs the command line holds the database and the keys, so it may read what those open; personal texts are shown only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from api.reading import Reader, Reading
from api.words import LANGUAGES, Language, Word
from domain.errors import InputError, NotFoundError, NotReadyError
from projections.officer_ledger import OfficerRow

if TYPE_CHECKING:
    from infra.bootstrap import Platform, Settings

PATIENCE = 30.0
"""Seconds that a reading verb waits for the ledgers to reach the log's head before it answers with what they have."""
SAMPLE_FOLDER = Path("var/sample")
"""Where `up --sample` keeps its log, unless `--data` says otherwise."""


@dataclass(frozen=True)
class Operator(Reader):
    """Somebody at the command line of the deployment."""

    @property
    def may_see_names(self) -> bool:
        """The keys lie in this person's reach already; verbs still show names only when asked to."""
        return True


@dataclass(frozen=True)
class Session:
    """One command line. `overrides` are its global options, by the name of the setting."""

    overrides: Mapping[str, object] = field(default_factory=dict)
    debug: bool = False

    def settings(self, **more: object) -> Settings:
        """The settings in force for this command line.

        Raises:
            SettingsError: an unknown key or a wrong value, wherever it stands.
        """
        from infra.bootstrap import load_settings

        return load_settings({**self.overrides, **{name: value for name, value in more.items() if value is not None}})

    @property
    def language(self) -> Language:
        """Chinese, unless the settings say English.

        Raises:
            InputError: the settings name another language.
        """
        language = self.settings().language
        if language not in LANGUAGES:
            raise InputError(f"{language!r} is no language of the doors: zh or en", field="language", rule="value")
        return language

    def say(self, word: Word) -> str:
        """A word in the language of this command line."""
        return word.to(self.language)

    @contextmanager
    def platform(self, *, folding: bool = True) -> Iterator[Platform]:
        """The platform of the data folder or database; with `folding` its ledgers are brought up to date here if nobody else does."""
        from infra.bootstrap import open_platform

        with open_platform(self.settings(), folding=folding) as platform:
            yield platform

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """A reading of the platform whose ledgers stand at the log's head, or that said on stderr that they do not."""
        with self.platform() as platform:
            try:
                wait_for_ledgers(platform)
            except NotReadyError as error:
                warn(self.say(Word("台账落后于日志", "The ledgers are behind the log")) + f": {error}")
            yield Reading(platform, Operator(None, platform.info.kind))


def wait_for_ledgers(platform: Platform) -> None:
    """Waits until every ledger stands at the log's head.

    Raises:
        NotReadyError: they do not in time, or one is paused or stopped.
    """
    platform.wait_for(platform.head().position, timeout=PATIENCE)


def session_of(context: typer.Context) -> Session:
    """The session of a verb."""
    return cast(Session, context.obj)


def officer_of(platform: Platform, handle: str | None) -> str | None:
    """The id of the officer who acts; None where nobody was named.

    Raises:
        NotFoundError: no officer has that handle.
    """
    if handle is None:
        return None
    wait_for_ledgers(platform)
    for versioned in platform.rows("officer"):
        if isinstance(versioned.row, OfficerRow) and versioned.row.handle == handle:
            return versioned.row.officer
    raise NotFoundError(f"there is no officer {handle!r}; `qingling officer list` names them")


def warn(sentence: str) -> None:
    """A sentence on stderr; a closed stderr is nobody's loss."""
    with suppress(BrokenPipeError):
        typer.echo(sentence, err=True)
