"""From one asset of a list to the next, in every order that a list has."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from portal.clock import utc_now
from portal.db import transaction
from portal.models import Client
from portal.scope import tenant_scope
from portal.services.assets.listing import AssetFilter, get_asset, list_assets
from portal.services.assets.neighbours import find_neighbours
from portal.services.assets.ordering import SORTABLE, STATUS
from portal.services.integrations.current import get_integration
from tests.web.world import Place, make_asset, make_place

pytestmark = pytest.mark.mainly("postgresql")

LONG_AGO = utc_now() - timedelta(days=9)
FLEET = 9
SORTS = [f"{sign}{word}" for word in (*SORTABLE, STATUS) for sign in ("", "-")]


@pytest.fixture
def fleet(app: Flask) -> Place:
    """Assets that are equal in most ways, and of which some know nothing; and a neighbour's."""
    place, _neighbour = make_place(app), make_place(app, "other")
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        other = Client(name="Another client")
        session.add(other)
        session.flush()
        for number in range(FLEET):
            client = (place.client, other.id)[number % 2]
            asset = make_asset(get_integration().id, client, f"pc-{number // 3}")
            asset.rmm_device_id = f"agent {number}"
            asset.site_name = (None, "HQ", "Branch")[number % 3]
            asset.current_user = None if number % 2 else "anna"
            asset.os_version = ("10", None)[number % 2]
            asset.last_seen_at = None if number == 4 else utc_now() - timedelta(hours=number % 4)
            asset.asset_type = ("server", "workstation")[number % 2]
            asset.agent_status = ("online", "offline", "overdue")[number % 3]
            asset.status_at = LONG_AGO if number % 4 == 0 else utc_now()
            session.add(asset)
    return place


def test_each_leads_to_the_one_after_it_and_back(app: Flask, fleet: Place) -> None:
    with app.app_context(), tenant_scope(fleet.id):
        for sort in SORTS:
            shown = AssetFilter(search="pc", sort=sort)
            ids = [asset.id for asset in list_assets(shown).items]
            assert len(ids) == FLEET + 1
            found = [find_neighbours(get_asset(each), shown, LONG_AGO) for each in ids]
            assert [each.next for each in found] == [*ids[1:], None], sort
            assert [each.previous for each in found] == [None, *ids[:-1]]
            places = [(place, len(ids)) for place in range(1, len(ids) + 1)]
            assert [(each.place, each.total) for each in found] == places


def test_one_that_left_the_list_leads_to_those_beside_its_place(app: Flask, fleet: Place) -> None:
    shown = AssetFilter(asset_type="server")
    with app.app_context(), tenant_scope(fleet.id):
        servers = [asset.id for asset in list_assets(shown).items]
        with transaction():
            get_asset(servers[2]).asset_type = "workstation"
        left = find_neighbours(get_asset(servers[2]), shown, LONG_AGO)
    assert (left.previous, left.next) == (servers[1], servers[3])
    assert (left.place, left.total) == (None, len(servers) - 1)
