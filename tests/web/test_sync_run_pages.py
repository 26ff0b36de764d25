"""Sync runs: started once, watched, stopped, looked back at."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import SyncRun
from portal.models.runs.sync_run import RunStatus
from portal.scope import tenant_scope
from portal.services.runs.history import find_any_active_run
from tests.web.conftest import HTMX
from tests.web.world import Place

pytestmark = pytest.mark.one_database


@pytest.fixture
def run(app: Flask, admin: FlaskClient, acme: Place) -> int:
    """The id of a devices run that waits for a worker."""
    assert admin.post(acme.url("sync-runs/start/devices"), headers=HTMX).status_code == 200
    with app.app_context(), tenant_scope(acme.id):
        found = find_any_active_run()
        assert found
        return found.id


def work(app: Flask, acme: Place, run: int, **facts: object) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        row = session.get_one(SyncRun, run)
        for name, value in facts.items():
            setattr(row, name, value)


def test_a_second_press_leads_to_the_run_at_work(admin: FlaskClient, acme: Place, run: int) -> None:
    again = admin.post(acme.url("sync-runs/start/devices"))

    assert again.location == acme.url(f"sync-runs/{run}")
    assert "already running" in admin.get(again.location).text
    assert admin.get(acme.url("sync-runs/?status=queued")).text.count("Devices <") == 1


def test_progress_shows_phase_and_numbers_until_the_end(
    app: Flask, admin: FlaskClient, acme: Place, run: int
) -> None:
    url = acme.url(f"sync-runs/{run}/progress")
    waiting = admin.get(url, headers=HTMX)
    work(app, acme, run, status=RunStatus.RUNNING, phase="Agents", done=1200, total=5000)
    working = admin.get(url, headers=HTMX)
    ended = {"status": RunStatus.SUCCESS, "seen": 5000, "created": 1200}
    work(app, acme, run, **ended, started_at=utc_now(), finished_at=utc_now())
    end = admin.get(url, headers=HTMX)

    assert "Waiting for a worker" in waiting.text
    assert "1,200 of 5,000" in working.text
    assert 'max="5000" value="1200"' in working.text
    assert "sync-finished" not in working.headers.get("HX-Trigger", "")
    for active in (waiting, working):
        assert "every 1s" in active.text
    assert "1,200 created." in end.text
    assert "5,000 seen" in end.text
    assert end.headers["HX-Trigger"] == "sync-finished"
    assert "every 1s" not in end.text
    assert admin.get(url).location == acme.url(f"sync-runs/{run}")


def test_stopping(app: Flask, admin: FlaskClient, acme: Place, run: int) -> None:
    work(app, acme, run, status=RunStatus.RUNNING)
    working = admin.post(acme.url(f"sync-runs/{run}/cancel"), headers=HTMX)
    work(app, acme, run, status=RunStatus.CANCELLED)
    late = admin.post(acme.url(f"sync-runs/{run}/cancel"))

    assert "Stopping…" in working.text
    assert ">Stop<" not in working.text
    assert late.location == acme.url(f"sync-runs/{run}")


def test_pages_refresh_themselves_when_a_sync_ends(
    admin: FlaskClient, acme: Place, run: int
) -> None:
    for path, region in (
        ("", "overview"),
        ("assets/?q=a", "asset-rows"),
        ("organizations/?q=a", "organization-rows"),
        ("sync-runs/?kind=devices", "run-rows"),
    ):
        headers = HTMX | {"HX-Target": region}
        assert "sync-finished from:body" in admin.get(acme.url(path)).text
        assert "<!doctype html>" not in admin.get(acme.url(path), headers=headers).text


def test_a_run_tells_what_it_did(admin: FlaskClient, acme: Place) -> None:
    page = admin.get(acme.url(f"sync-runs/{acme.run}")).text
    nothing = admin.get(acme.url(f"sync-runs/{acme.run}?q=nobody")).text

    assert "read from the beta API" in page
    assert "acme-pc" in page
    assert "No entry matches." in nothing


@pytest.mark.parametrize("kind", ["agent", "everything"])
def test_only_known_kinds_are_started_by_a_button(
    admin: FlaskClient, acme: Place, kind: str
) -> None:
    assert admin.post(acme.url(f"sync-runs/start/{kind}")).status_code == 404
