"""Hosts that a mistyped address leads to."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from tactical_simulator.answers import HTML_TYPE, JSON_TYPE
from tactical_simulator.transport.breakage import DASHBOARD_PAGE
from tactical_simulator.transport.server import Server

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Kind = Literal["dashboard", "redirecting", "json", "html404"]

_ANSWERS = {
    # `rmm.example.com`: answers every path with the single-page application.
    "dashboard": ("200 OK", HTML_TYPE, DASHBOARD_PAGE.encode()),
    "redirecting": ("302 Found", HTML_TYPE, b""),
    "json": ("200 OK", JSON_TYPE, b'{"name":"some other API","version":3}'),
    "html404": ("404 Not Found", HTML_TYPE, b"<html><title>Not here</title></html>"),
}


class OtherHost:
    """Not a Tactical API: answers everything alike. Serves until `stop()`."""

    def __init__(self, kind: Kind, location: str = "https://login.example.com/") -> None:
        self.requests = 0
        self._answer = _ANSWERS[kind]
        self._location = location if kind == "redirecting" else None
        self._server = Server(self._app)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._server.start()

    def _app(self, _environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.requests += 1
        status, content_type, body = self._answer
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        if self._location is not None:
            headers.append(("Location", self._location))
        start_response(status, headers)
        return [body]

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
