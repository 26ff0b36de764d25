"""A running portal, and a tenant in it that is connected to the simulated Tactical server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal import create_app
from portal.config import read_settings
from tactical_simulator import SimulatedTactical
from tests.support.apps import leave
from tests.support.keys import KEYS
from tests.support.running import PROGRAM, RunningPortal, free_port, running_portal
from tests.support.webhooks import Msp, make_msp


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[RunningPortal]:
    """With its web server, workers, scheduler and Redis, on a SQLite file of its own."""
    with portal_with_workers(tmp_path) as portal:
        yield portal


@contextmanager
def portal_with_workers(
    folder: Path, code: Path | None = None, /, **environ: str
) -> Iterator[RunningPortal]:
    """`code`: a folder with a copy of the portal to run; else it is this one."""
    environ = {
        **KEYS,
        "PORTAL_EGRESS_ALLOW": "127.0.0.0/8",
        "PORTAL_LOG_LEVEL": "WARNING",
        **environ,
    }
    with running_portal(folder / "var", free_port(), "run", PROGRAM, code, **environ) as portal:
        portal.wait_for("one-time token")
        yield portal


@pytest.fixture
def msp(portal: RunningPortal, tactical: SimulatedTactical) -> Iterator[Msp]:
    """Reads the database of the running portal, beside it."""
    app = create_app(read_settings(portal.environ))
    yield make_msp(app, tactical, f"http://127.0.0.1:{portal.environ['PORTAL_PORT']}")
    leave(app)
