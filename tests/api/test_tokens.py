"""Tokens: what they open, from where, for how long and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from limits import parse
from sqlalchemy import inspect, select

from portal.clock import utc_now
from portal.db import db
from portal.errors import InvalidInput
from portal.models import ApiToken
from portal.services.api import rate
from portal.services.api.access import is_within
from portal.services.api.tokens import add_token, revoke_token_named
from tests.api.conftest import PREFIX, Reader, in_tenant, make_reader
from tests.web.world import Place

pytestmark = pytest.mark.one_database


def stored(app: Flask, place: Place) -> ApiToken:
    with in_tenant(app, place):
        return db.session.scalars(select(ApiToken).where(ApiToken.name == "Reports")).one()


def test_only_the_digest_and_the_ending_are_kept(app: Flask, reader: Reader, acme: Place) -> None:
    row = stored(app, acme)

    values = [str(getattr(row, column.key)) for column in inspect(ApiToken).columns]
    assert reader.token.startswith("rmmp_")
    assert len(reader.token) == 48
    assert not [value for value in values if reader.token in value or reader.token[5:] in value]
    assert row.ending == reader.token[-4:]


def test_a_token_ends_when_it_expires(app: Flask, http: FlaskClient, acme: Place) -> None:
    program = make_reader(app, http, acme, days=1)

    assert program.get("/assets").status_code == 200
    with time_machine.travel(utc_now() + timedelta(days=1, seconds=1)):
        answer = program.get("/assets")
    assert answer.status_code == 401
    assert "This token expired on" in answer.text


def test_a_revoked_token_opens_nothing(app: Flask, reader: Reader, acme: Place) -> None:
    assert reader.get("/assets").status_code == 200
    with in_tenant(app, acme):
        revoke_token_named("Reports")

    assert reader.get("/assets").status_code == 401


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.20.3.4", 200), ("::ffff:10.20.3.4", 200), ("198.51.100.7", 200), ("10.21.0.1", 403)],
)
def test_networks_bind_a_token(
    app: Flask, http: FlaskClient, acme: Place, address: str, status: int
) -> None:
    program = make_reader(app, http, acme, networks=["10.20.0.0/16", "198.51.100.7"])

    answer = program.get("/assets", environ_overrides={"REMOTE_ADDR": address})

    assert answer.status_code == status
    assert (address in answer.text) == (status == 403)


def test_what_is_no_address_is_in_no_network() -> None:
    assert not is_within("", ["0.0.0.0/0"])
    assert is_within("", [])
    assert is_within("fd12::1%eth0", ["fd12::/16"])


def test_its_use_is_noted_once_a_minute(app: Flask, reader: Reader, acme: Place) -> None:
    begin = utc_now()
    used = []
    for seconds in (0, 59, 61):
        with time_machine.travel(begin + timedelta(seconds=seconds), tick=False):
            reader.get("/clients", environ_overrides={"REMOTE_ADDR": f"10.0.0.{seconds}"})
        used.append((stored(app, acme).last_used_at, stored(app, acme).last_used_from))

    later = begin + timedelta(seconds=61)
    assert used == [(begin, "10.0.0.0"), (begin, "10.0.0.0"), (later, "10.0.0.61")]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "Reports"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "write"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"days": None}, "days"),
        ({"networks": ["10.0.0.0/33"]}, "networks"),
        ({"networks": ["10.0.0.0/8"] * 21}, "networks"),
    ],
)
@pytest.mark.usefixtures("reader")
def test_what_cannot_be_used_is_named(
    app: Flask, acme: Place, fields: dict[str, object], field: str
) -> None:
    with in_tenant(app, acme), pytest.raises(InvalidInput) as found:
        add_token(**{"name": "Another", "scopes": ["read"], **fields})  # type: ignore[arg-type]
    assert found.value.field == field


def test_a_token_has_so_many_requests_a_minute(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate, "PER_TOKEN", parse("2 per minute"))
    begin = utc_now().replace(second=20)
    seen = []
    with time_machine.travel(begin, tick=False):
        for _ in range(3):
            answer = reader.get("/clients")
            headers = answer.headers
            seen.append((answer.status_code, headers["RateLimit-Remaining"]))
            assert (headers["RateLimit-Limit"], headers["RateLimit-Reset"]) == ("2", "40")
    assert seen == [(200, "1"), (200, "0"), (429, "0")]
    assert answer.headers["Retry-After"] == "40"
    assert answer.content_type == "application/problem+json"
    with time_machine.travel(begin + timedelta(seconds=41), tick=False):
        assert reader.get("/clients").status_code == 200


def test_guesses_are_counted_and_hold_up_no_token(http: FlaskClient, reader: Reader) -> None:
    guess = {"Authorization": "Bearer rmmp_guess"}
    statuses = [http.get(f"{PREFIX}/assets", headers=guess).status_code for _ in range(31)]

    assert statuses == [401] * 30 + [429]
    assert reader.get("/assets").status_code == 200
