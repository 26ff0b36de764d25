"""A network that is opened to one tenant: to nobody else, from the next call on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from portal import create_app
from portal.clock import utc_now
from portal.config import Settings
from portal.db import db
from portal.egress import AddressRefused, EgressError
from portal.errors import InvalidInput, NotFound, Refused
from portal.events.delivery import Message, send
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations import networks
from portal.transport import read_unencrypted
from tests.egress.servers import QUICK, RawServer, answer, serve

INSIDE = "10.20.0.5"
NETWORK = "10.20.0.0/16"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, unencrypted=read_unencrypted(NETWORK))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    """A server that is at 10.20.0.5 for the portal, and on loopback in truth."""
    with serve(answer(b"ok")) as served:
        port = int(served.url.rstrip("/").rpartition(":")[2])

        def resolve(*_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (INSIDE, 80))]

        def reach(address: tuple[str, int], timeout: float) -> socket.socket:
            assert address[0] == INSIDE
            made = socket.socket()
            made.settimeout(timeout)
            made.connect(("127.0.0.1", port))
            return made

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setattr(socket, "create_connection", reach)
        yield served


@pytest.fixture
def tenants(app: Flask) -> tuple[int, int]:
    with app.app_context():
        return add_tenant("Acme", "acme").id, add_tenant("Other", "other").id


@pytest.fixture
def second(app: Flask, settings: Settings) -> Iterator[Flask]:
    """The application of another process, on the same database."""
    other = create_app(settings)
    yield other
    with other.app_context():
        db.engine.dispose()


def change(app: Flask, tenant_id: int, operate: Any, network: str = NETWORK) -> str:
    with app.app_context(), tenant_scope(tenant_id):
        done: str = operate(network)
        return done


def ask(app: Flask, tenant_id: int) -> bytes | type[EgressError]:
    with app.app_context(), tenant_scope(tenant_id):
        gateway = networks.get_gateway()
    try:
        with gateway.stream("GET", "http://inside.example/", headers={}, limits=QUICK) as stream:
            return stream.read().body
    except EgressError as error:
        return type(error)


def test_it_is_open_to_that_tenant_alone(
    app: Flask, tenants: tuple[int, int], server: RawServer
) -> None:
    acme, other = tenants
    assert ask(app, acme) is ask(app, other) is AddressRefused

    change(app, acme, networks.allow_network)

    assert ask(app, acme) == b"ok"
    assert ask(app, other) is AddressRefused  # though a connection there is kept
    assert server.connections == 1


def test_a_change_holds_from_the_next_call_on_in_every_process(
    app: Flask, second: Flask, tenants: tuple[int, int], server: RawServer
) -> None:
    acme, _ = tenants
    with app.app_context(), tenant_scope(acme):
        gateway = networks.get_gateway()

    def get() -> bytes:
        with gateway.stream("GET", "http://inside.example/", headers={}, limits=QUICK) as stream:
            return stream.read().body

    for _ in range(2):
        change(second, acme, networks.allow_network)
        assert get() == b"ok"
        change(second, acme, networks.withdraw_network)
        with pytest.raises(AddressRefused):
            get()


def test_events_go_by_the_same_gateway(
    app: Flask, tenants: tuple[int, int], server: RawServer
) -> None:
    acme, other = tenants
    change(app, acme, networks.allow_network)
    message = Message("evt_1", "test", utc_now(), {})
    problems = {}
    for tenant_id in tenants:
        with app.app_context(), tenant_scope(tenant_id):
            outcome = send(
                networks.get_gateway(), "http://inside.example/", "whsec_MDEyMzQ1", message
            )
            problems[tenant_id] = outcome.problem

    assert problems[acme] is None
    assert "portal tenants allow-network" in (problems[other] or "")


@pytest.mark.one_database
@pytest.mark.parametrize(
    "network",
    [
        *("127.0.0.0/8", "127.0.0.1", "::1", "169.254.0.0/16", "169.254.169.254", "fe80::/10"),
        *("fe80::1", "0.0.0.0/8", "::", "100.100.100.200", "fd00:ec2::254", "::ffff:127.0.0.1"),
    ],
)
def test_what_leads_to_the_machine_or_to_metadata_is_refused(
    app: Flask, tenants: tuple[int, int], network: str
) -> None:
    with pytest.raises(Refused) as caught:
        change(app, tenants[0], networks.allow_network, network)

    assert "PORTAL_EGRESS_ALLOW" in caught.value.message


@pytest.mark.one_database
def test_a_network_is_written_in_one_way_and_opened_once(
    app: Flask, tenants: tuple[int, int]
) -> None:
    acme, other = tenants
    for text in ("10.20.0.0/16", " 10.20.7.9/16 ", "10.20.0.0/255.255.0.0"):
        assert change(app, acme, networks.allow_network, text) == NETWORK
    assert change(app, acme, networks.allow_network, "FD12::/32") == "fd12::/32"
    with app.app_context():
        with tenant_scope(acme):
            assert networks.list_networks() == [NETWORK, "fd12::/32"]
        with tenant_scope(other):
            assert networks.list_networks() == []
    with pytest.raises(NotFound):
        change(app, other, networks.withdraw_network)
    for wrong in ("", "rmm.example.com", "10.0.0.0/33", "10.20.0.0/16, 10.30.0.0/16"):
        with pytest.raises(InvalidInput):
            change(app, acme, networks.allow_network, wrong)
