"""A subscriber's server on loopback: it checks signatures with the scheme's own library."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

Planned = tuple[int, dict[str, str]]


class Receiver:
    """`received` are the bodies that were verified; `ids` their webhook-ids, of all attempts.

    `plan` holds what the next calls are answered; after that, 204.
    """

    def __init__(self) -> None:
        self.secret = ""
        self.received: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.attempts: list[str] = []
        self.plan: list[Planned] = []
        self.mistakes: list[Exception] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = receiver.take(body, dict(self.headers))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def take(self, body: bytes, headers: dict[str, str]) -> Planned:
        self.attempts.append(headers["webhook-id"])
        try:
            message = Webhook(self.secret).verify(body, headers)
        except Exception as error:
            self.mistakes.append(error)
            return 401, {}
        status, more = self.plan.pop(0) if self.plan else (204, {})
        if 200 <= status < 300:
            self.received.append(message)
            self.ids.append(headers["webhook-id"])
        return status, more

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.received]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.stop()
