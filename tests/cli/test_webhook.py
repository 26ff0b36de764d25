"""`portal webhook`: shown, rotated, installed, removed."""

from __future__ import annotations

import json

import pytest

from portal import create_app
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY, SECRET_HEADER
from tactical_simulator import SimulatedTactical
from tests.cli.conftest import Portal, Said
from tests.simulator.receiver import Receiver

URL = "/api/webhooks/tacticalrmm?tenant=acme"


@pytest.fixture
def connected(acme: Portal, tactical: SimulatedTactical) -> Portal:
    words = ("connect", "--tenant", "acme", "--url", tactical.url, "--api-key-stdin")
    assert acme(*words, stdin=tactical.api_key).exit_code == 0

    def call(*words: str, stdin: str = "") -> Said:
        return acme("webhook", *words, "--tenant", "acme", stdin=stdin)

    return call


def test_show_tells_what_to_enter(connected: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    said = connected("show", "--json")
    assert said.exit_code == 0
    assert said.data["url"] == f"http://localhost:5000{URL}"
    assert said.data["header"] == SECRET_HEADER
    assert said.data["templates"] == {"failure": FAILURE_BODY, "resolved": RESOLVED_BODY}
    assert (said.data["state"], said.data["installed"]) == ("waiting", False)
    assert len(said.data["warnings"]) == 2

    monkeypatch.setenv("PORTAL_PUBLIC_URL", "https://portal.example.com/")
    said = connected("show", "--json")
    assert (said.data["url"], said.data["warnings"]) == (f"https://portal.example.com{URL}", [])
    assert FAILURE_BODY in connected("show").out


def test_show_tells_the_limits_and_what_is_used_of_them(
    connected: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = connected("show", "--json").data
    assert (said["deliveries_per_second"], said["body_bytes_limit"]) == (200, 256 * 1024**2)
    assert (said["refused"], said["refused_since"], said["body_bytes"]) == (0, None, 0)

    monkeypatch.setenv("PORTAL_WEBHOOK_RATE", "1")
    headers = {SECRET_HEADER: connected("show", "--reveal", "--json").data["secret"]}
    http = create_app().test_client()
    answers = [http.post(URL, data=b"x" * 65_536, headers=headers).status_code for _ in "12"]
    assert answers == [202, 429]
    said = connected("show", "--json").data
    assert (said["refused"], said["refused_reconciled"], said["body_bytes"]) == (1, False, 65_536)
    assert said["refused_since"] == said["refused_until"]
    told = connected("show").out
    assert "Calls a second: up to 1\nRefused: 1 from " in told
    assert "Bodies: 65,536 of 268,435,456 bytes" in told


def test_the_headers_that_are_printed_are_let_in(connected: Portal) -> None:
    """Each line as a person pastes it."""
    hidden = connected("show")
    assert "--reveal" in hidden.out
    assert connected("show", "--json").data["headers"] is None
    said = connected("show", "--reveal", "--json")
    line = next(
        line for line in connected("show", "--reveal").out.splitlines() if "Headers: " in line
    )
    headers = json.loads(line.removeprefix("Headers: "))
    assert headers == json.loads(said.data["headers"])
    assert headers[SECRET_HEADER] == said.data["secret"] not in hidden.out
    body = said.data["templates"]["failure"]
    assert create_app().test_client().post(URL, data=body, headers=headers).status_code == 202


def test_headers_that_refer_to_the_key_store_are_printed(
    connected: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as nobody:
        monkeypatch.setenv("PORTAL_PUBLIC_URL", nobody.url)
        connected("install", "--apply-to", "none")
    assert "{{global." in connected("show", "--json").data["headers"]
    assert "{{global." not in connected("show", "--json", "--reveal").data["headers"]


def test_rotate_prints_the_secret_once(connected: Portal) -> None:
    first, second = connected("rotate", "--json"), connected("rotate", "--json")
    assert first.data.keys() >= {"url", "header", "secret"}
    assert first.data["secret"] != second.data["secret"]
    shown = connected("show", "--json")
    assert shown.data["secret_ends_in"] == second.data["secret"][-4:]
    assert second.data["secret"] not in shown.out

    third = connected("rotate", "--json")
    assert (third.exit_code, third.data["ok"]) == (1, False)
    assert "two secrets are valid now" in third.err
    assert connected("rotate", "--at-once", "--json").exit_code == 0


def test_before_anything_is_connected(acme: Portal) -> None:
    for verb in ("show", "rotate", "install", "remove"):
        said = acme("webhook", verb, "--tenant", "acme")
        assert said.exit_code == 1
        assert "not connected yet" in said.err


def test_a_dry_run_changes_nothing(connected: Portal, tactical: SimulatedTactical) -> None:
    said = connected("install", "--apply-to", "default", "--dry-run", "--json")
    assert (said.exit_code, said.data["ok"]) == (0, True)
    assert [each["action"] for each in said.data["changes"]] == ["create"] * 4 + ["choose"]
    assert len(tactical.state.url_actions) == 0


@pytest.mark.parametrize(
    ("words", "clients"),
    [
        (("--apply-to", "client", "2"), [2]),
        (("--apply-to", "client:2", "--apply-to", "client:3"), [2, 3]),
        (("--apply-to", "none"), []),
    ],
)
def test_where_it_works(
    connected: Portal,
    tactical: SimulatedTactical,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    clients: list[int],
) -> None:
    with Receiver() as nobody:  # answers, but is no portal
        monkeypatch.setenv("PORTAL_PUBLIC_URL", nobody.url)
        said = connected("install", *words, "--json")
    assert (said.exit_code, said.data["fault"]) == (2, "test_not_arrived")
    places = tactical.state.clients.items()
    assert [pk for pk, place in places if place.alert_template] == clients

    assert connected("remove", "--json").exit_code == 0
    assert [len(tactical.state.url_actions), len(tactical.state.templates)] == [0, 0]
    assert {place.alert_template for _, place in tactical.state.clients.items()} == {None}


def test_a_key_that_may_not(acme: Portal, tactical: SimulatedTactical) -> None:
    key = tactical.control.access.add_key(without=["can_edit_core_settings"])
    connect = ("connect", "--tenant", "acme", "--url", tactical.url, "--api-key-stdin")
    assert acme(*connect, stdin=key).exit_code == 0
    for words in (("--dry-run",), ()):
        said = acme("webhook", "install", "--tenant", "acme", "--json", *words)
        assert (said.exit_code, said.data["missing"]) == (1, ["can_edit_core_settings"])


@pytest.mark.parametrize("words", [("everywhere",), ("client", "x"), ("default", "7"), ("client",)])
def test_a_wrong_choice(connected: Portal, words: tuple[str, ...]) -> None:
    said = connected("install", "--apply-to", *words, "--json")
    assert said.exit_code == 1
    assert json.loads(said.out)["ok"] is False


def test_a_client_that_tactical_does_not_have(connected: Portal) -> None:
    said = connected("install", "--apply-to", "client", "99")
    assert said.exit_code == 1
    assert "Tactical has no organization with the ID 99" in said.err
