"""The settings of Tactical RMM: saved, tested, decided about, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Asset, ConnectionTest, Schedule, SyncRun
from portal.models.integrations.integration import AuthMode, IntegrationState, Stop
from portal.models.runs.sync_run import RunStatus
from portal.scope import tenant_scope
from portal.services.integrations.current import get_integration
from portal.services.integrations.schedules import ensure_schedules
from portal.services.integrations.testing import LOST_AFTER
from portal.services.tick import tick
from tests.web.conftest import HTMX
from tests.web.world import KEY, Place

pytestmark = pytest.mark.one_database

PAGE = "integrations/tacticalrmm/"
FAULT = "Tactical did not answer within 30 seconds."
SECRETS = {
    "api_key": "CANARY-API-KEY-0001",
    "password": "CANARY-PASSWORD-0002",
    "totp_secret": "CANARYTOTPSECRET",
    "totp_code": "914714",
}


@pytest.fixture
def saved(app: Flask, acme: Place) -> Any:
    """Reads the integration, or changes it."""

    def change(**facts: Any) -> Any:
        with app.app_context(), tenant_scope(acme.id), transaction() as session:
            integration = get_integration()
            for name, value in facts.items():
                setattr(integration, name, value)
            session.flush()
            session.expunge(integration)
            return integration

    return change


def add_test(app: Flask, acme: Place, **facts: Any) -> int:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        test = ConnectionTest(integration_id=get_integration().id, **facts)
        session.add(test)
        session.flush()
        return test.id


def test_a_save_keeps_what_it_does_not_name(admin: FlaskClient, acme: Place, saved: Any) -> None:
    saved(page_size=333)
    answer = admin.post(acme.url(PAGE), data={"device_sync_minutes": "15", "api_key": " "})
    kept = saved()

    assert answer.location == acme.url(PAGE)
    assert (kept.page_size, kept.device_sync_minutes) == (333, 15)
    assert kept.base_url == "https://api.acme.example"
    assert f"•••• {KEY[-4:]} is saved" in admin.get(acme.url(PAGE)).text


def test_sweeps_are_automatic_a_number_or_off(admin: FlaskClient, acme: Place, saved: Any) -> None:
    assert 'value="auto"' in admin.get(acme.url(PAGE)).text
    for typed, kept in (
        ("15", 15),
        ("2 hours", 120),
        ("1d", 1440),
        ("Off", 0),
        (" Auto", None),
        ("", None),
    ):
        admin.post(acme.url(PAGE), data={"status_sweep_minutes": typed})
        assert saved().status_sweep_minutes == kept
    answer = admin.post(acme.url(PAGE), data={"status_sweep_minutes": "often"})
    assert answer.status_code == 422
    assert (
        "Enter a time such as 10 minutes, 2 hours or 1 day, at most 7 days, or off." in answer.text
    )
    assert 'value="often"' in answer.text


def test_the_page_tells_the_interval_in_force_and_why_it_is_long(
    admin: FlaskClient, acme: Place, saved: Any, app: Flask
) -> None:
    def told(seconds: int, **facts: Any) -> str:
        saved(state=IntegrationState.ACTIVE, found_agents=2000, **facts)
        with app.app_context(), tenant_scope(acme.id), transaction() as session:
            ensure_schedules(session, get_integration())
            swept = session.scalars(select(Schedule).filter_by(kind="status")).one_or_none()
            if swept:
                swept.every_seconds = seconds
        text = admin.get(acme.url(PAGE)).text
        assert ("half of the steady workers" in text) is (seconds > 120)
        return text

    assert "automatically, every 2 minutes now" in told(120, status_sweep_minutes=None)
    assert "automatically, every 7 minutes now" in told(420, status_sweep_minutes=None)
    assert "every minute" in told(60, status_sweep_minutes=1)
    assert "only when started by hand" in told(0, status_sweep_minutes=0)


def test_saving_tests_and_the_page_follows_the_test(admin: FlaskClient, acme: Place) -> None:
    admin.post(acme.url(PAGE), data={"api_key": SECRETS["api_key"]})
    text = admin.get(acme.url(PAGE)).text

    assert "Waiting for a worker…" in text
    assert "Not tested" in text
    assert f"/integrations/tacticalrmm/test/{acme.test + 1}" in text


@pytest.mark.parametrize("mode", list(AuthMode))
@pytest.mark.parametrize(
    "wrong", [{"base_url": "not an address"}, {"page_size": "many"}, {"auth_mode": "magic"}]
)
def test_a_refused_form_keeps_what_was_typed_but_no_secret(
    admin: FlaskClient, acme: Place, saved: Any, mode: AuthMode, wrong: dict[str, str]
) -> None:
    typed = {"base_url": "https://api.new.example", "auth_mode": str(mode), "username": "bert"}
    answer = admin.post(acme.url(PAGE), data={**typed, **SECRETS, **wrong})

    assert answer.status_code == 422
    assert saved().base_url == "https://api.acme.example"
    if "base_url" in wrong:
        assert 'value="not an address"' in answer.text
    assert 'value="bert"' in answer.text
    assert "field-error" in answer.text
    assert not [name for name, secret in SECRETS.items() if secret in answer.text]


def test_no_page_shows_a_stored_secret(admin: FlaskClient, acme: Place) -> None:
    data = {"auth_mode": "password", "username": "bert", **SECRETS}
    assert admin.post(acme.url(PAGE), data=data).status_code == 302

    for path in (PAGE, "", "integrations/", "sync-runs/"):
        text = admin.get(acme.url(path)).text
        assert not [name for name, secret in SECRETS.items() if secret in text]
        assert KEY not in text


@pytest.mark.parametrize(
    ("mode", "fault", "field", "marked"),
    [
        (AuthMode.API_KEY, "name_not_resolved", "base_url", "base_url"),
        (AuthMode.API_KEY, "wrong_key", "api_key", "api_key"),
        (AuthMode.API_KEY, "inactive_user", "username", "api_key"),
        (AuthMode.API_KEY, "missing_permission", None, "api_key"),
        (AuthMode.PASSWORD, "missing_permission", None, "username"),
        (AuthMode.PASSWORD, "totp_needed", "totp_code", "totp_code"),
    ],
)
def test_a_fault_marks_the_field_that_mends_it(
    app: Flask,
    admin: FlaskClient,
    acme: Place,
    saved: Any,
    mode: AuthMode,
    fault: str,
    field: str | None,
    marked: str,
) -> None:
    words = "What is wrong, and how to mend it."
    saved(auth_mode=mode, state=IntegrationState.UNTESTED, last_error=words)
    add_test(app, acme, ok=False, fault=fault, field=field, message=words, finished_at=utc_now())

    text = admin.get(acme.url(PAGE)).text

    assert f'id="{marked}-error"' in text
    assert text.count('aria-invalid="true"') == 1
    assert "Failing" in text
    assert text.count(words) == 1, "it is said once"


@pytest.mark.parametrize(
    "failing",
    [
        {"last_error": FAULT},
        {"last_error": FAULT, "breaker_until": utc_now(), "failing_since": utc_now()},
        {"last_error": FAULT, "stopped_for": Stop.WRONG_KEY, "stopped_at": utc_now()},
        {"last_error": FAULT, "state": IntegrationState.UNTESTED},
    ],
)
def test_a_page_says_one_error_once(
    app: Flask, admin: FlaskClient, acme: Place, saved: Any, failing: dict[str, Any]
) -> None:
    """Also where the status is old because of it, and the last test failed of it. A list of runs
    says it of each."""
    saved(last_error_at=utc_now(), **failing)
    add_test(app, acme, ok=False, fault="timeout", message=FAULT, finished_at=utc_now())
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.execute(update(Asset).values(status_at=utc_now() - timedelta(days=2)))
        run = session.get_one(SyncRun, acme.run)
        run.status, run.error = RunStatus.FAILED, FAULT
    counts = {}
    for path in ("", PAGE, "integrations/", "assets/", "organizations/", "alerts/"):
        counts[path] = admin.get(acme.url(path)).text.count(FAULT)
    assert max(counts.values()) == 1, counts
    assert counts[""] == counts[PAGE] == 1


def test_the_end_of_a_test_brings_the_page_anew(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    running = add_test(app, acme, steps=[{"name": "a", "title": "Address", "state": "running"}])
    url = acme.url("integrations/tacticalrmm/test/{}")

    step = admin.get(url.format(running), headers=HTMX)
    end = admin.get(url.format(acme.test), headers=HTMX)

    assert "Address" in step.text
    assert "every 1s" in step.text
    assert "HX-Refresh" not in step.headers
    assert end.headers["HX-Refresh"] == "true"
    assert "every 1s" not in end.text
    assert admin.get(url.format(running)).location == acme.url(PAGE)


def test_a_test_that_was_lost_ends(app: Flask, admin: FlaskClient, acme: Place) -> None:
    lost = add_test(app, acme, created_at=utc_now() - LOST_AFTER, started_at=utc_now())
    fresh = add_test(app, acme)
    with app.app_context():
        tick()

    url = acme.url("integrations/tacticalrmm/test/{}")
    assert "The test was interrupted." in admin.get(url.format(lost), headers=HTMX).text
    assert "Waiting for a worker…" in admin.get(url.format(fresh), headers=HTMX).text


@pytest.mark.parametrize("choice", ["same", "new"])
def test_another_server_waits_for_a_word(
    admin: FlaskClient, acme: Place, saved: Any, choice: str
) -> None:
    saved(state=IntegrationState.HELD, found_organizations=3, found_agents=9)
    held = admin.get(acme.url(PAGE)).text
    assert "The portal knows 1 organization and 1 agent, such as Acme Organization" in held
    assert "This server lists 3 organizations and 9 agents" in held
    refused = admin.post(acme.url("sync-runs/start/devices"), headers=HTMX)
    assert refused.status_code == 409

    assert admin.post(acme.url(PAGE + "server"), data={"decision": "?"}).status_code == 400
    assert admin.post(acme.url(PAGE + "server"), data={"decision": choice}).status_code == 302

    assert saved().state is IntegrationState.ACTIVE
    organizations = admin.get(acme.url("organizations/")).text
    assert ("Acme Organization" in organizations) == (choice == "same")


def test_disconnecting_forgets_the_credentials_and_keeps_the_rest(
    admin: FlaskClient, acme: Place, saved: Any
) -> None:
    answer = admin.post(acme.url(PAGE + "disconnect"), follow_redirects=True)

    assert "Disconnected. Mappings and assets are kept." in answer.text
    assert "is saved. Leave this blank" not in answer.text
    assert "Connection test" not in answer.text
    assert saved().state is IntegrationState.DISCONNECTED
    assert "Acme Client" in admin.get(acme.url("assets/")).text
    assert "/refresh" not in admin.get(acme.url(f"assets/{acme.asset}")).text


def test_a_viewer_sees_the_settings_and_no_buttons(viewer: FlaskClient, acme: Place) -> None:
    text = viewer.get(acme.url(PAGE)).text

    assert "Your role lets you view these settings" in text
    assert "Save and test" not in text
    assert "/disconnect" not in text
