"""What `make install` says on a machine that lacks something. (CI makes the real thing.)"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = "requirements.txt"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as the script looks at, with a PATH of its own in `bin`."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("scripts/install.sh", LOCK, "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for tool in ("sh", "cat", "cksum", "dirname"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    return tmp_path


def install(clone: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "scripts/install.sh", LOCK],
        cwd=clone,
        env={"PATH": str(clone / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def add_python(clone: Path, fails_when: str) -> None:
    script = clone / "bin" / "python3"
    script.write_text(f'#!/bin/sh\ncase "$2" in *{fails_when}*) exit 1 ;; esac\n')
    script.chmod(0o755)


def test_no_python_is_one_line(clone: Path) -> None:
    result = install(clone)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr


def test_an_old_python_is_one_line(clone: Path) -> None:
    add_python(clone, fails_when="version_info")
    result = install(clone)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer" in result.stderr


def test_a_python_without_venv_names_the_package(clone: Path) -> None:
    add_python(clone, fails_when="ensurepip")
    result = install(clone)
    assert result.returncode == 1
    assert result.stderr == (
        "python3 has no venv module. On Debian or Ubuntu: apt-get install python3-venv\n"
    )
