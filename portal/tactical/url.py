"""The address of a Tactical server, as people type and paste it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from portal.errors import InvalidInput

FIELD = "base_url"
LONGEST = 300

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")


def normalise_url(text: str) -> str:
    """`https://host[:port]` of what was entered: the API stands at the root of its host.

    A missing scheme becomes https; a path such as `/api` or a dashboard page, query and
    fragment are dropped. Raises InvalidInput for user names in it and for what is no address.
    """
    text = text.strip()
    if not text:
        raise InvalidInput("Enter the address of the Tactical API.", field=FIELD)
    if len(text) > LONGEST or not text.isprintable() or " " in text:
        raise _unusable()
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        text = f"https://{text.lstrip('/')}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _unusable() from error
    if parts.scheme not in ("http", "https"):
        raise InvalidInput("The address must begin with https:// (or http://).", field=FIELD)
    if "@" in parts.netloc:
        raise InvalidInput(
            "Leave the user name and password out of the address: they have fields of their own.",
            field=FIELD,
        )
    return urlunsplit((parts.scheme, _netloc(host, port, parts.scheme), "", "", ""))


def same_host(one: str, other: str) -> bool:
    """Whether credentials entered for `one` may be sent to `other`.

    Not when host or port differ, nor when TLS was given up.
    """
    first, second = urlsplit(one), urlsplit(other)
    weaker = first.scheme == "https" and second.scheme == "http"
    return first.hostname == second.hostname and first.port == second.port and not weaker


def _netloc(host: str | None, port: int | None, scheme: str) -> str:
    if not host:
        raise _unusable()
    if ":" in host:  # urlsplit took the brackets off and checked it
        name = f"[{host}]"
    else:
        name = _to_ascii(host)
        if len(name) > 253 or not _HOST.fullmatch(name):
            raise _unusable()
    default = {"http": 80, "https": 443}[scheme]
    return name if port in (None, default) else f"{name}:{port}"


def _to_ascii(host: str) -> str:
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError as error:
        raise _unusable() from error


def _unusable() -> InvalidInput:
    return InvalidInput(
        "This is not an address. Enter the API's, such as https://api.example.com.", field=FIELD
    )
