"""scripts/setup makes the environment once, and never clears a folder that is no environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose lock names nothing, so that nothing is fetched."""
    shutil.copytree(SCRIPTS, tmp_path / "checkout" / "scripts")
    (tmp_path / "checkout" / "requirements.lock").touch()
    (tmp_path / "checkout" / "pyproject.toml").touch()
    return tmp_path / "checkout"


def setup(checkout: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QINGLING_")} | settings
    command = checkout / "scripts" / "setup"
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=240)


def make_environment(checkout: Path) -> Path:
    """An environment with the stamp that a finished set-up of this checkout leaves."""
    environment = checkout / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    lock, project = (checkout / name for name in ("requirements.lock", "pyproject.toml"))
    (environment / ".qingling-setup").write_text(f"{checkout}\n{lock.read_text()}{project.read_text()}")
    return environment


def test_an_environment_made_from_this_lock_is_left_alone(checkout: Path) -> None:
    environment = make_environment(checkout)
    before = sorted(environment.rglob("*"))
    done = setup(checkout, QINGLING_PYTHON="/nonexistent")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(environment.rglob("*")) == before


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_change_of_lock_or_project_asks_for_a_new_installation(checkout: Path, changed: str) -> None:
    environment = make_environment(checkout)
    (checkout / changed).write_text("not to be understood\n")
    done = setup(checkout)
    assert done.returncode != 0
    assert "installing what requirements.lock names" in done.stderr
    assert not (environment / ".qingling-setup").exists()


def test_a_folder_that_is_no_environment_is_never_cleared(checkout: Path, tmp_path: Path) -> None:
    precious = tmp_path / "elsewhere" / "ledger.xlsx"
    precious.parent.mkdir()
    precious.touch()
    done = setup(checkout, QINGLING_VENV=str(precious.parent))
    assert done.returncode == 1
    assert "is no virtual environment" in done.stderr
    assert precious.exists()


def test_without_a_suitable_python_it_says_which_are(checkout: Path) -> None:
    done = setup(checkout, QINGLING_PYTHON="/nonexistent/python3")
    assert done.returncode == 1
    assert "no Python 3.11 or newer found at QINGLING_PYTHON=/nonexistent/python3" in done.stderr
