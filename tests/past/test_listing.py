"""The list of assets of a past day, page by page: what changed since stands among the rest."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Asset, AssetChange, Client
from portal.models.assets.change import ChangeAction
from portal.scope import tenant_scope
from portal.services.assets.listing import AssetFilter
from portal.services.lists import paging
from portal.services.past import listing
from portal.services.past.listing import export_past_assets, list_past_assets
from tests.web.world import make_asset, make_place

NOW = utc_now()
THEN = NOW - timedelta(days=3)
NAMES = ("beta", "Alpha", "ärger", "Zürich", "ALPHA", "_x", "Ärger", "zulu", "alpha", "Éclair")
AT_ONCE = 3


@pytest.fixture
def then(app: Flask, app_context: None, monkeypatch: pytest.MonkeyPatch) -> int:
    """The tenant. Every third asset was called something else, at another client and site, of two
    of which the sites differ in case alone; one came later."""
    for module in (listing, paging):
        monkeypatch.setattr(module, "PAGE_SIZE", AT_ONCE)
    acme = make_place(app)
    with tenant_scope(acme.id), transaction() as session:
        clients = [Client(name=name) for name in ("zeta GmbH", "Beta Ltd")]
        session.add_all(clients)
        session.flush()
        ids = [acme.client, *(client.id for client in clients)]
        integration_id = session.get_one(Asset, acme.asset).integration_id
        for n, name in enumerate(NAMES):
            asset = make_asset(integration_id, ids[n % 3], f"agent-{n}")
            asset.name, asset.site_name = name, (None, "Main", "main")[n % 3]
            asset.asset_type = ("workstation", "server")[n % 2]
            asset.created_at = THEN - timedelta(days=9)
            session.add(asset)
            session.flush()
            was = {"name": f"Alpha {n}", "client_id": ids[0], "site_name": "Cellar"}
            for column, before in was.items() if n % 3 == 1 else ():
                change = AssetChange(action=ChangeAction.UPDATED, column=column, before=before)
                change.asset_id, change.cause, change.at = asset.id, "schedule", NOW
                session.add(change)
        asset.created_at = NOW
        session.get_one(Asset, acme.asset).created_at = NOW
    return acme.id


def test_pages_are_those_of_one_list_in_every_order(app: Flask, then: int) -> None:
    with app.app_context(), tenant_scope(then):
        names = [row["name"] for row in export_past_assets(THEN, AssetFilter())]
        was = [f"Alpha {n}" for n in (1, 4, 7)]
        assert names == ["_x", "alpha", *was, "beta", "Zürich", "Ärger", "ärger"]
        for sort in ("name", "client", "site", "type"):
            for shown in (AssetFilter(sort=sort), AssetFilter(sort=f"-{sort}")):
                pages = [list_past_assets(THEN, shown, n, {}) for n in (1, 2, 3)]
                rows = [row for page in pages for _, row in page.page.items]
                assert rows == [*export_past_assets(THEN, shown)], shown.sort
                keys = [str(row[{"type": "asset_type", "site": "site_name"}.get(sort, sort)] or "")
                        for row in rows]  # fmt: skip
                if sort != "name":
                    assert keys == sorted(keys, key=str.lower, reverse=shown.sort[0] == "-")


def test_filters_ask_what_was(app: Flask, then: int) -> None:
    was = {f"Alpha {n}" for n in (1, 4, 7)}
    with app.app_context(), tenant_scope(then):
        client_ids = {
            row.name: row.id for row in db.session.execute(select(Client.id, Client.name))
        }
        for shown, names in (
            (AssetFilter(search="alpha"), {"alpha", *was}),
            (AssetFilter(site_name="Cellar"), was),
            (AssetFilter(asset_type="server", search="A"), {"Alpha 1", "Alpha 7"}),
            (AssetFilter(client_id=client_ids["Acme Client"]), {"beta", "Zürich", "Ärger", *was}),
            (AssetFilter(client_id=client_ids["zeta GmbH"]), set()),
            (AssetFilter(status="missing"), set()),
            (AssetFilter(status="online"), set()),
        ):
            pages = [list_past_assets(THEN, shown, n, {}) for n in (1, 2)][: 1 + (len(names) > 3)]
            listed = [row for page in pages for _, row in page.page.items]
            assert sorted(row["name"] for row in listed) == sorted(names), shown
            assert pages[0].by_type == Counter(row["asset_type"] for row in listed), shown
