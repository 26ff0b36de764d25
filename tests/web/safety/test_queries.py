"""What stands in the query of an address, or in a header, names no page and breaks none."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.world import Place, make_place, make_user, sign_in

pytestmark = pytest.mark.one_database

NAMES_OF_URL_FOR = ("_anchor", "_external", "_method", "_scheme", "endpoint", "slug", "self")
"""What `url_for` takes for its own, and what stands in the path."""

LISTS = (
    *("assets/", "alerts/", "software/", "deliveries/", "organizations/", "clients/"),
    *("sync-runs/", "activity/", "notices/", "tickets/"),
)


@pytest.fixture
def member_of_both(app: Flask, http: FlaskClient, acme: Place) -> FlaskClient:
    other = make_place(app, "other")
    sign_in(app, http, make_user(app, "both@acme.example", acme, other))
    return http


def pages(acme: Place) -> tuple[str, ...]:
    return (
        *LISTS,
        f"assets/{acme.asset}",
        f"assets/{acme.asset}/software",
        f"software/products/{acme.product}",
        f"tickets/{acme.ticket}",
    )


def addresses(html: str) -> list[str]:
    found = re.findall(r'(?:href|action|hx-get|hx-post|value)="(/t/[^"]*)"', html)
    return [unescape(each) for each in found]


@pytest.mark.parametrize("name", NAMES_OF_URL_FOR)
def test_no_argument_of_a_query_turns_a_link(
    member_of_both: FlaskClient, acme: Place, name: str
) -> None:
    for page in pages(acme):
        for value in ("other", "http", ""):
            answer = member_of_both.get(acme.url(page), query_string={name: value, "q": "x"})
            if answer.status_code == 404:
                pytest.fail(page)
            assert answer.status_code == 200, (page, name)
            links = [link for link in addresses(answer.text) if not link.endswith("/t/other/")]
            assert links
            assert [each for each in links if not each.startswith(f"/t/{acme.slug}/")] == []


@pytest.mark.parametrize("page", ["assets/", "alerts/", "software/", "organizations/", "tickets/"])
def test_a_list_as_a_file_is_that_of_the_page(
    member_of_both: FlaskClient, acme: Place, page: str
) -> None:
    query = "slug=other&q=a%26b%3Dc&status=online&status=offline"
    html = member_of_both.get(acme.url(page) + "?" + query).text
    exports = [link for link in addresses(html) if "export" in link or ".csv" in link]
    assert exports
    for link in exports:
        path, _, kept = link.partition("?")
        assert path.startswith(acme.url(page))
        assert "q=a%26b%3Dc" in kept
        assert "status=online&status=offline" in kept
        assert member_of_both.get(link).headers["Content-Disposition"].count("-acme-") == 1


BROKEN = ["http://[", "//[::1", "http://]/", "http://a[b]c/", "\udcff", "http://x/?q=%ff", "::::"]


@pytest.mark.parametrize("url", BROKEN)
def test_a_broken_address_of_the_page_breaks_nothing(
    admin: FlaskClient, http: FlaskClient, acme: Place, url: str
) -> None:
    for auto in ({}, {"HX-Current-URL-URI-AutoEncoded": "true"}):
        headers = {
            "HX-Request": "true",
            "HX-Current-URL": url.encode("latin-1", "replace").decode(),
        }
        row = acme.url(f"organizations/{acme.organization}")
        assert admin.post(row + "/unmap", headers=headers | auto).status_code == 200


@pytest.mark.parametrize("url", BROKEN)
def test_nor_does_it_for_who_is_signed_out(http: FlaskClient, acme: Place, url: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": url.encode("latin-1", "replace").decode()}
    answer = http.get(acme.url("assets/"), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/sign-in")
