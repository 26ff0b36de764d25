"""Activity, and the subscribers that are told of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from portal.clock import utc_now
from portal.db import Base, db, transaction
from portal.events.outbox import record_events
from portal.models import Alert, AlertHandling, Asset, Secret
from portal.models.errands.errand import ErrandKind
from portal.models.events.event import EventType
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts.users import add_user
from portal.services.errands.requests import MOST_UNFINISHED, request_errand
from portal.services.events import delivery
from tests.events.receiver import Receiver, receiving
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.conftest import HTMX, work
from tests.web.world import Place

pytestmark = pytest.mark.one_database

PAGE = "integrations/events/"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def happen(app: Flask, place: Place) -> str:
    """An event of each kind; the agent id of the asset they are about."""
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        asset = session.get_one(Asset, place.asset)
        agent = {"agent_id": asset.rmm_device_id, "external_alert_id": "31"}
        run = {"run_id": place.run, "kind": "devices", "agent_id": None}
        began = {"occurrence": 1, "began_at": utc_now()}
        session.add(handling := AlertHandling(alert_id=place.alert, **began))
        session.get_one(Alert, place.alert).message = "Fan broken"
        session.flush()
        record_events(
            session,
            [
                (EventType.SYNC_STARTED, "Devices", run),
                (EventType.SYNC_COMPLETED, "Devices", run | {"status": "partial"}),
                (EventType.SYNC_FAILED, "Devices", run | {"status": "failed"}),
                (
                    EventType.DEVICE_CREATED,
                    asset.name,
                    {"asset_id": asset.id, "rmm_device_id": asset.rmm_device_id},
                ),
                (EventType.DEVICE_UPDATED, "<b>gone</b>", {"rmm_device_id": "x" * 40}),
                (EventType.ALERT_TRIGGERED, asset.name, agent | {"message": "Disk <full>"}),
                (EventType.ALERT_RESOLVED, asset.name, agent),
                (EventType.MESSAGE_SENT, "Ops", {"reason": "raised", "handling_id": handling.id}),
                (
                    EventType.WEBHOOK_RECEIVED,
                    asset.rmm_device_id,
                    agent | {"delivery_id": place.delivery, "status": "pending"},
                ),
            ],
        )
        return asset.rmm_device_id


def test_what_happened_is_listed_with_links_and_payloads(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    assert "Nothing has happened yet" in admin.get(acme.url("activity/")).text
    happen(app, acme)

    page = admin.get(acme.url("activity/")).text

    for link in (
        f"sync-runs/{acme.run}",
        f"assets/{acme.asset}",
        f"alerts/{acme.alert}",
        f"deliveries/{acme.delivery}",
    ):
        assert f'href="{acme.url(link)}"' in page
    assert "Sync completed in part" in page
    assert "&lt;b&gt;gone&lt;/b&gt;" in page
    assert "Disk &lt;full&gt;" in page
    assert "It began: Fan broken" in page  # what a message was about
    assert not re.findall(r'<option value="([\w.]+)"[^>]*>\1<', page)  # each kind has words
    assert '<code class="event-code">rmm.device.created</code>' in page
    assert page.index("Webhook received</span>") < page.index("Sync started</span>")
    marks = re.findall(r'class="state state-(\w+)"><svg.*?</svg>([^<]+)</span>', page)
    tones = {word: tone for tone, word in marks}
    assert {tones[word] for word in ("Sync started", "Asset created", "Message sent")} == {"quiet"}
    assert (tones["Alert triggered"], tones["Sync failed"]) == ("bad", "bad")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("type=rmm.alert.triggered", 1),
        ("type=nothing", 0),
        ("q=disk", 1),
        ("q=acme-pc", 4),
        ("q=sync+devices", 3),
        ("q=%25", 0),
    ],
)
def test_events_are_filtered_and_searched(
    app: Flask, admin: FlaskClient, acme: Place, query: str, number: int
) -> None:
    happen(app, acme)
    rows = admin.get(
        acme.url(f"activity/?{query}"), headers={**HTMX, "HX-Target": "event-rows"}
    ).text
    assert rows.count('<tr id="event-') == number
    assert "<html" not in rows


def test_a_subscriber_is_added_and_its_secret_shown_once(
    app: Flask, admin: FlaskClient, acme: Place, receiver: Receiver
) -> None:
    chosen = {"url": receiver.url, "types": ["rmm.device.created", "rmm.device.updated"]}
    added = admin.post(acme.url(PAGE), data=chosen)
    found = re.search(r"whsec_[\w+/=]+", added.text)
    assert found
    receiver.secret = found.group()
    assert added.headers["Cache-Control"] == "no-store"

    page = admin.get(acme.url(PAGE)).text
    assert "whsec_" not in page
    assert urlsplit(receiver.url).netloc in page
    assert receiver.url not in page
    assert "Asset created" in page
    with app.app_context(), tenant_scope(acme.id):
        envelopes = [row.envelope for row in db.session.query(Secret)]
        assert not any(receiver.secret[6:] in envelope for envelope in envelopes)

    happen(app, acme)
    with app.app_context(), tenant_scope(acme.id):
        assert delivery.deliver_events(acme.subscriber + 1) == 2
    assert receiver.types == ["rmm.device.created", "rmm.device.updated"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Enter a complete address"),
        ("example.com/hook", "Enter a complete address"),
        ("ftp://example.com", "Enter a complete address"),
        ("https://example.com:port/", "Enter a complete address"),
        ("https://user:word@example.com/", "Leave out the username and password"),
        ("https://example.com/a b", "without spaces"),
        ("https://acme-pc.example", "already"),
    ],
)
def test_an_address_that_cannot_be_is_kept_in_the_form(
    admin: FlaskClient, acme: Place, url: str, words: str
) -> None:
    answer = admin.post(acme.url(PAGE), data={"url": url, "types": ["rmm.sync.failed"]})
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{url.replace("user:word@", "")}"' in answer.text
    assert 'value="rmm.sync.failed" checked' in answer.text


def test_types_that_do_not_exist_are_refused(admin: FlaskClient, acme: Place) -> None:
    sent = {"url": "https://example.com/", "types": ["rmm.nothing"]}
    answer = admin.post(acme.url(PAGE), data=sent)
    assert answer.status_code == 422
    assert "Choose only event types" in answer.text


def test_a_test_event_tells_what_came_of_it(
    app: Flask, admin: FlaskClient, acme: Place, receiver: Receiver
) -> None:
    added = admin.post(acme.url(PAGE), data={"url": receiver.url})
    test = acme.url(f"{PAGE}{acme.subscriber + 1}/test")
    receiver.secret = re.findall(r"whsec_[\w+/=]+", added.text)[0]
    receiver.plan = [(200, {}), (500, {})]

    assert "Waiting for a worker" in admin.post(test, follow_redirects=True).text
    assert receiver.types == []
    work(app, acme.id)
    assert "accepted the test event" in admin.get(acme.url()).text, "on whatever page"
    assert "accepted the test event" not in admin.get(acme.url(PAGE)).text, "but told once"
    assert receiver.types == ["rmm.test"]
    admin.post(test)
    work(app, acme.id)
    failed = admin.get(acme.url(PAGE)).text
    assert "The test event did not arrive. The receiver answered 500 instead of 2xx." in failed


def test_a_tenant_that_waits_for_much_is_told_to_wait(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id):
        for number in range(MOST_UNFINISHED):
            wanted = {"subscriber_id": 100 + number}
            request_errand(ErrandKind.TEST_SUBSCRIBER, "Ask", wanted)
    told = f"{MOST_UNFINISHED} requests to other servers are already waiting"
    test = acme.url(f"{PAGE}{acme.subscriber}/test")
    assert told in admin.post(test, follow_redirects=True).text
    alert = {"action": "resolve", "alert": acme.alert}
    answer = admin.post(acme.url("alerts/act"), data=alert, headers=HTMX)
    assert (answer.status_code, told in answer.headers["HX-Trigger"]) == (429, True)
    plan = acme.url("integrations/tacticalrmm/webhook/plan")
    kept = admin.post(plan, data={"apply_to": "clients", "clients": "7"}).text
    assert told in kept
    assert 'value="7" checked' in kept


def test_a_token_in_an_address_is_seen_nowhere(
    app: Flask,
    admin: FlaskClient,
    acme: Place,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither in pages nor in the database, the log or what an error says."""
    url = f"{receiver.url}/T0KEN-IN-PATH?key=T0KEN-IN-QUERY"
    receiver.plan = [(302, {"Location": "/elsewhere"})] * 2
    with caplog.at_level(logging.DEBUG):
        told = [admin.post(acme.url(PAGE), data={"url": url}).text]
        receiver.secret = re.findall(r"whsec_[\w+/=]+", told[0])[0]
        told += [admin.post(acme.url(PAGE), data={"url": receiver.url}).text]
        test = acme.url(f"{PAGE}{acme.subscriber + 1}/test")
        told += [admin.post(test, follow_redirects=True).text]
        work(app, acme.id)
        told += [admin.get(acme.url(PAGE)).text]
        happen(app, acme)
        with app.app_context(), tenant_scope(acme.id):
            delivery.deliver_events(acme.subscriber + 1)
        told += [admin.get(acme.url(page)).text for page in (PAGE, "activity/")]
    assert "a redirect" in told[-2]
    with app.app_context(), all_tenants():
        for table in Base.metadata.sorted_tables:
            told += [str(tuple(row)) for row in db.session.execute(table.select())]
    assert not any("T0KEN" in text for text in (*told, caplog.text))
    again = admin.post(acme.url(PAGE), data={"url": url})
    assert "A subscriber with this address already exists" in again.text


