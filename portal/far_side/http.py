"""One HTTP request to a far side, its answer, and what of it people may be shown."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from portal.egress import EgressError, Limits
from portal.far_side.escaping import cut, one_line
from portal.far_side.form import Rejected, Way

LIMITS = Limits(connect=5, idle=10, total=15, largest=64 * 1024)
LONGEST_URL = 1000
LONGEST_QUOTE = 200
"""Characters of an answer that people are shown."""
SHORTEST_SECRET = 6
"""Shorter pieces of an address would redact common words."""
REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def read_json(self) -> Any:
        """None for what is no JSON."""
        with suppress(ValueError, RecursionError):
            return json.loads(self.body)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`secrets`: what must not come back in an answer that is shown; the address is among them,
    unless it is known to hold none."""

    url: str = field(repr=False)
    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content_type: str = "application/json"
    secrets: Iterable[str] = field(default=(), repr=False)
    is_address_secret: bool = True


def make_json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode(errors="replace")


def ask(gateway: Way, request: Request, limits: Limits = LIMITS) -> Reply:
    """The far side's answer, as far as it came. Raises EgressError, and ValueError for a header
    that cannot be sent.

    Without its body where that breaks off: the status says that the request arrived.
    """
    headers = {"Content-Type": request.content_type} | dict(request.headers)
    with gateway.stream(
        request.method, request.url, headers=headers, data=request.body, limits=limits
    ) as stream:
        body = b""
        with suppress(EgressError):
            body = stream.read().body
        return Reply(stream.status, stream.headers, body)


def quote_answer(body: bytes, request: Request) -> str:
    """The beginning of an answer in one line, without any secret that it repeats."""
    text = body.decode(errors="replace")
    for secret in sorted(set(_list_needles(request)), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return cut(one_line(text), LONGEST_QUOTE)


def _list_needles(request: Request) -> Iterable[str]:
    """Each secret and each piece of the address, as servers write them."""
    pieces = _split_address(request.url) if request.is_address_secret else []
    for piece in (*pieces, *request.secrets):
        if len(piece) >= SHORTEST_SECRET:
            yield from (piece, quote(piece, safe=""), html.escape(piece))
            yield from (json.dumps(piece)[1:-1], piece.replace("/", "\\/"))


def _split_address(url: str) -> list[str]:
    parts = urlsplit(url)
    values = [pair.partition("=")[2] for pair in parts.query.split("&")]
    return [url, parts.path, parts.query, *parts.path.split("/"), *values]


def clean_url(text: str, field_name: str = "url") -> str:
    """The address as it will be called. Raises Rejected.

    Where it leads is checked by `portal.egress` at each call: names change their addresses.
    """
    url = text.strip()
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        has_port = False
    if not has_port or parts.scheme not in ("http", "https") or not parts.hostname:
        raise Rejected({field_name: "Enter a complete address, such as https://example.com/hook."})
    if parts.username is not None or parts.password is not None:
        raise Rejected({field_name: "Leave out the username and password, and use a header."})
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise Rejected(
            {field_name: f"Use at most {LONGEST_URL:,} plain characters, without spaces."}
        )
    return parts._replace(fragment="").geturl()


def get_host(url: str) -> str:
    """All of an address that may be shown: the rest may hold a token."""
    return urlsplit(url).netloc
