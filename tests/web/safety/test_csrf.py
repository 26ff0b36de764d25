"""Every form and every htmx call proves that it comes from our own page."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import HTMX, csrf_token
from tests.web.safety.test_isolation import address, methods
from tests.web.world import Place, make_user, sign_in

BY_SECRET = {"webhooks.receive", "webhooks.take_hint", "acknowledge.show", "acknowledge.do"}
"""Whoever calls them proves by a secret that they may: Tactical's, or the address itself."""


@pytest.mark.one_database
def test_without_a_token_nothing_is_changed(app: Flask, http: FlaskClient, acme: Place) -> None:
    sign_in(app, http, make_user(app, "admin@acme.example", acme))
    answers = {}
    for rule in app.url_map.iter_rules():
        for method in methods(rule):
            if method != "GET" and rule.endpoint not in BY_SECRET:
                answer = http.open(address(rule, acme.slug, acme), method=method)
                answers[f"{method} {rule.endpoint}"] = answer.status_code
    assert len(answers) > 15
    assert set(answers.values()) == {400}, answers


@pytest.mark.one_database
def test_htmx_sends_the_token_of_the_page(app: Flask, http: FlaskClient, acme: Place) -> None:
    sign_in(app, http, make_user(app, "admin@acme.example", acme))
    url = acme.url(f"organizations/{acme.organization}/auto-sync")
    token = csrf_token(http.get(acme.url()).text)

    assert http.post(url, headers=HTMX).status_code == 400
    refused = http.post(url, headers=HTMX | {"X-CSRFToken": "x" + token})
    assert refused.status_code == 400
    assert "open for too long" in refused.headers["HX-Trigger"]
    assert http.post(url, headers=HTMX | {"X-CSRFToken": token}).status_code == 200
