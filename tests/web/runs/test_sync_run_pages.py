"""Sync runs: started once, watched, stopped, looked back at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import SyncLogEntry, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services.runs.history import find_any_active_run
from tests.web.conftest import HTMX
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, sign_in

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


@pytest.mark.parametrize("kind", ["agent", "agents", "everything"])
def test_only_known_kinds_are_started_by_a_button(
    admin: FlaskClient, acme: Place, kind: str
) -> None:
    assert admin.post(acme.url(f"sync-runs/start/{kind}")).status_code == 404


def test_a_run_at_work_tells_its_pace_once_there_is_one(
    app: Flask, admin: FlaskClient, acme: Place, run: int
) -> None:
    url = acme.url(f"sync-runs/{run}/progress")
    started = {"status": RunStatus.RUNNING, "total": 5000, "started_at": utc_now()}
    work(app, acme, run, **started, paced_from=utc_now())
    begun = admin.get(url, headers=HTMX).text
    work(app, acme, run, done=1000, paced_from=utc_now() - timedelta(seconds=25))
    going = admin.get(url, headers=HTMX).text

    assert "a second" not in begun
    assert "1,000 of 5,000, 40 a second, about 2 min left" in going


def test_errors_are_grouped_and_those_of_agents_can_be_retried(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        bad = {"run_id": acme.run, "action": "failed", "reason": "The record cannot be read."}
        session.add_all(SyncLogEntry(external_id="", name="", **bad) for _ in range(2))
    page = admin.get(acme.url(f"sync-runs/{acme.run}")).text
    assert "Retry 1 agent" in page
    assert "Retry 2 agents" not in page
    assert "the portal cannot ask for them alone" in page
    assert "q=The+record+cannot+be+read." in page
    only = admin.get(acme.url(f"sync-runs/{acme.run}?action=failed&q=The+record+cannot")).text
    assert "2 entries" in only

    retried = admin.post(acme.url(f"sync-runs/{acme.run}/retry/{acme.failure}"))
    assert retried.location != acme.url(f"sync-runs/{acme.run}")
    assert "Chosen agents sync" in admin.get(retried.location).text
    again = admin.post(acme.url(f"sync-runs/{acme.run}/retry/{acme.failure}"))
    assert again.location == retried.location
    assert "already being read again" in admin.get(again.location).text


def test_only_who_may_sync_is_offered_a_retry(viewer: FlaskClient, acme: Place) -> None:
    page = viewer.get(acme.url(f"sync-runs/{acme.run}")).text
    assert "Its site is not listed." in page
    assert "Retry" not in page


def test_lists_tell_what_happened_in_a_sentence(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    work(app, acme, acme.run, seen=9, created=3, moved=1)
    for path in ("sync-runs/", f"sync-runs/{acme.run}"):
        assert "3 created, 1 moved, 1 failed." in admin.get(acme.url(path)).text


def test_a_run_that_failed_is_started_again_by_a_button(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    path = acme.url(f"sync-runs/{acme.run}")
    assert "Try again" not in admin.get(path).text
    work(app, acme, acme.run, status=RunStatus.FAILED, error="Tactical is away.")
    page = admin.get(path).text
    assert "Try again" in page
    assert "Tactical is away." in page


def test_the_connection_shows_the_last_thirty_runs_of_each_kind(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    began = utc_now() - timedelta(days=1)
    ends = [RunStatus.FAILED, *([RunStatus.SUCCESS] * 34)]
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration_id = session.get_one(SyncRun, acme.run).integration_id
        what = {"integration_id": integration_id, "trigger": "schedule", "started_at": began}
        runs = [
            SyncRun(
                kind=SyncKind.SOFTWARE,
                status=status,
                finished_at=began + timedelta(seconds=90 + n),
                **what,
            )
            for n, status in enumerate(reversed(ends))
        ]
        session.add_all([*runs, SyncRun(kind=SyncKind.ALERTS, status=RunStatus.RUNNING, **what)])
        session.flush()
        newest, too_old = runs[-1].id, runs[4].id
    page = admin.get(acme.url("integrations/tacticalrmm/")).text
    told = "Software, the last 30 runs: 29 success, 1 failed. The longest took 2 min 4 s."
    assert f'role="img" aria-label="{told}"' in page
    assert f"<caption>{told}</caption>" in page
    assert "Devices, the only run: 1 partial." in page
    assert "Alerts, the" not in page  # it is at work
    assert f'href="{acme.url(f"sync-runs/{newest}")}"' in page
    assert f'href="{acme.url(f"sync-runs/{too_old}")}"' not in page
    assert '<rect class="run-bar run-bad" x="291.5" y="2.0" width="7" height="48.0"/>' in page


def test_without_a_run_there_is_no_chart(app: Flask, admin: FlaskClient, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.delete(session.get_one(SyncRun, acme.run))
    assert "Last runs" not in admin.get(acme.url("integrations/tacticalrmm/")).text


def test_the_list_names_who_asked_but_to_whoever_is_limited(
    app: Flask, admin: FlaskClient, acme: Place, run: int
) -> None:
    assert "admin@acme.example" in admin.get(acme.url("sync-runs/")).text.partition("<main")[2]
    work(app, acme, run, requested_by=None)
    assert "A deleted user" in admin.get(acme.url("sync-runs/")).text
    work(app, acme, run, trigger="schedule")
    assert "<td>Schedule</td>" in admin.get(acme.url("sync-runs/")).text
    work(app, acme, run, trigger="button", requested_by=1)
    limited = app.test_client()
    sign_in(app, limited, limited_user(app, acme, acme.client))
    page = limited.get(acme.url("sync-runs/")).text
    assert "A person" in page
    assert "admin@acme.example" not in page
