"""Answers without an end, of every kind: each ends at the limits of the call."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Event

import pytest

from portal.egress import ConnectionLost, EgressError, Gateway, Limits, Timeout, TooLarge
from portal.egress.limits import FREE_WRAPPING, KIB, MIB, Meter
from tactical_simulator.transport.tls import make_certificate, server_context
from tests.egress.servers import CHUNKED, ENDLESS, LOOPBACK, Script, endless, open_gateway, serve

ONE_READ = 64 * KIB
CONTENT = (CHUNKED, b"1000\r\n" + b"x" * 0x1000 + b"\r\n")


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each read of the socket gave."""
    sizes: list[int] = []
    count = Meter.count_received

    def note(self: Meter, size: int) -> None:
        sizes.append(size)
        count(self, size)

    monkeypatch.setattr(Meter, "count_received", note)
    return sizes


def ask(script: Script, limits: Limits) -> EgressError:
    with serve(script) as server, open_gateway() as gateway, pytest.raises(EgressError) as caught:
        gateway.request("GET", server.url, headers={}, limits=limits)
    return caught.value


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("largest", [64 * KIB, 8192 * MIB], ids=["small", "fleet"])
def test_what_is_no_content_ends_at_a_limit_of_its_own(
    kind: str, largest: int, received: list[int]
) -> None:
    error = ask(endless(*ENDLESS[kind]), Limits(largest=largest))

    if kind in ("a status line", "a chunk's extension"):  # a line of 64 KiB is none
        assert isinstance(error, ConnectionLost)
    else:
        assert isinstance(error, TooLarge)
        assert "128 KiB in addition to its content" in error.message
    assert sum(received) < FREE_WRAPPING + 2 * ONE_READ


def test_content_ends_at_the_limit_of_the_call(received: list[int]) -> None:
    error = ask(endless(*CONTENT), Limits(largest=MIB))

    assert isinstance(error, TooLarge)
    assert "1 MiB unpacked" in error.message
    assert sum(received) < MIB + FREE_WRAPPING


def test_content_that_never_lets_wait_ends_by_the_clock() -> None:
    error = ask(endless(*CONTENT), Limits(total=0.05, largest=8192 * MIB))

    assert isinstance(error, Timeout)
    assert "not complete after 0.05 seconds" in error.message


def test_a_body_that_nobody_takes_ends_by_the_clock() -> None:
    given_up = Event()

    def deaf(connection: socket.socket, _: bytes) -> str:
        given_up.wait(5)
        return "close"

    limits = Limits(total=0.3)
    with serve(deaf, greets=True) as server, open_gateway() as gateway:
        with pytest.raises(Timeout):
            gateway.request("POST", server.url, headers={}, data=b"0" * (32 * MIB), limits=limits)
        given_up.set()


def test_tickets_of_tls_without_an_end_count_too(tmp_path: Path, received: list[int]) -> None:
    certificate, key = make_certificate()
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(certificate)
    context = server_context(certificate, key)
    context.num_tickets = 20_000

    def generous(connection: socket.socket, _: bytes) -> str:
        connection.settimeout(10)
        with context.wrap_socket(connection, server_side=True):
            return "close"

    # The server would take the greeting for a request; so it begins at once.
    with serve(generous, greets=True) as server:
        gateway = Gateway(LOOPBACK, bundle)
        with pytest.raises(TooLarge):
            gateway.request("GET", server.https_url, headers={}, limits=Limits())
        gateway.close()

    assert sum(received) < FREE_WRAPPING + 2 * ONE_READ
