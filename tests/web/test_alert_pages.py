"""The pages of alerts and deliveries, as answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Alert, AlertHandling, Asset, Delivery, Errand, SyncRun
from portal.models.alerts.alert import AlertStatus, Severity
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import tenant_scope
from portal.services import leases
from portal.services.alerts import portions
from portal.services.alerts.occurrences import MOST_AT_ONCE
from portal.web.alerts import acting, taking
from tests.web.conftest import HTMX, work
from tests.web.world import Place, make_alert, make_delivery, make_place

pytestmark = pytest.mark.mainly("postgresql")

HOSTILE = '<script>alert("x")</script>\u202e "quoted" \\server\\share'


@pytest.fixture
def acme(app: Flask, acme: Place) -> Place:
    """Its delivery was processed, and made its alert."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        alert = session.get_one(Alert, acme.alert)
        alert.message, alert.confirmed_at = "acme-pc is overdue.", utc_now()
        delivery = session.get_one(Delivery, acme.delivery)
        delivery.status, delivery.outcome = DeliveryStatus.PROCESSED, "The alert is active."
        delivery.alert_id, delivery.agent_id = alert.id, alert.agent_id
        delivery.hint = {"event": "trigger", "agent_id": alert.agent_id}
    return acme


def add_alert(app: Flask, place: Place, **values: Any) -> int:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        asset = session.get_one(Asset, place.asset)
        alert = make_alert(asset)
        for name, value in values.items():
            setattr(alert, name, value)
        session.add(alert)
        session.flush()
        return alert.id


def edit_delivery(app: Flask, place: Place, **values: Any) -> None:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        delivery = session.get_one(Delivery, place.delivery)
        for name, value in values.items():
            setattr(delivery, name, value)


def buttons_of(page: str) -> list[str]:
    """Those that act on what is ticked."""
    [bar] = re.findall(r'class="selection-actions">(.*?)</form>', page, re.DOTALL)
    plain = re.sub(r"<svg.*?</svg>|<span.*?</span>", "", bar, flags=re.DOTALL)
    return [each.strip() for each in re.findall(r"<button[^>]*>(.*?)</button>", plain, re.DOTALL)]


