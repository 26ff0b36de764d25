"""A far side on loopback that takes HTTP requests and answers them as planned."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from portal.clock import utc_now
from tests.support.loopback import LoopbackServer


@dataclass(frozen=True, slots=True)
class Planned:
    """What a call is answered; with `hangs_up` the connection ends without an answer."""

    status: int = 200
    body: str = "ok"
    headers: tuple[tuple[str, str], ...] = ()
    hangs_up: bool = False
    seconds: float = 0
    """How late the answer comes."""


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    planned: Planned = Planned()
    """What it was answered."""
    at: datetime = field(default_factory=utc_now)
    """When it came."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FarSide:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.plan: list[Planned] = []
        far_side = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                planned = far_side.plan.pop(0) if far_side.plan else Planned()
                headers = dict(self.headers)
                far_side.calls.append(Call(self.command, self.path, headers, body, planned))
                time.sleep(planned.seconds)
                if planned.hangs_up:
                    self.close_connection = True
                    return
                answer = planned.body.encode()
                self.send_response(planned.status)
                for name, value in planned.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def do_POST(self) -> None:
                self._take()

            def do_PUT(self) -> None:
                self._take()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = LoopbackServer(Handler)
        self.url = self._server.url

    def stop(self) -> None:
        self._server.stop()


@contextmanager
def answering() -> Iterator[FarSide]:
    far_side = FarSide()
    try:
        yield far_side
    finally:
        far_side.stop()
