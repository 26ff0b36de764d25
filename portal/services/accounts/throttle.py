"""How often a password may be tried: counted in the same step in which it is allowed.

By account, so that many addresses help nobody; by network, so that many accounts do not
either. A device that signed in to the account before has a count of its own, so that others who
guess lock nobody out who is known.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from redis import RedisError

from portal import queue
from portal.config import Settings
from portal.errors import Refused
from portal.services.accounts.tokens import digest

log = logging.getLogger(__name__)

PER_ACCOUNT = parse("10 per 15 minutes")
"""Also for each device that is known to the account."""
PER_NETWORK = parse("100 per 15 minutes")
PER_UNKNOWN_PROXY = parse("1000 per 15 minutes")
"""Everybody comes from the address of a proxy that the portal does not know of: a hundred failures
of one must not lock the others out."""

REDIS_TIMEOUT_SECONDS = 0.5
PAUSE_WITHOUT_REDIS = 10.0
"""A Redis that is away must not slow each sign-in down."""

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+")


class TooManyAttempts(Refused):
    """`retry_after`: seconds."""

    def __init__(self, retry_after: int) -> None:
        minutes = max(1, -(-retry_after // 60))
        words = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(f"Too many attempts. Wait {words} and try again.")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Caller:
    """Who tries. `device`: what its cookie for the account holds, as it came."""

    address: str
    behind_unknown_proxy: bool = False
    browser: str = ""
    """What it says that it is, in words."""
    device: str = ""


@contextmanager
def attempt(
    caller: Caller, account: str | None = None, device: str | None = None
) -> Iterator[None]:
    """Count the block as an attempt, unless it ends without an error: then it was no guess.

    `account` is the address that was typed, None where none is asked for; `device` the id of a
    device that is known to it. Raises TooManyAttempts instead of running the block.
    """
    throttle: Throttle = current_app.extensions["throttle"]
    counters = list(_list_counters(caller, account, device))
    for counter in counters:
        throttle.take(*counter)
    yield
    for counter in counters:
        throttle.release(*counter)


def count_question(caller: Caller) -> None:
    """Of somebody unknown, which costs a row whatever comes of it. Raises TooManyAttempts."""
    throttle: Throttle = current_app.extensions["throttle"]
    limit = PER_UNKNOWN_PROXY if caller.behind_unknown_proxy else PER_NETWORK
    throttle.take(limit, f"question {network_of(caller.address)}")


def _list_counters(
    caller: Caller, account: str | None, device: str | None
) -> Iterator[tuple[RateLimitItem, str]]:
    """The network first: what it may not try must not lock an account."""
    if device is not None:
        yield PER_ACCOUNT, f"device {device}"
        return
    limit = PER_UNKNOWN_PROXY if caller.behind_unknown_proxy else PER_NETWORK
    yield limit, f"network {network_of(caller.address)}"
    if account is not None:
        yield PER_ACCOUNT, f"account {account}"


def network_of(address: str) -> str:
    """What one customer of a provider is given: a /64 of IPv6, one address of IPv4.

    Some proxies add the port. What is no address stands for itself.
    """
    port = _WITH_PORT.fullmatch(address)
    text = (port[1] or port[2]) if port else address
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


class Throttle:
    """The counts, shared by all processes in Redis. While it is away, each process counts for
    itself: looser, but neither open nor shut."""

    def __init__(self, settings: Settings) -> None:
        pool = queue.connect(settings, REDIS_TIMEOUT_SECONDS).connection_pool
        self._shared = RedisStorage("redis://", connection_pool=pool)
        self._own = MemoryStorage()
        self._away_until = 0.0

    def take(self, limit: RateLimitItem, name: str) -> None:
        """Raises TooManyAttempts when that is one more than the limit."""
        if self.count(limit, name) > limit.amount:
            raise TooManyAttempts(limit.get_expiry())

    def release(self, limit: RateLimitItem, name: str) -> None:
        self.count(limit, name, -1)

    def count(self, limit: RateLimitItem, name: str, more: int = 1) -> int:
        """How many there are with these ones, in the time that the limit is for. Added and read in
        one step."""
        key = limit.key_for(digest(name))
        if time.monotonic() >= self._away_until:
            try:
                return self._shared.incr(key, limit.get_expiry(), more)
            except RedisError as error:
                self._away_until = time.monotonic() + PAUSE_WITHOUT_REDIS
                state = queue.state_of(error)
                log.warning("%s; each process counts for itself: %s", state, error)
        return self._own.incr(key, limit.get_expiry(), more)
