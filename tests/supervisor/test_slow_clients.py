"""Clients that are slow to send hold no thread, and not for ever."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from portal.config import LARGEST_REQUEST
from portal.supervisor.request_buffer import LARGEST_HEAD, RequestBuffer
from tests.supervisor.web_server import CHUNKED, LIVE, POST, THREADS, Served, read_answer


@pytest.fixture(scope="module")
def hurried_server() -> Iterator[Served]:
    """It waits hardly at all."""
    server = Served(head_seconds=0.2, body_seconds=0.2)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def small_server() -> Iterator[Served]:
    """Each of its two processes has room for thirty connections."""
    server = Served(connections=30)
    yield server
    server.stop()


HALF_OPEN = {
    "nothing": b"",
    "half a head": b"GET /livez HTTP/1.1\r\nHost: x\r\n",
    "half a body": POST + b"Content-Length: 10\r\n\r\nabc",
    "half a body, its length behind zeros": POST + b"Content-Length: %s10\r\n\r\nabc" % (b"0" * 18),
    "half a chunk": CHUNKED + b"a\r\nabc",
    "a chunk that says it is the last": CHUNKED + b"7\r\n0\r\n\r\n",
    "half the trailers": CHUNKED + b"0\r\nX: y\r\n",
    "too large a body": b"POST /blind HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\nabc",
}


@pytest.mark.parametrize("kind", HALF_OPEN)
def test_two_hundred_half_open_requests_keep_nobody_waiting(
    patient_server: Served, kind: str
) -> None:
    with ExitStack() as held:
        for _ in range(200):
            held.enter_context(patient_server.connect(HALF_OPEN[kind]))
        for _ in range(THREADS):
            assert patient_server.ask(LIVE).endswith(b"\r\n\r\nalive")


@pytest.mark.parametrize("kind", ["nothing", "half a head", "half a body"])
def test_a_flood_beyond_all_room_pushes_out_its_own(small_server: Served, kind: str) -> None:
    with ExitStack() as held:
        for _ in range(200):
            held.enter_context(small_server.connect(HALF_OPEN[kind]))
        for _ in range(THREADS):
            assert small_server.ask(LIVE).endswith(b"\r\n\r\nalive")


@pytest.mark.parametrize("kind", list(HALF_OPEN)[1:-1])
def test_a_request_that_does_not_get_whole_is_closed_with_408(
    hurried_server: Served, kind: str
) -> None:
    with hurried_server.connect(HALF_OPEN[kind]) as connection:
        assert read_answer(connection).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert connection.recv(1) == b""


def test_a_connection_on_which_nothing_is_asked_is_closed_without_a_word(
    hurried_server: Served,
) -> None:
    with hurried_server.connect() as connection:
        assert connection.recv(1) == b""


def test_bytes_that_drip_in_win_no_time(hurried_server: Served) -> None:
    with hurried_server.connect(b"GET /livez HTTP/1.1\r\n") as connection:
        connection.settimeout(0.05)
        answer = b""
        for _ in range(200):
            connection.sendall(b"X")
            try:
                answer = connection.recv(65536)
            except TimeoutError:
                continue
            break

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_clients_that_do_not_hang_up_stall_nobody(patient_server: Served) -> None:
    with ExitStack() as held:
        for _ in range(30):
            connection = held.enter_context(
                patient_server.connect(LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            )
            assert read_answer(connection).endswith(b"alive")
        assert patient_server.ask(LIVE).endswith(b"alive")


# --- What arrives in pieces is whole in the end ------------------------------------------------


WHOLE = {
    "length": (POST + b"Content-Length: 5\r\n\r\nhello", b"5"),
    "no body": (POST + b"\r\n", b"0"),
    "chunks": (CHUNKED + b"5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", b"15"),
    "trailers": (CHUNKED + b"2\r\nhi\r\n0\r\nX: y\r\nZ: z\r\n\r\n", b"2"),
    "an end inside a chunk": (CHUNKED + b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", b"7"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_request_in_single_bytes_is_one_request(patient_server: Served, kind: str) -> None:
    text, length = WHOLE[kind]
    with patient_server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(text)):
            connection.sendall(text[at : at + 1])
        assert read_answer(connection).endswith(b"\r\n\r\n" + length)
        connection.sendall(LIVE)
        assert read_answer(connection).endswith(b"alive")


def test_requests_may_come_all_at_once(patient_server: Served) -> None:
    first, length = WHOLE["chunks"]
    with patient_server.connect(first + LIVE + b"GET /liv") as connection:
        answers = b""
        while not answers.endswith(b"alive") and (piece := connection.recv(65536)):
            answers += piece
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert b"\r\n\r\n" + length + b"HTTP/1.1" in answers
        connection.sendall(b"ez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(connection).endswith(b"alive")


def test_the_largest_body_is_taken_and_a_larger_one_refused(patient_server: Served) -> None:
    for size, status in ((LARGEST_REQUEST, b"200"), (LARGEST_REQUEST + 1, b"413")):
        text = POST + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
        assert patient_server.ask(text).startswith(b"HTTP/1.1 " + status)


def test_chunks_without_an_end_are_refused(patient_server: Served) -> None:
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    assert patient_server.ask(CHUNKED + chunk * 321).startswith(b"HTTP/1.1 413 ")


def test_a_head_without_an_end_is_refused(patient_server: Served) -> None:
    text = b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (LARGEST_HEAD // 6 + 1)
    assert patient_server.ask(text).startswith(b"HTTP/1.1 431 ")


def test_who_waits_for_a_word_before_the_body_gets_it(patient_server: Served) -> None:
    with patient_server.connect(
        POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    ) as connection:
        assert read_answer(connection).startswith(b"HTTP/1.1 100 Continue\r\n")
        connection.sendall(b"hi")
        answers = b""  # gunicorn says the word once more
        while not answers.endswith(b"\r\n\r\n2") and (piece := connection.recv(65536)):
            answers += piece
        assert b"HTTP/1.1 200 OK" in answers


@pytest.mark.parametrize(
    "text",
    [
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"1;" + b"x" * 9000,
        POST + b"Content-Length: x\r\n\r\n",
        POST + b"Content-Length: -5\r\n\r\n",
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_at_once(patient_server: Served, text: bytes) -> None:
    status = patient_server.ask(text).split(b" ")[1]
    assert status in (b"400", b"431", b"500"), status


def test_time_for_the_body_begins_with_the_end_of_the_head() -> None:
    request = RequestBuffer(now=100)
    assert not request.feed(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r", now=109)
    assert request.deadline == 110
    assert not request.feed(b"\n", now=109.5)
    assert request.deadline == 139.5
    assert not request.feed(b"a", now=139)
    assert request.deadline == 139.5
    assert request.feed(b"b", now=139.4)
