"""One gateway for all threads of a process, made before its workers fork."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from portal.egress import Limits, TooLarge
from tests.egress.servers import QUICK, answer, open_gateway, serve

FORKING = """
import os, sys
from ipaddress import ip_network
from portal.egress import Gateway, EgressPolicy, Limits
gateway = Gateway(EgressPolicy([ip_network("127.0.0.0/8")]))
children = []
for number in range(3):
    child = os.fork()
    if child == 0:
        for _ in range(5):
            body = gateway.request(
                "GET", sys.argv[1] + str(number), headers={}, limits=Limits()
            ).body
            assert body == f"/{number}".encode(), body
        os._exit(0)
    children.append(child)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
"""


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64


@pytest.fixture
def echo() -> Iterator[str]:
    server = _Quiet(("127.0.0.1", 0), _Echo)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_threads_get_their_own_answers_under_their_own_limits(echo: str) -> None:
    """Twenty threads, which is more than connections are kept."""
    with open_gateway() as gateway, ThreadPoolExecutor(20) as threads:

        def ask(number: int) -> bool:
            limits = Limits(largest=3) if number % 3 == 0 else QUICK
            path = f"{number:05d}"
            try:
                found = gateway.request("GET", echo + path, headers={}, limits=limits)
            except TooLarge:
                return number % 3 == 0
            return found.body == f"/{path}".encode()

        assert all(threads.map(ask, range(200)))


def test_workers_use_a_door_that_was_made_before_they_forked(echo: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, echo], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_kept_connection_that_the_server_closed_is_not_an_error() -> None:
    closed = Event()

    def once(connection: socket.socket, request: bytes) -> str:
        """Closes without saying so, as a server does whose patience is over."""
        answer(b"ok")(connection, request)
        connection.shutdown(socket.SHUT_WR)
        closed.set()
        return "close"

    with serve(once) as server, open_gateway() as gateway:
        for _ in range(3):
            assert gateway.request("GET", server.url, headers={}, limits=QUICK).body == b"ok"
            assert closed.wait(5)
            closed.clear()

    assert server.connections == 3


def test_a_closed_door_leaves_no_connection_open() -> None:
    with serve(answer(b"ok")) as server:
        with open_gateway() as gateway:
            gateway.request("GET", server.url, headers={}, limits=QUICK)
        assert server.requests
        # The server's thread sees the end of the connection and takes the next one at once.
        with open_gateway() as gateway:
            gateway.request("GET", server.url, headers={}, limits=QUICK)

    assert server.connections == 2
