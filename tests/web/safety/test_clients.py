"""Whoever is limited to some clients sees and changes nothing of the others, on any route."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clock import utc_now
from portal.db import Base, TenantOwned, db, transaction
from portal.models import (
    Asset,
    AssetSoftware,
    Client,
    Delivery,
    Errand,
    OrganizationMapping,
    SyncLogEntry,
    SyncRun,
)
from portal.models.audit.entry import ActorKind
from portal.models.client_limits import LIMITED
from portal.scope import tenant_scope
from portal.services.accounts.permissions import WITHIN_CLIENTS, Permission, Role, role_allows
from portal.services.alerts import portions
from portal.services.alerts.acknowledging import acknowledge
from portal.services.alerts.snoozing import snooze
from portal.services.assets.retirement import DONE_AT_ONCE
from portal.services.audit.actor import Actor, acting_as
from portal.services.errands.stopping import stop_errand
from portal.services.runs.execution import run_queued
from tests.web.conftest import HTMX
from tests.web.safety.neighbour import MARKS, fingerprint, limited_user, make_neighbour
from tests.web.safety.test_isolation import IDS, address, methods, tenant_rules
from tests.web.world import Place, make_alert, make_asset, sign_in


@pytest.fixture
def neighbour(app: Flask, acme: Place) -> Place:
    return make_neighbour(app, acme)


@pytest.fixture
def limited(app: Flask, http: FlaskClient, acme: Place, neighbour: Place) -> FlaskClient:
    """A technician who sees the client of acme, and not its neighbour."""
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, limited_user(app, acme, acme.client))
    return http


def permission_of(app: Flask, endpoint: str) -> Permission:
    view: Any = app.view_functions[endpoint]
    found: Permission = view.permission
    return found


def marks_in(text: str) -> list[str]:
    lower = text.lower()
    return [lower[max(0, lower.find(mark) - 60) :][:140] for mark in MARKS if mark in lower]


FILTERS = ("q=zebra", "q=770077", "status=any", "show=all", "show=suggestions", "status=missing")
"""Beside no filter, on every page that has no id."""


@pytest.mark.mainly("sqlite")
def test_no_page_shows_anything_of_the_others(
    app: Flask, limited: FlaskClient, acme: Place
) -> None:
    shown, wrong = {}, {}
    for rule in tenant_rules(app):
        if "GET" not in methods(rule):
            continue
        here = address(rule, acme.slug, acme)
        for query in ("", *(() if rule.arguments & set(IDS) else FILTERS)):
            answer = limited.get(here, query_string=query)
            may = permission_of(app, rule.endpoint) in WITHIN_CLIENTS
            if found := marks_in(text_of(answer).replace(query.rpartition("=")[2] or "-", "")):
                wrong[f"{rule.endpoint}?{query}"] = found
            if (answer.status_code == 403) is may or answer.status_code >= 500:
                wrong[rule.endpoint] = [str(answer.status_code)]
            shown[rule.endpoint] = answer.status_code
            if not may:
                break
    assert wrong == {}
    assert sum(status == 200 for status in shown.values()) > 20


@pytest.mark.one_database
def test_no_number_counts_the_others(
    app: Flask, limited: FlaskClient, acme: Place, neighbour: Place
) -> None:
    """Whatever the neighbour gets more of, every page stays as it was, to the letter."""
    with time_machine.travel(utc_now(), tick=False):
        read_pages(app, limited, acme)  # the page of the search shows what was opened lately
        before = read_pages(app, limited, acme)
        let_grow(app, acme, neighbour)
        after = read_pages(app, limited, acme)
    assert len(before) > 20
    assert {name for name, page in after.items() if page != before[name]} == set()


def text_of(answer: TestResponse) -> str:
    """Some are files that are no text."""
    return answer.get_data().decode(errors="replace")


def read_pages(app: Flask, limited: FlaskClient, acme: Place) -> dict[str, str]:
    """Those that somebody who is limited may open, by endpoint."""
    return {
        rule.endpoint: text_of(limited.get(address(rule, acme.slug, acme)))
        for rule in tenant_rules(app)
        if "GET" in methods(rule) and permission_of(app, rule.endpoint) in WITHIN_CLIENTS
    }


def let_grow(app: Flask, acme: Place, neighbour: Place) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        connection = session.get_one(Asset, neighbour.asset).integration_id
        for number in range(3):
            asset = make_asset(connection, neighbour.client, f"more-{number}")
            session.add(asset)
            session.flush()
            alert = make_alert(asset)
            alert.external_alert_id = f"more-{number}"
            organization = OrganizationMapping(
                integration_id=connection,
                external_organization_id=f"more-{number}",
                external_organization_name=f"More {number}",
                client_id=neighbour.client if number else None,
            )
            install = AssetSoftware(
                asset_id=asset.id, title_id=acme.title, version="1.2", first_seen_at=utc_now()
            )
            delivery = Delivery(integration_id=connection, body="{}", body_bytes=2)
            session.add_all((alert, organization, install, delivery, Client(name=f"M{number}")))


@pytest.mark.one_database
def test_ids_of_the_others_are_not_there(
    app: Flask, limited: FlaskClient, acme: Place, neighbour: Place
) -> None:
    """Not told apart from ids that nobody has; where a role does not suffice, it is that."""
    before, wrong = fingerprint(app), {}
    settings = {"user_id", "invitation_id", "subscriber_id", "test_id", "channel_id"}
    settings |= {"helpdesk_id"}
    for rule in tenant_rules(app):
        if not rule.arguments & set(IDS) - settings:
            continue
        may = permission_of(app, rule.endpoint) in WITHIN_CLIENTS
        for method in methods(rule):
            for headers in ({}, HTMX):
                answer = limited.open(
                    address(rule, acme.slug, neighbour), method=method, headers=headers
                )
                is_right = answer.status_code == (404 if may else 403)
                if not is_right or marks_in(text_of(answer).replace("8800", "")):
                    wrong[f"{method} {rule.endpoint}"] = answer.status_code
    assert wrong == {}
    assert fingerprint(app) == before


@pytest.mark.one_database
def test_every_post_leaves_the_others_alone(
    app: Flask, limited: FlaskClient, acme: Place, neighbour: Place
) -> None:
    """Whatever ids a form carries, and all that a filter shows."""
    before, wrong = fingerprint(app), {}
    forms = (
        {"which": "all"},
        {
            "asset": neighbour.asset, "alert": neighbour.alert, "client_id": neighbour.client,
            "organization": neighbour.organization, "conflict": neighbour.conflict,
            "with": neighbour.asset, "action": "resolve", "name": "new", "asset_type": "server",
            "client": neighbour.client, "tag": "theirs",
        },
    )  # fmt: skip
    for rule in tenant_rules(app):
        for data in forms if "POST" in methods(rule) else ():
            answer = limited.post(address(rule, acme.slug, acme), data=data)
            text_of(answer)  # a file is written while it is read
            may = permission_of(app, rule.endpoint) in WITHIN_CLIENTS
            if answer.status_code >= 500 or (answer.status_code == 403) is may:
                wrong[rule.endpoint] = answer.status_code
    assert wrong == {}
    assert fingerprint(app) == before


@pytest.mark.parametrize("number", [1, DONE_AT_ONCE])
def test_what_is_theirs_they_do(
    app: Flask,
    limited: FlaskClient,
    acme: Place,
    neighbour: Place,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And "all" are all of their own: the neighbour has a missing asset too."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        own = session.get_one(Asset, acme.asset)
        own.missing_since = utc_now()
        for each in range(number):
            asset = make_asset(own.integration_id, own.client_id, f"own {each}")
            asset.missing_since = utc_now()
            session.add(asset)
    edit = {"name": "renamed", "asset_type": "server", "client_id": acme.client}
    assert limited.post(acme.url(f"assets/{acme.asset}/edit"), data=edit).status_code == 302
    assert limited.post(acme.url(f"assets/{acme.asset}/release/name")).status_code == 302
    for _press in range(2):
        answer = limited.post(acme.url("assets/retire?status=missing"), data={"which": "all"})
        assert answer.status_code == 302
    with app.app_context(), tenant_scope(acme.id):
        for run_id in db.session.scalars(select(SyncRun.id).where(SyncRun.status == "queued")):
            run_queued(run_id)
        retired = db.session.scalars(select(Asset.name).where(Asset.retired_at.is_not(None)))
        assert set(retired) == {"renamed", *(f"own {each}" for each in range(number))}
        assert len(db.session.scalars(select(SyncRun).where(SyncRun.kind == "assets")).all()) == 2
    act = {"action": "resolve", "alert": [acme.alert, neighbour.alert]}
    assert limited.post(acme.url("alerts/act"), data=act).status_code == 302
    with app.app_context(), tenant_scope(acme.id):
        asked = db.session.scalars(select(Errand).order_by(Errand.asked_at.desc())).first()
        assert asked is not None
        assert asked.wanted["alert_ids"] == [acme.alert]
    assert "Resolve the alert of" in limited.get(acme.url()).text
    monkeypatch.setattr(portions, "PORTION", 0)
    colleague = Actor(ActorKind.USER, "zebra@acme.example")
    with app.app_context(), tenant_scope(acme.id), acting_as(colleague):
        stop_errand(asked.id)
    assert "Stopped by a colleague before anything was done." in limited.get(acme.url()).text


@pytest.mark.one_database
def test_they_snooze_and_learn_of_no_colleague(
    app: Flask, limited: FlaskClient, acme: Place
) -> None:
    for_hours = {"action": "snooze", "snooze_for": "1h"}
    assert limited.post(acme.url(f"alerts/{acme.alert}/act"), data=for_hours).status_code == 302
    page = acme.url(f"alerts/{acme.alert}")
    assert "limited-technician@acme.example snoozed it until" in limited.get(page).text
    undone = limited.post(acme.url(f"alerts/{acme.alert}/act"), data={"action": "unsnooze"})
    assert undone.status_code == 302

    colleague = Actor(ActorKind.USER, "zebra@acme.example")
    with app.app_context(), tenant_scope(acme.id), acting_as(colleague):
        acknowledge([acme.alert])
        snooze([acme.alert], utc_now() + timedelta(hours=1))
    assert "a colleague snoozed it until" in limited.get(page).text
    lists = ("alerts/?status=any", "alerts/export.csv?status=any", "activity/")
    for where in (page, *map(acme.url, lists)):
        assert "zebra" not in limited.get(where).text, where
    found = limited.get(acme.url("activity/"), query_string={"q": "zebra"}).text
    assert "rmm.alert.snoozed" not in found.partition("<tbody>")[2]


@pytest.mark.one_database
def test_a_log_is_not_searched_for_what_it_hides(
    app: Flask, limited: FlaskClient, acme: Place
) -> None:
    """A reason may name the computer of another client that an agent was compared with."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        entry = SyncLogEntry(run_id=acme.run, action="updated", name="known")
        entry.external_id = session.get_one(Asset, acme.asset).rmm_device_id
        entry.reason, entry.changes = "Its serial number is that of zebra.", {"evidence": {}}
        session.add(entry)
    log = acme.url(f"sync-runs/{acme.run}")
    assert "known" in limited.get(log, query_string="q=known").text
    assert "zebra" not in limited.get(log).text
    assert "known" not in limited.get(log, query_string="q=zebra").text


