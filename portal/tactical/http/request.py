"""One request to Tactical: what is asked, how long it may take, and who asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from threading import Event
from typing import Any, Protocol

from portal.egress import Limits, Stream
from portal.tactical.errors import WrongKey

MIB = 1024 * 1024
READ = Limits(idle=120, total=900, largest=512 * MIB)
"""A page of agents or the list of software: Tactical works up to a minute before it begins."""
WHOLE_FLEET = Limits(idle=300, total=3600, largest=8192 * MIB)
"""A list without pages: Tactical thinks for minutes before it begins, and nginx gives it five."""
LARGEST_ROW = 512 * 1024
"""Of an agent in the beta list: 111 KB on average, 140 KB on Windows."""
LEAST_IDLE_SECONDS = 20.0
IDLE_SECONDS_PER_AGENT = 0.1
HURRIED = Limits(connect=5, idle=20, total=40, largest=128 * MIB)
"""While a person waits."""
HURRIED_FLEET = Limits(connect=5, idle=60, total=80, largest=8192 * MIB)
"""Then a list without pages: 3 ms an agent, within what a whole connection test may last."""


class HttpGateway(Protocol):
    """The part of `portal.egress.Gateway` that is used here."""

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any = None,
        limits: Limits,
        given_up: Event,
    ) -> AbstractContextManager[Stream]: ...


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, Any] | None = None
    json: Any = None
    limits: Limits | None = None
    splits: bool = False


def key_header(key: str) -> dict[str, str]:
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise WrongKey  # no key that Tactical makes, and none that a header can carry
    return {"X-API-KEY": key}


def token_header(token: str) -> dict[str, str]:
    return {"Authorization": f"Token {token}"}


def page_limits(page_size: int) -> Limits:
    """Tactical takes about 10 ms an agent, before it begins to answer; it gets ten times that."""
    idle = LEAST_IDLE_SECONDS + page_size * IDLE_SECONDS_PER_AGENT
    return replace(READ, idle=idle, largest=max(64 * MIB, page_size * LARGEST_ROW))
