from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import portal as package
from tests.support.running import RunningPortal
from tests.support.running_msp import msp, portal_with_workers

__all__ = ["msp"]

ROOT = Path(package.__file__).parents[1]
PARTS = ("portal", "migrations")


@pytest.fixture
def portal(tmp_path: Path, database_url: str) -> Iterator[RunningPortal]:
    """On either database. Its processes can say what they are at when a soak gives up.

    It runs from a copy of the code: a web server that was killed imports its pages anew, and one
    who works on them meanwhile would keep it from starting.
    """
    for part in PARTS:
        shutil.copytree(ROOT / part, tmp_path / "code" / part)
    environ = {"DATABASE_URL": database_url, "PYTHONFAULTHANDLER": "1"}
    with portal_with_workers(tmp_path, tmp_path / "code", **environ) as portal:
        yield portal
