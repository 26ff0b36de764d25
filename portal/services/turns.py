"""One process at a time works for a far side, for a while: then it is another one's turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, update

from portal import queue
from portal.clock import utc_now
from portal.db import changed_one, transaction
from portal.lease import LEASE_TIME, beating, make_lease
from portal.models import Channel, Helpdesk
from portal.scope import get_tenant_id
from portal.services.application import get_app

TURN_SECONDS = 10.0
"""Then it is another far side's turn."""

FarSide = type[Channel] | type[Helpdesk]


def take_turn(
    table: FarSide, row_id: int, job: str, attempt: Callable[[str], bool | None]
) -> int | None:
    """Call `attempt` with the lease, as long as it answers True and the turn lasts; how many did
    something. None where the far side is another process's, switched off, or not due.

    `attempt` answers None when there is nothing to do, and False when it must not go on; then it
    has left the far side as it is to be. `job` goes on where the turn ended before the work.
    """
    lease = claim(table, row_id)
    if lease is None:
        return None
    attempts, is_done = 0, False
    with beating(get_app(), lambda: _beat(table, row_id, lease)):
        until = time.monotonic() + TURN_SECONDS
        while not is_done and time.monotonic() < until:
            outcome = attempt(lease)
            attempts += outcome is not None
            is_done = not outcome
        if not is_done:
            change_own(table, row_id, lease, lease=None, due_at=None)
    if not is_done:
        queue.enqueue(job, get_tenant_id(), row_id)
    return attempts


def claim(table: FarSide, row_id: int) -> str | None:
    """Ours for a while: nobody else works for it meanwhile."""
    lease = make_lease()
    statement = update(table).where(table.id == row_id, table.active, is_due(table))
    with transaction() as session:
        values = {"lease": lease, "due_at": utc_now() + LEASE_TIME}
        return lease if changed_one(session, statement.values(values)) else None


def is_due(table: FarSide) -> ColumnElement[bool]:
    return table.due_at.is_(None) | (table.due_at <= utc_now())


def change_own(table: FarSide, row_id: int, held: str, /, **values: Any) -> bool:
    statement = update(table).where(table.id == row_id, table.lease == held)
    with transaction() as session:
        return changed_one(session, statement.values(values))


def _beat(table: FarSide, row_id: int, lease: str) -> bool:
    return change_own(table, row_id, lease, due_at=utc_now() + LEASE_TIME)
