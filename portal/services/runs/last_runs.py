"""The last runs of each kind, for a look at how long they took and how they ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, union_all

from portal.db import db
from portal.models import SyncRun
from portal.models.runs.sync_run import ACTIVE, RunStatus, SyncKind

MOST_OF_A_KIND = 30


@dataclass(frozen=True, slots=True)
class EndedRun:
    id: int
    status: RunStatus
    at: datetime
    """When it started, or was asked for if it never did."""
    seconds: float


def list_last_runs() -> dict[SyncKind, list[EndedRun]]:
    """Up to MOST_OF_A_KIND of each kind that ran, the oldest first; those at work are left out."""
    columns = (
        SyncRun.kind,
        SyncRun.id,
        SyncRun.status,
        SyncRun.created_at,
        SyncRun.started_at,
        SyncRun.finished_at,
    )
    newest = [
        select(
            select(*columns)
            .where(SyncRun.kind == kind, SyncRun.status.not_in(ACTIVE))
            .order_by(SyncRun.id.desc())
            .limit(MOST_OF_A_KIND)
            .subquery()
        )
        for kind in SyncKind
    ]
    runs: dict[SyncKind, list[EndedRun]] = {}
    for row in db.session.execute(union_all(*newest)):
        took = row.finished_at - row.started_at if row.finished_at and row.started_at else None
        seconds = max(took.total_seconds(), 0) if took else 0
        ended = EndedRun(row.id, row.status, row.started_at or row.created_at, seconds)
        runs.setdefault(row.kind, []).append(ended)
    return {kind: sorted(runs[kind], key=lambda run: run.id) for kind in SyncKind if kind in runs}
