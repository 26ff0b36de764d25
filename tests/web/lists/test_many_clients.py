"""Many clients at once, from the list: their assets tagged and read anew, auto-sync switched."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Asset, AssetTag, Client, OrganizationMapping, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.scope import tenant_scope
from tests.web.lists.test_many_assets import change, read
from tests.web.lists.test_undo import do, press
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_asset, sign_in

SWITCHES = (OrganizationMapping.external_organization_name, OrganizationMapping.auto_sync_assets)


@pytest.fixture
def globex(app: Flask, acme: Place) -> int:
    """A client with an asset, an organization that is synced, and one that is not."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration = session.get_one(Asset, acme.asset).integration_id
        client = Client(name="Globex")
        session.add(client)
        session.flush()
        session.add(make_asset(integration, client.id, "globex-pc"))
        session.add_all(
            OrganizationMapping(
                integration_id=integration,
                external_organization_id=f"globex-{on}",
                external_organization_name=f"Globex {on}",
                client_id=client.id,
                auto_sync_assets=on,
            )
            for on in (True, False)
        )
        return client.id


def test_the_assets_of_clients_are_tagged_and_undone(
    app: Flask, admin: FlaskClient, acme: Place, globex: int
) -> None:
    added = do(admin, acme, "clients/tag?q=GLOB", which="all", tag="Audit 2026")
    [(asset_id, tag)] = read(app, acme, AssetTag.asset_id, AssetTag.tag)
    assert (asset_id != acme.asset, tag) == (True, "audit-2026")
    both = {"client": [acme.client, globex], "tag": "audit-2026"}
    again = do(admin, acme, "clients/tag", **both)
    assert len(read(app, acme, AssetTag.asset_id)) == 2
    assert press(admin, again) == "Undone: tagged 1 asset audit-2026."
    assert press(admin, added) == "Undone: tagged 1 asset audit-2026."
    page = admin.post(acme.url("clients/tag"), data={"tag": "a"}, follow_redirects=True).text
    assert "Select at least one client." in page


def test_auto_sync_of_clients_is_switched_and_undone(
    app: Flask, admin: FlaskClient, acme: Place, globex: int
) -> None:
    before = read(app, acme, *SWITCHES)
    switched = do(admin, acme, "clients/auto-sync", client=globex, auto_sync="off")
    changed = {name: on for (name, on) in read(app, acme, *SWITCHES) if (name, on) not in before}
    assert changed == {"Globex True": False}
    assert press(admin, switched) == "Undone: turned auto-sync off for Globex True."
    assert read(app, acme, *SWITCHES) == before
    some = {"which": "all", "auto_sync": "on"}
    page = admin.post(acme.url("clients/auto-sync?q=globex"), data=some, follow_redirects=True)
    assert "Turned auto-sync on for Globex False." in page.text


@pytest.mark.one_database
def test_the_assets_of_clients_are_read_anew(
    app: Flask, admin: FlaskClient, acme: Place, globex: int
) -> None:
    """Of those that Tactical lists."""
    admin.post(acme.url("clients/refresh"), data={"client": [acme.client, globex]})
    title, kind = read(app, acme, SyncRun.title, SyncRun.kind)[-1]
    assert (title, kind) == ("Refresh of 2 assets", SyncKind.AGENTS)
    change(app, acme, missing_since=utc_now())
    page = admin.post(
        acme.url("clients/refresh"), data={"client": globex}, follow_redirects=True
    ).text
    assert "None of these assets is in the Tactical server" in page


@pytest.mark.one_database
def test_who_is_limited_acts_within_their_clients(
    app: Flask, http: FlaskClient, acme: Place, globex: int
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, limited_user(app, acme, globex))
    page = http.get(acme.url("clients/")).text
    assert "Tag assets" in page
    assert "Auto-sync" not in page
    http.post(acme.url("clients/tag"), data={"client": acme.client, "tag": "no"})
    http.post(acme.url("clients/tag"), data={"which": "all", "tag": "yes"})
    [(asset_id, tag)] = read(app, acme, AssetTag.asset_id, AssetTag.tag)
    assert (asset_id != acme.asset, tag) == (True, "yes")


@pytest.mark.one_database
def test_the_chosen_are_exported(admin: FlaskClient, acme: Place, globex: int) -> None:
    lines = admin.post(acme.url("clients/export.csv"), data={"client": globex}).text.splitlines()
    assert lines == ["client_id,client,assets,organizations", f"{globex},Globex,1,2"]
