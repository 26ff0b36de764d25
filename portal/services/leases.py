"""What a person watches, such as a connection test or an errand: one process at a time does it.

What a process that died had begun is begun again by another; at last it is ended, so that nobody
watches it for ever.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Update, or_, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import changed_one, transaction
from portal.errors import PortalError
from portal.lease import LEASE_TIME, beating, make_lease
from portal.models import ConnectionTest, Errand, WebhookInstallation
from portal.services.application import get_app

Work = TypeVar("Work", ConnectionTest, Errand, WebhookInstallation)

MOST_ATTEMPTS = 3
"""What lost its process this often is ended: it may be what kills the process."""


class LeaseLost(PortalError):
    """Another process does it by now, or it was ended."""

    def __init__(self) -> None:
        super().__init__("Another process took this over.")


def claim(table: type[Work], row_id: int) -> str | None:
    """The lease of work that waits, now ours; None when another process was quicker."""
    lease, now = make_lease(), utc_now()
    with transaction() as session:
        is_ours = changed_one(
            session,
            update(table)
            .where(table.id == row_id, waits(table))
            .values(
                lease=lease,
                fencing_number=table.fencing_number + 1,
                started_at=now,
                heartbeat_at=now,
            ),
        )
    return lease if is_ours else None


def keep(table: type[Work], row_id: int, lease: str) -> AbstractContextManager[None]:
    """Renew the lease while the block runs."""
    return beating(get_app(), lambda: renew(table, row_id, lease))


def renew(table: type[Work], row_id: int, lease: str) -> bool:
    """Whether it is still ours."""
    statement = update(table).where(table.id == row_id, table.lease == lease)
    with transaction() as session:
        return changed_one(session, statement.values(heartbeat_at=utc_now()))


def get_own(session: Session, table: type[Work], row_id: int, lease: str) -> Work:
    """The row, locked, to be written in this transaction. Raises LeaseLost."""
    row = session.scalar(
        select(table)
        .where(table.id == row_id, table.lease == lease)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise LeaseLost
    return row


def waits(table: type[Work]) -> ColumnElement[bool]:
    """Asked for, and in no process's hands."""
    return table.ok.is_(None) & table.lease.is_(None)


def free_lost(table: type[Work], is_too_old: ColumnElement[bool], message: str) -> None:
    """Let what a dead process had wait again; end what has waited or died too often. Across
    tenants."""
    fell_silent = table.lease.is_not(None) & (table.heartbeat_at < utc_now() - LEASE_TIME)
    died_too_often = fell_silent & (table.fencing_number >= MOST_ATTEMPTS)
    end = _change(table, or_(died_too_often, is_too_old)).values(
        ok=False, fault="interrupted", message=message, finished_at=utc_now(), lease=None
    )
    with transaction() as session:
        session.execute(end)
        session.execute(_change(table, fell_silent).values(lease=None))


def _change(table: type[Work], which: ColumnElement[bool]) -> Update:
    unfinished: Any = table.ok.is_(None)
    return update(table).where(unfinished, which).execution_options(synchronize_session=False)
