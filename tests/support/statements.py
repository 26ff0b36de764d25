"""The statements that a block of a test sends to the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from portal.db import db

NOT_ASKED = ("BEGIN", "PRAGMA", "SELECT pg_advisory", "SELECT set_config")
"""What only one of the databases needs to begin, to keep an order or to know the scope."""


@contextmanager
def counting() -> Iterator[list[str]]:
    """Executions at the cursor, those of many rows in one call counted once."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def asked(statements: list[str]) -> list[str]:
    return [text for text in statements if not text.startswith(NOT_ASKED)]
