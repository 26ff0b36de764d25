"""The page of a plan, and a person's decision on it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from portal.db import db, transaction
from portal.models import Asset, SyncLogEntry, SyncPlan, SyncPlanRow, SyncRun
from portal.models.runs.sync_plan import PlanStatus
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from tests.web.conftest import HTMX
from tests.web.world import Place

pytestmark = pytest.mark.one_database


def agent_of(app: Flask, place: Place) -> str:
    with app.app_context(), tenant_scope(place.id):
        return db.session.get_one(Asset, place.asset).rmm_device_id


def plan_of(app: Flask, place: Place) -> tuple[PlanStatus, list[bool]]:
    with app.app_context(), tenant_scope(place.id):
        rows = db.session.scalars(select(SyncPlanRow).order_by(SyncPlanRow.id)).all()
        return db.session.get_one(SyncPlan, place.plan).status, [row.chosen for row in rows]


def apply_runs(app: Flask, place: Place) -> list[SyncRun]:
    with app.app_context(), tenant_scope(place.id):
        return list(db.session.scalars(select(SyncRun).where(SyncRun.kind == SyncKind.APPLY)))


def test_it_says_why_what_and_until_when(admin: FlaskClient, acme: Place) -> None:
    page = admin.get(acme.url(f"plans/{acme.plan}")).text
    assert "This waits for your decision" in page
    assert "This run would move acme-pc." in page
    assert "can be applied until" in page
    assert "Branch" in page
    assert "Not mapped." in page


def test_rows_are_filtered_and_searched(admin: FlaskClient, acme: Place) -> None:
    moves = admin.get(acme.url(f"plans/{acme.plan}?action=move"), headers=HTMX).text
    assert "Branch" in moves
    assert "Not mapped." not in moves
    nothing = admin.get(acme.url(f"plans/{acme.plan}?q=nothing-like-it")).text
    assert "No row matches" in nothing


def test_all_of_it_is_applied_by_a_run(app: Flask, admin: FlaskClient, acme: Place) -> None:
    answer = admin.post(acme.url(f"plans/{acme.plan}/apply"))
    [run] = apply_runs(app, acme)
    assert answer.location.endswith(acme.url(f"sync-runs/{run.id}"))
    assert (run.status, run.subject) == (RunStatus.QUEUED, str(acme.plan))
    assert plan_of(app, acme) == (PlanStatus.APPLIED, [True, False])
    again = admin.post(acme.url(f"plans/{acme.plan}/apply"), follow_redirects=True).text
    assert "This plan has already been applied." in again
    assert len(apply_runs(app, acme)) == 1


def test_only_what_was_ticked(app: Flask, admin: FlaskClient, acme: Place) -> None:
    path = acme.url(f"plans/{acme.plan}/apply")
    none = admin.post(path, data={"which": "chosen"}, follow_redirects=True).text
    assert "Select the agents to apply first." in none
    wrong = admin.post(path, data={"which": "chosen", "agent": "b"}, follow_redirects=True).text
    assert "nothing to apply for the agent b" in wrong
    assert plan_of(app, acme)[0] is PlanStatus.OPEN
    admin.post(path, data={"which": "chosen", "agent": agent_of(app, acme)})
    assert plan_of(app, acme) == (PlanStatus.APPLIED, [True, False])


def test_it_can_be_declined(app: Flask, admin: FlaskClient, acme: Place) -> None:
    path = acme.url(f"plans/{acme.plan}/decline")
    assert "Nothing was changed." in admin.post(path, follow_redirects=True).text
    assert plan_of(app, acme) == (PlanStatus.DECLINED, [False, False])
    assert "This plan was declined." in admin.post(path, follow_redirects=True).text


def test_a_viewer_looks_and_decides_nothing(app: Flask, viewer: FlaskClient, acme: Place) -> None:
    page = viewer.get(acme.url(f"plans/{acme.plan}")).text
    assert "Branch" in page
    assert "Apply all" not in page
    assert "Apply selected" not in page
    assert viewer.post(acme.url(f"plans/{acme.plan}/apply")).status_code == 403
    assert plan_of(app, acme)[0] is PlanStatus.OPEN


def test_the_page_of_a_run_leads_to_its_plan(admin: FlaskClient, acme: Place) -> None:
    assert acme.url(f"plans/{acme.plan}") in admin.get(acme.url(f"sync-runs/{acme.run}")).text


def test_the_link_to_the_plan_comes_when_the_run_has_ended(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(SyncRun, acme.run).kind = SyncKind.PREVIEW
        session.get_one(SyncRun, acme.run).status = RunStatus.PLANNED
        session.execute(delete(SyncLogEntry))
    region = HTMX | {"HX-Target": "run-causes"}
    part = admin.get(acme.url(f"sync-runs/{acme.run}"), headers=region).text
    assert acme.url(f"plans/{acme.plan}") in part
    assert "<html" not in part
    page = admin.get(acme.url(f"sync-runs/{acme.run}")).text
    assert "Every record was already up to date" not in page
    assert "is in its plan" in page


def test_a_preview_is_asked_for_by_a_button(app: Flask, admin: FlaskClient, acme: Place) -> None:
    assert "Preview devices" in admin.get(acme.url("sync-runs/")).text
    assert admin.post(acme.url("sync-runs/start/preview")).status_code == 302
    assert admin.post(acme.url("sync-runs/start/apply")).status_code == 404
    with app.app_context(), tenant_scope(acme.id):
        run = db.session.scalars(select(SyncRun).order_by(SyncRun.id.desc())).first()
        assert run is not None
        assert run.kind is SyncKind.PREVIEW
