"""Refreshing the one agent that an alert is about, however many alerts there are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, Delete, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import changed_one, db, insert, transaction
from portal.errors import Refused
from portal.models import AgentRefresh, Integration, SyncRun
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.scope import get_tenant_id
from portal.services.integrations.server_health import is_answering
from portal.services.runs.execution import run_queued
from portal.services.runs.requests import enqueue_run, find_or_add_run
from portal.sync.devices.arrivals.strangers import find_superseded

GATHER = timedelta(seconds=30)
"""Between two refreshes of one agent: a burst makes one at once and one at its end."""
MOST_WAITING = 1
"""Runs of a tenant that stand in line. An outage has as many agents as alerts, and what is still to
be read of the alerts waits behind each refresh that is in line before it. More would save nothing:
a tenant has one worker of the queue at a time, and each run lets the next into the line."""


def schedule_refreshes(session: Session, integration_id: int, agent_ids: Iterable[str]) -> None:
    """Have these agents refreshed: now, or when the last refresh is long enough ago.

    But for those that were superseded: a re-installation makes nearly each of them overdue, and
    nothing of them is used.
    """
    wanted = sorted(set(agent_ids))
    if wanted:
        silent = find_superseded(session, integration_id, wanted, even_revived=False)
        wanted = [agent_id for agent_id in wanted if agent_id not in silent]
    if not wanted:
        return
    now = utc_now()
    recent = session.execute(
        select(SyncRun.subject, SyncRun.created_at).where(
            SyncRun.integration_id == integration_id,
            SyncRun.kind == SyncKind.AGENT,
            SyncRun.subject.in_(wanted),
            SyncRun.created_at > now - GATHER,
        )
    )
    last = {row.subject: row.created_at for row in recent}
    rows = [
        {
            "tenant_id": get_tenant_id(),
            "integration_id": integration_id,
            "agent_id": agent_id,
            "due_at": last[agent_id] + GATHER if agent_id in last else now,
        }
        for agent_id in wanted
    ]
    statement = insert(AgentRefresh).on_conflict_do_nothing(
        index_elements=["integration_id", "agent_id"]
    )
    session.execute(statement, rows)


def start_due_refreshes() -> None:
    """Make runs of what is due, one at a time, in the scope's tenant."""
    for agent_id in _list_due(MOST_WAITING - _count_waiting()):
        try:
            run = _start(agent_id)
        except Refused:
            _drop_due()  # not active: a later full sync brings the agents up to date
            return
        except IntegrityError:
            continue  # somebody asked for the same at this moment; the next look finds that run
        if run is not None:
            enqueue_run(run)


def refresh_agent(run_id: int) -> None:
    """Execute a run of one agent, and let those that are due beside it into the line."""
    run_queued(run_id)
    start_due_refreshes()


def list_tenants_with_due_refreshes() -> list[int]:
    """Across tenants."""
    return list(
        db.session.scalars(
            select(AgentRefresh.tenant_id)
            .where(AgentRefresh.due_at <= utc_now(), _may_be_asked())
            .distinct()
        )
    )


def _list_due(most: int) -> list[str]:
    query = select(AgentRefresh.agent_id).where(AgentRefresh.due_at <= utc_now(), _may_be_asked())
    return list(db.session.scalars(query.order_by(AgentRefresh.due_at).limit(max(most, 0))))


def _may_be_asked() -> ColumnElement[bool]:
    """While the server does not answer, or takes no credentials, refreshes wait."""
    return AgentRefresh.integration_id.in_(select(Integration.id).where(is_answering()))


def _count_waiting() -> int:
    query = select(func.count()).select_from(SyncRun)
    waits = query.where(SyncRun.status == RunStatus.QUEUED, SyncRun.kind == SyncKind.AGENT)
    return db.session.scalar(waits) or 0


def _start(agent_id: str) -> SyncRun | None:
    """A run in place of the refresh, or none: of two workers, one has it. In one transaction, so
    that a process that is killed here leaves the one or the other. Raises Refused."""
    with transaction() as session:
        if not changed_one(session, _delete_due().where(AgentRefresh.agent_id == agent_id)):
            return None
        run, is_new = find_or_add_run(session, SyncKind.AGENT, "webhook", agent_id)
    return run if is_new else None


def _drop_due() -> None:
    with transaction() as session:
        session.execute(_delete_due())


def _delete_due() -> Delete:
    due = delete(AgentRefresh).where(AgentRefresh.due_at <= utc_now())
    return due.execution_options(synchronize_session=False)
