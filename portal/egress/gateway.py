"""One request to the outside, within limits, or one error that says what went wrong."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import requests

from portal.egress.connection import GuardedAdapter
from portal.egress.errors import EgressError
from portal.egress.limits import Limits, Meter
from portal.egress.policy import EgressPolicy
from portal.egress.smtp import Accepted, Envelope, SmtpServer, send_mail, sign_in
from portal.egress.translation import translated
from portal.egress.waiting import check_open

log = logging.getLogger(__name__)
# It would log whole addresses, in which tokens may stand, and headers that it could not read.
logging.getLogger("urllib3").setLevel(logging.ERROR)

DEFAULT_HEADERS = {"User-Agent": "rmm-portal", "Accept-Encoding": "identity"}

_SENDABLE = re.compile(r"[\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?|")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (case-insensitive names) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return read_content_type(self.headers)


@dataclass(slots=True)
class Stream:
    """Status and headers of an answer whose body is still coming."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]
    certificate_ends_at: datetime | None = None
    """Until when the server's certificate is valid; None without TLS."""

    @property
    def content_type(self) -> str:
        return read_content_type(self.headers)

    def read(self) -> Answer:
        """Wait for all of it. Raises EgressError."""
        body = io.BytesIO()
        for chunk in self.chunks:
            body.write(chunk)
        return Answer(self.status, self.headers, body.getvalue())


class Gateway:
    """The one way out. It follows no redirect, keeps no cookie and asks no proxy.

    It may be used by several threads, and made before a fork, but not used before one.
    """

    def __init__(self, policy: EgressPolicy, ca_bundle: Path | None = None) -> None:
        self._policy, self._ca_bundle = policy, ca_bundle
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_bundle) if ca_bundle else True
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.clear()
        self._session.headers.update(DEFAULT_HEADERS)
        self._adapter = GuardedAdapter(policy)
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)

    def close(self) -> None:
        """Close the connections that are kept for later requests."""
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
            return stream.read()

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
        given_up: Event | None = None,
    ) -> Iterator[Stream]:
        """The answer, its body in chunks of any size. Raises EgressError, between chunks too.

        Leaving early closes the connection; so does setting `given_up` in another thread.
        Raises ValueError for a header that cannot be sent, and CalledInRequest in a web request.
        """
        check_open()
        host = urlsplit(url).hostname or ""
        meter = Meter(host, limits, given_up)
        with _logged(method, host, meter), meter.running(), translated(host):
            response = self._send(method, url, headers, json, data, limits)
        log.info("%s to %s: %s", method, host, response.status_code)
        try:
            yield Stream(
                response.status_code,
                response.headers,
                _read_chunks(response, host, meter),
                self._adapter.find_certificate_end(url),
            )
        finally:
            response.close()

    def send_mail(self, server: SmtpServer, envelope: Envelope, *, limits: Limits) -> Accepted:
        """Raises SmtpRefused, EgressError, and CalledInRequest in a web request."""
        check_open()
        meter = Meter(server.host, limits)
        with _logged("SMTP", server.host, meter):
            return send_mail(self._policy, self._ca_bundle, server, envelope, meter, limits)

    def sign_in_to_mail(self, server: SmtpServer, *, limits: Limits) -> None:
        """Whether it would take mail from us. Raises SmtpRefused, EgressError, and CalledInRequest
        in a web request."""
        check_open()
        meter = Meter(server.host, limits)
        with _logged("SMTP", server.host, meter):
            sign_in(self._policy, self._ca_bundle, server, meter, limits)

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: Any,
        data: bytes | None,
        limits: Limits,
    ) -> requests.Response:
        _check_headers(headers)
        return self._session.request(
            method,
            url,
            headers=headers,
            json=json,
            data=data,
            timeout=(limits.connect, limits.idle),
            allow_redirects=False,
            stream=True,
        )


@contextmanager
def _logged(method: str, host: str, meter: Meter) -> Iterator[None]:
    """In the log, with the id of what asked for it. Not the path, in which tokens may stand."""
    try:
        yield
    except EgressError as error:
        error.was_sent = meter.was_sent
        log.info("%s to %s: %s", method, host, error.fault)
        raise


def _read_chunks(response: requests.Response, host: str, meter: Meter) -> Iterator[bytes]:
    while True:
        with meter.running(), translated(host):
            # `read1` gives what is there: little that comes slowly is not waited for.
            chunk = response.raw.read1(meter.get_ahead(), decode_content=True)
        if not chunk:
            return
        meter.count_output(len(chunk))
        yield chunk


def read_content_type(headers: Mapping[str, str]) -> str:
    """In lower case, without parameters; empty when there is none."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _check_headers(headers: Mapping[str, str]) -> None:
    """The libraries would raise too, but with the value, which may be a secret, in the text."""
    for name, value in headers.items():
        if not _SENDABLE.fullmatch(value):
            raise ValueError(f"The header {name} holds characters that cannot be sent.")
