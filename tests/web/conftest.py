"""Fixtures of the tests of pages."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.db import db
from portal.models import Errand
from portal.scope import tenant_scope
from portal.services.errands import execution
from tests.support.msp import msp
from tests.web.world import Place, make_place, make_user, sign_in

__all__ = ["msp"]


@pytest.fixture
def acme(app: Flask) -> Place:
    return make_place(app)


@pytest.fixture
def admin(app: Flask, http: FlaskClient, acme: Place) -> FlaskClient:
    """Calls as an admin of acme; forms need no CSRF token (see test_csrf)."""
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, "admin@acme.example", acme))
    return http


@pytest.fixture
def owner(app: Flask, http: FlaskClient, acme: Place) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, "owner@acme.example", acme, role="owner"))
    return http


@pytest.fixture
def viewer(app: Flask, http: FlaskClient, acme: Place) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, "viewer@acme.example", acme, role="viewer"))
    return http


def code_of(link: str) -> str:
    """What the script of the page that a link leads to sends on."""
    return link.rpartition("#")[2]


def csrf_token(html: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', html)
    assert found
    return found.group(1)


def work(app: Flask, tenant_id: int) -> None:
    """Do what waits for a worker, as one does."""
    with app.app_context(), tenant_scope(tenant_id):
        waiting = select(Errand.id).where(Errand.ok.is_(None)).order_by(Errand.id)
        for errand_id in db.session.scalars(waiting).all():
            execution.run_queued(errand_id)


HTMX = {"HX-Request": "true"}
