"""Many assets at once, from the list: given to a client, read anew, exported, retired; and back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Asset, AssetChange, AuditEntry, Client, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.scope import tenant_scope
from portal.services.assets import refreshing
from tests.web.lists.test_undo import do, press
from tests.web.safety.neighbour import limited_user
from tests.web.world import Place, make_asset, sign_in

NUMBER = 3


@pytest.fixture
def globex(app: Flask, acme: Place) -> int:
    """A client; Acme Client has two more servers."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration = session.get_one(Asset, acme.asset).integration_id
        session.add_all(make_asset(integration, acme.client, f"srv-{n}") for n in range(NUMBER - 1))
        client = Client(name="Globex")
        session.add(client)
        session.flush()
        return client.id


def read(app: Flask, place: Place, *columns: Any) -> list[Any]:
    with app.app_context(), tenant_scope(place.id):
        return [tuple(row) for row in db.session.execute(select(*columns).order_by(columns[0]))]


def change(app: Flask, place: Place, **values: Any) -> None:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        session.execute(update(Asset).values(**values))


def test_all_that_match_go_to_a_client_and_come_back(
    app: Flask, admin: FlaskClient, acme: Place, globex: int
) -> None:
    offer = do(admin, acme, "assets/move", which="all", client_name="globex")
    assert {row[1:] for row in read(app, acme, Asset.id, Asset.client_id, Asset.client_locked)} == {
        (globex, True)
    }
    with app.app_context(), tenant_scope(acme.id):
        newest = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1)
        row = db.session.scalars(newest).one()
        assert (row.action, row.after) == ("asset.edited", {"client": "Globex", "assets": NUMBER})
        edits = select(func.count(AssetChange.id)).where(AssetChange.column == "client_id")
        assert db.session.scalar(edits) == NUMBER

    do(admin, acme, "assets/move", asset=acme.asset, client_id=acme.client)  # by somebody, since
    said = press(admin, offer, acme.url("assets/"))
    assert said == "Undone: gave 2 assets to Globex. 1 asset was changed since and stays as it is."
    found = read(app, acme, Asset.id, Asset.client_id, Asset.client_locked)
    assert [row[1:] for row in found] == [
        (acme.client, True),  # as that somebody wants it
        *[(acme.client, False)] * 2,
    ]
    assert not do(admin, acme, "assets/move", asset=acme.asset, client_id=acme.client)
    page = admin.post(acme.url("assets/move"), data={"asset": acme.asset}, follow_redirects=True)
    assert "Choose the client that the assets go to." in page.text


def test_retiring_and_restoring_are_undone(
    app: Flask, admin: FlaskClient, acme: Place, globex: int
) -> None:
    change(app, acme, missing_since=utc_now())
    retired = do(admin, acme, "assets/retire?status=missing", which="all")
    assert {row[1] is None for row in read(app, acme, Asset.id, Asset.retired_at)} == {False}
    since = read(app, acme, Asset.id, Asset.retired_at)
    assert press(admin, retired) == "Undone: retired 3 assets."
    assert {row[1] for row in read(app, acme, Asset.id, Asset.retired_at)} == {None}

    do(admin, acme, "assets/retire?status=missing", which="all")
    again = read(app, acme, Asset.id, Asset.retired_at)
    restored = do(admin, acme, "assets/restore", asset=acme.asset)
    assert press(admin, restored).startswith("Undone: restored ")
    assert read(app, acme, Asset.id, Asset.retired_at) == again != since


@pytest.mark.one_database
def test_a_few_are_read_one_by_one_and_more_with_all(
    app: Flask, admin: FlaskClient, acme: Place, globex: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [row[0] for row in read(app, acme, Asset.id)][:2]
    admin.post(acme.url("assets/refresh"), data={"asset": chosen})
    admin.post(acme.url("assets/refresh"), data={"asset": chosen[:1]})
    monkeypatch.setattr(refreshing, "MOST_RETRIED", 2)
    page = admin.post(acme.url("assets/refresh"), data={"which": "all"}, follow_redirects=True)
    assert "all of Tactical&#39;s agents are being read anew" in page.text
    kinds = [row[1] for row in read(app, acme, SyncRun.id, SyncRun.kind)][1:]
    assert kinds == [SyncKind.AGENTS, SyncKind.AGENT, SyncKind.DEVICES]


@pytest.mark.one_database
def test_who_is_limited_acts_within_their_clients(
    app: Flask, http: FlaskClient, acme: Place, globex: int
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, limited_user(app, acme, globex))
    change(app, acme, missing_since=utc_now())
    for path in ("move", "retire", "refresh", "export.csv"):
        http.post(acme.url(f"assets/{path}"), data={"asset": acme.asset, "client_id": globex})
        http.post(acme.url(f"assets/{path}"), data={"which": "all", "client_id": globex})
    found = read(app, acme, Asset.client_id, Asset.retired_at)
    assert found == [(acme.client, None)] * NUMBER


@pytest.mark.one_database
def test_the_chosen_are_exported(admin: FlaskClient, acme: Place, globex: int) -> None:
    data = {"asset": acme.asset}
    lines = admin.post(acme.url("assets/export.csv"), data=data).text.strip().splitlines()
    assert len(lines) == 2
    assert "acme-pc" in lines[1]
    page = admin.post(acme.url("assets/export.csv"), follow_redirects=True).text
    assert "Select at least one asset." in page
