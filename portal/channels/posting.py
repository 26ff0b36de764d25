"""One request to a far side that is told by HTTP, and what its answer means."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from portal.channels.escaping import cut, one_line
from portal.channels.kind import Outcome, Rejected, Result, Way
from portal.egress import EgressError, Limits, read_retry_after

LIMITS = Limits(connect=5, idle=10, total=15, largest=64 * 1024)
LONGEST_URL = 1000
LONGEST_QUOTE = 200
"""Characters of an answer that people are shown."""
SHORTEST_SECRET = 6
"""Shorter pieces of an address would redact common words."""
OF_THE_MESSAGE = (400, 409, 413, 415, 422)
"""The message itself is refused. Any other status is about the channel, whose address was revoked,
say: that is tried again, so that what waits arrives once somebody mends it."""
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
class Post:
    """`secrets`: what must not come back in an answer that is shown; the address is among them."""

    url: str = field(repr=False)
    body: bytes
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content_type: str = "application/json"
    secrets: Iterable[str] = field(default=(), repr=False)


def make_json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode(errors="replace")


def send(gateway: Way, post: Post) -> Reply | Outcome:
    """What the far side said, or why it said nothing."""
    headers = {"Content-Type": post.content_type, **post.headers}
    try:
        with gateway.stream(
            post.method, post.url, headers=headers, data=post.body, limits=LIMITS
        ) as stream:
            body = b""
            # The status says that it arrived; what becomes of the rest changes nothing.
            with suppress(EgressError):
                body = stream.read().body
            return Reply(stream.status, stream.headers, body)
    except EgressError as error:
        return Outcome(
            result=Result.LOST if error.was_sent else Result.FAILED, answer=error.message
        )
    except ValueError:
        return Outcome(
            result=Result.FAILED, answer="A header of this channel cannot be sent. Enter it again."
        )


def judge(reply: Reply, post: Post, words: str | None = None) -> Outcome:
    """By the status alone. `words`: what the far side means, in place of its own text."""
    said = words if words is not None else quote_answer(reply.body, post)
    answer = f"Answered {reply.status}" + (f": {said}" if said else ".")
    if 200 <= reply.status < 300:
        return Outcome(result=Result.SENT, answer=answer)
    if 300 <= reply.status < 400:
        answer = (
            f"Answered {reply.status}, a redirect. Redirects are not followed: enter the address "
            "that it points to."
        )
    if reply.status in OF_THE_MESSAGE:
        return Outcome(result=Result.REFUSED, answer=answer)
    retry_after = read_retry_after(reply.headers.get("Retry-After", ""))
    return Outcome(result=Result.FAILED, answer=answer, retry_after=retry_after)


def quote_answer(body: bytes, post: Post) -> str:
    """The beginning of an answer in one line, without any secret that it repeats."""
    text = body.decode(errors="replace")
    for secret in sorted(set(_list_needles(post)), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return cut(one_line(text), LONGEST_QUOTE)


def _list_needles(post: Post) -> Iterable[str]:
    """Each secret and each piece of the address, as servers write them."""
    parts = urlsplit(post.url)
    pieces = [post.url, parts.path, parts.query, *parts.path.split("/")]
    pieces += [pair.partition("=")[2] for pair in parts.query.split("&")]
    for piece in (*pieces, *post.secrets):
        if len(piece) >= SHORTEST_SECRET:
            yield from (piece, quote(piece, safe=""), html.escape(piece))
            yield from (json.dumps(piece)[1:-1], piece.replace("/", "\\/"))


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
