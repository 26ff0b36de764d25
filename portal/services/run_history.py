"""Sync runs as they were: listed, with what each did to which record."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from portal.db import db
from portal.errors import NotFound
from portal.models import SyncLogEntry, SyncRun, User
from portal.models.sync_run import ACTIVE, RunStatus, SyncKind
from portal.services.paging import Page, paginate
from portal.services.search import contains


def get_run(run_id: int) -> SyncRun:
    run = db.session.scalar(
        select(SyncRun).where(SyncRun.id == run_id).execution_options(populate_existing=True)
    )
    if run is None:
        raise NotFound("There is no such sync run.")
    return run


def find_active_run(kind: SyncKind, subject: str = "") -> SyncRun | None:
    return db.session.scalar(
        select(SyncRun).where(
            SyncRun.kind == kind, SyncRun.subject == subject, SyncRun.status.in_(ACTIVE)
        )
    )


def find_any_active_run() -> SyncRun | None:
    """The run at work that a page shows: of the whole fleet rather than of one agent."""
    return db.session.scalar(
        select(SyncRun)
        .where(SyncRun.status.in_(ACTIVE), SyncRun.kind != SyncKind.AGENT)
        .order_by(SyncRun.id)
        .limit(1)
    )


def find_last_finished_run(kind: SyncKind) -> SyncRun | None:
    """The newest run of a kind that brought something."""
    return db.session.scalar(
        select(SyncRun)
        .where(SyncRun.kind == kind, SyncRun.status.in_((RunStatus.SUCCESS, RunStatus.PARTIAL)))
        .order_by(SyncRun.id.desc())
        .limit(1)
    )


def list_runs(kind: str = "", status: str = "", page: int = 1) -> Page[SyncRun]:
    """Runs, the newest first; an empty filter shows all."""
    conditions = []
    if kind:
        conditions.append(SyncRun.kind == kind)
    if status:
        conditions.append(SyncRun.status == status)
    return paginate(
        select(SyncRun).where(*conditions).order_by(SyncRun.id.desc()),
        select(func.count()).select_from(SyncRun).where(*conditions),
        page,
        lambda row: row[0],
    )


def list_recent_fleet_runs(most: int) -> list[SyncRun]:
    """The newest of the whole fleet: webhooks make many of one agent."""
    return list(
        db.session.scalars(
            select(SyncRun)
            .where(SyncRun.kind != SyncKind.AGENT)
            .order_by(SyncRun.id.desc())
            .limit(most)
        )
    )


def find_requester(run: SyncRun) -> User | None:
    return None if run.requested_by is None else db.session.get(User, run.requested_by)


def count_log_actions(run_id: int) -> dict[str, int]:
    rows = db.session.execute(
        select(SyncLogEntry.action, func.count())
        .where(SyncLogEntry.run_id == run_id)
        .group_by(SyncLogEntry.action)
        .order_by(SyncLogEntry.action)
    )
    return {row[0]: row[1] for row in rows}


def list_log_entries(
    run_id: int, action: str = "", search: str = "", page: int = 1
) -> Page[SyncLogEntry]:
    """What the run did, in order; `search` looks into names, ids and reasons."""
    conditions = [SyncLogEntry.run_id == run_id]
    if action:
        conditions.append(SyncLogEntry.action == action)
    if search.strip():
        columns = (SyncLogEntry.name, SyncLogEntry.external_id, SyncLogEntry.reason)
        conditions.append(or_(*(contains(column, search.strip()) for column in columns)))
    return paginate(
        select(SyncLogEntry).where(*conditions).order_by(SyncLogEntry.id),
        select(func.count()).select_from(SyncLogEntry).where(*conditions),
        page,
        lambda row: row[0],
    )


def list_errors(run_id: int, most: int = 100) -> list[str]:
    """What went wrong with single records, in words, oldest first."""
    rows = db.session.execute(
        select(SyncLogEntry.name, SyncLogEntry.reason)
        .where(SyncLogEntry.run_id == run_id, SyncLogEntry.action.in_(("failed", "warning")))
        .order_by(SyncLogEntry.id)
        .limit(most)
    )
    return [f"{name}: {reason}" if name else str(reason) for name, reason in rows]