@pytest.mark.one_database
def test_a_limit_to_nothing_shows_nothing(app: Flask, http: FlaskClient, acme: Place) -> None:
    sign_in(app, http, limited_user(app, acme, role="viewer"))

    for page in ("", "assets/", "alerts/", "clients/", "software/", "organizations/", "activity/"):
        answer = http.get(acme.url(page))
        assert answer.status_code == 200, page
        assert "acme-pc" not in answer.text
        assert "Acme Client" not in answer.text
    assert http.get(acme.url(f"assets/{acme.asset}")).status_code == 404


@pytest.mark.one_database
def test_the_table_says_something_of_every_model() -> None:
    models = {mapper.class_ for mapper in Base.registry.mappers}
    owned = {model for model in models if issubclass(model, TenantOwned)}
    assert owned - LIMITED.keys() == set()


@pytest.mark.one_database
def test_a_limit_takes_away_what_concerns_others() -> None:
    assert Permission.READ in WITHIN_CLIENTS
    outside = (Permission.DELETE, Permission.MANAGE_USERS, Permission.READ_AUDIT, Permission.SYNC)
    assert not WITHIN_CLIENTS & set(outside)
    for permission in Permission:
        may = permission in WITHIN_CLIENTS
        assert role_allows(Role.TECHNICIAN, permission, limited=True) is may