def test_what_is_resolved_is_ticked_to_be_exported(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    over = add_alert(app, acme, external_alert_id="1", message="Over", status=AlertStatus.RESOLVED)
    page = admin.get(acme.url("alerts/?status=resolved")).text
    assert f'name="alert" value="{over}"' in page
    assert buttons_of(page) == ["Export"]
    assert f'name="alert" value="{over}"' in admin.get(acme.url("alerts/?status=any")).text


def test_the_list_shows_what_is_active_and_counts_the_rest(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    add_alert(app, acme, external_alert_id="1", message="Is over", status=AlertStatus.RESOLVED)
    add_alert(app, acme, external_alert_id="2", message="Is warm", severity=Severity.WARNING)

    page = admin.get(acme.url("alerts/")).text
    assert "acme-pc is overdue." in page
    assert "Is warm" in page
    assert "Is over" not in page
    assert 'Active <span class="chip-number">2</span>' in page
    assert 'Resolved <span class="chip-number">1</span>' in page

    assert "Is over" in admin.get(acme.url("alerts/?status=resolved")).text
    assert "Is warm" not in admin.get(acme.url("alerts/?severity=error")).text
    assert "Is over" in admin.get(acme.url("alerts/?status=any&q=is+over")).text


@pytest.mark.one_database
def test_a_message_of_several_lines_is_shown_in_lines(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    alert_id = add_alert(app, acme, external_alert_id="1", message="Backup\nfailed")
    page = admin.get(acme.url(f"alerts/{alert_id}")).text
    assert '<p class="message-text">Backup\nfailed</p>' in page


def test_htmx_gets_the_region_alone(admin: FlaskClient, acme: Place) -> None:
    for path, target in (("alerts/", "alert-rows"), ("deliveries/", "delivery-rows")):
        answer = admin.get(acme.url(path), headers={**HTMX, "HX-Target": target})
        assert "<html" not in answer.text
        assert "<table" in answer.text


def test_an_unconfirmed_alert_says_so(app: Flask, admin: FlaskClient, acme: Place) -> None:
    alert_id = add_alert(
        app, acme, external_alert_id=None, confirmed_at=None, message=None, alert_type="check"
    )
    page = admin.get(acme.url("alerts/")).text
    assert "Unconfirmed" in page
    assert "A check failed on acme-pc" in page
    detail = admin.get(acme.url(f"alerts/{alert_id}")).text
    assert "had no alert id" in detail
    assert "Resolve this alert?" not in detail


def test_foreign_text_is_text(app: Flask, admin: FlaskClient, acme: Place) -> None:
    alert_id = add_alert(app, acme, external_alert_id="9", message=HOSTILE)
    edit_delivery(
        app, acme, body=HOSTILE, reason=HOSTILE, status=DeliveryStatus.FAILED, agent_id=HOSTILE
    )
    for path in (
        "alerts/",
        f"alerts/{alert_id}",
        f"alerts/{acme.alert}",
        "deliveries/",
        f"deliveries/{acme.delivery}",
        f"assets/{acme.asset}",
    ):
        page = admin.get(acme.url(path)).text
        assert '<script>alert("x")' not in page, path
    assert "&lt;script&gt;" in admin.get(acme.url(f"deliveries/{acme.delivery}")).text


def test_the_detail_shows_its_deliveries_and_the_delivery_its_alert(
    admin: FlaskClient, acme: Place
) -> None:
    detail = admin.get(acme.url(f"alerts/{acme.alert}")).text
    assert acme.url(f"deliveries/{acme.delivery}") in detail
    delivery = admin.get(acme.url(f"deliveries/{acme.delivery}")).text
    assert acme.url(f"alerts/{acme.alert}") in delivery
    assert acme.url(f"assets/{acme.asset}") in delivery
    assert "&#34;hostname&#34;" in delivery


def test_a_cut_body_is_told(app: Flask, admin: FlaskClient, acme: Place) -> None:
    edit_delivery(app, acme, body_bytes=900_000)
    page = admin.get(acme.url(f"deliveries/{acme.delivery}")).text
    assert "only the first 65,536 bytes are kept" in page


def test_a_dropped_body_is_told(app: Flask, admin: FlaskClient, acme: Place) -> None:
    review = {"status": DeliveryStatus.NEEDS_REVIEW, "hint": None}
    edit_delivery(app, acme, body="", kept_bytes=0, body_bytes=900_000, **review)
    page = admin.get(acme.url(f"deliveries/{acme.delivery}")).text
    assert "The body was deleted to make room for newer ones." in page
    assert "cannot be processed again" in page
    assert "only the first" not in page
    replayed = admin.post(acme.url(f"deliveries/{acme.delivery}/replay"), follow_redirects=True)
    assert "which the portal had not been able to read" in replayed.text


def test_the_asset_and_the_dashboard_tell_of_alerts(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    edit_delivery(app, acme, status=DeliveryStatus.FAILED)
    asset = admin.get(acme.url(f"assets/{acme.asset}")).text
    assert "acme-pc is overdue." in asset
    assert "1 active" in asset
    dashboard = admin.get(acme.url()).text
    assert "1 active alert has the severity error." in dashboard
    assert "1 webhook call could not be processed." in dashboard
    assert acme.url("alerts/?severity=error") in dashboard


def test_needs_review_stands_on_the_dashboard(app: Flask, admin: FlaskClient, acme: Place) -> None:
    edit_delivery(
        app, acme, status=DeliveryStatus.NEEDS_REVIEW, reason="The body does not name an agent."
    )
    assert "1 webhook call could not be read." in admin.get(acme.url()).text


@pytest.mark.one_database
def test_for_hours_the_portal_alone_snoozes_and_says_so(admin: FlaskClient, acme: Place) -> None:
    one, many = acme.url(f"alerts/{acme.alert}"), acme.url("alerts/act")
    snooze = {"action": "snooze", "snooze_for": "4h", "zone": "Europe/Berlin"}
    for page in (admin.get(one).text, admin.get(acme.url("alerts/")).text):
        assert '<span class="no-js">8:00 in UTC</span>' in page, "no script tells the zone"
    page = admin.post(f"{one}/act", data=snooze, follow_redirects=True).text
    assert "1 alert snoozed." in page
    assert "Tactical does not know of it" in page
    assert "in the portal only" in admin.get(acme.url("alerts/?status=snoozed")).text
    back = {"action": "unsnooze", "alert": str(acme.alert)}
    answer = admin.post(many, data=back, headers=HTMX)
    assert "alerts-changed" in answer.headers["HX-Trigger"]
    assert "1 alert active again." in answer.headers["HX-Trigger"]
    morning = snooze | {"alert": str(acme.alert), "snooze_for": "morning"}
    assert "1 alert snoozed." in admin.post(many, data=morning, follow_redirects=True).text


@pytest.mark.one_database
def test_a_viewer_reads_without_buttons(app: Flask, viewer: FlaskClient, acme: Place) -> None:
    edit_delivery(app, acme, status=DeliveryStatus.FAILED)
    alerts = viewer.get(acme.url("alerts/")).text
    assert not {"Acknowledge", "Resolve", "Snooze for", "Sync alerts"} & set(buttons_of(alerts))
    assert "Export" in buttons_of(alerts), "what is ticked is exported by whoever reads it"
    chosen = viewer.post(acme.url("alerts/export.csv"), data={"alert": acme.alert})
    assert "acme-pc is overdue." in chosen.text
    assert "Resolve</button>" not in viewer.get(acme.url(f"alerts/{acme.alert}")).text
    assert "Process again" not in viewer.get(acme.url("deliveries/")).text
    for path in (
        "alerts/act",
        f"alerts/{acme.alert}/act",
        f"deliveries/{acme.delivery}/replay",
        "deliveries/replay-failed",
        "sync-runs/start/alerts",
    ):
        assert viewer.post(acme.url(path), data={"action": "resolve"}).status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "explode"},
        {},
        {"action": "resolve"},
        {"action": "snooze", "alert": "1", "snooze_for": "x"},
    ],
)
@pytest.mark.one_database
def test_an_action_that_means_nothing_is_refused(
    admin: FlaskClient, acme: Place, sent: dict[str, str]
) -> None:
    answer = admin.post(acme.url("alerts/act"), data=sent, headers=HTMX)
    assert answer.status_code == 400
    assert "toast" in answer.headers["HX-Trigger"]
    assert admin.post(acme.url("alerts/act"), data=sent).status_code == 302


def test_a_foreign_alert_among_the_chosen_is_not_touched(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    other = make_place(app, "other")
    answer = admin.post(
        acme.url("alerts/act"), data={"action": "resolve", "alert": str(other.alert)}, headers=HTMX
    )
    assert answer.status_code == 404
    with app.app_context(), tenant_scope(other.id), transaction() as session:
        assert session.get_one(Alert, other.alert).status is AlertStatus.ACTIVE


@pytest.mark.parametrize("query", ["asset_id={0.asset}", "client_id={0.client}"])
def test_filters_by_a_foreign_thing_find_nothing(
    app: Flask, admin: FlaskClient, acme: Place, query: str
) -> None:
    other = make_place(app, "other")
    assert admin.get(acme.url(f"alerts/?{query.format(other)}")).status_code == 404
    file = admin.get(acme.url(f"alerts/export.csv?status=any&{query.format(other)}"))
    assert len(file.text.splitlines()) == 1


def test_the_export_follows_the_filter(app: Flask, admin: FlaskClient, acme: Place) -> None:
    add_alert(app, acme, external_alert_id="1", message="=cmd()", status=AlertStatus.RESOLVED)
    answer = admin.get(acme.url("alerts/export.csv?status=resolved"))
    assert answer.mimetype == "text/csv"
    lines = answer.text.splitlines()
    assert len(lines) == 2
    assert "'=cmd()" in lines[1]


def test_a_replay_by_a_plain_form_comes_back(app: Flask, admin: FlaskClient, acme: Place) -> None:
    edit_delivery(app, acme, status=DeliveryStatus.FAILED)
    answer = admin.post(
        acme.url("deliveries/replay-failed"), data={"next": acme.url("deliveries/?status=failed")}
    )
    assert answer.location == acme.url("deliveries/?status=failed")
    evil = admin.post(acme.url("deliveries/replay-failed"), data={"next": "https://evil.example"})
    assert evil.location == acme.url("deliveries/")
    page = admin.get(acme.url("deliveries/")).text
    assert "1 failed call is being processed again." in page
    assert "Waiting" in page


@pytest.mark.one_database
def test_calls_are_ticked_to_be_processed_again(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    edit_delivery(app, acme, status=DeliveryStatus.NEEDS_REVIEW)
    box = f'name="delivery" value="{acme.delivery}" form="chosen-calls"'
    assert box in admin.get(acme.url("deliveries/?status=needs_review")).text
    assert box not in admin.get(acme.url("deliveries/")).text
    path = acme.url("deliveries/replay")
    nothing = admin.post(path, follow_redirects=True).text
    assert "Select at least one call that failed or needs review." in nothing
    done = admin.post(path, data={"delivery": acme.delivery}, follow_redirects=True).text
    assert "1 call is being processed again." in done
    edit_delivery(app, acme, status=DeliveryStatus.FAILED)
    every = admin.post(f"{path}?status=failed", data={"which": "all"}, headers=HTMX)
    assert "1 call is being processed again." in every.headers["HX-Trigger"]


def test_every_empty_list_says_what_to_do(app: Flask, admin: FlaskClient, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.delete(session.get_one(Delivery, acme.delivery))
        session.delete(session.get_one(Alert, acme.alert))
    unread = admin.get(acme.url("alerts/")).text
    assert "have not been read yet" in unread
    assert "Sync alerts to see what is active there." in unread
    assert unread.count("start/alerts") >= 2  # the button is in the middle of the page too
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(
            SyncRun(
                integration_id=session.get_one(Asset, acme.asset).integration_id,
                kind=SyncKind.ALERTS,
                status=RunStatus.SUCCESS,
                trigger="schedule",
                finished_at=utc_now(),
            )
        )
    read = admin.get(acme.url("alerts/")).text
    assert "No alerts, and no working webhook" in read
    assert "have not been read yet" not in read
    assert "Waiting for the first call" in admin.get(acme.url("deliveries/")).text

    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        asset = session.get_one(Asset, acme.asset)
        alert = make_alert(asset)
        alert.status = AlertStatus.SNOOZED
        session.add_all((alert, make_delivery(asset)))
    quiet = admin.get(acme.url("alerts/")).text
    assert "No active alert" in quiet
    assert "1 alert snoozed." in quiet
    assert "No alert matches" in admin.get(acme.url("alerts/?q=nothing-like-it")).text
    assert "No webhook call matches" in admin.get(acme.url("deliveries/?q=nothing-like-it")).text


@pytest.mark.parametrize(
    "query", ["age=nonsense", "sort=nonsense", "page=-3", "asset_id=0", "status=%FF"]
)
def test_odd_addresses_do_no_harm(admin: FlaskClient, acme: Place, query: str) -> None:
    for path in ("alerts/", "deliveries/"):
        assert admin.get(acme.url(f"{path}?{query}")).status_code == 200


@pytest.mark.parametrize("path", ["alerts/", "assets/", "software/products/{product}"])
@pytest.mark.one_database
def test_a_client_that_cannot_be_is_not_there(admin: FlaskClient, acme: Place, path: str) -> None:
    url = acme.url(path.format(product=acme.product))
    for client in ("x", "-1", "0", "9" * 30):
        assert admin.get(f"{url}?client_id={client}").status_code == 404


@pytest.mark.one_database
def test_all_that_match_are_offered_and_taken_as_the_address_filters(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    ids = [add_alert(app, acme, external_alert_id=str(500 + n)) for n in range(MOST_AT_ONCE + 1)]
    add_alert(app, acme, external_alert_id="800", severity="info")
    page = admin.get(acme.url("alerts/?severity=error")).text
    assert 'name="which" value="all"' in page
    assert acme.url("alerts/acknowledge?severity=error") in page

    everything, path = {"which": "all"}, "?severity=error"
    said = admin.post(
        acme.url(f"alerts/acknowledge{path}"), data=everything, follow_redirects=True
    ).text
    with app.app_context(), tenant_scope(acme.id):
        done = select(AlertHandling.alert_id).where(AlertHandling.acknowledged_at.is_not(None))
        taken = set(db.session.scalars(done))
    assert taken == {acme.alert, *ids}
    assert f"{len(taken)} alerts acknowledged." in said
    assert "/undo/" in said
    exported = admin.post(acme.url(f"alerts/export.csv{path}"), data=everything).text
    assert len(exported.strip().splitlines()) == 1 + len(taken)
    resolved = everything | {"action": "resolve"}
    said = admin.post(acme.url(f"alerts/act{path}"), data=resolved, follow_redirects=True).text
    assert f"Resolve {len(taken)} alerts" in said


@pytest.mark.one_database
def test_what_takes_long_is_stopped_with_scripts_and_without(
    app: Flask, admin: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "PORTION", 1)
    add_alert(app, acme, external_alert_id="500")
    resolve, back = {"which": "all", "action": "resolve"}, {"next": acme.url("alerts/")}

    def ask() -> str:
        page = admin.post(acme.url("alerts/act"), data=resolve, follow_redirects=True).text
        found = re.search(rf'action="({acme.url("requests/")}\d+/stop)"', page)
        assert found
        return found[1]

    def tell(url: str) -> str:
        return admin.post(url, data=back, follow_redirects=True).text

    stopped = "Stopped by admin@acme.example before anything was done."
    first = ask()
    page = tell(first)
    assert (stopped in page, "/stop" in page) == (True, False)
    assert "It had ended already, so there was nothing to stop." in tell(first)
    assert stopped in admin.post(ask(), headers=HTMX).text

    under_way = ask()
    with app.app_context(), tenant_scope(acme.id):
        assert leases.claim(Errand, int(under_way.split("/")[-2]))
    page = tell(under_way)
    assert ("Stopping…" in page, under_way in page) == (True, False)
    assert "It is being stopped already" in tell(under_way)
    assert admin.post(under_way, headers=HTMX).status_code == 409
    short = admin.post(acme.url(f"requests/{acme.errand}/stop"), data=back, follow_redirects=True)
    assert "ended already" in short.text


@pytest.mark.one_database
def test_of_very_many_the_portals_own_deeds_too_are_a_workers(
    app: Flask, admin: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (taking, acting):
        monkeypatch.setattr(room, "MOST_MATCHING", 1)
    add_alert(app, acme, external_alert_id="500")
    everything, active = {"which": "all"}, [AlertStatus.ACTIVE] * 2

    def read() -> list[AlertStatus]:
        with app.app_context(), tenant_scope(acme.id):
            return list(db.session.scalars(select(Alert.status)))

    deeds: tuple[tuple[str, dict[str, str], str], ...] = (
        ("alerts/acknowledge", {}, "2 acknowledged."),
        ("alerts/assign", {"assigned_to": "nobody"}, "2 left as they are."),
        ("alerts/act", {"action": "snooze", "snooze_for": "1h"}, "2 snoozed."),
        ("alerts/act?status=snoozed", {"action": "unsnooze"}, "2 active again."),
    )
    for path, form, done in deeds:
        asked = admin.post(acme.url(path), data=everything | form, headers=HTMX).text
        [errand] = re.findall(r'id="errand-(\d+)"', asked)
        work(app, acme.id)
        answer = admin.get(acme.url(f"requests/{errand}"), headers=HTMX)
        assert done in answer.text + answer.headers["HX-Trigger"], path
        assert ("/undo/" in answer.headers["HX-Trigger"]) is ("left" not in done)
        assert (read() == active) is ("snoozed" not in done)
