"""The webhook's settings page: its secret, its installation in Tactical, its state."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal import queue
from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import (
    Alert,
    Delivery,
    Errand,
    WebhookInstallation,
    WebhookKey,
    WebhookUsage,
)
from portal.models.alerts.alert import AlertSource, AlertStatus, Severity
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.runs.sync_run import SyncKind
from portal.models.webhook.installation import InstallationAction
from portal.services.accounts.tenants import add_tenant
from portal.services.accounts.users import add_user, get_user
from portal.services.integrations.current import get_integration
from portal.services.runs import execution
from portal.services.webhook import installation, keys
from portal.services.webhook.records import Wanted
from portal.services.webhook.settings import list_key_rows
from tactical_simulator import SimulatedTactical
from tests.support.second_factors import set_up_app
from tests.support.webhooks import Msp, make_msp
from tests.web import world
from tests.web.accounts.test_reauthentication import sealed_in
from tests.web.conftest import HTMX, work

pytestmark = pytest.mark.one_database

PAGE = "/t/acme/integrations/tacticalrmm/webhook/"
EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


@pytest.fixture
def msp(app: Flask, tactical: SimulatedTactical, live_portal: str) -> Msp:
    made = make_msp(app, tactical, live_portal)
    with app.app_context():
        add_user(EMAIL, PASSWORD, "acme", "admin")
        add_user("viewer@acme.example", PASSWORD, "acme", "viewer")
    return made


def sign_in(http: FlaskClient, email: str = EMAIL) -> FlaskClient:
    http.application.config["WTF_CSRF_ENABLED"] = False
    answer = http.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.status_code == 302
    return http


@pytest.fixture
def admin(msp: Msp, http: FlaskClient) -> FlaskClient:
    return sign_in(http)


def secret_of(msp: Msp) -> str:
    with msp.scope():
        return keys.reveal()


# --- What it shows ----------------------------------------------------------------------


def test_before_anything_is_connected(app: Flask, http: FlaskClient) -> None:
    with app.app_context():
        add_tenant("Acme MSP", "acme")
        add_user(EMAIL, PASSWORD, "acme", "admin")
    assert "Connect Tactical RMM first" in sign_in(http).get(PAGE).text


def test_it_shows_what_to_enter_but_not_the_secret(msp: Msp, admin: FlaskClient) -> None:
    secret, page = secret_of(msp), admin.get(PAGE).text
    for text in (
        "http://localhost/api/webhooks/tacticalrmm?tenant=acme",
        "X-Alga-Webhook-Secret",
        "{{agent.agent_id}}",
        "notify on info alerts",
        "maintenance mode",
        f"•••• {secret[-4:]}",
        "Waiting for the first call",
    ):
        assert text in page
    assert secret not in page
    assert "the-secret" not in page  # nothing that Tactical would be refused with
    assert "They contain the secret. Reveal it below" in page


def test_a_viewer_looks_without_secrets(msp: Msp, http: FlaskClient) -> None:
    secret = secret_of(msp)
    viewer = sign_in(http, "viewer@acme.example")
    page = viewer.get(PAGE).text
    assert secret[-4:] not in page
    assert "Reveal" not in page
    assert "Preview the changes" not in page
    for path in ("plan", "install", "test", "reveal", "rotate", "settings"):
        answer = viewer.post(PAGE + path, data={"password": PASSWORD})
        assert answer.status_code == 403
        assert secret not in answer.text


# --- The secret -------------------------------------------------------------------------


def test_the_secret_is_shown_to_who_proved_who_they_are(msp: Msp, admin: FlaskClient) -> None:
    secret = secret_of(msp)
    with time_machine.travel(utc_now() + timedelta(minutes=30), tick=False):
        asked = admin.post(PAGE + "reveal", data={"password": PASSWORD})
        assert (asked.status_code, secret in asked.text) == (401, False)
        proof = {"sealed": sealed_in(asked.text), "password": "wrong"}
        wrong = admin.post(PAGE + "reveal", data=proof)
        assert (wrong.status_code, secret in wrong.text) == (422, False)

        right = admin.post(PAGE + "reveal", data=proof | {"password": PASSWORD})
    assert right.status_code == 200
    assert f"{secret}" in right.text
    assert f"&#34;X-Alga-Webhook-Secret&#34;: &#34;{secret}&#34;" in right.text
    assert right.headers["Cache-Control"] == "no-store"
    assert secret not in admin.get(PAGE).text


def test_with_a_second_factor_the_password_reveals_nothing(
    msp: Msp, app: Flask, admin: FlaskClient
) -> None:
    with app.app_context():
        user_id = get_user(EMAIL).id
        phone, _codes = set_up_app(user_id, PASSWORD)
    world.sign_in(app, admin, user_id)
    secret = secret_of(msp)
    with time_machine.travel(utc_now() + timedelta(minutes=30), tick=False):
        sealed = {"sealed": sealed_in(admin.post(PAGE + "reveal").text)}
        by_password = admin.post(PAGE + "reveal", data=sealed | {"password": PASSWORD})
        assert (by_password.status_code, secret in by_password.text) == (422, False)
        assert secret in admin.post(PAGE + "reveal", data=sealed | {"code": phone.code()}).text


@pytest.mark.parametrize(("at_once", "left"), [("yes", 1), ("", 2)])
def test_rotating(msp: Msp, admin: FlaskClient, at_once: str, left: int) -> None:
    old = secret_of(msp)
    page = admin.post(PAGE + "rotate", data={"at_once": at_once}, follow_redirects=True).text
    assert secret_of(msp) != old
    assert "A new secret was created. Enter it in Tactical." in page
    assert page.count("Valid until") == left - 1
    with msp.scope():
        assert len(list_key_rows()) == left


def test_a_third_secret_is_refused_in_words(msp: Msp, admin: FlaskClient) -> None:
    secret_of(msp)
    admin.post(PAGE + "rotate")
    page = admin.post(PAGE + "rotate", follow_redirects=True).text
    assert "two secrets are valid now" in page


@pytest.mark.parametrize("at_once", ["yes", ""])
def test_a_worker_hands_a_new_secret_over(msp: Msp, admin: FlaskClient, at_once: str) -> None:
    msp.install("default")
    old = secret_of(msp)
    page = admin.post(PAGE + "rotate", data={"at_once": at_once}, follow_redirects=True).text
    assert "A new secret was created. It is being saved in Tactical." in page
    assert old in repr(msp.everything())
    work(msp.app, msp.id)
    assert "Tactical has the new secret." in admin.get(PAGE).text
    assert secret_of(msp) in repr(msp.everything())
    assert old not in repr(msp.everything())
    with msp.scope():
        assert len(list_key_rows()) == (1 if at_once else 2)


def test_what_was_pressed_waits_while_redis_is_away(
    msp: Msp, admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it was done in the request instead, at Tactical's pace."""
    monkeypatch.setattr(queue, "enqueue", lambda *_: False)
    msp.tactical.control.log.clear()
    admin.post(PAGE + "install", data={"action": "install", "apply_to": "default"})
    assert "Waiting for a worker…" in admin.get(PAGE).text
    assert msp.tactical.control.log.entries() == []


