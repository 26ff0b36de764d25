"""The pages of channels: added, tried, worded, switched off, deleted; secrets never shown."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from portal.channels import KINDS, Result
from portal.db import db, transaction
from portal.models import AlertRule, AuditEntry, Channel, Errand, Message
from portal.models.channels.message import MessageReason, MessageStatus
from portal.scope import tenant_scope
from portal.services.accounts.users import add_user
from portal.services.channels.listing import get_channel
from portal.services.channels.testing import send_test
from portal.services.errands.execution import run_queued
from portal.services.far_sides import read_secrets
from portal.vault import forget_secrets
from tests.canary.people import CHANNELS
from tests.channels.far_side import FarSide, Planned
from tests.web.accessible import assert_accessible, assert_fits
from tests.web.world import Place

pytestmark = pytest.mark.one_database

HEADERS = "Authorization: Bearer b3arer-token"


def http_form(far_side: FarSide, **changes: Any) -> dict[str, Any]:
    form = {
        **{"name": "Automation", "most_per_minute": "9", "method": "POST", "format": "json"},
        **{"url": f"{far_side.url}/hook/t0ken-of-it", "headers": HEADERS},
    }
    return form | changes


def newest(app: Flask, acme: Place) -> int:
    with app.app_context(), tenant_scope(acme.id):
        return db.session.query(Channel.id).order_by(Channel.id.desc()).limit(1).scalar() or 0


def secrets_of(app: Flask, acme: Place, channel_id: int) -> dict[str, str]:
    with app.app_context(), tenant_scope(acme.id):
        channel = get_channel(channel_id)
        return read_secrets(channel, KINDS[channel.kind].fields)


@pytest.mark.parametrize("kind", CHANNELS)
def test_each_kind_is_added_and_its_secrets_are_not_shown(
    app: Flask, admin: FlaskClient, acme: Place, kind: str
) -> None:
    form = CHANNELS[kind] | {"name": "On call", "most_per_minute": "9"}
    assert "How to set it up" in admin.get(acme.url(f"channels/new/{kind}")).text or kind in (
        *("mail", "http"),
    )
    wrong = admin.post(acme.url(f"channels/new/{kind}"), data=form | {"most_per_minute": "0"})
    assert (wrong.status_code, "Enter a number from 1 to 60." in wrong.text) == (422, True)

    added = admin.post(acme.url(f"channels/new/{kind}"), data=form)

    channel_id = newest(app, acme)
    assert added.location == acme.url(f"channels/{channel_id}")
    shown = [wrong.text, added.text]
    shown += [admin.get(acme.url(f"channels/{path}")).text for path in ("", channel_id)]
    shown.append(admin.get(acme.url(f"channels/{channel_id}/edit")).text)
    stored = secrets_of(app, acme, channel_id)
    assert stored
    assert [secret for secret in stored.values() if any(secret in page for page in shown)] == []
    assert [text for text in shown if "Canary" in text] == []


def test_a_test_is_sent_by_a_worker_and_its_answer_shown(
    app: Flask, admin: FlaskClient, acme: Place, far_side: FarSide
) -> None:
    admin.post(acme.url("channels/new/http"), data=http_form(far_side))
    channel_id = newest(app, acme)
    far_side.plan = [Planned(403, "no t0ken-of-it b3arer-token"), Planned(202, "thanks")]
    page = acme.url(f"channels/{channel_id}")
    for says, state in (
        ("did not arrive. Answered 403: no [redacted] [redacted]", "Not used yet"),
        ("was sent. Answered 202", "Last good test"),
    ):
        admin.post(acme.url(f"channels/{channel_id}/test"))
        assert far_side.calls == [] or far_side.calls[0].json["reason"] == "test"
        with app.app_context(), tenant_scope(acme.id):
            run_queued(db.session.query(Errand.id).order_by(Errand.id.desc()).limit(1).scalar())
            errand = db.session.query(Errand).order_by(Errand.id.desc()).first()
            assert errand is not None
            assert says in (errand.message or "")
        assert state in admin.get(page).text
    admin.post(f"{page}/edit", data=http_form(far_side))
    assert "Not used yet" in admin.get(page).text, "another test is wanted after each change"
    assert far_side.calls[1].json["title"] == "Test message of Acme IT"


def test_secrets_are_kept_when_left_empty_and_deleted_when_that_is_asked(
    app: Flask, admin: FlaskClient, acme: Place, far_side: FarSide
) -> None:
    admin.post(acme.url("channels/new/http"), data=http_form(far_side))
    page = acme.url(f"channels/{newest(app, acme)}/edit")
    form = http_form(far_side, name="Renamed", url="", headers="")
    assert admin.post(page, data=form).status_code == 302
    kept = secrets_of(app, acme, newest(app, acme))
    assert kept == {"url": f"{far_side.url}/hook/t0ken-of-it", "headers": HEADERS}
    admin.post(page, data=form | {"forget_headers": "y"})
    assert secrets_of(app, acme, newest(app, acme)).keys() == {"url"}
    with app.app_context(), tenant_scope(acme.id):
        entries = [str(row.after) for row in db.session.query(AuditEntry)]
    assert not any("t0ken" in entry or "b3arer" in entry for entry in entries)


def test_a_kept_secret_is_not_sent_to_another_host(
    app: Flask, admin: FlaskClient, acme: Place, far_side: FarSide
) -> None:
    admin.post(acme.url("channels/new/http"), data=http_form(far_side))
    page = acme.url(f"channels/{newest(app, acme)}/edit")
    before = secrets_of(app, acme, newest(app, acme))
    moved = http_form(far_side, url="https://elsewhere.example/hook", headers="")
    refused = admin.post(page, data=moved)
    assert (refused.status_code, "entered for another server" in refused.text) == (422, True)
    assert secrets_of(app, acme, newest(app, acme)) == before
    assert admin.post(page, data=moved | {"headers": "X-New: 1"}).status_code == 302
    assert secrets_of(app, acme, newest(app, acme))["headers"] == "X-New: 1"


def test_words_are_tried_on_an_alert_before_they_are_saved(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    admin.post(
        acme.url("channels/new/teams"),
        data=CHANNELS["teams"] | {"name": "T", "most_per_minute": "9"},
    )
    page = acme.url(f"channels/{newest(app, acme)}/wording")
    words = {"subject": "{{ hostname | upper }} <b>!", "text": "It says {{ message }}"}
    words |= {"notice_subject": "Portal: {{ title }}"}
    shown = admin.post(page, data=words | {"preview": "1"}).text
    assert "ACME-PC &lt;b&gt;!" in shown
    bad = admin.post(page, data={"text": "{% for a in b %}{% endfor %}"})
    assert (bad.status_code, "holds what is not allowed" in bad.text) == (422, True)
    assert admin.post(page, data=words).status_code == 302
    with app.app_context(), tenant_scope(acme.id):
        assert get_channel(newest(app, acme)).templates == words


def test_a_channel_that_a_rule_tells_is_not_deleted(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    page = acme.url(f"channels/{acme.channel}")
    assert "Acme servers" in admin.get(page).text
    refused = admin.post(f"{page}/delete", follow_redirects=True)
    assert "Acme servers tells this channel." in refused.text
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.delete(session.get_one(AlertRule, acme.rule))
    assert admin.post(f"{page}/delete").location == acme.url("channels/")
    assert admin.get(page).status_code == 404


def test_a_channel_that_fails_says_so(app: Flask, admin: FlaskClient, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        channel = session.get_one(Channel, acme.channel)
        channel.failures, channel.last_error = 3, "Answered 404: gone."
        message = Message(channel_id=acme.channel, key="k", reason=MessageReason.RAISED)
        message.status, message.answer = MessageStatus.FAILED, "Answered 404: <gone>."
        session.add(message)
    page = admin.get(acme.url(f"channels/{acme.channel}")).text
    assert "Answered 404: gone. It failed 3 times in a row" in page
    assert "Answered 404: &lt;gone&gt;." in page
    admin.post(acme.url(f"channels/{acme.channel}/switch-off"))
    assert "Switched off" in admin.get(acme.url("channels/")).text


def test_the_pages_are_accessible_and_fit(
    app: Flask, acme: Place, page: Page, live_portal: str
) -> None:
    with app.app_context():
        add_user("anna@acme.example", "correct horse", acme.slug, "admin")
    page.goto(f"{live_portal}/sign-in")
    page.get_by_label("Email").fill("anna@acme.example")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/t/acme/**")
    own = str(acme.channel)
    for path in ("", "new", "new/mail", "new/ntfy", own, f"{own}/edit", f"{own}/wording"):
        page.goto(live_portal + acme.url(f"channels/{path}"))
        assert_accessible(page)
        assert_fits(page)
    page.get_by_role("textbox", name="Body").fill('{"it": "{{ hostname }}"}')
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text('{"it": "acme-pc"}')
    assert_accessible(page)


def test_a_channel_without_its_secret_says_which_is_wanted(app: Flask, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id):
        with transaction() as session:
            forget_secrets(session, session.get_one(Channel, acme.channel))
        outcome = send_test(acme.channel, "key")
    assert (outcome.result, outcome.answer) == (
        Result.FAILED,
        "Change the channel and enter “URL” again.",
    )
