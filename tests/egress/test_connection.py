"""The address that was checked is the one that is connected to."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from itertools import cycle
from typing import Any

import pytest

from portal.egress import (
    AddressRefused,
    ConnectionRefused,
    EgressError,
    EgressPolicy,
    Gateway,
    InsecureUrl,
    Limits,
    NameNotResolved,
    Timeout,
)

PUBLIC, METADATA, PRIVATE = "93.184.216.34", "169.254.169.254", "10.0.0.5"


class Network:
    """A made-up DNS, and a net on which the connection failed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: Iterator[Sequence[str]] = cycle([[PUBLIC]])
        self.asked = 0
        self.tried: list[str] = []
        self.problem: OSError = ConnectionRefusedError(111, "refused")
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve)
        monkeypatch.setattr(socket, "create_connection", self._connect)

    def _resolve(self, _host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in next(self.answers)]

    def _connect(self, address: tuple[str, int], _timeout: float) -> socket.socket:
        self.tried.append(address[0])
        raise self.problem


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


def ask(url: str, *opened: str) -> EgressError:
    [error] = ask_often(1, url, *opened)
    return error


def ask_often(times: int, url: str, *opened: str) -> Iterator[EgressError]:
    networks = [ip_network(each) for each in opened]
    gateway = Gateway(EgressPolicy(networks, plain=networks))
    for _ in range(times):
        with pytest.raises(EgressError) as caught:
            gateway.request("GET", url, headers={}, limits=Limits(connect=0.2))
        yield caught.value
    gateway.close()


def test_a_name_that_turns_to_metadata_reaches_nothing_forbidden(network: Network) -> None:
    network.answers = cycle([[PUBLIC], [METADATA], [PRIVATE, "127.0.0.1"]])

    faults = [type(error) for error in ask_often(300, "https://rebinding.example/")]

    assert network.asked == 300  # each time the answer that was checked is the one used
    assert set(network.tried) == {PUBLIC}
    assert faults.count(AddressRefused) == 200


def test_of_several_addresses_only_the_allowed_are_tried(network: Network) -> None:
    network.answers = cycle([[METADATA, "93.184.216.1", PRIVATE, "93.184.216.2", "127.0.0.1"]])

    assert isinstance(ask("https://mixed.example/"), ConnectionRefused)
    assert network.tried == ["93.184.216.1", "93.184.216.2"]


def test_opening_one_network_does_not_open_the_others_of_a_name(network: Network) -> None:
    network.answers = cycle([[PRIVATE, METADATA, "127.0.0.1"]])

    ask("https://inside.example/", "10.0.0.0/8")

    assert network.tried == [PRIVATE]


def test_all_forbidden_is_refused_by_name_and_address(network: Network) -> None:
    network.answers = cycle([[METADATA, PRIVATE]])

    error = ask("https://inside.example/secret-path")

    assert isinstance(error, AddressRefused)
    assert "inside.example is at 169.254.169.254" in error.message
    assert "secret-path" not in error.message
    assert not error.retryable
    assert network.tried == []


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://0/",
    ],
)
def test_however_loopback_is_written_it_is_refused(url: str) -> None:
    assert isinstance(ask(url), AddressRefused | NameNotResolved)


@pytest.mark.parametrize(
    "problem",
    [
        socket.gaierror(socket.EAI_NONAME, "not known"),
        socket.gaierror(socket.EAI_AGAIN, "try again"),
        OSError("the resolver fell over"),
        UnicodeError("label too long"),
    ],
)
def test_a_failing_resolver_fails_closed(
    network: Network, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    error = ask("https://gone.example/")

    assert isinstance(error, NameNotResolved)
    assert "gone.example" in error.message
    assert network.tried == []


def test_a_name_without_addresses_is_not_resolved(network: Network) -> None:
    network.answers = cycle([[]])

    assert isinstance(ask("https://empty.example/"), NameNotResolved)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "exa mple", ".", "a..b"])
def test_what_is_no_name_is_not_resolved(host: str) -> None:
    assert isinstance(ask(f"https://{host}/"), NameNotResolved)


def test_plain_http_to_a_public_address_is_insecure(network: Network) -> None:
    error = ask("http://clear.example/")

    assert isinstance(error, InsecureUrl)
    assert network.tried == []


def test_plain_http_goes_only_to_the_opened_addresses_of_a_name(network: Network) -> None:
    network.answers = cycle([[PUBLIC, PRIVATE]])

    ask("http://inside.example/", "10.0.0.0/8")

    assert network.tried == [PRIVATE]


@pytest.mark.parametrize(
    ("problem", "kind", "words"),
    [
        (ConnectionRefusedError(111, "refused"), ConnectionRefused, "was refused"),
        (OSError(113, "No route to host"), ConnectionRefused, "no route to it"),
        (OSError(101, "Network is unreachable"), ConnectionRefused, "no route to its network"),
        (OSError(99, "Cannot assign address"), ConnectionRefused, "the connection failed"),
        (TimeoutError("timed out"), Timeout, "did not answer in time"),
    ],
)
def test_why_no_connection_came_about(
    network: Network, problem: OSError, kind: type[EgressError], words: str
) -> None:
    network.problem = problem

    error = ask("https://down.example/")

    assert isinstance(error, kind)
    assert words in error.message
    assert error.retryable


def test_the_addresses_of_a_name_are_not_tried_for_ever(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("portal.egress.connection.time.monotonic", lambda: next(clock) / 5)
    network.answers = cycle([[f"93.184.216.{n}" for n in range(100)]])
    network.problem = TimeoutError("timed out")

    assert isinstance(ask("https://many.example/"), Timeout)
    assert len(network.tried) < 10
