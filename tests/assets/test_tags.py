"""Tags: put on assets, found by, exported; one at a time or many."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import transaction
from portal.models import Asset
from portal.scope import limited_to, tenant_scope
from portal.services.assets import tags
from portal.services.assets.choosing import Chosen
from portal.services.assets.listing import AssetFilter, list_assets
from portal.services.assets.tags import Tagged
from portal.services.assets.words import list_filter_words
from portal.services.export import export_assets
from tests.web.conftest import HTMX, acme, admin
from tests.web.world import Place, make_asset

__all__ = ["acme", "admin"]


def add_twin(place: Place) -> int:
    with transaction() as session:
        first = session.get_one(Asset, place.asset)
        twin = make_asset(first.integration_id, place.client, "acme-twin", maintenance_mode=True)
        session.add(twin)
        session.flush()
        return twin.id


def test_tags_are_put_on_many_and_found_by(app: Flask, admin: FlaskClient, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id):
        twin = add_twin(acme)
        assert tags.add_tag(Chosen(shown=AssetFilter()), "  Off  SITE ") == Tagged("off-site", 2)
        assert tags.add_tag(Chosen([acme.asset, twin]), "off-site") == Tagged("off-site", 0)
        assert tags.remove_tag(Chosen([acme.asset]), "OFF-SITE") == Tagged("off-site", 1)
        assert [each.id for each in list_assets(AssetFilter(tag="off-site")).items] == [twin]
        assert list_filter_words().tags == ["off-site"]
        row = next(export_assets(Chosen(shown=AssetFilter(tag="off-site", in_maintenance=True))))
        assert (row["name"], row["tags"], row["maintenance_mode"]) == (
            *("acme-twin", ["off-site"]),
            True,
        )
    page = admin.get(acme.url("assets/?tag=off-site")).get_data(as_text=True)
    assert ("acme-twin" in page, "acme-pc" in page) == (True, False)
    page = admin.get(acme.url("assets/?maintenance=yes")).get_data(as_text=True)
    assert ("acme-twin" in page, "acme-pc" in page) == (True, False)


@pytest.mark.one_database
def test_tags_are_put_on_from_the_page_of_an_asset(
    app: Flask, admin: FlaskClient, acme: Place
) -> None:
    back = acme.url(f"assets/{acme.asset}")
    form = {"asset": acme.asset, "tag": "Backup", "next": back}
    assert admin.post(acme.url("assets/tag"), data=form).location == back
    assert 'aria-label="Remove the tag backup"' in admin.get(back).get_data(as_text=True)
    admin.post(acme.url("assets/untag"), data=form)
    assert "Remove the tag" not in admin.get(back).get_data(as_text=True)
    for wrong, said in (("", "Enter a tag"), ("a,b", "no comma"), ("x" * 41, "at most 40")):
        answer = admin.post(
            acme.url("assets/tag"), data={**form, "tag": wrong}, follow_redirects=True
        )
        assert said in answer.get_data(as_text=True)
    scripted = admin.post(acme.url("assets/tag"), data=form, headers=HTMX)
    assert scripted.text.count("Remove the tag") == 1
    assert "Tagged 1 asset backup." in scripted.headers["HX-Trigger"]
    refused = admin.post(acme.url("assets/tag"), data=form | {"tag": "a,b"}, headers=HTMX)
    assert (refused.status_code, "no comma" in refused.headers["HX-Trigger"]) == (400, True)


@pytest.mark.one_database
def test_an_asset_has_at_most_twenty(app: Flask, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id):
        one = Chosen([acme.asset])
        for number in range(tags.MOST_TAGS):
            tags.add_tag(one, f"tag {number}")
        assert tags.add_tag(one, "more") == Tagged("more", 0, full=1)
        assert tags.add_tag(one, "tag 3") == Tagged("tag-3", 0)


def test_who_is_limited_tags_only_what_they_see(app: Flask, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id):
        with limited_to({acme.client + 1000}):
            assert tags.add_tag(Chosen([acme.asset]), "seen").changed == 0
        with limited_to({acme.client}):
            assert tags.add_tag(Chosen([acme.asset]), "seen").changed == 1
        with limited_to({acme.client + 1000}):
            assert list_filter_words().tags == []
            assert tags.remove_tag(Chosen([acme.asset]), "seen").changed == 0
