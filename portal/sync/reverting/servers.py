"""Runs of a server that was replaced since: what they did is no matter of the connected one."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import Integration, SyncRun

REPLACED = (
    "The Tactical server was replaced by another one after this run, so the run cannot be undone."
)


def was_replaced_since(session: Session, run: SyncRun) -> bool:
    """Whether what there was when the run was asked for has been set aside: runs stay with the
    connection, assets go."""
    replaced = select(Integration.id).where(Integration.set_aside_at >= run.created_at)
    return session.scalar(replaced.limit(1)) is not None
