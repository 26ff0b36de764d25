"""Text that nobody types: as long as a book, or with what a database cannot store."""

from __future__ import annotations

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from portal.web.input import LONGEST_VALUE
from tests.web.world import Place

pytestmark = pytest.mark.one_database


@pytest.fixture
def stranger(app: Flask, http: FlaskClient) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return http


@pytest.mark.parametrize("field", ["email", "password", "next"])
def test_a_field_as_long_as_a_book_is_refused(
    stranger: FlaskClient, field: str, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    book = "x" * 480_000
    with caplog.at_level(logging.DEBUG):
        answer = stranger.post("/sign-in", data={"email": "a@b.example", field: book})
    assert answer.status_code == 413
    assert book[:9000] not in answer.text
    assert book[:9000] not in caplog.text
    with Redis.from_url(redis_url) as redis:
        assert max((len(key) for key in redis.scan_iter()), default=0) < 1000


def test_so_is_one_of_several_of_a_name(stranger: FlaskClient) -> None:
    data = {"email": ["a@b.example", "x" * (LONGEST_VALUE + 1)], "password": "p"}
    assert stranger.post("/sign-in", data=data).status_code == 413
    assert stranger.get("/sign-in?next=%2F&next=" + "x" * 9000).status_code == 413


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ("integrations/tacticalrmm/", "username"),
        ("integrations/tacticalrmm/", "base_url"),
        ("integrations/tacticalrmm/", "api_key"),
        ("clients/new", "name"),
        ("integrations/events/", "url"),
    ],
)
def test_a_long_field_is_named_and_kept(
    admin: FlaskClient, acme: Place, page: str, field: str
) -> None:
    typed = {"base_url": "https://api.acme.example", "auth_mode": "api_key", field: "x" * 5000}
    answer = admin.post(acme.url(page), data=typed)
    assert answer.status_code == 422
    assert "Use at most" in answer.text or "too long" in answer.text or "address" in answer.text


def test_callers_are_counted_under_digests(
    stranger: FlaskClient, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Their addresses stand neither in Redis nor in the log."""
    with caplog.at_level(logging.DEBUG):
        for _ in range(102):
            answer = stranger.post("/setup", data=SETUP, environ_base={"REMOTE_ADDR": IP})
    assert answer.status_code == 429
    with Redis.from_url(redis_url) as redis:
        keys = list(redis.scan_iter())
    assert keys
    assert not any(IP.encode() in key for key in keys)
    assert IP not in caplog.text


IP = "203.0.113.77"
SETUP = {
    "token": "wrong",
    "email": "anna@acme.example",
    "password": "correct horse battery",
    "tenant_name": "Acme",
    "slug": "acme",
}
