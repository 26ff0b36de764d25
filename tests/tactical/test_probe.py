"""The connection test as a whole: what it asks, when it stops, how long it lasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from portal.egress import EgressPolicy, Gateway
from portal.tactical.api import Tactical
from portal.tactical.http.session import ApiKey, TacticalSession
from portal.tactical.probe import probe as probing
from portal.tactical.probe.probe import Step, probe
from tactical_simulator import FleetSpec, OtherHost, SimulatedTactical
from tests.tactical.probing import check, run
from tests.tactical.talking import LOOPBACK, admin, talking


def test_each_step_is_shown_as_it_begins_and_as_it_ends(tactical: SimulatedTactical) -> None:
    shown: list[Step] = []
    with talking(tactical, tactical.api_key, interactive=True) as api:
        probe(api, shown.append)

    states = [(step.name, step.state) for step in shown]
    assert states[0] == ("address", "running")
    assert states[-1] == ("version", "ok")
    assert [name for name, state in states if state == "running"] == [
        name for name, state in states if state != "running" and name != "tls"
    ]


def test_only_little_is_asked_for(tactical: SimulatedTactical) -> None:
    """Neither every alert nor all software nor a page of agents: minutes on a large server."""
    run(tactical)

    entries = tactical.control.log.entries()
    assert sum(entry.bytes for entry in entries) < 100_000
    assert len(entries) <= 14


def test_alerts_on_the_dashboard_are_counted(tactical: SimulatedTactical) -> None:
    for agent in tactical.control.agents.ids()[:3]:
        tactical.control.alerts.trigger(agent, dashboard=True)

    result, steps = run(tactical)
    assert result.alerts == 3
    assert "3 alerts on Tactical's dashboard" in [step.message for step in steps]


def test_a_secret_for_codes_signs_in(tactical: SimulatedTactical) -> None:
    user = admin(tactical, totp_secret=tactical.credentials.totp_secret)

    assert run(tactical, user)[0].ok


@pytest.mark.parametrize(
    ("fault", "path", "word", "field", "step", "words"),
    [
        ({"kind": "status", "status": 500}, "/clients/", "server_error", None, "clients", "500"),
        ({"kind": "status", "status": 404}, "/clients/", "not_tactical", "base_url", "clients", ""),
        ({"kind": "cut_json"}, "/agents/", "unexpected_answer", None, "agents", "cut off"),
        ({"kind": "empty"}, "/alerts/", "unexpected_answer", None, "alerts", "not JSON"),
        ({"kind": "html"}, "/agents/", "unexpected_answer", None, "agents", "web page"),
        ({"kind": "redirect"}, "/agents/", "redirect", "base_url", "agents", "elsewhere.example"),
        (
            {"kind": "status", "status": 429, "retry_after": 900},
            "/agents/",
            "throttled",
            None,
            "agents",
            "15 minutes",
        ),
        ({"kind": "reset"}, "/", "connection_lost", "base_url", "address", "was lost"),
        ({"kind": "drop"}, "/agents/", "connection_lost", "base_url", "agents", "was lost"),
        ({"kind": "truncated"}, "/clients/", "connection_lost", "base_url", "clients", ""),
        ({"kind": "gzip_bomb"}, "/agents/", "too_large", "base_url", "agents", "larger"),
        ({"kind": "json", "body": "text"}, "/clients/", "unexpected_answer", None, "clients", ""),
        ({"kind": "json", "body": [1, 2]}, "/agents/", "unexpected_answer", None, "agents", ""),
    ],
)
def test_a_server_that_fails_at_a_later_step(
    tactical: SimulatedTactical,
    fault: dict[str, Any],
    path: str,
    word: str,
    field: str | None,
    step: str,
    words: str,
) -> None:
    tactical.control.faults.add(**fault, path=path, times=None)

    check(run(tactical), word, field, step, words)


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
        result, _ = run(host.url, "canary")

        assert (result.fault, result.field) == (fault, "base_url")
        assert host.requests == 1


def test_a_host_name_that_tactical_does_not_take(tactical: SimulatedTactical) -> None:
    tactical.control.server.set(allowed_hosts=("api.example.com",))

    check(run(tactical), "host_not_allowed", "base_url", "api_host", "API's own name")


@pytest.mark.fleet(agents=0)
def test_the_permission_for_software_is_seen_without_an_agent(tactical: SimulatedTactical) -> None:
    key = tactical.control.access.add_key(without=["can_list_software"])

    assert run(tactical)[0].ok
    check(run(tactical, key), "missing_permission", None, "software", "can_list_software")


def test_with_tls_that_step_passes(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    with SimulatedTactical(FleetSpec(agents=0), tls="self-signed") as server:
        bundle.write_bytes(server.certificate)
        gateway = Gateway(LOOPBACK, bundle)
        url = f"https://localhost:{server.port}"
        session = TacticalSession(url, ApiKey(server.api_key), gateway, interactive=True)
        result = probe(Tactical(session), lambda _step: None)
        gateway.close()

    assert result.ok
    assert [step.state for step in result.steps[:2]] == ["ok", "ok"]


def test_plain_http_outside_the_opened_networks_sends_nothing(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.egress.policy.DENIED", ())
    gateway = Gateway(EgressPolicy())
    session = TacticalSession(tactical.url, ApiKey(tactical.api_key), gateway, interactive=True)

    result = probe(Tactical(session), lambda _step: None)

    gateway.close()
    assert (result.fault, result.field) == ("insecure_url", "base_url")
    assert tactical.control.log.entries() == []


def test_one_hiccup_of_the_network_does_not_fail_the_test(tactical: SimulatedTactical) -> None:
    for path in ("/", "/clients/", "/agents/"):
        tactical.control.faults.add("drop", path, times=1)

    assert run(tactical)[0].ok


def test_the_whole_test_has_an_end(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "MOST_SECONDS", -1.0)

    check(run(tactical), "timeout", "base_url", "api_host", "took longer")
