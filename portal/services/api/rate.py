"""How often a token may be used, and how often somebody may show what is none."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import current_app
from limits import parse

from portal.services.accounts.throttle import Throttle, TooManyAttempts, network_of

PER_TOKEN = parse("600 per minute")
REFUSED_PER_NETWORK = parse("30 per minute")


class TooManyRequests(TooManyAttempts):
    """`retry_after`: seconds."""

    def __init__(self, retry_after: int, message: str) -> None:
        super().__init__(retry_after)
        self.message = message


@dataclass(frozen=True, slots=True)
class Rate:
    """What a token has left of this minute; `reset`: in how many seconds the next one begins."""

    limit: int
    remaining: int
    reset: int

    @property
    def is_used_up(self) -> bool:
        return self.remaining < 0


def count_request(token_id: int) -> Rate:
    """The minutes are those of the clock, so that their end is known without asking for it."""
    now = int(time.time())
    length = PER_TOKEN.get_expiry()
    used = _throttle().count(PER_TOKEN, f"api token {token_id} {now // length}")
    return Rate(PER_TOKEN.amount, PER_TOKEN.amount - used, length - now % length)


def count_refusal(address: str) -> None:
    """Somebody showed no token, or one that opens nothing. Raises TooManyRequests."""
    name = f"api refusals of {network_of(address)}"
    if _throttle().count(REFUSED_PER_NETWORK, name) > REFUSED_PER_NETWORK.amount:
        raise TooManyRequests(
            REFUSED_PER_NETWORK.get_expiry(),
            "Too many requests without a token that is valid. Wait a minute.",
        )


def _throttle() -> Throttle:
    throttle: Throttle = current_app.extensions["throttle"]
    return throttle
