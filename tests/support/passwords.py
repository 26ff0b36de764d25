"""Passwords are hashed in a fraction of the time that it takes in real life."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from portal.services.accounts import passwords

STRONG = passwords._hasher
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the test of the strength itself would show more by three passes over 64 MiB."""
    monkeypatch.setattr(passwords, "_hasher", QUICK)
