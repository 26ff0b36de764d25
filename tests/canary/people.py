"""What people do who sign in: from setting the portal up to a new password, with marked secrets."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import time_machine
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db
from portal.models import Passkey
from portal.services.accounts import setup, users
from portal.services.accounts.invitations import invite
from portal.services.accounts.password_changes import issue_reset
from portal.services.accounts.second_factors.changes import find_new_app
from portal.services.accounts.second_factors.totp import STEP_SECONDS
from tests.canary.browser import Browser
from tests.support.second_factors import Phone, steps_later
from tests.support.soft_authenticator import SoftPasskey
from tests.web.accounts.test_passkeys import ALONE, FINISH, SECOND, read_options
from tests.web.accounts.test_passkeys import NEW as NEW_PASSKEY
from tests.web.accounts.test_reauthentication import sealed_in
from tests.web.world import make_place, make_user

ANNA, TOM = "anna@acme.example", "tom@acme.example"
PASSWORD, NEW, THIRD = "Canary1Password", "Canary2Password", "Canary3Password"
WRONG, TYPED = "Canary4Wrong", "Canary5TypedSomewhere"
FORMS: dict[str, dict[str, str]] = {
    "tacticalrmm.save": {
        "auth_mode": "password",
        "username": "canary",
        "api_key": "CANARY6APIKEY6OF6TACTICAL",
        "password": "Canary7PasswordOfTactical",
        "totp_secret": "CANARY23CANARY23CANARY23CANARY23",
        "totp_code": "481516",
    },
    "tacticalrmm.enter_code": {"totp_code": "234257"},
    "single_sign_on.save": {"client_secret": "Canary24SecretOfProvider"},
    "channels.save": {"url": "https://far.example/Canary25AddressOfChannel"},
    "helpdesks.save": {"token": "1-23-Canary32TokenOfHelpdesk"},
    "subscribers.add": {"url": "https://siem.example/Canary8AddressOfSubscriber"},
}
"""What is sent instead of what the audit's tests send."""
ADDRESS = "https://far.example/Canary26AddressOfChannel"
CHANNELS: dict[str, dict[str, str]] = {
    "mail": {
        **{"server": "smtp.example.com", "port": "587", "security": "starttls"},
        **{"sender": "a@msp.example", "to": "b@msp.example", "username": "a"},
        "password": "Canary27PasswordOfMail",
    },
    "teams": {"url": ADDRESS},
    "slack": {"url": ADDRESS, "token": "xoxb-Canary28TokenOfSlack", "room": "C1"},
    "discord": {"url": ADDRESS},
    "ntfy": {"server": "https://ntfy.sh", "topic": "Canary29Topic", "token": "tk_Canary30Token"},
    "http": {
        **{"url": ADDRESS, "method": "POST", "format": "json"},
        "headers": "Authorization: Canary31HeaderOfChannel",
    },
}
HELPDESKS: dict[str, dict[str, str]] = {
    "rt": {
        **{"url": "https://desk.example/rt", "field": "PortalKey"},
        **{"closed": "resolved", "open": "open", "token": "1-23-Canary33TokenOfTracker"},
    },
    "redmine": {
        **{"url": "https://desk.example", "field": "Portal key", "format": "textile"},
        "key": "Canary34KeyOfRedmine",
    },
    "zammad": {
        **{"url": "https://desk.example", "field": "portal_key", "customer": "a@msp.example"},
        **{"closed": "closed", "open": "open", "token": "Canary35TokenOfZammad"},
    },
    "http": {
        "url": "https://desk.example",
        "headers": "Authorization: Canary36HeaderOfHelpdesk",
    },
    "mail": CHANNELS["mail"]
    | {"address": "support@msp.example", "password": "Canary37PasswordOfHelpdesk"},
}
"""Kind -> a form that is right."""


def drive_people(anna: Browser) -> None:
    with steps_later(-5) as clock:
        set_up(anna)
        codes = drive_app(anna, clock.shift)
    drive_passkey(anna, codes)
    drive_others(anna)
    anna.get("/account/second-factor/app/remove")
    anna.post_once("/account/second-factor/app/remove", recovery_code=codes.pop())
    prove_again(anna)
    drive_reset(anna)


def set_up(anna: Browser) -> None:
    with anna.app.app_context():
        token = setup.issue_token() or ""
    for path in ("/", "/livez", "/readyz", "/setup", "/sign-in"):
        anna.get(path)
    form = {"email": ANNA, "password": PASSWORD, "tenant_name": "Acme IT", "slug": "acme"}
    anna.post("/setup", **form, token=TYPED)
    anna.post("/setup", **form, token=token)
    factors = "/account/second-factor/"
    for path in (f"{factors}offer", factors, "/account", "/tenants", "/session", "/help/guide"):
        anna.get(path)
    anna.post("/account/second-factor/offer")
    anna.post("/account", old_password=WRONG, new_password=NEW)
    anna.post("/account", old_password=PASSWORD, new_password=NEW)


