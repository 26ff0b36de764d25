"""What is refused because it gets around something is in the log, and floods no log."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.web import refusals
from portal.web.refusals import LINES_A_MINUTE, Meter, log_refusal
from tests.web.world import Place, make_user, sign_in

pytestmark = pytest.mark.one_database


@pytest.fixture(autouse=True)
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    made = Meter()
    monkeypatch.setattr(refusals, "_meter", made)
    return made


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    caplog.clear()
    return found


def test_each_control_says_whom_it_refused(
    app: Flask, http: FlaskClient, acme: Place, caplog: pytest.LogCaptureFixture
) -> None:
    user = make_user(app, "tom@acme.example", acme, role="viewer")
    sign_in(app, http, user)
    nobody = app.test_client()

    http.post(acme.url("clients/new"), data={"name": "New"})
    assert said(caplog) == [
        "Refused somebody at 127.0.0.1: POST /t/<slug>/clients/new, without a valid token of the "
        "form."
    ]
    http.get(acme.url("assets/?q=a%00b"))
    assert said(caplog) == [
        f"Refused user {user}: GET /t/<slug>/assets/, it cannot be used as it is."
    ]
    nobody.get("/sign-in", headers={"Host": "evil.example"})
    nobody.get("/api/v1/assets", headers={"Authorization": "Bearer portal_of_nobody"})
    nobody.post("/api/webhooks/tacticalrmm?tenant=acme", data=b"{}")
    nobody.post("/api/webhooks/tacticalrmm?tenant=acme", data=b"{}")
    assert said(caplog) == [
        "Refused somebody at 127.0.0.1: GET /sign-in, under a name that is not the portal's.",
        "Refused somebody at 127.0.0.1: GET /api/v1/assets, without a valid token of the API.",
        "Refused a webhook from 127.0.0.1: a wrong secret or tenant.",
    ]


def test_a_flood_is_counted(
    app: Flask,
    meter: Meter,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with app.test_request_context("/sign-in"):
        for _ in range(LINES_A_MINUTE + 5):
            log_refusal("too large")
        log_refusal("of another kind")
        assert len(said(caplog)) == LINES_A_MINUTE + 1
        now += 61
        log_refusal("too large")
    assert [line.partition(":")[0] for line in said(caplog)] == [
        "Refused 5 more requests in the minute before",
        "Refused somebody at None",
    ]
