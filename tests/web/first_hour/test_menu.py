"""The menu stands on every page of somebody who is signed in, and shows where they are."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.world import Place, make_place, make_user, sign_in

pytestmark = pytest.mark.one_database


def current(html: str) -> list[str]:
    """Of the menu, the entries that say that the page is theirs."""
    return re.findall(r'aria-current="\w+">.*?<span>([^<]+)</span>', html)


def leads_to(html: str, place: Place) -> bool:
    return f'href="{place.url("assets/")}" data-go="a"' in html


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("integrations/tacticalrmm/webhook/", ["Webhook"]),
        ("integrations/tacticalrmm/", ["Connection"]),
        ("deliveries/", ["Webhook calls"]),
        ("integrations/events/", ["Integrations"]),
    ],
)
def test_one_entry_is_the_present_one(
    admin: FlaskClient, acme: Place, path: str, entry: list[str]
) -> None:
    assert current(admin.get(acme.url(path)).text) == entry


def test_every_tab_of_an_asset_is_of_assets(admin: FlaskClient, acme: Place) -> None:
    for tab in ("", "/alerts", "/software", "/history"):
        assert current(admin.get(acme.url(f"assets/{acme.asset}{tab}")).text) == ["Assets"], tab


def test_account_and_errors_keep_the_menu(admin: FlaskClient, acme: Place, app: Flask) -> None:
    other = make_place(app, "other")
    for path in ("/account", "/nothing", acme.url("nothing"), acme.url("assets/999"), other.url()):
        answer = admin.get(path)
        assert answer.status_code == (200 if path == "/account" else 404)
        assert leads_to(answer.text, acme), path
        assert "Other" not in answer.text
    assert admin.get(acme.url("users/")).status_code == 403
    assert leads_to(admin.get(acme.url("users/")).text, acme)
    assert "data-go" not in app.test_client().get("/nothing").text


def test_of_several_tenants_the_menu_is_that_of_the_page_one_came_from(
    app: Flask, http: FlaskClient, acme: Place
) -> None:
    other = make_place(app, "other")
    sign_in(app, http, make_user(app, "both@acme.example", acme, other))
    came = {"Referer": f"http://localhost{other.url('alerts/')}"}
    assert leads_to(http.get("/account", headers=came).text, other)
    assert "data-go" not in http.get("/account").text
