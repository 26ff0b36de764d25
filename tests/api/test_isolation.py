"""Every address of the API answers the token's tenant, and nothing of another one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits import parse
from werkzeug.routing import Rule

from portal.services.api import rate
from portal.services.api.tokens import Scope
from tests.api.conftest import PREFIX, Reader, make_reader
from tests.web.safety.test_isolation import address
from tests.web.world import Place, make_user, sign_in

OPEN = {"api_openapi.show_document"}
"""Without a token: the document tells of nobody's records."""


def rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX) and rule.endpoint not in OPEN:
            yield rule


def path(rule: Rule, ids: Place) -> str:
    return address(rule, "-", ids).removeprefix(PREFIX).partition("?")[0]


def test_every_address_answers_its_own_tenant_only(
    app: Flask, reader: Reader, acme: Place, other: Place
) -> None:
    seen = {rule.endpoint for rule in rules(app)}
    assert len(seen) == 33
    for rule in rules(app):
        own = reader.get(path(rule, acme))
        assert own.status_code == 200, f"{rule}: {own.text}"
        assert "acme" in own.text.lower() or own.json == {"items": [], "next": None}, rule
        foreign = reader.get(path(rule, other))
        has_id = rule.arguments - {"number"}
        assert foreign.status_code == (404 if has_id else 200), rule
        assert "other" not in foreign.text.lower().replace("another", ""), rule


@pytest.mark.one_database
def test_without_a_token_nothing_is_answered(
    app: Flask,
    http: FlaskClient,
    acme: Place,
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate, "REFUSED_PER_NETWORK", parse("1000 per minute"))
    for rule in rules(app):
        for headers in ({}, {"Authorization": f"Basic {reader.token}"}):
            answer = http.get(PREFIX + path(rule, acme), headers=headers)
            assert answer.status_code == 401, rule
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.content_type == "application/problem+json"
            assert "acme" not in answer.text.lower()


@pytest.mark.one_database
def test_filters_reach_no_further(reader: Reader, other: Place) -> None:
    for query in (
        f"/assets?client_id={other.client}",
        f"/installs?asset_id={other.asset}",
        f"/installs?title_id={other.title}&version=1.2",
        f"/history?asset_id={other.asset}",
        f"/history?client_id={other.client}",
        f"/alerts?asset_id={other.asset}",
        f"/alerts?client_id={other.client}",
        "/alerts?assigned_to=member@other.example",
        "/assets?q=other-pc",
        "/clients?q=other",
    ):
        assert reader.get(query).json == {"items": [], "next": None}, query
    assert reader.get(f"/clients/{other.client}/report").status_code == 404


@pytest.mark.one_database
def test_each_address_needs_its_scope(app: Flask, http: FlaskClient, acme: Place) -> None:
    for scope in Scope:
        program = make_reader(app, http, acme, scopes=[scope], name=f"only {scope}")
        for rule in rules(app):
            is_audit = rule.rule.startswith(f"{PREFIX}/audit")
            expected = 200 if is_audit == (scope is Scope.AUDIT) else 403
            assert program.get(path(rule, acme)).status_code == expected, rule


@pytest.mark.one_database
def test_a_session_opens_nothing_and_gets_no_cookie(
    app: Flask, http: FlaskClient, acme: Place
) -> None:
    sign_in(app, http, make_user(app, "owner@acme.example", acme, role="owner"))
    answer = http.get(f"{PREFIX}/assets")

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
