"""One request to the outside, within limits, or one error that says what went wrong."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from portal.egress.connection import GuardedAdapter
from portal.egress.errors import (
    BadCertificate,
    ConnectionLost,
    ConnectionRefused,
    EgressError,
    NameNotResolved,
    Timeout,
    TooLarge,
)
from portal.egress.policy import EgressPolicy

CHUNK = 256 * 1024
RATE_GRACE_SECONDS = 30.0
"""How long an answer may begin slowly before the minimum rate holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how large an answer may be. Times in seconds, sizes in bytes."""

    connect: float = 5.0
    idle: float = 30.0
    """Between two pieces of the answer, and before the first."""
    total: float = 300.0
    largest: int = 32 * 1024 * 1024
    """After decompression."""
    slowest: int = 1024
    """Bytes a second on average, once the answer has begun."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (case-insensitive names) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


@dataclass(slots=True)
class Stream:
    """Status and headers of an answer whose body is still coming."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


class Door:
    """The one way out. It follows no redirect, keeps no cookie and asks no proxy."""

    def __init__(self, policy: EgressPolicy, ca_bundle: Path | None = None) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_bundle) if ca_bundle else True
        self._session.cookies.set_policy(_NoCookies())
        adapter = GuardedAdapter(policy)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        self._session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        data: bytes | None = None,
        limits: Limits,
    ) -> Answer:
        """The whole answer, whatever its status. Raises EgressError."""
        with self.stream(
            method, url, headers=headers, json=json, data=data, limits=limits
        ) as stream:
            return Answer(stream.status, stream.headers, b"".join(stream.chunks))

    @contextmanager
    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        data: bytes | None = None,
        limits: Limits,
    ) -> Iterator[Stream]:
        """The answer, its body in chunks of any size. Raises EgressError, between chunks too."""
        host = urlsplit(url).hostname or ""
        deadline = time.monotonic() + limits.total
        with _translated(host):
            response = self._session.request(
                method,
                url,
                headers={"Accept-Encoding": "identity", **headers},
                json=json,
                data=data,
                timeout=(limits.connect, limits.idle),
                allow_redirects=False,
                stream=True,
            )
        try:
            yield Stream(
                response.status_code,
                response.headers,
                _read_chunks(response, host, deadline, limits),
            )
        finally:
            response.close()


def _read_chunks(
    response: requests.Response, host: str, deadline: float, limits: Limits
) -> Iterator[bytes]:
    begun, size = time.monotonic(), 0
    # `read1` gives what is there: a server that drips is measured, not waited for.
    while True:
        with _translated(host):
            chunk = response.raw.read1(CHUNK, decode_content=True)
        if not chunk:
            return
        size += len(chunk)
        now = time.monotonic()
        if size > limits.largest:
            raise TooLarge(host, f"{limits.largest // (1024 * 1024)} MiB")
        if now > deadline:
            raise Timeout(host, f"The answer took longer than {limits.total:.0f} seconds.")
        if now - begun > RATE_GRACE_SECONDS and size < limits.slowest * (now - begun):
            raise Timeout(host, "The answer came too slowly.")
        yield chunk


@contextmanager
def _translated(host: str) -> Iterator[None]:
    """Every exception of requests, urllib3 and the socket, as one of ours."""
    try:
        yield
    except EgressError:
        raise
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise _translate(host, error) from error


def _translate(host: str, error: BaseException) -> EgressError:
    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, EgressError):
            return cause
    for kinds, make in _TRANSLATIONS:
        for cause in causes:
            if isinstance(cause, kinds):
                return make(host, cause)
    return ConnectionLost(host)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it wraps: in its arguments, as its reason, as its cause."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]


def _certificate(host: str, error: BaseException) -> EgressError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return BadCertificate(host, error.verify_message or "it could not be verified")
    return BadCertificate(host, "the server does not speak TLS as it should")


_TRANSLATIONS: tuple[
    tuple[tuple[type[BaseException], ...], Callable[[str, BaseException], EgressError]], ...
] = (
    ((ssl.SSLCertVerificationError,), _certificate),
    ((NameResolutionError, socket.gaierror), lambda host, _: NameNotResolved(host)),
    ((ConnectionRefusedError,), lambda host, _: ConnectionRefused(host)),
    (
        (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError),
        lambda host, _: ConnectionLost(host),
    ),
    ((TimeoutError, ReadTimeoutError), lambda host, _: Timeout(host)),
    # urllib3 derives it from its timeout: no route, network down and the like.
    ((NewConnectionError,), lambda host, _: ConnectionRefused(host)),
    ((ConnectTimeoutError,), lambda host, _: Timeout(host)),
    ((SSLError, ssl.SSLError, requests.exceptions.SSLError), _certificate),
)


class _NoCookies(requests.cookies.cookielib.DefaultCookiePolicy):  # type: ignore[name-defined,misc]
    def set_ok(self, *_: Any) -> bool:
        return False
