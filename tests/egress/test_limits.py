"""Answers that are too slow or too large."""

from __future__ import annotations

import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterable

import pytest

from portal.egress import Answer, ConnectionLost, Limits, Timeout, TooLarge
from portal.egress.limits import KIB, MIB, Meter
from tests.egress.servers import Script, answer, drip, open_gateway, serve

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def ask(script: Script, limits: Limits) -> Answer:
    with serve(script) as server, open_gateway() as gateway:
        return gateway.request("GET", server.url, headers={}, limits=limits)


def silent(connection: socket.socket, _: bytes) -> str:
    threading.Event().wait(0.3)
    return "close"


def test_a_server_that_never_begins_times_out() -> None:
    with pytest.raises(Timeout):
        ask(silent, Limits(idle=0.05))


@pytest.mark.parametrize(
    "script",
    [
        drip(b"0" * 1000, 0.02, begin=HEAD),
        drip(HEAD, 0.02),
        drip(b"1\r\n0\r\n" * 100, 0.02, begin=HEAD.replace(b"Length: 1000", b"Type: x")),
        drip(
            b"1;" + b"x" * 1000,
            0.02,
            begin=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
    ],
    ids=["body", "header", "no length", "chunk extension"],
)
@pytest.mark.parametrize(
    "limits",
    [Limits(total=0.2), Limits(window=0.1, slowest=1024)],
    ids=["total", "rate"],
)
def test_a_dripping_server_times_out(script: Script, limits: Limits) -> None:
    with pytest.raises(Timeout):
        ask(script, limits)


def test_the_time_that_the_caller_takes_does_not_count() -> None:
    script = answer(b"0" * 2_000_000)
    limits = Limits(total=0.2, window=0.05, slowest=1_000_000)
    with (
        serve(script) as server,
        open_gateway() as gateway,
        gateway.stream("GET", server.url, headers={}, limits=limits) as stream,
    ):
        sizes = [len(next(stream.chunks))]
        threading.Event().wait(0.3)
        sizes += [len(chunk) for chunk in stream.chunks]

    assert sum(sizes) == 2_000_000


def test_more_is_asked_for_at_once_the_more_came() -> None:
    """Each call to a socket costs; one that may hold nothing yet gets no large buffer."""
    meter, asked = Meter("host", Limits()), []
    for _ in range(6):
        asked.append(meter.get_ahead() // KIB)
        meter.count_received(meter.get_ahead())
        meter.count_output(meter.get_ahead())

    assert asked == [32, 32, 64, 128, 256, 256]


def test_a_server_may_think_before_it_begins() -> None:
    meter = Meter("host", Limits(idle=120, total=900))

    meter.count_input(8192, 119)
    for _ in range(100):
        meter.count_input(50_000, 0.5)

    with meter.running():
        assert meter.get_patience() == 120


def test_the_rate_is_that_of_a_window_not_of_the_whole() -> None:
    """A server that sent much at first may not drip for hours on that credit."""
    meter = Meter("host", Limits(slowest=1024, window=30))
    meter.count_input(8192, 0)
    meter.count_input(100 * MIB, 31)

    for _ in range(29):
        meter.count_input(1, 1)
    with pytest.raises(Timeout):
        meter.count_input(1, 1)


def test_a_body_over_the_limit_is_not_read_on() -> None:
    with pytest.raises(TooLarge) as caught:
        ask(answer(b"0" * (3 * MIB)), Limits(largest=2 * MIB))

    assert "2 MiB" in caught.value.message
    assert not caught.value.retryable


def test_a_body_of_just_the_limit_is_fine() -> None:
    assert len(ask(answer(b"0" * (2 * MIB)), Limits(largest=2 * MIB)).body) == 2 * MIB


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_a_bomb_is_refused_before_it_grows(encoding: str) -> None:
    bomb = _pack((b" " * MIB for _ in range(64)), 15 if encoding == "deflate" else 31)
    if "," in encoding:
        bomb = _pack([bomb], 31)
    script = answer(bomb, f"Content-Encoding: {encoding}")
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            ask(script, Limits(largest=128 * MIB))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 8 * MIB


def test_a_body_of_unknown_length_may_end_when_it_likes() -> None:
    def script(connection: socket.socket, _: bytes) -> str:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        return "close"

    assert ask(script, Limits()).body == b"all of it"


def test_a_stream_that_breaks_gives_what_came_and_then_the_error() -> None:
    received: list[bytes] = []
    with (
        serve(answer(b"0" * 500_000, length=1_000_000)) as server,
        open_gateway() as gateway,
        gateway.stream("GET", server.url, headers={}, limits=Limits()) as stream,
        pytest.raises(ConnectionLost),
    ):
        received.extend(stream.chunks)

    assert sum(map(len, received)) == 500_000


def _pack(blocks: Iterable[bytes], window: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return b"".join(packer.compress(block) for block in blocks) + packer.flush()
