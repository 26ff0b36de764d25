"""Lists that have nothing yet: how much waits in Tactical, and the button that brings it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import transaction
from portal.models import Client, Integration, OrganizationMapping
from portal.models.integrations.integration import IntegrationState
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from tests.web.safety.test_isolation import methods, tenant_rules
from tests.web.test_pages_in_browser import NO_PAGES
from tests.web.world import KEY, make_user, sign_in

pytestmark = pytest.mark.one_database


BUTTON = re.compile(r'<(?:a|button)[^>]*class="btn[^>]*>(.*?)</(?:a|button)>', re.DOTALL)


def assert_nothing_is_offered_twice(pages: Mapping[str, str]) -> None:
    """On one page, by buttons of the same words."""
    for path, page in pages.items():
        main = page.partition("<main")[2].partition("</main")[0]
        words = [re.sub("<[^>]+>", "", each).strip() for each in BUTTON.findall(main)]
        offered = [each for each in words if each]
        assert len(offered) == len(set(offered)), (path, offered)


def test_empty_lists_say_how_much_waits_and_bring_it(app: Flask, http: FlaskClient) -> None:
    with app.app_context():
        tenant = add_tenant("Globex IT", "globex")
    sign_in(app, http, make_user(app, "owner@globex.example", tenant, role="owner"))

    def read(path: str) -> str:
        return http.get(f"/t/globex/{path}").text

    paths = [
        rule.rule.removeprefix("/t/<slug>/")
        for rule in tenant_rules(app)
        if "GET" in methods(rule) and rule.arguments == {"slug"} and rule.endpoint not in NO_PAGES
    ]
    assert_nothing_is_offered_twice({path: read(path) for path in paths})
    for path in set(paths) - {"audit/", "search/"}:
        assert not re.search("export.csv|sync-runs/start", read(path).partition("<main")[2]), path

    for path in ("alerts/", "assets/", "software/", "organizations/"):
        page = read(path)
        assert "onnect your server first." in page, path
        assert "/t/globex/integrations/tacticalrmm/" in page.partition("<main")[2], path

    with app.app_context(), tenant_scope(tenant.id):
        save_connection(ConnectionSettings(base_url="https://api.example", api_key=KEY))
        with transaction() as session:
            integration = session.get_one(Integration, get_integration().id)
            integration.state = IntegrationState.ACTIVE
            integration.found_alerts, integration.found_agents = 48, 1
            integration.found_organizations = 3
    # The dashboard's heading has the syncs, of which the first is one of the first steps, too.
    assert_nothing_is_offered_twice({path: read(path) for path in paths if path})
    for path, words, button in (
        ("alerts/", "48 alerts wait in Tactical", "sync-runs/start/alerts"),
        ("assets/", "1 device waits in Tactical. Map at least", "organizations/"),
        ("software/", "Tactical has the lists of 1 agent.", "sync-runs/start/software"),
        ("organizations/", "3 clients wait in Tactical: sync", "organizations/sync"),
    ):
        page = read(path).partition("<main")[2]
        assert words in page, path
        assert f'"/t/globex/{button}"' in page, path

    with app.app_context(), tenant_scope(tenant.id), transaction() as session:
        session.add(client := Client(name="Initech"))
        session.flush()
        organization = OrganizationMapping(client_id=client.id, external_organization_id="1")
        organization.external_organization_name = "Initech"
        organization.integration_id = get_integration().id
        session.add(organization)
    page = read("assets/").partition("<main")[2]
    assert "1 device waits in Tactical, and organizations are mapped." in page
    assert "sync-runs/start/preview" in page
