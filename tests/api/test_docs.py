"""The pages of documentation say what is so: every route, every problem, every name; and their example runs."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from jinja2 import ChoiceLoader, FileSystemLoader

from api import VERSION
from api.console import rendering
from api.errors import DOCUMENTED
from tests.api.conftest import client_of
from tests.api.fake_platform import FakePlatform
from tests.command_page import PAGE, page

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
API = (DOCS / "api.md").read_text("utf-8")
CONSOLE = (DOCS / "console.md").read_text("utf-8")


def test_every_route_stands_in_the_page_on_rest(client: TestClient):
    commands = (DOCS / "commands.md").read_text("utf-8")
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}`" in API or f"{method.upper()} {path}`" in commands, path


def test_the_page_of_commands_is_made_from_the_commands():
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.command_page"


def test_every_problem_stands_there_with_its_status_and_exit_code():
    for answer in DOCUMENTED:
        assert f"| `{answer.name}`: {answer.en} | {answer.status} | {answer.exit_code} |" in API


def test_the_interface_bears_the_version_of_the_project():
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_every_parameter_that_is_told_of_exists(client: TestClient):
    named = {
        parameter["name"]
        for operations in client.get("/openapi.json").json()["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
    }
    for name in ("as_known_at", "as_it_was_by", "min_position", "wait", "names", "limit", "after", "prefix", "upto"):
        assert name in named
        assert f"`{name}" in API


def test_every_name_of_the_templates_stands_in_the_page_on_the_console(client: TestClient, monkeypatch):
    seen: set[str] = set()
    context = rendering._Page.context

    def noted(page: rendering._Page) -> dict[str, Any]:
        found = context(page)
        seen.update(found)
        return found

    monkeypatch.setattr(rendering._Page, "context", noted)
    client.get("/zh/")
    assert seen
    for name in seen:
        assert re.search(rf"`{name}[`(]", CONSOLE), name


def test_the_example_of_a_page_runs_as_it_is_printed(platform: FakePlatform, tmp_path: Path, monkeypatch):
    files = re.findall(r"```(?:python|html)\n(?:# |\{# )(\S+)(?: #\})?\n(.*?)```", CONSOLE, re.DOTALL)
    assert [name for name, _ in files] == [
        "api/views/debtors.py",
        "api/console/pages/debtors.py",
        "api/console/templates/debtors.html",
    ]
    for name, text in files:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        if file.suffix == ".py":
            module = name.removesuffix(".py").replace("/", ".")
            spec = importlib.util.spec_from_file_location(module, file)
            assert spec is not None
            assert spec.loader is not None
            loaded = importlib.util.module_from_spec(spec)
            monkeypatch.setitem(sys.modules, module, loaded)
            spec.loader.exec_module(loaded)
    templates = FileSystemLoader(tmp_path / "api" / "console" / "templates")
    monkeypatch.setattr(
        rendering._ENVIRONMENT, "loader", ChoiceLoader([FileSystemLoader(rendering.HERE / "templates"), templates])
    )
    client = client_of(platform)
    app: Any = client.app
    for language in ("zh", "en"):
        app.include_router(sys.modules["api.console.pages.debtors"].router, prefix=f"/{language}")
    page = client.get("/zh/debtors")
    assert page.status_code == 200
    assert page.text.index("盂县宏远装饰工程队") < page.text.index("阳泉市鑫达路桥工程有限公司")
    assert "7,100.00" in page.text
    assert client.get("/en/debtors?colour=red").status_code == 400
