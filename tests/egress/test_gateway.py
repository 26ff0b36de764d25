"""What comes back through the gateway, and what is kept out."""

from __future__ import annotations

import gzip
import logging
import socket
import traceback
import zlib
from pathlib import Path

import pytest

from portal.egress import (
    BadCertificate,
    ConnectionLost,
    EgressError,
    Gateway,
    NoTls,
)
from tactical_simulator import SimulatedTactical
from tactical_simulator.fleet.fleet import FleetSpec
from tests.egress.servers import LOOPBACK, QUICK, RawServer, answer, open_gateway, reset, serve

SECRET = "canary-of-a-secret"


def ask(server: RawServer, path: str = "") -> EgressError:
    with open_gateway() as gateway, pytest.raises(EgressError) as caught:
        gateway.request("GET", server.url + path, headers={"X-API-KEY": SECRET}, limits=QUICK)
    return caught.value


def test_an_answer_is_status_headers_and_body() -> None:
    script = answer(b'{"a":1}', "Content-Type: application/JSON; charset=utf-8", status="404 No")
    with serve(script) as server, open_gateway() as gateway:
        found = gateway.request("GET", server.url, headers={"X-One": "1"}, limits=QUICK)

    assert (found.status, found.body, found.content_type) == (404, b'{"a":1}', "application/json")
    request = server.requests[0]
    assert b"X-One: 1\r\n" in request
    assert b"Accept-Encoding: identity\r\n" in request
    assert b"python" not in request.lower()


def test_json_is_sent_with_its_type() -> None:
    with serve(answer(b"")) as server, open_gateway() as gateway:
        gateway.request("PATCH", server.url, headers={}, json={"top": 1}, limits=QUICK)
        gateway.request("POST", server.url, headers={}, data=b"raw", limits=QUICK)

    assert b"PATCH / HTTP/1.1" in server.requests[0]
    assert b"application/json" in server.requests[0]
    assert server.requests[0].endswith(b'{"top": 1}')
    assert server.requests[1].endswith(b"\r\n\r\nraw")


def test_no_redirect_is_followed() -> None:
    script = answer(b"", "Location: http://127.0.0.1:1/", status="302 Found")
    with serve(script) as server, open_gateway() as gateway:
        found = gateway.request("POST", server.url, headers={}, json={}, limits=QUICK)

    assert found.status == 302
    assert len(server.requests) == 1


def test_no_cookie_is_kept() -> None:
    with serve(answer(b"", "Set-Cookie: session=1; Path=/")) as server, open_gateway() as gateway:
        for _ in range(2):
            gateway.request("GET", server.url, headers={}, limits=QUICK)

    assert b"Cookie" not in server.requests[1]


def test_neither_proxy_nor_netrc_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with serve(answer(b"ok")) as server, open_gateway() as gateway:
        found = gateway.request("GET", server.url, headers={}, limits=QUICK)

    assert found.body == b"ok"
    assert b"Authorization" not in server.requests[0]


def test_a_connection_is_used_again() -> None:
    with serve(answer(b"x" * 1000)) as server, open_gateway() as gateway:
        for _ in range(5):
            gateway.request("GET", server.url, headers={}, limits=QUICK)

    assert (server.connections, len(server.requests)) == (1, 5)


def test_a_stream_left_early_closes_its_connection() -> None:
    with serve(answer(b"x" * 10_000_000)) as server, open_gateway() as gateway:
        for _ in range(2):
            with gateway.stream("GET", server.url, headers={}, limits=QUICK) as stream:
                assert next(stream.chunks)

    assert server.connections == 2


@pytest.mark.parametrize("value", ["ein\nzwei", "a\x00b", "€uro", " blank", "blank ", "a\r\nX: 1"])
def test_a_header_that_cannot_be_sent_is_not_shown(value: str) -> None:
    with serve(answer(b"")) as server, open_gateway() as gateway:
        with pytest.raises(ValueError) as caught:
            gateway.request("GET", server.url, headers={"X-API-KEY": value}, limits=QUICK)
        assert server.requests == []

    assert value not in str(caught.value)


