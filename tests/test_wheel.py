"""The portal as a wheel, installed apart from the repository."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

import pytest

from portal.errors import ConfigError
from portal.supervisor import demo
from portal.supervisor.run import run_portal
from tests.support.running import free_port, running_portal

ROOT = Path(__file__).parents[1]
BUILD = "from setuptools import build_meta; build_meta.build_wheel({!r})"

pytestmark = [pytest.mark.servers, pytest.mark.one_database]


def call(*words: object, folder: Path = ROOT) -> str:
    said = subprocess.run(
        [str(word) for word in words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `portal` command of a new environment: the wheel, and what we have of the rest."""
    folder = tmp_path_factory.mktemp("wheel")
    source, environment = folder / "source", folder / "environment"
    # What git knows, without what an earlier build may have left.
    for name in call("git", "ls-files").splitlines():
        if (
            name.startswith(("portal/", "tactical_simulator/", "migrations/", "docs/"))
            or "/" not in name
        ):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    call(sys.executable, "-c", BUILD.format(str(folder)), folder=source)
    [wheel] = folder.glob("*.whl")
    call(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    # Whichever made our own environment; see scripts/install.sh.
    if uv := shutil.which("uv"):
        call(uv, "pip", "install", "--offline", "--no-deps", "--python", python, wheel)
    else:
        pip = (sys.executable, "-m", "pip", "--python", python)
        call(*pip, "install", "--no-index", "--no-deps", wheel)
    purelib = call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # A path in it is only added: our own installation, which is editable, stays behind.
    (Path(purelib) / "others.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin" / "portal"


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    folder = tmp_path / "nowhere"
    folder.mkdir()
    return folder


def test_a_wheel_for_production_has_nothing_for_trials(tmp_path: Path) -> None:
    wanted = ("*.py", "*.toml", "LICENSE", "README.md", "docs", ":!tests", ":!benchmarks")
    for name in call("git", "ls-files", *wanted).splitlines():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_bytes((ROOT / name).read_bytes())
    for extra in ({}, {"PORTAL_WHEEL": "production"}):
        words = [sys.executable, "-c", BUILD.format(str(tmp_path))]
        subprocess.run(
            words, cwd=tmp_path / "source", env=os.environ | extra, check=True, capture_output=True
        )
        [wheel] = tmp_path.glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        tops = {name.partition("/")[0] for name in names if "dist-info" not in name}
        assert tops == {"portal", *(() if extra else ("tactical_simulator",))}
        assert "portal/app.py" in names


def test_without_a_simulated_server_the_demo_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="has no demo"):
        run_portal(is_demo=True)


def test_it_runs_in_any_folder(installed: Path, nowhere: Path, tmp_path: Path) -> None:
    port = free_port()
    portal = running_portal(tmp_path / "data", port, "run", [str(installed)], nowhere)
    with portal as running:
        running.wait_for("The portal is at")
        for path in ("sign-in", "static/portal.css", "static/portal.js"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}") as answer:
                assert answer.read()
        assert running.end(signal.SIGINT) == 0
    assert list(nowhere.iterdir()) == []


def test_the_demo_runs_in_any_folder(installed: Path, nowhere: Path, tmp_path: Path) -> None:
    portal = running_portal(tmp_path / "data", free_port(), "demo", [str(installed)], nowhere)
    with portal as running:
        running.wait_for("sign in as")
        assert running.end(signal.SIGINT) == 0
