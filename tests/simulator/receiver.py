"""What webhooks are sent to: keeps each request and answers as told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tactical_simulator.transport.server import Server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = "200 OK"
        self.text = '{"ok":true}'
        self.redirects: dict[str, tuple[str, str]] = {}
        """Path to status and location."""
        self._server = Server(self._app)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._server.start()

    @property
    def only(self) -> Received:
        assert len(self.received) == 1, self.received
        return self.received[0]

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
        headers["CONTENT_TYPE"] = environ["CONTENT_TYPE"]
        received = Received(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            environ["QUERY_STRING"],
            headers,
            environ["wsgi.input"].read(),
        )
        self.received.append(received)
        status, location = self.redirects.get(received.path, (self.status, ""))
        body = self.text.encode()
        length = ("Content-Length", str(len(body)))
        start_response(status, [length, ("Location", location)] if location else [length])
        return [body]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop()
