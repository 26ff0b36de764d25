"""Fixtures of the tests of the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.db import db
from portal.scope import tenant_scope
from portal.services.api.tokens import add_token
from tests.web.world import Place, make_place

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Reader:
    """A program with a token."""

    http: FlaskClient
    token: str

    def get(self, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return self.http.get(PREFIX + path, headers=headers, **more)

    def read(self, path: str, **more: Any) -> Any:
        """What is answered, which must be something."""
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All of a list, part by part."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            part = self.read(path, query_string=query | cursor)
            found += part["items"]
            if part["next"] is None:
                return found
            cursor = {"cursor": part["next"]}


@pytest.fixture
def acme(app: Flask) -> Place:
    return make_place(app)


@pytest.fixture
def other(app: Flask) -> Place:
    """Another tenant. Ids run on, so none of its own is one of acme's."""
    return make_place(app, "other")


@pytest.fixture
def reader(app: Flask, http: FlaskClient, acme: Place) -> Reader:
    return make_reader(app, http, acme)


def make_reader(
    app: Flask,
    http: FlaskClient,
    place: Place,
    name: str = "Reports",
    scopes: Sequence[str] = ("read", "audit"),
    **more: Any,
) -> Reader:
    with in_tenant(app, place):
        return Reader(http, add_token(name, scopes, **more).secret)


@contextmanager
def in_tenant(app: Flask, place: Place) -> Iterator[None]:
    with app.app_context(), tenant_scope(place.id):
        yield
        db.session.remove()
