"""What was asked of the server, without the secrets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Any

SECRET_HEADERS = frozenset({"X-Api-Key", "Authorization", "Cookie", "X-Mon-Token"})
KEPT = 50_000


@dataclass(slots=True)
class LoggedRequest:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    status: int = 0
    bytes: int = 0
    seconds: float = 0.0
    fault: str | None = None


class RequestLog:
    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[LoggedRequest] = deque(maxlen=KEPT)

    def add(self, entry: LoggedRequest) -> None:
        with self._lock:
            self._entries.append(entry)

    def entries(self) -> list[LoggedRequest]:
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


def begin_entry(environ: dict[str, Any]) -> LoggedRequest:
    headers = {
        name[5:].replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for plain in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(plain):
            headers[plain.replace("_", "-").title()] = environ[plain]
    for name in headers.keys() & SECRET_HEADERS:
        headers[name] = "***"
    return LoggedRequest(
        environ["REQUEST_METHOD"],
        environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
        headers,
    )
