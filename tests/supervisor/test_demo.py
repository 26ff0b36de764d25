from __future__ import annotations

import signal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.demo import mail_box_of, sign_in_of, wait_for_a_mail
from tests.support.running import descendants, free_port, running_portal, survivors

pytestmark = pytest.mark.servers

RAISED = "SELECT sum(raised_error + raised_warning + raised_info) FROM daily_counts"
OF_THESE_DAYS = """SELECT count(*) FROM alert_handlings
    WHERE date(began_at) IN (SELECT day FROM daily_counts)"""
HANDLING = {"maintenance_windows": 1, "alert_rules": 5, "channels": 1}


def test_the_demo_is_connected_mapped_and_synced_and_the_next_start_finds_it(
    tmp_path: Path,
) -> None:
    with running_portal(tmp_path, free_port(), "demo") as portal:
        sign_in = sign_in_of(portal)
        server = portal.wait_for("simulated Tactical server is at")
        assert "alert" in wait_for_a_mail(mail_box_of(portal)).lower()
        assert " INFO " not in portal.output  # the sign-in stays in sight
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
        address = connection.scalar(text("SELECT dashboard_url FROM rmm_integrations"))
        assert address.startswith("http://127.0.0.1:")  # pages of assets lead to Tactical's
        raised = connection.scalar(text(RAISED))
        assert raised == connection.scalar(text(OF_THESE_DAYS)) > 1000  # each leads to its rows
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
