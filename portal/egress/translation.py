"""Every exception of requests, urllib3, ssl and the socket, as one of ours."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from portal.egress.errors import (
    BadCertificate,
    ConnectionLost,
    ConnectionRefused,
    EgressError,
    NameNotResolved,
    NoTls,
    Timeout,
)

REASONS = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.EHOSTUNREACH: "there is no route to it",
    errno.ENETUNREACH: "there is no route to its network",
}

Make = Callable[[str, BaseException], EgressError]


@contextmanager
def translated(host: str) -> Iterator[None]:
    """Raise EgressError in place of what the libraries raise.

    Their exceptions are left behind on purpose: they hold the request, headers included, and
    print its whole address, which may be a secret (that of a webhook often is).
    """
    try:
        yield
    except EgressError:
        raise
    except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
        raise translate(host, error) from None


def translate(host: str, error: BaseException) -> EgressError:
    """The kind that says most of all that `error` wraps; ConnectionLost for the rest."""
    causes = list(_chain(error))
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
    reason = getattr(error, "verify_message", "") or "it could not be verified"
    return BadCertificate(host, reason.rstrip("."))


def _no_tls(host: str, error: BaseException) -> EgressError:
    reason = getattr(error, "reason", None)
    return NoTls(
        host, reason.lower().replace("_", " ") if isinstance(reason, str) else "no handshake"
    )


def _refused(host: str, error: BaseException) -> EgressError:
    number = next((e.errno for e in _chain(error) if isinstance(e, OSError)), None)
    return ConnectionRefused(host, REASONS.get(number or 0, "the connection failed"))


# The order matters: a reset in the handshake is an SSL error too, and urllib3 derives its "no
# connection" from its timeout.
_TRANSLATIONS: tuple[tuple[tuple[type[BaseException], ...], Make], ...] = (
    ((ssl.SSLCertVerificationError,), _certificate),
    ((NameResolutionError, socket.gaierror), lambda host, _: NameNotResolved(host)),
    ((requests.exceptions.InvalidURL, LocationParseError), lambda host, _: NameNotResolved(host)),
    ((ConnectionRefusedError,), _refused),
    (
        (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, ssl.SSLEOFError),
        lambda host, _: ConnectionLost(host),
    ),
    ((TimeoutError, ReadTimeoutError), lambda host, _: Timeout(host)),
    ((NewConnectionError,), _refused),
    ((ConnectTimeoutError,), lambda host, _: Timeout(host)),
    ((ssl.SSLError,), _no_tls),
    ((SSLError, requests.exceptions.SSLError), _no_tls),
    (
        (http.client.BadStatusLine,),
        lambda host, _: ConnectionLost(host, "The server does not speak HTTP."),
    ),
)