# --- Installing -------------------------------------------------------------------------


def preview(msp: Msp, admin: FlaskClient, **chosen: str) -> str:
    """The page with the preview, which a worker finds: pending at first."""
    pending = admin.post(PAGE + "plan", data=chosen)
    assert pending.status_code == 302
    assert "Waiting for a worker" in admin.get(pending.location).text
    work(msp.app, msp.id)
    return admin.get(pending.location).text


def test_the_preview_names_what_is_missing(msp: Msp, admin: FlaskClient) -> None:
    msp.use_key(without=["can_manage_alerttemplates"])
    page = preview(msp, admin, apply_to="default", use_key_store="y")
    assert "<code>can_manage_alerttemplates</code>" in page
    assert "Install in Tactical</button>" not in page


def test_a_preview_that_tactical_does_not_give(msp: Msp, admin: FlaskClient) -> None:
    msp.tactical.stop()
    region = HTMX | {"HX-Target": "webhook-plan"}
    pending = admin.post(PAGE + "plan", data={"apply_to": "none"}, headers=region).text
    assert "Waiting for a worker" in pending
    [url] = re.findall(r'hx-get="([^"]+)"', pending)
    work(msp.app, msp.id)
    answer = admin.get(url, headers=region)
    assert answer.status_code == 200
    assert "The preview could not be made" in answer.text
    assert "<html" not in answer.text


