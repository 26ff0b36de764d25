"""Refreshing the one agent that an alert is about, however many alerts there are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.db import db, insert, transaction, utc_now
from portal.errors import PortalError
from portal.models import AgentRefresh, SyncRun
from portal.models.sync_run import SyncKind
from portal.scope import get_tenant_id
from portal.services.sync_runs import request_run

GATHER = timedelta(seconds=30)
"""Between two refreshes of one agent: a burst makes one at once and one at its end."""


def schedule_refreshes(session: Session, integration_id: int, agent_ids: Iterable[str]) -> None:
    """Have these agents refreshed: now, or when the last refresh is long enough ago."""
    wanted = sorted(set(agent_ids))
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
    """Make runs of what is due, in the scope's tenant."""
    for agent_id in _take_due():
        try:
            request_run(SyncKind.AGENT, "webhook", agent_id)
        except PortalError:
            return  # not active: a later full sync brings the agents up to date


def list_tenants_with_due_refreshes() -> list[int]:
    """Across tenants."""
    return list(
        db.session.scalars(
            select(AgentRefresh.tenant_id).where(AgentRefresh.due_at <= utc_now()).distinct()
        )
    )


def _take_due() -> list[str]:
    """In one statement: of two workers, each gets what the other does not."""
    with transaction() as session:
        return list(
            session.scalars(
                delete(AgentRefresh)
                .where(AgentRefresh.due_at <= utc_now())
                .returning(AgentRefresh.agent_id)
                .execution_options(synchronize_session=False)
            )
        )
