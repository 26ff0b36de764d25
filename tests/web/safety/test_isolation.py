"""No route shows, names or changes another tenant's rows; none forgets to ask who may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from portal.db import db
from portal.models import OrganizationMapping
from portal.scope import tenant_scope
from portal.services.accounts.permissions import Permission, Role
from tests.stateful.tables import Dump, dump
from tests.web.conftest import HTMX
from tests.web.world import Place, make_place, make_user, sign_in

IDS = {
    "alert_id": "alert",
    "delivery_id": "delivery",
    "asset_id": "asset",
    "channel_id": "channel",
    "client_id": "client",
    "conflict_id": "conflict",
    "entry_id": "failure",
    "errand_id": "errand",
    "feed_id": "feed",
    "helpdesk_id": "helpdesk",
    "invitation_id": "invitation",
    "offer_id": "offer",
    "organization_id": "organization",
    "passkey_id": "asset",
    "plan_id": "plan",
    "product_id": "product",
    "rule_id": "rule",
    "run_id": "run",
    "subscriber_id": "subscriber",
    "test_id": "test",
    "ticket_id": "ticket",
    "title_id": "title",
    "token_id": "token",
    "user_id": "member",
    "view_id": "view",
    "watch_id": "watch",
    "window_id": "window",
}
"""Parameter of a route -> what it names. A route with another one must be listed here."""

WORDS = {
    **{
        "list_name": "assets",
        "kind": "devices",
        "field": "name",
        "handle": "nobodys",
        "token": "nobodys",
        "code": "nobodys" * 7,
    },
    "number": 1,
    "channel_kind": "http",
    "helpdesk_kind": "rt",
}
"""Parameters that name nobody's row."""

NO_TENANT = {
    "api_notices",
    *("static", "health", "help", "webhooks"),
    "api_saved_views",
    *("auth", "second_step", "second_factors", "passkeys", "browsers", "places"),
    "calendars",  # of the link's tenant: see tests/windows/test_feeds.py
    *("api_openapi", "api_clients", "api_organizations", "api_assets", "api_alerts"),
    *(
        "api_software",
        "api_runs",
        "api_audit",
        "api_windows",
        "api_rules",
        "api_channels",
        "api_tickets",
    ),  # of the token's tenant: see tests/api
    "acknowledge",  # of the link's tenant: see tests/alerts/test_links.py
    "sso",
}
"""Blueprints outside `/t/<slug>`; of `sso`, the pages there are for whoever is not signed in."""


def tenant_rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        area = rule.endpoint.partition(".")[0]
        if area not in NO_TENANT:
            assert rule.rule.startswith("/t/<slug>/"), f"{rule} stands outside its tenant"
            yield rule


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"})


def address(rule: Rule, slug: str, ids: Place) -> str:
    values: dict[str, object] = {"slug": slug}
    for name in rule.arguments - {"slug"}:
        assert name in IDS or name in WORDS, f"List {name} of {rule} in this test."
        values[name] = WORDS.get(name) or getattr(ids, IDS[name])
    built = rule.build(values)
    assert built
    return built[1]


@pytest.fixture
def other(app: Flask) -> Place:
    """Another tenant. Ids run on, so none of its own is one of acme's."""
    return make_place(app, "other")


def test_every_tenant_route_declares_a_permission(app: Flask) -> None:
    assert [
        rule.endpoint
        for rule in tenant_rules(app)
        if not isinstance(
            getattr(app.view_functions[rule.endpoint], "permission", None), Permission
        )
    ] == []


def test_foreign_ids_are_not_there(
    app: Flask, owner: FlaskClient, acme: Place, other: Place
) -> None:
    before = rows_of(app, other)
    for headers in ({}, HTMX):
        assert set(open_foreign(app, owner, acme.slug, other, headers).values()) == {404}
    assert rows_of(app, other) == before


@pytest.mark.one_database
@pytest.mark.parametrize("role", [Role.VIEWER, Role.TECHNICIAN, Role.ADMIN])
def test_nor_are_they_in_other_roles(
    app: Flask, http: FlaskClient, acme: Place, other: Place, role: Role
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, f"{role}@acme.example", acme, role=role))
    before = rows_of(app, other)
    answers = open_foreign(app, http, acme.slug, other)
    assert {404} <= set(answers.values()) <= {403, 404}, answers  # the role is asked first
    assert rows_of(app, other) == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OWNER])
