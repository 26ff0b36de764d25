"""Relinked, waiting and asked about: as the log, the plan and the history of an asset show it."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import transaction
from portal.models import AssetChange, SyncLogEntry, SyncPlanRow
from portal.models.assets.change import ChangeAction
from portal.models.runs.sync_plan import PlanAction
from portal.scope import tenant_scope
from tests.web.world import Place

pytestmark = pytest.mark.one_database
OLD, NEW = "o" * 40, "n" * 40


def test_the_log_tells_what_it_rests_on(app: Flask, admin: FlaskClient, acme: Place) -> None:
    evidence = {
        "newcomer": {"first_listed_at": "2026-11-23T05:41:09.120000Z"},
        "assets": [
            {
                "asset_id": acme.asset,
                "name": "acme-pc",
                "equal": ["serial", "make_model"],
                "different": ["name"],
                "last_seen": "2026-11-22T01:02:03Z",
            }
        ],
    }
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        changes = {"rmm_device_id": [OLD, NEW], "evidence": evidence}
        session.add(SyncLogEntry(run_id=acme.run, action="relinked", external_id=NEW, name="pc",
                                 reason="It has the serial number.", changes=changes))  # fmt: skip
    page = admin.get(acme.url(f"sync-runs/{acme.run}")).text
    assert "equal: serial number, make and model; different: name" in page
    said = re.sub(r"</?time[^>]*>", "", page)
    assert "seen 22 Nov 2026, 01:02 UTC, the new one first listed 23 Nov 2026, 05:41 UTC." in said
    assert OLD in page


@pytest.mark.parametrize("action", PlanAction)
def test_a_plan_shows_each_action(
    app: Flask, admin: FlaskClient, acme: Place, action: PlanAction
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        row = SyncPlanRow(plan_id=acme.plan, action=action, agent_id=NEW, name="pc")
        row.changes = {"rmm_device_id": [OLD, NEW], "client_id": [None, acme.client]}
        session.add(row)
    assert NEW in admin.get(acme.url(f"plans/{acme.plan}?action={action}")).text


@pytest.mark.parametrize("action", ChangeAction)
def test_the_history_shows_each_action(
    app: Flask, admin: FlaskClient, acme: Place, action: ChangeAction
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        change = AssetChange(asset_id=acme.asset, action=action, column="rmm_device_id")
        change.before, change.after, change.cause = OLD, NEW, "schedule"
        session.add(change)
    assert NEW in admin.get(acme.url(f"assets/{acme.asset}/history")).text