def test_a_subscriber_is_paused_resumed_and_deleted(admin: FlaskClient, acme: Place) -> None:
    one = acme.url(f"{PAGE}{acme.subscriber}")
    assert "Paused</span>" in admin.post(f"{one}/pause", follow_redirects=True).text
    assert "Active</span>" in admin.post(f"{one}/resume", follow_redirects=True).text
    assert "acme-pc" not in admin.post(f"{one}/delete", follow_redirects=True).text
    assert admin.post(f"{one}/delete").status_code == 404


def test_everybody_sees_the_host_and_no_more(viewer: FlaskClient, acme: Place) -> None:
    page = viewer.get(acme.url(PAGE)).text
    assert "acme-pc.example" in page
    assert "https://acme-pc.example" not in page
    assert 'method="post" action="' + acme.url(PAGE) not in page


def test_the_pages_in_a_browser(
    app: Flask, acme: Place, page: Page, live_portal: str, receiver: Receiver
) -> None:
    happen(app, acme)
    with app.app_context():
        add_user("admin@acme.example", "a long enough password", acme.slug, "admin")
    page.goto(f"{live_portal}/sign-in")
    page.get_by_label("Email").fill("admin@acme.example")
    page.get_by_label("Password", exact=True).fill("a long enough password")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Activity").click()
    page.get_by_role("row").filter(has_text="rmm.alert.triggered").locator("summary").click()
    expect(page.get_by_text('"message": "Disk <full>"')).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Event", exact=True).select_option("rmm.sync.failed")
    expect(page.locator("[id^=event-]:is(tr)")).to_have_count(1)
    assert "type=rmm.sync.failed" in page.url

    page.get_by_role("link", name="Subscribers").click()
    page.get_by_label("URL").fill(receiver.url)
    page.get_by_label("Alert triggered").check()
    page.get_by_role("button", name="Add subscriber").click()
    expect(page.locator("#signing-secret")).to_contain_text("whsec_")
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert_fits(page)
    unfold = page.get_by_role("link", name="All about 127.0.0.1")
    unfold.click()
    page.get_by_role("button", name="Send a test event to 127").click()
    expect(page.locator("[data-errand=pending]")).to_contain_text("Waiting for a worker")
    assert_accessible(page)
    assert_fits(page)
    work(app, acme.id)
    expect(page.locator("[data-errand=done]")).to_contain_text(
        "The receiver answered 401 instead of 2xx."
    )
    assert_accessible(page)
    unfold.click()
    page.get_by_role("button", name="Delete 127.0.0.1").click()
    dialog = page.get_by_role("dialog", name="Delete this subscriber?")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("The subscriber was deleted.")
    page.goto(live_portal + acme.url("activity/"))
    assert_fits(page)
