"""A proxy on loopback that loses what a helpdesk answers to a write."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.support.loopback import LoopbackServer

DROPPED = ("connection", "transfer-encoding", "content-length", "keep-alive")


class Loss(StrEnum):
    ANSWER = "answer"
    """Carried out, and hangs up."""
    END = "end"
    """Carried out, and the answer breaks off."""
    FAILURE = "failure"
    """Carried out, and 502."""
    LATER = "later"
    """Hangs up, and is carried out once `catch_up` is called."""
    REQUEST = "request"
    """Hangs up, and is never carried out."""


@dataclass(frozen=True, slots=True)
class Passed:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class LosingProxy:
    """`plan` holds what is lost of the next writes."""

    def __init__(self, target: str) -> None:
        self.plan: list[Loss] = []
        self._target = urlsplit(target).netloc
        self._late: list[Callable[[], object]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _take(self) -> None:
                proxy.pass_on(self)

            do_GET = do_POST = do_PUT = _take  # noqa: N815

            def log_message(self, *_args: object) -> None:
                pass

        self._server = LoopbackServer(Handler)
        self.url = self._server.url

    def stop(self) -> None:
        self._server.stop()

    def catch_up(self) -> None:
        while self._late:
            self._late.pop(0)()

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        is_write = handler.command != "GET"
        loss = self.plan.pop(0) if is_write and self.plan else None
        kept = {n: v for n, v in handler.headers.items() if n.lower() not in DROPPED}
        asked = (handler.command, handler.path, body, kept)
        if loss is Loss.LATER:
            self._late.append(lambda: self._ask(*asked))
        if loss in (Loss.LATER, Loss.REQUEST):
            handler.close_connection = True
            return
        answer = self._ask(*asked)
        if loss is Loss.ANSWER:
            handler.close_connection = True
            return
        if loss is Loss.FAILURE:
            answer = Passed(502, [], b"Bad gateway")
        self._tell(handler, answer, missing=3 if loss is Loss.END else 0)

    def _ask(self, method: str, path: str, body: bytes, headers: Any) -> Passed:
        connection = http.client.HTTPConnection(self._target, timeout=60)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return Passed(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def _tell(self, handler: BaseHTTPRequestHandler, answer: Passed, missing: int) -> None:
        handler.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in DROPPED:
                handler.send_header(name, value)
        if answer.status != 204:
            handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body[: max(0, len(answer.body) - missing)])
        handler.close_connection = handler.close_connection or missing > 0


@contextmanager
def losing(target: str) -> Iterator[LosingProxy]:
    proxy = LosingProxy(target)
    try:
        yield proxy
    finally:
        proxy.stop()
