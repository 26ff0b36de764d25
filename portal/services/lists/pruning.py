"""Deleting what is old."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.db import Base, release, transaction


def delete_in_parts(
    model: type[Base],
    list_some: Callable[[], Sequence[int]],
    prepare: Callable[[Session, Sequence[int]], None] | None = None,
) -> int:
    """Delete the rows with the ids that `list_some` gives, until it gives none; how many.

    In small transactions: nobody who writes must wait for a month's rows to go. `prepare` is
    called in each before its rows go.
    """
    gone = 0
    while ids := list_some():
        with transaction() as session:
            if prepare is not None:
                prepare(session, ids)
            session.execute(
                delete(model)
                .where(model.__table__.c.id.in_(ids))
                .execution_options(synchronize_session=False)
            )
        gone += len(ids)
    release()
    return gone
