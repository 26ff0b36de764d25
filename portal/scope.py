"""Whose rows the running code may touch: one tenant's, or, said out loud, everyone's.

Every entry point sets the scope once; `portal.tenant_guard` adds it to each statement and
refuses a statement on tenants' rows when no scope is set. Forgetting it is an error, not a leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Final


class _Everyone(Enum):
    EVERYONE = "everyone"


EVERYONE: Final = _Everyone.EVERYONE
Scope = int | _Everyone | None

_scope: ContextVar[Scope] = ContextVar("tenant_scope", default=None)


class ScopeMissing(RuntimeError):
    """Tenants' rows were asked for without saying whose: a mistake in the program."""


@contextmanager
def tenant_scope(tenant_id: int) -> Iterator[None]:
    """Run the block as this tenant: other tenants' rows do not exist for it."""
    token = _scope.set(tenant_id)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def all_tenants() -> Iterator[None]:
    """Run the block across tenants: for sign-in, schedules and maintenance only."""
    token = _scope.set(EVERYONE)
    try:
        yield
    finally:
        _scope.reset(token)


def current_scope() -> Scope:
    return _scope.get()


def get_tenant_id() -> int:
    """The tenant of the scope. Raises ScopeMissing outside `tenant_scope`."""
    scope = _scope.get()
    if not isinstance(scope, int):
        raise ScopeMissing("This needs a tenant scope.")
    return scope