def test_a_foreign_tenant_is_not_there(
    app: Flask, http: FlaskClient, acme: Place, other: Place, role: Role
) -> None:
    """Whatever somebody is at home, none of its routes is there."""
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, f"{role}@acme.example", acme, role=role))
    seen = []
    for rule in tenant_rules(app):
        for method in methods(rule):
            answer = http.open(address(rule, other.slug, other), method=method)
            if answer.status_code != 404:
                seen.append((rule.endpoint, method, answer.status_code))
    assert seen == []


def open_foreign(
    app: Flask, http: FlaskClient, slug: str, other: Place, headers: Mapping[str, str] | None = None
) -> dict[str, int]:
    """The answers of every route of our tenant that names a row, to another one's row."""
    return {
        f"{method} {rule.endpoint}": http.open(
            address(rule, slug, other), method=method, headers=headers
        ).status_code
        for rule in tenant_rules(app)
        if rule.arguments & set(IDS)
        for method in methods(rule)
    }


def rows_of(app: Flask, place: Place) -> Dump:
    with app.app_context():
        return dump(place.id, looks=True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("assets/?client_id={other.client}", 404),
        ("assets/export.csv?client_id={other.client}", 200),
        ("assets/?q=other", 200),
        ("clients/?q=other", 200),
        ("clients/picker?q=other", 200),
        ("organizations/?q=other", 200),
        ("sync-runs/", 200),
        ("alerts/?q=other", 200),
        ("software/?q=other&show=all", 200),
        ("software/export.csv?show=all", 200),
        ("alerts/export.csv", 200),
        ("organizations/export.csv", 200),
        ("tickets/export.csv?state=any", 200),
        ("tickets/?q=other&state=any", 200),
        ("deliveries/?q=other", 200),
        ("activity/?q=other", 200),
        ("integrations/events/", 200),
        ("users/", 200),
    ],
)
def test_filters_reach_no_further(
    owner: FlaskClient, acme: Place, other: Place, path: str, status: int
) -> None:
    answer = owner.get(acme.url(path.format(other=other)))

    assert answer.status_code == status
    assert "Other " not in answer.text
    assert "other-pc" not in answer.text
    assert "@other.example" not in answer.text


@pytest.mark.parametrize("action", ["client", "suggestion"])
def test_an_organization_is_not_mapped_to_a_foreign_client(
    admin: FlaskClient, acme: Place, other: Place, action: str
) -> None:
    answer = admin.post(
        acme.url(f"organizations/{acme.organization}/{action}"),
        data={"client_name": "", "client_id": other.client},
        headers=HTMX,
    )

    assert answer.status_code in (404, 422)
    assert "Other Client" not in answer.text


def test_nor_is_a_foreign_organization_touched_among_many(
    app: Flask, admin: FlaskClient, acme: Place, other: Place
) -> None:
    for action in ("create", "ignore", "unmap", "assign"):
        data = {"action": action, "organization": other.organization, "client_id": acme.client}
        answer = admin.post(acme.url("organizations/many"), data=data, headers=HTMX)
        assert "Other " not in answer.text + answer.headers["HX-Trigger"]
    with app.app_context(), tenant_scope(other.id):
        row = db.session.get_one(OrganizationMapping, other.organization)
        assert (row.client_id, row.ignored) == (other.client, False)


def test_signed_out_everything_leads_to_the_sign_in(
    app: Flask, http: FlaskClient, acme: Place
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    for rule in tenant_rules(app):
        for method in methods(rule):
            answer = http.open(address(rule, acme.slug, acme), method=method)
            assert answer.status_code == 302, rule
            assert answer.location.startswith("/sign-in"), rule


def test_a_user_of_several_tenants_switches(
    app: Flask, http: FlaskClient, acme: Place, other: Place
) -> None:
    sign_in(app, http, make_user(app, "both@example.com", acme, other))

    assert http.get("/").location == "/tenants"
    choice = http.get("/tenants").text
    assert '"/t/acme/"' in choice
    assert '"/t/other/"' in choice
    for place, name in ((acme, "acme-pc"), (other, "other-pc"), (acme, "acme-pc")):
        page = http.get(place.url("assets/")).text
        assert name in page
        assert f'href="/t/{place.slug}/clients/"' in page


def test_a_user_of_one_tenant_begins_there(admin: FlaskClient) -> None:
    assert admin.get("/").location == "/t/acme/"


def test_a_role_that_is_taken_away_ends_at_once(app: Flask, http: FlaskClient, acme: Place) -> None:
    sign_in(app, http, make_user(app, "nobody@example.com"))

    assert http.get(acme.url()).status_code == 404
    assert "is not a member of any tenant" in http.get("/tenants").text
