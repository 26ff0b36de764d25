"""Whose rows the running code may touch: one tenant's, or, said out loud, everyone's.

Every entry point sets the scope once; `portal.tenant_guard` adds it to each statement and
refuses a statement on tenants' rows when no scope is set. Forgetting it is an error, not a leak.

Who is limited to some of the tenant's clients has, beside the tenant, their ids in the scope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import Final

Clients = frozenset[int] | None
"""Ids of the clients that somebody is limited to, who may see nothing at all if there are none;
None: of all clients, and what belongs to no client."""

_clients: ContextVar[Clients] = ContextVar("allowed_clients", default=None)
_address: ContextVar[str] = ContextVar("own_address", default="")


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


@contextmanager
def limited_to(client_ids: Collection[int] | None) -> Iterator[None]:
    """Run the block with these clients of the tenant alone: the others, and what belongs to none,
    do not exist for it. Within another limit both hold; None adds none."""
    before, wanted = _clients.get(), client_ids if client_ids is None else frozenset(client_ids)
    both = before & wanted if before is not None and wanted is not None else None
    token = _clients.set(both if both is not None else before if wanted is None else wanted)
    try:
        yield
    finally:
        _clients.reset(token)


@contextmanager
def known_by(address: str) -> Iterator[None]:
    """Run the block for whoever has this e-mail address. Who is limited to some clients learns of
    no other."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


def own_address() -> str:
    """Of whoever the running code works for; empty where that is no person."""
    return _address.get()


@contextmanager
def beyond_clients() -> Iterator[None]:
    """Run the block with all of the tenant, whoever asks: for what the portal keeps for itself, and
    shows to nobody who is limited."""
    token = _clients.set(None)
    try:
        yield
    finally:
        _clients.reset(token)


def allowed_clients() -> Clients:
    """Of whoever the running code works for."""
    return _clients.get()


def current_scope() -> Scope:
    return _scope.get()


def get_tenant_id() -> int:
    """The tenant of the scope. Raises ScopeMissing outside `tenant_scope`."""
    scope = _scope.get()
    if not isinstance(scope, int):
        raise ScopeMissing("This needs a tenant scope.")
    return scope
