"""Sync runs as they were: listed, with what each did to which record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, or_, select

from portal.clock import utc_now
from portal.db import db
from portal.errors import NotFound
from portal.models import RevertPage, SyncLogEntry, SyncRun, User
from portal.models.runs.revert_page import KEPT_FOR
from portal.models.runs.sync_run import ACTIVE, COMPLETED, RunStatus, SyncKind
from portal.services.assets.history import prune_history
from portal.services.assets.removed import prune_removed_assets
from portal.services.lists.paging import Page, paginate
from portal.services.lists.pruning import delete_in_parts
from portal.services.lists.search import contains, readable

KEPT_DAYS = {
    SyncKind.STATUS: 2,
    SyncKind.PREVIEW: 7,
    SyncKind.AGENT: 30,
    SyncKind.AGENTS: 30,
    SyncKind.ALERTS: 30,
}
KEPT_DAYS_OF_OTHERS = 365
PRUNED_AT_ONCE = 100
"""Each may have thousands of log entries."""

_IS_NO_QUIET_SWEEP = or_(
    SyncRun.kind != SyncKind.STATUS,
    SyncRun.status.in_((RunStatus.RUNNING, RunStatus.PARTIAL, RunStatus.FAILED)),
)
"""A sweep every few minutes would hide all other runs."""


def get_run(run_id: int) -> SyncRun:
    run = db.session.scalar(
        select(SyncRun).where(SyncRun.id == run_id).execution_options(populate_existing=True)
    )
    if run is None:
        raise NotFound("This sync run does not exist.")
    return run


def list_linked_ids(run: SyncRun) -> set[int]:
    """Of the runs that it undid and that undid it, those that are still there."""
    linked = {run.reverts_run_id, run.reverted_by_run_id} - {None}
    if not linked:
        return set()
    return set(db.session.scalars(select(SyncRun.id).where(SyncRun.id.in_(linked))))


def find_active_run(kind: SyncKind, subject: str = "") -> SyncRun | None:
    return db.session.scalar(
        select(SyncRun).where(
            SyncRun.kind == kind, SyncRun.subject == subject, SyncRun.status.in_(ACTIVE)
        )
    )


def find_any_active_run() -> SyncRun | None:
    """The run at work that a page shows: not those that come and go by themselves."""
    run: SyncRun | None = db.session.scalar(_query_any_active(SyncRun))
    return run


def _query_any_active(entity: Any) -> Select[Any]:
    return (
        select(entity)
        .where(SyncRun.status.in_(ACTIVE), SyncRun.kind.not_in((SyncKind.AGENT, SyncKind.STATUS)))
        .order_by(SyncRun.id)
        .limit(1)
    )


def find_last_finished_run(kind: SyncKind) -> SyncRun | None:
    """The newest run of a kind that brought something."""
    return find_last_finished_runs(kind).get(kind)


def find_active_and_last(kind: SyncKind) -> tuple[SyncRun | None, SyncRun | None]:
    """`find_active_run` and `find_last_finished_run`, in one statement."""
    active, last = find_active_and_last_runs(kind, kind)
    return active, last.get(kind)


def find_active_and_last_runs(
    kind: SyncKind, *kinds: SyncKind
) -> tuple[SyncRun | None, dict[SyncKind, SyncRun]]:
    """`find_active_run` of the one kind and `find_last_finished_runs`, in one statement."""
    is_active = (SyncRun.kind == kind, SyncRun.subject == "", SyncRun.status.in_(ACTIVE))
    return _find_with_last(select(SyncRun.id).where(*is_active).limit(1), kinds)


def find_last_finished_runs(*kinds: SyncKind) -> dict[SyncKind, SyncRun]:
    """The newest run of each kind that brought something; a kind without one is left out."""
    newest = [last_finished_id(kind) for kind in kinds]
    return {
        run.kind: run for run in db.session.scalars(select(SyncRun).where(SyncRun.id.in_(newest)))
    }


def last_finished_id(kind: SyncKind) -> ScalarSelect[int]:
    """Of `find_last_finished_run`, in SQL."""
    return (
        select(SyncRun.id)
        .where(SyncRun.kind == kind, SyncRun.status.in_(COMPLETED))
        .order_by(SyncRun.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def find_active_and_last_of_kinds(
    *kinds: SyncKind,
) -> tuple[SyncRun | None, dict[SyncKind, SyncRun]]:
    """`find_any_active_run` and `find_last_finished_runs`, in one statement."""
    return _find_with_last(_query_any_active(SyncRun.id), kinds)


def _find_with_last(
    active: Select[Any], kinds: Iterable[SyncKind]
) -> tuple[SyncRun | None, dict[SyncKind, SyncRun]]:
    wanted = [active.scalar_subquery(), *(last_finished_id(kind) for kind in kinds)]
    runs = db.session.scalars(select(SyncRun).where(SyncRun.id.in_(wanted))).all()
    found = [run for run in runs if run.status in ACTIVE]
    return next(iter(found), None), {run.kind: run for run in runs if run not in found}


def list_runs(kind: str = "", status: str = "", page: int = 1) -> Page[SyncRun]:
    """Runs, the newest first; an empty filter shows all but sweeps that went well."""
    conditions = run_conditions(kind, status)
    return paginate(
        select(SyncRun).where(*conditions).order_by(SyncRun.id.desc()),
        select(func.count()).select_from(SyncRun).where(*conditions),
        page,
        lambda row: row[0],
    )


def run_conditions(kind: str, status: str) -> list[ColumnElement[bool]]:
    """The filter in SQL."""
    conditions: list[ColumnElement[bool]] = [SyncRun.kind == kind if kind else _IS_NO_QUIET_SWEEP]
    return [*conditions, SyncRun.status == status] if status else conditions


def list_newest_runs(kind: str, most: int) -> list[SyncRun]:
    """Of a kind, or of all: quiet sweeps too."""
    runs = select(SyncRun).order_by(SyncRun.id.desc()).limit(most)
    return list(db.session.scalars(runs.where(SyncRun.kind == kind) if kind else runs))


def list_whole_log(run_id: int) -> list[SyncLogEntry]:
    entries = select(SyncLogEntry).where(SyncLogEntry.run_id == run_id).order_by(SyncLogEntry.id)
    return list(db.session.scalars(entries))


def find_requester(run: SyncRun) -> User | None:
    return None if run.requested_by is None else db.session.get(User, run.requested_by)


def name_requesters(runs: Iterable[SyncRun]) -> dict[int, str]:
    """The addresses of whoever asked for them, by id."""
    wanted = {run.requested_by for run in runs} - {None}
    if not wanted:
        return {}
    rows = db.session.execute(select(User.id, User.email).where(User.id.in_(wanted)))
    return {row.id: row.email for row in rows}


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
    """What the run did, in order."""
    conditions = log_conditions(run_id, action, search)
    return paginate(
        select(SyncLogEntry).where(*conditions).order_by(SyncLogEntry.id),
        select(func.count()).select_from(SyncLogEntry).where(*conditions),
        page,
        lambda row: row[0],
    )


def log_conditions(run_id: int, action: str, search: str) -> list[ColumnElement[bool]]:
    """The filter in SQL; `search` looks into names, ids and reasons."""
    conditions: list[ColumnElement[bool]] = [SyncLogEntry.run_id == run_id]
    if action:
        conditions.append(SyncLogEntry.action == action)
    if search.strip():
        columns = readable(SyncLogEntry.name, SyncLogEntry.external_id, SyncLogEntry.reason)
        conditions.append(or_(*(contains(column, search.strip()) for column in columns)))
    return conditions


def list_errors(run_id: int, most: int = 100) -> list[str]:
    """What went wrong with single records, in words, oldest first."""
    rows = db.session.execute(
        select(SyncLogEntry.name, SyncLogEntry.reason)
        .where(SyncLogEntry.run_id == run_id, SyncLogEntry.action.in_(("failed", "warning")))
        .order_by(SyncLogEntry.id)
        .limit(most)
    )
    return [f"{name}: {reason}" if name else str(reason) for name, reason in rows]


def prune_runs(integration_id: int) -> int:
    """Delete runs that nobody looks back at any more, and assets' history; how many runs."""
    prune_history()
    prune_removed_assets()
    _prune_revert_pages()
    return sum(_prune_kind(integration_id, kind) for kind in SyncKind)


