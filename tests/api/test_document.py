"""The OpenAPI document, against what the API really does."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from limits import parse
from schemathesis import openapi

from portal.services.api import rate
from tests.api.conftest import PREFIX, Reader
from tests.api.test_isolation import rules
from tests.web.safety.test_isolation import IDS, WORDS
from tests.web.world import Place

pytestmark = pytest.mark.one_database

EXAMPLES = 2
"""Of each operation."""
SIGNED_OR_DEPENDENT = ("cursor", "older_than", "month")
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
    app: Flask, reader: Reader, acme: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each operation: no 5xx, no status, type or shape that is not written down, and an answer
    about a record that is there."""
    monkeypatch.setattr(rate, "REFUSED_PER_NETWORK", parse("1000 per minute"))
    document = openapi.from_wsgi(f"{PREFIX}/openapi.json", app)
    operations: list[Any] = [each.ok() for each in document.get_all_operations()]  # type: ignore[union-attr]
    answered = {each.label: ask(each, reader, acme) for each in operations}

    assert len(answered) == len(list(rules(app)))
    assert [label for label, statuses in answered.items() if 200 not in statuses] == []


def ask(operation: Any, reader: Reader, acme: Place) -> set[int]:
    """The statuses of some cases that the document allows, each checked against what it says."""
    statuses = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def try_out(case: Any) -> None:
        for name in SIGNED_OR_DEPENDENT:
            case.query.pop(name, None)
        for name in case.path_parameters:
            case.path_parameters[name] = getattr(acme, IDS[name]) if name in IDS else WORDS[name]
        headers = {"Authorization": f"Bearer {reader.token}"}
        statuses.add(case.call_and_validate(headers=headers).status_code)

    try_out()
    return statuses
