"""The connection test against servers with one fault each: a word and a message for each."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.demo import FleetSpec, OtherHost, SimulatedTactical
from portal.egress import Door, EgressPolicy
from portal.tactical import probe as probing
from portal.tactical.api import Tactical
from portal.tactical.probe import ProbeResult, Step, probe
from portal.tactical.probe_result import TITLES
from portal.tactical.session import ApiKey, Credentials, TacticalSession
from tests.tactical.talking import LOOPBACK, admin, api_user, talking

ALL = list(TITLES)


def run(
    server: SimulatedTactical | str, credentials: Credentials | str = "key", **options: Any
) -> tuple[ProbeResult, list[Step]]:
    """The result, and every step as it was shown."""
    shown: list[Step] = []
    with talking(server, credentials, interactive=True, **options) as api:
        return probe(api, shown.append), shown


def ended(steps: list[Step]) -> dict[str, str]:
    return {step.name: step.state for step in steps if step.state != "running"}


def test_a_good_server_passes_every_step_in_order(tactical: SimulatedTactical) -> None:
    result, shown = run(tactical, tactical.api_key)

    assert result.ok
    assert list(ended(shown)) == ALL
    assert set(ended(shown).values()) == {"ok", "skipped"}
    assert ended(shown)["tls"] == "skipped"
    assert [step.state for step in shown if step.name == "agents"] == ["running", "ok"]
    assert result.steps == tuple(step for step in shown if step.state != "running")
    assert (result.fault, result.field) == (None, None)


def test_the_result_tells_what_the_server_is(tactical: SimulatedTactical) -> None:
    result, _ = run(tactical, tactical.api_key)

    truth = tactical.control.truth
    assert set(result.organizations) == {(each["pk"], each["name"]) for each in truth.clients()}
    assert result.agent_ids == set(tactical.control.agents.ids())
    assert (result.beta_api, result.restricted, result.server_version) == (True, False, "1.5.1")
    assert "3 organizations and 24 agents" in result.message


def test_only_little_is_asked_for(tactical: SimulatedTactical) -> None:
    """Neither every alert nor all software nor a page of agents: minutes on a large server."""
    run(tactical, tactical.api_key)

    entries = tactical.control.log.entries()
    assert sum(entry.bytes for entry in entries) < 100_000
    assert len(entries) <= 14


@pytest.mark.parametrize("user", ["apiuser", "admin"])
def test_a_user_passes_too(tactical: SimulatedTactical, user: str) -> None:
    secret = tactical.credentials.totp_secret
    known = api_user(tactical) if user == "apiuser" else admin(tactical, totp_secret=secret)

    assert run(tactical, known)[0].ok


# --- One fault each -------------------------------------------------------------------------

Arrange = Callable[[SimulatedTactical], Credentials | str]


def faulty(kind: str, path: str, **columns: Any) -> Arrange:
    def arrange(server: SimulatedTactical) -> str:
        server.control.faults.add(kind, path, times=None, **columns)
        return server.api_key

    return arrange


def keyed(**role: Any) -> Arrange:
    return lambda server: server.control.access.add_key(**role)


def throttled(server: SimulatedTactical) -> Credentials:
    for _ in range(10):
        run(server, api_user(server))
    return api_user(server)


def blocked(server: SimulatedTactical) -> Credentials:
    server.control.access.edit_user("apiuser", block_dashboard_login=True)
    return api_user(server)


FAULTS: dict[str, tuple[Arrange, str, str, str | None, str]] = {
    # name: (what is wrong, step, fault, field, part of the message)
    "wrong key": (lambda _: "A" * 32, "credentials", "wrong_key", "api_key", "does not know"),
    "no key": (lambda _: "", "credentials", "wrong_key", "api_key", "does not know"),
    "odd key": (lambda _: "schlüssel €\n", "credentials", "wrong_key", "api_key", "does not know"),
    "expired": (keyed(expires_in=-1), "credentials", "expired_key", "api_key", "has expired"),
    "inactive": (keyed(active=False), "credentials", "inactive_user", "api_key", "inactive"),
    "password": (blocked, "credentials", "wrong_password", "password", "user name and password"),
    "no code": (admin, "credentials", "totp_needed", "totp_code", "one-time code"),
    "code": (
        lambda server: admin(server, totp_code="000000"),
        "credentials",
        "totp_wrong",
        "totp_code",
        "refuses the one-time code",
    ),
    "throttled": (throttled, "credentials", "login_throttled", None, "10 sign-ins a minute"),
    **{
        word: (keyed(without=[f"can_list_{word}"]), word, "missing_permission", None, word)
        for word in ("clients", "sites", "agents", "alerts", "software")
    },
    "no role": (keyed(permissions=[]), "clients", "missing_permission", None, "can_list_clients"),
    "redirect": (
        faulty("redirect", "/", location="https://sso.example.com/?canary=1"),
        "api_host",
        "redirect",
        "base_url",
        "https://sso.example.com",
    ),
    "dashboard": (faulty("html", "*"), "api_host", "dashboard_host", "base_url", "dashboard"),
    "crashing": (
        faulty("status", "/clients/", status=500),
        "clients",
        "server_error",
        None,
        "status 500",
    ),
    "down": (faulty("status", "*", status=502), "api_host", "server_error", None, "status 502"),
    "cut": (faulty("cut_json", "/agents/"), "agents", "unexpected_answer", None, "cut off"),
    "page": (faulty("html", "/agents/"), "agents", "unexpected_answer", None, "web page"),
    "other": (faulty("json", "/", body={"name": "x"}), "api_host", "not_tactical", "base_url", ""),
    "gone": (faulty("status", "/", status=404), "api_host", "not_tactical", "base_url", ""),
    "empty": (faulty("empty", "/"), "api_host", "not_tactical", "base_url", "not Tactical"),
    "part": (faulty("status", "/clients/", status=404), "clients", "not_tactical", "base_url", ""),
    "busy": (
        faulty("status", "/agents/", status=429, retry_after=900),
        "agents",
        "throttled",
        None,
        "15 minutes",
    ),
    "reset": (faulty("reset", "/"), "address", "connection_lost", "base_url", "broke off"),
    "drop": (faulty("drop", "/agents/"), "agents", "connection_lost", "base_url", "broke off"),
    "short": (faulty("truncated", "/clients/"), "clients", "connection_lost", "base_url", ""),
    "bomb": (faulty("gzip_bomb", "/agents/"), "agents", "too_large", "base_url", "larger"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_step_word_field_and_message(
    tactical: SimulatedTactical, name: str
) -> None:
    arrange, step, fault, field, words = FAULTS[name]

    result, shown = run(tactical, arrange(tactical))

    assert (result.ok, result.fault, result.field) == (False, fault, field)
    assert words in result.message
    last = shown[-1]
    assert (last.name, last.state, last.fault, last.field) == (step, "failed", fault, field)
    assert last.message == result.message
    assert list(ended(shown)) == ALL[: ALL.index(step) + 1]
    assert "canary" not in result.message


def test_a_missing_permission_names_the_flag_of_the_role(tactical: SimulatedTactical) -> None:
    for word in ("clients", "sites", "agents", "alerts", "software"):
        key = tactical.control.access.add_key(without=[f"can_list_{word}"])
        result, _ = run(tactical, key)
        assert f"can_list_{word}" in result.message
        assert f"list {word}" in result.message


@pytest.mark.fleet(agents=0)
def test_the_permission_for_software_is_seen_without_an_agent(tactical: SimulatedTactical) -> None:
    result, shown = run(tactical, tactical.api_key)
    key = tactical.control.access.add_key(without=["can_list_software"])

    assert result.ok
    assert ended(shown)["agents"] == "note"
    assert run(tactical, key)[0].fault == "missing_permission"


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("dashboard", "dashboard_host"),
        ("redirecting", "redirect"),
        ("json", "not_tactical"),
        ("html404", "not_tactical"),
    ],
)
def test_other_hosts_get_no_credentials(kind: Any, fault: str) -> None:
    with OtherHost(kind) as host:
        result, _ = run(host.url)

        assert (result.fault, result.field) == (fault, "base_url")
        assert host.requests == 1


def test_a_host_that_tactical_does_not_know_itself_by(tactical: SimulatedTactical) -> None:
    tactical.control.server.set(allowed_hosts=("api.example.com",))

    result, _ = run(tactical, tactical.api_key)

    assert (result.fault, result.field) == ("host_not_allowed", "base_url")


@pytest.mark.parametrize("tls", ["self-signed", "expired", "other-host"])
def test_a_bad_certificate_fails_the_step_of_tls(tls: Any) -> None:
    with SimulatedTactical(FleetSpec(agents=0), tls=tls) as server:
        result, shown = run(f"https://localhost:{server.port}", server.api_key)

    assert result.fault == "bad_certificate"
    assert ended(shown) == {"address": "ok", "tls": "failed"}


def test_with_tls_that_step_passes(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    with SimulatedTactical(FleetSpec(agents=0), tls="self-signed") as server:
        bundle.write_bytes(server.certificate)
        door = Door(LOOPBACK, bundle)
        url = f"https://localhost:{server.port}"
        session = TacticalSession(url, ApiKey(server.api_key), door, interactive=True)
        result = probe(Tactical(session), lambda _step: None)
        door.close()

    assert result.ok
    assert result.steps[1].state == "ok"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://no-such-host.invalid", "name_not_resolved"),
        ("https://169.254.169.254", "address_refused"),
        ("http://[::1]:1", "address_refused"),
        ("http://127.0.0.1:1", "connection_refused"),
    ],
)
def test_an_address_that_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch, url: str, fault: str
) -> None:
    resolve = socket.getaddrinfo

    def offline(host: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", offline)

    result, shown = run(url)

    assert (result.fault, result.field) == (fault, "base_url")
    assert ended(shown) == {"address": "failed"}


def test_plain_http_outside_the_opened_networks_sends_nothing(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.egress.policy.DENIED", ())
    door = Door(EgressPolicy())
    session = TacticalSession(tactical.url, ApiKey(tactical.api_key), door, interactive=True)

    result = probe(Tactical(session), lambda _step: None)

    door.close()
    assert (result.fault, result.field) == ("insecure_url", "base_url")
    assert tactical.control.log.entries() == []


# --- Notes ----------------------------------------------------------------------------------


def test_beta_off_is_a_note(tactical: SimulatedTactical) -> None:
    tactical.control.server.set(beta_enabled=False)

    result, shown = run(tactical, tactical.api_key)

    assert (result.ok, result.beta_api, result.restricted) == (True, False, None)
    assert ended(shown)["beta"] == "note"
    assert "switched off" in next(s.message for s in shown if s.name == "beta" and s.message)


def test_a_key_limited_to_some_clients_is_a_note(tactical: SimulatedTactical) -> None:
    key = tactical.control.access.add_key(clients=[1])

    result, shown = run(tactical, key)

    assert (result.ok, result.beta_api, result.restricted) == (True, True, True)
    assert ended(shown)["beta"] == "note"
    assert len(result.organizations) == 1


def test_a_version_that_is_not_told_is_a_note(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("status", "/core/dashinfo/", status=500, times=None)

    result, shown = run(tactical, tactical.api_key)

    assert (result.ok, result.server_version) == (True, None)
    assert ended(shown)["version"] == "note"


# --- Time -----------------------------------------------------------------------------------


def test_one_hiccup_of_the_network_does_not_fail_the_test(tactical: SimulatedTactical) -> None:
    for path in ("/", "/clients/", "/agents/"):
        tactical.control.faults.add("drop", path, times=1)

    assert run(tactical, tactical.api_key)[0].ok


def test_the_whole_test_has_an_end(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "LONGEST", -1.0)

    result, shown = run(tactical, tactical.api_key)

    assert result.fault == "timeout"
    assert shown[-1].name == "api_host"
