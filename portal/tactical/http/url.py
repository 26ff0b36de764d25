"""The address of a Tactical server, as people type and paste it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

import idna

from portal.errors import InvalidInput

FIELD = "base_url"
LONGEST_ADDRESS = 2000
DEFAULT_PORTS = {"http": 80, "https": 443}

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def normalise_url(text: str) -> str:
    """`https://host[:port]` of what was entered: the API stands at the root of its host.

    A missing scheme becomes https; a path such as `/api` or a dashboard page, query and
    fragment are dropped. Raises InvalidInput for usernames in it and for what is no address.
    """
    text = text.strip()
    if not text:
        raise InvalidInput("Enter the address of the Tactical API.", field=FIELD)
    if len(text) > LONGEST_ADDRESS or not text.isprintable() or " " in text or "\\" in text:
        raise _unusable()
    parts = _split(text if _SCHEME.match(text) else f"https://{text.lstrip('/')}")
    if parts.scheme not in DEFAULT_PORTS:
        raise InvalidInput("The address must begin with https:// (or http://).", field=FIELD)
    if "@" in parts.netloc:
        raise InvalidInput(
            "Leave the username and password out of the address: they have fields of their own.",
            field=FIELD,
        )
    host, port = _read_host(parts.hostname or ""), parts.port
    return f"{parts.scheme}://{host}" + ("" if _is_default(parts.scheme, port) else f":{port}")


def same_host(one: str, other: str) -> bool:
    """Whether credentials entered for `one` may be sent to `other`; both normalised.

    Not when host or port differ, nor when TLS was given up. Taking TLS up is no other host.
    """
    first, second = urlsplit(one), urlsplit(other)
    weaker = first.scheme == "https" and second.scheme == "http"
    return first.hostname == second.hostname and first.port == second.port and not weaker


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            raise _unusable()
    except ValueError:  # a port that is none, brackets that do not match
        raise _unusable() from None
    return parts


def _is_default(scheme: str, port: int | None) -> bool:
    return port in (None, DEFAULT_PORTS[scheme])


def _read_host(host: str) -> str:
    """The host as it is asked for: an address, or a name in ASCII."""
    if ":" in host:  # urlsplit took the brackets off
        return f"[{_read_ipv6(host)}]"
    name = _to_ascii(host).removesuffix(".")
    if len(name) > 253 or not _HOST.fullmatch(name) or name in DEFAULT_PORTS:
        raise _unusable()
    return name


def _read_ipv6(host: str) -> ipaddress.IPv6Address:
    try:
        found = ipaddress.IPv6Address(host)
    except ValueError:
        raise _unusable() from None
    if found.scope_id is not None:
        raise _unusable()
    return found


def _to_ascii(host: str) -> str:
    """As requests does it. Python's own codec still turns straße.de into strasse.de."""
    if host.isascii():
        return host.lower()
    try:
        return idna.encode(host, uts46=True).decode()
    except UnicodeError:
        raise _unusable() from None


def _unusable() -> InvalidInput:
    return InvalidInput(
        "This is not an address. Enter the API's, such as https://api.example.com.", field=FIELD
    )
