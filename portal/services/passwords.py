"""Passwords: argon2id in the library's recommended strength, hashed again when that rises."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import InvalidInput

SHORTEST = 12
LONGEST = 1024
"""Far above what anyone types; keeps a huge body from costing a huge hash."""

_hasher = PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """Made on first use: hashing is slow on purpose, and commands need none."""
    return _hasher.hash("a password that nobody has")


def hash_password(password: str) -> str:
    """Raises InvalidInput when it is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"Use a password of at least {SHORTEST} characters.", field="password")
    return _hasher.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Takes the same time for a user who does not exist (no hash) as for one who does."""
    try:
        _hasher.verify(password_hash or _nobodys_hash(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)
