from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.running import RunningPortal, descendants, free_port, running_portal, survivors

pytestmark = pytest.mark.servers

WARM_SECONDS = 10
WINDOWS = "maintenance_windows"


def sign_in_of(portal: RunningPortal) -> tuple[str, str]:
    email = portal.wait_for("sign in as").split()[-1]
    password = portal.wait_for("password").split()[-1]
    return email, password


def test_the_demo_is_connected_mapped_and_synced_and_the_next_start_finds_it(
    tmp_path: Path,
) -> None:
    with running_portal(tmp_path, free_port(), "demo") as portal:
        sign_in = sign_in_of(portal)
        server = portal.wait_for("simulated Tactical server is at")
        children = descendants(portal.process.pid)
        assert portal.end(signal.SIGINT) == 0
    assert survivors(children, seconds=0.5) == set()

    engine = create_engine(f"sqlite:///{tmp_path / 'demo' / 'portal.db'}")
    with engine.connect() as connection:
        counts = {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in ("clients", "assets", "asset_software", "rmm_alerts", "users", WINDOWS)
        }
        unmapped = text("SELECT count(*) FROM rmm_organization_mappings WHERE client_id IS NULL")
        assert connection.scalar(unmapped) == 0
    engine.dispose()
    assert counts.pop("asset_software") > 1000
    assert counts.pop("rmm_alerts") > 10
    assert counts == {"clients": 6, "assets": 250, "users": 1, WINDOWS: 1}
    assert (tmp_path / "demo" / "demo.json").stat().st_mode & 0o777 == 0o600

    started_at = time.monotonic()
    with running_portal(tmp_path, free_port(), "demo") as portal:
        assert sign_in_of(portal) == sign_in
        assert portal.wait_for("simulated Tactical server is at") == server
        assert time.monotonic() - started_at < WARM_SECONDS
        assert portal.end(signal.SIGINT) == 0
