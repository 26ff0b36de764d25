"""The OpenAPI document, against what the API really does."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from limits import parse
from schemathesis import openapi

from portal.services.api import rate
from tests.api.conftest import PREFIX, Reader
from tests.api.test_isolation import rules

pytestmark = pytest.mark.one_database

EXAMPLES = 60
SIGNED_OR_DEPENDENT = ("cursor", "older_than")
"""Arguments of which no schema says what is taken; `test_lists.py` tries them."""


def test_it_names_every_address_and_needs_no_token(app: Flask, http: FlaskClient) -> None:
    answer = http.get(f"{PREFIX}/openapi.json")
    document = answer.get_json()
    paths = {rule.rule.replace("<int:", "{").replace(">", "}") for rule in rules(app)}

    assert document["paths"].keys() == paths
    assert document["openapi"] == "3.0.3"
    tag = answer.headers["ETag"]
    assert http.get(f"{PREFIX}/openapi.json", headers={"If-None-Match": tag}).status_code == 304


def test_whatever_is_asked_is_answered_as_it_says(
    app: Flask, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No 5xx, no status, type or shape that is not written down."""
    monkeypatch.setattr(rate, "REFUSED_PER_NETWORK", parse("1000 per minute"))
    document = openapi.from_wsgi(f"{PREFIX}/openapi.json", app)
    operations: list[Any] = [each.ok() for each in document.get_all_operations()]  # type: ignore[union-attr]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def try_out(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(operations))
        case = data.draw(operation.as_strategy())
        for name in SIGNED_OR_DEPENDENT:
            case.query.pop(name, None)
        case.call_and_validate(headers={"Authorization": f"Bearer {reader.token}"})

    try_out()