def test_a_preview_keeps_no_secret(msp: Msp, admin: FlaskClient) -> None:
    secret = secret_of(msp)
    assert "Install in Tactical</button>" in preview(msp, admin, apply_to="default")
    with msp.scope():
        [errand] = db.session.scalars(select(Errand)).all()
        assert errand.result["changes"]
        assert secret not in f"{errand.wanted} {errand.result}"


def test_no_organization_chosen(msp: Msp, admin: FlaskClient) -> None:
    page = preview(msp, admin, apply_to="clients")
    assert "Choose at least one organization." in page
    assert admin.post(PAGE + "plan", data={"apply_to": "x"}).status_code == 400


def test_it_is_installed_by_a_worker(msp: Msp, admin: FlaskClient) -> None:
    answer = admin.post(PAGE + "install", data={"action": "install", "apply_to": "default"})
    assert answer.location == PAGE
    page = admin.get(PAGE).text
    assert "Waiting for a worker…" in page
    assert "Preview the changes" not in page
    again = admin.post(PAGE + "install", data={"apply_to": "none"}, follow_redirects=True).text
    assert "is already being set up" in again

    assert "HX-Refresh" not in admin.get(PAGE + "progress", headers=HTMX).headers
    with msp.scope():
        row = installation.find_installation()
        assert row is not None
        installation.run_queued(row.id)
    ended = admin.get(PAGE + "progress", headers=HTMX)
    assert ended.headers["HX-Refresh"] == "true"
    # The address that the browser called is not one where the portal listens here.
    assert "Tactical&#39;s test did not arrive" in ended.text


# --- Its state --------------------------------------------------------------------------


def test_the_limits_and_what_is_used_of_them(msp: Msp, admin: FlaskClient) -> None:
    page = admin.get(PAGE).text
    assert "Up to 200 calls a second" in page
    assert "none so far" in page
    assert "0.0 MiB of 256.0 MiB (0 %)" in page
    settings = msp.app.extensions["settings"]
    msp.app.extensions["settings"] = replace(settings, webhook_rate=1, webhook_storage=1)
    headers = {"X-Alga-Webhook-Secret": secret_of(msp)}
    body = {"agent_id": "a" * 40, "message": "x" * 70_000}
    url = "/api/webhooks/tacticalrmm?tenant=acme"
    answers = [admin.post(url, json=body, headers=headers).status_code for _ in range(2)]
    assert answers == [202, 429]
    page = admin.get(PAGE).text
    assert "1 call between" in page
    assert "read from Tactical within a minute" in page
    assert "0.1 MiB of 1.0 MiB (6 %)" in page
    with msp.scope(), transaction() as session:
        session.execute(update(WebhookUsage).values(body_bytes=2**21, must_reconcile=False))
    page = admin.get(PAGE).text
    assert "More is waiting than the limit allows" in page
    assert "2.0 MiB of 1.0 MiB (100 %)" in page
    assert "; read from Tactical since" in page


def test_silence_while_agents_alert(msp: Msp, admin: FlaskClient) -> None:
    now = utc_now()
    with msp.scope(), transaction() as session:
        integration_id = get_integration().id
        session.add(
            Delivery(
                integration_id=integration_id,
                status=DeliveryStatus.PROCESSED,
                body="{}",
                body_bytes=2,
                received_at=now - timedelta(days=2),
            )
        )
    assert "The last call arrived" in admin.get(PAGE).text

    with msp.scope(), transaction() as session:
        session.add_all(
            Alert(
                integration_id=integration_id,
                external_alert_id=str(number),
                condition="x",
                alert_type="check",
                severity=severity,
                status=AlertStatus.ACTIVE,
                source=AlertSource.BACKFILL,
                triggered_at=now - timedelta(hours=1),
            )
            for number, severity in ((1, Severity.ERROR), (2, Severity.INFO))
        )
    answer = admin.get(PAGE, headers=HTMX | {"HX-Target": "webhook-state"}).text
    assert "Nothing has arrived for 2 days, while 1 alert began" in answer
    assert "<html" not in answer


