from __future__ import annotations

from portal.jobs.context import job_context
from portal.services.deliveries import agent_refreshes
from portal.services.runs import execution, history


def run_sync(tenant_id: int, run_id: int) -> None:
    with job_context(tenant_id):
        execution.run_queued(run_id)


def refresh_agent(tenant_id: int, run_id: int) -> None:
    with job_context(tenant_id):
        agent_refreshes.refresh_agent(run_id)


def prune_runs(tenant_id: int, integration_id: int) -> None:
    with job_context(tenant_id):
        history.prune_runs(integration_id)