# --- Broken answers -------------------------------------------------------------------------


def test_less_than_the_promised_length_is_a_lost_connection() -> None:
    with serve(answer(b'{"a":1}', length=100)) as server:
        error = ask(server)

    assert isinstance(error, ConnectionLost)
    assert error.retryable


def test_a_chunked_body_without_its_end_is_a_lost_connection() -> None:
    def script(connection: socket.socket, _: bytes) -> str:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        return "close"

    with serve(script) as server:
        assert isinstance(ask(server), ConnectionLost)


@pytest.mark.parametrize("script", [reset, lambda *_: "close"])
def test_a_connection_that_ends_without_an_answer_is_lost(script: object) -> None:
    with serve(script) as server:  # type: ignore[arg-type]
        assert isinstance(ask(server), ConnectionLost)


def test_what_speaks_no_http_is_said_so() -> None:
    def script(connection: socket.socket, _: bytes) -> str:
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        return "close"

    with serve(script) as server:
        error = ask(server)

    assert isinstance(error, ConnectionLost)
    assert "does not speak HTTP" in error.message


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b'{"a": 1}' * 1000)),
        ("deflate", zlib.compress(b'{"a": 1}' * 1000)),
    ],
    ids=["gzip", "deflate"],  # gzip's bytes hold the time, and xdist wants equal names
)
def test_a_body_compressed_unasked_is_unpacked(encoding: str, packed: bytes) -> None:
    with (
        serve(answer(packed, f"Content-Encoding: {encoding}")) as server,
        open_gateway() as gateway,
    ):
        found = gateway.request("GET", server.url, headers={}, limits=QUICK)

    assert found.body == b'{"a": 1}' * 1000


def test_a_body_that_does_not_unpack_is_lost() -> None:
    with serve(answer(b"no gzip at all", "Content-Encoding: gzip")) as server:
        assert isinstance(ask(server), ConnectionLost)


# --- TLS --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        ("self-signed", "self-signed certificate"),
        ("expired", "certificate has expired"),
        ("other-host", "certificate is not valid for 'localhost'"),
    ],
)
def test_a_certificate_must_be_trusted_valid_and_of_this_host(
    tls: str, words: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    with SimulatedTactical(FleetSpec(agents=0), tls=tls) as simulated:  # type: ignore[arg-type]
        bundle.write_bytes(simulated.certificate)
        gateway = Gateway(LOOPBACK, None if tls == "self-signed" else bundle)
        url = f"https://localhost:{simulated.port}/"
        with pytest.raises(BadCertificate) as caught:
            gateway.request("GET", url, headers={"X-API-KEY": SECRET}, limits=QUICK)
        assert simulated.state.log.entries() == []
        gateway.close()

    assert words in caught.value.message
    assert caught.value.fault == "bad_certificate"
    assert not caught.value.retryable


def test_an_own_authority_is_trusted(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    with SimulatedTactical(FleetSpec(agents=0), tls="self-signed") as simulated:
        bundle.write_bytes(simulated.certificate)
        gateway = Gateway(LOOPBACK, bundle)
        url = f"https://localhost:{simulated.port}/"
        found = [gateway.request("GET", url, headers={}, limits=QUICK) for _ in range(2)]
        gateway.close()

    assert [each.body for each in found] == [b'{"status":"ok"}'] * 2


def test_a_server_without_tls_is_told_from_a_bad_certificate() -> None:
    def script(connection: socket.socket, _: bytes) -> str:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        return "close"

    with serve(script) as server, open_gateway() as gateway:
        url = server.url.replace("http:", "https:")
        with pytest.raises(NoTls) as caught:
            gateway.request("GET", url, headers={}, limits=QUICK)

    assert caught.value.fault == "bad_certificate"
    assert "did not complete the TLS handshake" in caught.value.message


# --- Secrets ----------------------------------------------------------------------------------


def test_neither_log_nor_traceback_holds_header_or_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), serve(reset) as server:
        error = ask(server, path=SECRET)

    shown = "".join(traceback.format_exception(error)) + caplog.text
    assert SECRET not in shown
    assert error.__cause__ is None
