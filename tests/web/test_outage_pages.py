"""Pages say why nothing is synced, since when, and what to do about it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Errand, Schedule, SyncRun
from portal.models.errands.errand import ErrandKind
from portal.models.integrations.integration import Stop
from portal.models.runs.sync_run import SyncKind
from portal.scope import tenant_scope
from portal.services.integrations.current import get_integration
from portal.services.integrations.schedules import ensure_schedules
from portal.vault import find_secret
from tests.web.conftest import HTMX
from tests.web.world import Place

pytestmark = pytest.mark.one_database

CONNECTION, RUNS, DASHBOARD = "integrations/tacticalrmm/", "sync-runs/", ""
CODE = CONNECTION + "code"
WORDS = "api.acme.example did not answer in time."


def change(app: Flask, place: Place, **facts: Any) -> None:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        integration = get_integration()
        ensure_schedules(session, integration)
        for name, value in facts.items():
            setattr(integration, name, value)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split()).replace(" .", ".").replace(" :", ":")


@pytest.fixture
def away(app: Flask, acme: Place) -> Place:
    since = utc_now() - timedelta(minutes=20)
    change(
        app,
        acme,
        last_error=WORDS,
        failures_in_row=7,
        failing_since=since,
        breaker_until=utc_now() + timedelta(minutes=5),
    )
    return acme


def clock(moment: Any) -> str:
    return f"{moment:%H:%M} UTC"


@pytest.mark.parametrize("page", [CONNECTION, RUNS, DASHBOARD])
def test_a_server_that_does_not_answer(
    app: Flask, admin: FlaskClient, away: Place, page: str
) -> None:
    with app.app_context(), tenant_scope(away.id):
        since = get_integration().failing_since
        due = db.session.scalars(
            select(Schedule.next_due_at).where(Schedule.kind == SyncKind.STATUS)
        ).one()
        until = max(due, get_integration().breaker_until or due)
    html = admin.get(away.url(page)).text
    said = text_of(html)
    assert re.search(rf"Tactical has not answered since .*{clock(since)}\.", said)
    assert re.search(rf"The next try is at .*{clock(until)}\.", said)
    # The card of the server tells it, too.
    assert said.count(WORDS) == (2 if page == CONNECTION else 1)
    assert "Try now" in said
    assert away.url("sync-runs/start/status") in html


def test_try_now_starts_a_look_at_once(app: Flask, admin: FlaskClient, away: Place) -> None:
    admin.post(away.url("sync-runs/start/status"))
    with app.app_context(), tenant_scope(away.id):
        run = db.session.scalars(select(SyncRun).where(SyncRun.kind == SyncKind.STATUS)).one()
    assert run.trigger == "button"


def test_a_try_that_is_due_and_one_that_never_comes(
    app: Flask, admin: FlaskClient, away: Place
) -> None:
    change(app, away, breaker_until=utc_now() - timedelta(seconds=3))
    with app.app_context(), tenant_scope(away.id), transaction() as session:
        for schedule in session.scalars(select(Schedule)):
            schedule.next_due_at = utc_now() - timedelta(seconds=3)
    assert "The next try is due now." in text_of(admin.get(away.url(RUNS)).text)
    with app.app_context(), tenant_scope(away.id), transaction() as session:
        for schedule in session.scalars(select(Schedule)):
            session.delete(schedule)
    assert "The portal does not try again on its own." in text_of(admin.get(away.url(RUNS)).text)


@pytest.mark.parametrize("page", [CONNECTION, RUNS, DASHBOARD])
def test_refused_credentials(app: Flask, admin: FlaskClient, acme: Place, page: str) -> None:
    why = "Tactical does not know this API key."
    change(app, acme, stopped_for=Stop.WRONG_KEY, stopped_at=utc_now(), last_error=why)
    said = text_of(admin.get(acme.url(page)).text)
    assert "refuses the credentials" in said
    assert why in said
    assert ("Fix the credentials" if page == DASHBOARD else "Test as saved") in said


def test_a_viewer_is_told_and_offered_nothing(app: Flask, viewer: FlaskClient, away: Place) -> None:
    said = text_of(viewer.get(away.url(RUNS)).text)
    assert "Tactical has not answered since" in said
    assert "Try now" not in said
    change(app, away, stopped_for=Stop.WRONG_KEY, stopped_at=utc_now())
    said = text_of(viewer.get(away.url(RUNS)).text)
    assert "Ask somebody who may change the settings to correct them." in said
    assert "Test as saved" not in said


def test_a_server_that_answers_is_not_spoken_of(admin: FlaskClient, acme: Place) -> None:
    for page in (CONNECTION, RUNS, DASHBOARD):
        html = admin.get(acme.url(page)).text
        assert "has not answered" not in html
        assert "code-banner" not in html


# --- The code ---------------------------------------------------------------------------------

PAGES = (
    DASHBOARD,
    CONNECTION,
    RUNS,
    "assets/?q=x",
    "alerts/",
    "software/",
    "clients/",
    "activity/",
)


@pytest.fixture
def signed_out(app: Flask, acme: Place) -> Place:
    change(app, acme, stopped_for=Stop.CODE_NEEDED, stopped_at=utc_now())
    return acme


def test_every_page_asks_for_a_code(admin: FlaskClient, signed_out: Place) -> None:
    for page in PAGES:
        html = admin.get(signed_out.url(page)).text
        assert html.count('id="code-banner"') == 1, page
        assert f'name="next" value="{signed_out.url(page)}"' in html
    assert "code-banner" in admin.get("/account").text  # in the frame of the tenant


def test_a_viewer_reads_what_is_needed(viewer: FlaskClient, signed_out: Place) -> None:
    html = viewer.get(signed_out.url(RUNS)).text
    assert "somebody who may change the settings enters a new code" in html
    assert "totp_code" not in html
    assert viewer.post(signed_out.url(CODE), data={"totp_code": "123456"}).status_code == 403


def test_a_code_is_handed_to_a_worker_and_followed(
    app: Flask, admin: FlaskClient, signed_out: Place
) -> None:
    here = signed_out.url("assets/")
    answer = admin.post(signed_out.url(CODE), data={"totp_code": "123 456", "next": here})
    assert (answer.status_code, answer.location) == (302, here)
    html = admin.get(here).text
    assert "Sign in to Tactical" in html
    assert "Waiting for a worker" in html
    assert "code-banner" not in html
    with app.app_context(), tenant_scope(signed_out.id), transaction() as session:
        errand = session.scalars(select(Errand).where(Errand.kind == ErrandKind.SIGN_IN)).one()
        assert find_secret(get_integration(), "totp_code") == "123456"
        errand.ok, errand.message = False, "Tactical refuses the one-time code."
    polled = admin.get(signed_out.url(f"requests/{errand.id}"), headers=HTMX)
    assert polled.headers["HX-Refresh"] == "true"
    html = admin.get(here).text  # as the browser then does
    assert "Tactical refuses the one-time code." in html
    assert "code-banner" in html


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", ""])
def test_what_is_no_code_is_told_and_leads_nowhere_else(
    admin: FlaskClient, signed_out: Place, target: str
) -> None:
    data = {"totp_code": "12", "next": target}
    answer = admin.post(signed_out.url(CODE), data=data)
    assert answer.location == signed_out.url(CONNECTION)
    assert "6 digits" in admin.get(answer.location).text
