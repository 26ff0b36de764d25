"""How much of a body is read and kept, over a real connection."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.deliveries.conftest import HEADER, PATH, SENT, Intake

KIB = 1024
MIB = 1024 * KIB


def padded(size: int) -> bytes:
    body = json.dumps(SENT | {"message": ""}).encode()
    return body.replace(b'"message": "', b'"message": "' + b"x" * (size - len(body)))


def test_over_64_kib_is_kept_cut_and_processed_whole(intake: Intake) -> None:
    body = padded(64 * KIB + 1)
    kept = intake.get(intake.post(body))
    assert kept.body.encode() == body[:-1]
    assert kept.body_bytes == len(body)
    assert kept.external_alert_id == "503"
    with intake.scope():
        assert len(json.dumps(kept.hint)) < 4 * KIB, "nor is it kept beside the body"


def test_what_fits_is_kept_whole(intake: Intake) -> None:
    body = padded(64 * KIB)
    kept = intake.get(intake.post(body))
    assert kept.body.encode() == body


def test_a_cut_within_a_letter_does_no_harm(intake: Intake) -> None:
    kept = intake.get(intake.post(b"x" + "ü".encode() * 40 * KIB))
    assert len(kept.body) <= 64 * KIB


@pytest.mark.one_database
def test_1_mib_is_taken_and_no_more(intake: Intake) -> None:
    assert intake.get(intake.post(padded(MIB))).body_bytes == MIB
    answer = intake.post(padded(MIB + 1))
    assert answer.status_code == 413
    assert "larger than 1 MiB" in answer.get_json()["message"]
    assert intake.count() == 1


def ask(url: str, headers: dict[str, str], *pieces: bytes) -> bytes:
    """The answer to a request whose body is only begun: its end is never sent."""
    address = urlsplit(url)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((address.hostname or "", address.port or 0), 10) as connection:
        connection.sendall(f"POST {PATH}?tenant=acme HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        for piece in pieces:
            connection.sendall(piece)
        return connection.recv(64 * KIB)


@pytest.mark.one_database
def test_a_declared_length_is_refused_unread(intake: Intake, live_portal: str) -> None:
    answer = ask(live_portal, {HEADER: intake.secret, "Content-Length": "5000000000"})
    assert answer.split()[1] == b"413"


@pytest.mark.one_database
def test_a_stream_without_a_length_is_refused_at_1_mib(intake: Intake, live_portal: str) -> None:
    chunk = b"10000\r\n" + b"x" * 64 * KIB + b"\r\n"
    headers = {HEADER: intake.secret, "Transfer-Encoding": "chunked"}
    assert ask(live_portal, headers, *[chunk] * 16, chunk[:1000]).split()[1] == b"413"
    assert ask(live_portal, headers, chunk, b"0\r\n\r\n").split()[1] == b"202"
    assert intake.count() == 1


@pytest.mark.one_database
@pytest.mark.parametrize(
    "framing", [{"Content-Length": "5000000000"}, {"Transfer-Encoding": "chunked"}]
)
def test_a_stranger_is_refused_before_the_body(
    intake: Intake, live_portal: str, framing: dict[str, str]
) -> None:
    assert ask(live_portal, {HEADER: "wrong", **framing}).split()[1] == b"401"
    assert intake.count() == 0
