"""What `deploy/` says is true of the program: its settings, verbs, files and units. Neither Docker nor a systemd that runs is needed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml  # type: ignore[import-untyped]

from api.cli.verbs import app
from infra.bootstrap import Settings, initialise
from infra.postgres.embedded import EmbeddedConfig, EmbeddedPostgres, binaries
from infra.settings import load
from tests.conftest import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROGRAM = "/opt/qingling/.venv/bin/qingling"
OURS = [name for name, service in SERVICES.items() if "build" in service]


def started() -> Iterator[tuple[str, list[str]]]:
    """Every command line of the program in deploy/, after the place where it stands."""
    for name in OURS:
        yield f"compose.yaml: {name}", SERVICES[name]["command"]
    for unit in UNITS:
        [command] = re.findall(r"^ExecStart=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
        yield unit.name, shlex.split(command)[1:]


def volumes(service: dict[str, Any]) -> list[str]:
    """The named volumes that a service mounts."""
    sources = [str(each).split(":")[0] for each in service.get("volumes", ())]
    return [source for source in sources if not source.startswith(".")]


@pytest.mark.parametrize(("where", "line"), [pytest.param(*each, id=each[0]) for each in started()])
def test_every_command_is_a_verb_with_options_that_it_has(where: str, line: list[str]):
    verb = typer.main.get_command(app).commands.get(line[0])  # type: ignore[attr-defined]
    assert verb is not None, f"{where}: there is no verb {line[0]}"
    known = {option for parameter in verb.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in line if word.startswith("--")} <= known


def test_every_variable_is_a_setting_that_takes_its_value():
    for name in OURS:
        load(
            environ={key: re.sub(r"\$\{\w+[^}]*\}", "", value) for key, value in SERVICES[name]["environment"].items()}
        )
    lines = (DEPLOY / "systemd" / "qingling.env.example").read_text("utf-8").splitlines()
    load(environ=dict(line.split("=", 1) for line in lines if line and not line.startswith("#")))
    texts = (file.read_text("utf-8") for file in DEPLOY.rglob("*") if file.is_file() and file.name != ".env")
    for variable in {found for text in texts for found in re.findall(r"QINGLING_[A-Z_]+", text)}:
        assert variable.removeprefix("QINGLING_").lower() in Settings.__dataclass_fields__, variable


def test_services_wait_for_services_that_there_are_and_that_have_a_health_check():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            assert how["condition"] != "service_healthy" or "healthcheck" in SERVICES[other]
        assert "healthcheck" in service
        assert service["restart"] == "unless-stopped"


def test_volumes_and_networks_are_declared_and_none_is_left_over():
    used = [volume for service in SERVICES.values() for volume in volumes(service)]
    assert set(used) == set(COMPOSE["volumes"])
    assert len(used) == len(set(used))
    assert {network for service in SERVICES.values() for network in service["networks"]} == set(COMPOSE["networks"])


def test_keys_lie_in_volumes_of_their_own_that_the_doors_alone_mount():
    targets = dict(str(each).split(":")[:2] for each in SERVICES["serve"]["volumes"])
    settings = SERVICES["serve"]["environment"]
    assert settings["QINGLING_KEYRING"].startswith(targets["keys"] + "/")
    assert settings["QINGLING_SIGNER"].startswith(targets["signer"] + "/")
    assert not settings["QINGLING_DATA"].startswith((targets["keys"] + "/", targets["signer"] + "/"))
    for name in set(SERVICES) - {"serve"}:
        assert not {"keys", "signer"} & set(volumes(SERVICES[name]))


def test_images_are_named_plainly_and_our_own_runs_as_nobody_special():
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    images = {service["image"] for service in SERVICES.values()} | set(re.findall(r"^FROM (\S+)", dockerfile, re.M))
    assert images == {"apache/kafka:4.1.1", "postgres:16", "python:3.11-slim", "qingling:local"}
    assert re.findall(r"^USER (.*)$", dockerfile, re.M) == ["10001:10001"]
    assert "--require-hashes -r /build/requirements.lock" in dockerfile


def test_three_replicas_are_on_three_nodes():
    nodes = [service for service in SERVICES.values() if service["image"].startswith("apache/kafka")]
    assert sorted(node["environment"]["KAFKA_NODE_ID"] for node in nodes) == ["1", "2", "3"]
    for name in OURS:
        settings = load(
            environ={k: v for k, v in SERVICES[name]["environment"].items() if k.startswith("QINGLING_KAFKA")}
        )
        assert settings.kafka_replicas == len(nodes) == len(settings.kafka.split(","))


def test_what_the_image_holds_is_enough_to_run(tmp_path: Path):
    for sources in re.findall(
        r"^COPY (?!--)(.*) /opt/qingling/src\S*$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.M
    ):
        for source in sources.split():
            if (CHECKOUT / source).is_dir():
                shutil.copytree(CHECKOUT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(CHECKOUT / source, tmp_path / source)
    kept = set((DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split())
    assert {f"!{each.name}" for each in tmp_path.iterdir()} <= kept
    program = (
        "import api.application, api.cli.main, infra.bootstrap, infra.kafka.relay;"
        f"assert api.__file__.startswith({str(tmp_path)!r}), api.__file__;"
        "raise SystemExit(api.cli.main.main(['init', '--help']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_login_that_roles_sql_makes_can_create_a_log_and_is_no_superuser(tmp_path: Path):
    with EmbeddedPostgres(EmbeddedConfig(data=tmp_path / "server")) as server:
        file = str(DEPLOY / "postgres" / "roles.sql")
        psql("--set", "ON_ERROR_STOP=1", "--set", "password=it's secret", "--file", file, server.url())
        url = server.url("qingling", "qingling")
        settings = Settings(data=tmp_path / "data", database_url=url)
        assert initialise(settings, origin="test").origin.startswith("test-")
        rights = "select current_user, rolsuper, rolcreaterole, rolbypassrls from pg_roles where rolname = current_user"
        assert psql("--tuples-only", "--no-align", "--command", rights, url) == "qingling|f|f|f"


def psql(*arguments: str) -> str:
    """What the embedded server's own psql prints."""
    command = [str(binaries() / "psql"), "--no-psqlrc", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_hold_to_what_systemd_knows(unit: Path, tmp_path: Path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    stub = tmp_path / "qingling"
    stub.write_text("#!/bin/sh\n")
    stub.chmod(0o755)
    copied = tmp_path / unit.name.replace("@.", "@9401.")
    copied.write_text(unit.read_text("utf-8").replace(PROGRAM, str(stub)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copied], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert unit.name.split(".")[0] not in done.stderr, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_closed_up(unit: Path):
    said = set(unit.read_text("utf-8").splitlines())
    assert {
        "User=qingling",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "Restart=on-failure",
        "EnvironmentFile=/etc/qingling/qingling.env",
    } <= said
    assert any(line.startswith("ReadWritePaths=") for line in said) == (unit.name == "qingling.service")
