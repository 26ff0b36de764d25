"""Who acts: set once by each entry point, like the tenant's scope, and read by `record`."""

from __future__ import annotations

import os
import platform
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from portal.models.audit.entry import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """`source`: the route as it is declared, or the command."""

    kind: ActorKind
    name: str
    user_id: int | None = None
    address: str = ""
    source: str = ""


SYSTEM = Actor(ActorKind.SYSTEM, "portal")

_actor: ContextVar[Actor] = ContextVar("audit_actor", default=SYSTEM)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def find_operator(command: str) -> Actor:
    """Whoever runs a command, as the machine knows them; `command` as it was called."""
    name = _find_account()
    called_by = os.environ.get("SUDO_USER", "")
    if called_by and called_by != name:
        name = f"{called_by} as {name}"
    words = command.split()[1:]  # the first is the name of the program, whatever it is called
    source = " ".join(["portal", *words])
    return Actor(ActorKind.COMMAND, name, address=platform.node(), source=source)


def _find_account() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container, say
        return f"uid {os.getuid()}"


def current_actor() -> Actor:
    """Who acts; the portal itself where nobody said otherwise."""
    return _actor.get()
