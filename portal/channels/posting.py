"""One request to a channel that is told by HTTP, and what its answer means."""

from __future__ import annotations

from portal.channels.kind import Outcome, Result
from portal.egress import EgressError, read_retry_after
from portal.far_side.form import Way
from portal.far_side.http import Reply, Request, ask, quote_answer

OF_THE_MESSAGE = (400, 409, 413, 415, 422)
"""The message itself is refused. Any other status is about the channel, whose address was revoked,
say: that is tried again, so that what waits arrives once somebody mends it."""


def send(gateway: Way, request: Request) -> Reply | Outcome:
    """What the far side said, or why it said nothing."""
    try:
        return ask(gateway, request)
    except EgressError as error:
        return Outcome(
            result=Result.LOST if error.was_sent else Result.FAILED, answer=error.message
        )
    except ValueError:
        return Outcome(
            result=Result.FAILED, answer="A header of this channel cannot be sent. Enter it again."
        )


def judge(reply: Reply, request: Request, words: str | None = None) -> Outcome:
    """By the status alone. `words`: what the far side means, in place of its own text."""
    said = words if words is not None else quote_answer(reply.body, request)
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
