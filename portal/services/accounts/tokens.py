"""Random words that a person or a browser holds; the database keeps their digests."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> str:
    """256 bits, fit for addresses and cookies."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
