"""Devices that signed in before: each keeps a signed word that only its account takes."""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from portal.models import User
from portal.services.accounts.tokens import digest

KNOWN_DEVICE_TIME = timedelta(days=365)


def issue_device(user: User) -> str:
    """The word for a device on which the user has just proved to be one. A new password ends it."""
    return _signer().dumps([user.id, secrets.token_hex(8), _stamp(user)])


def find_device(user: User | None, word: str) -> str | None:
    """The id of the device, if it is known to this user."""
    if user is None or not word:
        return None
    try:
        user_id, device, stamp = _signer().loads(
            word, max_age=int(KNOWN_DEVICE_TIME.total_seconds())
        )
    except (BadData, TypeError, ValueError):
        return None
    return str(device) if (user_id, stamp) == (user.id, _stamp(user)) else None


def _stamp(user: User) -> str:
    return digest(user.password_hash)[:16]


def _signer() -> URLSafeTimedSerializer:
    key = current_app.secret_key
    assert key is not None
    return URLSafeTimedSerializer(key, salt="device")
