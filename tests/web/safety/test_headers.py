"""Security headers, caching, and the pages of errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from portal import create_app
from portal.config import Settings
from portal.db import db
from portal.services.accounts.users import add_user
from tests.web.conftest import HTMX
from tests.web.world import Place, make_user, sign_in

pytestmark = pytest.mark.one_database


def test_pages_may_load_and_send_to_this_site_only(admin: FlaskClient, acme: Place) -> None:
    for path in ("/livez", "/account", acme.url(), acme.url("nothing")):
        headers = admin.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["object-src"] == "'none'"
        assert headers["Referrer-Policy"] == "same-origin"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


def test_static_files_are_kept_by_their_hash_only(admin: FlaskClient, acme: Place) -> None:
    found = re.search(r'src="(/static/portal.js\?v=\w+)"', admin.get(acme.url()).text)
    assert found

    with admin.get(found.group(1)) as hashed, admin.get("/static/portal.js") as plain:
        assert "immutable" in hashed.headers["Cache-Control"]
        assert plain.headers["Cache-Control"] == "no-cache"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(http: FlaskClient) -> None:
    cookie = http.get("/sign-in").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_with_an_https_address_cookies_go_over_tls_only(
    app: Flask, settings: Settings, acme: Place
) -> None:
    with app.app_context():
        add_user("anna@acme.example", "correct horse battery", acme.slug, "admin")
    secure = create_app(replace(settings, public_url="https://localhost"))
    secure.config["WTF_CSRF_ENABLED"] = False
    words = {"email": "anna@acme.example", "password": "correct horse battery"}
    answer = secure.test_client().post("/sign-in", base_url="https://localhost", data=words)
    with secure.app_context():
        db.engine.dispose()

    device, session = sorted(answer.headers.getlist("Set-Cookie"))
    assert session.startswith("__Host-portal=")
    assert device.startswith("__Host-portal-device-")
    assert "Secure" in session
    assert "Secure" in device
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.fixture
def broken(settings: Settings, app: Flask, acme: Place) -> Iterator[FlaskClient]:
    """Of an application of its own with routes that fail, errors answered as in real life."""

    def fail(kind: str) -> str:
        if kind == "database":
            raise OperationalError("SELECT", {}, Exception("a secret of the driver"))
        if kind == "mistake":
            raise RuntimeError("a secret of ours")
        abort(int(kind))

    failing = create_app(settings)
    failing.add_url_rule("/fail/<kind>", view_func=fail)
    http = failing.test_client()
    sign_in(app, http, make_user(app, "admin@acme.example", acme))
    yield http
    with failing.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(
    ("kind", "status", "title"),
    [
        ("400", 400, "The portal could not use this request"),
        ("403", 403, "You do not have permission to do this"),
        ("404", 404, "Page not found"),
        ("413", 413, "The request is too large"),
        ("418", 418, "The portal could not use this request"),
        ("429", 429, "Too many attempts"),
        ("mistake", 500, "Something went wrong in the portal"),
        ("database", 503, "The portal is not ready"),
    ],
)
def test_errors_have_a_page_that_says_what_to_do(
    broken: FlaskClient, kind: str, status: int, title: str
) -> None:
    page = broken.get(f"/fail/{kind}")
    region = broken.get(f"/fail/{kind}", headers=HTMX)

    assert page.status_code == region.status_code == status
    assert f"<h1>{title}</h1>" in page.text
    assert 'class="btn btn-primary" href=' in page.text  # the step that most take
    assert "secret" not in page.text
    assert region.text == ""
    assert region.headers["HX-Reswap"] == "none"
    assert '"category": "error"' in region.headers["HX-Trigger"]
    assert "secret" not in region.headers["HX-Trigger"]


def test_each_answer_says_what_it_is_and_in_which_letters(admin: FlaskClient, acme: Place) -> None:
    for path, kind in (
        (acme.url(), "text/html; charset=utf-8"),
        (acme.url("nothing"), "text/html; charset=utf-8"),
        (acme.url("assets/export.csv"), "text/csv; charset=utf-8"),
        (acme.url("clients/picker"), "application/json"),
        ("/static/portal.js", "text/javascript; charset=utf-8"),
    ):
        with admin.get(path) as answer:
            assert answer.headers["Content-Type"] == kind, path


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH"])
def test_methods_that_nothing_needs_are_refused(
    admin: FlaskClient, acme: Place, method: str
) -> None:
    assert admin.open(acme.url(), method=method).status_code == 405


def test_files_are_named_by_the_portal(admin: FlaskClient, acme: Place) -> None:
    answer = admin.get(acme.url('assets/export.csv?q="%0d%0aX: y'))
    assert re.fullmatch(
        r'attachment; filename="assets-acme-[\d-]{10}\.csv"', answer.headers["Content-Disposition"]
    )


def test_a_page_that_takes_forms_only_says_so(admin: FlaskClient, acme: Place) -> None:
    answer = admin.get(acme.url("organizations/exact"))

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "cannot be opened that way" in answer.text


def test_a_body_that_is_too_large_is_refused(admin: FlaskClient, acme: Place) -> None:
    answer = admin.post(acme.url("clients/new"), data={"name": "x" * 2_000_000})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "path", ["assets/{}", "clients/{}", "sync-runs/{}", "assets/?client_id={}"]
)
@pytest.mark.parametrize("number", ["0", "99999999999999999999", "9" * 400, "-1"])
def test_numbers_that_are_no_ids_are_not_there(
    admin: FlaskClient, acme: Place, path: str, number: str
) -> None:
    answer = admin.get(acme.url(path.format(number)))
    assert answer.status_code == 404
    is_address = "?" in path or number == "0"
    assert ("Back to the list" in answer.text) == is_address


@pytest.mark.parametrize("path", ["assets/?q=a%00b", "clients/?page=x", "assets/?page=-3&sort=no"])
def test_odd_addresses_do_no_harm(admin: FlaskClient, acme: Place, path: str) -> None:
    assert admin.get(acme.url(path)).status_code == (400 if "%00" in path else 200)


def test_health(http: FlaskClient) -> None:
    assert http.get("/livez").json == http.get("/readyz").json == {"status": "ok"}
