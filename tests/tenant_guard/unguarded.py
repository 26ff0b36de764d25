"""PostgreSQL without the portal's own guard, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import event
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from portal import tenant_guard
from portal.db import db

GUARDS: list[tuple[str, Callable[..., Any]]] = [
    ("do_orm_execute", tenant_guard._guard_statement),
    ("before_flush", tenant_guard._guard_flush),
]


@contextmanager
def without_guard() -> Iterator[None]:
    for name, guard in GUARDS:
        event.remove(Session, name, guard)
    try:
        yield
    finally:
        for name, guard in GUARDS:
            event.listen(Session, name, guard)


def names(query: Any) -> list[str]:
    return sorted(db.session.scalars(query))


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(ProgrammingError) as caught:
        yield
    assert isinstance(caught.value.orig, InsufficientPrivilege)
    db.session.rollback()
