"""`POST /api/webhooks/tacticalrmm`: no session, no CSRF, the secret before the body."""

from __future__ import annotations

import logging

import msgspec
from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge

from portal.errors import NotFound, SecretUnreadable
from portal.services.accounts.throttle import network_of
from portal.services.deliveries import intake
from portal.services.deliveries.group_commit import NotStored
from portal.services.deliveries.rate import TooManyDeliveries, check_rate
from portal.services.tickets import hints
from portal.services.webhook.keys import identify_sender

log = logging.getLogger(__name__)

PREFIX = "/api/webhooks"

webhooks = Blueprint("webhooks", __name__, url_prefix=PREFIX)

SECRET_HEADER = "X-Alga-Webhook-Secret"  # noqa: S105  # the header's name

FAILURES = parse("30 per minute")
HINTS = parse("120 per minute")
"""Of helpdesks, from one network."""


def make_failure_counter() -> FixedWindowRateLimiter:
    """In this process alone: intake must not wait for Redis, and a guess in 256 bits needs no
    more."""
    return FixedWindowRateLimiter(MemoryStorage())


@webhooks.post("/tacticalrmm")
def receive() -> ResponseReturnValue:
    """Store a delivery of Tactical's. 2xx as soon as it is committed, whatever it says."""
    sender = identify_sender(request.args.get("tenant"), request.headers.get(SECRET_HEADER))
    if sender is None:
        return _refuse()
    check_rate(sender.tenant_id)
    receipt = intake.take_in(sender, _read_body(), request.remote_addr)
    answer = msgspec.json.encode(receipt)
    return current_app.response_class(answer, 202, mimetype="application/json")


@webhooks.post("/helpdesk/<token>")
def take_hint(token: str) -> ResponseReturnValue:
    """Something changed in a helpdesk, whatever it says: what it is, the portal asks itself."""
    caller = network_of(request.remote_addr or "")
    if not _get_limiter().hit(HINTS, f"hint {caller}"):
        return jsonify(ok=False, message="Too many calls. Wait a minute."), 429
    hints.take_hint(token)
    return jsonify(ok=True), 202


def _get_limiter() -> FixedWindowRateLimiter:
    limiter: FixedWindowRateLimiter = current_app.extensions["webhook_failures"]
    return limiter


def _read_body() -> bytes:
    """Raises RequestEntityTooLarge.

    A stream without a length is cut off at the limit without a word; a byte more shows it.
    """
    largest: int = current_app.config["MAX_CONTENT_LENGTH"]
    request.max_content_length = largest + 1
    body = request.get_data(cache=False)
    if len(body) > largest:
        raise RequestEntityTooLarge
    return body


def _refuse() -> ResponseReturnValue:
    """The same for a wrong secret, a missing one and an unknown tenant."""
    failures = _get_limiter()
    caller = network_of(request.remote_addr or "")
    if not failures.hit(FAILURES, caller):
        return jsonify(ok=False, message="Too many wrong attempts. Wait a minute."), 429
    if failures.get_window_stats(FAILURES, caller).remaining == FAILURES.amount - 1:
        # The first one of a minute: whoever guesses fills no log.
        log.warning("Refused a webhook from %s: a wrong secret or tenant.", caller)
    return jsonify(ok=False, message="The webhook secret or the tenant is wrong."), 401


@webhooks.errorhandler(TooManyDeliveries)
def _too_many(error: TooManyDeliveries) -> ResponseReturnValue:
    return jsonify(ok=False, message=error.message), 429, {"Retry-After": str(error.retry_after)}


@webhooks.errorhandler(RequestEntityTooLarge)
def _too_large(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    return jsonify(ok=False, message="The body is larger than 1 MiB."), 413


@webhooks.errorhandler(SecretUnreadable)
def _keys_away(_error: SecretUnreadable) -> ResponseReturnValue:
    log.error("Webhooks cannot be accepted: the encryption key of their digests is missing.")
    return jsonify(
        ok=False, message="The portal lacks an encryption key. Its operator must restore it."
    ), 503


@webhooks.errorhandler(NotFound)
def _unknown(error: NotFound) -> ResponseReturnValue:
    return jsonify(ok=False, message=error.message), 404


@webhooks.errorhandler(NotStored)
@webhooks.errorhandler(SQLAlchemyError)
def _database_down(error: Exception) -> ResponseReturnValue:
    # Not the whole error: it would show the statement with the delivery in it.
    reason = error.message if isinstance(error, NotStored) else getattr(error, "orig", None)
    log.error("A webhook could not be stored: %s", reason or type(error).__name__)
    return jsonify(ok=False, message="The portal's database does not answer. Try again."), 503
