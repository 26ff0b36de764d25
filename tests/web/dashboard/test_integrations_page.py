"""The page of integrations: how each stands, since when, and the next step."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Alert, Channel, Delivery, EventSubscriber, Helpdesk
from portal.models.alerts.alert import AlertSource
from portal.models.integrations.integration import IntegrationState, Stop
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations.current import get_integration
from tests.support.statements import asked, counting
from tests.web.world import Place, make_user, sign_in

pytestmark = pytest.mark.one_database

MOST_STATEMENTS = 12


def cards_of(page: str) -> dict[str, tuple[str, str]]:
    """Name -> the state, and what the button says; with a `!` where it is the next step."""
    found = {}
    for name, text in re.findall(
        r'<section class="card provider" aria-label="([^"]+)">(.*?)</section>', page, re.DOTALL
    ):
        [state] = re.findall(r'class="state .*?</svg>([^<]+)', text, re.DOTALL)
        [(primary, action)] = re.findall(r'class="btn( btn-primary)?" href="[^"]+">([^<]+)', text)
        found[name] = state, f"{'!' if primary else ''}{action}"
    return found


def read(http: FlaskClient, where: str) -> dict[str, tuple[str, str]]:
    return cards_of(http.get(where).text)


def test_where_nothing_is_connected_it_says_what_can_be(app: Flask, http: FlaskClient) -> None:
    with app.app_context():
        tenant = add_tenant("Globex IT", "globex")
    sign_in(app, http, make_user(app, "owner@globex.example", tenant, role="owner"))
    assert read(http, "/t/globex/integrations/") == {
        "Tactical RMM": ("Not connected", "!Connect"),
        "Channels": ("Not connected", "Add a channel"),
        "Helpdesks": ("Not connected", "Add a helpdesk"),
        "Event subscribers": ("Not connected", "Add a subscriber"),
        "API tokens": ("None", "Make a token"),
    }


def test_each_says_how_it_stands(app: Flask, owner: FlaskClient, acme: Place) -> None:
    where = acme.url("integrations/")
    owner.get(where)
    with app.app_context(), counting() as statements:
        page = owner.get(where).text
    assert len(asked(statements)) <= MOST_STATEMENTS, "\n".join(asked(statements))
    assert cards_of(page) == {
        "Tactical RMM": ("Connected", "Settings"),
        "Webhook": ("Connected", "Manage"),
        "Channels": ("Not tested", "!Test"),
        "Helpdesks": ("Not tested", "Test"),
        "Event subscribers": ("Not tested", "Test"),
        "API tokens": ("Valid", "Manage"),
    }
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.get_one(Channel, acme.channel).sent_at = utc_now()
        session.get_one(Helpdesk, acme.helpdesk).active = False
        stopped = session.get_one(EventSubscriber, acme.subscriber)
        stopped.active, stopped.failures, stopped.failing_since = False, 9, utc_now()
    page = owner.get(where).text
    now = cards_of(page)
    assert now["Channels"] == ("Connected", "Manage")
    assert now["Helpdesks"] == ("Off", "Manage")
    assert now["Event subscribers"] == ("Failing", "!See why")
    assert re.search(r"It fails. Since <time", page)


def test_who_may_not_add_one_is_led_to_the_list(
    app: Flask, viewer: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.execute(delete(EventSubscriber))
    shown = read(viewer, acme.url("integrations/"))
    assert shown["Event subscribers"] == ("Not connected", "Manage")


@pytest.mark.parametrize(
    ("facts", "state", "action"),
    [
        ({"last_error": "It is down."}, "Failing", "See why"),
        ({"stopped_for": Stop.WRONG_KEY}, "Failing", "Fix the credentials"),
        ({"breaker_until": utc_now() + timedelta(minutes=5)}, "Failing", "See why"),
        ({"state": IntegrationState.UNTESTED}, "Not tested", "Test it"),
        ({"state": IntegrationState.HELD}, "Needs a decision", "Decide"),
        ({"state": IntegrationState.DISCONNECTED}, "Not connected", "Connect again"),
    ],
)
def test_of_a_server_that_needs_somebody_it_says_what_to_do(
    app: Flask, admin: FlaskClient, acme: Place, facts: dict[str, Any], state: str, action: str
) -> None:
    since = dict.fromkeys(("stopped_at", "failing_since", "last_error_at", "tested_at"), utc_now())
    with app.app_context(), tenant_scope(acme.id), transaction():
        integration = get_integration()
        for name, value in (since | facts).items():
            setattr(integration, name, value)
    page = admin.get(acme.url("integrations/")).text
    assert cards_of(page)["Tactical RMM"] == (state, f"!{action}")
    assert ("Since <time" in page) == (state in ("Failing", "Needs a decision"))


def test_a_webhook_that_nothing_came_by_is_to_be_set_up(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.execute(delete(Delivery))
        session.execute(update(Alert).values(source=AlertSource.BACKFILL))
    shown = read(admin, acme.url("integrations/"))
    assert shown["Webhook"] == ("Not connected", "!Set it up")
