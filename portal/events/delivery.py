"""One event to one subscriber: signed, sent, and what came of it.

The scheme is that of https://www.standardwebhooks.com: three headers, and a body of type,
timestamp and data. `docs/events.md` explains to receivers how to check it.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from standardwebhooks import Webhook

from portal.clock import iso_utc, utc_now
from portal.egress import EgressError, Limits, Stream, read_retry_after

LIMITS = Limits(connect=5, idle=10, total=10, largest=64 * 1024)
SECRET_BYTES = 32
GONE = 410


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the same at every attempt, so that a receiver knows what it has already."""

    id: str
    type: str
    occurred_at: datetime
    data: Mapping[str, Any]

    def to_json(self) -> str:
        body = {"type": self.type, "timestamp": iso_utc(self.occurred_at), "data": self.data}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """`problem` is None when the receiver has it; else a sentence for people."""

    problem: str | None = None
    is_gone: bool = False
    """The receiver wants no more, ever."""
    retry_after: float | None = None
    """Seconds that the receiver asks to be left alone."""


def make_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


class HttpGateway(Protocol):
    """The part of `portal.egress.Gateway` that is used here."""

    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str], data: bytes, limits: Limits
    ) -> AbstractContextManager[Stream]: ...


def send(gateway: HttpGateway, url: str, secret: str, message: Message) -> SendOutcome:
    """Never raises for what the receiver or the network does."""
    body = message.to_json()
    now = utc_now()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message.id, now, body),
    }
    try:
        with gateway.stream(
            "POST", url, headers=headers, data=body.encode(), limits=LIMITS
        ) as answer:
            # The status is all that counts. The rest is read to keep the connection.
            with suppress(EgressError):
                answer.read()
            return judge(answer.status, answer.headers)
    except EgressError as error:
        return SendOutcome(problem=error.message)


def judge(status: int, headers: Mapping[str, str]) -> SendOutcome:
    if 200 <= status < 300:
        return SendOutcome()
    if status == GONE:
        return SendOutcome("The receiver answered 410: it no longer wants events.", is_gone=True)
    problem = f"The receiver answered {status} instead of 2xx."
    if 300 <= status < 400:
        problem = (
            f"The receiver answered {status}, a redirect. Redirects are not followed: "
            "enter the address that it points to."
        )
    return SendOutcome(problem, retry_after=read_retry_after(headers.get("Retry-After", "")))
