"""The outermost layer of the server: applies the faults and keeps the request log."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from tactical_simulator.answers import HTML_TYPE, JSON_TYPE, ROW_FAULTS, crash_page, not_found_page
from tactical_simulator.faults import Fault
from tactical_simulator.request_log import LoggedRequest, begin_entry

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from tactical_simulator.state import State

CONTROL = "/_control/"
REPLACING = frozenset({"status", "html", "empty", "json", "redirect", "gzip_bomb"})
BOMB_BYTES = 512 * 1024 * 1024

_Headers = list[tuple[str, str]]
_Answer = tuple[str, _Headers, Iterable[bytes]]

_NGINX_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
DASHBOARD_PAGE = (
    "<!DOCTYPE html><html><head><title>Tactical RMM</title><base href=/></head>"
    '<body><noscript>Please enable JavaScript</noscript><div id="q-app"></div></body></html>'
)
_REASONS = {
    200: "OK", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect",
    308: "Permanent Redirect", 429: "Too Many Requests", 500: "Internal Server Error",
    502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
}  # fmt: skip


class Broken(Exception):
    """The connection ends here, in an orderly way or with a TCP reset."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class Breakage:
    def __init__(self, app: WSGIApplication, state: State) -> None:
        self.app, self.state = app, state

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(CONTROL):
            return self.app(environ, start_response)
        entry = begin_entry(environ)
        due = self.state.faults.due(entry.method, path, entry.query)
        entry.fault = ",".join(fault.kind for fault in due) or None
        started = time.monotonic()
        try:
            status, headers, body = self._answer(environ, due)
        except Broken:
            self.state.log.add(entry)
            raise
        entry.status = int(status.split(" ", 1)[0])
        start_response(status, headers)
        return self._sent(body, entry, due, started)

    def _answer(self, environ: WSGIEnvironment, due: list[Fault]) -> _Answer:
        for fault in due:
            if fault.kind == "slow":
                self.state.stopping.wait(fault.seconds)
            elif fault.kind == "drop":
                raise Broken(reset=False)
            elif fault.kind in ("bad_rows", "fewer_rows"):
                environ[ROW_FAULTS] = fault.spoil
        replacing = next((fault for fault in due if fault.kind in REPLACING), None)
        answer = _replacement(replacing) if replacing else _asked(self.app, environ)
        for fault in due:
            answer = self._bent(fault, *answer)
        return answer

    def _bent(self, fault: Fault, status: str, headers: _Headers, body: Iterable[bytes]) -> _Answer:
        size = fault.size if fault.size is not None else _length(headers) // 2
        if fault.kind == "drip":
            body = self._dripped(body, fault.size or 1, fault.seconds)
        elif fault.kind in ("reset", "truncated"):
            body = _ended(body, size, Broken(reset=fault.kind == "reset"))
        elif fault.kind == "cut_json":
            headers = [header for header in headers if header[0].lower() != "content-length"]
            headers.append(("Content-Length", str(size)))
            body = _ended(body, size, None)
        return status, headers, body

    def _dripped(self, body: Iterable[bytes], size: int, seconds: float) -> Iterator[bytes]:
        for chunk in body:
            for at in range(0, len(chunk), size):
                yield chunk[at : at + size]
                if self.state.stopping.wait(seconds):
                    raise Broken(reset=False)

    def _sent(
        self, body: Iterable[bytes], entry: LoggedRequest, due: list[Fault], started: float
    ) -> Iterator[bytes]:
        try:
            for chunk in body:
                entry.bytes += len(chunk)
                yield chunk
            self._after(due)
        finally:
            entry.seconds = time.monotonic() - started
            self.state.log.add(entry)
            close: Callable[[], None] | None = getattr(body, "close", None)
            if close is not None:
                close()

    def _after(self, due: list[Fault]) -> None:
        for fault in due:
            if fault.kind == "remove_agent":
                agent = self.state.agents.find(fault.agent_id)
                if agent is not None:
                    self.state.remove_agent(agent.pk)


def _asked(app: WSGIApplication, environ: WSGIEnvironment) -> _Answer:
    begun: list[tuple[str, _Headers]] = []

    def start(status: str, headers: _Headers, _exc: Any = None) -> Callable[[bytes], object]:
        begun.append((status, headers))
        return lambda _data: None

    body = app(environ, start)
    return *begun[-1], body


def _length(headers: _Headers) -> int:
    return next((int(value) for name, value in headers if name.lower() == "content-length"), 0)


def _ended(body: Iterable[bytes], size: int, broken: Broken | None) -> Iterator[bytes]:
    left = size
    for chunk in body:
        if len(chunk) >= left:
            yield chunk[:left]
            break
        yield chunk
        left -= len(chunk)
    if broken is not None:
        raise broken


def _replacement(fault: Fault) -> _Answer:
    headers: _Headers = []
    content_type, status, body = HTML_TYPE, fault.status or 200, b""
    if fault.kind == "html":
        body = DASHBOARD_PAGE.encode()
    elif fault.kind == "json":
        content_type, body = JSON_TYPE, msgspec.json.encode(fault.body)
    elif fault.kind == "redirect":
        status, headers = fault.status or 302, [("Location", fault.location)]
    elif fault.kind == "gzip_bomb":
        content_type, body = JSON_TYPE, _bomb(fault.size or BOMB_BYTES)
        headers = [("Content-Encoding", "gzip")]
    elif fault.kind == "status":
        status = fault.status or 500
        content_type, body = _error_body(status, fault.retry_after)
        if status == 429:
            headers = [("Retry-After", str(fault.retry_after))]
    headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    return f"{status} {_REASONS.get(status, 'Error')}", headers, [body]


def _error_body(status: int, retry_after: int) -> tuple[str, bytes]:
    if status == 429:
        text = f"Request was throttled. Expected available in {retry_after} seconds."
        return JSON_TYPE, msgspec.json.encode({"detail": text})
    if status in (500, 404):
        page = crash_page() if status == 500 else not_found_page()
        return HTML_TYPE, page.get_data()
    return HTML_TYPE, _NGINX_PAGE.format(f"{status} {_REASONS.get(status, 'Error')}").encode()


def _bomb(size: int) -> bytes:
    """Blanks in gzip members of 16 MiB: about a thousandth of `size`."""
    block = 16 * 1024 * 1024
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    member = packer.compress(b" " * block) + packer.flush()
    return member * max(1, size // block)
