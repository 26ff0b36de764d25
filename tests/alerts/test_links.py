"""The link in a message: it shows one alert to whoever has it, and acknowledges when pressed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import Alert, AlertHandling, AuditEntry, Channel
from portal.models.alerts.alert import AlertStatus
from portal.scope import tenant_scope
from portal.services.alerts.links import make_link
from tests.web.conftest import code_of, csrf_token
from tests.web.world import Place, make_place, make_user, sign_in


@pytest.fixture
def acme(app: Flask) -> Place:
    return make_place(app)


@pytest.fixture
def link(app: Flask, acme: Place) -> str:
    """A link that was sent to the channel Night shift."""
    with app.app_context(), tenant_scope(acme.id):
        with transaction() as session:
            handling = AlertHandling(alert_id=acme.alert, occurrence=1, began_at=utc_now())
            channel = Channel(kind="mail", name="Night shift")
            session.add_all((handling, channel))
        return make_link(handling.id, channel.id)


def look(http: FlaskClient, link: str) -> TestResponse:
    return http.post("/acknowledge/", data={"code": link})


def push(http: FlaskClient, link: str, **typed: str) -> TestResponse:
    return http.post("/acknowledge/press", data={"code": code_of(link), **typed})


def acknowledged_by(app: Flask, place: Place) -> str | None:
    with app.app_context(), tenant_scope(place.id):
        return db.session.scalar(select(AlertHandling.acknowledged_by))


def edit(app: Flask, place: Place, **values: object) -> None:
    with app.app_context(), tenant_scope(place.id), transaction() as session:
        alert = session.get_one(Alert, place.alert)
        for name, value in values.items():
            setattr(alert, name, value)


def test_opening_shows_the_alert_and_pressing_acknowledges(
    app: Flask, http: FlaskClient, acme: Place, link: str
) -> None:
    for _ in range(2):
        assert http.head("/acknowledge/").status_code == 200
        page = look(http, link).text
    assert "acme-pc" in page
    assert "Acme Client" in page
    assert "/t/acme" not in page
    assert acknowledged_by(app, acme) is None

    fresh = app.test_client()  # which has no cookie at all
    answer = push(fresh, link, note="I look at it.")
    assert "By the link sent to Night shift, just now." in re.sub("<[^>]+>", "", answer.text)
    assert "I look at it." in answer.text
    assert acknowledged_by(app, acme) == "the link sent to Night shift"
    with app.app_context(), tenant_scope(acme.id):
        [row] = db.session.scalars(select(AuditEntry).where(AuditEntry.target_kind == "alert"))
        assert (row.action, row.actor_kind) == ("alert.acknowledged", "anonymous")
        assert row.actor_name == "the link sent to Night shift"
        assert row.source == "POST /acknowledge/press"


def test_who_is_signed_in_presses_in_their_own_name(
    app: Flask, http: FlaskClient, acme: Place, link: str
) -> None:
    sign_in(app, http, make_user(app, "anna@acme.example", acme))
    token = csrf_token(look(http, link).text)
    push(http, link, csrf_token=token)
    assert acknowledged_by(app, acme) == "anna@acme.example"


def test_another_site_cannot_press_in_somebodys_name(
    app: Flask, http: FlaskClient, acme: Place, link: str
) -> None:
    sign_in(app, http, make_user(app, "anna@acme.example", acme))
    push(http, link)
    assert acknowledged_by(app, acme) == "the link sent to Night shift"


@pytest.mark.one_database
def test_it_is_dead_once_the_occurrence_is_over(
    app: Flask, http: FlaskClient, acme: Place, link: str
) -> None:
    for over in (
        {"status": AlertStatus.RESOLVED},
        {"status": AlertStatus.ACTIVE, "occurrences": 2},
    ):
        edit(app, acme, **over)
        assert "There is nothing to acknowledge any more." in look(http, link).text
        answer = push(http, link)
        assert answer.status_code == 422
        assert acknowledged_by(app, acme) is None


@pytest.mark.one_database
def test_a_link_that_is_old_or_altered_is_none(
    app: Flask, http: FlaskClient, acme: Place, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not the last character: some of its bits belong to no byte.
    assert look(http, link[:-9] + ("a" if link[-9] != "a" else "b") + link[-8:]).status_code == 404
    assert push(http, "nobodys").status_code == 404
    later = int((utc_now() + timedelta(days=15)).timestamp())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _signer: later)
    assert look(http, link).status_code == 404
    assert push(http, link).status_code == 404
    assert acknowledged_by(app, acme) is None


@pytest.mark.one_database
def test_guesses_are_counted(app: Flask, http: FlaskClient, link: str) -> None:
    for number in range(100):
        look(http, str(number))
    assert look(http, "nobodys").status_code == 429


@pytest.mark.one_database
def test_a_link_of_a_removed_handling_is_none(
    app: Flask, http: FlaskClient, acme: Place, link: str
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.delete(session.scalars(select(AlertHandling)).one())
    assert look(http, link).status_code == 404
