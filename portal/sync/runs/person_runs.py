"""Runs that stand for what a person did: written in the transaction that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.models import SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.sync.runs.cause import Cause
from portal.sync.runs.log import add_entries


def add_person_run(
    session: Session,
    integration_id: int,
    kind: SyncKind,
    title: str,
    user_id: int | None,
    reverts_run_id: int | None = None,
) -> SyncRun:
    """One that is over. `title` says as a sentence what was done; `user_id` None is somebody at
    the command line."""
    now = utc_now()
    run = SyncRun(
        integration_id=integration_id,
        kind=kind,
        title=title,
        status=RunStatus.SUCCESS,
        trigger="command" if user_id is None else "button",
        requested_by=user_id,
        reverts_run_id=reverts_run_id,
        created_at=now,
        started_at=now,
        finished_at=now,
    )
    session.add(run)
    session.flush()
    return run


def cause_of(run: SyncRun) -> Cause:
    """What the history of assets names."""
    return Cause(run.trigger, run.id, run.requested_by)


def record_done(
    session: Session, run: SyncRun, counts: Mapping[str, int], entries: Sequence[dict[str, Any]]
) -> None:
    """Add to the counts of the run, and to its log: entries as `log_entry` makes them."""
    for name, count in counts.items():
        setattr(run, name, getattr(run, name) + count)
    session.flush()
    add_entries(session, run.id, entries)