def drive_app(anna: Browser, let_pass: Callable[[float], None]) -> list[str]:
    """Set up, renewed and used; recovery codes that are left."""
    page = "/account/second-factor/app"
    anna.get(page)
    anna.post(page, password=WRONG)
    anna.post(page, password=NEW)
    anna.get(page)
    with anna.app.app_context():
        shared = find_new_app(users.get_user(ANNA).id)
    assert shared is not None
    phone = Phone(shared.secret)
    anna.post(f"{page}/confirm", code="815162")
    anna.post(f"{page}/confirm", code=phone.code())
    let_pass(STEP_SECONDS)
    anna.get("/account/second-factor/recovery-codes")
    answer = anna.post("/account/second-factor/recovery-codes", code=phone.code())
    anna.post("/sign-out")
    anna.post("/sign-in", email=ANNA, password=WRONG)
    anna.post("/sign-in", email=ANNA, password=NEW)
    anna.get(SECOND)
    anna.post(SECOND, recovery_code=TYPED)
    let_pass(STEP_SECONDS)
    assert anna.post_once(SECOND, code=phone.code()).status_code == 302
    return re.findall(r"<li>([0-9a-z-]{29})</li>", answer.text)


def drive_passkey(anna: Browser, codes: list[str]) -> None:
    anna.get(NEW_PASSKEY)
    options = read_options(anna.post_once(NEW_PASSKEY, recovery_code=codes.pop()))
    key = SoftPasskey(handle=options["user"]["id"])
    anna.post_once(FINISH, passkey=key.create(options), name="Laptop")
    with anna.app.app_context():
        page = f"/account/passkeys/{db.session.scalars(select(Passkey.id)).one()}"
    anna.get(page)
    anna.post(page, name="Old laptop")
    anna.post("/sign-out")
    anna.post_once(ALONE, passkey=key.get(read_options(anna.get(ALONE))))
    removal = read_options(anna.get(f"{page}/remove"))
    assert anna.post_once(f"{page}/remove", passkey=key.get(removal)).status_code == 302


def prove_again(anna: Browser) -> None:
    """With secrets in the form that waits for the proof. The cookie is one of later then."""
    with time_machine.travel(utc_now() + timedelta(minutes=31), tick=False):
        page = "/t/acme/integrations/tacticalrmm/"
        form = FORMS["tacticalrmm.save"] | {"base_url": "https://api.acme.example"}
        sealed = sealed_in(anna.post(page, **form).text)
        anna.open("POST", page, data={"sealed": sealed, "password": WRONG})
        done = anna.open("POST", page, data={"sealed": sealed, "password": NEW}, fail_at=("",))
        assert done.status_code == 302


def drive_others(anna: Browser) -> None:
    """Tom joins, is in two tenants and in several browsers, and leaves one."""
    tom = Browser(anna.app, anna.watch, anna.done, anna.redis_url)
    other = make_place(anna.app, "other")
    make_user(anna.app, "boss@other.example", other, role="owner")
    with anna.app.app_context():
        link, second = (invite(TOM, slug, "viewer").link for slug in ("acme", "other"))
    for each in (link, second):
        code = each.rpartition("#")[2]
        tom.get(f"/invitation/{code}")
        tom.get("/invitation")
        tom.look_at_link("/invitation", code)
        tom.get("/invitation/signed-in")
        tom.post("/invitation/accept", code=code, password=THIRD)
    for _ in range(2):
        anna.app.test_client().post("/sign-in", data={"email": TOM, "password": THIRD})
    tom.post("/sign-in", email=TOM, password=THIRD)
    tom.post(way_out(tom, "/account"))
    with anna.app.app_context():
        tom_id = users.get_user(TOM).id
    anna.post(way_out(anna, f"/t/acme/users/{tom_id}"))
    tom.post("/sign-in", email=TOM, password=THIRD)
    tom.post("/account/browsers/end-others")
    assert tom.post("/account/tenants/other/leave").location == "/account"


def way_out(browser: Browser, page: str) -> str:
    found = re.search(r'action="(/[^"]*/browsers/[0-9a-f]{16}/end)"', browser.get(page).text)
    assert found, (browser.http.get(page).status_code, browser.http.get(page).location)
    return found[1]


def drive_reset(anna: Browser) -> None:
    with anna.app.app_context():
        code = issue_reset(ANNA).link.rpartition("#")[2]
    anna.get(f"/reset/{code}")
    anna.get("/reset")
    anna.look_at_link("/reset", code)
    anna.post("/reset/password", code=code, password=ANNA)
    assert anna.post("/reset/password", code=code, password=THIRD).location == "/sign-in"
