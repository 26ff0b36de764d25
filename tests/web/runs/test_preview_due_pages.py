"""Pages offer the preview that is due, and say why the schedule waits."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models.integrations.integration import PreviewReason
from portal.scope import tenant_scope
from portal.services.integrations.current import get_integration
from tests.web.world import Place

pytestmark = pytest.mark.one_database

CONNECTION, RUNS, DASHBOARD, ASSETS = "integrations/tacticalrmm/", "sync-runs/", "", "assets/"


@pytest.fixture
def changed(app: Flask, acme: Place) -> Place:
    """Its credentials were changed after its plan was made."""
    require(app, acme, utc_now())
    return acme


def require(app: Flask, place: Place, since: datetime) -> None:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        integration = get_integration()
        integration.preview_due = PreviewReason.NEW_CREDENTIALS
        integration.preview_due_at = since
        session.flush()


@pytest.mark.parametrize("path", [CONNECTION, RUNS, DASHBOARD, ASSETS])
def test_the_preview_is_offered_beside_the_sync(
    admin: FlaskClient, changed: Place, path: str
) -> None:
    page = admin.get(changed.url(path)).text
    assert "Preview devices" in page
    assert "Sync without preview" in page
    assert changed.url("sync-runs/start/preview") in page


@pytest.mark.parametrize("path", [CONNECTION, RUNS, DASHBOARD])
def test_pages_say_why_the_schedule_waits(admin: FlaskClient, changed: Place, path: str) -> None:
    page = admin.get(changed.url(path)).text
    assert "The credentials were changed." in page
    assert "Scheduled device syncs wait until" in page


@pytest.mark.parametrize("path", [CONNECTION, DASHBOARD])
def test_they_lead_to_a_plan_that_was_made_since(
    app: Flask, admin: FlaskClient, acme: Place, path: str
) -> None:
    require(app, acme, utc_now() - timedelta(hours=1))
    assert acme.url(f"plans/{acme.plan}") in admin.get(acme.url(path)).text
    plan = admin.get(acme.url(f"plans/{acme.plan}")).text
    assert "Scheduled device syncs wait for your decision." in plan
    admin.post(acme.url(f"plans/{acme.plan}/decline"))
    assert "Scheduled device syncs wait" not in admin.get(acme.url(path)).text


@pytest.mark.parametrize("path", [CONNECTION, RUNS, DASHBOARD])
def test_nothing_is_said_where_none_is_due(admin: FlaskClient, acme: Place, path: str) -> None:
    page = admin.get(acme.url(path)).text
    assert "Sync without preview" not in page
    assert "Scheduled device syncs wait" not in page


def test_who_may_only_look_is_offered_no_button(viewer: FlaskClient, changed: Place) -> None:
    page = viewer.get(changed.url(CONNECTION)).text
    assert "Scheduled device syncs wait until" in page
    assert "Sync without preview" not in page
