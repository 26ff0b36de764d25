"""Watches of software: made from a product's page, listed, switched off, removed."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.world import Place

pytestmark = pytest.mark.one_database


def test_a_watch_is_made_with_what_was_asked_of_the_product(
    admin: FlaskClient, acme: Place
) -> None:
    product = acme.url(f"software/products/{acme.product}")
    asked = f"older_than=1.3&amp;client_id={acme.client}"
    assert f"{product}/watch?{asked}" in admin.get(f"{product}?{asked.replace('&amp;', '&')}").text
    form = admin.get(f"{product}/watch?{asked.replace('&amp;', '&')}").text
    assert 'value="1.3"' in form
    assert "Acme Client" in form

    refused = admin.post(f"{product}/watch", data={"older_than": "soon", "client_name": "x"})
    assert refused.status_code == 422
    assert "Choose the client from the list of clients." in refused.text
    refused = admin.post(f"{product}/watch", data={"older_than": "soon"})
    assert "This is not a version." in refused.text
    assert 'value="soon"' in refused.text

    made = admin.post(f"{product}/watch", data={"older_than": "1.3", "client_id": acme.client})
    page = admin.get(made.location).text
    assert "Acme Suite older than 1.3" in page
    assert "At Acme Client, 1 asset matches now" in page
    assert acme.url(f"assets/{acme.asset}/software") in page
    assert "2 software watches match now." in admin.get(acme.url()).text


def test_a_watch_is_switched_off_and_removed(admin: FlaskClient, acme: Place) -> None:
    page, index = acme.url(f"software/watches/{acme.watch}"), acme.url("software/watches/")
    assert "Acme Suite older than 2.0" in admin.get(index).text
    admin.post(f"{page}/switch", data={"on": ""})
    assert "Nothing matches it until it is switched on again." in admin.get(page).text
    assert "software watch matches" not in admin.get(acme.url()).text
    admin.post(f"{page}/switch", data={"on": "1"})
    assert "1 asset matches now" in admin.get(page).text
    assert "1 software watch matches now." in admin.get(acme.url()).text
    removed = admin.post(f"{page}/remove", follow_redirects=True).text
    assert "Removed the watch for Acme Suite older than 2.0." in removed
    assert "No watches yet" in removed
    assert admin.get(page).status_code == 404
