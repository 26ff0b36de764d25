"""Canary: whatever is opened or sent, and wherever it fails, no secret is told but to its owner."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask

from portal.clock import utc_now
from portal.config import Settings
from portal.db import db, transaction
from portal.models import AlertHandling
from portal.scope import tenant_scope
from portal.services.alerts.links import make_link
from portal.services.api.tokens import add_token
from portal.services.tickets import hints
from portal.services.webhook import keys
from tests.audit.test_everything_is_recorded import ROUTES, place_run
from tests.canary.browser import Browser
from tests.canary.company import drive_company
from tests.canary.people import CHANNELS, FORMS, HELPDESKS, WRONG, drive_people
from tests.canary.secrets_made import catch
from tests.canary.watch import Watch, watching
from tests.support.keys import KEYS
from tests.web.safety.test_isolation import address, methods, tenant_rules
from tests.web.world import Place, make_place, make_user, sign_in

pytestmark = pytest.mark.mainly("sqlite")

SHOWN = {
    "keys._add_key webhook_keys.value": r"answer to POST /t/\w+/.*/webhook/reveal",
    "event_subscribers.signing_secret": r"answer to POST /t/\w+/integrations/events/",
    "flows.begin": r"answer to (GET /t/[\w-]+/sign-in/(start|prove)|POST /t/[\w-]+/sign-in/link|"
    r"POST /invitation/company)",
    "feeds.add_feed": r"answer to POST /t/[\w-]+/maintenance/links",
    "tokens.add_token": r"answer to POST /t/\w+/api/",
    "invitations.invite": r"answer to (POST /t/\w+/users/(invite|invitations/\d+/renew)|"
    r"\w+ /invitation.*)",
    "password_changes.issue_reset": r"answer to (POST /t/\w+/users/\d+/reset|\w+ /reset.*)",
    "invitations.invite messages.code": r"answer to POST /t/[\w-]+/users/invite",
    "messages.code password_changes.issue_reset": r"answer to POST /t/[\w-]+/users/\d+/reset",
    "recovery_codes.make_codes": r"answer to POST /account/(second-factor/app/confirm|"
    r"second-factor/recovery-codes|passkeys/new/finish)",
    "totp.put_new_secret users.authenticator": r"answer to (GET /account/second-factor/app|"
    r"POST /account/second-factor/app/confirm)",
}
"""Kinds that are made to be copied: the answers that show them to who asked for them."""

ASK_NOBODY = {
    *("health.live", "api_openapi.show_document", "auth.open_reset", "auth.open_old_reset"),
    "helpdesks.preview",
}
"""What answers without the database, or writes nothing into it."""


@pytest.fixture
def watch(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    app.config |= {"WTF_CSRF_ENABLED": False, "PROPAGATE_EXCEPTIONS": False}
    with watching() as watch:
        catch(watch, monkeypatch)
        app.secret_key = "CanaryKeyOfCookies"
        for key in (app.secret_key, KEYS["PORTAL_ENCRYPTION_KEYS"].partition(":")[2]):
            watch.add("key of the install", key)
        yield watch


def test_no_route_tells_a_secret(app: Flask, settings: Settings, watch: Watch) -> None:
    done: dict[str, set[int]] = {}
    drive_people(Browser(app, watch, done, settings.redis_url))
    drive_company(Browser(app, watch, done, settings.redis_url))
    drive_tenants(Browser(app, watch, done, settings.redis_url))
    with app.app_context():
        watch.look_at_tables()

    told = watch.find_told()
    assert {each for each in told if not re.fullmatch(SHOWN.get(each[0], ""), each[1])} == set()
    assert SHOWN.keys() == {kind for kind, _ in told}, "each is shown where it is to be"
    routes = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}
    assert routes == done.keys()
    assert {each for each in routes if not any(status < 400 for status in done[each])} == set()
    assert {each for each in routes if max(done[each]) < 500} == ASK_NOBODY


def drive_tenants(owner: Browser) -> None:
    """Each route that changes something in a tenant of its own, all others in one."""
    looked_at = make_place(owner.app, "looked-at")
    sign_in_as_owner(owner, looked_at)
    for rule in tenant_rules(owner.app):
        if "GET" in methods(rule):
            owner.get(address(rule, looked_at.slug, looked_at))
    drive_calendar(owner, looked_at)
    drive_channels(owner, looked_at)
    drive_helpdesks(owner, looked_at)
    drive_mailed_links(owner, looked_at)
    drive_link_of_alert(owner, looked_at)
    for number, rule in enumerate(tenant_rules(owner.app)):
        if "POST" in methods(rule) and rule.endpoint in ROUTES:
            place = make_place(owner.app, f"t{number}")
            sign_in_as_owner(owner, place)
            drive_change(owner, rule.endpoint, address(rule, place.slug, place), place)
    drive_intake(owner, looked_at)
    drive_api(owner, looked_at)


def sign_in_as_owner(owner: Browser, place: Place) -> None:
    email = f"owner@{place.slug}.example"
    sign_in(owner.app, owner.http, make_user(owner.app, email, place, role="owner"))


def drive_change(owner: Browser, endpoint: str, path: str, place: Place) -> None:
    drive = ROUTES[endpoint]
    with owner.app.app_context(), tenant_scope(place.id):
        more = drive.prepare(place) if drive.prepare else None
        db.session.remove()
    run = place_run.pop(place.id, place.run)
    form = drive.form | FORMS.get(endpoint, {}) | (more or {})
    owner.post(path.replace(f"/{place.run}/", f"/{run}/"), **form)


def drive_channels(owner: Browser, place: Place) -> None:
    """Each kind, right, and wrong with all its secrets typed."""
    for number, (name, form) in enumerate(CHANNELS.items()):
        for more in ({"name": f"Channel {number}"}, {"name": ""}):
            owner.post(place.url(f"channels/new/{name}"), **form, most_per_minute="9", **more)


def drive_helpdesks(owner: Browser, place: Place) -> None:
    """As channels are; and what helpdesks call."""
    with owner.app.app_context(), tenant_scope(place.id):
        called = urlsplit(hints.make_address(place.helpdesk)).path
    for path in (f"{called}x", called):
        owner.open("POST", path, json={"ticket": 1})
    for number, (name, form) in enumerate(HELPDESKS.items()):
        for more in ({"name": f"Helpdesk {number}"}, {"name": ""}):
            owner.post(place.url(f"helpdesks/new/{name}"), **form, **more)
        owner.post(place.url(f"helpdesks/preview/{name}"), **form, name="Seen")


def drive_mailed_links(owner: Browser, place: Place) -> None:
    """Which wait in the vault for a worker."""
    form = {"email": "mailed@acme.example", "role": "viewer", "mail": "yes"}
    owner.post(place.url("users/invite"), **form)
    owner.post(place.url(f"users/{place.member}/reset"), mail="yes")
    for page in ("users/", f"users/{place.member}", f"channels/{place.channel + 1}"):
        owner.get(place.url(page))


def drive_intake(owner: Browser, place: Place) -> None:
    with owner.app.app_context(), tenant_scope(place.id):
        secret = keys.reveal()
    for given in (WRONG, secret):
        headers = {"X-Alga-Webhook-Secret": given}
        path = f"/api/webhooks/tacticalrmm?tenant={place.slug}"
        owner.open("POST", path, headers=headers, json={"event": "failure"})


def drive_link_of_alert(stranger: Browser, place: Place) -> None:
    with stranger.app.app_context(), tenant_scope(place.id), transaction() as session:
        handling = AlertHandling(alert_id=place.alert, occurrence=1, began_at=utc_now())
        session.add(handling)
        session.flush()
        made = urlsplit(make_link(handling.id, None)).fragment
    stranger.get("/acknowledge/")
    stranger.get(f"/acknowledge/{made}")
    for code in ("nobodys", made):
        stranger.look_at_link("/acknowledge/", code)
        stranger.post("/acknowledge/press", code=code, note="On it")


def drive_calendar(owner: Browser, place: Place) -> None:
    page = owner.post(place.url("maintenance/links"), name="Team").text
    found = re.search(r'id="calendar-link">http://[^/]+(/calendar/[^<]+)<', page)
    assert found
    for path in ("/calendar/nobodys.ics", found[1]):
        owner.get(path)


def drive_api(program: Browser, place: Place) -> None:
    with program.app.app_context(), tenant_scope(place.id):
        token = add_token("Reports", ("read", "audit")).secret
        db.session.remove()
    for given in (WRONG, token):
        headers = {"Authorization": f"Bearer {given}"}
        for rule in program.app.url_map.iter_rules():
            if rule.rule.startswith("/api/v1/"):
                path = address(rule, place.slug, place).partition("?")[0]
                program.get(path, headers=headers)