def test_waiting_though_agents_alert(msp: Msp, admin: FlaskClient) -> None:
    secret_of(msp)
    with msp.scope(), transaction() as session:
        session.query(WebhookKey).one().created_at = utc_now() - timedelta(days=1)
    msp.tactical.control.alerts.trigger(msp.tactical.control.agents.ids()[0], send=False)
    with msp.scope():
        execution.run_to_end(SyncKind.ALERTS)
    page = admin.get(PAGE).text
    assert "Waiting for the first call. Meanwhile 1 alert began" in page


def do(msp: Msp, action: InstallationAction, root: str) -> None:
    with msp.scope():
        url = f"{root}/api/webhooks/tacticalrmm?tenant=acme"
        installation.run_now(action, Wanted(url))


REACHED_NOWHERE = "leads to the portal"
WAITING, TESTED, UNREACHED = "Waiting for the first call", "Test arrived", "Not arriving"
WARNED = "webhook does not reach the portal"


def shown(admin: FlaskClient) -> tuple[set[str], bool]:
    """The words of the page that tell of the state, and whether the dashboard warns."""
    page, dashboard = admin.get(PAGE).text, admin.get("/t/acme/").text
    words = (REACHED_NOWHERE, WAITING, TESTED, UNREACHED)
    return {word for word in words if word in page}, WARNED in dashboard


def test_the_state_is_one_and_follows_what_arrived(
    msp: Msp, admin: FlaskClient, live_portal: str
) -> None:
    assert shown(admin) == ({WAITING, REACHED_NOWHERE}, False)
    do(msp, InstallationAction.INSTALL, live_portal + "/nowhere")
    assert shown(admin) == ({UNREACHED, REACHED_NOWHERE}, True)
    do(msp, InstallationAction.INSTALL, live_portal)
    assert "Tactical&#39;s test call arrived." in admin.get(PAGE).text
    assert shown(admin) == ({TESTED}, False)
    with msp.scope(), transaction() as session:
        session.query(Delivery).delete()  # as time does
    assert shown(admin) == ({TESTED}, False)
    do(msp, InstallationAction.TEST, live_portal + "/nowhere")
    assert shown(admin) == ({UNREACHED, REACHED_NOWHERE}, True)


def test_a_test_that_arrives_while_alerts_do_not(
    msp: Msp, admin: FlaskClient, live_portal: str
) -> None:
    do(msp, InstallationAction.INSTALL, live_portal)
    yesterday = utc_now() - timedelta(days=1)
    with msp.scope(), transaction() as session:
        session.query(Delivery).one().received_at = yesterday
        session.query(WebhookInstallation).one().finished_at = yesterday
    msp.tactical.control.alerts.trigger(msp.tactical.control.agents.ids()[0], send=False)
    with msp.scope():
        execution.run_to_end(SyncKind.ALERTS)
    page = admin.get(PAGE).text
    assert "but since then 1 alert began that only the alert sync found" in page
    assert "The webhook missed 1 alert. The alert sync found it." in admin.get("/t/acme/").text


# --- Settings ---------------------------------------------------------------------------


def test_intervals_are_saved(msp: Msp, admin: FlaskClient) -> None:
    typed = {"alert_sync_minutes": "15", "alert_history_days": "3", "delivery_days": "60"}
    assert admin.post(PAGE + "settings", data=typed).location == PAGE
    with msp.scope():
        kept = get_integration()
        assert {name: str(getattr(kept, name)) for name in typed} == typed
    for wrong in ({"delivery_days": "0"}, {"alert_sync_minutes": "often"}):
        answer = admin.post(PAGE + "settings", data=typed | wrong)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