def _prune_revert_pages() -> None:
    old = select(RevertPage.id).where(RevertPage.made_at < utc_now() - KEPT_FOR)
    some = old.limit(PRUNED_AT_ONCE)
    delete_in_parts(RevertPage, lambda: db.session.scalars(some).all())


def _prune_kind(integration_id: int, kind: SyncKind) -> int:
    before = utc_now() - timedelta(days=KEPT_DAYS.get(kind, KEPT_DAYS_OF_OTHERS))
    return delete_in_parts(SyncRun, lambda: _list_old_ids(integration_id, kind, before))


def _list_old_ids(integration_id: int, kind: SyncKind, before: datetime) -> Sequence[int]:
    """Without the last that went well, however old: it shows since when nothing was read."""
    last = (
        select(SyncRun.id)
        .where(
            SyncRun.integration_id == integration_id,
            SyncRun.kind == kind,
            SyncRun.status.in_(COMPLETED),
        )
        .order_by(SyncRun.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return db.session.scalars(
        select(SyncRun.id)
        .where(
            SyncRun.integration_id == integration_id,
            SyncRun.kind == kind,
            SyncRun.created_at < before,
            SyncRun.status.not_in(ACTIVE),
            SyncRun.id != func.coalesce(last, 0),
        )
        .limit(PRUNED_AT_ONCE)
    ).all()
