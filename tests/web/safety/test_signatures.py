"""What the portal signs for browsers."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.services.accounts.users import add_user
from tests.web.conftest import csrf_token
from tests.web.world import Place

EMAIL, PASSWORD = "anna@acme.example", "correct horse battery"


@pytest.mark.one_database
def test_nothing_is_signed_by_sha_1(
    app: Flask, http: FlaskClient, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")

    def refuse(*_args: object, **_options: object) -> None:
        raise AssertionError("SHA-1")

    monkeypatch.setattr(hashlib, "sha1", refuse)
    form = {"email": EMAIL, "password": PASSWORD}
    form["csrf_token"] = csrf_token(http.get("/sign-in").text)

    assert http.post("/sign-in", data=form).location == "/"

    assert http.get(acme.url()).status_code == 200
    assert http.get_cookie("portal") is not None
