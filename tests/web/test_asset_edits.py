"""Editing an asset by hand from its page."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.scope import tenant_scope
from portal.services.assets.edits import list_locked
from portal.services.assets.listing import get_asset
from tests.web.world import Place

pytestmark = pytest.mark.one_database


def test_an_edit_is_saved_locked_and_released(app: Flask, admin: FlaskClient, acme: Place) -> None:
    page = admin.get(acme.url(f"assets/{acme.asset}/edit"))
    assert page.status_code == 200
    sent = {"name": "Front desk", "asset_type": "server", "client_id": str(acme.client)}
    answer = admin.post(acme.url(f"assets/{acme.asset}/edit"), data=sent, follow_redirects=True)
    assert "Front desk" in answer.text
    assert "Edited by hand" in answer.text
    with app.app_context(), tenant_scope(acme.id):
        assert list_locked(get_asset(acme.asset)) == ["name", "asset_type"]

    answer = admin.post(acme.url(f"assets/{acme.asset}/release/name"), follow_redirects=True)
    assert "Released" in answer.text
    with app.app_context(), tenant_scope(acme.id):
        assert list_locked(get_asset(acme.asset)) == ["asset_type"]


def test_a_mistake_keeps_what_was_typed(admin: FlaskClient, acme: Place) -> None:
    sent = {"name": "", "description": "the old one", "client_name": "nobody"}
    answer = admin.post(acme.url(f"assets/{acme.asset}/edit"), data=sent)
    assert answer.status_code == 422
    assert "the old one" in answer.text
    assert "There is no client named nobody." in answer.text
