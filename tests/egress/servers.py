"""Tiny servers on loopback that answer one connection after the other, byte by byte."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network

from portal.egress import EgressPolicy, Gateway, Limits

LOOPBACK = EgressPolicy([ip_network("127.0.0.0/8")])
QUICK = Limits(connect=1, idle=1, total=5)

Script = Callable[[socket.socket, bytes], object]


class RawServer:
    """`script(connection, request)` writes each answer; `requests` are the texts received.

    With `greets` the script is called at once, with no request, and reads for itself.
    """

    def __init__(self, script: Script, greets: bool = False) -> None:
        self._receive = (lambda _: b"nothing yet") if greets else _receive
        self.requests: list[bytes] = []
        self.connections = 0
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/"
        self.https_url = self.url.replace("http:", "https:")
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                connection.settimeout(0.2)
                self._answer_all(connection)

    def _answer_all(self, connection: socket.socket) -> None:
        """Requests of one connection, until either side closes it."""
        while not self.stopping.is_set():
            try:
                request = self._receive(connection)
                if not request:
                    return
                self.requests.append(request)
                if self._script(connection, request) == "close":
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def stop(self) -> None:
        self.stopping.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


def _receive(connection: socket.socket) -> bytes:
    """One request with its body; nothing when there is none any more."""
    request = connection.recv(65536)
    found = re.search(rb"Content-Length: (\d+)", request)
    while found and len(request) < request.find(b"\r\n\r\n") + 4 + int(found[1]):
        if not (more := connection.recv(65536)):
            return b""
        request += more
    return request


@contextmanager
def serve(script: Script, greets: bool = False) -> Iterator[RawServer]:
    server = RawServer(script, greets)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def open_gateway(policy: EgressPolicy = LOOPBACK) -> Iterator[Gateway]:
    gateway = Gateway(policy)
    try:
        yield gateway
    finally:
        gateway.close()


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Script:
    """A plain answer; with a wrong `length` it ends early."""
    size = len(body) if length is None else length
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers])

    def script(connection: socket.socket, _: bytes) -> str:
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        return "keep" if size == len(body) else "close"

    return script


def drip(text: bytes, seconds: float, begin: bytes = b"") -> Script:
    """`begin` at once, then a byte at a time."""

    def script(connection: socket.socket, _: bytes) -> str:
        connection.sendall(begin)
        pause = threading.Event()
        for at in range(len(text)):
            connection.sendall(text[at : at + 1])
            pause.wait(seconds)
        return "close"

    return script


def reset(connection: socket.socket, _: bytes) -> str:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return "close"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM_ENDS = 48 * 1024 * 1024
"""Where an endless stream ends after all, lest a test that should fail hangs."""

ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers of interim answers": (b"", b"HTTP/1.1 100 Continue\r\n" + b"X: y\r\n" * 50 + b"\r\n"),
    "long headers": (b"HTTP/1.1 200 OK\r\n", b"X-Long: " + b"x" * 60_000 + b"\r\n"),
    "a status line": (b"HTTP/1.1 200 ", b"o"),
    "a chunk's extension": (CHUNKED + b"1;", b"x"),
    "chunks of a byte with long extensions": (CHUNKED, b"1;" + b"x" * 8000 + b"\r\n0\r\n"),
    "trailers": (CHUNKED + b"0\r\n", b"X-Trailer: yes\r\n"),
    "packed blocks of nothing": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08" + b"\0" * 6 + b"\xff",
        b"\x00\x00\x00\xff\xff",
    ),
}
"""How the answer begins, and what follows without an end."""


def endless(begin: bytes, piece: bytes) -> Script:
    """`begin`, then `piece` over and over, as fast as it is taken."""
    block = piece * (64 * 1024 // len(piece) + 1)

    def script(connection: socket.socket, _: bytes) -> str:
        connection.settimeout(10)
        connection.sendall(begin)
        for _turn in range(STREAM_ENDS // len(block)):
            connection.sendall(block)
        return "close"

    return script
