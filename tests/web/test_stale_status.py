"""A status that is old, and assets that are gone: on every page that would show them."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Asset, Schedule, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.integrations.current import get_integration
from portal.web.template_helpers import iso_time
from tests.web.world import Place

pytestmark = pytest.mark.one_database


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def age(app: Flask, acme: Place, **facts: object) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        for name, value in facts.items():
            setattr(asset, name, value)


def look_was(app: Flask, acme: Place, at: datetime) -> None:
    """The only look at the fleet so far."""
    age(app, acme, status_at=at)
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        run = session.get_one(SyncRun, acme.run)
        run.status, run.created_at, run.started_at = RunStatus.SUCCESS, at, at


def test_a_stale_status_is_grey_with_its_time_and_the_dashboard_says_why(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    fresh = admin.get(acme.url()).text + admin.get(acme.url("assets/")).text
    assert "state-stale" not in fresh
    assert "stale" not in fresh.lower()
    at = utc_now() - timedelta(minutes=6)
    look_was(app, acme, at)

    for path in ("assets/", "assets/?status=stale", "assets/?status=online"):
        page = admin.get(acme.url(path)).text
        assert '<span class="state state-stale">' in page
        assert 'Stale <span class="chip-number">1</span>' in page
        assert 'Online <span class="chip-number">1</span>' in page
        assert f'as of <time datetime="{iso_time(at)}"' in page
    assert "state-stale" in admin.get(acme.url(f"assets/{acme.asset}")).text
    [row] = rows_of(admin.get(acme.url("assets/export.csv?status=stale")).text)
    assert (row["agent_status"], row["status_stale"]) == ("online", "True")
    dashboard = admin.get(acme.url()).text
    assert f'It is from <time datetime="{iso_time(at)}"' in dashboard
    assert "Status syncs and device syncs are switched off" in dashboard
    assert acme.url("sync-runs/start/status") in dashboard
    run = admin.post(acme.url("sync-runs/start/status"))
    assert "/sync-runs/" in run.location


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        ("queued", None, "The next sync is waiting for a worker."),
        ("failed", "Tactical is away.", "The last sync failed: Tactical is away."),
        ("cancelled", None, "The last sync was cancelled."),
    ],
)
def test_the_reason_of_a_stale_status_is_that_of_the_last_run(
    app: Flask, admin: FlaskClient, acme: Place, status: str, error: str | None, why: str
) -> None:
    at = utc_now() - timedelta(minutes=11)
    look_was(app, acme, at)
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration = get_integration().id
        work: dict[str, Any] = {"integration_id": integration, "kind": SyncKind.STATUS}
        session.add(Schedule(**work, every_seconds=300, next_due_at=utc_now()))
    text = admin.get(acme.url()).text
    assert f'It is from <time datetime="{iso_time(at)}"' in text
    assert "No sync has started since then. Check that the portal" in text
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(SyncRun(**work, trigger="schedule", status=RunStatus(status), error=error))
    assert why in admin.get(acme.url()).text


def test_a_missing_asset_leaves_all_but_its_own_filter(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    age(app, acme, missing_since=utc_now())

    for path in ("assets/", "assets/?status=online", "assets/?q=acme-pc"):
        page = admin.get(acme.url(path)).text
        assert f"/assets/{acme.asset}" not in page
        assert 'All <span class="chip-number">0</span>' in page
        assert 'Not in Tactical <span class="chip-number">1</span>' in page
        assert rows_of(admin.get(acme.url(path.replace("/", "/export.csv", 1))).text) == []
    page = admin.get(acme.url("assets/?status=missing&q=acme-pc")).text
    assert f"/assets/{acme.asset}" in page
    [row] = rows_of(admin.get(acme.url("assets/export.csv?status=missing")).text)
    assert row["missing_since"]
    assert "Not in Tactical" in admin.get(acme.url(f"assets/{acme.asset}")).text
    assert 'Assets</a><span class="dash-total">0</span>' in admin.get(acme.url()).text
    answer = admin.get(acme.url("clients/picker?q=acme")).json
    assert answer is not None
    assert answer["options"][0]["note"] == "0 assets"
    refused = admin.post(acme.url(f"clients/{acme.client}/delete"), follow_redirects=True).text
    assert "it has 1 asset (1 of them no longer in Tactical)" in refused


def test_the_software_of_a_missing_asset_has_its_own_filter(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    age(app, acme, missing_since=utc_now())
    product = f"software/products/{acme.product}"
    assert "acme-pc" not in admin.get(acme.url(product)).text
    assert rows_of(admin.get(acme.url(f"{product}/export.csv")).text) == []
    page = admin.get(acme.url(f"{product}?show=missing")).text
    assert "acme-pc" in page
    assert '<span class="state state-warn">' in page
    [row] = rows_of(admin.get(acme.url(f"{product}/export.csv?show=missing")).text)
    assert row["missing_since"]
