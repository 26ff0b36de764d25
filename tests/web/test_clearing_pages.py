"""Removing what a mapping or the connection created, from the pages."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.world import Place

pytestmark = pytest.mark.one_database


def test_it_is_counted_confirmed_and_becomes_a_run(admin: FlaskClient, acme: Place) -> None:
    assert "organizations/created" in admin.get(acme.url("integrations/tacticalrmm/")).text
    page = admin.get(acme.url("organizations/created")).text
    assert "This removes the 1 asset" in page
    assert "You can undo it for 30 days" in page
    wrong = admin.post(acme.url("organizations/created"), data={"number": "7"})
    assert wrong.status_code == 422
    assert "Enter 1 to confirm." in wrong.text
    done = admin.post(acme.url("organizations/created"), data={"number": "1"})
    assert done.status_code == 302
    assert "/sync-runs/" in done.location
    assert admin.get(done.location).status_code == 200


def test_of_one_organization_and_of_none(admin: FlaskClient, acme: Place) -> None:
    name = admin.get(acme.url(f"organizations/{acme.organization}/created")).text
    assert "Remove what the mapping of" in name
    assert admin.get(acme.url("organizations/99999/created")).status_code == 404


def test_who_may_not_map_may_not_remove(viewer: FlaskClient, acme: Place) -> None:
    assert viewer.get(acme.url("organizations/created")).status_code == 403
    said = viewer.post(acme.url("organizations/created"), data={"number": "1"})
    assert said.status_code == 403
