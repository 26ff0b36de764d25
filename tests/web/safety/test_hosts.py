"""Pages are given by trusted names only; a redirect stays on the host that was asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.config import read_settings
from tests.web.world import Place

EVERYWHERE = "0.0.0.0"  # noqa: S104  # only a name here

pytestmark = pytest.mark.one_database


def ask(http: FlaskClient, host: str, path: str = "/sign-in") -> int:
    return http.get(path, headers={"Host": host}).status_code


def trust(app: Flask, **environ: str) -> None:
    hosts = read_settings(environ).trusted_hosts
    app.extensions["settings"] = replace(app.extensions["settings"], trusted_hosts=hosts)


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:80"])
def test_a_portal_is_always_known_on_its_own_machine(http: FlaskClient, host: str) -> None:
    assert ask(http, host) != 400


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:5000", "127.0.0.1.evil.example", "localhost.evil.example"),
        *("10.0.0.1", "[::2]", "a b", "[", "localhost@evil.example", "evil.example#localhost", "."),
    ],
)
@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/static/css/portal.css", "/t/acme"])
def test_any_other_name_gets_no_page(http: FlaskClient, host: str, path: str) -> None:
    assert ask(http, host, path) == 400


def test_the_refusal_says_which_setting_to_change(http: FlaskClient) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = http.get("/sign-in", headers={"Host": "evil.example", **headers})
        shown = answer.text + answer.headers.get("HX-Trigger", "")
        assert "evil.example" in shown
        assert "PORTAL_PUBLIC_URL or PORTAL_TRUSTED_HOSTS" in shown


def test_public_address_bound_address_and_listed_names_are_trusted(
    app: Flask, http: FlaskClient
) -> None:
    trust(
        app,
        PORTAL_PUBLIC_URL="https://Portal.example.com:8443",
        PORTAL_HOST="10.1.2.3",
        PORTAL_TRUSTED_HOSTS="rmm.example.org, .example.net MÜNCHEN.example [2001:DB8::1]",
    )
    for host in (
        *("portal.example.com", "PORTAL.EXAMPLE.COM:8443", "10.1.2.3:5000", "rmm.example.org."),
        *("a.example.net", "b.a.example.net", "xn--mnchen-3ya.example", "[2001:db8::1]:5000"),
    ):
        assert ask(http, host) != 400, host
    for host in ("example.com", "example.net", "a-example.net", EVERYWHERE):
        assert ask(http, host) == 400, host


def test_listening_everywhere_trusts_not_everything(app: Flask, http: FlaskClient) -> None:
    trust(app, PORTAL_HOST=EVERYWHERE)
    assert ask(http, EVERYWHERE) == ask(http, "10.1.2.3") == 400


def test_deliveries_and_probes_come_by_any_name(http: FlaskClient) -> None:
    headers = {"Host": "whatever.example"}
    assert http.post("/api/webhooks/tacticalrmm", headers=headers).status_code == 401
    assert ask(http, "10.0.0.7:5000", "/livez") == 200
    assert ask(http, "10.0.0.7:5000", "/readyz") in (200, 503)


@pytest.mark.parametrize("path", ["assets", "software", "/assets"])
def test_a_redirect_to_the_slash_names_no_host(admin: FlaskClient, acme: Place, path: str) -> None:
    page = acme.url(path) + "?q=a%26b"
    answer = admin.get(page, headers={"Host": "127.0.0.1:1"})
    assert answer.status_code == 308
    assert answer.headers["Location"] == acme.url(path.strip("/")) + "/?q=a%26b"
    assert "127.0.0.1" not in answer.text
