"""Signing in by the two calls, and the life of the token that comes of it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pyotp
import pytest

from tactical_simulator import SimulatedTactical
from tests.simulator.api import Api, is_html

CHECK, LOGIN = "/v2/checkcreds/", "/v2/login/"


@pytest.fixture
def nobody(tactical: SimulatedTactical) -> Api:
    return Api(tactical.url)


def admin(tactical: SimulatedTactical, **more: Any) -> dict[str, Any]:
    known = tactical.credentials
    return {"username": known.admin, "password": known.admin_password, **more}


def plain(tactical: SimulatedTactical, **more: Any) -> dict[str, Any]:
    known = tactical.credentials
    return {"username": known.api_user, "password": known.api_password, **more}


def code(tactical: SimulatedTactical, seconds_ago: int = 0) -> str:
    return pyotp.TOTP(tactical.credentials.totp_secret).at(int(time.time()) - seconds_ago)


def test_user_with_totp_is_only_told_so(tactical: SimulatedTactical, nobody: Api) -> None:
    response = nobody.post(CHECK, json=admin(tactical))
    assert (response.status_code, response.json()) == (200, {"totp": True})


def test_user_without_totp_gets_a_token_of_three_minutes(
    tactical: SimulatedTactical, nobody: Api
) -> None:
    response = nobody.post(CHECK, data=plain(tactical))
    data = response.json()
    assert list(data) == ["expiry", "token", "totp"]
    assert (len(data["token"]), data["totp"]) == (64, False)
    left = datetime.fromisoformat(data["expiry"]).timestamp() - time.time()
    assert 170 < left <= 180
    assert "sessionid" in response.cookies


@pytest.mark.parametrize(
    ("edit", "body"),
    [
        ({}, {"password": "wrong"}),
        ({"block_dashboard_login": True}, {}),
        ({"sso": True}, {}),
    ],
)
def test_bad_credentials(
    tactical: SimulatedTactical, nobody: Api, edit: dict[str, Any], body: dict[str, str]
) -> None:
    tactical.control.access.edit_user("apiuser", **edit)
    response = nobody.post(CHECK, json={**plain(tactical), **body})
    assert (response.status_code, response.json()) == (400, "Bad credentials")


def test_blocked_local_logon(tactical: SimulatedTactical, nobody: Api) -> None:
    tactical.control.server.set(block_local_user_logon=True)
    assert nobody.post(CHECK, json=plain(tactical)).status_code == 400
    assert nobody.post(CHECK, json=admin(tactical)).status_code == 200


@pytest.mark.parametrize("body", [{}, {"password": "x"}])
def test_missing_user_name_crashes(nobody: Api, body: dict[str, str]) -> None:
    response = nobody.post(CHECK, json=body)
    assert response.status_code == 500
    assert is_html(response, "Server Error (500)")


def test_bad_json_and_wrong_method(nobody: Api) -> None:
    response = nobody.post(CHECK, data="{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error - ")
    response = nobody.get(CHECK)
    assert (response.status_code, response.json()) == (
        405,
        {"detail": 'Method "GET" not allowed.'},
    )


@pytest.mark.parametrize("seconds_ago", [0, 290])
def test_login_takes_old_codes(tactical: SimulatedTactical, nobody: Api, seconds_ago: int) -> None:
    body = admin(tactical, twofactor=code(tactical, seconds_ago))
    for _ in range(2):  # and the same code twice
        response = nobody.post(LOGIN, json=body)
        assert response.status_code == 200
        assert list(response.json()) == ["expiry", "token", "username", "name"]
    token = response.json()["token"]
    assert nobody.get("/agents/", headers={"Authorization": f"Token {token}"}).status_code == 200


def test_login_takes_a_number(tactical: SimulatedTactical, nobody: Api) -> None:
    sent = code(tactical)
    response = nobody.post(LOGIN, json=admin(tactical, twofactor=int(sent)))
    assert response.status_code == (400 if sent.startswith("0") else 200)


def test_login_refusals(tactical: SimulatedTactical, nobody: Api) -> None:
    sent = code(tactical)
    unable = {"non_field_errors": ["Unable to log in with provided credentials."]}
    required = ["This field is required."]
    for body, expected in (
        (admin(tactical, twofactor=f"{sent[:3]} {sent[3:]}"), "Bad credentials"),
        (admin(tactical, twofactor=code(tactical, 1000)), "Bad credentials"),
        ({**admin(tactical), "password": "wrong", "twofactor": sent}, unable),
        ({}, {"username": required, "password": required}),
    ):
        response = nobody.post(LOGIN, json=body)
        assert (response.status_code, response.json()) == (400, expected)


def test_login_crashes(tactical: SimulatedTactical, nobody: Api) -> None:
    for body in (admin(tactical), plain(tactical), plain(tactical, twofactor="123456")):
        assert is_html(nobody.post(LOGIN, json=body), "Server Error (500)")


def test_any_code_passes_in_demo_mode(tactical: SimulatedTactical, nobody: Api) -> None:
    tactical.control.server.set(demo=True)
    assert nobody.post(LOGIN, json=admin(tactical, twofactor="x")).status_code == 200


def sign_in(tactical: SimulatedTactical, nobody: Api) -> dict[str, str]:
    token = nobody.post(CHECK, json=plain(tactical)).json()["token"]
    return {"Authorization": f"Token {token}"}


def test_short_token_slides_to_five_hours(tactical: SimulatedTactical, nobody: Api) -> None:
    headers = sign_in(tactical, nobody)
    tactical.control.server.advance(120)
    assert nobody.get("/core/version/", headers=headers).status_code == 200
    tactical.control.server.advance(5 * 3600 - 60)
    assert nobody.get("/core/version/", headers=headers).status_code == 200


def test_short_token_dies_unused(tactical: SimulatedTactical, nobody: Api) -> None:
    headers = sign_in(tactical, nobody)
    tactical.control.server.advance(181)
    response = nobody.get("/core/version/", headers=headers)
    assert (response.status_code, response.json()) == (401, {"detail": "Invalid token."})
    assert tactical.control.access.tokens() == []


def test_refresh_that_gains_little_is_not_saved(tactical: SimulatedTactical, nobody: Api) -> None:
    headers = sign_in(tactical, nobody)
    nobody.get("/core/version/", headers=headers)
    for seconds, left in ((300, 5 * 3600 - 300), (3600, 5 * 3600)):
        tactical.control.server.advance(seconds)
        nobody.get("/core/version/", headers=headers)
        [token] = tactical.control.access.tokens()
        assert token["seconds_left"] == pytest.approx(left, abs=5)


def test_logout(tactical: SimulatedTactical, nobody: Api, api: Api) -> None:
    headers = sign_in(tactical, nobody)
    assert nobody.get("/logout/", headers=headers).status_code == 405
    response = nobody.post("/logout/", headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    assert nobody.post("/logout/", headers=headers).json() == {"detail": "Invalid token."}
    assert api.post("/logout/").json()["detail"].endswith("were not provided.")


def test_eleventh_call_in_a_minute_is_throttled(
    tactical: SimulatedTactical, nobody: Api, api: Api
) -> None:
    body = plain(tactical)
    assert [nobody.post(CHECK, json=body).status_code for _ in range(10)] == [200] * 10
    response = nobody.post(CHECK, json=body)
    wait = response.headers["Retry-After"]
    assert response.status_code == 429
    assert 50 <= int(wait) <= 60  # as fast as the ten calls before it were
    text = f"Request was throttled. Expected available in {wait} seconds."
    assert response.json() == {"detail": text}
    # Another call, another address and a caller with credentials have buckets of their own.
    assert nobody.post(LOGIN, json={}).status_code == 400
    assert nobody.post(CHECK, json=body, headers={"X-Forwarded-For": "9.9.9.9"}).ok
    assert api.post(CHECK, json=body).ok
    tactical.control.server.advance(60)
    assert nobody.post(CHECK, json=body).ok


def test_three_hundred_a_day(tactical: SimulatedTactical, nobody: Api) -> None:
    statuses = []
    for _ in range(31):
        statuses += [nobody.post(LOGIN, json={}).status_code for _ in range(10)]
        tactical.control.server.advance(61)
    assert statuses.count(429) == 10
    response = nobody.post(LOGIN, json={})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 80_000
