from __future__ import annotations

import signal
import time
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.running import RunningPortal, descendants, free_port, running_portal, survivors

pytestmark = pytest.mark.servers

HANDLING = {"maintenance_windows": 1, "alert_rules": 5, "channels": 1}
MAIL_SECONDS = 30


def sign_in_of(portal: RunningPortal) -> tuple[str, str]:
    email = portal.wait_for("sign in as").split()[-1]
    password = portal.wait_for("password").split()[-1]
    return email, password


def wait_for_a_mail(box: str) -> str:
    """The page of the first one."""
    give_up = time.monotonic() + MAIL_SECONDS
    while b'href="/1"' not in read(f"{box}/"):
        assert time.monotonic() < give_up, "No mail came."
        time.sleep(0.1)
    return read(f"{box}/1").decode()


def read(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content


def test_the_demo_is_connected_mapped_and_synced_and_the_next_start_finds_it(
    tmp_path: Path,
) -> None:
    with running_portal(tmp_path, free_port(), "demo") as portal:
        sign_in = sign_in_of(portal)
        server = portal.wait_for("simulated Tactical server is at")
        box = portal.wait_for("mails that the portal sends are at").split()[-1].rstrip(".")
        assert "alert" in wait_for_a_mail(box).lower()
        children = descendants(portal.process.pid)
        assert portal.end(signal.SIGINT) == 0
    assert survivors(children, seconds=0.5) == set()

    engine = create_engine(f"sqlite:///{tmp_path / 'demo' / 'portal.db'}")
    with engine.connect() as connection:
        counts = {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            for table in ("clients", "assets", "asset_software", "rmm_alerts", "users", *HANDLING)
        }
        unmapped = text("SELECT count(*) FROM rmm_organization_mappings WHERE client_id IS NULL")
        assert connection.scalar(unmapped) == 0
    engine.dispose()
    assert counts.pop("asset_software") > 1000
    assert counts.pop("rmm_alerts") > 10
    assert counts == {"clients": 6, "assets": 250, "users": 1} | HANDLING
    assert (tmp_path / "demo" / "demo.json").stat().st_mode & 0o777 == 0o600

    with running_portal(tmp_path, free_port(), "demo") as portal:
        assert sign_in_of(portal) == sign_in
        assert portal.wait_for("simulated Tactical server is at") == server
        assert "Synced" not in portal.output
        assert portal.end(signal.SIGINT) == 0
