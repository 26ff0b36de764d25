"""Retiring, restoring and deleting from the pages, without scripts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from portal.clock import utc_now
from portal.db import count_changed, db, transaction
from portal.models import Asset
from portal.scope import tenant_scope
from portal.services.assets.listing import EVERY, AssetFilter, list_assets
from portal.services.runs import execution
from tests.web.world import Place

pytestmark = pytest.mark.one_database


@pytest.fixture
def proposed(app: Flask, acme: Place) -> Place:
    """Its asset is proposed for retirement."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        old = {"missing_since": utc_now() - timedelta(days=60), "absent_runs": 9}
        count_changed(session, update(Asset).where(Asset.id == acme.asset).values(**old))
    return acme


def is_retired(app: Flask, place: Place) -> bool | None:
    """None once it is deleted."""
    with app.app_context(), tenant_scope(place.id):
        asset = db.session.get(Asset, place.asset)
        return None if asset is None else asset.retired_at is not None


def test_the_dashboard_leads_to_what_is_proposed(admin: FlaskClient, proposed: Place) -> None:
    page = admin.get(proposed.url("")).text
    assert "1 asset has not been in Tactical for 30 days." in page
    assert "status=proposed" in page
    shown = admin.get(proposed.url("assets/?status=proposed")).text
    assert "Proposed for retirement" in shown
    assert "Not in Tactical since" in shown
    assert f'name="asset" value="{proposed.asset}"' in shown


def test_one_is_retired_restored_and_deleted(
    app: Flask, owner: FlaskClient, proposed: Place
) -> None:
    chosen = {"asset": str(proposed.asset), "which": "chosen"}
    page = owner.post(proposed.url("assets/retire"), data=chosen, follow_redirects=True)
    assert "Retired " in page.text
    assert is_retired(app, proposed)
    shown = owner.get(proposed.url(f"assets/{proposed.asset}")).text
    assert "Restore" in shown
    assert "Retired since" in shown
    assert "Retired since" in owner.get(proposed.url("assets/?status=retired")).text
    owner.post(proposed.url("assets/restore"), data=chosen)
    assert is_retired(app, proposed) is False

    owner.post(proposed.url("assets/retire?status=proposed"), data={"which": "all"})
    assert is_retired(app, proposed) is False  # it was restored, and is proposed no more
    owner.post(proposed.url("assets/retire?status=missing"), data={"which": "all"})
    assert is_retired(app, proposed)
    asked = owner.post(proposed.url("assets/delete"), data=chosen)
    assert "cannot be undone" in asked.text
    wrong = owner.post(proposed.url("assets/delete"), data=chosen | {"number": "7"})
    assert (wrong.status_code, "Enter 1 to confirm" in wrong.text) == (422, True)
    assert is_retired(app, proposed)
    asked = owner.post(proposed.url("assets/delete"), data=chosen | {"number": "1"})
    again = owner.post(proposed.url("assets/delete"), data=chosen | {"number": "1"})
    assert again.location == asked.location  # one run, however often it is pressed
    assert "Waiting for a worker" in owner.get(asked.location).text
    with app.app_context(), tenant_scope(proposed.id):
        execution.run_queued(int(asked.location.rpartition("/")[2]))
    assert is_retired(app, proposed) is None
    assert " for good." in owner.get(asked.location).text


def test_many_are_left_to_a_worker_whose_progress_is_shown(
    app: Flask, owner: FlaskClient, proposed: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.assets.retirement.DONE_AT_ONCE", 0)
    for deed, title in (("retire", "Retired"), ("restore", "Restored")):
        chosen = {"asset": str(proposed.asset)}
        asked = owner.post(proposed.url(f"assets/{deed}"), data=chosen)
        again = owner.post(proposed.url(f"assets/{deed}"), data=chosen)
        assert again.location == asked.location
        assert "Waiting for a worker" in owner.get(asked.location).text
        assert is_retired(app, proposed) is (deed == "restore")
        with app.app_context(), tenant_scope(proposed.id):
            execution.run_queued(int(asked.location.rpartition("/")[2]))
        assert is_retired(app, proposed) is (deed == "retire")
        assert f"{title} " in owner.get(asked.location).text


def test_one_in_use_is_left_and_the_reason_told(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    for path in ("retire", "delete", "restore"):
        page = owner.post(
            acme.url(f"assets/{path}"), data={"asset": str(acme.asset)}, follow_redirects=True
        )
        assert "retired" in page.text
        nothing = owner.post(acme.url(f"assets/{path}"), data={}, follow_redirects=True)
        assert "Select at least one asset." in nothing.text
    assert is_retired(app, acme) is False


def test_a_viewer_may_not(app: Flask, viewer: FlaskClient, proposed: Place) -> None:
    for path in ("retire", "restore", "delete"):
        answer = viewer.post(proposed.url(f"assets/{path}"), data={"asset": str(proposed.asset)})
        assert answer.status_code == 403
    assert is_retired(app, proposed) is False


def test_the_page_of_the_connection_says_so_too(admin: FlaskClient, proposed: Place) -> None:
    page = admin.get(proposed.url("integrations/tacticalrmm/")).text
    assert "1 asset has not been in Tactical for 30 days" in page
    assert "assets/?status=proposed" in page


def test_a_retired_asset_is_shown_as_such_wherever_it_is(
    admin: FlaskClient, proposed: Place
) -> None:
    admin.post(proposed.url("assets/retire"), data={"asset": str(proposed.asset)})
    product = f"software/products/{proposed.product}?show=missing"
    for path in (f"assets/{proposed.asset}/software", product):
        page = admin.get(proposed.url(path)).text
        assert "Retired</span>" in page
        assert "Not in Tactical</span>" not in page
    assert "Retired</span>" in admin.get(proposed.url(f"alerts/{proposed.alert}")).text


def test_a_list_of_every_asset_counts_those_that_are_missing(app: Flask, proposed: Place) -> None:
    with app.app_context(), tenant_scope(proposed.id):
        page = list_assets(AssetFilter(status=EVERY))

    assert [asset.id for asset in page.items] == [proposed.asset]
    assert page.total == 1
