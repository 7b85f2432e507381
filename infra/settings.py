"""Settings: read once, refused when unknown. Each value belongs to the component it configures; nothing here has a meaning of its own.

Sources, later ones win: the defaults, `qingling.toml` in the data folder, environment variables `QINGLING_<NAME>`, command line.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from domain.errors import SettingsError

CHECKOUT = Path(__file__).resolve().parent.parent
"""Where the program lies; a data folder that nobody names is below it, wherever the program is called from."""
SETTINGS_FILE = "qingling.toml"
_PREFIX = "QINGLING_"
_NOT_SETTINGS = ("QINGLING_VENV", "QINGLING_PYTHON", "QINGLING_REAL_DATA", "QINGLING_TEST_")
"""What variables that scripts and tests read begin with; they configure no deployment."""


@dataclass(frozen=True)
class Settings:
    """A deployment's settings."""

    data: Path = Path("var/main")
    """Folder of the embedded database, keys and files."""
    database_url: str = ""
    """PostgreSQL of the deployment (libpq URL or DSN); empty: the embedded one in `data`."""
    keyring: str = ""
    """File of the key-encryption keys; empty: `keys/keyring.json` in `data`."""
    evidence: str = ""
    """Folder of the evidence files, sealed; empty: `evidence` in `data`."""
    tiles: str = ""
    """Folder of the provable log (tiles, entry bundles, checkpoints); empty: `log` in `data`."""
    signer: str = ""
    """Folder of the log's signing keys and of every checkpoint they signed; empty: beside `data`, named like it with `.signer`."""
    witnesses: str = ""
    """File with the policy (C2SP tlog-policy) of who must cosign a checkpoint before it is published; empty: nobody."""
    seal_interval: int = 500
    """Milliseconds from one checkpoint to the next at the least."""
    host: str = "127.0.0.1"
    """Address that the doors listen on."""
    port: int = 8000
    """Port that the doors listen on."""
    language: str = "zh"
    """Language of the console where the reader has not chosen: `zh` or `en`."""
    kafka: str = ""
    """Brokers of the Kafka cluster that carries copies of the log (`host:port`, several with commas); empty: none does."""
    kafka_topic: str = "qingling.events.v1"
    """Its topic; that of what only the office sees is named like it, with `.office` behind."""
    kafka_partitions: int = 16
    """Partitions of the topics; never changes once they are filled."""
    kafka_replicas: int = 1
    """Copies of each partition, where the topics are made; three on a cluster of three."""
    kafka_client: str = ""
    """TOML file with the client's options for TLS and SASL; empty: none."""
    rebuild_rows: int = 200_000
    """Ledger rows that a rebuild keeps in memory at the most."""
    page_limit: int = 200
    """Rows that one page of a ledger may have at the most."""

    @property
    def keyring_path(self) -> Path:
        """Where the key-encryption keys are."""
        return Path(self.keyring) if self.keyring else self.data / "keys" / "keyring.json"

    @property
    def evidence_path(self) -> Path:
        """Where the evidence files are."""
        return Path(self.evidence) if self.evidence else self.data / "evidence"

    @property
    def banks_path(self) -> Path:
        """Where an office's own layouts of banks' files are (`NAME.toml`); the folder need not be there."""
        return self.data / "banks"

    @property
    def tiles_path(self) -> Path:
        """Where the provable log's files are."""
        return Path(self.tiles) if self.tiles else self.data / "log"

    @property
    def signer_path(self) -> Path:
        """Where the signer keeps its keys and its memory: never in the data folder, so that who restores that restores no signer."""
        return Path(self.signer) if self.signer else self.data.with_name(self.data.name + ".signer")


def load(overrides: Mapping[str, object] | None = None, *, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. `overrides` are the command line's; None values do not count.

    Raises:
        SettingsError: an unknown key, or a value of the wrong type.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    environment = _from_environment(os.environ if environ is None else environ)
    data = Path(str(given.get("data") or environment.get("data") or CHECKOUT / Settings.data))
    file = data / SETTINGS_FILE
    values: dict[str, object] = _from_file(file) if file.is_file() else {}
    values.update(environment)
    values.update(given)
    values["data"] = data
    typed: dict[str, Any] = {name: _typed(name, value) for name, value in values.items()}
    return replace(Settings(), **typed)


def _from_file(file: Path) -> dict[str, object]:
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    for name in values:
        _known(name, str(file))
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for variable, value in environ.items():
        if variable.startswith(_PREFIX) and not variable.startswith(_NOT_SETTINGS):
            name = variable.removeprefix(_PREFIX).lower()
            _known(name, f"the environment variable {variable}")
            values[name] = value
    return values


_TYPES: dict[str, Any] = {field.name: type(field.default) for field in fields(Settings)}


def _known(name: str, where: str) -> None:
    if name not in _TYPES:
        near = difflib.get_close_matches(name, _TYPES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(_TYPES))}"
        raise SettingsError(f"{where} sets {name!r}, which is no setting{hint}")


def _typed(name: str, value: object) -> object:
    _known(name, "the command line")
    kind = _TYPES[name]
    if issubclass(kind, Path):
        return Path(str(value))
    if kind is int:
        try:
            return int(str(value))
        except ValueError:
            raise SettingsError(f"{name} takes a whole number, not {value!r}") from None
    return str(value)
