"""What can be wrong with the address of a server: each its own word, field and message."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from portal.egress import EgressPolicy, Gateway, Limits
from portal.tactical.api import Tactical
from portal.tactical.http import session
from portal.tactical.http.session import ApiKey, TacticalSession
from portal.tactical.probe.probe import probe
from tactical_simulator import FleetSpec, SimulatedTactical
from tests.tactical.probing import check, run

SMALL = FleetSpec(clients=2, sites=3, agents=6, titles=2, frozen=True)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "HURRIED", Limits(connect=0.3, idle=0.3, total=1))


def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    found = run("https://api.nowhere.example")

    check(found, "name_not_resolved", "base_url", "address", "api.nowhere.example does not resolve")


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    found = run(f"http://127.0.0.1:{port}")

    check(found, "connection_refused", "base_url", "address", "the connection was refused")


@pytest.mark.usefixtures("hasty")
def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = run(f"http://127.0.0.1:{silent.getsockname()[1]}")

    check(found, "timeout", "base_url", "address", "did not answer in time")


def test_a_private_address() -> None:
    gateway = Gateway(EgressPolicy())
    api = Tactical(TacticalSession("https://10.1.2.3", ApiKey("key"), gateway))
    result = probe(api, lambda _: None)
    gateway.close()

    assert (result.fault, result.field) == ("address_refused", "base_url")
    assert "PORTAL_EGRESS_ALLOW" in result.message


@pytest.mark.parametrize(
    ("tls", "words"), [("self-signed", "self-signed"), ("expired", "expired"), ("other-host", "")]
)
def test_a_certificate_that_cannot_be_trusted(tls: Any, words: str) -> None:
    with SimulatedTactical(SMALL, tls=tls) as server:
        found = run(f"https://localhost:{server.port}", server.api_key)

    check(found, "bad_certificate", "base_url", "tls", "cannot be trusted")
    assert found[1][0].state == "ok"


def test_no_tls_where_it_should_be(tactical: SimulatedTactical) -> None:
    found = run(tactical.url.replace("http:", "https:"), tactical.api_key)

    check(found, "bad_certificate", "base_url", "tls", "did not complete the TLS handshake")


def test_the_dashboard(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("html", times=None)

    check(
        run(tactical), "dashboard_host", "base_url", "api_host", "begins with api. instead of rmm."
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect(tactical: SimulatedTactical, status: int) -> None:
    location = "https://user:password@elsewhere.example/path?key=secret"
    tactical.control.faults.add("redirect", "/", status=status, location=location, times=None)

    found = run(tactical)

    check(found, "redirect", "base_url", "api_host", "redirects to https://elsewhere.example.")
    assert len(tactical.control.log.entries()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "json", "body": {"status": "fine"}},
        {"kind": "json", "body": {"name": "another API"}},
        {"kind": "json", "body": ["ok"]},
        {"kind": "json", "body": {"detail": "sign in"}, "status": 401},
        {"kind": "json", "body": {"detail": "no"}, "status": 403},
        {"kind": "json", "body": {"detail": "none"}, "status": 404},
        {"kind": "status", "status": 404},
        {"kind": "empty"},
    ],
)
def test_a_server_that_is_not_tactical(tactical: SimulatedTactical, answer: dict[str, Any]) -> None:
    tactical.control.faults.add(**answer, path="/", times=None)

    check(run(tactical), "not_tactical", "base_url", "api_host", "not Tactical RMM")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_is_down_is_not_taken_for_another(
    tactical: SimulatedTactical, status: int
) -> None:
    tactical.control.faults.add("status", "/", status=status, times=None)

    check(run(tactical), "server_error", None, "api_host", f"status {status}")
