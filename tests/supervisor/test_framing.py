"""Where one request ends and the next begins is read in one way, and each gets one answer."""

from __future__ import annotations

import pytest

from tests.supervisor.web_server import CHUNKED, LIVE, POST, Served, read_answer

BLIND = CHUNKED.replace(b"/echo", b"/blind")
"""Its body is not read by the application, so what is wrong with it shows after the answer."""
WRONG_BODIES = {
    "a size in another notation": b"0x2\r\nhi\r\n0\r\n\r\n",
    "a size with an underscore": b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",
    "lines that end in a line feed": b"2\nhi\n0\n\n",
    "a chunk that is longer than it says": b"2\r\nhi!!0\r\n\r\n",
    "a length among the trailers": b"2\r\nhi\r\n0\r\nContent-Length: 40\r\n\r\n",
}
AMBIGUOUS = {
    "two lengths": b"Content-Length: 2\r\nContent-Length: 0\r\n\r\n",
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in the next line": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunks that are none": b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, 0\r\n\r\n",
    "a length in a line of its own": b"X: a\nContent-Length: 40\r\n\r\n",
}


def _ask_all(server: Served, text: bytes) -> bytes:
    """All that comes until the server ends the connection."""
    with server.connect(text) as connection:
        answers = b""
        while piece := connection.recv(65536):
            answers += piece
    return answers


@pytest.mark.parametrize("kind", WRONG_BODIES)
def test_a_body_that_ends_wrongly_gets_one_answer_and_nothing_follows(
    patient_server: Served, kind: str
) -> None:
    answers = _ask_all(patient_server, BLIND + WRONG_BODIES[kind] + LIVE)
    assert answers.startswith(b"HTTP/1.1 401 ")
    assert answers.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused_with_all_that_follows(
    patient_server: Served, kind: str
) -> None:
    answers = _ask_all(patient_server, POST + AMBIGUOUS[kind] + LIVE)
    assert answers.split(b" ")[1] in (b"400", b"501")
    assert answers.count(b"HTTP/1.1 ") == 1


def test_a_request_inside_a_body_is_no_request(patient_server: Served) -> None:
    text = POST + b"Content-Length: %d\r\n\r\n" % len(LIVE) + LIVE
    with patient_server.connect(text) as connection:
        assert read_answer(connection).endswith(b"\r\n\r\n%d" % len(LIVE))
        connection.sendall(LIVE)
        assert read_answer(connection).endswith(b"alive")


@pytest.mark.parametrize("header", [b"SCRIPT_NAME: /told", b"X-Forwarded-Proto: https"])
def test_a_neighbour_tells_neither_place_nor_scheme(patient_server: Served, header: bytes) -> None:
    """gunicorn believes loopback, where every proxy on this machine connects from, for strangers.
    What a proxy may tell is a setting of the portal's."""
    answer = patient_server.ask(b"GET /told HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nhttp  /told")
